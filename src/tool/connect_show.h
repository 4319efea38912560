/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a received message, ping, pong or Close looks like on standard output.
 * Pure.
 */
#ifndef WSB_TOOL_CONNECT_SHOW_H
#define WSB_TOOL_CONNECT_SHOW_H

#include "base/buf.h"
#include "base/msg.h"

struct connect_style {
	bool stream;  /* the bytes of messages, and nothing else */
	bool visible; /* it is a terminal: control characters are made visible */
	bool marked;  /* what is typed stands beside it, so "< " is in front */
	bool types;   /* "text: " in front; pings, pongs and the Close are shown */
	bool timings; /* "1.234: " in front */
};

enum connect_kind {
	CONNECT_TEXT,
	CONNECT_BINARY,
	CONNECT_PING,
	CONNECT_PONG,
	CONNECT_CLOSE,
	CONNECT_NOTE, /* a sentence of ours, for a person */
};

/* Is there anything to be seen of it? */
bool connect_show_wants(const struct connect_style *style, enum connect_kind kind);

/*
 * Appends it as one line, or its bytes. more: a fragment, whose line goes on;
 * goes_on: the one before was that. at: microseconds. False: over the cap of
 * out, or no memory; what is there is cut then.
 */
struct connect_item {
	enum connect_kind kind;
	struct span data;
	bool more, goes_on;
	int64_t at;
};
bool connect_show(const struct connect_style *style, const struct connect_item *item,
		  struct buf *out);

#endif
