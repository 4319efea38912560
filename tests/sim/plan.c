/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See plan.h. Times that the judges hold against the network are long enough
 * for a healthy one: a ping that has 3 seconds is answered by a server that is
 * well, whatever the delays.
 */
#include "sim/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/server.h"
#include "sim/trace.h"

static double seconds(struct sim_rand *r, double low, double high)
{
	return (double)sim_spread(r, (int64_t)(low * 1e6), (int64_t)(high * 1e6)) / 1e6;
}

static const char *one_of(struct sim_rand *r, const char *const *names, size_t n)
{
	return names[sim_below(r, n)];
}

#define ONE_OF(r, ...)                                    \
	one_of((r), (const char *const[]){ __VA_ARGS__ }, \
	       sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

static json_t *plan_reconnect(struct sim_rand *r)
{
	double max = seconds(r, 3, 60);
	json_t *o = json_pack("{s:f, s:f, s:f, s:f, s:f}", "initial", seconds(r, 0.1, 2), "max",
			      max, "factor", seconds(r, 1, 4), "reset_after", seconds(r, 5, 60),
			      "slow", sim_chance(r, 80) ? seconds(r, max, 120) : 300);

	json_object_set_new(o, "jitter",
			    json_string(ONE_OF(r, "equal", "equal", "equal", "full", "none")));
	if (sim_chance(r, 5))
		json_object_set_new(o, "when", json_string(ONE_OF(r, "abnormal", "never")));
	if (sim_chance(r, 5))
		json_object_set_new(o, "attempts", json_integer(sim_between(r, 1, 30)));
	if (sim_chance(r, 5))
		json_object_set_new(o, "fatal_status", json_pack("[i, i]", 401, 403));
	if (sim_chance(r, 5))
		json_object_set_new(o, "fatal_close", json_pack("[i, i]", 4000, 1008));
	return o;
}

static json_t *plan_ping(struct sim_rand *r)
{
	json_t *o;

	if (sim_chance(r, 10))
		return json_pack("{s:i}", "interval", 0);
	o = json_pack("{s:f, s:f}", "interval", seconds(r, 5, 60), "timeout",
		      sim_chance(r, 5) ? 0 : seconds(r, 3, 20));
	if (sim_chance(r, 30))
		json_object_set_new(o, "proof", json_string("pong"));
	if (sim_chance(r, 30))
		json_object_set_new(o, "payload", json_string("are you there?"));
	return o;
}

static json_t *plan_timeouts(struct sim_rand *r)
{
	return json_pack("{s:f, s:f, s:f, s:f}", "connect", seconds(r, 1, 10), "handshake",
			 seconds(r, 2, 10), "open", seconds(r, 3, 30), "close", seconds(r, 1, 8));
}

static json_t *plan_on_open(enum dialogue d)
{
	switch (d) {
	case DIALOGUE_HELLO:
		return json_pack("[s]", "hello");
	case DIALOGUE_CHALLENGE:
		return json_pack(
			"[{s:{s:s}, s:f, s:{s:s}}, {s:{s:s}}, {s:{s:s, s:b}, s:f}, {s:f}, s]",
			"expect", "pointer", "/challenge/nonce", "timeout", 5.0, "capture", "nonce",
			"/challenge/nonce", "json", "auth", "${nonce}", "expect", "pointer", "/ok",
			"equals", 1, "timeout", 5.0, "wait", 0.3, "subscribe");
	case DIALOGUE_NONE:
	case DIALOGUE_N:
		break;
	}
	return NULL;
}

static json_t *plan_endpoint(struct feed *f, unsigned i)
{
	struct sim_rand *r = &f->sim->plan;
	const char *overflow = ONE_OF(r, "drop-oldest", "drop-newest", "disconnect", "block");
	char path[32];
	json_t *o;

	snprintf(path, sizeof(path), "/run/%s.%u.sock", f->name, i);
	o = json_pack("{s:s, s:s, s:I, s:s}", "unix", path, "framing", ONE_OF(r, "lines", "json"),
		      "queue", sim_spread(r, 65536, 1 << 20), "overflow", overflow);
	if (sim_chance(r, 20))
		json_object_set_new(o, "replay", json_integer(sim_between(r, 1, 50)));
	if (sim_chance(r, 20))
		json_object_set_new(o, "access", json_string("r"));
	if (sim_chance(r, 20))
		json_object_set_new(o, "max_clients", json_integer(sim_between(r, 1, 4)));
	if (strcmp(overflow, "block") == 0)
		json_object_set_new(o, "block_timeout", json_real(seconds(r, 1, 60)));
	if (strcmp(json_string_value(json_object_get(o, "framing")), "json") == 0)
		json_object_set_new(o, "data", json_string(ONE_OF(r, "string", "inline")));
	return o;
}

static json_t *plan_endpoints(struct feed *f)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < 2; i++)
		if (i == 0 || sim_chance(&f->sim->plan, 50))
			json_array_append_new(list, plan_endpoint(f, i));
	return list;
}

