/* SPDX-License-Identifier: Apache-2.0 */
/* What conn.c (life, what goes out) and conn_in.c (what comes) share. */
#ifndef WSB_WS_CONN_INT_H
#define WSB_WS_CONN_INT_H

#include "ws/assemble.h"
#include "ws/conn.h"
#include "ws/deflate.h"
#include "ws/frame.h"
#include "ws/inflate.h"
#include "ws/output.h"
#include "ws/upgrade.h"

enum conn_state {
	CONN_HANDSHAKE,
	CONN_OPEN,
	CONN_CLOSING, /* our Close is queued, the peer's has not come */
	CONN_CLOSED,  /* the peer's Close has come, and ours is queued */
	CONN_FAILED,
	CONN_RETIRED,
};

/* Payloads of control frames. */
struct conn_control {
	uint8_t piece[WS_CONTROL_MAX]; /* of one that is not whole yet */
	uint8_t pong[WS_CONTROL_MAX];  /* that could not be queued yet */
	size_t pong_len;
};

/* Compression. */
struct conn_packing {
	struct inflater inflate;
	struct deflater deflate;
};

struct ws_conn {
	enum conn_state state;
	bool in_frame;	   /* `frame` is known and `left` bytes of its payload are not */
	bool pong_pending; /* held->pong waits to be queued */
	bool in_message;   /* the last message sent was a fragment, and not the last one */
	struct span in;	   /* of the fed bytes, what is not used up */
	struct frame_decoder decoder;
	struct frame_header frame;
	uint64_t left;
	uint64_t frames; /* complete ones */
	struct assemble assemble;
	struct output out;
	struct conn_packing *packing; /* NULL: compression was not agreed on */
	size_t max_output;
	uint64_t pong_end; /* out.urgent_queued behind our last automatic Pong */
	size_t pongs;	   /* automatic ones queued since the output held none */
	size_t partial;	   /* when it was retired */
	size_t control_len;
	struct conn_control *held; /* NULL: there was none to be held yet */
	struct upgrade *upgrade;   /* NULL: it is done, and nothing was chosen */
	struct http_head *head;	   /* NULL: settled */
	char *answer;		   /* the response, once it is settled; else NULL */
	struct error *err;	   /* NULL = sound */
};

/* Twice is fine. */
void conn_drop_upgrade(struct ws_conn *c);
void conn_drop_packing(struct ws_conn *c);

bool conn_is_receiving(const struct ws_conn *c);

/* Queues the Pong. While many stand in the output it waits; a newer one takes its place. */
void conn_pong(struct ws_conn *c, struct span payload);
void conn_put_pong(struct ws_conn *c); /* the one that waits, if there is one */

struct conn_control *conn_held(struct ws_conn *c);

/* Our Close; nothing of ours follows but Pongs (RFC 6455, 5.5.1 and 5.5.2). */
bool conn_put_close(struct ws_conn *c, int code, struct span reason);

#endif
