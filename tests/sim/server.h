/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The servers. Each has a regime, which changes; each of its connections is
 * the server half of RFC 6455 on the pure parts of ws/, which checks what a
 * client sends. Messages are stamped with the connection's serial number and
 * their own, so that loss, doubling and swapping show wherever they arrive.
 */
#ifndef SIM_SERVER_H
#define SIM_SERVER_H

#include "base/http_head.h"
#include "sim/world.h"
#include "ws/frame.h"

enum regime {
	GOOD,
	REFUSES,   /* nobody listens */
	UNKNOWN,   /* its name does not resolve */
	BLACKHOLE, /* packets are dropped, those of open connections, too */
	BAD_TLS,
	SAYS_NO,  /* a status other than 101 */
	HANGS_UP, /* accepts, then closes, in one way or another */
	FROZEN,	  /* as by SIGSTOP: its kernel takes what fits, nobody answers */
	MUTE,	  /* reads, and says nothing at all */
	NO_PONGS, /* sends messages, answers no ping */
	SLOW,
	FLAPPY,	   /* connections live for seconds */
	BYZANTINE, /* breaks the protocol now and then */
	RESTARTS,  /* all connections end every second or so */
	REGIMES,
};

struct server {
	struct sim *sim;
	unsigned index;
	enum regime regime;
	int64_t since;
	int status; /* SAYS_NO; with a Retry-After in seconds, -1 = without */
	int64_t retry_after;
	bool as_date;
	struct list conns;
	struct sim_event restart, change;
};

/* Whatever of it excuses the end of a connection, or a late answer, is in `blame`. */
struct conn {
	struct list node;
	struct server *server;
	struct feed *feed;
	struct sim_sock *sock;
	struct http_head head;
	struct buf in, out;
	struct buf whole; /* a message that comes in pieces */
	bool in_pieces;
	struct sim_event think, speak, late, ping, fate;
	bool asked, upgraded, refused;
	bool deaf; /* reads nothing */
	bool mute, no_pongs;
	bool byzantine;
	unsigned talked; /* steps of the dialogue that are done */
	bool ready;	 /* the dialogue is over: messages may come and go */
	bool close_seen, close_sent;
	int expect_close;		 /* after a violation of ours, 0 = none */
	uint64_t serial, sent;		 /* messages */
	int64_t born, said, said_before; /* the last messages, when; two seconds apart */
	int64_t quiet_since;		 /* says nothing since; 0 = it talks */
	const char *blame;		 /* NULL: there is no reason for this connection to end */
	int64_t pinged;			 /* our last ping that has no pong, 0 = none */
	uint64_t ping_number, pong_number;
	uint64_t *heard; /* by client: the number of its latest message here */
	size_t n_heard;
};

void servers_init(struct sim *s);
void servers_deinit(struct sim *s);
void server_enter(struct server *v, enum regime regime);
const char *regime_name(enum regime regime);
void servers_calm(struct sim *s); /* all are good, for good */

/* server_conn.c */
void conn_accept(struct server *v, struct feed *f, struct sim_sock *sock);
void conn_free(struct conn *c, enum sim_close how);
void conn_wake(struct conn *c); /* it reads, and talks, again */
void conn_flush(struct conn *c);
void conn_frame(struct conn *c, enum frame_opcode opcode, bool fin, struct span payload);
void conn_close(struct conn *c, int code, const char *reason);
void conn_misbehave(struct conn *c);

/* server_talk.c: what connections say and hear once they are upgraded */
void talk_begin(struct conn *c);
void talk_hear(struct conn *c, const struct frame_header *h, struct span payload);
void talk_speak(void *arg);
void talk_late(void *arg);
void talk_ping(void *arg);
void talk_schedule(struct conn *c);

#endif
