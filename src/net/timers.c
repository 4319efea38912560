/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See timers.h: the usual binary heap. The trap: a timer lies inside of its
 * user's object, so it must have been removed before that goes.
 */
#include "net/timers.h"

#include <stdlib.h>

#include "base/mem.h"

#define SIZE_FIRST 64

void timers_deinit(struct timers *ts)
{
	free(ts->heap);
	*ts = (struct timers){ 0 };
}

struct timer *timers_first(const struct timers *ts)
{
	return ts->n > 0 ? ts->heap[1] : NULL;
}

static void place(struct timers *ts, size_t slot, struct timer *t)
{
	ts->heap[slot] = t;
	t->slot = slot;
}

/* Those above it that are later come down; returns where there is a place for t. */
static size_t rise(struct timers *ts, size_t slot, const struct timer *t)
{
	for (; slot > 1 && ts->heap[slot / 2]->due > t->due; slot /= 2)
		place(ts, slot, ts->heap[slot / 2]);
	return slot;
}

/* The same for those below it that are earlier. */
static size_t sink(struct timers *ts, size_t slot, const struct timer *t)
{
	for (size_t child; (child = 2 * slot) <= ts->n; slot = child) {
		if (child < ts->n && ts->heap[child + 1]->due < ts->heap[child]->due)
			child++;
		if (ts->heap[child]->due >= t->due)
			break;
		place(ts, slot, ts->heap[child]);
	}
	return slot;
}

static void settle(struct timers *ts, size_t slot, struct timer *t)
{
	slot = rise(ts, slot, t);
	place(ts, sink(ts, slot, t), t);
}

void timers_put(struct timers *ts, struct timer *t)
{
	if (t->slot == 0) {
		if (ts->n + 1 >= ts->size) {
			ts->size = ts->size ? 2 * ts->size : SIZE_FIRST;
			ts->heap = mem_grow(ts->heap, ts->size, sizeof(struct timer *));
		}
		t->slot = ++ts->n;
	}
	settle(ts, t->slot, t);
}

void timers_remove(struct timers *ts, struct timer *t)
{
	size_t slot = t->slot;
	struct timer *last;

	if (slot == 0)
		return;
	t->slot = 0;
	last = ts->heap[ts->n--];
	if (last != t)
		settle(ts, slot, last);
}
