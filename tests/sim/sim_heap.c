/* SPDX-License-Identifier: Apache-2.0 */
/* See sim_heap.h. */
#include "sim/sim_heap.h"

#include <stdlib.h>

#include "base/mem.h"

static bool is_before(const struct sim_item *a, const struct sim_item *b)
{
	return a->due < b->due || (a->due == b->due && a->order < b->order);
}

static void place(struct sim_heap *h, size_t at, struct sim_item *it)
{
	h->items[at] = it;
	it->at = at;
}

static void rise(struct sim_heap *h, struct sim_item *it)
{
	size_t at = it->at;

	for (; at > 1 && is_before(it, h->items[at / 2]); at /= 2)
		place(h, at, h->items[at / 2]);
	place(h, at, it);
}

static void sink(struct sim_heap *h, struct sim_item *it)
{
	size_t at = it->at;

	for (size_t down = at * 2; down <= h->n; at = down, down = at * 2) {
		if (down < h->n && is_before(h->items[down + 1], h->items[down]))
			down++;
		if (!is_before(h->items[down], it))
			break;
		place(h, at, h->items[down]);
	}
	place(h, at, it);
}

void sim_heap_deinit(struct sim_heap *h)
{
	free(h->items);
	*h = (struct sim_heap){ 0 };
}

struct sim_item *sim_heap_first(const struct sim_heap *h)
{
	return h->n ? h->items[1] : NULL;
}

void sim_heap_remove(struct sim_heap *h, struct sim_item *it)
{
	struct sim_item *last;
	size_t at = it->at;

	if (at == 0)
		return;
	it->at = 0;
	last = h->items[h->n--];
	if (last == it)
		return;
	place(h, at, last);
	rise(h, last);
	sink(h, last);
}

void sim_heap_put(struct sim_heap *h, struct sim_item *it, int64_t due)
{
	sim_heap_remove(h, it);
	if (h->n + 2 > h->size) {
		h->size = h->size ? h->size * 2 : 64;
		h->items = mem_grow(h->items, h->size, sizeof(struct sim_item *));
	}
	it->due = due;
	it->order = ++h->order;
	it->at = ++h->n;
	rise(h, it);
}
