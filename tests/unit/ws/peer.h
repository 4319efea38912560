/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server's half of a conversation, for tests: frames written down as data,
 * bytes made of them by code of its own (not that of src/ws), and a client
 * that echoes messages, held against the events and the bytes expected of it.
 */
#ifndef WSB_UNIT_WS_PEER_H
#define WSB_UNIT_WS_PEER_H

#include "base/buf.h"
#include "support/fixed_rand.h"
#include "ws/conn.h"

#define PEER_KEY "\x37\xfa\x21\x3d" /* of the examples in RFC 6455, 5.7 */
#define PEER_MAX_MESSAGE ((size_t)1 << 20)

/*
 * A frame, or an event: the first byte of the header (fin, rsv, opcode), and a
 * payload, which is `total` bytes of `p` over and over. With `fragment`, the
 * payload goes out in fragments of so many bytes. Of an event that is a
 * fragment, `first` is without fin and has the type of its message. Lists end
 * with p == NULL.
 */
struct fr {
	int first;
	const char *p;
	size_t n, total, fragment;
};

#define FR(first, text)                                                \
	{                                                              \
		(first), (text), sizeof(text) - 1, sizeof(text) - 1, 0 \
	}
#define FR_MANY(first, text, total)                           \
	{                                                     \
		(first), (text), sizeof(text) - 1, (total), 0 \
	}
#define FR_PARTS(first, text, total, fragment)                         \
	{                                                              \
		(first), (text), sizeof(text) - 1, (total), (fragment) \
	}
#define TEXT(text) FR(0x81, text)
#define TEXT_MORE(text) FR(0x01, text)
#define MORE(text) FR(0x00, text)
#define LAST(text) FR(0x80, text)
#define BINARY(text) FR(0x82, text)
#define PING(text) FR(0x89, text)
#define PONG(text) FR(0x8A, text)
#define CLOSE(body) FR(0x88, body)
#define CLOSE_1000 CLOSE("\x03\xE8")
#define CLOSE_1002 CLOSE("\x03\xEA")
#define CLOSE_1007 CLOSE("\x03\xEF")
#define CLOSE_1009 CLOSE("\x03\xF1")
#define FAILED 0x100 /* as `first` of an event: WS_FAILED, the text is that of the error */
#define FAIL(text) FR(FAILED, text)

struct talk {
	const char *name;
	struct fr in[16];     /* from the server, behind its 101 */
	struct fr events[16]; /* behind WS_UPGRADED */
	struct fr out[16];    /* from the client, behind its request */
};

void peer_put_server(struct buf *out, const struct fr *frame);
void peer_put_client(struct buf *out, const struct fr *frame); /* masked with PEER_KEY */

/* All the output in the order of the wire, appended to `wire`; it is written then. */
void peer_write(struct ws_conn *c, struct buf *wire);
void peer_drop_output(struct ws_conn *c);

/* A 101 response that answers the request which stands in the client's output. */
void peer_put_response(struct buf *out, struct ws_conn *c);
/* The same with more header lines, each with its CRLF. */
void peer_put_response_with(struct buf *out, struct ws_conn *c, const char *fields);

struct ws_params peer_params(struct fixed_rand *r); /* its bytes are PEER_KEY */

/* A conversation past its upgrade, with nothing in its output. */
struct ws_conn *peer_open(const struct ws_params *params);
struct ws_conn *peer_open_with(const struct ws_params *params, const char *fields);

/* Feeds and checks that the one event is this one. */
void peer_expect(struct ws_conn *c, struct span bytes, const struct fr *event);

/* The client's output is these frames (a list); consumes it. */
void peer_expect_output(struct ws_conn *c, const struct fr *frames);

/* Runs the talk with its bytes cut in every way; in a large one, in a bounded number of ways. */
void peer_talk(const struct talk *t);
void peer_talk_in_fragments(const struct talk *t); /* the client has them delivered one by one */

#endif
