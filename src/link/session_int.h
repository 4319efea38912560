/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What session.c (life and ends), session_open.c (the way to the upgrade),
 * session_script.c (the steps of on_open) and session_io.c (bytes) share.
 */
#ifndef WSB_LINK_SESSION_INT_H
#define WSB_LINK_SESSION_INT_H

#include "base/buf.h"
#include "base/url.h"
#include "link/session.h"
#include "net/dial.h"
#include "net/loop.h"
#include "net/stream.h"

/* Above this much unwritten output no message is taken; a single one may be larger. */
#define OUTPUT_HIGH ((size_t)1024 * 1024)
/* No limit of its own: what one message may be is limited where it comes from. */
#define OUTPUT_MAX ((size_t)2 * 1024 * 1024 * 1024)
/* Of a message above it, so much at a time: more leaves the cache, less costs system calls. */
#define PART ((size_t)384 * 1024)
/* So much is worth a system call before the turn ends. */
#define FLUSH_AT ((size_t)64 * 1024)

struct script;
struct secrets;
struct ws_conn;

enum session_state {
	WAITING_TURN, /* limits.dials_per_second */
	READING_SECRETS,
	DIALING,
	UPGRADING,
	REFUSED, /* the server has said no, and the rest of what it says is being read */
	SCRIPT,	 /* the steps of on_open */
	OPEN,
	CLOSING,
	DONE,
};

/* What the server says besides its refusal. */
struct session_refusal {
	struct buf body; /* the first of it */
	int64_t left;	 /* by Content-Length; -1 = until the end of input */
};

/* compression.release_after */
struct session_release {
	struct timer timer;
	uint64_t packed;   /* ws_conn_memory_uses when it was armed */
	uint64_t released; /* and when memory was given back last */
};

/* What it needs until it is open. */
struct session_way {
	struct session_params params;
	int64_t redirects;	 /* followed so far */
	bool foreign;		 /* one of them led to another origin */
	struct dialer_turn turn; /* WAITING_TURN */
	struct secrets *secrets;
	struct dial *dial;     /* DIALING */
	struct script *script; /* SCRIPT */
	int64_t began, asked;  /* its turn came, the request left: on the loop's clock */
};

struct session {
	session_cb cb;
	void *arg;
	const struct session_tap *tap;
	struct loop *loop;
	struct bridge_conf *conf;
	enum session_state state;
	bool was_open;
	const struct url *url;	 /* where it goes: the owner's, or `redirected` */
	struct url *redirected;	 /* NULL = it is not */
	struct session_way *way; /* NULL: it is open, or over */
	struct stream *stream;	 /* from UPGRADING on */
	struct ws_conn *conn;
	struct timer deadline;
	struct session_release *release; /* NULL: nothing was compressed yet */
	int64_t handshake;		 /* how long it took; -1 = it is not over */
	int64_t opened;			 /* on the loop's clock */
	struct dial_report *report;	 /* of the last dial; NULL = none yet */
	struct session_refusal *refusal; /* REFUSED, and later; else NULL */
	struct deferred turn_end;	 /* write; DONE: report the end, then free the memory */
	struct session_end *end;	 /* NULL: nothing is known of it; see session_end() */
	bool upgraded;			 /* it has been a WebSocket connection */
	bool paused;			 /* by the owner; counts while it is OPEN */
	bool freed;
	bool starved; /* SESSION_FULL was answered */
	bool written; /* SESSION_WRITTEN is due at the end of the turn */
	bool stalled; /* an offer fell short: the stream tells when there is room */
};

/*
 * session_open.c: from the secrets to the upgrade; begins an attempt, or goes on after a
 * redirect.
 */
void session_begin(struct session *s);
void session_on_answer(struct session *s);		      /* of the handshake, good or bad */
void session_on_refused(struct session *s, struct span body); /* follow it, or read what it says */
void session_on_body(struct session *s, struct span data);
void session_on_deadline(void *arg);
/*
 * The next stage may take `limit` (microseconds, 0 = no limit of its own) and no more than is
 * left of timeouts.open.
 */
void session_arm_deadline(struct session *s, int64_t limit);
int64_t session_open_left(const struct session *s); /* of timeouts.open; INT64_MAX = no limit */

/* Something has come or gone: compression may hold memory to be given back later. */
void session_watch_memory(struct session *s);

/* session_script.c */
void session_script_begin(struct session *s); /* upgraded: the first step */
/* A message has come; false: it is not for the owner. session_script_run follows. */
bool session_script_hear(struct session *s, struct msg msg);
void session_script_run(struct session *s);

void session_leave_way(struct session *s); /* twice is fine */

void session_emit(struct session *s, struct session_event ev);

void session_keep_report(struct session *s, const struct dial_report *report);

/* What is known of its end so far, to be filled in. */
struct session_end *session_end(struct session *s);

/*
 * The one way to DONE; err NULL: as session_end has it. The owner hears of it at the end of
 * the turn.
 */
void session_finish(struct session *s, const struct error *err);
void session_fail_at(struct session *s, enum err code, enum stage stage, const char *sentence);

void session_flush_later(struct session *s);
void session_write_out(struct session *s); /* and tell the owner what was written */
void session_on_stream(void *arg, enum stream_event event, struct span data,
		       const struct error *err);

/* What remains is to wait for the server, for this long (microseconds). Twice is fine. */
void session_enter_closing(struct session *s, int64_t wait);

#endif
