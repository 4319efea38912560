/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tokens of JSON (RFC 8259) that are judged byte by byte, by the walk and by the index alike:
 * numbers, words, escapes, white space. Each step returns the place behind it, or NULL. The trap:
 * what follows a token is not looked at; "01" is the number 0 and something else.
 */
#ifndef WSB_BASE_JSON_TOKEN_H
#define WSB_BASE_JSON_TOKEN_H

#include "base/json_cut_int.h"

static inline const uint8_t *json_skip_space(const uint8_t *p, const uint8_t *end)
{
	while (p < end && json_is_space(*p))
		p++;
	return p;
}

static inline bool json_is_digit(const uint8_t *p, const uint8_t *end)
{
	return p < end && *p >= '0' && *p <= '9';
}

/* At least one. */
static inline const uint8_t *json_take_digits(const uint8_t *p, const uint8_t *end)
{
	if (!json_is_digit(p, end))
		return NULL;
	do
		p++;
	while (json_is_digit(p, end));
	return p;
}

/* Where there is none, p. */
static inline const uint8_t *json_take_exponent(const uint8_t *p, const uint8_t *end)
{
	if (p == end || (*p != 'e' && *p != 'E'))
		return p;
	p++;
	if (p < end && (*p == '+' || *p == '-'))
		p++;
	return json_take_digits(p, end);
}

/* RFC 8259, 6: no leading zeros, no lone point, no plus sign in front. */
static inline const uint8_t *json_take_number(const uint8_t *p, const uint8_t *end)
{
	if (*p == '-')
		p++;
	if (p < end && *p == '0')
		p++;
	else
		p = json_take_digits(p, end);
	if (p && p < end && *p == '.')
		p = json_take_digits(p + 1, end);
	return p ? json_take_exponent(p, end) : NULL;
}

static inline const uint8_t *json_take_word(const uint8_t *p, const uint8_t *end, struct span word)
{
	if ((size_t)(end - p) < word.n || memcmp(p, word.p, word.n) != 0)
		return NULL;
	return p + word.n;
}

/* A value that is neither a string nor in brackets. */
static inline const uint8_t *json_take_plain(const uint8_t *p, const uint8_t *end)
{
	switch (*p) {
	case 't':
		return json_take_word(p, end, span_of("true", 4));
	case 'f':
		return json_take_word(p, end, span_of("false", 5));
	case 'n':
		return json_take_word(p, end, span_of("null", 4));
	default:
		return json_take_number(p, end);
	}
}

/* What may stand behind such a value, and what no JSON has beside one. */
static inline bool json_is_delimiter(uint8_t c)
{
	switch (c) {
	case ',':
	case ':':
	case '"':
	case '[':
	case ']':
	case '{':
	case '}':
		return true;
	}
	return json_is_space(c);
}

static inline bool json_is_hex(uint8_t c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* p is behind the backslash. */
static inline const uint8_t *json_take_escape(const uint8_t *p, const uint8_t *end)
{
	if (p == end)
		return NULL;
	switch (*p++) {
	case '"':
	case '\\':
	case '/':
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't':
		return p;
	case 'u':
		for (int i = 0; i < 4; i++)
			if (p == end || !json_is_hex(*p++))
				return NULL;
		return p;
	default:
		return NULL;
	}
}

#endif
