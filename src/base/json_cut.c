/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scanner of json_cut.h: it knows strings and brackets and nothing else of
 * JSON. Judging is json_cut_valid.c, texts of strings are json_cut_string.c.
 * It owns nothing; its results point into the text it was given. The trap: a
 * colon counts as a comma here, so a member is two values in a row.
 */
#include "base/json_cut.h"

#include "base/json_cut_int.h"
#include "base/search.h"

static struct span skip_space(struct span s)
{
	while (s.n > 0 && json_is_space(s.p[0]))
		s = span_skip(s, 1);
	return s;
}

struct span json_cut_trim(struct span s)
{
	s = skip_space(s);
	while (s.n > 0 && json_is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

/* With both quotes; 0: not closed. */
static size_t string_len(struct span s)
{
	const uint8_t *p = s.p + 1, *end = s.p + s.n;

	while ((p = search_json(p, end)) < end) {
		if (*p == '"')
			return (size_t)(p - s.p) + 1;
		if (*p == '\\' && end - p == 1)
			break;
		p += *p == '\\' ? 2 : 1;
	}
	return 0;
}

static size_t bracket_len(struct span s)
{
	size_t depth = 0, i = 0;

	while (i < s.n) {
		uint8_t c = s.p[i];
		size_t step = c == '"' ? string_len(span_skip(s, i)) : 1;

		if (step == 0)
			return 0;
		i += step;
		if (c == '[' || c == '{')
			depth++;
		else if ((c == ']' || c == '}') && --depth == 0)
			return i;
	}
	return 0;
}

size_t json_cut_value(struct span s)
{
	size_t n = 0;

	if (s.n > 0 && s.p[0] == '"')
		return string_len(s);
	if (s.n > 0 && (s.p[0] == '[' || s.p[0] == '{'))
		return bracket_len(s);
	while (n < s.n && !json_is_space(s.p[n]) && !memchr(",:]}", s.p[n], 4))
		n++;
	return n;
}

/* The comma, colon or bracket behind the value goes with it. */
bool json_cut_next(struct span *rest, struct span *value)
{
	struct span s = skip_space(*rest);
	size_t n = json_cut_value(s);

	if (n == 0)
		return false;
	*value = span_of(s.p, n);
	s = skip_space(span_skip(s, n));
	*rest = span_skip(s, s.n > 0 ? 1 : 0);
	return true;
}

bool json_cut_next_member(struct span *rest, struct span *key, struct span *value)
{
	return json_cut_next(rest, key) && json_cut_next(rest, value);
}

struct span json_cut_inside(struct span list_or_object)
{
	struct span rest = skip_space(list_or_object);

	if (rest.n == 0 || (rest.p[0] != '[' && rest.p[0] != '{'))
		return span_of(NULL, 0);
	return span_skip(rest, 1);
}

bool json_cut_member(struct span object, const char *name, struct span *value)
{
	struct span rest = skip_space(object), key, found;

	if (rest.n == 0 || rest.p[0] != '{')
		return false;
	rest = json_cut_inside(rest);
	while (json_cut_next_member(&rest, &key, &found)) {
		if (!json_cut_string_is(key, name))
			continue;
		*value = found;
		return true;
	}
	return false;
}

size_t json_cut_compact(uint8_t *out, struct span value)
{
	size_t n = 0, i = 0;

	while (i < value.n) {
		size_t step = value.p[i] == '"' ? string_len(span_skip(value, i)) : 1;

		if (step == 0)
			step = value.n - i;
		if (!json_is_space(value.p[i])) {
			memcpy(out + n, value.p + i, step);
			n += step;
		}
		i += step;
	}
	return n;
}

bool json_cut_too_deep(struct span text, unsigned max)
{
	unsigned depth = 0;
	size_t i = 0;

	while (i < text.n) {
		uint8_t c = text.p[i];
		size_t step = c == '"' ? string_len(span_skip(text, i)) : 1;

		if (step == 0)
			return false;
		i += step;
		if ((c == '[' || c == '{') && ++depth > max)
			return true;
		if ((c == ']' || c == '}') && depth > 0)
			depth--;
	}
	return false;
}
