/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests of the waiting commands, built from what was typed. It connects to
 * nothing. The trap: a message is sent as the text that was typed, never
 * through the library, which would round its numbers.
 */
#include "cli/request_talk.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/schema.h"
#include "control/names.h"

#define COUNT_MAX 1000
#define LIMIT_DEFAULT INT64_C(10000000) /* the daemon's, for calls that end by themselves */

static bool put_string(json_t *params, const char *key, const char *text, struct error *err)
{
	if (json_object_set_new(params, key, json_string(text)) == 0)
		return true;
	return error_set(err, ERR_INVALID_OPTION, "%s: not valid UTF-8", key);
}

/* -t; own: how long the daemon waits without it, -1 = for ever. */
static bool put_limit(const struct args *a, struct call_request *r, int64_t own, struct error *err)
{
	const char *limit = args_value(a, "timeout");
	int64_t us = own;

	if (limit && !schema_parse_duration(limit, &us, err))
		return error_context(err, "--timeout");
	r->timeout = us > 0 && us < INT64_MAX - REQUEST_MARGIN ? us + REQUEST_MARGIN : -1;
	return !limit || put_string(r->params, PARAM_TIMEOUT, limit, err);
}

static json_t *pointer_match(const char *text)
{
	const char *equals = strchr(text, '=');
	mem_auto_str pointer = NULL;
	json_t *value;

	if (!equals)
		return json_pack("{s:s}", "pointer", text);
	pointer = mem_strndup(text, (size_t)(equals - text));
	value = json_loads(equals + 1, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
	if (!value)
		value = json_string(equals + 1);
	return json_pack("{s:s,s:o}", "pointer", pointer, "equals", value);
}

json_t *request_match(const char *text, struct error *err)
{
	json_t *match = NULL;

	if (*text == '/')
		match = pointer_match(text);
	else if (*text == '~')
		match = json_pack("{s:s}", "regex", text + 1);
	else if (*text == '{')
		match = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	else
		match = json_pack("{s:s}", "contains", text);
	if (!match)
		error_set(err, ERR_INVALID_OPTION, "--match: not valid %s",
			  *text == '{' ? "JSON" : "UTF-8");
	return match;
}

static bool put_match(const struct args *a, json_t *params, struct error *err)
{
	const char *text = args_value(a, "match");
	json_t *match;

	if (!text)
		return true;
	match = request_match(text, err);
	return match && json_object_set_new(params, PARAM_MATCH, match) == 0;
}

bool request_wait(const struct args *a, struct call_request *r, struct error *err)
{
	if (!put_string(r->params, PARAM_NAME, a->words[0], err))
		return false;
	if (a->n_words > 1 && !put_string(r->params, PARAM_STATE, a->words[1], err))
		return false;
	return put_limit(a, r, -1, err);
}

bool request_ping(const struct args *a, struct call_request *r, struct error *err)
{
	return put_string(r->params, PARAM_NAME, a->words[0], err) &&
	       put_limit(a, r, LIMIT_DEFAULT, err);
}

bool request_recv(const struct args *a, struct call_request *r, struct error *err)
{
	const char *count = args_value(a, "number");
	long n;

	if (count && !args_number(count, 1, COUNT_MAX, &n))
		return error_set(err, ERR_INVALID_OPTION, "--number: expected 1 to %d", COUNT_MAX);
	if (count)
		json_object_set_new(r->params, PARAM_COUNT, json_integer(n));
	return put_string(r->params, PARAM_NAME, a->words[0], err) &&
	       put_match(a, r->params, err) && put_limit(a, r, -1, err);
}

bool request_ask(const struct args *a, struct call_request *r, struct error *err)
{
	if (!args_has(a, "match"))
		return error_set(err, ERR_INVALID_OPTION,
				 "--match is needed: which message is the "
				 "answer?");
	return put_string(r->params, PARAM_NAME, a->words[0], err) &&
	       put_string(r->params, PARAM_TEXT, a->words[1], err) &&
	       put_match(a, r->params, err) && put_limit(a, r, LIMIT_DEFAULT, err);
}

/* A list with commas. */
static json_t *list_of(const char *text)
{
	json_t *list = json_array();

	for (;;) {
		size_t n = strcspn(text, ",");

		if (n > 0 && json_array_append_new(list, json_stringn(text, n)) != 0)
			break;
		if (!text[n])
			return list;
		text += n + 1;
	}
	json_decref(list);
	return NULL;
}

bool request_subscribe(const char *name, const struct args *a, struct call_request *r,
		       struct error *err)
{
	const char *events = args_value(a, "events");
	json_t *list = events ? list_of(events) : NULL;

	if (events && !list)
		return error_set(err, ERR_INVALID_OPTION, "--events: not valid UTF-8");
	if (events && json_array_size(list) == 0) {
		json_decref(list);
		return error_set(err, ERR_INVALID_OPTION,
				 "--events: expected a list such as state,error");
	}
	if (list)
		json_object_set_new(r->params, PARAM_EVENTS, list);
	return put_string(r->params, PARAM_NAME, name ? name : "*", err);
}
