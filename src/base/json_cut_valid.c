/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is it JSON (RFC 8259)? A walk over the grammar that goes by a stack of bits
 * instead of recursion: 1 is an object, 0 a list. It says nothing of what is
 * wrong and where. Owns nothing. The trap: strings are looked at for UTF-8
 * only when a byte above 0x7F was seen in them; outside of strings no such
 * byte gets past the grammar.
 */
#include <assert.h>

#include "base/json_cut.h"
#include "base/json_cut_int.h"
#include "base/utf8.h"

struct walk {
	const uint8_t *p, *end;
	unsigned depth, max_depth;
	uint64_t objects[JSON_CUT_DEPTH_MAX / 64];
};

enum step {
	WANT_VALUE, /* one must follow */
	HAVE_VALUE, /* one is over */
	NO_JSON,
};

static void skip_space(struct walk *w)
{
	while (w->p < w->end && json_is_space(*w->p))
		w->p++;
}

/* Takes c off, and white space in front of it. */
static bool take(struct walk *w, uint8_t c)
{
	skip_space(w);
	if (w->p == w->end || *w->p != c)
		return false;
	w->p++;
	return true;
}

static bool is_digit(const struct walk *w)
{
	return w->p < w->end && *w->p >= '0' && *w->p <= '9';
}

static bool take_digits(struct walk *w)
{
	if (!is_digit(w))
		return false;
	while (is_digit(w))
		w->p++;
	return true;
}

/* RFC 8259, 6: no leading zeros, no lone point, no plus sign in front. */
static bool take_number(struct walk *w)
{
	if (*w->p == '-')
		w->p++;
	if (w->p < w->end && *w->p == '0')
		w->p++;
	else if (!take_digits(w))
		return false;
	if (w->p < w->end && *w->p == '.') {
		w->p++;
		if (!take_digits(w))
			return false;
	}
	if (w->p == w->end || (*w->p != 'e' && *w->p != 'E'))
		return true;
	w->p++;
	if (w->p < w->end && (*w->p == '+' || *w->p == '-'))
		w->p++;
	return take_digits(w);
}

static bool take_word(struct walk *w, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(w->end - w->p) < n || memcmp(w->p, word, n) != 0)
		return false;
	w->p += n;
	return true;
}

static bool is_hex(uint8_t c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* w->p is behind the backslash. */
static bool take_escape(struct walk *w)
{
	if (w->p == w->end)
		return false;
	switch (*w->p++) {
	case '"':
	case '\\':
	case '/':
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't':
		return true;
	case 'u':
		for (int i = 0; i < 4; i++)
			if (w->p == w->end || !is_hex(*w->p++))
				return false;
		return true;
	default:
		return false;
	}
}

/* w->p is at the quote. */
static bool take_string(struct walk *w)
{
	const uint8_t *start = ++w->p;
	uint64_t bits = 0;

	for (;;) {
		w->p = json_plain_end(w->p, w->end, &bits);
		if (w->p == w->end || (*w->p != '"' && *w->p != '\\'))
			return false;
		if (*w->p++ == '"')
			break;
		if (!take_escape(w))
			return false;
	}
	return !json_beyond_ascii(bits) || utf8_valid(span_of(start, (size_t)(w->p - start)));
}

static enum step take_key(struct walk *w)
{
	skip_space(w);
	if (w->p == w->end || *w->p != '"' || !take_string(w) || !take(w, ':'))
		return NO_JSON;
	return WANT_VALUE;
}

static bool in_object(const struct walk *w)
{
	unsigned i = w->depth - 1;

	return (w->objects[i / 64] >> i % 64 & 1) != 0;
}

static enum step open_bracket(struct walk *w)
{
	unsigned i = w->depth;
	uint64_t bit = UINT64_C(1) << i % 64;
	bool object = *w->p++ == '{';

	if (i == w->max_depth)
		return NO_JSON;
	w->depth++;
	w->objects[i / 64] = object ? w->objects[i / 64] | bit : w->objects[i / 64] & ~bit;
	if (take(w, object ? '}' : ']')) {
		w->depth--;
		return HAVE_VALUE;
	}
	return object ? take_key(w) : WANT_VALUE;
}

static enum step begin_value(struct walk *w)
{
	bool good;

	skip_space(w);
	if (w->p == w->end)
		return NO_JSON;
	switch (*w->p) {
	case '{':
	case '[':
		return open_bracket(w);
	case '"':
		good = take_string(w);
		break;
	case 't':
		good = take_word(w, "true");
		break;
	case 'f':
		good = take_word(w, "false");
		break;
	case 'n':
		good = take_word(w, "null");
		break;
	default:
		good = take_number(w);
		break;
	}
	return good ? HAVE_VALUE : NO_JSON;
}

/* Inside a bracket: a comma and what it announces, or the bracket's end. */
static enum step after_value(struct walk *w)
{
	bool object = in_object(w);

	if (take(w, ','))
		return object ? take_key(w) : WANT_VALUE;
	if (!take(w, object ? '}' : ']'))
		return NO_JSON;
	w->depth--;
	return HAVE_VALUE;
}

bool json_cut_valid(struct span text, unsigned max_depth)
{
	enum step step = WANT_VALUE;
	struct walk w;

	assert(max_depth <= JSON_CUT_DEPTH_MAX);
	if (text.n == 0)
		return false;
	w.p = text.p;
	w.end = text.p + text.n;
	w.depth = 0;
	w.max_depth = max_depth;
	w.objects[0] = 0;
	while (step == WANT_VALUE || (step == HAVE_VALUE && w.depth > 0))
		step = step == WANT_VALUE ? begin_value(&w) : after_value(&w);
	skip_space(&w);
	return step == HAVE_VALUE && w.p == w.end;
}
