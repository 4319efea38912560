/* SPDX-License-Identifier: Apache-2.0 */
/* See local.h: how clients behave. */
#include "sim/local.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "bridge/bridge.h"
#include "endpoint/endpoint.h"
#include "sim/operator.h"
#include "sim/server.h"
#include "sim/sim_listen.h"
#include "sim/subject_int.h"
#include "sim/trace.h"

#define QUEUE_MAX ((size_t)16 * 1024 * 1024)
#define LOCALS_MAX 6 /* of one feed, at a time */
#define BACKLOG ((size_t)64 * 1024)
#define ANSWER_MOST 256 /* bytes of one, or more */

static struct local *local_of(struct list *node)
{
	return list_entry(node, struct local, node);
}

static void drop(struct local *c, enum sim_close how)
{
	list_remove(&c->node);
	sim_event_cancel(&c->write);
	sim_event_cancel(&c->read);
	sim_event_cancel(&c->life);
	sim_sock_close(c->sock, how);
	buf_deinit(&c->out);
	buf_deinit(&c->in);
	seen_deinit(&c->answered);
	free(c);
}

static void flush(struct local *c)
{
	struct span bytes = buf_bytes(&c->out);

	if (bytes.n > 0)
		buf_consume(&c->out, sim_sock_write(c->sock, bytes));
	if (c->out.len == 0 && c->silent && c->finished)
		sim_sock_shutdown(c->sock);
}

static void put(struct local *c, const char *text)
{
	bool fits = buf_append(&c->out, span_str(text)) && buf_append(&c->out, span_str("\n"));

	assert(fits);
	c->visits->written++;
	c->visits->feed->sim->records++;
}

static void put_json(struct local *c, const char *stamp)
{
	mem_auto_str record = NULL;
	json_t *text = json_string(stamp);
	char *quoted = json_dumps(text, JSON_ENCODE_ANY);

	if (c->n % 2)
		record = mem_printf("{\"type\":\"text\",\"data\":%s,\"id\":%llu}", quoted,
				    (unsigned long long)c->n);
	else
		record = mem_printf("{\"type\":\"json\",\"data\":%s,\"id\":%llu}", stamp,
				    (unsigned long long)c->n);
	put(c, record);
	free(quoted);
	json_decref(text);
}

/* Of what it has written some must wait for the line: no moment for that to be closed, or cut. */
static void invite_trouble(struct local *c)
{
	struct feed *f = c->visits->feed;
	struct sim_rand *r = &f->sim->chance;
	const struct sim_sock *up = f->conn ? f->conn->sock->peer : NULL;
	size_t written = c->sock->out.len + c->sock->peer->in.len;

	if (!c->json || !up || f->conn->deaf || up->stalled || written <= sim_sock_room(up) ||
	    !sim_chance(r, 40))
		return;
	if (sim_chance(r, 50))
		operator_hurry(f, sim_spread(r, 100, 100000));
	else
		sim_event_in(&f->conn->fate, sim_spread(r, 100, 100000));
}

static void on_write(void *arg)
{
	struct local *c = arg;
	struct sim_rand *r = &c->visits->feed->sim->load;
	uint64_t burst = sim_chance(r, 10) ? 1 + sim_below(r, 20) : 1;

	if (c->silent)
		return;
	for (; burst > 0 && c->out.len < BACKLOG; burst--) {
		struct stamp st = { c->k, ++c->n };
		mem_auto_str text = stamp_write('k', st, "", sim_below(r, c->size_max));

		if (c->json)
			put_json(c, text);
		else
			put(c, text);
	}
	/* They may all come at once, as when the outbox expires. */
	c->slowed = c->slowed || (c->n - c->answers) * ANSWER_MOST > c->queue;
	flush(c);
	invite_trouble(c);
	sim_event_in(&c->write, sim_spread(r, c->every, c->every * 8));
}

