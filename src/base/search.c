/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The searches of search.h: their portable twins, eight bytes at a time, and
 * the choice of the vector form. They own nothing. The trap: a big-endian
 * machine finds the first byte on the other side, so there it is asked for one
 * by one.
 */
#include "base/search.h"

#include "base/cpu.h"
#include "base/vec_int.h"

const uint8_t *search_json_portable(const uint8_t *p, const uint8_t *end)
{
	uint64_t eight, found;

	for (; end - p >= 8; p += 8) {
		memcpy(&eight, p, sizeof(eight));
		found = search_json_bits(eight);
		if (found) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
			return p + (__builtin_ctzll(found) >> 3);
#else
			break;
#endif
		}
	}
	while (p < end && !search_is_json(*p))
		p++;
	return p;
}

typedef const uint8_t *search_fn(const uint8_t *p, const uint8_t *end);

static search_fn *const json[CPU_LEVELS] = {
	[CPU_PORTABLE] = search_json_portable,
#if defined(__x86_64__)
	[CPU_SSE2] = search_json_sse2,
	[CPU_SSSE3] = search_json_sse2,
	[CPU_AVX2] = search_json_avx2,
#elif defined(__aarch64__) && defined(__ARM_NEON)
	[CPU_NEON] = search_json_neon,
#endif
};

const uint8_t *search_json_long(const uint8_t *p, const uint8_t *end)
{
	return end - p >= VEC_LEAST ? json[cpu_level()](p, end) : search_json_portable(p, end);
}
