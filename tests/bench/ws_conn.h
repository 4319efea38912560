/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A WebSocket connection of the load tools, with blocking input and output: the server's side for
 * wsload, the client's for the relay that inflates. What the other end may not send ends the tool.
 */
#ifndef BENCH_WS_CONN_H
#define BENCH_WS_CONN_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ws_op { WS_CONT = 0, WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };

#define WS_HEADER_MAX 10 /* without a key */

struct ws_conn {
	int fd;
	SSL *ssl; /* NULL without TLS */
	unsigned char *buf;
	size_t pos, len, cap; /* what is read and not used: buf[pos] up to buf[len] */
	bool deflate;	      /* agreed on */
	bool no_takeover;     /* by the server */
	int window_bits;      /* the server's */
};

struct ws_frame {
	bool fin, rsv1;
	enum ws_op op;
	size_t len;
	unsigned char *data; /* unmasked; gone with the next read */
};

/* Frees the buffer and the TLS session, and closes. */
void ws_conn_close(struct ws_conn *c);
/* Makes at least this much available in buf; false at the end of input. */
bool ws_conn_fill(struct ws_conn *c, size_t need);
bool ws_conn_write(struct ws_conn *c, const void *data, size_t size);

/*
 * The server's side of the handshake. With `deflate` permessage-deflate is agreed on if the first
 * offer is that: the server keeps its context unless asked not to, the client keeps none.
 */
bool ws_conn_accept(struct ws_conn *c, bool deflate);
/* The client's side, offering permessage-deflate if asked to. */
bool ws_conn_request(struct ws_conn *c, bool deflate);

size_t ws_put_header(unsigned char *at, enum ws_op op, bool fin, bool rsv1, size_t len);
/* False at the end of input; `masked` is what the other end has to do. */
bool ws_read_frame(struct ws_conn *c, struct ws_frame *f, bool masked);
/* Is a whole frame there without a read? A long or an empty one is not looked for. */
bool ws_frame_ready(const struct ws_conn *c, bool masked);
/* Of a server. */
bool ws_send_frame(struct ws_conn *c, enum ws_op op, const void *data, size_t len);
bool ws_send_close(struct ws_conn *c, unsigned code);
unsigned ws_close_code(const struct ws_frame *f);

#endif
