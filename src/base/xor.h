/* SPDX-License-Identifier: Apache-2.0 */
/* Copying and changing bytes on the way. */
#ifndef WSB_BASE_XOR_H
#define WSB_BASE_XOR_H

#include "base/span.h"

/*
 * Writes in.n bytes, each XORed with one of the four of key in turn, the first
 * with key[at % 4]. out may be in.p itself; otherwise the two must not overlap.
 */
void xor_copy(uint8_t *out, struct span in, const uint8_t key[4], uint64_t at);

#endif
