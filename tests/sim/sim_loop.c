/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop without a kernel: see sim_loop.h. A turn is as in the real one:
 * what is readable and writable, then timers that are due, then the
 * end-of-turn calls until none is left. Readiness in the order it came up,
 * timers in the order of their time: nothing here depends on an address.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "sim/sim_loop_int.h"

/* As large as the real one's. */
#define SCRATCH_SIZE ((size_t)128 * 1024)
#define DEFERRED_ROUNDS 16

/* What epoll_wait(2) tells of at a time is limited, too: timers may come before the rest. */
#define READY_MOST 8

struct loop {
	int64_t now, stalled_until;
	unsigned turns;
	struct sim_heap world, timers;
	struct list poked;
	struct list deferred;
	size_t n_timers, n_sources;
	uint8_t *scratch, *plain;
};

static struct loop *current;

struct loop *sim_loop_current(void)
{
	return current;
}

struct loop *loop_new(void)
{
	struct loop *l = mem_zalloc(sizeof(*l));

	assert(!current);
	current = l;
	l->now = SIM_BEGIN;
	list_init(&l->poked);
	list_init(&l->deferred);
	l->scratch = mem_alloc(SCRATCH_SIZE);
	return l;
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	current = NULL;
	sim_heap_deinit(&l->world);
	sim_heap_deinit(&l->timers);
	free(l->scratch);
	free(l->plain);
	free(l);
}

int64_t loop_now(struct loop *l)
{
	return l->now;
}

uint8_t *loop_scratch(struct loop *l, size_t *size)
{
	*size = SCRATCH_SIZE;
	return l->scratch;
}

void loop_tidy_later(struct loop *l)
{
	(void)l;
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
		list_append(&l->deferred, &now);
		list_remove(&l->deferred);
		while (!list_empty(&now)) {
			struct deferred *d = list_entry(now.next, struct deferred, node);

			list_remove(&d->node);
			d->run(d->arg);
		}
	}
}

void loop_drain(struct loop *l)
{
	run_deferred(l);
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

void timer_init(struct timer *t, struct loop *l, void (*fire)(void *arg), void *arg)
{
	*t = (struct timer){ .loop = l, .fire = fire, .arg = arg, .due = -1 };
	t->event = mem_zalloc(sizeof(*t->event));
	t->event->timer = t;
	l->n_timers++;
}

void timer_deinit(struct timer *t)
{
	if (!t->event)
		return;
	sim_heap_remove(&t->loop->timers, &t->event->item);
	t->loop->n_timers--;
	free(t->event);
	t->event = NULL;
	t->due = -1;
}

void timer_arm(struct timer *t, int64_t delay)
{
	t->due = t->loop->now + (delay > 0 ? delay : 0);
	sim_heap_put(&t->loop->timers, &t->event->item, t->due);
}

void timer_disarm(struct timer *t)
{
	if (t->due < 0)
		return;
	t->due = -1;
	sim_heap_remove(&t->loop->timers, &t->event->item);
}

bool timer_is_armed(const struct timer *t)
{
	return t->due >= 0;
}

/* One that is armed in this turn waits for the next. */
static void run_timers(struct loop *l)
{
	uint64_t begun = l->timers.order;
	struct sim_item *first;

	while ((first = sim_heap_first(&l->timers)) && first->due <= l->now &&
	       first->order <= begun) {
		struct timer *t = ((struct event *)(void *)first)->timer;

		sim_heap_remove(&l->timers, first);
		t->due = -1;
		t->fire(t->arg);
	}
}

void sim_source_init(struct sim_source *s, struct loop *l, bool (*is_ready)(struct sim_source *s),
		     void (*deliver)(struct sim_source *s))
{
	*s = (struct sim_source){ .loop = l, .is_ready = is_ready, .deliver = deliver };
	list_init(&s->node);
	l->n_sources++;
}

void sim_source_poke(struct sim_source *s)
{
	if (list_empty(&s->node))
		list_append(&s->loop->poked, &s->node);
}

void sim_source_deinit(struct sim_source *s)
{
	list_remove(&s->node);
	s->loop->n_sources--;
}

static struct sim_source *source_of(struct list *node)
{
	return list_entry(node, struct sim_source, node);
}

/* Forgets those that are not ready: the next poke brings them back. */
static bool has_ready(struct loop *l)
{
	while (!list_empty(&l->poked)) {
		struct sim_source *s = source_of(l->poked.next);

		if (s->is_ready(s))
			return true;
		list_remove(&s->node);
	}
	return false;
}

/* Those that were not reached come first in the next turn. */
static void deliver_ready(struct loop *l)
{
	struct list now;
	unsigned most = 1 + l->turns++ % READY_MOST;

	list_init(&now);
	list_append(&l->poked, &now);
	list_remove(&l->poked);
	while (!list_empty(&now) && most > 0) {
		struct sim_source *s = source_of(now.next);

		list_remove(&s->node);
		if (!s->is_ready(s))
			continue;
		list_append(&l->poked, &s->node);
		s->deliver(s);
		most--;
	}
	while (!list_empty(&now)) {
		struct list *last = now.prev;

		list_remove(last);
		list_append(l->poked.next, last);
	}
}

void sim_event_init(struct sim_event *e, struct loop *l, void (*happen)(void *arg), void *arg)
{
	*e = (struct sim_event){ .loop = l, .happen = happen, .arg = arg };
}

void sim_event_in(struct sim_event *e, int64_t delay)
{
	sim_heap_put(&e->loop->world, &e->item, e->loop->now + (delay > 0 ? delay : 0));
}

void sim_event_cancel(struct sim_event *e)
{
	if (e->loop)
		sim_heap_remove(&e->loop->world, &e->item);
}

bool sim_event_is_planned(const struct sim_event *e)
{
	return e->item.at != 0;
}

static int64_t due_of(const struct sim_item *first)
{
	return first ? first->due : INT64_MAX;
}

static int64_t next_turn(struct loop *l)
{
	int64_t due = due_of(sim_heap_first(&l->timers));

	if (!list_empty(&l->deferred) || has_ready(l))
		due = l->now;
	return due < l->stalled_until ? l->stalled_until : due;
}

static void happen(struct loop *l)
{
	struct sim_event *e = (struct sim_event *)(void *)sim_heap_first(&l->world);

	sim_heap_remove(&l->world, &e->item);
	e->happen(e->arg);
}

enum sim_step sim_loop_step(struct loop *l, int64_t until)
{
	int64_t world = due_of(sim_heap_first(&l->world)), turn = next_turn(l);
	int64_t next = world < turn ? world : turn;

	if (next > until) {
		l->now = l->now > until ? l->now : until;
		return SIM_NONE;
	}
	l->now = l->now > next ? l->now : next;
	if (world <= turn) {
		happen(l);
		return SIM_WORLD;
	}
	deliver_ready(l);
	run_timers(l);
	run_deferred(l);
	return SIM_TURN;
}

void sim_loop_stall(struct loop *l, int64_t duration)
{
	if (l->stalled_until < l->now + duration)
		l->stalled_until = l->now + duration;
}

void sim_loop_left(const struct loop *l, struct sim_left *left)
{
	*left = (struct sim_left){ .timers = l->n_timers,
				   .armed = l->timers.n,
				   .sources = l->n_sources };
	list_each(it, next, (struct list *)(uintptr_t)&l->deferred)
		left->deferred++;
}

int64_t sim_loop_next_timer(const struct loop *l)
{
	return due_of(sim_heap_first(&l->timers));
}
