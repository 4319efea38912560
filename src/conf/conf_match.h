/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which message is meant: {"pointer": "/id", "equals": V}, {"contains": S} or
 * {"regex": S}. Pure. A message that is not JSON matches no pointer; JSON is
 * read by its bytes, so numbers keep all their digits.
 */
#ifndef WSB_CONF_CONF_MATCH_H
#define WSB_CONF_CONF_MATCH_H

#include <jansson.h>
#include <stdbool.h>

#include "base/span.h"

enum conf_match_kind { MATCH_NONE, MATCH_POINTER, MATCH_CONTAINS, MATCH_REGEX };

struct conf_match {
	enum conf_match_kind kind;
	char *text;	/* the pointer, the piece, the POSIX extended regular expression */
	json_t *equals; /* MATCH_POINTER; NULL: the pointer need only lead somewhere */
	struct conf_regex *regex;
};

struct schema_report;

/* From a JSON object. False: reported, *m untouched. */
bool conf_match_read(struct conf_match *m, const json_t *v, const char *path,
		     struct schema_report *r);
json_t *conf_match_json_schema(void); /* new reference */

#define CONF_MATCH_MAX ((size_t)64 * 1024) /* of a message this much is looked at by a regex */

bool conf_match_is(const struct conf_match *m, struct span payload);
bool conf_match_equal(const struct conf_match *a, const struct conf_match *b);
void conf_match_deinit(struct conf_match *m); /* twice is fine */

/*
 * RFC 6901: the bytes of the value the pointer leads to, as they stand in
 * `json`. Of members with one name the last counts. False: `json` is no JSON
 * text, or there is no such value.
 */
bool conf_pointer_find(struct span json, const char *pointer, struct span *value);

#endif
