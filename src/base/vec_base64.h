/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Base64 on x86-64 by table lookups, after Wojciech Mula and Daniel Lemire,
 * "Faster Base64 Encoding and Decoding Using AVX2 Instructions" (2018). arm64
 * does it in another way: vec_neon.c. The trap: whole vectors are read and
 * written, so both stop where what is left might not have room for one.
 */
#ifndef WSB_BASE_VEC_BASE64_H
#define WSB_BASE_VEC_BASE64_H

#include <stddef.h>

#include "base/vec.h"
#include "base/vec_int.h"

#if defined(VEC_AVX2) || defined(VEC_SSSE3)
#define VEC_PLAIN (VEC_BYTES / 4 * 3) /* bytes that a vector of letters stands for */

#if defined(VEC_AVX2)
#define VEC_OP(name) _mm256_##name
typedef __m256i vec_int;
#else
#define VEC_OP(name) _mm_##name
typedef __m128i vec_int;
#endif

/* Twelve bytes into each half, and four more that nobody looks at. */
VEC_FN vec base64_load(const uint8_t *p)
{
#if defined(VEC_AVX2)
	__m128i low, high;

	memcpy(&low, p, sizeof(low));
	memcpy(&high, p + 12, sizeof(high));
	return (vec)_mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
#else
	return vec_load(p);
#endif
}

/* Groups of three bytes → four numbers of six bits; multiplying moves them to their places. */
VEC_FN vec base64_split(vec v)
{
	vec groups = vec_lookup(v, vec_table(vec_base64_spread));
	vec_int down = VEC_OP(mulhi_epu16)((vec_int)(groups & vec_words(0x0FC0FC00)),
					   (vec_int)vec_words(0x04000040));
	vec_int up = VEC_OP(mullo_epi16)((vec_int)(groups & vec_words(0x003F03F0)),
					 (vec_int)vec_words(0x01000010));

	return (vec)down | (vec)up;
}

/* What is to be added to a number lies by its range: 26...51, 52...61, 62, 63, 0...25. */
VEC_FN vec base64_letters(vec numbers)
{
	vec range = (vec)VEC_OP(subs_epu8)((vec_int)numbers, (vec_int)vec_all(51));

	range |= (vec)(numbers < vec_all(26)) & vec_all(13);
	return numbers + vec_lookup(vec_table(vec_base64_to_letter), range);
}

VEC_TARGET size_t VEC_NAME(base64_encode)(uint8_t *out, const uint8_t *p, size_t n)
{
	size_t at = 0;

	for (; n - at >= VEC_PLAIN + 4; at += VEC_PLAIN, out += VEC_BYTES)
		vec_store(out, base64_letters(base64_split(base64_load(p + at))));
#if defined(VEC_AVX2)
	at += base64_encode_ssse3(out, p + at, n - at);
#endif
	return at;
}

/* Letters → numbers. A letter is in the alphabet if the answers for its halves share no bit. */
VEC_FN bool base64_numbers(vec letters, vec *numbers)
{
	vec row = letters >> 4;
	vec bad = vec_lookup(vec_table(vec_base64_rows), row) &
		  vec_lookup(vec_table(vec_base64_gaps), letters & vec_all(0x0F));

	row += (vec)(letters == vec_all('/'));
	*numbers = letters + vec_lookup(vec_table(vec_base64_to_number), row);
	return !vec_any((vec)(bad != vec_all(0)));
}

/* Four numbers of six bits → three bytes, which lie together at the front. */
VEC_FN vec base64_join(vec numbers)
{
	vec_int pairs = VEC_OP(maddubs_epi16)((vec_int)numbers, (vec_int)vec_words(0x01400140));
	vec_int groups = VEC_OP(madd_epi16)(pairs, (vec_int)vec_words(0x00011000));
	vec joined = vec_lookup((vec)groups, vec_table(vec_base64_gather));

#if defined(VEC_AVX2)
	joined = (vec)_mm256_permutevar8x32_epi32((vec_int)joined,
						  _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7));
#endif
	return joined;
}

VEC_TARGET size_t VEC_NAME(base64_decode)(uint8_t *out, const uint8_t *p, size_t n)
{
	size_t at = 0;
	vec numbers;

	/* Three quarters of a vector are due, a whole one is written. */
	for (; n - at >= (VEC_BYTES + 2) / 3 * 4; at += VEC_BYTES, out += VEC_PLAIN) {
		if (!base64_numbers(vec_load(p + at), &numbers))
			return at;
		vec_store(out, base64_join(numbers));
	}
#if defined(VEC_AVX2)
	at += base64_decode_ssse3(out, p + at, n - at);
#endif
	return at;
}
#endif

#endif
