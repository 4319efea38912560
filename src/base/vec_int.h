/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vector forms of routines whose portable twins are in utf8.c, search.c and
 * base64.c. None of them judges: each says how far it got without doubt, and
 * the twin goes on from there. So what is refused, and where, is decided in one
 * place.
 */
#ifndef WSB_BASE_VEC_INT_H
#define WSB_BASE_VEC_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The least that these may be given, AVX2 too; where it is a vector of any kind: VEC_MOST. */
#define VEC_LEAST 16
#define VEC_MOST 32

/*
 * p is at a boundary of characters. Returns how many of the bytes are none of
 * them impossible; the last character may be unfinished, and its lead byte
 * alone has not been judged. At least the first impossible byte's block is
 * left, at most 63 good bytes.
 */
size_t utf8_good_ssse3(const uint8_t *p, size_t n);
size_t utf8_good_avx2(const uint8_t *p, size_t n);
size_t utf8_good_neon(const uint8_t *p, size_t n);

/* As search_json. */
const uint8_t *search_json_sse2(const uint8_t *p, const uint8_t *end);
const uint8_t *search_json_avx2(const uint8_t *p, const uint8_t *end);
const uint8_t *search_json_neon(const uint8_t *p, const uint8_t *end);

/* The whole text from p on, which begins with a bracket (json_index.h). */
struct json_index;
bool json_blocks_sse2(struct json_index *x, const uint8_t *p);
bool json_blocks_avx2(struct json_index *x, const uint8_t *p);
bool json_blocks_neon(struct json_index *x, const uint8_t *p);

/* Returns the bytes that are done, a multiple of 3: four letters stand in `out` for each. */
size_t base64_encode_ssse3(uint8_t *out, const uint8_t *p, size_t n);
size_t base64_encode_avx2(uint8_t *out, const uint8_t *p, size_t n);
size_t base64_encode_neon(uint8_t *out, const uint8_t *p, size_t n);

/* Returns the letters that are done, a multiple of 4: three bytes stand in `out` for each. */
size_t base64_decode_ssse3(uint8_t *out, const uint8_t *p, size_t n);
size_t base64_decode_avx2(uint8_t *out, const uint8_t *p, size_t n);
size_t base64_decode_neon(uint8_t *out, const uint8_t *p, size_t n);

/* As xor_copy, VEC_MOST bytes at least; the keys of the first byte and of the last four. */
void xor_copy_sse2(uint8_t *out, const uint8_t *p, size_t n, const uint32_t keys[2]);
void xor_copy_avx2(uint8_t *out, const uint8_t *p, size_t n, const uint32_t keys[2]);
void xor_copy_neon(uint8_t *out, const uint8_t *p, size_t n, const uint32_t keys[2]);

/* vec_tables.c: what bodies look up; UTF-8 by half bytes of a byte and of the one behind it. */
#define VEC_UTF8_TWO 0x80 /* two continuations: good if the bytes in front ask for them */
extern const uint8_t vec_utf8_first_high[16], vec_utf8_first_low[16], vec_utf8_second_high[16];

/* Each one many times, for vec_json.h. */
struct vec_json_bytes {
	uint8_t quote[VEC_MOST], slash[VEC_MOST], open[VEC_MOST], close[VEC_MOST];
	uint8_t comma[VEC_MOST], colon[VEC_MOST], space[VEC_MOST], tab[VEC_MOST];
	uint8_t newline[VEC_MOST], carriage_return[VEC_MOST];
	uint8_t zero[VEC_MOST], minus[VEC_MOST], dot[VEC_MOST];
};
extern const struct vec_json_bytes vec_json_bytes;

/* Base64: where bytes go; what to add to a number by its range, to a letter by its row. */
extern const uint8_t vec_base64_spread[16], vec_base64_gather[16];
extern const uint8_t vec_base64_to_letter[16], vec_base64_to_number[16];

/* By the high and the low half of a letter; both have a bit in common: it is none of Base64. */
extern const uint8_t vec_base64_rows[16], vec_base64_gaps[16];

#endif
