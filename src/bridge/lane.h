/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way upstream over one link: what local clients order goes to the link
 * or, while that is not open, has no room, or has sent enough for now, into
 * the outbox. Order is kept by one rule: nothing passes the outbox while
 * something is in it, but fragments of the message that is on the wire. Who
 * gave his message an id hears what became of it. Part of a bridge, or of a pair.
 */
#ifndef WSB_BRIDGE_LANE_H
#define WSB_BRIDGE_LANE_H

#include "base/bucket.h"
#include "bridge/bridge.h"
#include "bridge/outbox.h"
#include "bridge/receipts.h"
#include "net/loop.h"

struct lane_params {
	struct loop *loop;
	const char *object;	  /* for the log; must stay */
	struct bridge_conf *conf; /* a reference is taken */
	struct link *link;
	/*
	 * One client only, which is held back until it is open: what cannot go yet is kept,
	 * whatever the outbox's limits, and the client held.
	 */
	bool sole;
	void (*hold)(void *arg, bool hold); /* local input is to wait, or may go on */
	/* what became of an order; the record has no time */
	void (*tell)(void *arg, client_id client, const struct record *r);
	void *arg;
};

struct lane {
	struct lane_params env;
	struct outbox outbox;
	struct receipts receipts;
	struct bucket *bucket;	  /* NULL: as many as there are may go */
	struct timer timer;	  /* the next token, or the next that expires */
	client_id wire;		  /* whose message of several fragments is on its way; 0 = none */
	bool torn;		  /* a fragment of it is lost */
	struct lane_parts *parts; /* NULL: there were no fragments in this connection */
	bool held;
	bool refusing; /* the outbox has refused a message since it last was open: said once */
};

void lane_init(struct lane *l, const struct lane_params *params);
void lane_deinit(struct lane *l); /* tells nobody; twice is fine */
void lane_configure(struct lane *l, struct bridge_conf *conf);

void lane_await_open(struct lane *l); /* local input waits until it is open */
void lane_order(struct lane *l, client_id client, const struct order *o);
void lane_left(struct lane *l, client_id client); /* it will order nothing more */
/* Clients that have vanished without a word. */
void lane_forget_gone(struct lane *l, bool (*is_there)(void *arg, client_id client), void *arg);
enum bridge_send_result lane_send(struct lane *l, struct msg msg, bool queue); /* nobody is told */

/* To be told of the link's events. */
void lane_opened(struct lane *l);
void lane_closed(struct lane *l); /* not open any more; twice is fine */
void lane_drained(struct lane *l);
void lane_settle(struct lane *l); /* tells those whose messages the kernel has */
/* The connection is over, which may be long after it was open: tells also those it has not. */
void lane_ended(struct lane *l);

/* Nothing waits for the link, nor in it for the kernel. */
bool lane_is_through(const struct lane *l);

#endif
