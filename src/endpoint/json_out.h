/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON, written piece by piece into memory of a known size: the same calls
 * first count and then write. Nothing checks that the pieces make a value.
 * Pure.
 */
#ifndef WSB_ENDPOINT_JSON_OUT_H
#define WSB_ENDPOINT_JSON_OUT_H

#include "base/span.h"

struct json_out {
	uint8_t *p; /* NULL: it is only counted */
	size_t n;   /* bytes so far */
};

static inline void json_out_bytes(struct json_out *o, const void *p, size_t n)
{
	if (o->p && n > 0)
		memcpy(o->p + o->n, p, n);
	o->n += n;
}

/* What a call with the same number counts. */
size_t json_out_digits(uint64_t v); /* of json_out_unsigned */
size_t json_out_time_size(int64_t microseconds);

void json_out_number(struct json_out *o, int64_t v);
void json_out_unsigned(struct json_out *o, uint64_t v);
void json_out_bool(struct json_out *o, bool v);
void json_out_time(struct json_out *o, int64_t microseconds); /* as seconds, all six digits */
void json_out_seconds(struct json_out *o, double v); /* up to six digits, no useless zeros */

/* A string. UTF-8, for it is not looked at: */
void json_out_text(struct json_out *o, struct span text);
/* Any bytes; each one that belongs to no character becomes U+FFFD. */
void json_out_any_text(struct json_out *o, struct span bytes);
void json_out_base64(struct json_out *o, struct span data);

static inline void json_out_raw(struct json_out *o, const char *s)
{
	json_out_bytes(o, s, strlen(s));
}

/* A value that stands there as JSON; newlines, which mean nothing in it, become spaces. */
void json_out_value(struct json_out *o, struct span value);

#endif
