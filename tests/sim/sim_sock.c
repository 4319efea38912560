/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See sim_sock.h. A chunk of what was written is on its way at a time, as with
 * a window of one round trip; what is written meanwhile goes with the next.
 */
#include "sim/sim_sock.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "sim/sim_loop_int.h"

#define BUFFER_MAX ((size_t)64 * 1024 * 1024)

struct pair {
	struct sim_sock a, b;
	struct list node;
};

static struct list pairs = { &pairs, &pairs };
static size_t n_pairs;

size_t sim_sock_live(void)
{
	return n_pairs;
}

/* Something about s is new for its owner. */
static void tell(struct sim_sock *s)
{
	list_each(it, next, &s->watchers)
		sim_source_poke(&list_entry(it, struct event, of_sock)->source);
	if (s->changed)
		sim_event_in(&s->wake, 0);
}

static struct pair *pair_of(struct sim_sock *s)
{
	return (struct pair *)(void *)(s->is_process ? s : s->peer);
}

static void free_if_over(struct sim_sock *s)
{
	struct pair *p = pair_of(s);

	if (!p->a.closed || !p->b.closed || sim_event_is_planned(&p->a.arrival) ||
	    sim_event_is_planned(&p->b.arrival))
		return;
	buf_deinit(&p->a.in);
	buf_deinit(&p->a.out);
	buf_deinit(&p->b.in);
	buf_deinit(&p->b.out);
	list_remove(&p->node);
	n_pairs--;
	free(p);
}

/* Is there something for the other end to hear of? */
static bool has_news(const struct sim_sock *s)
{
	return s->reset_due || s->out.len > 0 || (s->fin && !s->fin_arrived);
}

/* As TCP_USER_TIMEOUT (tcp(7)). */
static void watch_progress(struct sim_sock *s)
{
	if (!s->is_process || !s->path.user_timeout || s->closed || s->out.len == 0)
		sim_event_cancel(&s->give_up);
	else if (!sim_event_is_planned(&s->give_up))
		sim_event_in(&s->give_up, s->path.user_timeout);
}

static void depart(struct sim_sock *s)
{
	const struct sim_path *path = &s->path;
	size_t most = s->out.len < path->chunk ? s->out.len : path->chunk;

	watch_progress(s);
	if (s->stalled || sim_event_is_planned(&s->arrival) || !has_news(s))
		return;
	s->moving = most;
	if (most > 1 && sim_chance(s->rand, 30))
		s->moving = 1 + sim_below(s->rand, most);
	sim_event_in(&s->arrival, sim_between(s->rand, path->delay_min, path->delay_max));
}

static void forget_out(struct sim_sock *s)
{
	buf_clear(&s->out);
	s->moving = 0;
}

static void lose(struct sim_sock *s, int error)
{
	s->error = error;
	s->dead = true;
	s->reset_due = false;
	forget_out(s);
	sim_event_cancel(&s->arrival);
	sim_event_cancel(&s->give_up);
	tell(s);
}

/* What s sent comes to an end that does not know the connection any more. */
static void bounce(struct sim_sock *s)
{
	forget_out(s);
	s->fin_arrived = s->fin;
	if (!s->closed && !s->dead && !s->path.local)
		lose(s, ECONNRESET);
}

static void arrive_fin(struct sim_sock *s)
{
	struct sim_sock *p = s->peer;

	s->fin_arrived = p->eof = true;
	if (p->path.local && s->closed) {
		p->peer_gone = true;
		p->error = s->unread ? ECONNRESET : 0;
	}
	tell(p);
	tell(s);
}

static void arrive_bytes(struct sim_sock *s)
{
	struct sim_sock *p = s->peer;
	size_t room = p->path.rcvbuf > p->in.len ? p->path.rcvbuf - p->in.len : 0;
	size_t n = s->moving < room ? s->moving : room;
	struct span bytes = buf_bytes(&s->out);
	bool fits;

	if (n == 0)
		return;
	fits = buf_append(&p->in, span_of(bytes.p, n));
	assert(fits);
	buf_consume(&s->out, n);
	s->moving = 0;
	sim_event_cancel(&s->give_up);
	watch_progress(s);
	tell(p);
	tell(s);
}

