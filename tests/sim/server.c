/* SPDX-License-Identifier: Apache-2.0 */
/* The servers and their regimes: see server.h. */
#include "sim/server.h"
#include "sim/sim_fd.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "sim/trace.h"

static const char *const names[REGIMES] = {
	[GOOD] = "good",	   [REFUSES] = "refuses",   [UNKNOWN] = "unknown",
	[BLACKHOLE] = "blackhole", [BAD_TLS] = "bad tls",   [SAYS_NO] = "says no",
	[HANGS_UP] = "hangs up",   [FROZEN] = "frozen",	    [MUTE] = "mute",
	[NO_PONGS] = "no pongs",   [SLOW] = "slow",	    [FLAPPY] = "flappy",
	[BYZANTINE] = "byzantine", [RESTARTS] = "restarts",
};

const char *regime_name(enum regime regime)
{
	return names[regime];
}

static struct conn *conn_of(struct list *node)
{
	return list_entry(node, struct conn, node);
}

/* With small buffers a few messages are more than they hold; 100 KB a second pass at least. */
static struct sim_path a_path(struct sim *s, bool slow)
{
	bool narrow = !slow && sim_chance(&s->net, 20);
	int64_t delay = sim_spread(&s->net, 200, slow ? 400000 : 100000);
	int64_t least = slow ? 2048 : narrow ? 1024 + delay / 5 : 65536;
	int64_t most = narrow ? 8 * least : 262144;

	return (struct sim_path){
		.delay_min = delay,
		.delay_max = delay + sim_between(&s->net, 0, delay),
		.sndbuf = (size_t)sim_spread(&s->net, least, most),
		.rcvbuf = (size_t)sim_spread(&s->net, least, most),
		.chunk = slow ? (size_t)sim_between(&s->net, 20, 4000) : 65536,
	};
}

static enum sim_fate fate_of(struct sim *s, const struct server *v, bool tls)
{
	switch (v->regime) {
	case REFUSES:
		return SIM_REFUSED;
	case UNKNOWN:
		return SIM_UNRESOLVED;
	case BLACKHOLE:
		return SIM_HANGS;
	case BAD_TLS:
		return tls ? SIM_TLS_FAILS : SIM_CONNECTS;
	case RESTARTS:
		return sim_chance(&s->chance, 30) ? SIM_REFUSED : SIM_CONNECTS;
	case GOOD:
	case SAYS_NO:
	case HANGS_UP:
	case FROZEN:
	case MUTE:
	case NO_PONGS:
	case SLOW:
	case FLAPPY:
	case BYZANTINE:
	case REGIMES:
		return SIM_CONNECTS;
	}
	return SIM_CONNECTS;
}

static struct feed *feed_of(struct sim *s, const char *host)
{
	unsigned i = 0;

	if (sscanf(host, "b%u.", &i) != 1 || i >= s->n_feeds)
		trace_fail(s, "a dial to %s, which nobody asked for", host);
	return &s->feeds[i];
}

static struct sim *sim_of(struct sim_net *n)
{
	return list_entry(n, struct sim, hooks);
}

/* limits.dials_per_second, over any second: the bucket holds as many as that at once. */
static void judge_rate(struct sim *s)
{
	int64_t now = world_now(s), limit = s->conf->limits.dials_per_second;

	s->dials++;
	if (now == s->limits_at)
		return; /* the limit of before may have let it pass */
	if (now - s->dial_window[0] >= SECOND) {
		s->dial_window[0] = now;
		s->dial_window[1] = 0;
	}
	if (++s->dial_window[1] > limit + limit / 4 + 2)
		trace_fail(s, "%lld dials in a second, limits.dials_per_second is %lld",
			   (long long)s->dial_window[1], (long long)limit);
}

static void on_dialed(struct sim_net *n, const struct dial_params *p, struct sim_verdict *v)
{
	struct sim *s = sim_of(n);
	struct feed *f = feed_of(s, p->host);
	bool tls = p->tls != NULL;
	const char *wrong = pace_dialed(&f->pace, f->conf, world_now(s));

	judge_rate(s);
	f->dirty = true;
	f->refusal.status = 0;
	f->close_code = f->fault_code = 0;
	f->begun.open = f->conf->common->timeouts.open;
	f->begun.close = f->conf->common->timeouts.close;
	v->fate = fate_of(s, f->server, tls);
	v->tag = f->index + 1;
	v->delay = sim_spread(&s->net, 300, 300000);
	v->tls = sim_spread(&s->net, 1000, 300000);
	v->path = a_path(s, f->server->regime == SLOW);
	v->path.user_timeout = p->socket.user_timeout;
	trace(s, "%s dials %s: %d", f->name, p->host, (int)v->fate);
	if (wrong)
		trace_fail(s, "%s: %s", f->name, wrong);
	if (!f->wanted)
		trace_fail(s, "%s dials, but was told to stop", f->name);
	if (sim_dials_with_tag(v->tag) + sim_fd_socks(v->tag) > 0)
		trace_fail(s, "%s dials while it has a connection", f->name);
}

static void on_accepted(struct sim_net *n, const char *host, struct sim_sock *server)
{
	struct feed *f = feed_of(sim_of(n), host);

	conn_accept(f->server, f, server);
}

