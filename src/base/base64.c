/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Base64 for binary messages, keys and Basic credentials. Not constant in
 * time: nothing here is compared with a secret. Vector code (vec_base64.h) does
 * the bulk; what it leaves is done and judged here. The trap: the output of a
 * decode that failed is half written.
 */
#include "base/base64.h"

#include "base/cpu.h"
#include "base/vec_int.h"

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

/* The vector forms: how much of p they have done. */
typedef size_t run_fn(uint8_t *out, const uint8_t *p, size_t n);

static size_t run_portable(uint8_t *out, const uint8_t *p, size_t n)
{
	(void)out;
	(void)p;
	(void)n;
	return 0;
}

static run_fn *const encoders[CPU_LEVELS] = {
	[CPU_PORTABLE] = run_portable,
	[CPU_SSE2] = run_portable,
#if defined(__x86_64__)
	[CPU_SSSE3] = base64_encode_ssse3,
	[CPU_AVX2] = base64_encode_avx2,
#elif defined(__aarch64__) && defined(__ARM_NEON)
	[CPU_NEON] = base64_encode_neon,
#endif
};

static run_fn *const decoders[CPU_LEVELS] = {
	[CPU_PORTABLE] = run_portable,
	[CPU_SSE2] = run_portable,
#if defined(__x86_64__)
	[CPU_SSSE3] = base64_decode_ssse3,
	[CPU_AVX2] = base64_decode_avx2,
#elif defined(__aarch64__) && defined(__ARM_NEON)
	[CPU_NEON] = base64_decode_neon,
#endif
};

void base64_encode(char *out, struct span in)
{
	const uint8_t *p = in.p;
	size_t left = in.n, done;

	if (left >= VEC_LEAST) {
		done = encoders[cpu_level()]((uint8_t *)out, p, left);
		out += done / 3 * 4;
		p += done;
		left -= done;
	}
	for (; left >= 3; left -= 3, p += 3, out += 4)
		encode_group(out, (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2]);
	if (left == 0)
		return;
	encode_group(out, (uint32_t)p[0] << 16 | (left == 2 ? (uint32_t)p[1] << 8 : 0));
	out[3] = '=';
	if (left == 1)
		out[2] = '=';
}

/* The bits of a group of four letters, the last `spare` of which are taken as 0. */
static bool decode_group(const uint8_t *p, size_t spare, uint32_t *bits)
{
	/* What is not in the alphabet becomes a number far above 63. */
	uint32_t a = values[p[0]] - 1u, b = values[p[1]] - 1u;
	uint32_t c = spare > 1 ? 0 : values[p[2]] - 1u;
	uint32_t d = spare > 0 ? 0 : values[p[3]] - 1u;

	*bits = a << 18 | b << 12 | c << 6 | d;
	return (a | b | c | d) < 64;
}

bool base64_decode(uint8_t *out, size_t *n, struct span in)
{
	size_t at, pad = 0, done = 0;
	uint32_t bits;

	if (in.n % 4 != 0)
		return false;
	if (in.n > 0 && in.p[in.n - 1] == '=')
		pad = in.p[in.n - 2] == '=' ? 2 : 1;
	if (in.n >= 2 * VEC_LEAST) /* fewer letters are too few for a vector of bytes */
		done = decoders[cpu_level()](out, in.p, in.n);
	at = done / 4 * 3;
	for (size_t i = done; i < in.n; i += 4) {
		size_t spare = i + 4 == in.n ? pad : 0;

		if (!decode_group(in.p + i, spare, &bits))
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
