/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copying with XOR, in plain C for short runs and as the twin of the vector
 * form (vec_xor.h). It owns nothing. What is left at the end is done by a piece
 * that overlaps the one before it. The trap: in and out may be the same bytes,
 * so such a piece is read before the one before it is written.
 */
#include "base/xor.h"

#include "base/cpu.h"
#include "base/vec_int.h"

/* The key as one number in memory order, from a later byte on. */
static uint32_t turn(uint32_t key, uint64_t by)
{
	unsigned bits = (unsigned)(by & 3) * 8;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return key >> bits | key << (-bits & 31);
#else
	return key << bits | key >> (-bits & 31);
#endif
}

static uint64_t twice(uint32_t key)
{
	return (uint64_t)key << 32 | key;
}

static uint64_t load(const uint8_t *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

static void store(uint8_t *p, uint64_t word)
{
	memcpy(p, &word, sizeof(word));
}

/* 16...31 bytes */
static void copy_four_words(uint8_t *out, const uint8_t *p, size_t n, uint32_t key)
{
	uint64_t head = twice(key), tail = twice(turn(key, n));
	uint64_t a = load(p), b = load(p + 8), c = load(p + n - 16), d = load(p + n - 8);

	store(out, a ^ head);
	store(out + 8, b ^ head);
	store(out + n - 16, c ^ tail);
	store(out + n - 8, d ^ tail);
}

/* 8...15 bytes */
static void copy_two_words(uint8_t *out, const uint8_t *p, size_t n, uint32_t key)
{
	uint64_t a = load(p), b = load(p + n - 8);

	store(out, a ^ twice(key));
	store(out + n - 8, b ^ twice(turn(key, n)));
}

/* 0...7 bytes */
static void copy_bytes(uint8_t *out, const uint8_t *p, size_t n, uint32_t key)
{
	uint8_t bytes[4];
	uint32_t word;

	if (n >= 4) {
		memcpy(&word, p, sizeof(word));
		word ^= key;
		memcpy(out, &word, sizeof(word));
		out += 4;
		p += 4;
		n -= 4;
	}
	memcpy(bytes, &key, sizeof(bytes));
	for (size_t i = 0; i < n; i++)
		out[i] = p[i] ^ bytes[i];
}

/* keys: for the first byte on, and for the end's overlapping piece. */
static void copy_portable(uint8_t *out, const uint8_t *p, size_t n, const uint32_t keys[2])
{
	uint64_t head = twice(keys[0]), last = load(p + n - 8) ^ twice(keys[1]);
	size_t at = 0;

	for (; n - at >= 8; at += 8)
		store(out + at, load(p + at) ^ head);
	store(out + n - 8, last);
}

typedef void copy_fn(uint8_t *out, const uint8_t *p, size_t n, const uint32_t keys[2]);

static copy_fn *const copy_long[CPU_LEVELS] = {
	[CPU_PORTABLE] = copy_portable,
#if defined(__x86_64__)
	[CPU_SSE2] = xor_copy_sse2,
	[CPU_SSSE3] = xor_copy_sse2,
	[CPU_AVX2] = xor_copy_avx2,
#elif defined(__aarch64__) && defined(__ARM_NEON)
	[CPU_NEON] = xor_copy_neon,
#endif
};

void xor_copy(uint8_t *out, struct span in, const uint8_t key[4], uint64_t at)
{
	uint32_t keys[2];

	memcpy(keys, key, sizeof(keys[0]));
	keys[0] = turn(keys[0], at);
	if (in.n >= VEC_MOST) {
		keys[1] = turn(keys[0], in.n);
		copy_long[cpu_level()](out, in.p, in.n, keys);
	} else if (in.n >= 16) {
		copy_four_words(out, in.p, in.n, keys[0]);
	} else if (in.n >= 8) {
		copy_two_words(out, in.p, in.n, keys[0]);
	} else {
		copy_bytes(out, in.p, in.n, keys[0]);
	}
}
