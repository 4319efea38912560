/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Input that ends at an unreadable page: a parser that reads one byte too many
 * dies at once. One input at a time; placing the next one overwrites it, which
 * shows pointers that were kept too long.
 */
#ifndef WSB_UNIT_SUPPORT_GUARD_H
#define WSB_UNIT_SUPPORT_GUARD_H

#include "base/span.h"

struct guard {
	uint8_t *map;
	size_t room;	 /* readable bytes */
	size_t used;	 /* of the input that is placed now */
	size_t map_size; /* and the unreadable page behind them */
};

void guard_init(struct guard *g, size_t most); /* most: bytes of the largest input */
void guard_deinit(struct guard *g);	       /* twice is fine */

/* A copy of s whose end is the end of the readable memory; valid until the next call. */
struct span guard_place(struct guard *g, struct span s);

#endif
