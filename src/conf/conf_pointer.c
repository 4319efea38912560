/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON Pointers (RFC 6901) over JSON text, and JSON text against a value: by
 * bytes, so that 9007199254740993 is not taken for its neighbour. Owns
 * nothing. The trap: of members with one name the last counts, as most
 * parsers have it, so a search never ends at the first.
 */
#include <stdlib.h>
#include <string.h>

#include "base/json_cut.h"
#include "base/mem.h"
#include "conf/bridge_int.h"

#define EXPONENT_MAX \
	INT64_C(1000000000000) /* above all that a double or a token's length reaches */

bool conf_check_pointer(const char *text, struct error *err)
{
	if (*text != '\0' && *text != '/')
		return error_set(err, ERR_INVALID_OPTION,
				 "must be empty or begin with \"/\" (RFC 6901)");
	if (strlen(text) > CONF_POINTER_MAX)
		return error_set(err, ERR_INVALID_OPTION, "has %zu bytes, more than %d",
				 strlen(text), CONF_POINTER_MAX);
	for (const char *p = text; (p = strchr(p, '~')) != NULL; p++)
		if (p[1] != '0' && p[1] != '1')
			return error_set(err, ERR_INVALID_OPTION,
					 "behind \"~\" 0 or 1 must follow (RFC 6901)");
	return true;
}

/* The reference token at *pointer, escapes undone (RFC 6901, 4). False: it is too long. */
static bool take_token(const char **pointer, char token[CONF_POINTER_MAX + 1])
{
	const char *p = *pointer;
	size_t n = 0;

	for (; *p && *p != '/'; p++) {
		if (n == CONF_POINTER_MAX)
			return false;
		if (*p == '~' && (p[1] == '0' || p[1] == '1'))
			token[n++] = *++p == '0' ? '~' : '/';
		else
			token[n++] = *p;
	}
	token[n] = '\0';
	*pointer = p;
	return true;
}

static bool find_member(struct span object, const char *name, struct span *value)
{
	struct span rest = json_cut_inside(object), key, found;
	bool is_there = false;

	while (json_cut_next_member(&rest, &key, &found)) {
		if (!json_cut_string_is(key, name))
			continue;
		*value = found;
		is_there = true;
	}
	return is_there;
}

/* RFC 6901, 4: digits without leading zeros; "-" is the element that is not there. */
static bool find_element(struct span list, const char *token, struct span *value)
{
	struct span rest = json_cut_inside(list);
	size_t n = strspn(token, "0123456789");
	unsigned long long index;

	if (n == 0 || n > 18 || token[n] != '\0' || (n > 1 && token[0] == '0'))
		return false;
	index = strtoull(token, NULL, 10);
	while (json_cut_next(&rest, value))
		if (index-- == 0)
			return true;
	return false;
}

bool conf_pointer_find(struct span json, const char *pointer, struct span *value)
{
	char token[CONF_POINTER_MAX + 1];
	struct span at = json_cut_trim(json), found;

	if (!json_cut_valid(json, JSON_CUT_DEPTH_MAX))
		return false;
	while (*pointer) {
		bool ok;

		pointer++;
		if (!take_token(&pointer, token))
			return false;
		if (at.p[0] == '{')
			ok = find_member(at, token, &found);
		else
			ok = at.p[0] == '[' && find_element(at, token, &found);
		if (!ok)
			return false;
		at = found;
	}
	*value = at;
	return true;
}

/* A number as its significant digits and the power of ten of the first of them. */
struct decimal {
	bool negative;
	struct span digits; /* from the first that is not 0 on, maybe with a point; none: zero */
	int64_t power;
};

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static int64_t read_exponent(struct span s)
{
	bool negative = s.n > 0 && s.p[0] == '-';
	int64_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		if (is_digit(s.p[i]) && n < EXPONENT_MAX)
			n = 10 * n + (s.p[i] - '0');
	return negative ? -n : n;
}

