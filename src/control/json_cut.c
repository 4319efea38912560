/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scanner that knows strings and brackets and nothing else of JSON. It owns
 * nothing; its results point into the text it was given. The trap: a key may
 * be escaped ("\u006ason"), so keys with a backslash go through the library.
 */
#include "control/json_cut.h"

#include <jansson.h>

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct span skip_space(struct span s)
{
	while (s.n > 0 && is_space(s.p[0]))
		s = span_skip(s, 1);
	return s;
}

struct span json_cut_trim(struct span s)
{
	s = skip_space(s);
	while (s.n > 0 && is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

/* With both quotes; 0: not closed. */
static size_t string_len(struct span s)
{
	for (size_t i = 1; i < s.n; i++) {
		if (s.p[i] == '"')
			return i + 1;
		if (s.p[i] == '\\')
			i++;
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
	while (n < s.n && !is_space(s.p[n]) && s.p[n] != ',' && s.p[n] != ']' && s.p[n] != '}')
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

static bool key_equals(struct span quoted, const char *name)
{
	json_t *key;
	bool equal;

	if (quoted.n < 2)
		return false;
	if (!memchr(quoted.p, '\\', quoted.n))
		return span_equal(span_of(quoted.p + 1, quoted.n - 2), span_str(name));
	key = json_loadb((const char *)quoted.p, quoted.n, JSON_DECODE_ANY, NULL);
	equal = key && json_is_string(key) && strcmp(json_string_value(key), name) == 0;
	json_decref(key);
	return equal;
}

bool json_cut_member(struct span object, const char *name, struct span *value)
{
	struct span rest = skip_space(object), key, found;

	if (rest.n == 0 || rest.p[0] != '{')
		return false;
	rest = span_skip(rest, 1);
	while (json_cut_next(&rest, &key) && json_cut_next(&rest, &found)) {
		if (!key_equals(key, name))
			continue;
		*value = found;
		return true;
	}
	return false;
}

struct span json_cut_inside(struct span list)
{
	struct span rest = skip_space(list);

	return rest.n > 0 && rest.p[0] == '[' ? span_skip(rest, 1) : span_of(NULL, 0);
}

size_t json_cut_compact(uint8_t *out, struct span value)
{
	size_t n = 0, i = 0;

	while (i < value.n) {
		size_t step = value.p[i] == '"' ? string_len(span_skip(value, i)) : 1;

		if (step == 0)
			step = value.n - i;
		if (!is_space(value.p[i])) {
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
