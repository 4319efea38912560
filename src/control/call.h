/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call under way, from its request to its one reply, and the exchange that
 * it belongs to: one line and the one line that answers it. Exchanges are
 * owned by the server's clients; an exchange owns its calls. A handler must
 * return a struct reply, which only the reply functions give, so that it
 * cannot stay silent.
 *
 *   client ─ exchange (a line) ─ call (a request; several in a batch)
 */
#ifndef WSB_CONTROL_CALL_H
#define WSB_CONTROL_CALL_H

#include "base/buf.h"
#include "base/list.h"
#include "control/params.h"
#include "control/rpc.h"
#include "control/server.h"
#include "net/loop.h"

struct call;
struct event_reader;
struct events;
struct method;

/* What all calls share. Owned by the server. */
struct call_env {
	struct control_host host;
	struct list waiting;	/* calls that have not been answered in their turn */
	size_t n_hearing;	/* of them, those that look at what comes from upstreams */
	struct events *events;	/* for subscriptions */
	bool ending;		/* the daemon: nothing new begins */
	bool over;		/* the registry is not touched any more */
	size_t control_clients; /* for `status` */
};

void call_env_init(struct call_env *env, const struct control_host *host);
void call_env_deinit(struct call_env *env);

/* The call may be gone once it is given. */
struct reply {
	char given;
};

enum call_why {
	CALL_NEWS,    /* something may have changed */
	CALL_TIMEOUT, /* its time is over: it must be answered */
};

/* Looks whether a waiting call can be answered; b is NULL when there is no such bridge any more. */
typedef struct reply call_check(struct call *c, struct bridge *b, enum call_why why);

/*
 * Looks at what comes through the bridge that a waiting call names. True: the message is the
 * answer that this call has asked for, and is not for other calls. The call may be gone then.
 */
typedef bool call_hear(struct call *c, const struct record *r);

struct call {
	struct list node, sibling; /* in env->waiting, and of its exchange */
	struct call_env *env;
	struct exchange *exchange;
	const struct method *method;
	const struct rpc_request *request; /* inside its handler only */
	json_t *id;			   /* NULL = a notification */
	struct params params;
	call_check *check; /* NULL = not waiting */
	call_hear *hear;   /* NULL = it does not listen */
	bool claims;	   /* it hears before those that do not, and may take a message away */
	bool ends_well;	   /* the end of the daemon is what it waits for */
	struct timer timer;
	int64_t deadline;     /* on the loop's clock, -1 = none */
	uint64_t epoch, mark; /* of `send`: the bytes that must have reached the kernel */
	size_t bytes;
	json_t *messages; /* of `recv`: so far */
	size_t held;	  /* what they count for */
	char payload[32]; /* of `ping` */
	int64_t left;	  /* of `ping`: when its frame was with the kernel */
};

/* result: an object, taken. */
struct reply reply_ok(struct call *c, json_t *result);
struct reply reply_error(struct call *c, const struct error *err);
/* more: members for error.data, taken. */
struct reply reply_error_with(struct call *c, const struct error *err, json_t *more);

/*
 * Not yet: `check` is asked at each event of the bridge, every second, and
 * after `timeout` microseconds (-1 = never). Later requests are answered
 * meanwhile; with reply_in_turn they wait, too.
 */
struct reply reply_later(struct call *c, call_check *check, int64_t timeout);
struct reply reply_in_turn(struct call *c, call_check *check, int64_t timeout);
struct reply reply_not_yet(struct call *c);  /* from a check */
int64_t call_patience(const struct call *c); /* its `timeout`, for reply_later; off is -1 */

/*
 * The call keeps n bytes more until it is answered. False: all that the connection keeps is too
 * much, so it is to be answered with what it has.
 */
bool call_hold(struct call *c, size_t n);

/* Before reply_later. */
void call_listen(struct call *c, call_hear *hear, bool claims);

/* Nothing is begun while the daemon ends: it would only have to be ended, too. False: *err. */
bool call_may_begin(const struct call *c, struct error *err);

/* The bridge that the call names. NULL: *err is ERR_NO_SUCH_BRIDGE with a suggestion. */
struct bridge *call_bridge(struct call *c, struct error *err);

struct exchange {
	struct list node; /* its owner's */
	bool ordered;	  /* what comes later must not be answered before it */
	bool done;
	struct span line; /* the answer with its newline, once done; empty = none is due */
	/* private */
	struct list calls;
	size_t pending; /* requests without an answer, and one while it starts */
	bool batch;
	struct buf answers; /* so far, as text */
	size_t *held;	    /* by its owner */
	size_t own_held;    /* where that does not count */
	struct event_reader *reader;
	void (*on_done)(void *arg);
	void *arg;
};

struct exchange_params {
	struct call_env *env;
	enum conf_level level; /* of the socket */
	const char *who;       /* for the log: "control pid 12 uid 0" */
	size_t max_line;
	struct event_reader *reader; /* where subscriptions go */
	size_t *held; /* bytes that its calls and answers keep; NULL = counted for each line */
	/* Called at most once, never inside exchange_new; must not free the exchange. */
	void (*on_done)(void *arg);
	void *arg;
};

/* Runs everything in the line. It may be done when this returns. The line need not stay. */
struct exchange *exchange_new(const struct exchange_params *p, struct span line);
/* The answer to a line that was skipped. */
struct exchange *exchange_too_long(const struct exchange_params *p);
/* Calls that still wait are forgotten; what they began goes on. */
void exchange_free(struct exchange *e);

void call_env_bridge_event(struct call_env *env, struct bridge *b);
size_t call_env_waiting(const struct call_env *env); /* calls that are not answered yet */
void call_env_attend(struct call_env *env); /* listens to the bridges if anybody wants it */
void call_env_finish(struct call_env *env); /* answers all that wait */

#endif
