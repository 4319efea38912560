/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What local clients sent and the upstream could not take yet: a bounded
 * queue, in order, whose messages have a time to live. Fragments of a message
 * (parts) do not expire and make no room for others: half a message is worse
 * than none, so their owner takes them out himself. Pure: it is told the time.
 * Part of a lane.
 */
#ifndef WSB_BRIDGE_OUTBOX_H
#define WSB_BRIDGE_OUTBOX_H

#include "base/list.h"
#include "base/msg.h"

struct outbox_item {
	uint64_t client; /* who sent it; 0 = nobody who is told */
	struct span id;	 /* what the client calls it, as JSON; empty = it has no name */
	struct msg msg;
	bool part; /* it belongs to a message of several fragments */
};

enum outbox_loss {
	OUTBOX_EXPIRED,
	OUTBOX_DROPPED, /* for a newer one */
	OUTBOX_PURGED,	/* by outbox_purge_parts; counted as rejected */
};

/* One is lost; the item is valid during the call, which must leave the outbox alone. */
typedef void (*outbox_cb)(void *arg, const struct outbox_item *item, enum outbox_loss why);

struct outbox {
	struct list queue;
	size_t messages, bytes;		     /* payload bytes */
	size_t ids;			     /* bytes of all ids */
	uint64_t expired, dropped, rejected; /* messages */
	outbox_cb lost;
	void *arg;
};

/* What each message costs beside its payload and id, so that empty ones are bounded, too. */
#define OUTBOX_OVERHEAD 64

struct outbox_policy {
	size_t size;	  /* bytes, overhead included; 0 = keep nothing */
	int64_t ttl;	  /* microseconds; 0 = for ever */
	bool drop_oldest; /* when full; else the new one is refused */
};

void outbox_init(struct outbox *o, outbox_cb lost, void *arg);
void outbox_deinit(struct outbox *o); /* tells nobody */

/* Copies the message. False: refused and counted, with the policy or memory as the reason. */
bool outbox_push(struct outbox *o, const struct outbox_item *item,
		 const struct outbox_policy *policy, int64_t now);

/* As push, whatever the size: for the one message the upstream had no room for. */
bool outbox_push_always(struct outbox *o, const struct outbox_item *item,
			const struct outbox_policy *policy, int64_t now);

/*
 * The oldest, or with client != 0 the oldest of that client. NULL: there is
 * none. Valid until the next change.
 */
const struct outbox_item *outbox_first(const struct outbox *o, uint64_t client);
void outbox_pop(struct outbox *o, const struct outbox_item *item); /* one that outbox_first gave */

size_t outbox_expire(struct outbox *o, int64_t now); /* drops what is too old; how many */
int64_t outbox_due(const struct outbox *o); /* when the next one expires, INT64_MAX = never */
/* Of the message that this client has not ended; 0 = all parts of all clients. */
void outbox_purge_parts(struct outbox *o, uint64_t client);

#endif
