/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the framing "json" share: framing_json.c writes,
 * framing_json_read.c takes lines apart, framing_json_order.c makes orders of
 * their members.
 */
#ifndef WSB_ENDPOINT_FRAMING_JSON_INT_H
#define WSB_ENDPOINT_FRAMING_JSON_INT_H

#include "endpoint/framing.h"

/* A text of up to this depth goes in as a value; the object around it is one bracket more. */
#define JSON_DEPTH_MAX 512

void framing_json_begin(struct framing_reader *r);
enum framing_result framing_json_next(struct framing_reader *r, struct span *input, struct order *o,
				      struct error *err);
enum framing_result framing_json_finish(struct framing_reader *r, struct order *o,
					struct error *err);

enum member { TYPE, DATA, FIN, ID, ENCODING, CODE, REASON, INLINE, SEQ, EPOCH, TIME, N_MEMBERS };

/* What the members are called. */
struct framing_json_name {
	const char *s;
	size_t n;
};
extern const struct framing_json_name framing_json_names[N_MEMBERS];

/* The values as they stand in the line; n 0 = not there. */
struct members {
	struct span value[N_MEMBERS];
	unsigned there; /* one bit for each */
};

/* Makes an order of the members, whose names are known and come once; `id` is the caller's. */
bool framing_json_order(struct framing_reader *r, const struct members *m, struct order *o,
			struct error *err);

/* "NAME" is longer than MAX bytes. */
bool framing_json_too_long(struct error *err, enum member which, size_t max);

#endif
