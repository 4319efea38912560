/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Escaping for people's eyes. Not for JSON, whose escapes are others. Owns
 * nothing. The trap: one character may turn into twelve bytes, so the cut
 * is looked for in the output, behind the last unit that leaves room for "...".
 */
#include "base/escape.h"

#include <assert.h>

#include "base/utf8.h"

static const char hex[] = "0123456789abcdef";

/* Characters beyond ASCII that steer a terminal or reorder what stands around them. */
static bool is_unsafe(const uint8_t *p, size_t n)
{
	if (n == 2)
		return p[0] == 0xC2 && p[1] < 0xA0; /* U+0080...U+009F */
	if (n != 3 || p[0] != 0xE2)
		return false;
	if (p[1] == 0x80)
		return p[2] >= 0xA8 && p[2] <= 0xAE;	     /* U+2028...U+202E */
	return p[1] == 0x81 && p[2] >= 0xA6 && p[2] <= 0xA9; /* U+2066...U+2069 */
}

/* Writes the next unit of *s (at most 12 bytes) and takes it off; returns its length. */
static size_t escape_unit(char *unit, struct span *s, bool backslash)
{
	size_t n = utf8_char_len(*s), used = n ? n : 1, len = 0;
	uint8_t first = s->p[0];

	if (n == 1 && first == '\\' && backslash) {
		unit[len++] = '\\';
		unit[len++] = '\\';
	} else if (n == 0 || first < 0x20 || first == 0x7F || is_unsafe(s->p, n)) {
		for (size_t i = 0; i < used; i++) {
			unit[len++] = '\\';
			unit[len++] = 'x';
			unit[len++] = hex[s->p[i] >> 4];
			unit[len++] = hex[s->p[i] & 15];
		}
	} else {
		memcpy(unit, s->p, n);
		len = n;
	}
	*s = span_skip(*s, used);
	return len;
}

static char *escape(char *out, size_t size, struct span s, bool backslash)
{
	size_t at = 0, cut = 0;
	char unit[12];

	assert(size >= 8);
	while (s.n > 0) {
		size_t n = escape_unit(unit, &s, backslash);

		if (at + n > size - 1) {
			memcpy(out + cut, "...", 4);
			return out;
		}
		memcpy(out + at, unit, n);
		at += n;
		if (at + 4 <= size)
			cut = at;
	}
	out[at] = '\0';
	return out;
}

char *escape_text(char *out, size_t size, struct span s)
{
	return escape(out, size, s, true);
}

char *escape_control(char *out, size_t size, struct span s)
{
	return escape(out, size, s, false);
}
