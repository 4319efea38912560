/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Masking while copying, so that a message is touched once on its way out.
 * Where keys come from is the caller's affair, and the bytes are moved by
 * base/xor.c: RFC 6455, 5.3 asks for nothing else.
 */
#include "ws/mask.h"

#include "base/xor.h"

void mask_copy(uint8_t *out, struct span in, const uint8_t key[4], uint64_t at)
{
	xor_copy(out, in, key, at);
}
