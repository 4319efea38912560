/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Base64 for binary messages, keys and Basic credentials. Not constant in
 * time: nothing here is compared with a secret. The trap: the output of a
 * decode that failed is half written.
 */
#include "base/base64.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Value + 1 by letter; 0 = not in the alphabet. */
static const uint8_t values[256] = {
	['A'] = 1,  ['B'] = 2,	['C'] = 3,  ['D'] = 4,	['E'] = 5,  ['F'] = 6,	['G'] = 7,
	['H'] = 8,  ['I'] = 9,	['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14,
	['O'] = 15, ['P'] = 16, ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21,
	['V'] = 22, ['W'] = 23, ['X'] = 24, ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28,
	['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32, ['g'] = 33, ['h'] = 34, ['i'] = 35,
	['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40, ['o'] = 41, ['p'] = 42,
	['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48, ['w'] = 49,
	['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
	['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63,
	['/'] = 64,
};

static void encode_group(char *out, uint32_t bits)
{
	out[0] = letters[bits >> 18 & 63];
	out[1] = letters[bits >> 12 & 63];
	out[2] = letters[bits >> 6 & 63];
	out[3] = letters[bits & 63];
}

void base64_encode(char *out, struct span in)
{
	const uint8_t *p = in.p;
	size_t left = in.n;

	for (; left >= 3; left -= 3, p += 3, out += 4)
		encode_group(out, (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2]);
	if (left == 0)
		return;
	encode_group(out, (uint32_t)p[0] << 16 | (left == 2 ? (uint32_t)p[1] << 8 : 0));
	out[3] = '=';
	if (left == 1)
		out[2] = '=';
}

/* The bits of the first n letters of a group of four, the others taken as 0. */
static bool decode_group(const uint8_t *p, size_t n, uint32_t *bits)
{
	uint32_t all = 0;

	for (size_t i = 0; i < 4; i++) {
		uint8_t value = i < n ? values[p[i]] : 1;

		if (value == 0)
			return false;
		all = all << 6 | (uint32_t)(value - 1);
	}
	*bits = all;
	return true;
}

bool base64_decode(uint8_t *out, size_t *n, struct span in)
{
	size_t at = 0, pad = 0;
	uint32_t bits;

	if (in.n % 4 != 0)
		return false;
	if (in.n > 0 && in.p[in.n - 1] == '=')
		pad = in.p[in.n - 2] == '=' ? 2 : 1;
	for (size_t i = 0; i < in.n; i += 4) {
		size_t spare = i + 4 == in.n ? pad : 0;

		if (!decode_group(in.p + i, 4 - spare, &bits))
			return false;
		if (spare > 0 && (bits & (spare == 1 ? 0xFFu : 0xFFFFu)) != 0)
			return false; /* RFC 4648, 3.5: one encoding for each value */
		out[at++] = (uint8_t)(bits >> 16);
		if (spare < 2)
			out[at++] = (uint8_t)(bits >> 8);
		if (spare < 1)
			out[at++] = (uint8_t)bits;
	}
	*n = at;
	return true;
}
