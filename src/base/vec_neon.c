/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vector routines for arm64; nothing on other processors. Base64 is here
 * itself: arm64 has loads and stores that part every third or fourth byte, and
 * lookups in 64 bytes.
 */
#include "base/cpu.h"

#if defined(__aarch64__) && defined(__ARM_NEON)
#define VEC_NEON
#include "base/vec_json.h"
#include "base/vec_search.h"
#include "base/vec_utf8.h"
#include "base/vec_xor.h"

static const uint8_t letters[65] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64_encode_neon(uint8_t *out, const uint8_t *p, size_t n)
{
	uint8x16x4_t table = vld1q_u8_x4(letters), four;
	uint8x16_t six = vdupq_n_u8(0x3F);
	size_t at = 0;

	for (; n - at >= 48; at += 48, out += 64) {
		uint8x16x3_t three = vld3q_u8(p + at);

		four.val[0] = vshrq_n_u8(three.val[0], 2);
		four.val[1] = vandq_u8(vsliq_n_u8(vshrq_n_u8(three.val[1], 4), three.val[0], 4),
				       six);
		four.val[2] = vandq_u8(vsliq_n_u8(vshrq_n_u8(three.val[2], 6), three.val[1], 2),
				       six);
		four.val[3] = vandq_u8(three.val[2], six);
		for (unsigned i = 0; i < 4; i++)
			four.val[i] = vqtbl4q_u8(table, four.val[i]);
		vst4q_u8(out, four);
	}
	return at;
}

/* 62 for '+', 63 for '/' and so on, + 1; 0 is not in the alphabet. Letters below and above 64. */
static const uint8_t low_values[64] = {
	['+'] = 63, ['/'] = 64, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
	['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62,
};
static const uint8_t high_values[64] = {
	0,  1,	2,  3,	4,  5,	6,  7,	8,  9,	10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
	22, 23, 24, 25, 26, 0,	0,  0,	0,  0,	0,  27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37,
	38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 0,	0,  0,	0,  0,
};

/* Letters → numbers + 1. An index beyond a table gives 0. */
static inline uint8x16_t values_of(uint8x16_t v, uint8x16x4_t low, uint8x16x4_t high)
{
	return vorrq_u8(vqtbl4q_u8(low, v), vqtbl4q_u8(high, vsubq_u8(v, vdupq_n_u8(64))));
}

size_t base64_decode_neon(uint8_t *out, const uint8_t *p, size_t n)
{
	uint8x16x4_t low = vld1q_u8_x4(low_values), high = vld1q_u8_x4(high_values), four;
	uint8x16_t one = vdupq_n_u8(1), least;
	uint8x16x3_t three;
	size_t at = 0;

	for (; n - at >= 64; at += 64, out += 48) {
		four = vld4q_u8(p + at);
		for (unsigned i = 0; i < 4; i++)
			four.val[i] = values_of(four.val[i], low, high);
		least = vminq_u8(vminq_u8(four.val[0], four.val[1]),
				 vminq_u8(four.val[2], four.val[3]));
		if (vminvq_u8(least) == 0)
			break;
		for (unsigned i = 0; i < 4; i++)
			four.val[i] = vsubq_u8(four.val[i], one);
		three.val[0] = vsliq_n_u8(vshrq_n_u8(four.val[1], 4), four.val[0], 2);
		three.val[1] = vsliq_n_u8(vshrq_n_u8(four.val[2], 2), four.val[1], 4);
		three.val[2] = vsliq_n_u8(four.val[3], four.val[2], 6);
		vst3q_u8(out, three);
	}
	return at;
}
#endif
