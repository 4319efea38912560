/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event loop over libevent. A turn is: wait, deliver what is ready, then
 * the end-of-turn calls until none is left. All timers hang on one of
 * libevent's, whose clock is coarse and may call some milliseconds early: then
 * it is set once more.
 */
#include "net/loop.h"

#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

#include "base/mem.h"
#include "net/loop_int.h"
#include "net/timers.h"

/* Larger gains nothing (measured); smaller costs a system call more for each 64 KiB. */
#define SCRATCH_SIZE ((size_t)128 * 1024)

/* End-of-turn calls that keep asking for one another may not starve the descriptors. */
#define DEFERRED_ROUNDS 16

#define TIDY_DELAY ((int64_t)1500000)

struct signal_watch {
	struct signal_watch *next;
	struct event *event;
	void (*fire)(void *arg);
	void *arg;
};

struct loop {
	struct event_base *base;
	struct list deferred;
	struct timers timers;
	struct event *tick; /* for the first of them */
	int64_t tick_at;    /* what it is set for, -1 = it is not */
	int64_t fired;	    /* those due up to then have had their call, or have it in this turn */
	struct signal_watch *signals;
	uint8_t *scratch;
	uint8_t *plain; /* made when it is first asked for */
	struct timer tidy;
	bool stopping;
};

struct event_base *loop_base(struct loop *l)
{
	return l->base;
}

int64_t loop_now(struct loop *l)
{
	struct timespec ts;

	(void)l;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

uint8_t *loop_scratch(struct loop *l, size_t *size)
{
	*size = SCRATCH_SIZE;
	return l->scratch;
}

uint8_t *loop_scratch_plain(struct loop *l, size_t *size)
{
	if (!l->plain)
		l->plain = mem_alloc(SCRATCH_SIZE);
	*size = SCRATCH_SIZE;
	return l->plain;
}

static void run_deferred(struct loop *l)
{
	for (int round = 0; round < DEFERRED_ROUNDS && !list_empty(&l->deferred); round++) {
		struct list now;

		list_init(&now);
		list_append(&l->deferred, &now); /* takes the head's place: the ring is now's */
		list_remove(&l->deferred);
		while (!list_empty(&now)) {
			struct deferred *d = list_entry(now.next, struct deferred, node);

			list_remove(&d->node);
			d->run(d->arg);
		}
	}
}

void loop_run(struct loop *l)
{
	l->stopping = false;
	run_deferred(l);
	while (!l->stopping) {
		int flags = EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY;

		if (!list_empty(&l->deferred))
			flags |= EVLOOP_NONBLOCK;
		event_base_loop(l->base, flags);
		run_deferred(l);
	}
}

void loop_drain(struct loop *l)
{
	run_deferred(l);
}

void loop_stop(struct loop *l)
{
	l->stopping = true;
}

static void set_tick(struct loop *l)
{
	const struct timer *first = timers_first(&l->timers);
	struct timeval tv;
	int64_t delay;

	if (!first || (l->tick_at >= 0 && l->tick_at <= first->due))
		return; /* one that comes too early finds nothing to do */
	l->tick_at = first->due;
	delay = first->due - loop_now(l);
	if (delay < 0)
		delay = 0;
	tv.tv_sec = (time_t)(delay / 1000000);
	tv.tv_usec = (suseconds_t)(delay % 1000000);
	event_add(l->tick, &tv);
}

/* See timer_arm: what is armed in the meantime waits for the next turn. */
static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct loop *l = arg;
	int64_t now = loop_now(l);
	struct timer *t;

	(void)fd;
	(void)what;
	l->tick_at = -1;
	l->fired = now;
	while ((t = timers_first(&l->timers)) && t->due <= now) {
		timers_remove(&l->timers, t);
		t->due = -1;
		t->fire(t->arg);
	}
	set_tick(l);
}

static void on_tidy(void *arg)
{
	(void)arg;
	mem_give_back();
}

void loop_tidy_later(struct loop *l)
{
	if (!timer_is_armed(&l->tidy))
		timer_arm(&l->tidy, TIDY_DELAY);
}

struct loop *loop_new(void)
{
	struct loop *l = mem_zalloc(sizeof(*l));

