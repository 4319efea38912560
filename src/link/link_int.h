/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What link.c (the machine), link_live.c (pings, heartbeat, silence),
 * link_tell.c (log, history, status) and link_trace.c share.
 */
#ifndef WSB_LINK_LINK_INT_H
#define WSB_LINK_LINK_INT_H

#include "link/backoff.h"
#include "link/cookies.h"
#include "link/heartbeat.h"
#include "link/history.h"
#include "link/keepalive.h"
#include "link/link.h"
#include "net/loop.h"

/* See struct link_info. */
struct link_books {
	int64_t since;
	uint64_t attempts, epoch;
	struct link_counters rx, tx;
};

/* Likewise: what connections and attempts that are over have left. */
struct link_past {
	struct error last_error;
	int64_t last_error_at;
	struct link_last_close last_close;
	uint64_t unacked, unsent;
	struct ws_packed packed_rx, packed_tx;
};

struct link {
	struct link_params env;
	struct bridge_conf *conf;
	enum link_state state;
	unsigned attempt; /* counted over all URLs */
	struct session *session;
	struct session *ended; /* the last one, for what its server answered; NULL = none */
	struct cookies cookies;
	size_t url_at;	/* of conf->urls: where the next attempt goes */
	int64_t began;	/* the attempt, monotonic */
	int64_t opened; /* the connection, monotonic */
	uint64_t n_opened;
	struct timer timer; /* WAITING: for the next attempt; OPEN: link_live_tick */
	int64_t delay;	    /* of the next attempt, once an end has been judged */
	struct backoff backoff;
	struct history history;
	char *stop_reason; /* NULL = none */
	int stop_code;
	bool paused;
	bool flapping;		  /* that has been logged */
	bool told_ktls;		  /* likewise that there is none */
	struct link_trace *trace; /* NULL: it is not traced */
	struct link_books info;	  /* the lasting part of it */
	struct link_past *past;	  /* NULL: nothing has ended yet */
	bool tx_fragment;	  /* the last message that was sent goes on (RFC 6455, 5.4) */
	bool rx_fragment;	  /* the last one that came does */
	/* link_live.c */
	bool beat_held;	 /* a heartbeat is due, but there is no place for it */
	bool rx_in_turn; /* a message has come */
	struct keepalive keepalive;
	struct heartbeat *heartbeat; /* NULL: there are none, nor is there an idle_timeout */
	uint64_t ping_mark; /* the ping has left when so much of control frames is written */
	uint64_t beat_mark; /* the heartbeat has, when so much of data frames is */
	int64_t heard_at;   /* a frame, monotonic; 0 = never */
};

static inline double link_seconds(int64_t us)
{
	return (double)us / 1e6;
}

static inline const char *link_stop_reason(const struct link *k)
{
	return k->stop_reason ? k->stop_reason : "";
}

const struct session_tap *link_tap(const struct link *k); /* for its next session; NULL = none */

/* What this connection has compressed, put to what there is. */
void link_add_packed(const struct session *s, struct ws_packed *rx, struct ws_packed *tx);

void link_live_init(struct link *k);
void link_live_deinit(struct link *k);
void link_live_tick(struct link *k);
void link_live_start(struct link *k); /* open, or open with another configuration */
void link_live_stop(struct link *k);
void link_live_paused(struct link *k);
void link_live_check(struct link *k);
void link_live_messages(struct link *k, const struct msg *msgs, size_t n);
void link_live_turn(struct link *k, bool heard);
void link_live_pong(struct link *k, struct span payload);
void link_live_written(struct link *k); /* or a message of fragments is complete */

void link_tell_state(struct link *k, enum link_state old, enum link_input input);
void link_tell_attempt(struct link *k, const struct url *url);
void link_tell_opened(struct link *k);
void link_tell_asked_end(struct link *k, const struct session_end *end);
/* delay -1: there is no attempt afterwards */
void link_tell_end(struct link *k, const struct session_end *end, int64_t delay);

#endif
