/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See dial.h: the long-lived object behind all dials, and the two queues in
 * front of them. Whose turn it is decides the order of asking, nothing else.
 * Its trap: whoever is served may ask again at once, or leave, or free itself,
 * so a node is off its list before its owner is called, and the list is looked
 * at afresh after it.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "net/dialer_int.h"
#include "net/tls_cache.h"
#include "net/tls_memory.h"

#define TURNS_MAX 64 /* in one turn of the loop */

static void arm_turns(struct dialer *d)
{
	if (list_empty(&d->turns))
		timer_disarm(&d->turn_due);
	else
		timer_arm(&d->turn_due, bucket_wait(&d->dials, loop_now(d->loop)));
}

static size_t count_turns(const struct dialer *d, size_t most)
{
	size_t n = 0;

	for (const struct list *at = d->turns.next; at != &d->turns && n < most; at = at->next)
		n++;
	return n;
}

static void on_turn_due(void *arg)
{
	struct dialer *d = arg;

	/*
	 * Who asks while others are served comes in the next turn of the loop; and the first of
	 * very many may be through by then, so that what they needed for it is there again.
	 */
	for (size_t n = count_turns(d, TURNS_MAX); n > 0 && !list_empty(&d->turns); n--) {
		struct dialer_turn *t = list_entry(d->turns.next, struct dialer_turn, node);

		if (!bucket_take(&d->dials, loop_now(d->loop)))
			break;
		dialer_leave(t);
		t->go(t->arg);
	}
	arm_turns(d);
}

void dialer_wait_turn(struct dialer *d, struct dialer_turn *t, void (*go)(void *arg), void *arg)
{
	dialer_leave(t);
	*t = (struct dialer_turn){ .dialer = d, .go = go, .arg = arg };
	list_append(&d->turns, &t->node);
	if (!timer_is_armed(&d->turn_due))
		arm_turns(d);
}

void dialer_leave(struct dialer_turn *t)
{
	if (!t->dialer)
		return;
	list_remove(&t->node);
	t->dialer = NULL;
}

static bool has_place(const struct dialer *d)
{
	return d->tls_most == 0 || d->tls_busy < d->tls_most;
}

static void take_place(struct dialer_tls *t)
{
	t->state = DIALER_TLS_BUSY;
	t->dialer->tls_busy++;
	timer_arm(&t->hold, DIALER_TLS_HOLD);
}

static void on_tls_freed(void *arg)
{
	struct dialer *d = arg;

	while (!list_empty(&d->tls_waiting) && has_place(d)) {
		struct dialer_tls *t = list_entry(d->tls_waiting.next, struct dialer_tls, node);

		list_remove(&t->node);
		take_place(t);
		t->go(t->arg);
	}
}

/* The handshake goes on without a place: what is left of it is waiting for the server. */
static void on_hold_over(void *arg)
{
	dialer_tls_leave(arg);
}

void dialer_tls_init(struct dialer_tls *t, struct dialer *d, void (*go)(void *arg), void *arg)
{
	*t = (struct dialer_tls){ .dialer = d, .go = go, .arg = arg };
	list_init(&t->node);
	timer_init(&t->hold, d->loop, on_hold_over, t);
}

void dialer_tls_deinit(struct dialer_tls *t)
{
	dialer_tls_leave(t);
	timer_deinit(&t->hold);
}

bool dialer_tls_enter(struct dialer_tls *t)
{
	struct dialer *d = t->dialer;

	assert(t->state == DIALER_TLS_IDLE);
	if (list_empty(&d->tls_waiting) && has_place(d)) {
		take_place(t);
		return true;
	}
	t->state = DIALER_TLS_WAITS;
	list_append(&d->tls_waiting, &t->node);
	return false;
}

void dialer_tls_leave(struct dialer_tls *t)
{
	switch (t->state) {
	case DIALER_TLS_IDLE:
		return;
	case DIALER_TLS_WAITS:
		list_remove(&t->node);
		break;
	case DIALER_TLS_BUSY:
		timer_disarm(&t->hold);
		t->dialer->tls_busy--;
		loop_defer(t->dialer->loop, &t->dialer->tls_freed);
		break;
	}
	t->state = DIALER_TLS_IDLE;
}

void dialer_set_limits(struct dialer *d, int64_t dials_per_second, int64_t tls_handshakes)
{
	double rate = (double)dials_per_second, burst = rate / 4;

	/* In no tenth of a second more than are allowed in a whole one, also after a pause. */
	bucket_change(&d->dials, rate, burst < 1 ? 1 : burst, loop_now(d->loop));
	d->tls_most = tls_handshakes;
	arm_turns(d);
	loop_defer(d->loop, &d->tls_freed);
}

struct dialer *dialer_new(struct loop *l)
{
	struct dialer *d = mem_zalloc(sizeof(*d));

	tls_memory_init();
	d->loop = l;
	d->resolver = resolver_new(l);
	d->tls_cache = tls_cache_new();
	list_init(&d->turns);
	list_init(&d->tls_waiting);
	timer_init(&d->turn_due, l, on_turn_due, d);
	deferred_init(&d->tls_freed, on_tls_freed, d);
	return d;
}

void dialer_free(struct dialer *d)
{
	if (!d)
		return;
	assert(list_empty(&d->turns) && list_empty(&d->tls_waiting) && d->tls_busy == 0);
	timer_deinit(&d->turn_due);
	deferred_cancel(&d->tls_freed);
	resolver_free(d->resolver);
	tls_cache_free(d->tls_cache);
	free(d);
}

struct tls_cache *dialer_tls_cache(struct dialer *d)
{
	return d->tls_cache;
}