static void take_lines(struct local *c)
{
	struct span all = buf_bytes(&c->in);
	const uint8_t *end;

	while (all.n > 0 && (end = memchr(all.p, '\n', all.n))) {
		size_t n = (size_t)(end - all.p);

		local_line(c, span_of(all.p, n));
		buf_consume(&c->in, n + 1);
		all = buf_bytes(&c->in);
	}
}

static void take(struct local *c)
{
	struct span bytes = sim_sock_waiting(c->sock);
	bool fits;

	if (c->rate && bytes.n > c->rate)
		bytes.n = c->rate;
	if (bytes.n == 0)
		return;
	fits = buf_append(&c->in, bytes);
	assert(fits);
	sim_sock_consume(c->sock, bytes.n);
	take_lines(c);
}

static void on_read(void *arg)
{
	struct local *c = arg;

	if (c->stopped)
		return;
	take(c);
	if (sim_sock_waiting(c->sock).n > 0)
		sim_event_in(&c->read, 200000);
}

/* It need not have noticed, having so much to read yet. */
static bool is_cut_off(const struct local *c)
{
	return c->sock->peer->closed;
}

/* It may go before the process looks who has come, and has no place for it. */
static bool may_be_turned_away(const struct local *c)
{
	const struct sim *s = c->visits->feed->sim;

	return s->stalled_until >= world_now(s);
}

/* The bridge, or the process, has closed it: which is no fault if it is to be so. */
static void cut_off(struct local *c)
{
	c->visits->exact = false;
	trace(c->visits->feed->sim, "%s client %llu cut off", c->visits->feed->name,
	      (unsigned long long)c->k);
	drop(c, SIM_FIN);
}

static void on_changed(void *arg)
{
	struct local *c = arg;

	if (!c->stopped && c->rate == 0)
		take(c);
	else if (!c->stopped && !sim_event_is_planned(&c->read))
		sim_event_in(&c->read, 100000);
	if (sim_sock_is_hung_up(c->sock) && (c->stopped || sim_sock_waiting(c->sock).n == 0)) {
		cut_off(c);
		return;
	}
	flush(c);
}

/* What it does next with its life. */
static void on_life(void *arg)
{
	struct local *c = arg;
	struct sim_rand *r = &c->visits->feed->sim->load;

	switch (sim_below(r, c->steady ? 2 : 6)) {
	case 0:
		trace(c->visits->feed->sim, "%s client %llu goes", c->visits->feed->name,
		      (unsigned long long)c->k);
		if (c->out.len > 0 || is_cut_off(c) || may_be_turned_away(c))
			c->visits->exact = false;
		drop(c, SIM_FIN);
		return;
	case 1:
		c->silent = c->finished = true;
		flush(c);
		break;
	case 2:
	case 3:
		c->stopped = !c->stopped;
		break;
	default:
		c->rate = sim_chance(r, 50) ? 0 : (size_t)sim_spread(r, 10, 4000);
		break;
	}
	c->slowed = c->slowed || c->stopped || c->rate;
	sim_sock_wake(c->sock);
	sim_event_in(&c->life, sim_spread(r, SECOND, 300 * SECOND));
}

