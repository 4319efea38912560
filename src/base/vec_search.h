/* SPDX-License-Identifier: Apache-2.0 */
/* search_json, a vector at a time; the last one overlaps the one before it. */
#ifndef WSB_BASE_VEC_SEARCH_H
#define WSB_BASE_VEC_SEARCH_H

#include <stddef.h>

#include "base/vec.h"
#include "base/vec_int.h"

#if defined(VEC_BYTES) && !defined(VEC_SSSE3)
VEC_FN vec search_json_hits(const uint8_t *p)
{
	vec v = vec_load(p);

	return (vec)((v < vec_all(0x20)) | (v == vec_all('"')) | (v == vec_all('\\')));
}

VEC_TARGET const uint8_t *VEC_NAME(search_json)(const uint8_t *p, const uint8_t *end)
{
	vec hits;

#if defined(VEC_AVX2)
	if (end - p < VEC_BYTES)
		return search_json_sse2(p, end);
#endif
	for (; end - p >= VEC_BYTES; p += VEC_BYTES) {
		hits = search_json_hits(p);
		if (vec_any(hits))
			return p + vec_first(hits);
	}
	if (p == end)
		return end;
	p = end - VEC_BYTES;
	hits = search_json_hits(p);
	return vec_any(hits) ? p + vec_first(hits) : end;
}
#endif

#endif
