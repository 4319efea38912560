/* SPDX-License-Identifier: Apache-2.0 */
/* Masking (RFC 6455, 5.3), which is also unmasking. */
#ifndef WSB_WS_MASK_H
#define WSB_WS_MASK_H

#include "base/span.h"

/*
 * Writes in.n masked bytes to out. `at` is the place of in's first byte in
 * the payload. out may be in.p itself; otherwise the two must not overlap.
 */
void mask_copy(uint8_t *out, struct span in, const uint8_t key[4], uint64_t at);

#endif
