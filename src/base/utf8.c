/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UTF-8 by the ranges of RFC 3629, section 4. It validates and decodes
 * nothing; vector code (vec_utf8.h) may pass over what is good, and every verdict
 * is found here. The state belongs to the caller. The trap: a lead byte narrows the
 * range of the byte behind it (no overlong forms, no surrogates, nothing above
 * U+10FFFF), so those are refused one byte before the character would end.
 */
#include "base/utf8.h"

#include "base/cpu.h"
#include "base/vec_int.h"

#define HIGH_BITS UINT64_C(0x8080808080808080)
#define ASCII_FIRST 64 /* up to here two words at a time are as fast as a call for vectors */

/* By lead byte 0xC0...0xFF; want 0 = impossible (C0 and C1 would be overlong). */
static const struct utf8 leads[64] = {
	[0x02 ... 0x1F] = { 1, 0x80, 0xBF },
	[0x20] = { 2, 0xA0, 0xBF }, /* no overlong forms */
	[0x21 ... 0x2C] = { 2, 0x80, 0xBF },
	[0x2D] = { 2, 0x80, 0x9F }, /* no surrogates */
	[0x2E ... 0x2F] = { 2, 0x80, 0xBF },
	[0x30] = { 3, 0x90, 0xBF }, /* no overlong forms */
	[0x31 ... 0x33] = { 3, 0x80, 0xBF },
	[0x34] = { 3, 0x80, 0x8F }, /* nothing above U+10FFFF */
};

/* The first byte at or behind p that is not ASCII, or end. */
static const uint8_t *skip_ascii(const uint8_t *p, const uint8_t *end)
{
	uint64_t a, b;

	while (end - p >= 16) {
		memcpy(&a, p, sizeof(a));
		memcpy(&b, p + 8, sizeof(b));
		if ((a | b) & HIGH_BITS)
			break;
		p += 16;
	}
	if (end - p >= 8) {
		memcpy(&a, p, sizeof(a));
		if (!(a & HIGH_BITS))
			p += 8;
	}
	while (p < end && *p < 0x80)
		p++;
	return p;
}

static bool is_continuation(uint8_t byte)
{
	return (byte & 0xC0) == 0x80;
}

/* Bytes of the valid character beyond ASCII at p, 0 if there is none; p has 4 readable bytes. */
static size_t multi_len(const uint8_t *p)
{
	struct utf8 lead;

	if (p[0] < 0xC0)
		return 0;
	lead = leads[p[0] - 0xC0];
	if (lead.want == 0 || p[1] < lead.low || p[1] > lead.high)
		return 0;
	if (lead.want >= 2 && !is_continuation(p[2]))
		return 0;
	if (lead.want >= 3 && !is_continuation(p[3]))
		return 0;
	return (size_t)lead.want + 1;
}

static bool feed_byte(struct utf8 *u, uint8_t byte)
{
	if (u->want == 0) {
		if (byte < 0x80)
			return true;
		if (byte < 0xC0)
			return false;
		*u = leads[byte - 0xC0];
		return u->want > 0;
	}
	if (byte < u->low || byte > u->high)
		return false;
	u->want--;
	u->low = 0x80;
	u->high = 0xBF;
	return true;
}

/* From a boundary of characters or within one; the whole verdict. */
static bool feed_portable(struct utf8 *u, const uint8_t *p, const uint8_t *end)
{
	while (p < end) {
		if (u->want == 0) {
			size_t n;

			if (*p < 0x80)
				p = skip_ascii(p, end);
			while (end - p >= 4 && (n = multi_len(p)) > 0)
				p += n;
			if (p == end)
				break;
		}
		if (!feed_byte(u, *p++))
			return false;
	}
	return true;
}

static size_t good_portable(const uint8_t *p, size_t n)
{
	(void)p;
	(void)n;
	return 0;
}

typedef size_t good_fn(const uint8_t *p, size_t n);

static good_fn *const good[CPU_LEVELS] = {
	[CPU_PORTABLE] = good_portable,
	[CPU_SSE2] = good_portable,
#if defined(__x86_64__)
	[CPU_SSSE3] = utf8_good_ssse3,
	[CPU_AVX2] = utf8_good_avx2,
#elif defined(__aarch64__) && defined(__ARM_NEON)
	[CPU_NEON] = utf8_good_neon,
#endif
};

/* Bytes at the end of p that may be a character's beginning. */
static size_t open_len(const uint8_t *p, size_t n)
{
	for (size_t i = 1; i <= 3 && i <= n; i++) {
		if (p[n - i] >= 0xC0)
			return i;
		if (p[n - i] < 0x80)
			break;
	}
	return 0;
}

/* Bytes at p, a boundary, that are whole characters for sure: most of the good ones. */
static size_t skip_good(const uint8_t *p, size_t n)
{
	size_t skipped = good[cpu_level()](p, n);

	return skipped - open_len(p, skipped);
}

static bool is_ascii(const uint8_t *p, const uint8_t *end)
{
	return end - p <= ASCII_FIRST && skip_ascii(p, end) == end;
}

bool utf8_feed(struct utf8 *u, struct span s)
{
	const uint8_t *p = s.p, *end = s.n ? s.p + s.n : s.p;

	if (s.n < VEC_LEAST)
		return feed_portable(u, p, end);
	while (u->want > 0)
		if (!feed_byte(u, *p++))
			return false;
	if (is_ascii(p, end))
		return true;
	if (end - p >= VEC_LEAST)
		p += skip_good(p, (size_t)(end - p));
	return p == end || feed_portable(u, p, end);
}

bool utf8_complete(const struct utf8 *u)
{
	return u->want == 0;
}

bool utf8_valid(struct span s)
{
	struct utf8 u = { 0 };

	return utf8_feed(&u, s) && utf8_complete(&u);
}

size_t utf8_char_len(struct span s)
{
	struct utf8 u = { 0 };

	for (size_t i = 0; i < s.n && feed_byte(&u, s.p[i]); i++) {
		if (u.want == 0)
			return i + 1;
	}
	return 0;
}

size_t utf8_valid_len(struct span s)
{
	size_t at = s.n >= VEC_LEAST ? skip_good(s.p, s.n) : 0, n;

	while ((n = utf8_char_len(span_skip(s, at))) > 0)
		at += n;
	return at;
}