static void on_arrival(void *arg)
{
	struct sim_sock *s = arg, *p = s->peer;

	if (s->reset_due) {
		s->reset_due = false;
		if (!p->closed && !p->dead)
			lose(p, ECONNRESET);
	} else if (p->closed) {
		if (s->moving > 0 || p->silent)
			bounce(s);
		else
			s->fin_arrived = s->fin;
	} else {
		arrive_bytes(s);
		if (s->out.len == 0 && s->fin && !s->fin_arrived)
			arrive_fin(s);
	}
	if (p->closed || p->in.len < p->path.rcvbuf)
		depart(s);
	free_if_over(s);
}

static void on_give_up(void *arg)
{
	sim_sock_fail(arg, ETIMEDOUT);
}

static void on_wake(void *arg)
{
	struct sim_sock *s = arg;

	if (s->changed)
		s->changed(s->arg);
}

static void init_end(struct sim_sock *s, struct sim_sock *peer, struct loop *l, struct sim_rand *r)
{
	s->peer = peer;
	s->loop = l;
	s->rand = r;
	buf_init(&s->in, BUFFER_MAX);
	buf_init(&s->out, BUFFER_MAX);
	list_init(&s->watchers);
	sim_event_init(&s->arrival, l, on_arrival, s);
	sim_event_init(&s->give_up, l, on_give_up, s);
	sim_event_init(&s->wake, l, on_wake, s);
}

struct sim_sock *sim_sock_pair(struct loop *l, struct sim_rand *r, const struct sim_path *path)
{
	struct pair *p = mem_zalloc(sizeof(*p));

	init_end(&p->a, &p->b, l, r);
	init_end(&p->b, &p->a, l, r);
	p->a.is_process = true;
	p->a.path = p->b.path = *path;
	list_append(&pairs, &p->node);
	n_pairs++;
	return &p->a;
}

struct span sim_sock_waiting(const struct sim_sock *s)
{
	return buf_bytes(&s->in);
}

/* A window that opens lets the other end go on. */
void sim_sock_consume(struct sim_sock *s, size_t n)
{
	buf_consume(&s->in, n);
	depart(s->peer);
}

size_t sim_sock_room(const struct sim_sock *s)
{
	if (s->closed || s->fin || s->dead || s->peer_gone || s->out.len >= s->path.sndbuf)
		return 0;
	return s->path.sndbuf - s->out.len;
}

size_t sim_sock_write(struct sim_sock *s, struct span bytes)
{
	size_t room = sim_sock_room(s), n = bytes.n < room ? bytes.n : room;
	bool fits = buf_append(&s->out, span_of(bytes.p, n));

	assert(fits);
	s->written += n;
	depart(s);
	return n;
}

void sim_sock_shutdown(struct sim_sock *s)
{
	if (s->fin || s->dead)
		return;
	s->fin = true;
	depart(s);
}

/* Bytes that nobody has read make it a reset, of a Unix socket behind what is under way. */
void sim_sock_close(struct sim_sock *s, enum sim_close how)
{
	assert(!s->closed);
	s->closed = true;
	s->changed = NULL;
	sim_event_cancel(&s->wake);
	sim_event_cancel(&s->give_up);
	s->unread = s->in.len > 0 || (s->path.local && s->peer->out.len > 0);
	s->silent = how == SIM_SILENT;
	if (how != SIM_FIN || s->dead || (s->unread && !s->path.local)) {
		forget_out(s);
		s->fin = s->fin_arrived = true;
		s->reset_due = !s->silent && !s->dead;
	}
	s->fin = true;
	depart(s);
	depart(s->peer);
	free_if_over(s);
}

void sim_sock_fail(struct sim_sock *s, int error)
{
	if (!s->closed && !s->dead)
		lose(s, error);
}

void sim_sock_stall(struct sim_sock *s, bool stalled)
{
	s->stalled = stalled;
	if (stalled)
		sim_event_cancel(&s->arrival);
	else
		depart(s);
}

void sim_sock_wake(struct sim_sock *s)
{
	if (s->changed)
		sim_event_in(&s->wake, 0);
}

bool sim_sock_is_hung_up(const struct sim_sock *s)
{
	return s->dead || s->peer_gone || (s->fin && s->eof);
}

bool sim_sock_is_readable(const struct sim_sock *s)
{
	return s->in.len > 0 || s->eof || s->error || s->dead;
}

bool sim_sock_is_writable(const struct sim_sock *s)
{
	return s->error || sim_sock_is_hung_up(s) || sim_sock_room(s) * 3 >= s->path.sndbuf;
}
