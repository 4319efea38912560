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
 */
#ifndef WSB_ENDPOINT_OUTQ_H
#define WSB_ENDPOINT_OUTQ_H

#include <sys/uio.h>

#include "conf/bridge_conf.h"
#include "endpoint/chunk.h"

struct endpoint_quota;

struct outq {
	struct endpoint_quota *quota; /* outlives it */
	size_t cap;
	enum conf_overflow policy;
	struct chunk_range *ranges; /* first ... first + n_ranges - 1 */
	size_t first, n_ranges, size;
	size_t bytes, records;
	struct chunk *own; /* after a hole: small records are copied here, see outq.c */
};

void outq_init(struct outq *q, struct endpoint_quota *quota, size_t cap, enum conf_overflow how);
void outq_clear(struct outq *q);  /* forgets and uncharges everything; it may be used again */
void outq_deinit(struct outq *q); /* twice is fine */

enum outq_result {
	OUTQ_KEPT,
	OUTQ_DISCONNECT, /* by the policy: the caller clears the queue and drops the client */
};

/*
 * Appends a run of records, which may begin inside one only if the queue is
 * empty. *dropped goes up by the records that were dropped, old or new.
 */
enum outq_result outq_push(struct outq *q, const struct chunk_range *run, uint64_t *dropped);

/* The front of the queue, for writev: that many elements. Valid until the next change. */
int outq_front(const struct outq *q, struct iovec *iov, int max);

/* n bytes of the front were written, n <= bytes. Returns how many records are complete by that. */
size_t outq_consume(struct outq *q, size_t n);

#endif