static bool arrive(struct visits *v, size_t end)
{
	struct feed *f = v->feed;
	struct sim_rand *r = &f->sim->load;
	const struct endpoint_conf *conf = &f->conf->endpoints[end];
	pid_t pid = (pid_t)(1000 + v->born);
	struct sim_sock *sock = sim_connect(f->sim->loop, &f->sim->net, conf->unix_path, pid);
	struct local *c;

	if (!sock)
		return false;
	c = mem_zalloc(sizeof(*c));
	c->visits = v;
	snprintf(c->path, sizeof(c->path), "%s", conf->unix_path);
	c->json = conf->rules->framing == FRAMING_JSON;
	c->sock = sock;
	c->pid = pid;
	c->k = v->born++;
	c->queue = conf->rules->queue;
	c->every = sim_spread(r, sim_chance(r, 10) ? 10000 : SECOND / 2, 30 * SECOND);
	c->size_max = (size_t)sim_spread(r, 10, sim_chance(r, 8) ? 100000 : 2000);
	c->silent = conf->rules->access == ACCESS_R || sim_chance(r, 30);
	c->rate = sim_chance(r, 80) ? 0 : (size_t)sim_spread(r, 10, 4000);
	c->steady = sim_chance(r, 40);
	c->rate = c->steady ? 0 : c->rate;
	c->slowed = c->rate != 0;
	buf_init(&c->out, QUEUE_MAX);
	buf_init(&c->in, QUEUE_MAX);
	sim_event_init(&c->write, f->sim->loop, on_write, c);
	sim_event_init(&c->read, f->sim->loop, on_read, c);
	sim_event_init(&c->life, f->sim->loop, on_life, c);
	sim_event_in(&c->write, sim_spread(r, 1000, c->every));
	sim_event_in(&c->life, sim_spread(r, SECOND, 300 * SECOND));
	sock->changed = on_changed;
	sock->arg = c;
	list_append(&v->locals, &c->node);
	trace(f->sim, "%s client %llu comes to %s", f->name, (unsigned long long)c->k, c->path);
	return true;
}

static size_t count(const struct visits *v)
{
	size_t n = 0;

	for (const struct list *it = v->locals.next; it != &v->locals; it = it->next)
		n++;
	return n;
}

static void on_next(void *arg)
{
	struct visits *v = arg;
	struct feed *f = v->feed;

	if (f->sim->calm)
		return;
	if (count(v) < LOCALS_MAX && f->conf->n_endpoints)
		arrive(v, sim_below(&f->sim->load, f->conf->n_endpoints));
	sim_event_in(&v->next, sim_spread(&f->sim->load, SECOND / 10, v->every));
}

void visits_init(struct feed *f)
{
	struct visits *v = mem_zalloc(sizeof(*v));

	v->feed = f;
	v->exact = true;
	v->every = sim_spread(&f->sim->load, SECOND, 200 * SECOND);
	list_init(&v->locals);
	sim_event_init(&v->next, f->sim->loop, on_next, v);
	sim_event_in(&v->next, sim_spread(&f->sim->load, 1000, v->every));
	f->visits = v;
}

void visits_deinit(struct feed *f)
{
	list_each(it, next, &f->visits->locals)
		drop(local_of(it), SIM_FIN);
	sim_event_cancel(&f->visits->next);
	free(f->visits);
	f->visits = NULL;
}

void visits_calm(struct feed *f)
{
	list_each(it, next, &f->visits->locals) {
		struct local *c = local_of(it);

		sim_event_cancel(&c->life);
		c->stopped = false;
		c->silent = true;
		c->rate = 0;
		sim_sock_wake(c->sock);
	}
}

bool local_has_lost(const struct local *c)
{
	struct bridge *b = bridge_subject(c->visits->feed);
	struct endpoint_client told;

	for (size_t e = 0; e < bridge_n_endpoints(b); e++)
		for (size_t i = 0; endpoint_client_at(bridge_endpoint(b, e), i, &told); i++)
			if (told.pid == c->pid)
				return told.dropped > 0;
	return true;
}

bool local_is_settled(const struct local *c)
{
	const struct sim_sock *here = c->sock, *there = c->sock->peer;

	return !is_cut_off(c) && c->out.len == 0 && here->out.len == 0 && here->in.len == 0 &&
	       there->out.len == 0 && there->in.len == 0;
}

bool visits_are_read(const struct visits *v)
{
	for (struct list *it = v->locals.next; it != &v->locals; it = it->next) {
		const struct local *c = local_of(it);

		if (is_cut_off(c) || c->out.len > 0 || c->sock->out.len > 0 ||
		    c->sock->peer->in.len > 0)
			return false;
	}
	return true;
}

const struct local *visits_find(const struct visits *v, pid_t pid)
{
	for (struct list *it = v->locals.next; it != &v->locals; it = it->next)
		if (local_of(it)->pid == pid)
			return local_of(it);
	return NULL;
}
