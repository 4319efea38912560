/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kinds of endpoint share: the set of clients, what is sent to them,
 * what is reported of them. A kind only finds clients and gives each of them a
 * stream; its own struct begins with a struct endpoint. Owned by a bridge.
 */
#ifndef WSB_ENDPOINT_ENDPOINT_INT_H
#define WSB_ENDPOINT_ENDPOINT_INT_H

#include "base/list.h"
#include "endpoint/batch.h"
#include "endpoint/client.h"
#include "endpoint/endpoint.h"
#include "endpoint/framing.h"
#include "endpoint/replay.h"
#include "net/loop.h"

/* How often paused clients are looked at for having closed. */
#define ENDPOINT_CHECK_INTERVAL 1000000

struct endpoint_ops {
	void (*stop_accepting)(struct endpoint *e);
	/* c has left, the bridge knows, it is freed when this returns. NULL = no interest. From the
	 * loop: another one may be added in it. Not called by endpoint_free. */
	void (*left)(struct endpoint *e, struct client *c);
	/* Frees what is the kind's own, calls endpoint_deinit, frees e. */
	void (*free)(struct endpoint *e);
};

/* What goes on while somebody is there who hears or writes, or messages are kept. */
struct endpoint_work {
	struct batch batch;
	struct deferred turn_end;
	struct timer check;    /* looks at paused clients */
	struct timer deadline; /* the next one of a blocked or closing client */
};

struct endpoint {
	const struct endpoint_ops *ops;
	struct loop *loop;
	const struct endpoint_conf *conf;
	const struct endpoint_rules *rules; /* the conf's */
	struct bridge_conf *owner;
	struct endpoint_quota *quota;
	endpoint_cb cb;
	void *arg;
	struct framing framing;
	struct list clients; /* struct client.node */
	size_t n_clients;    /* on the list */
	size_t n_hearing;
	struct client *target; /* whom the batch is for; NULL = all */
	struct replay *replay; /* NULL = nothing is kept */
	/* NULL = the list is empty, and nothing is kept. Made for the first client, it goes at the
	 * end of the turn in which the last one does. */
	struct endpoint_work *work;
	bool paused, resuming;
	unsigned calling; /* depth of calls to cb */
	struct endpoint_totals totals;
};

/* The kinds. NULL: *err is ERR_ENDPOINT. */
struct endpoint *unix_endpoint_new(struct loop *l, const struct endpoint_params *params,
				   struct error *err);
struct endpoint *fifo_endpoint_new(struct loop *l, const struct endpoint_params *params,
				   struct error *err);

/* e is zeroed memory of the kind. What can fail comes before it. */
void endpoint_init(struct endpoint *e, struct loop *l, const struct endpoint_params *params,
		   const struct endpoint_ops *ops);
void endpoint_deinit(struct endpoint *e); /* with all clients */

/*
 * A client has come: CAME is reported, behind what replay gives it. From the
 * loop only. It leaves when its stream has failed, or has ended and it is deaf.
 */
struct client *endpoint_add_client(struct endpoint *e, const struct client_peer *peer);

/* May one more come (max_clients, limits.clients)? False: *err says why not. */
bool endpoint_has_place(const struct endpoint *e, struct error *err);
/* One was turned away: counted and reported. From the loop only. */
void endpoint_refuse(struct endpoint *e, const char *name, const struct error *err);

/* To the bridge; from the loop only, never from inside a call on the endpoint. */
void endpoint_emit(struct endpoint *e, const struct endpoint_event *event);

/* endpoint.c, for endpoint_events.c */
void endpoint_end_work(struct endpoint *e); /* the clients are gone; twice is fine */

/* endpoint_events.c, for endpoint.c */
void endpoint_on_client(void *arg, struct client *c, enum client_event event,
			const struct order *order, const struct error *err);
void endpoint_on_turn_end(void *arg);
void endpoint_on_check(void *arg);
void endpoint_on_deadline(void *arg);

static inline struct client *endpoint_client_of(struct list *node)
{
	return list_entry(node, struct client, node);
}

#endif
