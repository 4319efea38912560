/* SPDX-License-Identifier: Apache-2.0 */
/* The queue from inside: what outq.c and outq_hole.c share. Pure, owned by nobody. */
#ifndef WSB_ENDPOINT_OUTQ_INT_H
#define WSB_ENDPOINT_OUTQ_INT_H

#include "endpoint/outq.h"

static inline struct outq_item *outq_item_at(const struct outq *q, size_t i)
{
	return &q->items[q->first + i];
}

/* Opens a place for an item, and takes one away. */
struct outq_item *outq_insert(struct outq *q, size_t i);
void outq_remove(struct outq *q, size_t i);

void outq_charge(struct outq *q, size_t bytes);
void outq_uncharge(struct outq *q, size_t bytes);

bool outq_has_begun(const struct outq *q); /* is the front in the middle of a record? */

/* Is the record [start, end) of the run a message, and which? */
bool outq_is_message(const struct outq *q, const struct chunk_range *run, size_t start, size_t end,
		     uint64_t *seq);

/* A message between the items i - 1 and i is lost. */
void outq_dig(struct outq *q, size_t i, uint64_t seq);
/* What was between i - 1 and i has gone: two holes there become one. */
void outq_join_holes(struct outq *q, size_t i);
void outq_encode_hole(struct outq *q, struct outq_item *item);

/* There is a whole record. Returns whether it was a message. */
bool outq_drop_oldest(struct outq *q);

#endif
