/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One client of the echo server, from its request to the last Close: bytes in,
 * bytes out. No descriptor and no clock: echo.c has those. Not a server for
 * anything but trying things out, and tests of our own client.
 */
#ifndef WSB_TOOL_ECHO_CONN_H
#define WSB_TOOL_ECHO_CONN_H

#include "base/buf.h"
#include "base/span.h"

#define ECHO_MESSAGE_MAX ((size_t)16 << 20)

enum echo_phase {
	ECHO_HANDSHAKE,
	ECHO_OPEN,
	ECHO_CLOSING, /* our Close stands in the output, the client's is still to come */
	ECHO_OVER,    /* nothing more is taken in: write the output, then close */
};

struct echo_conn;

struct echo_conn *echo_conn_new(void);
void echo_conn_free(struct echo_conn *c); /* NULL is fine */

/* Takes all of the bytes. Not to be called while echo_conn_is_full. */
void echo_conn_feed(struct echo_conn *c, struct span bytes);
bool echo_conn_is_full(
	const struct echo_conn *c); /* much output waits: read nothing more from this client */
struct buf *echo_conn_output(
	struct echo_conn *c); /* consume from the front what has been written */
enum echo_phase echo_conn_phase(const struct echo_conn *c);

int64_t echo_conn_interval(
	const struct echo_conn *c); /* of the ticker, microseconds; 0 = it is none */
void echo_conn_tick(struct echo_conn *c,
		    double now); /* seconds since 1970; left out, but counted, while full */

void echo_conn_close(struct echo_conn *c, int code,
		     struct span reason); /* our Close, if that makes sense still */

#endif
