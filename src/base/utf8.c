/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UTF-8 by the ranges of RFC 3629, section 4. It validates and decodes
 * nothing. The state belongs to the caller. The trap: a lead byte narrows the
 * range of the byte behind it (no overlong forms, no surrogates, nothing above
 * U+10FFFF), so those are refused one byte before the character would end.
 */
#include "base/utf8.h"

#define HIGH_BITS UINT64_C(0x8080808080808080)

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

bool utf8_feed(struct utf8 *u, struct span s)
{
	const uint8_t *p = s.p, *end = s.n ? s.p + s.n : s.p;

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
