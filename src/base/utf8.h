/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Incremental UTF-8 validation (RFC 3629) that fails at the first impossible
 * byte, whatever the splits. What is long is checked with the vectors that the
 * machine has (cpu.h).
 */
#ifndef WSB_BASE_UTF8_H
#define WSB_BASE_UTF8_H

#include "base/span.h"

/* Zero-initialised = at a character boundary. */
struct utf8 {
	uint8_t want;	   /* continuation bytes still to come */
	uint8_t low, high; /* range of the next one */
};

bool utf8_feed(struct utf8 *u, struct span s); /* false: an impossible byte; u is useless then */
bool utf8_complete(const struct utf8 *u);      /* no character is unfinished */
bool utf8_valid(struct span s);		       /* a whole text in one call */

/* Bytes of the character that s begins with, 1...4; 0: no whole, valid one (or s is empty). */
size_t utf8_char_len(struct span s);

/* Bytes in front of the first that belongs to no whole, valid character. */
size_t utf8_valid_len(struct span s);

#endif
