/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a local side offers to its bridge and reports to it: messages in both
 * directions, whole ones only. Which framing it speaks is its own affair.
 * Owned by a bridge.
 */
#ifndef WSB_ENDPOINT_ENDPOINT_H
#define WSB_ENDPOINT_ENDPOINT_H

#include <sys/types.h>

#include "base/error.h"
#include "conf/bridge_conf.h"
#include "endpoint/record.h"

struct endpoint;
struct loop;

/* A client of one endpoint: never given out twice in the life of the process. 0 = none. */
typedef uint64_t client_id;

/* What all endpoints of the process share: totals and their limits. Owned by the registry. */
struct endpoint_quota {
	size_t clients, max_clients;
	size_t queued, max_queued; /* bytes that wait for local clients */
	client_id last_client;
};

struct endpoint_event {
	enum {
		ENDPOINT_ORDER,	     /* order; client, name */
		ENDPOINT_BAD_RECORD, /* err, order->id (may be empty): what it wrote was refused */
		ENDPOINT_CAME,	     /* client, name */
		ENDPOINT_ENDED,	     /* client: it will write nothing more; it may still read */
		ENDPOINT_LEFT,	     /* client, name */
		ENDPOINT_REFUSED,    /* err, name: a connection was turned away */
		ENDPOINT_DROPPED,    /* err, client, name: dropped for it, first of a run */
		ENDPOINT_ROOM,	     /* client, name: it is full, or slow, no more */
		ENDPOINT_BROKEN,     /* err: the endpoint is out of order, but tries on */
	} type;
	const struct order *order;
	const struct error *err;
	client_id client;
	const char *name; /* "pid 123 uid 1000", "fifo /run/x"; NULL if none is meant */
};

/*
 * Never called from inside a call on the endpoint. The endpoint must not be
 * freed in it; pausing it there holds back what follows. Clients of a FIFO:
 * the reader of `out` and, apart, whoever writes to `in`.
 */
typedef void (*endpoint_cb)(void *arg, struct endpoint *e, const struct endpoint_event *event);

enum endpoint_outcome {
	ENDPOINT_SENT,	 /* to every client, or counted as dropped for some */
	ENDPOINT_NOBODY, /* no client is there that would take it */
	ENDPOINT_UNFIT,	 /* the framing cannot carry it; a message is counted */
};

struct endpoint_client {
	client_id id;
	pid_t pid;	  /* 0 = unknown */
	uid_t uid;	  /* -1 = unknown */
	size_t queued;	  /* bytes */
	uint64_t dropped; /* messages, as are the next two */
	uint64_t sent, received;
	bool slow; /* messages were dropped, or reading has stopped, for it, and it still lags */
};

struct endpoint_params {
	const struct endpoint_conf *conf; /* `owner` keeps it alive */
	struct bridge_conf *owner;	  /* one reference is taken */
	struct endpoint_quota *quota;
	endpoint_cb cb;
	void *arg;
};

/* NULL: *err is ERR_ENDPOINT. Clients are served from the next turn on. */
struct endpoint *endpoint_new(struct loop *l, const struct endpoint_params *params,
			      struct error *err);
void endpoint_free(struct endpoint *e); /* at once, with its clients; NULL is fine */

/* To all clients. Encoded once. Events go to those who asked for them. */
enum endpoint_outcome endpoint_send(struct endpoint *e, const struct record *r);
/*
 * The same for n messages: the first one as *first says, but for msg, which is msgs[0]; each of
 * the others has the next seq. Several: none is a fragment. Returns how many of them, from the
 * first, were not for NOBODY: the last client may go between two of them.
 */
size_t endpoint_send_messages(struct endpoint *e, const struct record *first,
			      const struct msg *msgs, size_t n);
/* To one. It is gone, or takes no such thing: NOBODY, or UNFIT. */
enum endpoint_outcome endpoint_send_to(struct endpoint *e, client_id client,
				       const struct record *r);
void endpoint_flush(struct endpoint *e); /* writes what was sent; else at the end of the turn */

/*
 * overflow "block": some client has no room, so its bridge is to stop reading;
 * ENDPOINT_ROOM follows. Clients that stay full for block_timeout are disconnected. Flushes. In
 * a turn more may be sent all the same: nothing is lost by that.
 */
bool endpoint_is_full(struct endpoint *e);
bool endpoint_client_is_full(struct endpoint *e, client_id client);

void endpoint_pause(struct endpoint *e); /* no ORDER from clients until resumed */
void endpoint_resume(struct endpoint *e);
void endpoint_pause_client(struct endpoint *e, client_id client); /* the same for one of them */
void endpoint_resume_client(struct endpoint *e, client_id client);
/* What waits for it is still written, for a bounded time; then it is closed. LEFT follows. */
void endpoint_close_client(struct endpoint *e, client_id client);
bool endpoint_has_client(const struct endpoint *e, client_id client);
void endpoint_stop_accepting(struct endpoint *e);  /* and remove the name */
size_t endpoint_pending(const struct endpoint *e); /* bytes that still wait for clients */

const struct endpoint_conf *endpoint_configuration(const struct endpoint *e);
size_t endpoint_n_clients(const struct endpoint *e);
/* False: no such client. Their order is no promise. */
bool endpoint_client_at(const struct endpoint *e, size_t i, struct endpoint_client *out);

struct endpoint_totals {
	uint64_t dropped;	  /* messages that a client was too slow for, over all clients */
	uint64_t unfit;		  /* messages the framing could not carry */
	uint64_t replaced;	  /* messages in which a delimiter was lost (newlines: space) */
	uint64_t refused;	  /* records from clients that were refused */
	uint64_t refused_clients; /* connections: one too many, or not allowed */
};
void endpoint_totals(const struct endpoint *e, struct endpoint_totals *out);

#endif
