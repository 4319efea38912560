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
#include "base/msg.h"
#include "conf/bridge_conf.h"

struct endpoint;
struct loop;

/* What all endpoints of the process share: totals and their limits. Owned by the registry. */
struct endpoint_quota {
	size_t clients, max_clients;
	size_t queued, max_queued; /* bytes that wait for local clients */
};

struct endpoint_event {
	enum {
		ENDPOINT_MESSAGE,    /* msg; valid during the call */
		ENDPOINT_BAD_RECORD, /* err: what a client wrote was refused */
		ENDPOINT_CLIENT,     /* one came or went, or was refused (err) */
		ENDPOINT_DROPPED,    /* err: dropped for a slow client, first of a run */
	} type;
	struct msg msg;
	const struct error *err;
	const char *client; /* "pid 123 uid 1000", NULL if none is meant */
};

/*
 * Never called from inside a call on the endpoint. The endpoint must not be
 * freed in it; pausing it there holds back what follows.
 */
typedef void (*endpoint_cb)(void *arg, const struct endpoint_event *event);

enum endpoint_outcome {
	ENDPOINT_SENT,	 /* to every client, or counted as dropped for some */
	ENDPOINT_NOBODY, /* no client is there that would take it */
	ENDPOINT_UNFIT,	 /* the framing cannot carry it; counted */
};

struct endpoint_client {
	pid_t pid;
	uid_t uid;
	size_t queued;	  /* bytes */
	uint64_t dropped; /* messages, as are the next two */
	uint64_t sent, received;
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

enum endpoint_outcome endpoint_send(struct endpoint *e, struct msg msg);
void endpoint_flush(struct endpoint *e); /* writes what was sent; else at the end of the turn */

void endpoint_pause(struct endpoint *e); /* no MESSAGE from clients until resumed */
void endpoint_resume(struct endpoint *e);
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
	uint64_t refused_clients; /* connections over max_clients or limits.clients */
};
void endpoint_totals(const struct endpoint *e, struct endpoint_totals *out);

#endif
