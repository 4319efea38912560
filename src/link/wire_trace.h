/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a connection as they pass → what a person wants to see of them:
 * the two heads of the handshake, and the header of every frame. Payloads and
 * whatever is as good as a password are left out. Pure. It judges nothing: a
 * side that cannot be read is told once and not looked at any more. Part of
 * its user's object. The trap: nothing is shown before wire_trace_begin or
 * wire_trace_join has said where the connection stands.
 */
#ifndef WSB_LINK_WIRE_TRACE_H
#define WSB_LINK_WIRE_TRACE_H

#include "base/buf.h"
#include "base/http_head.h"
#include "conf/bridge_conf.h"
#include "ws/conn.h"

/* How much may be shown: several traces may share one. */
struct trace_budget {
	size_t room;	   /* so many lines */
	uint64_t left_out; /* lines that found no room */
};

struct trace_side {
	enum { TRACE_NOTHING, TRACE_HEAD, TRACE_FRAMES } phase;
	struct http_head head;
	struct frame_decoder frames;
	uint64_t payload; /* so much of it is still to pass */
};

struct wire_trace {
	struct trace_side sent, received;
	struct trace_budget *budget;
	struct bridge_conf *conf; /* of the connection; NULL = none yet */
	bool plain;	  /* header values that stand in the configuration as text are shown */
	struct buf lines; /* what there is to show; its reader empties it */
};

void wire_trace_init(struct wire_trace *t, struct trace_budget *budget, bool plain);
void wire_trace_deinit(struct wire_trace *t);

/* A connection begins: its request is next. A reference of conf is taken. */
void wire_trace_begin(struct wire_trace *t, struct bridge_conf *conf);
/* The connection is there already, and stands so. */
void wire_trace_join(struct wire_trace *t, struct bridge_conf *conf, const struct ws_wire *wire);

/* Bytes that were sent, or received, of the connection that is current. */
void wire_trace_pass(struct wire_trace *t, bool sent, struct span bytes);

#endif
