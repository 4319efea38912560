/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The timers of a loop that are armed, by their time: a heap of pointers,
 * so that a timer that nobody has armed costs nothing but its own struct.
 * It knows no clock and calls nobody. Owned by the loop.
 */
#ifndef WSB_NET_TIMERS_H
#define WSB_NET_TIMERS_H

#include "net/loop.h"

struct timers {
	struct timer **heap; /* 1 ... n; each knows its slot */
	size_t n, size;
};

void timers_deinit(struct timers *ts);
struct timer *timers_first(const struct timers *ts);	/* NULL = none is armed */
void timers_put(struct timers *ts, struct timer *t);	/* by t->due; also one that is in already */
void timers_remove(struct timers *ts, struct timer *t); /* fine if it is not in */

#endif
