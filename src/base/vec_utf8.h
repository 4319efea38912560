/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UTF-8 by table lookups, after John Keiser and Daniel Lemire, "Validating
 * UTF-8 In Less Than One Instruction Per Byte" (2021). A byte and the one in
 * front of it are looked up by three half bytes; the bits that all three
 * answers share are what is wrong with the pair. Whether a third or fourth byte
 * is due, the bytes two and three places in front tell.
 *
 * The bytes in front are loaded from memory, not shifted in, so a block that
 * overlaps the one before it costs nothing extra and no state is carried. The
 * trap: the first block of a text has nothing in front that may be read.
 */
#ifndef WSB_BASE_VEC_UTF8_H
#define WSB_BASE_VEC_UTF8_H

#include <stddef.h>

#include "base/vec.h"
#include "base/vec_int.h"

#ifdef VEC_BYTES
#define VEC_UTF8_STEP 64 /* bytes whose errors are asked for once */

/* 0 where nothing is wrong. `before`: the same bytes, moved by 1, 2 and 3 places. */
VEC_FN vec utf8_faults(vec v, const vec before[3])
{
	vec half = vec_all(0x0F);
	vec pair = vec_lookup(vec_table(vec_utf8_first_high), before[0] >> 4) &
		   vec_lookup(vec_table(vec_utf8_first_low), before[0] & half) &
		   vec_lookup(vec_table(vec_utf8_second_high), v >> 4);
	vec due = (vec)((before[1] >= vec_all(0xE0)) | (before[2] >= vec_all(0xF0)));

	return pair ^ (due & vec_all(VEC_UTF8_TWO));
}

VEC_FN vec utf8_faults_at(const uint8_t *p)
{
	vec before[3] = { vec_load(p - 1), vec_load(p - 2), vec_load(p - 3) };

	return utf8_faults(vec_load(p), before);
}

VEC_FN bool utf8_is_clean(vec faults)
{
	return !vec_any((vec)(faults != vec_all(0)));
}

/* The first block of all. */
VEC_FN bool utf8_first_is_good(const uint8_t *p)
{
	vec v = vec_load(p), before[3];

	if (!vec_any(v))
		return true;
	vec_behind_zeros(v, before);
	return utf8_is_clean(utf8_faults(v, before));
}

VEC_FN bool utf8_block_is_good(const uint8_t *p)
{
	return (p[-1] < 0x80 && !vec_any(vec_load(p))) || utf8_is_clean(utf8_faults_at(p));
}

VEC_FN bool utf8_step_is_good(const uint8_t *p)
{
	vec seen = vec_load(p), faults;

	for (size_t i = VEC_BYTES; i < VEC_UTF8_STEP; i += VEC_BYTES)
		seen |= vec_load(p + i);
	if (p[-1] < 0x80 && !vec_any(seen)) /* behind an unfinished character ASCII is a fault */
		return true;
	faults = utf8_faults_at(p);
	for (size_t i = VEC_BYTES; i < VEC_UTF8_STEP; i += VEC_BYTES)
		faults |= utf8_faults_at(p + i);
	return utf8_is_clean(faults);
}

VEC_TARGET size_t VEC_NAME(utf8_good)(const uint8_t *p, size_t n)
{
	size_t at = VEC_BYTES;

#if defined(VEC_AVX2)
	if (n < VEC_BYTES)
		return utf8_good_ssse3(p, n);
#endif
	if (!utf8_first_is_good(p))
		return 0;
	for (; n - at >= VEC_UTF8_STEP; at += VEC_UTF8_STEP)
		if (!utf8_step_is_good(p + at))
			return at;
	for (; n - at >= VEC_BYTES; at += VEC_BYTES)
		if (!utf8_block_is_good(p + at))
			return at;
	if (n - VEC_BYTES < 3 || (at < n && !utf8_block_is_good(p + n - VEC_BYTES)))
		return at;
	return n;
}
#endif

#endif
