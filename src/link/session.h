/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One attempt, one TCP life: its turn, dial, upgrade, the steps of on_open,
 * open, closing. It moves bytes between a stream and ws_conn, and has the
 * deadlines of opening and closing; timeouts.open counts from its turn.
 * It never tries again: that is the link's affair, and a new attempt inherits
 * nothing. Owned by a link.
 *
 * Its promise: SESSION_OPENED at most once; SESSION_ENDED exactly once, last;
 * after session_close no SESSION_OPENED any more; after session_free nothing.
 */
#ifndef WSB_LINK_SESSION_H
#define WSB_LINK_SESSION_H

#include "base/error.h"
#include "base/msg.h"
#include "conf/bridge_conf.h"
#include "ws/conn.h"

struct cookies;
struct dial_report;
struct dialer;
struct loop;
struct rand_source;
struct session;
struct tls_info;
struct url;
struct ws_wire;

struct session_end {
	struct error err; /* ERR_NONE: ended by a Close in order */
	int close_code;	  /* RFC 6455, 7.1.5: the peer's code, 1005, or 1006 if no Close came */
	char reason[160]; /* escaped */
	bool clean;	  /* Close frames went both ways */
	bool ours;	  /* our Close was the first: the peer's code is only an answer to it */
	bool was_open;
	int64_t open_for;    /* microseconds */
	size_t partial;	     /* bytes of a message that was cut off */
	int64_t retry_after; /* microseconds, at least 1, as the refusal asks; 0 = it does not */
	/*
	 * Bytes of ours whose fate is unknown: not written, and at the transport written but not
	 * acknowledged.
	 */
	uint64_t unsent, unacked;
};

struct session_event {
	enum {
		SESSION_UPGRADED, /* there is a connection; the steps of on_open follow */
		SESSION_OPENED,	  /* the steps are done */
		SESSION_MESSAGES, /* msgs: n_msgs in order; also before OPENED */
		SESSION_PING,	  /* payload; it is answered already */
		SESSION_PONG,	  /* payload */
		SESSION_TURN,	  /* what one read brought has been delivered; heard */
		SESSION_WRITTEN,  /* output has reached the kernel */
		SESSION_ENDED,	  /* end */
	} type;
	const struct msg
		*msgs; /* valid during the call, as payload; of several none is a fragment */
	size_t n_msgs;
	struct span payload;
	bool heard; /* there was a complete frame in it, of whatever kind */
	bool room;  /* after SESSION_FULL: there is room again, or there always was */
	const struct session_end *end;
};

/* From the loop only. The session must not be freed in it, but for SESSION_ENDED. */
typedef void (*session_cb)(void *arg, const struct session_event *event);

/*
 * Sees the bytes of a connection as they pass, from the request on. begin: the request of a
 * connection is next; also after a redirect. It calls nothing of ours.
 */
struct session_tap {
	void (*begin)(void *arg, struct bridge_conf *conf);
	void (*pass)(void *arg, bool sent, struct span bytes);
	void *arg;
};

struct session_params {
	struct loop *loop;
	struct dialer *dialer;
	struct rand_source *rand;
	struct cookies *cookies;       /* what handshakes set and get; the owner's */
	struct bridge_conf *conf;      /* a reference is taken: a session ends as it began */
	const struct url *url;	       /* one of conf's */
	unsigned attempt;	       /* its number: the next one begins with another address */
	const struct session_tap *tap; /* NULL = nobody looks; outlives the session */
	session_cb cb;
	void *arg;
};

struct session *session_new(const struct session_params *params); /* waits for its turn, dials */
/* Drops what is there; memory goes at the end of the turn; NULL is fine. */
void session_free(struct session *s);

/* Another one looks from now on, or nobody (NULL). It outlives the session. */
void session_set_tap(struct session *s, const struct session_tap *tap);
/* Where the bytes stand that a tap will see next. False: there is no connection. */
bool session_wire(const struct session *s, struct ws_wire *wire);
struct bridge_conf *session_conf(const struct session *s); /* that it began with */

/*
 * From the upgrade on: the close handshake (RFC 6455, 7.1.2), bounded by timeouts.close.
 * Earlier: given up at once. SESSION_ENDED follows, from the loop. Twice is fine.
 */
void session_close(struct session *s, int code, const char *reason);

/*
 * No more is read until resumed; what was read is still delivered. It counts while the session
 * is open: a handshake, the steps of on_open and a close handshake go on.
 */
void session_pause(struct session *s, bool paused);

/*
 * Drops the connection for a reason of ours (no answer to a ping); SESSION_ENDED with it
 * follows.
 */
void session_abort(struct session *s, const struct error *why);

enum session_send_result { SESSION_SENT, SESSION_FULL, SESSION_NOT_OPEN };

/*
 * SESSION_FULL: SESSION_WRITTEN follows when there is room again. Written at the end of the
 * turn.
 */
enum session_send_result session_send(struct session *s, struct msg msg);
/* Whole messages, as many, from the first, as it takes now; of the next one session_send tells. */
size_t session_send_run(struct session *s, const struct msg *msgs, size_t n);
enum session_send_result session_ping(struct session *s, struct span payload);
enum session_send_result session_pong(struct session *s, struct span payload);
void session_flush(struct session *s); /* now */

/* So much waits that no message is taken. Pings and Pongs are, which is their sender's concern. */
bool session_is_full(const struct session *s);

/* Wire bytes so far; see ws/conn.h. Written = taken by the kernel. */
struct session_progress {
	uint64_t data_queued, data_written, control_queued, control_written;
};
struct session_progress session_progress(const struct session *s);

/* Bytes at the transport; false: it does not tell. */
bool session_acked(const struct session *s, uint64_t *written, uint64_t *acked);

#define SESSION_BODY_MAX 4096

/* What there is to tell of it; pointers are valid until the loop's next turn. */
struct session_details {
	const struct url *url;		   /* where it goes, or went, after redirects */
	const char *peer;		   /* NULL = not connected */
	const char *subprotocol;	   /* NULL = none */
	struct ws_compression compression; /* off if there is none */
	struct span head;		   /* of the handshake's response; see http_head_again */
	struct span body;		   /* of a refusal: its first SESSION_BODY_MAX bytes */
	const struct tls_info *tls;	   /* NULL = none */
	const struct dial_report *report;  /* of the last dial, NULL = none yet */
	int64_t handshake;		   /* microseconds it took, -1 = not over */
};

void session_details(const struct session *s, struct session_details *out);

#endif