static size_t mantissa_length(struct span s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] != 'e' && s.p[n] != 'E')
		n++;
	return n;
}

static struct decimal read_decimal(struct span s)
{
	struct decimal d = { .negative = s.n > 0 && s.p[0] == '-' };
	struct span mantissa = span_of(s.p, mantissa_length(s));
	const uint8_t *point = mantissa.n ? memchr(mantissa.p, '.', mantissa.n) : NULL;
	size_t whole = point ? (size_t)(point - mantissa.p) : mantissa.n, first = 0;

	while (first < mantissa.n && (mantissa.p[first] < '1' || mantissa.p[first] > '9'))
		first++;
	d.digits = span_skip(mantissa, first);
	if (d.digits.n == 0)
		return (struct decimal){ 0 };
	d.power = (int64_t)whole - (int64_t)first - (first < whole ? 1 : 0);
	if (mantissa.n < s.n)
		d.power += read_exponent(span_skip(s, mantissa.n + 1));
	return d;
}

/* The next digit, 0 behind the last. */
static uint8_t next_digit(struct span *digits)
{
	while (digits->n > 0 && !is_digit(digits->p[0]))
		*digits = span_skip(*digits, 1);
	if (digits->n == 0)
		return '0';
	*digits = span_skip(*digits, 1);
	return digits->p[-1];
}

static bool decimal_same(struct decimal a, struct decimal b)
{
	if (a.negative != b.negative || a.power != b.power)
		return false;
	while (a.digits.n > 0 || b.digits.n > 0)
		if (next_digit(&a.digits) != next_digit(&b.digits))
			return false;
	return true;
}

static bool number_same(struct span text, const json_t *v)
{
	char *other;
	bool same;

	if (text.n == 0 || (text.p[0] != '-' && !is_digit(text.p[0])))
		return false;
	other = conf_json_text(v);
	same = decimal_same(read_decimal(text), read_decimal(span_str(other)));
	free(other);
	return same;
}

static bool string_same(struct span text, const json_t *v)
{
	uint8_t *bytes;
	size_t n;
	bool same;

	if (!json_cut_unquote(NULL, &n, text) || n != json_string_length(v))
		return false;
	bytes = mem_alloc(n);
	same = json_cut_unquote(bytes, &n, text) &&
	       span_equal(span_of(bytes, n), span_of(json_string_value(v), n));
	free(bytes);
	return same;
}

static bool list_same(struct span text, const json_t *v)
{
	struct span rest = json_cut_inside(text), element;
	size_t n = 0;

	if (text.n == 0 || text.p[0] != '[')
		return false;
	while (json_cut_next(&rest, &element))
		if (n == json_array_size(v) || !conf_json_same(element, json_array_get(v, n++)))
			return false;
	return n == json_array_size(v);
}

static bool has_key(const json_t *v, struct span key)
{
	const char *name;
	json_t *value;

	json_object_foreach(schema_walkable(v), name, value) {
		if (json_cut_string_is(key, name))
			return true;
	}
	return false;
}

static bool object_same(struct span text, const json_t *v)
{
	struct span rest = json_cut_inside(text), key, member;
	const char *name;
	json_t *value;

	if (text.n == 0 || text.p[0] != '{')
		return false;
	while (json_cut_next_member(&rest, &key, &member))
		if (!has_key(v, key))
			return false;
	json_object_foreach(schema_walkable(v), name, value) {
		if (!find_member(text, name, &member) || !conf_json_same(member, value))
			return false;
	}
	return true;
}

bool conf_json_same(struct span text, const json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		return object_same(text, v);
	case JSON_ARRAY:
		return list_same(text, v);
	case JSON_STRING:
		return string_same(text, v);
	case JSON_INTEGER:
	case JSON_REAL:
		return number_same(text, v);
	case JSON_TRUE:
		return span_equal(text, span_str("true"));
	case JSON_FALSE:
		return span_equal(text, span_str("false"));
	case JSON_NULL:
		return span_equal(text, span_str("null"));
	}
	return false;
}
