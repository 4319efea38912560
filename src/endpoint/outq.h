/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What waits for one slow client: ranges of shared chunks, in order. Above its
 * cap whole records are dropped by policy and counted; what has begun to be
 * written is always finished. Every byte in it is charged to the process-wide
 * quota. Pure: no I/O.
 *
 * One whole record may always wait, even one above the cap, and such a record
 * does not count against the cap once it has begun: so a message of 16 MiB
 * gets through a queue of 1 MiB, and what follows it is not lost.
 *
 * Where the framing has gap records, each run of messages that were dropped
 * leaves a hole in its place. A hole grows with its neighbours, and becomes a
 * record when its turn to be written has come.
 */
#ifndef WSB_ENDPOINT_OUTQ_H
#define WSB_ENDPOINT_OUTQ_H

#include <sys/uio.h>

#include "conf/bridge_conf.h"
#include "endpoint/chunk.h"
#include "endpoint/framing.h"

struct endpoint_quota;

struct outq_hole {
	uint64_t dropped; /* messages; 0 = this is none */
	uint64_t from, to;
};

/* Records, or a hole (no chunk), or the gap record of a hole. No two holes are neighbours. */
struct outq_item {
	struct chunk_range run;
	struct outq_hole hole;
};

struct outq {
	struct endpoint_quota *quota;  /* outlives it */
	const struct framing *framing; /* outlives it; NULL: all records are messages */
	bool has_gaps;
	size_t cap;
	enum conf_overflow policy;
	struct outq_item *items; /* first ... first + n_items - 1 */
	size_t first, n_items, size;
	size_t bytes;
	size_t records, events; /* without gap records; events: those that are no messages */
	size_t n_holes;		/* that are no records yet */
	struct chunk *own;	/* after a hole: small records are copied here, see outq.c */
};

void outq_init(struct outq *q, const struct framing *framing, struct endpoint_quota *quota,
	       size_t cap, enum conf_overflow how);
void outq_clear(struct outq *q);  /* forgets and uncharges everything; it may be used again */
void outq_deinit(struct outq *q); /* twice is fine */

enum outq_result {
	OUTQ_KEPT,
	OUTQ_DISCONNECT, /* by the policy: the caller clears the queue and drops the client */
};

/*
 * Appends a run of records, which may begin inside one only if the queue is
 * empty. *dropped goes up by the messages that were dropped, old or new.
 */
enum outq_result outq_push(struct outq *q, const struct chunk_range *run, uint64_t *dropped);

/* A message that would come next is lost. */
void outq_lose(struct outq *q, uint64_t seq);
/* The same for those of a run, where a client is not to get them. Returns how many these are. */
uint64_t outq_lose_run(struct outq *q, const struct chunk_range *run);

/* Is there anything to write? A hole is. */
static inline bool outq_is_empty(const struct outq *q)
{
	return q->n_items == 0;
}

/* Messages that wait. */
static inline size_t outq_messages(const struct outq *q)
{
	return q->records - q->events;
}

/* Overflow "block": is the one who feeds it to stop, and, once stopped, to go on? */
bool outq_is_full(const struct outq *q);
bool outq_has_room(const struct outq *q);

/*
 * The front of the queue, for writev: that many elements. Valid until the next
 * change. Holes there become records. by_record: each element is one record,
 * or the rest of one.
 */
int outq_front(struct outq *q, struct iovec *iov, int max, bool by_record);

/* n bytes of the front were written, n <= bytes. Returns how many messages are complete by that. */
size_t outq_consume(struct outq *q, size_t n);

/* Of the records that end in the first `to` bytes of run->chunk, from run->from on: the events. */
size_t outq_count_events(const struct framing *f, const struct chunk_range *run, size_t to);

#endif
