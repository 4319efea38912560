/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages whose senders want to know when the kernel has them: who, what they
 * call it, and how many bytes must have been written by then. Pings and Pongs
 * overtake data, so each kind has its own queue. Pure. Part of a lane, emptied
 * when its connection ends.
 */
#ifndef WSB_BRIDGE_RECEIPTS_H
#define WSB_BRIDGE_RECEIPTS_H

#include "base/list.h"
#include "base/span.h"

struct receipt {
	uint64_t client;
	struct span id; /* JSON */
	bool control;	/* of a Ping or Pong */
	uint64_t mark;	/* bytes of its kind */
};

struct receipts {
	struct list data, control;
	size_t n;
};

#define RECEIPTS_MAX 4096 /* with so many out, who adds to them waits */

void receipts_init(struct receipts *r);
void receipts_deinit(struct receipts *r);
bool receipts_add(struct receipts *r, const struct receipt *one); /* copies; false: no memory */

/* The oldest for which enough is written; with UINT64_MAX simply the oldest. NULL = none. */
const struct receipt *receipts_due(const struct receipts *r, uint64_t data, uint64_t control);
void receipts_pop(struct receipts *r, const struct receipt *one); /* one that receipts_due gave */

#endif
