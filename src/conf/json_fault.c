/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jansson's syntax errors as sentences with the place of the token at fault.
 * jansson quotes the text near the error, which may be a secret, so its words
 * are translated, not passed on. The trap: its position is behind the token.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/span.h"
#include "conf/json_scan_int.h"

/* jansson's words → ours; `found` adds what stands there instead. */
static const struct {
	const char *theirs, *ours;
	bool found;
} sentences[] = {
	{ "string or '}' expected", "expected a key in double quotes", true },
	{ "':' expected", "expected \":\" behind the key", true },
	{ "'}' expected", "expected \",\" or \"}\"", true },
	{ "']' expected", "expected \",\" or \"]\"", true },
	{ "'[' or '{' expected", "expected an object", true },
	{ "end of file expected", "expected the end of the text", true },
	{ "unexpected token", "expected a value", true },
	{ "invalid token", "expected a value", true },
	{ "unexpected newline", "a string must end on the line where it begins", false },
	{ "control character", "a string must not contain control characters", false },
	{ "invalid escape", "a string has a bad escape", false },
	{ "invalid Unicode", "a string has a bad \\u escape", false },
	{ "\\u0000 is not allowed", "a string must not contain \\u0000", false },
	{ "NUL byte in object key", "a key must not contain \\u0000", false },
	{ "unable to decode byte", "not valid UTF-8", false },
	{ "too big", "the number is too big", false },
	{ "too small", "the number is too small", false },
	{ "real number overflow", "the number is too big", false },
};

/* The token that holds the byte before `position`; the last one at the end. */
static struct json_token token_before(const struct json_text *t, size_t position)
{
	struct json_token token = json_scan(t, 0), next = json_scan(t, token.end);

	while (next.kind != JSON_TOKEN_END && token.end < position) {
		token = next;
		next = json_scan(t, token.end);
	}
	return token;
}

static bool is_number(struct span word)
{
	json_t *v = json_loadb((const char *)word.p, word.n, JSON_DECODE_ANY, NULL);
	bool is = json_is_number(v);

	json_decref(v);
	return is;
}

static const char *word_name(struct span word)
{
	static const char *const literals[] = { "true", "false", "null" };

	for (size_t i = 0; i < sizeof(literals) / sizeof(*literals); i++)
		if (span_equal(word, span_str(literals[i])))
			return literals[i];
	if (isdigit(word.p[0]) || word.p[0] == '-' || word.p[0] == '+' || word.p[0] == '.')
		return is_number(word) ? "a number" : "a malformed number";
	if (word.p[0] == '\'')
		return "a single quote";
	return isalpha(word.p[0]) ? "a word without quotes" : "something that is no JSON";
}

static const char *token_name(const struct json_text *t, struct json_token token)
{
	static const char *const marks[] = { "\"{\"", "\"}\"", "\"[\"", "\"]\"", "\",\"", "\":\"" };

	switch (token.kind) {
	case JSON_TOKEN_END:
		return "nothing";
	case JSON_TOKEN_STRING:
		return "a string";
	case JSON_TOKEN_WORD:
		return word_name(span_of(t->bytes + token.start, token.end - token.start));
	case JSON_TOKEN_MARK:
		break;
	}
	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++)
		if (marks[i][1] == t->bytes[token.start])
			return marks[i];
	return "a mark";
}

/* "}" or "]" right behind a comma. */
static bool is_comma_too_many(const struct json_text *t, struct json_token token, size_t *comma)
{
	struct json_token last = { JSON_TOKEN_END, 0, 0 };

	if (!json_scan_is(t, token, '}') && !json_scan_is(t, token, ']'))
		return false;
	for (struct json_token i = json_scan(t, 0); i.start < token.start; i = json_scan(t, i.end))
		last = i;
	*comma = last.start;
	return json_scan_is(t, last, ',');
}

/* At the end of the text: the innermost bracket that is open still. */
static bool find_open(const struct json_text *t, size_t *at)
{
	size_t open[64], depth = 0;

	for (struct json_token i = json_scan(t, 0); i.kind != JSON_TOKEN_END;
	     i = json_scan(t, i.end)) {
		if ((json_scan_is(t, i, '{') || json_scan_is(t, i, '[')) && depth < 64)
			open[depth++] = i.start;
		else if ((json_scan_is(t, i, '}') || json_scan_is(t, i, ']')) && depth > 0)
			depth--;
	}
	if (depth > 0)
		*at = open[depth - 1];
	return depth > 0;
}

static void say(struct json_fault *fault, size_t at, const char *sentence, const char *found)
{
	fault->at = at;
	snprintf(fault->sentence, sizeof(fault->sentence), "%s%s%s", sentence,
		 found ? ", found " : "", found ? found : "");
}

/* The text ended where something had to follow. */
static void at_end(const struct json_text *t, struct json_token last, struct json_fault *fault)
{
	size_t at = 0;

	if (last.kind == JSON_TOKEN_STRING && t->bytes[last.end - 1] != '"')
		say(fault, last.start, "this string is never closed", NULL);
	else if (find_open(t, &at))
		say(fault, at,
		    t->bytes[at] == '{' ? "this \"{\" is never closed" :
					  "this \"[\" is never closed",
		    NULL);
	else
		say(fault, t->n, "the text ends too early", NULL);
}

static bool ended(const json_error_t *why)
{
	return json_error_code(why) == json_error_premature_end_of_input ||
	       strstr(why->text, "near end of file");
}

void json_fault_from(const struct json_text *t, const json_error_t *why, struct json_fault *fault)
{
	struct json_token token = token_before(t, (size_t)why->position);
	size_t comma;

	if (json_error_code(why) == json_error_invalid_utf8) {
		say(fault, (size_t)why->position, "not valid UTF-8", NULL);
		return;
	}
	if (ended(why)) {
		at_end(t, token, fault);
		return;
	}
	if (is_comma_too_many(t, token, &comma)) {
		say(fault, comma, "one comma too many", NULL);
		return;
	}
	for (size_t i = 0; i < sizeof(sentences) / sizeof(*sentences); i++) {
		if (!strncmp(why->text, sentences[i].theirs, strlen(sentences[i].theirs))) {
			say(fault, token.start, sentences[i].ours,
			    sentences[i].found ? token_name(t, token) : NULL);
			return;
		}
	}
	say(fault, token.start, "not valid JSON", NULL);
}
