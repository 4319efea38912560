/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server's half of compression, for tests: zlib itself, by code that shares
 * nothing with src/ws. All there is to see of a message on the wire, either way.
 */
#ifndef WSB_UNIT_WS_PEER_DEFLATE_H
#define WSB_UNIT_WS_PEER_DEFLATE_H

#include "ws/peer.h"

#define PACKED_TEXT 0xC1 /* fin, RSV1, opcode */
#define PACKED_BINARY 0xC2
#define PACKED_TEXT_MORE 0x41

struct peer_deflate {
	struct ws_deflate agreed;
	struct z_stream_s *in, *out; /* the client's messages, ours */
	struct buf packed;	     /* what was packed last */
};

/* Both windows 15 and takeover both ways, unless it is said otherwise. */
void peer_deflate_init(struct peer_deflate *p, const struct ws_deflate *agreed, int level);
void peer_deflate_deinit(struct peer_deflate *p);

extern const struct ws_deflate peer_deflate_full;

/* The payload of a message, or with `more` of a fragment of it; valid until the next call. */
struct span peer_deflate_pack(struct peer_deflate *p, struct span data, bool more);

/* A frame from the server with this first byte. */
void peer_put_frame(struct buf *out, int first, struct span payload);

/* A compressed message, in frames of `fragment` bytes, 0 = in one. */
void peer_deflate_put(struct peer_deflate *p, struct buf *out, struct msg msg, size_t fragment);

/* The next frame of the client: takes it off *wire, its payload goes to the end of *payload. */
int peer_take_frame(struct span *wire, struct buf *payload);

/* The next message of the client, which consists of these frames; *packed: was it compressed? */
struct msg peer_deflate_take(struct peer_deflate *p, struct span *wire, struct buf *message,
			     bool *packed);

/* A conversation in which this was offered and agreed. */
struct ws_conn *peer_deflate_open(struct ws_params *params, const struct ws_deflate *agreed);

/* Text that can be compressed, but not to nothing; the same for the same seed. */
void peer_prose(struct buf *out, size_t n, unsigned seed);

#endif
