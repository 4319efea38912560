/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frame header ↔ bytes (RFC 6455, 5.2), for both roles. It sees one header at
 * a time: the order of frames belongs to assemble.h, payloads to conn.h.
 */
#ifndef WSB_WS_FRAME_H
#define WSB_WS_FRAME_H

#include "base/span.h"
#include "ws/limits.h"

enum frame_opcode {
	FRAME_CONTINUATION = 0x0,
	FRAME_TEXT = 0x1,
	FRAME_BINARY = 0x2,
	FRAME_CLOSE = 0x8,
	FRAME_PING = 0x9,
	FRAME_PONG = 0xA,
};

/* Who sends the frames: a client masks, a server must not (RFC 6455, 5.1). */
enum frame_sender { FRAME_FROM_SERVER, FRAME_FROM_CLIENT };

struct frame_header {
	bool fin;
	bool rsv1; /* the message that begins here is compressed (RFC 7692, 6) */
	bool masked;
	enum frame_opcode opcode;
	uint8_t key[4]; /* zero if not masked */
	uint64_t len;	/* of the payload, below 2^63 */
};

static inline bool frame_is_control(enum frame_opcode opcode)
{
	return (opcode & 0x8) != 0;
}

/* Bytes of the header of a payload of this length. */
size_t frame_header_size(uint64_t len, bool masked);

/* Writes frame_header_size bytes; returns their number. */
size_t frame_encode(uint8_t *out, const struct frame_header *h);

/* Bytes of the frame that s begins with, whose header is whole and sound: one that we encoded. */
uint64_t frame_size(struct span s);

enum frame_result { FRAME_MORE, FRAME_DONE, FRAME_BAD };

struct frame_decoder {
	enum frame_sender sender;
	bool deflate; /* to be set after init: permessage-deflate was agreed, RSV1 is its bit */
	size_t have;  /* bytes of a header that is not complete yet */
	uint8_t bytes[WS_FRAME_HEADER_MAX];
};

void frame_decoder_init(struct frame_decoder *d, enum frame_sender sender);

/*
 * Takes the bytes of one header off *input; the payload stays. BAD at the
 * first byte that cannot be right: *why is a static sentence about it (RFC
 * 6455, 7.1.7 asks for 1002), and d is useless then.
 */
enum frame_result frame_decode(struct frame_decoder *d, struct span *input, struct frame_header *h,
			       const char **why);

#endif
