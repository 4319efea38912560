/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scanner behind json_text: one token at a time, by offset, without state
 * or memory. The trap: it must end strings where jansson does, at a quote that
 * is not escaped or at the end of the line.
 */
#include <string.h>

#include "conf/json_scan_int.h"

static bool is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c);
}

static size_t string_end(const struct json_text *t, size_t at)
{
	for (at++; at < t->n && t->bytes[at] != '\n'; at++) {
		if (t->bytes[at] == '"')
			return at + 1;
		if (t->bytes[at] == '\\' && at + 1 < t->n && t->bytes[at + 1] != '\n')
			at++;
	}
	return at;
}

static size_t word_end(const struct json_text *t, size_t at)
{
	while (at < t->n && !is_one_of(t->bytes[at], " \t\r\n{}[],:\""))
		at++;
	return at;
}

struct json_token json_scan(const struct json_text *t, size_t at)
{
	while (at < t->n && is_one_of(t->bytes[at], " \t\r\n"))
		at++;
	if (at >= t->n)
		return (struct json_token){ JSON_TOKEN_END, t->n, t->n };
	if (is_one_of(t->bytes[at], "{}[],:"))
		return (struct json_token){ JSON_TOKEN_MARK, at, at + 1 };
	if (t->bytes[at] == '"')
		return (struct json_token){ JSON_TOKEN_STRING, at, string_end(t, at) };
	return (struct json_token){ JSON_TOKEN_WORD, at, word_end(t, at) };
}

bool json_scan_is(const struct json_text *t, struct json_token token, char mark)
{
	return token.kind == JSON_TOKEN_MARK && t->bytes[token.start] == mark;
}
