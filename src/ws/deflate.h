/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The compressed half of what goes out (RFC 7692, 7.2.1): a message, or a
 * fragment of one, → the payload of its frames. Part of its user's object.
 * It has no memory of its own until the first message that is worth it.
 */
#ifndef WSB_WS_DEFLATE_H
#define WSB_WS_DEFLATE_H

#include "base/buf.h"
#include "base/msg.h"
#include "ws/params.h"

struct z_stream_s;

struct deflater {
	struct z_stream_s *z; /* NULL: no memory is held */
	struct buf out;
	bool on; /* messages may be compressed */
	bool takeover;
	bool in_message; /* a compressed one has begun and not ended */
	uint8_t bits;
	int level;
	size_t threshold;
	uint64_t messages, bytes_in, bytes_out; /* that were sent compressed */
	uint64_t uses;				/* how often something was packed, sent or not */
};

void deflater_init(struct deflater *d, const struct ws_params *params);
void deflater_start(struct deflater *d, const struct ws_deflate *agreed); /* once */
void deflater_deinit(struct deflater *d); /* twice is fine; the counters stay */

/* Is this worth it? To be asked at the beginning of a message. */
bool deflater_wants(const struct deflater *d, struct msg msg);

/*
 * The payload for a message, or for the next fragment of one; *packed is valid until the next
 * call. False: there is no memory, or a whole message would only become longer: it goes as it
 * is. One of the two calls below follows, unless it is false.
 */
bool deflater_pack(struct deflater *d, struct msg msg, struct span *packed);
void deflater_sent(struct deflater *d, struct msg msg, struct span packed);
void deflater_forget(struct deflater *d); /* nobody will see it */

void deflater_release(struct deflater *d); /* gives memory back, unless a message is under way */

#endif
