/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One vector of bytes and the few things that the compiler's own operators (&,
 * ==, >>, each byte by itself) cannot say, under the same names for each kind
 * of processor. The bodies in vec_*.h are written with it once and compiled
 * once for each level: a file defines VEC_SSE2, VEC_SSSE3, VEC_AVX2 or VEC_NEON
 * and includes the bodies it wants. The trap: all of it must be inlined into
 * functions of the same level, hence VEC_FN.
 */
#ifndef WSB_BASE_VEC_H
#define WSB_BASE_VEC_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__) && defined(__ARM_NEON)
#include <arm_neon.h>
#endif

/* For whoever asks for no level, such as a header that is compiled alone. */
#if !defined(VEC_SSE2) && !defined(VEC_SSSE3) && !defined(VEC_AVX2) && !defined(VEC_NEON)
#if defined(__x86_64__)
#define VEC_SSSE3
#elif defined(__aarch64__) && defined(__ARM_NEON)
#define VEC_NEON
#endif
#endif

#if defined(VEC_AVX2)
#define VEC_BYTES 32
#define VEC_TARGET __attribute__((target("avx2,bmi,bmi2,pclmul")))
#define VEC_NAME(name) name##_avx2
#elif defined(VEC_SSSE3)
#define VEC_BYTES 16
#define VEC_TARGET __attribute__((target("ssse3")))
#define VEC_NAME(name) name##_ssse3
#elif defined(VEC_SSE2)
#define VEC_BYTES 16
#define VEC_TARGET
#define VEC_NAME(name) name##_sse2
#elif defined(VEC_NEON)
#define VEC_BYTES 16
#define VEC_TARGET
#define VEC_NAME(name) name##_neon
#endif

#ifdef VEC_BYTES
#define VEC_FN VEC_TARGET static inline __attribute__((always_inline))

typedef uint8_t vec __attribute__((vector_size(VEC_BYTES)));

VEC_FN vec vec_load(const uint8_t *p)
{
	vec v;

	memcpy(&v, p, sizeof(v));
	return v;
}

VEC_FN void vec_store(uint8_t *p, vec v)
{
	memcpy(p, &v, sizeof(v));
}

VEC_FN vec vec_words(uint32_t word)
{
	typedef uint32_t words __attribute__((vector_size(VEC_BYTES)));

	return (vec)((words){ 0 } + word);
}

#if defined(VEC_AVX2)
VEC_FN vec vec_all(uint8_t byte)
{
	return (vec)_mm256_set1_epi8((char)byte);
}

/* Sixteen bytes, in each half. */
VEC_FN vec vec_table(const uint8_t table[16])
{
	__m128i half;

	memcpy(&half, table, sizeof(half));
	return (vec)_mm256_broadcastsi128_si256(half);
}

/* By the low four bits of each byte; the others must be 0. */
VEC_FN vec vec_lookup(vec table, vec index)
{
	return (vec)_mm256_shuffle_epi8((__m256i)table, (__m256i)index);
}

/* One bit for each byte, its highest. */
VEC_FN uint32_t vec_tops(vec v)
{
	return (uint32_t)_mm256_movemask_epi8((__m256i)v);
}

/* v with 1, 2 and 3 zeros in front. */
VEC_FN void vec_behind_zeros(vec v, vec behind[3])
{
	__m256i low = _mm256_permute2x128_si256((__m256i)v, (__m256i)v, 0x08);

	behind[0] = (vec)_mm256_alignr_epi8((__m256i)v, low, 15);
	behind[1] = (vec)_mm256_alignr_epi8((__m256i)v, low, 14);
	behind[2] = (vec)_mm256_alignr_epi8((__m256i)v, low, 13);
}

#elif defined(VEC_SSSE3) || defined(VEC_SSE2)
VEC_FN vec vec_all(uint8_t byte)
{
	return (vec)_mm_set1_epi8((char)byte);
}

VEC_FN vec vec_table(const uint8_t table[16])
{
	return vec_load(table);
}

VEC_FN uint32_t vec_tops(vec v)
{
	return (uint32_t)_mm_movemask_epi8((__m128i)v);
}

VEC_FN void vec_behind_zeros(vec v, vec behind[3])
{
	behind[0] = (vec)_mm_slli_si128((__m128i)v, 1);
	behind[1] = (vec)_mm_slli_si128((__m128i)v, 2);
	behind[2] = (vec)_mm_slli_si128((__m128i)v, 3);
}

#if defined(VEC_SSSE3)
VEC_FN vec vec_lookup(vec table, vec index)
{
	return (vec)_mm_shuffle_epi8((__m128i)table, (__m128i)index);
}
#endif

#elif defined(VEC_NEON)
VEC_FN vec vec_all(uint8_t byte)
{
	return (vec)vdupq_n_u8(byte);
}

VEC_FN vec vec_table(const uint8_t table[16])
{
	return vec_load(table);
}

VEC_FN vec vec_lookup(vec table, vec index)
{
	return (vec)vqtbl1q_u8((uint8x16_t)table, (uint8x16_t)index);
}

VEC_FN void vec_behind_zeros(vec v, vec behind[3])
{
	uint8x16_t zero = vdupq_n_u8(0);

	behind[0] = (vec)vextq_u8(zero, (uint8x16_t)v, 15);
	behind[1] = (vec)vextq_u8(zero, (uint8x16_t)v, 14);
	behind[2] = (vec)vextq_u8(zero, (uint8x16_t)v, 13);
}
#endif

/* For both only the highest bit of each byte counts. */
#if defined(VEC_NEON)
VEC_FN bool vec_any(vec v)
{
	return vmaxvq_u8((uint8x16_t)v) >= 0x80;
}

/* One bit for each byte of four vectors, which are all ones or all zeros in each byte. */
VEC_FN uint64_t vec_bits(vec a, vec b, vec c, vec d)
{
	static const uint8_t each[16] = {
		1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128
	};
	uint8x16_t weights = vld1q_u8(each);
	uint8x16_t low = vpaddq_u8((uint8x16_t)a & weights, (uint8x16_t)b & weights);
	uint8x16_t high = vpaddq_u8((uint8x16_t)c & weights, (uint8x16_t)d & weights);
	uint8x16_t sums = vpaddq_u8(low, high);

	return vgetq_lane_u64((uint64x2_t)vpaddq_u8(sums, sums), 0);
}

VEC_FN unsigned vec_first(vec v)
{
	uint16x8_t wide = (uint16x8_t)vshrq_n_s8((int8x16_t)v, 7);
	uint64_t fours = (uint64_t)vget_lane_u64((uint64x1_t)vshrn_n_u16(wide, 4), 0);

	return (unsigned)__builtin_ctzll(fours) / 4;
}
#else
VEC_FN bool vec_any(vec v)
{
	return vec_tops(v) != 0;
}

VEC_FN unsigned vec_first(vec v)
{
	return (unsigned)__builtin_ctz(vec_tops(v));
}

#if defined(VEC_AVX2)
VEC_FN uint64_t vec_bits(vec a, vec b)
{
	return vec_tops(a) | (uint64_t)vec_tops(b) << 32;
}
#else
VEC_FN uint64_t vec_bits(vec a, vec b, vec c, vec d)
{
	return (vec_tops(a) | vec_tops(b) << 16) | (uint64_t)(vec_tops(c) | vec_tops(d) << 16)
							   << 32;
}
#endif
#endif
#endif

#endif
