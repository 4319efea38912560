/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a conversation has to send, masked and in frames, in two queues: data
 * (the request, messages, our Close) and urgent (Pings and Pongs). The urgent
 * ones leave at the next boundary of a data frame (RFC 6455, 5.4 and 5.5).
 * What may be sent at all, and when, is for conn.h to know. Part of its
 * user's object.
 *
 *   on the wire: | rest of the frame that has begun | urgent | the other data |
 */
#ifndef WSB_WS_OUTPUT_H
#define WSB_WS_OUTPUT_H

#include <sys/uio.h>

#include "base/buf.h"
#include "base/msg.h"
#include "base/rand.h"
#include "ws/frame.h"

struct output {
	struct buf data, urgent;
	size_t begun; /* bytes at the front of `data` whose frame, or request, has begun to leave */
	size_t urgent_begun; /* the same of `urgent`; of the two at most one is above 0 */
	uint64_t data_queued, data_written, urgent_queued, urgent_written; /* bytes ever */
	struct rand_source *rand; /* of the masking keys, NULL = key 0 */
};

void output_init(struct output *o, struct rand_source *rand);
/* What stands in `data` is the request. max_output: what conn.h lets its user queue. */
void output_request(struct output *o, size_t max_output);
void output_deinit(struct output *o); /* twice is fine; the counters stay */

static inline size_t output_len(const struct output *o)
{
	return o->data.len + o->urgent.len;
}

/*
 * Append if the output then holds at most `limit` bytes. False: limit or
 * memory, and nothing was appended. The opcode
 * of a message is that of its first frame.
 */
bool output_message(struct output *o, enum frame_opcode opcode, struct msg msg, size_t limit);
/* Is there, and stays there until all has left, room for a message of n bytes, however cut? */
bool output_prepare(struct output *o, size_t n, size_t limit);
/* As many of them, from the first, as are one frame each, until it holds `until` bytes. */
size_t output_run(struct output *o, const struct msg *msgs, size_t n, size_t until);
bool output_packed(struct output *o, enum frame_opcode opcode, struct msg msg,
		   size_t limit); /* its data is compressed (RFC 7692, 6.1) */
bool output_control(struct output *o, enum frame_opcode opcode, struct span payload, size_t limit);

int output_iov(const struct output *o, struct iovec iov[3]); /* how many it filled */
void output_wrote(struct output *o, size_t n);		     /* so many of these bytes have left */

#endif