/* All connections there are, in whatever way the regime has for it. */
static void end_all(struct server *v, const char *blame)
{
	struct sim *s = v->sim;

	list_each(it, next, &v->conns) {
		struct conn *c = conn_of(it);
		int way = (int)sim_below(&s->chance, 4);

		c->blame = blame;
		if (way == 0 && c->upgraded)
			conn_close(c, sim_chance(&s->chance, 50) ? 1012 : 1001, "restart");
		else
			conn_free(c, way == 1 ? SIM_RESET : way == 2 ? SIM_SILENT : SIM_FIN);
	}
}

static void on_restart(void *arg)
{
	struct server *v = arg;

	if (v->regime != RESTARTS)
		return;
	end_all(v, "restart");
	sim_event_in(&v->restart, sim_spread(&v->sim->chance, 300000, 3 * SECOND));
}

static void block(struct server *v, bool blocked)
{
	list_each(it, next, &v->conns) {
		struct conn *c = conn_of(it);

		if (blocked)
			c->blame = "packets dropped";
		sim_sock_stall(c->sock, blocked);
		sim_sock_stall(c->sock->peer, blocked);
	}
}

/* What a silent server said before was said at the time it fell silent, at the latest. */
static void silence(struct server *v)
{
	list_each(it, next, &v->conns) {
		struct conn *c = conn_of(it);

		c->blame = names[v->regime];
		c->deaf = v->regime == FROZEN;
		c->mute = v->regime != NO_PONGS;
		c->no_pongs = true;
		c->quiet_since = c->mute ? world_now(v->sim) : 0;
	}
}

static void wake_all(struct server *v)
{
	list_each(it, next, &v->conns)
		conn_wake(conn_of(it));
}

static void choose_refusal(struct server *v)
{
	static const int statuses[] = {
		400, 401, 403, 404, 408, 429, 429, 500, 502, 503, 503, 200
	};
	struct sim_rand *r = &v->sim->chance;

	v->status = statuses[sim_below(r, sizeof(statuses) / sizeof(*statuses))];
	v->retry_after = -1;
	v->as_date = sim_chance(r, 30);
	if (v->status == 429 || v->status == 503)
		v->retry_after = sim_chance(r, 70) ? sim_spread(r, 1, 900) : -1;
}

/* The network is as it should be again. */
static void speed_up(struct server *v)
{
	struct sim_path fast = a_path(v->sim, false);

	list_each(it, next, &v->conns) {
		struct sim_sock *sock = conn_of(it)->sock;

		fast.user_timeout = sock->path.user_timeout;
		sock->path = sock->peer->path = fast;
	}
}

static void leave(struct server *v)
{
	if (v->regime == SLOW)
		speed_up(v);
	if (v->regime == BLACKHOLE)
		block(v, false);
	if (v->regime == FROZEN || v->regime == MUTE || v->regime == NO_PONGS)
		wake_all(v);
}

void server_enter(struct server *v, enum regime regime)
{
	struct sim *s = v->sim;

	leave(v);
	v->regime = regime;
	v->since = world_now(s);
	trace(s, "server %u: %s", v->index, names[regime]);
	switch (regime) {
	case BLACKHOLE:
		block(v, true);
		break;
	case FROZEN:
	case MUTE:
	case NO_PONGS:
		silence(v);
		break;
	case SAYS_NO:
		choose_refusal(v);
		break;
	case REFUSES:
	case HANGS_UP:
		end_all(v, "the server went down");
		break;
	case RESTARTS:
		on_restart(v);
		break;
	case FLAPPY:
	case BYZANTINE:
		list_each(it, next, &v->conns)
			sim_event_in(&conn_of(it)->fate,
				     sim_spread(&s->chance, 50000, 20 * SECOND));
		break;
	case GOOD:
	case UNKNOWN:
	case BAD_TLS:
	case SLOW:
	case REGIMES:
		break;
	}
}

/* Half of the time all is well. */
static void on_change(void *arg)
{
	struct server *v = arg;
	struct sim_rand *r = &v->sim->chance;
	bool good = v->regime != GOOD && sim_chance(r, 70);

	if (v->sim->calm)
		return;
	server_enter(v, good ? GOOD : (enum regime)sim_below(r, REGIMES));
	sim_event_in(&v->change, sim_spread(r, 2 * SECOND, 300 * SECOND));
}

void servers_calm(struct sim *s)
{
	for (size_t i = 0; i < s->n_servers; i++) {
		sim_event_cancel(&s->servers[i].change);
		server_enter(&s->servers[i], GOOD);
	}
}

void servers_init(struct sim *s)
{
	s->hooks = (struct sim_net){ .dialed = on_dialed,
				     .accepted = on_accepted,
				     .rand = &s->net };
	sim_net_set(&s->hooks);
	s->servers = mem_array(s->n_servers, sizeof(struct server));
	for (size_t i = 0; i < s->n_servers; i++) {
		struct server *v = &s->servers[i];

		v->sim = s;
		v->index = (unsigned)i;
		list_init(&v->conns);
		sim_event_init(&v->restart, s->loop, on_restart, v);
		sim_event_init(&v->change, s->loop, on_change, v);
		sim_event_in(&v->change, sim_spread(&s->chance, SECOND, 200 * SECOND));
	}
}

void servers_deinit(struct sim *s)
{
	for (size_t i = 0; i < s->n_servers; i++) {
		list_each(it, next, &s->servers[i].conns)
			conn_free(conn_of(it), SIM_FIN);
		sim_event_cancel(&s->servers[i].restart);
		sim_event_cancel(&s->servers[i].change);
	}
	free(s->servers);
	sim_net_set(NULL);
}
