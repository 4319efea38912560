/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A binary heap of things that have a time. Of two with the same time the one
 * that came first is first. It owns nothing but its array.
 */
#ifndef SIM_SIM_HEAP_H
#define SIM_SIM_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_item {
	int64_t due;
	uint64_t order;
	size_t at; /* in the heap, from 1; 0 = is in none */
};

struct sim_heap {
	struct sim_item **items; /* from 1 */
	size_t n, size;
	uint64_t order; /* given out so far */
};

void sim_heap_deinit(struct sim_heap *h);
struct sim_item *sim_heap_first(const struct sim_heap *h);		 /* NULL = empty */
void sim_heap_put(struct sim_heap *h, struct sim_item *it, int64_t due); /* anew if it is in */
void sim_heap_remove(struct sim_heap *h, struct sim_item *it);		 /* fine if it is not in */

#endif
