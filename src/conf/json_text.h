/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON as text that people wrote: comments are blanked out so that every byte
 * keeps its place, syntax errors become sentences with a place, and dotted
 * paths are found again in the text. jansson does the parsing, after the
 * nesting was measured. Pure. Sentences never quote the text, which may hold
 * secrets; only keys are named.
 */
#ifndef WSB_CONF_JSON_TEXT_H
#define WSB_CONF_JSON_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct json_text {
	char *bytes; /* not ended by a NUL; wiped in json_text_deinit */
	size_t n;
};

/* What is wrong, and where. */
struct json_fault {
	size_t at; /* byte offset */
	char sentence[160];
};

/*
 * Blanks out // and block comments in t. Strings may contain NUL as \u0000;
 * duplicate keys are let through (the last one counts), see
 * json_text_duplicates. NULL: *fault says why. The result is the caller's.
 */
json_t *json_text_parse(struct json_text *t, struct json_fault *fault);
void json_text_deinit(struct json_text *t); /* twice is fine */

struct json_place {
	size_t line, column; /* both from 1; the column counts characters */
};
struct json_place json_text_place(const struct json_text *t, size_t at);

/* The calls below are for texts that were parsed. */

size_t json_text_root(const struct json_text *t); /* where the first value begins */

/*
 * Looks for the dotted path (of schema_path_key) as far as it exists and says
 * where its last part is that does: `key` (for a list element and the root the
 * value) and `value`. Returns how many bytes of the path were matched.
 */
struct json_spot {
	size_t key, value;
};
size_t json_text_find(const struct json_text *t, const char *path, struct json_spot *spot);

/* Calls back for every key that stands in its object already; `first` is where. */
typedef void (*json_duplicate_cb)(void *arg, const char *path, size_t at, size_t first);
void json_text_duplicates(const struct json_text *t, json_duplicate_cb on_duplicate, void *arg);

#endif
