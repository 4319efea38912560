/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is it JSON (RFC 8259)? A walk over the grammar that goes by a stack of bits
 * instead of recursion: 1 is an object, 0 a list. It says nothing of what is
 * wrong and where: each step returns the place behind it, or NULL. Owns
 * nothing. The trap: strings are not looked at for UTF-8, since the whole text
 * is; outside of strings no byte above 0x7F gets past the grammar.
 */
#include <assert.h>

#include "base/json_cut.h"
#include "base/json_index.h"
#include "base/json_token.h"
#include "base/search.h"
#include "base/utf8.h"

#define INDEX_LEAST JSON_BLOCK /* bytes; what is shorter is walked as fast */

struct walk {
	const uint8_t *end;
	unsigned depth, max_depth;
	uint64_t objects[JSON_CUT_DEPTH_MAX / 64];
	json_cut_member_fn *on_member; /* or NULL */
	void *arg;
	struct span key;      /* of the member of the outermost object that is walked */
	const uint8_t *value; /* its value's beginning */
};

/* p is at the quote. */
static const uint8_t *take_string(const uint8_t *p, const uint8_t *end)
{
	p++;
	while (p && (p = search_json(p, end)) < end) {
		if (*p == '"')
			return p + 1;
		p = *p == '\\' ? json_take_escape(p + 1, end) : NULL;
	}
	return NULL;
}

/* A key and its colon; white space may be in front. */
static inline const uint8_t *take_key(struct walk *w, const uint8_t *p)
{
	const uint8_t *start = json_skip_space(p, w->end);

	if (start == w->end || *start != '"')
		return NULL;
	p = take_string(start, w->end);
	if (!p)
		return NULL;
	if (w->depth == 1)
		w->key = span_of(start, (size_t)(p - start));
	p = json_skip_space(p, w->end);
	return p < w->end && *p == ':' ? p + 1 : NULL;
}

static bool in_object(const struct walk *w)
{
	unsigned i = w->depth - 1;

	return (w->objects[i / 64] >> i % 64 & 1) != 0;
}

static bool is_open(uint8_t c)
{
	return c == '{' || c == '[';
}

/*
 * p is at a bracket that opens. Behind it a value must come, after its key if that is what the
 * bracket asks for; or the bracket is closed at once, and *empty is true.
 */
static inline const uint8_t *open_bracket(struct walk *w, const uint8_t *p, bool *empty)
{
	unsigned i = w->depth;
	uint64_t bit = UINT64_C(1) << i % 64;
	bool object = *p == '{';

	if (i == w->max_depth)
		return NULL;
	p = json_skip_space(p + 1, w->end);
	*empty = p < w->end && *p == (object ? '}' : ']');
	if (*empty)
		return p + 1;
	w->depth++;
	w->objects[i / 64] = object ? w->objects[i / 64] | bit : w->objects[i / 64] & ~bit;
	return object ? take_key(w, p) : p;
}

static void hand_out(struct walk *w, const uint8_t *end)
{
	if (w->on_member && w->depth == 1 && in_object(w))
		w->on_member(w->arg, w->key, span_of(w->value, (size_t)(end - w->value)));
}

/* p is behind a value: the brackets that end, and a comma with the key that it announces. */
static inline const uint8_t *after_value(struct walk *w, const uint8_t *p)
{
	while (w->depth > 0) {
		bool object = in_object(w);

		hand_out(w, p);
		p = json_skip_space(p, w->end);
		if (p == w->end)
			return NULL;
		if (*p == ',')
			return object ? take_key(w, p + 1) : p + 1;
		if (*p++ != (object ? '}' : ']'))
			return NULL;
		w->depth--;
	}
	return p;
}

/* One value and all that is in it. */
static const uint8_t *walk(struct walk *w, const uint8_t *p)
{
	bool empty = true;

	do {
		p = json_skip_space(p, w->end);
		if (p == w->end)
			return NULL;
		if (w->depth == 1)
			w->value = p;
		if (is_open(*p))
			p = open_bracket(w, p, &empty);
		else
			p = *p == '"' ? take_string(p, w->end) : json_take_plain(p, w->end);
		if (p && empty)
			p = after_value(w, p);
		else
			empty = true;
	} while (p && w->depth > 0);
	return p;
}

bool json_cut_valid_members(struct span text, unsigned max_depth, json_cut_member_fn *on_member,
			    void *arg)
{
	struct walk w = {
		.end = text.p + text.n, .max_depth = max_depth, .on_member = on_member, .arg = arg
	};
	const uint8_t *p;

	assert(max_depth <= JSON_CUT_DEPTH_MAX);
	if (text.n == 0 || !utf8_valid(text))
		return false;
	p = walk(&w, text.p);
	return p && json_skip_space(p, w.end) == w.end;
}

static bool is_for_index(struct span text)
{
	return text.n >= INDEX_LEAST && is_open(text.p[0]) && json_index_is_there();
}

bool json_cut_valid_line(struct span text, unsigned max_depth, bool *one_line)
{
	struct span rest = text;

	*one_line = false;
	while (rest.n > 0 && json_is_space(rest.p[0]))
		rest = span_skip(rest, 1);
	if (is_for_index(rest)) {
		bool good = json_index_valid(rest, max_depth, one_line);

		*one_line = *one_line && rest.n == text.n;
		return good;
	}
	return json_cut_valid_members(rest, max_depth, NULL, NULL);
}

bool json_cut_valid(struct span text, unsigned max_depth)
{
	bool one_line;

	return json_cut_valid_line(text, max_depth, &one_line);
}