static json_t *plan_outbox(struct sim_rand *r)
{
	return json_pack("{s:I, s:f, s:s}", "size",
			 sim_chance(r, 10) ? 0 : sim_spread(r, 1000, 1 << 20), "ttl",
			 sim_chance(r, 10) ? 0 : seconds(r, 0.5, 100), "on_full",
			 ONE_OF(r, "reject", "drop-oldest"));
}

/* What only bridges look at. */
static void plan_local(struct feed *f, json_t *o)
{
	struct sim_rand *r = &f->sim->plan;

	json_object_set_new(o, "endpoints", plan_endpoints(f));
	json_object_set_new(o, "outbox", plan_outbox(r));
	if (sim_chance(r, 25))
		json_object_set_new(o, "rate",
				    json_pack("{s:I, s:f, s:I}", "messages", sim_between(r, 1, 50),
					      "per", seconds(r, 0.1, 10), "burst",
					      sim_between(r, 1, 50)));
	if (sim_chance(r, 15)) {
		json_object_set_new(o, "start", json_string("on-demand"));
		json_object_set_new(o, "linger", json_real(seconds(r, 0.1, 60)));
	}
}

static json_t *plan_bridge(struct feed *f)
{
	struct sim_rand *r = &f->sim->plan;
	char url[80];
	json_t *o;

	snprintf(url, sizeof(url), "%s://%s/feed", sim_chance(r, 40) ? "wss" : "ws", f->host);
	o = json_pack("{s:s, s:n, s:o, s:o, s:o}", "url", url, "proxy", "reconnect",
		      plan_reconnect(r), "ping", plan_ping(r), "timeouts", plan_timeouts(r));
	if (f->dialogue != DIALOGUE_NONE)
		json_object_set_new(o, "on_open", plan_on_open(f->dialogue));
	if (sim_chance(r, 10))
		json_object_set_new(o, "idle_timeout", json_real(seconds(r, 20, 120)));
	if (sim_chance(r, 20))
		json_object_set_new(o, "heartbeat",
				    json_pack("{s:f, s:s, s:{s:s}, s:f}", "interval",
					      seconds(r, 5, 60), "message", "heartbeat", "expect",
					      "contains", "heartbeat-ack", "timeout",
					      seconds(r, 4, 20)));
	if (sim_chance(r, 10))
		json_object_set_new(o, "start", json_string("manual"));
	if (!f->sim->links_alone)
		plan_local(f, o);
	return o;
}

static void plan_feed(struct sim *s, unsigned i)
{
	struct feed *f = &s->feeds[i];
	struct sim_rand *r = &s->plan;

	f->sim = s;
	f->index = i;
	f->server = &s->servers[sim_below(r, s->n_servers)];
	f->dialogue = (enum dialogue)sim_below(r, DIALOGUE_N);
	snprintf(f->name, sizeof(f->name), "b%02u", i);
	snprintf(f->host, sizeof(f->host), "b%u.s%u.sim", i, f->server->index);
	f->talk.every_min = sim_spread(r, sim_chance(r, 10) ? 20000 : SECOND, 30 * SECOND);
	f->talk.every_max = f->talk.every_min * 6;
	f->talk.size_max = (size_t)sim_spread(r, 10, 4000);
	f->talk.binary = sim_chance(r, 20) ? 50 : 0;
	f->talk.split = sim_chance(r, 30) ? 20 : 0;
	f->talk.big = sim_chance(r, 20) ? 3 : 0;
}

static struct main_conf *read_conf(struct sim *s, json_t *root)
{
	struct schema_first first;
	struct main_conf *conf;

	schema_first_init(&first);
	conf = main_conf_new(root, &first.report);
	json_decref(root);
	if (!conf)
		trace_fail(s, "the plan is no configuration: %s: %s", first.err.option,
			   first.err.text);
	return conf;
}

static json_t *plan_limits(struct sim *s)
{
	struct sim_rand *r = &s->plan;

	return json_pack("{s:I, s:I, s:I}", "dials_per_second", sim_between(r, 4, 40),
			 "tls_handshakes", sim_between(r, 1, 10), "queues", (json_int_t)s->queues);
}

void plan_world(struct sim *s)
{
	json_t *bridges = json_object();

	s->queues = sim_spread(&s->plan, 1 << 20, 64 << 20);
	for (unsigned i = 0; i < s->n_feeds; i++) {
		plan_feed(s, i);
		s->feeds[i].json = plan_bridge(&s->feeds[i]);
		json_object_set(bridges, s->feeds[i].name, s->feeds[i].json);
	}
	s->conf = read_conf(s,
			    json_pack("{s:o, s:o}", "limits", plan_limits(s), "bridges", bridges));
	for (size_t i = 0; i < s->n_feeds; i++)
		s->feeds[i].conf = s->conf->bridges[i];
}

struct main_conf *plan_again(struct sim *s, unsigned percent)
{
	json_t *bridges = json_object();

	for (size_t i = 0; i < s->n_feeds; i++) {
		struct feed *f = &s->feeds[i];

		f->fresh = sim_chance(&s->plan, percent);
		if (f->fresh) {
			json_decref(f->json);
			f->json = plan_bridge(f);
		}
		json_object_set(bridges, f->name, f->json);
	}
	return read_conf(s, json_pack("{s:o, s:o}", "limits", plan_limits(s), "bridges", bridges));
}
