/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server half of RFC 6455 for tests, on 127.0.0.1 and in the loop of the
 * one who uses it. It takes one connection at a time: the next one takes the
 * place of the last. By itself it behaves well; each switch makes it behave
 * badly in one way. What the client sends is checked and kept as text.
 */
#ifndef WSB_UNIT_SUPPORT_WS_PEER_H
#define WSB_UNIT_SUPPORT_WS_PEER_H

#include "base/buf.h"
#include "base/http_head.h"
#include "net/loop.h"
#include "ws/frame.h"

#define WS_PEER_SHOWN 32 /* bytes of a payload in `seen`; its length follows if there are more */

struct stream;

struct ws_peer {
	struct loop *loop;
	int listening, fd;
	uint16_t port;
	struct watch accepting;
	struct stream *stream; /* NULL = no connection */
	struct buf in, out;
	struct buf message; /* the fragments so far (RFC 6455, 5.4) */
	struct http_head head;
	/* switches, to be set at any time */
	const char *answer; /* to the request, instead of the proper one; "" = none */
	const char *const
		*script; /* answers to the next requests, before `answer`; NULL at its end */
	const char *subprotocol; /* of the proper one */
	const char *fields;	 /* more of the proper one, each with its CRLF; RSV1 is fine then */
	bool no_pong;		 /* Pings get no answer */
	bool no_close;		 /* nor does a Close */
	bool no_hangup;		 /* keeps TCP open after both Closes */
	bool echo;		 /* sends every message back */
	/* called for every message, its fragments joined; may be NULL */
	void (*on_message)(void *arg, struct span data);
	void *arg;
	/* what has happened */
	unsigned accepted; /* connections */
	unsigned upgraded; /* of these, with a proper answer */
	unsigned frames;   /* of all connections */
	uint64_t bytes;	   /* raw, of this connection, the request included */
	bool eof;	   /* the client of this connection has ended its half */
	bool lost;	   /* this connection broke */
	bool close_sent, close_seen;
	bool refused;	    /* this connection got an answer other than the proper one */
	char request[1024]; /* of this connection, cut */
	char *requests;	    /* of all connections, whole */
	char *seen; /* frames of all connections: "text one|text+ fragment|more last|ping |" */
	size_t seen_n;
};

void ws_peer_init(struct ws_peer *p, struct loop *l);
void ws_peer_deinit(struct ws_peer *p);
void ws_peer_forget(struct ws_peer *p); /* empties `seen` */

void ws_peer_refuse(struct ws_peer *p);	      /* the port does not listen any more */
void ws_peer_small_window(struct ws_peer *p); /* next connections: little fits into the kernel */
void ws_peer_stall(struct ws_peer *p, bool stall); /* reads nothing */

/* These need a connection. */
void ws_peer_raw(struct ws_peer *p, struct span bytes);
void ws_peer_frame(struct ws_peer *p, enum frame_opcode opcode, bool fin, struct span payload);
void ws_peer_text(struct ws_peer *p, const char *text);
void ws_peer_close(struct ws_peer *p, int code, const char *reason); /* code 0: without a body */
void ws_peer_finish(struct ws_peer *p);				     /* ends our half of TCP */
void ws_peer_drop(struct ws_peer *p);				     /* closes TCP */
void ws_peer_reset(struct ws_peer *p);				     /* the same with a RST */

#endif
