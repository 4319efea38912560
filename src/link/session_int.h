/* SPDX-License-Identifier: Apache-2.0 */
/* What session.c (life and ends) and session_io.c (bytes) share. */
#ifndef WSB_LINK_SESSION_INT_H
#define WSB_LINK_SESSION_INT_H

#include "link/session.h"
#include "net/loop.h"
#include "net/stream.h"

/* Above this much unwritten output no message is taken; a single one may be larger. */
#define OUTPUT_HIGH ((size_t)1024 * 1024)
/* No limit of its own: what one message may be is limited where it comes from. */
#define OUTPUT_MAX ((size_t)2 * 1024 * 1024 * 1024)
/* So much is worth a system call before the turn ends. */
#define FLUSH_AT ((size_t)64 * 1024)

struct dial;
struct ws_conn;

enum session_state { DIALING, UPGRADING, OPEN, CLOSING, DONE };

struct session {
	struct loop *loop;
	struct rand_source *rand;
	struct bridge_conf *conf;
	session_cb cb;
	void *arg;
	enum session_state state;
	struct dial *dial;     /* DIALING */
	struct stream *stream; /* from UPGRADING on */
	struct ws_conn *conn;
	struct timer deadline;
	int64_t began, opened;
	struct deferred flush; /* end of turn: write */
	struct deferred gone;  /* end of turn: report the end, then free the memory */
	struct session_end end;
	uint64_t tx_queued, tx_done;
	bool freed;
	bool starved; /* SESSION_FULL was answered */
	bool written; /* SESSION_WRITTEN is due at the end of the turn */
	char peer[80];
};

void session_emit(struct session *s, struct session_event ev);

/*
 * The one way to DONE; err NULL: as s->end.err has it. The owner hears of it at the end of
 * the turn.
 */
void session_finish(struct session *s, const struct error *err);
void session_fail_at(struct session *s, enum err code, enum stage stage, const char *sentence);

void session_flush_later(struct session *s);
void session_on_end_of_turn(void *arg);
void session_on_stream(void *arg, enum stream_event event, struct span data,
		       const struct error *err);

/* What remains is to wait for the server, for this long (microseconds). Twice is fine. */
void session_enter_closing(struct session *s, int64_t wait);

#endif
