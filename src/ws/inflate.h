/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The compressed half of what comes in (RFC 7692, 7.2.2): pieces of frames →
 * the bytes of a message, made where assemble.h collects them. Part of its
 * user's object; it has no memory of its own until the first compressed
 * message, and can give most of that back between two messages.
 */
#ifndef WSB_WS_INFLATE_H
#define WSB_WS_INFLATE_H

#include "ws/assemble.h"
#include "ws/params.h"

struct z_stream_s;

struct inflater {
	struct z_stream_s *z; /* NULL: no message has come yet, or the memory was given back */
	bool takeover;	      /* a message may refer to those before it */
	uint8_t bits;
	bool in_message;
	bool any;	 /* the message has had a byte */
	bool at_end;	 /* a block with BFINAL was the last thing: what follows begins anew */
	uint8_t *window; /* z is NULL: what a message may refer to, itself compressed */
	size_t window_n, packed_n;
	uint64_t messages, bytes_in, bytes_out; /* whole messages; bytes of all */
};

void inflater_init(struct inflater *f, const struct ws_deflate *agreed);
void inflater_deinit(struct inflater *f); /* twice is fine; the counters stay */

/* A piece of a compressed frame's payload, the last one if frame_end. */
struct inflate_piece {
	struct span bytes;
	bool frame_end;
};

/* As assemble_feed, and behind assemble_begin like that. BAD: f is useless then. */
enum assemble_result inflater_feed(struct inflater *f, struct assemble *a,
				   struct inflate_piece piece, struct msg *msg, struct error *err);

/*
 * Gives memory back, unless a message is under way. With takeover the window must stay (RFC 7692,
 * 7.2.2); it is kept compressed itself.
 */
void inflater_release(struct inflater *f);

#endif