	l->base = event_base_new();
	assert(l->base);
	list_init(&l->deferred);
	l->tick = event_new(l->base, -1, 0, on_tick, l);
	assert(l->tick);
	l->tick_at = -1;
	timer_init(&l->tidy, l, on_tidy, NULL);
	l->scratch = mem_alloc(SCRATCH_SIZE);
	return l;
}

void loop_free(struct loop *l)
{
	struct signal_watch *next;

	if (!l)
		return;
	for (struct signal_watch *s = l->signals; s; s = next) {
		next = s->next;
		event_free(s->event);
		free(s);
	}
	event_free(l->tick);
	timers_deinit(&l->timers);
	event_base_free(l->base);
	free(l->scratch);
	free(l->plain);
	free(l);
}

void timer_init(struct timer *t, struct loop *l, void (*fire)(void *arg), void *arg)
{
	*t = (struct timer){ .loop = l, .fire = fire, .arg = arg, .due = -1 };
}

void timer_deinit(struct timer *t)
{
	if (t->loop)
		timers_remove(&t->loop->timers, t);
	t->due = -1;
}

void timer_arm(struct timer *t, int64_t delay)
{
	t->due = loop_now(t->loop) + (delay < 0 ? 0 : delay);
	/* In a call of this turn, within the same microsecond: nobody else would have a turn. */
	if (t->due <= t->loop->fired)
		t->due = t->loop->fired + 1;
	timers_put(&t->loop->timers, t);
	set_tick(t->loop);
}

void timer_disarm(struct timer *t)
{
	if (t->due < 0)
		return;
	t->due = -1;
	timers_remove(&t->loop->timers, t);
}

bool timer_is_armed(const struct timer *t)
{
	return t->due >= 0;
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
	struct watch *w = arg;
	unsigned events = 0;

	(void)fd;
	if (what & EV_READ)
		events |= WATCH_READ;
	if (what & EV_WRITE)
		events |= WATCH_WRITE;
	w->ready(w->arg, events & w->wanted);
}

void watch_init(struct watch *w, struct loop *l, int fd, void (*ready)(void *arg, unsigned events),
		void *arg)
{
	*w = (struct watch){ .loop = l, .fd = fd, .ready = ready, .arg = arg };
}

void watch_deinit(struct watch *w)
{
	if (w->read)
		event_free(w->read);
	if (w->write)
		event_free(w->write);
	w->read = w->write = NULL;
	w->wanted = 0;
}

static void watch_switch(struct watch *w, struct event **ev, short what, bool is)
{
	if (!*ev) {
		*ev = event_new(w->loop->base, w->fd, (short)(what | EV_PERSIST), on_ready, w);
		assert(*ev);
	}
	if (is)
		event_add(*ev, NULL);
	else
		event_del(*ev);
}

void watch_set(struct watch *w, unsigned events)
{
	unsigned changed = w->wanted ^ events;

	if (changed & WATCH_READ)
		watch_switch(w, &w->read, EV_READ, events & WATCH_READ);
	if (changed & WATCH_WRITE)
		watch_switch(w, &w->write, EV_WRITE, events & WATCH_WRITE);
	w->wanted = events;
}

void deferred_init(struct deferred *d, void (*run)(void *arg), void *arg)
{
	list_init(&d->node);
	d->run = run;
	d->arg = arg;
}

void loop_defer(struct loop *l, struct deferred *d)
{
	if (list_empty(&d->node))
		list_append(&l->deferred, &d->node);
}

void deferred_cancel(struct deferred *d)
{
	if (d->node.next)
		list_remove(&d->node);
}

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
	struct signal_watch *s = arg;

	(void)fd;
	(void)what;
	s->fire(s->arg);
}

void loop_on_signal(struct loop *l, int signo, void (*fire)(void *arg), void *arg)
{
	struct signal_watch *s = mem_zalloc(sizeof(*s));

	s->fire = fire;
	s->arg = arg;
	s->event = event_new(l->base, signo, EV_SIGNAL | EV_PERSIST, on_signal, s);
	assert(s->event);
	event_add(s->event, NULL);
	s->next = l->signals;
	l->signals = s;
}
