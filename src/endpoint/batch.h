/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The records of this turn, encoded once for all clients of an endpoint, until
 * they are handed to each of them in one go. Pure: no I/O.
 */
#ifndef WSB_ENDPOINT_BATCH_H
#define WSB_ENDPOINT_BATCH_H

#include "endpoint/chunk.h"
#include "endpoint/framing.h"

#define BATCH_RANGES 10 /* never used up: four big records make it full */

struct batch {
	struct chunk *chunk;	    /* the current one: small records are appended to it */
	struct chunk_range *ranges; /* BATCH_RANGES; made for the first record */
	size_t n_ranges;
	size_t bytes, records;
	size_t events; /* of the records, those that are no messages */
};

void batch_init(struct batch *b);
void batch_deinit(struct batch *b); /* twice is fine */

/* Encodes a record, plan->size > 0; the batch is not full. False: no memory for one this big. */
bool batch_add(struct batch *b, const struct framing *f, const struct record *r,
	       const struct framing_plan *plan);

/*
 * Encodes as many of these messages, from the first, as framing_encode_plain takes, until it is
 * full. Returns how many.
 */
size_t batch_add_plain(struct batch *b, const struct framing *f, const struct msg *msgs, size_t n);

/* 64 KiB wait: it must be handed out. */
bool batch_is_full(const struct batch *b);
void batch_clear(struct batch *b); /* it has been handed out */

#endif
