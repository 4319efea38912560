/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commented JSON text → jansson value, and places in the text. Comments turn
 * into blanks of the same length, so offsets hold for the file as it is. The
 * trap: jansson recurses up to 2048 levels deep, so nesting is measured first.
 */
#include "conf/json_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/json_scan_int.h"
#include "conf/schema.h"

static bool fail(struct json_fault *fault, size_t at, const char *sentence)
{
	fault->at = at;
	snprintf(fault->sentence, sizeof(fault->sentence), "%s", sentence);
	return false;
}

static bool begins(const struct json_text *t, size_t at, const char *mark)
{
	size_t n = strlen(mark);

	return t->n - at >= n && memcmp(t->bytes + at, mark, n) == 0;
}

static void blank(struct json_text *t, size_t from, size_t to)
{
	for (; from < to; from++)
		if (t->bytes[from] != '\n')
			t->bytes[from] = ' ';
}

/* The end of the comment at `at`: its line's, or behind its closing mark; 0 if that is missing. */
static size_t comment_end(const struct json_text *t, size_t at)
{
	if (begins(t, at, "//")) {
		const char *end = memchr(t->bytes + at, '\n', t->n - at);

		return end ? (size_t)(end - t->bytes) : t->n;
	}
	for (at += 2; at < t->n; at++)
		if (begins(t, at, "*/"))
			return at + 2;
	return 0;
}

static bool strip(struct json_text *t, struct json_fault *fault)
{
	size_t at = 0;

	if (begins(t, 0, "\xef\xbb\xbf"))
		blank(t, 0, 3); /* a byte order mark, as some editors leave it */
	while (at < t->n) {
		if (begins(t, at, "//") || begins(t, at, "/*")) {
			size_t end = comment_end(t, at);

			if (end == 0)
				return fail(fault, at, "this comment is never closed");
			blank(t, at, end);
			at = end;
		} else if (t->bytes[at] == '"') {
			at = json_scan(t, at).end;
		} else {
			at++;
		}
	}
	return true;
}

static bool depth_ok(const struct json_text *t, struct json_fault *fault)
{
	unsigned depth = 0;
	char sentence[64];

	for (struct json_token i = json_scan(t, 0); i.kind != JSON_TOKEN_END;
	     i = json_scan(t, i.end)) {
		if (json_scan_is(t, i, '{') || json_scan_is(t, i, '['))
			depth++;
		else if ((json_scan_is(t, i, '}') || json_scan_is(t, i, ']')) && depth > 0)
			depth--;
		if (depth <= SCHEMA_DEPTH_MAX)
			continue;
		snprintf(sentence, sizeof(sentence), "nested deeper than %d levels",
			 SCHEMA_DEPTH_MAX);
		return fail(fault, i.start, sentence);
	}
	return true;
}

json_t *json_text_parse(struct json_text *t, struct json_fault *fault)
{
	json_error_t why;
	json_t *root;
	const char *nul = t->n ? memchr(t->bytes, '\0', t->n) : NULL;

	if (nul) {
		fail(fault, (size_t)(nul - t->bytes), "a NUL byte");
		return NULL;
	}
	if (!strip(t, fault) || !depth_ok(t, fault))
		return NULL;
	if (json_scan(t, 0).kind == JSON_TOKEN_END) {
		fail(fault, 0, "the text is empty");
		return NULL;
	}
	root = json_loadb(t->bytes, t->n, JSON_ALLOW_NUL, &why);
	if (!root)
		json_fault_from(t, &why, fault);
	return root;
}

void json_text_deinit(struct json_text *t)
{
	if (t->bytes)
		explicit_bzero(t->bytes, t->n);
	free(t->bytes);
	*t = (struct json_text){ 0 };
}

struct json_place json_text_place(const struct json_text *t, size_t at)
{
	struct json_place place = { 1, 1 };

	for (size_t i = 0; i < at && i < t->n; i++) {
		if (t->bytes[i] == '\n') {
			place.line++;
			place.column = 1;
		} else if (((unsigned char)t->bytes[i] & 0xC0) != 0x80) {
			place.column++; /* not inside a UTF-8 character */
		}
	}
	return place;
}
