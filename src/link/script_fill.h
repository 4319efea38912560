/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A message with ${NAME} in it → the message that is sent. Pure; no step, no
 * time. What is put into JSON keeps it JSON: a string that is nothing but
 * "${NAME}" becomes the value itself, a part of a longer string its text,
 * escaped; no key has a name in it. Elsewhere it is the text. $${ gives ${.
 * Part of script.c.
 */
#ifndef WSB_LINK_SCRIPT_FILL_H
#define WSB_LINK_SCRIPT_FILL_H

#include "base/error.h"
#include "base/span.h"

#define SCRIPT_MESSAGE_MAX ((size_t)16 * 1024 * 1024)

struct fill_value {
	const char *name;
	struct span json; /* n 0: the text in quotes */
	struct span text;
	bool has_text; /* false: a JSON string with half a surrogate pair in it */
};

struct fill_source {
	struct span message;
	bool is_json;
	const struct fill_value *values; /* of two with one name the first counts */
	size_t n_values;
};

/*
 * In memory that the caller wipes and frees, never without a byte. NULL: *err
 * (ERR_PROTOCOL) says which name has no value, or that it is above SCRIPT_MESSAGE_MAX.
 */
uint8_t *script_fill(const struct fill_source *from, size_t *n, struct error *err);

#endif
