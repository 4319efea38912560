/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one client of the json framing was given, against what was sent to it:
 * messages and gaps must be all numbers from the first one on, in order, each
 * once. Anything else fails the test.
 */
#ifndef WSB_UNIT_ENDPOINT_ACCOUNT_H
#define WSB_UNIT_ENDPOINT_ACCOUNT_H

#include <stddef.h>
#include <stdint.h>

struct account {
	uint64_t next; /* the number that must come; 0 = any */
	uint64_t received, gaps, dropped, events;
	char line[24000]; /* the unfinished record */
	size_t n;
};

void account_feed(struct account *a, const void *bytes, size_t n);

#endif
