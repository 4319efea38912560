/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is a text ASCII alone? A first look at short texts, which costs less than the call of
 * utf8_valid; it speaks for itself only when it says yes. The vectors here are the compiler's own
 * and fit any machine.
 */
#ifndef WSB_BASE_ASCII_H
#define WSB_BASE_ASCII_H

#include "base/span.h"

#define ASCII_BLOCK 16
#define ASCII_MOST 256 /* for what is longer utf8_valid is the faster one */

typedef uint64_t ascii_block __attribute__((vector_size(ASCII_BLOCK)));

static inline ascii_block ascii_load(const uint8_t *p)
{
	ascii_block b;

	memcpy(&b, p, sizeof(b));
	return b;
}

/* False: there is another byte in it, or its length is not for this look. */
static inline bool ascii_is_short(struct span s)
{
	ascii_block all;

	if (s.n < ASCII_BLOCK || s.n > ASCII_MOST)
		return false;
	all = ascii_load(s.p + s.n - ASCII_BLOCK);
	for (size_t i = 0; i + ASCII_BLOCK < s.n; i += ASCII_BLOCK)
		all |= ascii_load(s.p + i);
	return ((all[0] | all[1]) & UINT64_C(0x8080808080808080)) == 0;
}

#endif
