/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What crosses the line between a bridge and its local clients, before a
 * framing gives it a form: records go to clients, orders come from them. All
 * of it is borrowed: valid during the call it is handed over in.
 */
#ifndef WSB_ENDPOINT_RECORD_H
#define WSB_ENDPOINT_RECORD_H

#include <stdint.h>

#include "base/error.h"
#include "base/msg.h"

enum record_type {
	RECORD_MESSAGE, /* msg, seq, epoch, time */
	/* Events: only a framing that has a form for them carries them. */
	RECORD_OPEN,  /* url, subprotocol, epoch, time */
	RECORD_CLOSE, /* code, reason, clean, retry_in, time */
	RECORD_PING,  /* payload, time */
	RECORD_PONG,  /* payload, time */
	RECORD_GAP,   /* dropped, from, to */
	RECORD_ERROR, /* err, id, time */
	RECORD_ACK,   /* id */
};

struct record {
	enum record_type type;
	struct msg msg;
	bool continued; /* msg goes on from the fragment before it (RFC 6455, 5.4) */
	uint64_t seq, epoch;
	int64_t time;		       /* microseconds since 1970 */
	const char *url, *subprotocol; /* without secrets; NULL = none */
	int code;
	const char *reason; /* "" = none; UTF-8 */
	bool clean;
	double retry_in; /* seconds; -1 = there is no further attempt */
	struct span payload;
	uint64_t dropped, from, to; /* messages lost, and their seq from...to */
	const struct error *err;
	struct span id; /* JSON, as the client wrote it; empty = none */
};

enum order_type { ORDER_MESSAGE, ORDER_RUN, ORDER_PING, ORDER_PONG, ORDER_CLOSE };

struct order {
	enum order_type type;
	struct msg msg; /* MESSAGE; text is UTF-8 */
	/*
	 * RUN: whole messages, in order. *taken: how many of them, from the first, have been dealt
	 * with; it is 0 before. The others come again, one by one.
	 */
	const struct msg *msgs;
	size_t n_msgs, *taken;
	struct span payload; /* PING, PONG: at most 125 bytes */
	int code;	     /* CLOSE: one that may be sent */
	struct span reason;  /* CLOSE: at most 123 bytes of UTF-8 */
	struct span id;	     /* JSON; empty = nobody wants to know */
};

#endif
