/* SPDX-License-Identifier: Apache-2.0 */
/* xor_copy, four vectors at a time; the last one overlaps the one before it. */
#ifndef WSB_BASE_VEC_XOR_H
#define WSB_BASE_VEC_XOR_H

#include <stddef.h>

#include "base/vec.h"
#include "base/vec_int.h"

#if defined(VEC_BYTES) && !defined(VEC_SSSE3)
VEC_FN void xor_four(uint8_t *out, const uint8_t *p, vec key)
{
	vec a = vec_load(p), b = vec_load(p + VEC_BYTES);
	vec c = vec_load(p + 2 * VEC_BYTES), d = vec_load(p + 3 * VEC_BYTES);

	vec_store(out, a ^ key);
	vec_store(out + VEC_BYTES, b ^ key);
	vec_store(out + 2 * VEC_BYTES, c ^ key);
	vec_store(out + 3 * VEC_BYTES, d ^ key);
}

VEC_TARGET void VEC_NAME(xor_copy)(uint8_t *out, const uint8_t *p, size_t n, const uint32_t keys[2])
{
	vec key = vec_words(keys[0]), last = vec_load(p + n - VEC_BYTES) ^ vec_words(keys[1]);
	size_t at = 0;

	for (; n - at >= 4 * VEC_BYTES; at += 4 * VEC_BYTES)
		xor_four(out + at, p + at, key);
	for (; n - at > VEC_BYTES; at += VEC_BYTES)
		vec_store(out + at, vec_load(p + at) ^ key);
	vec_store(out + n - VEC_BYTES, last);
}
#endif

#endif
