/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strings of JSON and the text they stand for, both ways. It does not look for
 * UTF-8 and passes bytes above 0x7F on. Owns nothing. The trap: a character
 * beyond U+FFFF is escaped as two halves (RFC 8259, 7), and text has no place
 * for one of them.
 */
#include "base/json_cut.h"

#include "base/search.h"

static const char hex[] = "0123456789abcdef";

/* By what an escape begins with; 0 = it is none of these. */
static const uint8_t short_escapes[128] = {
	['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
	['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
};

/* By byte below U+0020: the letter of its escape; 0 = it takes a \u00NN. */
static const uint8_t letters[0x20] = {
	['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't',
};

static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* \uXXXX at the front of *s is taken off. */
static bool take_unit(struct span *s, uint32_t *unit)
{
	uint32_t value = 0;

	if (s->n < 6 || s->p[0] != '\\' || s->p[1] != 'u')
		return false;
	for (size_t i = 2; i < 6; i++) {
		int digit = hex_value(s->p[i]);

		if (digit < 0)
			return false;
		value = value << 4 | (uint32_t)digit;
	}
	*unit = value;
	*s = span_skip(*s, 6);
	return true;
}

/* Nothing is taken off where this fails. */
static bool take_code_point(struct span *s, uint32_t *c)
{
	struct span rest = *s;
	uint32_t high, low;

	if (!take_unit(&rest, &high))
		return false;
	*c = high;
	if (high >= 0xD800 && high <= 0xDFFF) {
		if (high > 0xDBFF || !take_unit(&rest, &low) || low < 0xDC00 || low > 0xDFFF)
			return false;
		*c = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
	}
	*s = rest;
	return true;
}

static size_t put_utf8(uint8_t out[4], uint32_t c)
{
	static const uint8_t leads[5] = { 0, 0, 0xC0, 0xE0, 0xF0 };
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = n; i-- > 1; c >>= 6)
		out[i] = (uint8_t)(0x80 | (c & 0x3F));
	out[0] = (uint8_t)(leads[n] | c);
	return n;
}

/* The escape that *s begins with is taken off; returns the bytes of its text, 0: it is none. */
static size_t take_escape(struct span *s, uint8_t out[4])
{
	uint32_t c;

	if (s->n < 2 || s->p[0] != '\\' || s->p[1] >= sizeof(short_escapes))
		return 0;
	if (s->p[1] == 'u')
		return take_code_point(s, &c) ? put_utf8(out, c) : 0;
	out[0] = short_escapes[s->p[1]];
	if (!out[0])
		return 0;
	*s = span_skip(*s, 2);
	return 1;
}

/*
 * The next run of text of the string whose inside *s is: one that stands there as it is, or
 * what an escape stands for, in `own`. False: neither, or s is empty.
 */
static bool take_run(struct span *s, struct span *run, uint8_t own[4])
{
	size_t n;

	if (s->n == 0)
		return false;
	n = (size_t)(search_json(s->p, s->p + s->n) - s->p);
	if (n > 0) {
		*run = span_of(s->p, n);
		*s = span_skip(*s, n);
		return true;
	}
	*run = span_of(own, take_escape(s, own));
	return run->n > 0;
}

/* What stands between the quotes. */
static bool inside(struct span text, struct span *s)
{
	if (text.n < 2 || text.p[0] != '"' || text.p[text.n - 1] != '"')
		return false;
	*s = span_of(text.p + 1, text.n - 2);
	return true;
}

bool json_cut_unquote(uint8_t *out, size_t *n, struct span text)
{
	struct span s, run;
	uint8_t own[4];
	size_t at = 0;

	if (!inside(text, &s))
		return false;
	while (take_run(&s, &run, own)) {
		if (out)
			memcpy(out + at, run.p, run.n);
		at += run.n;
	}
	if (s.n > 0)
		return false;
	*n = at;
	return true;
}

bool json_cut_string_is(struct span text, const char *name)
{
	struct span left = span_str(name), s, run;
	uint8_t own[4];

	if (!inside(text, &s) || s.n < left.n) /* an escape is never shorter than its text */
		return false;
	if (!memchr(s.p, '\\', s.n))
		return span_equal(s, left);
	while (take_run(&s, &run, own)) {
		if (run.n > left.n || memcmp(run.p, left.p, run.n) != 0)
			return false;
		left = span_skip(left, run.n);
	}
	return s.n == 0 && left.n == 0;
}

static size_t put_escape(uint8_t *out, uint8_t c)
{
	uint8_t letter = c < 0x20 ? letters[c] : c;

	out[0] = '\\';
	if (letter) {
		out[1] = letter;
		return 2;
	}
	memcpy(out + 1, "u00", 3);
	out[4] = (uint8_t)hex[c >> 4];
	out[5] = (uint8_t)hex[c & 15];
	return 6;
}

size_t json_cut_escaped_size(struct span text)
{
	size_t n = text.n;
	const uint8_t *end = text.n ? text.p + text.n : text.p;

	for (const uint8_t *p = text.p; (p = search_json(p, end)) < end; p++)
		n += *p >= 0x20 || letters[*p] ? 1 : 5;
	return n;
}

size_t json_cut_escape(uint8_t *out, struct span text)
{
	const uint8_t *p = text.p, *end = text.n ? text.p + text.n : text.p;
	size_t at = 0;

	while (p < end) {
		const uint8_t *stop = search_json(p, end);

		memcpy(out + at, p, (size_t)(stop - p));
		at += (size_t)(stop - p);
		p = stop;
		if (p < end)
			at += put_escape(out + at, *p++);
	}
	return at;
}

size_t json_cut_quoted_size(struct span text)
{
	return json_cut_escaped_size(text) + 2;
}

size_t json_cut_quote(uint8_t *out, struct span text)
{
	size_t n = json_cut_escape(out + 1, text);

	out[0] = '"';
	out[n + 1] = '"';
	return n + 2;
}
