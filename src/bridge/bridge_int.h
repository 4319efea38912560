/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of a bridge share: bridge.c its life and configuration,
 * bridge_in.c what comes from the link, bridge_out.c what comes from local
 * clients, bridge_private.c the pairs of private sharing, bridge_info.c what
 * there is to tell, bridge_trace.c what goes to the log of a trace.
 */
#ifndef WSB_BRIDGE_BRIDGE_INT_H
#define WSB_BRIDGE_BRIDGE_INT_H

#include "base/list.h"
#include "bridge/bridge.h"
#include "bridge/lane.h"
#include "link/history.h"

#define BRIDGE_BIG_MESSAGE 65536 /* from here on a full client is noticed before the turn ends */

/* What the links of pairs that are over leave behind. */
struct bridge_past {
	struct link_counters rx, tx;
	struct ws_packed packed_rx, packed_tx;
	uint64_t epoch, unacked, unsent, expired, dropped, rejected;
	struct error last_error;
	int64_t last_error_at;
	int close_code;
	char close_reason[160];
	bool close_clean;
	struct history history; /* of the last one */
};

/* What private sharing needs besides the pairs themselves. */
struct pairing {
	uint64_t made; /* pairs, ever */
	struct deferred sweep;
	struct bridge_past *past; /* NULL = none is over yet */
};

struct bridge {
	const struct bridge_env *env;
	struct bridge_conf *conf;
	struct link *link; /* of shared sharing */
	struct lane lane;
	struct endpoint **endpoints; /* as many as conf has; NULL = it could not be made */
	size_t n_endpoints;
	struct error *endpoint_error; /* NULL: all were made */
	bool wanted;		      /* started, and not stopped since */
	struct timer linger;	      /* on-demand: nobody is attached any more */
	/* inbound */
	uint64_t seq;
	int64_t time; /* microseconds since 1970, read once a turn; 0 = not yet */
	uint64_t unheard;
	bool paused; /* reading waits for a slow local client */
	/* private */
	struct list pairs;
	struct pairing *pairing; /* NULL = there was none yet */
	const char *shown;	 /* the state that was shown last */
	int64_t since;
	struct bridge_trace *trace; /* NULL: it is not traced */
	char object[];		    /* for the log */
};

size_t bridge_attached(const struct bridge *b);	     /* local clients */
bool bridge_has_client(void *arg, client_id client); /* arg: the bridge */

static inline bool bridge_is_shown(const struct bridge *b)
{
	return b->env->tap && b->env->tap->cb;
}

static inline void bridge_show(struct bridge *b, const struct record *r)
{
	if (bridge_is_shown(b))
		b->env->tap->cb(b->env->tap->arg, b, r);
}

/* bridge.c */
void bridge_changed(struct bridge *b); /* tells the owner that the state may be another */
/* On demand: somebody wants the connection now. Does nothing for other bridges, as the next two. */
void bridge_demand(struct bridge *b);
void bridge_demand_anew(struct bridge *b); /* the first client: also where all was given up */
void bridge_linger(struct bridge *b);	   /* nobody is attached: it ends in a while */

/* bridge_in.c */
int64_t bridge_now(void);		    /* microseconds since 1970 */
int64_t bridge_turn_time(struct bridge *b); /* the same, read once a turn of the link */
void bridge_on_link(void *arg, const struct link_event *ev); /* arg: the bridge */
void bridge_check_room(struct bridge *b); /* stops or resumes reading for "block" */
/* Of an open and of an ended connection; they borrow from their arguments. */
struct record bridge_open_record(const struct link_info *info, const char *url);
struct record bridge_end_record(const struct link_event *ended);

/* bridge_out.c */
/* arg: the bridge */
void bridge_on_endpoint(void *arg, struct endpoint *e, const struct endpoint_event *ev);
void bridge_hold(void *arg, bool hold);
void bridge_tell(void *arg, client_id client, const struct record *r);

/* bridge_trace.c */
void bridge_trace_free(struct bridge *b); /* the links are gone */

/* bridge_private.c */
void pairs_init(struct bridge *b);
void pair_came(struct bridge *b, struct endpoint *e, client_id client);
void pair_order(struct bridge *b, client_id client, const struct order *o);
void pair_ended(struct bridge *b, client_id client);
void pair_left(struct bridge *b, client_id client);
void pairs_check_room(struct bridge *b);
void pairs_forget_gone(struct bridge *b);
void pairs_configure(struct bridge *b);
void pairs_stop(struct bridge *b, int code, const char *reason);
void pairs_check(struct bridge *b); /* see link_check */
void pairs_free(struct bridge *b);
bool pairs_have_session(const struct bridge *b);
/* The link that stands for all: an open one if there is one, else the newest; NULL = none. */
struct link *pairs_link(const struct bridge *b);
struct link *pair_link(const struct bridge *b, client_id client); /* NULL = it has none */
const struct history *pairs_history(const struct bridge *b);	  /* of the newest link */
void pairs_add_info(struct bridge *b, struct bridge_info *info);

#endif
