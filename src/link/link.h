/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One upstream, for as long as it is configured: it makes sessions, waits
 * between them, pings, counts, and remembers why the last one ended. Its
 * policy is the table in link_fsm.c. Owned by a bridge.
 */
#ifndef WSB_LINK_LINK_H
#define WSB_LINK_LINK_H

#include "base/error.h"
#include "base/msg.h"
#include "conf/bridge_conf.h"
#include "link/link_fsm.h"
#include "link/session.h"

struct dialer;
struct history;
struct http_head;
struct link;
struct loop;
struct rand_source;
struct trace_budget;

struct link_event {
	enum {
		LINK_STATE,
		LINK_MESSAGES, /* msgs: n_msgs in order */
		LINK_PING,     /* payload */
		LINK_PONG,     /* payload */
		LINK_TURN,
		LINK_DRAINED,
		LINK_ENDED, /* end, delay; LINK_STATE follows */
	} type;
	const struct msg *msgs; /* valid during the call, as payload and end */
	size_t n_msgs;
	bool continued; /* the first goes on from the fragment before it (RFC 6455, 5.4) */
	struct span payload;
	const struct session_end *end;
	int64_t delay; /* until the next attempt, microseconds; -1 = there is none */
};

/*
 * LINK_STATE: link_state has changed (from the loop, or from inside start,
 * stop, reconnect). LINK_TURN: the messages of one read are all delivered.
 * LINK_DRAINED: after an answer LINK_FULL there is room again, or the output
 * has reached the kernel. LINK_ENDED: a connection, or an attempt, is over. Messages may come
 * before the state is open, from the steps of on_open. The link must not be freed in the call.
 */
typedef void (*link_cb)(void *arg, const struct link_event *event);

enum link_send_result { LINK_SENT, LINK_FULL, LINK_NOT_OPEN };

struct link_counters {
	uint64_t messages, bytes; /* payload bytes */
};

struct link_info {
	enum link_state state;
	int64_t since;		 /* seconds since 1970, of the last change of state */
	uint64_t attempts;	 /* since the last open connection */
	uint64_t reconnects;	 /* connections opened after the first one */
	uint64_t epoch;		 /* connections made: WebSocket handshakes that succeeded */
	double retry_in;	 /* seconds, -1 = no attempt is planned */
	struct error last_error; /* ERR_NONE = none so far */
	int64_t last_error_at;	 /* seconds since 1970 */
	struct link_last_close {
		int code;	  /* 0 = none so far; 1005, 1006 as RFC 6455, 7.4.1 */
		char reason[160]; /* escaped */
		bool clean;
	} last_close;
	double rtt;	/* seconds, -1 = unknown */
	double last_rx; /* age of the last complete frame in seconds, -1 = none yet */
	struct link_counters rx, tx;
	struct ws_packed packed_rx, packed_tx; /* of these, what was compressed; all connections */
	double srtt;			       /* smoothed, seconds, -1 = unknown */
	bool flapping;	  /* connections come and do not stay for reconnect.reset_after */
	uint64_t unacked; /* bytes, of all ended connections: written, never acknowledged */
	uint64_t unsent;  /* bytes, of all ended connections: encoded, never written */
	struct session_progress progress; /* of this epoch */
	struct session_details details;	  /* of the connection, or of the last one that was tried */
};

struct link_params {
	struct loop *loop;
	struct dialer *dialer;
	struct rand_source *rand;
	struct bridge_conf *conf; /* a reference is taken */
	const char *object;	  /* for the log; must stay */
	bool once;		  /* no attempt after the first end: state gave up */
	link_cb cb;
	void *arg;
};

struct link *link_new(const struct link_params *params); /* stopped */
void link_free(struct link *k);				 /* drops the connection; NULL is fine */

void link_start(struct link *k);
/*
 * Close handshake with this code (RFC 6455, 7.4), bounded by timeouts.close; no attempt
 * afterwards. reason: at most 123 bytes.
 */
void link_stop(struct link *k, int code, const char *reason);
void link_reconnect(struct link *k); /* drops what is there and dials now */
/*
 * A local client has ended the conversation: close handshake of the open connection, which is
 * judged as any other end. Nothing is sent afterwards; does nothing where none is open.
 */
void link_close(struct link *k, int code, const char *reason);
void link_configure(struct link *k, struct bridge_conf *conf,
		    bool reconnect); /* takes its own reference */

/*
 * Reading stops until resumed, across reconnects, and nothing is judged dead meanwhile
 * (that also stops Pings, Pongs and Close: who pauses has a time limit). The steps of
 * on_open and a close handshake of ours are read all the same.
 */
void link_pause(struct link *k, bool paused);
/* The machine was suspended: is the connection still there? A link that waits tries now. */
void link_check(struct link *k);
uint64_t link_epoch(const struct link *k);
struct session_progress link_progress(
	const struct link *k); /* of this epoch, also while it closes; else zeros */
const struct history *link_history(const struct link *k);

enum link_send_result link_send(struct link *k, struct msg msg);
/* Whole messages, as many, from the first, as it takes now; of the next one link_send tells. */
size_t link_send_run(struct link *k, const struct msg *msgs, size_t n);
enum link_send_result link_ping(struct link *k, struct span payload); /* at most 125 bytes */
enum link_send_result link_pong(struct link *k, struct span payload);
void link_flush(struct link *k); /* now instead of at the end of the turn */

/*
 * From now on the heads and the headers of frames are shown as lines (see wire_trace.h), those of a
 * connection that is there from the next frames on. lines: whole ones; it must not touch the
 * link. budget: theirs who ask; it outlives the link, and may be another one's, too. plain: see
 * struct wire_trace. A second call takes the place of the first.
 */
struct link_tracer {
	struct trace_budget *budget;
	bool plain;
	void (*lines)(void *arg, struct span lines);
	void *arg;
};
void link_trace(struct link *k, const struct link_tracer *to); /* NULL: no more */

enum link_state link_state(const struct link *k);
bool link_is_open(const struct link *k);
bool link_has_session(const struct link *k);
void link_info(struct link *k,
	       struct link_info *info); /* pointers in it are valid until the next turn */

#endif
