/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a connection as they pass → what a person wants to see of them:
 * the two heads of the handshake, and the header of every frame. Payloads and
 * whatever is as good as a password are left out. Pure. It judges nothing: a
 * side that cannot be read is told once and not looked at any more.
 */
#ifndef WSB_TOOL_CONNECT_TRACE_H
#define WSB_TOOL_CONNECT_TRACE_H

#include "base/buf.h"
#include "base/http_head.h"
#include "ws/frame.h"

struct connect_trace_side {
	enum { TRACE_HEAD, TRACE_FRAMES, TRACE_NOTHING } phase;
	struct http_head head;
	struct frame_decoder frames;
	uint64_t payload; /* so much of it is still to pass */
};

struct connect_trace {
	struct connect_trace_side sent, received;
	const char *const *hidden; /* names of request headers whose values are secret; NULL ends */
	struct buf lines;	   /* what there is to print; its reader empties it */
};

void connect_trace_init(struct connect_trace *t, const char *const *hidden);
void connect_trace_deinit(struct connect_trace *t);

/* Bytes that were sent, or received, of the connection that is current. */
void connect_trace_pass(struct connect_trace *t, bool sent, struct span bytes);

#endif
