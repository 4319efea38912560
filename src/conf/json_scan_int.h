/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens of a JSON text with their places, for json_text.c, json_fault.c and
 * json_find.c: jansson tells neither where a value begins nor where a key is.
 * It judges nothing: what is no JSON comes out as some token, too.
 */
#ifndef WSB_CONF_JSON_SCAN_INT_H
#define WSB_CONF_JSON_SCAN_INT_H

#include "conf/json_text.h"

enum json_kind {
	JSON_TOKEN_END,	   /* start is the length of the text */
	JSON_TOKEN_MARK,   /* one of {}[],: */
	JSON_TOKEN_STRING, /* with its quotes; an open one ends before its line does */
	JSON_TOKEN_WORD,   /* number, true, false, null, or anything else */
};

struct json_token {
	enum json_kind kind;
	size_t start, end;
};

/* The first token at or behind `at`. */
struct json_token json_scan(const struct json_text *t, size_t at);

bool json_scan_is(const struct json_text *t, struct json_token token, char mark);

/* Fills fault from jansson's error. */
void json_fault_from(const struct json_text *t, const json_error_t *why, struct json_fault *fault);

#endif
