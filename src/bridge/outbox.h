/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What local clients sent and the upstream could not take yet: a bounded
 * queue, in order, whose messages have a time to live. Pure: it is told the
 * time. Owned by a bridge.
 */
#ifndef WSB_BRIDGE_OUTBOX_H
#define WSB_BRIDGE_OUTBOX_H

#include "base/list.h"
#include "base/msg.h"

struct outbox {
	struct list queue;
	size_t messages, bytes;		     /* payload bytes */
	uint64_t expired, dropped, rejected; /* messages */
};

/* What each message costs beside its payload, so that empty ones are bounded, too. */
#define OUTBOX_OVERHEAD 64

struct outbox_policy {
	size_t size;	  /* bytes, overhead included; 0 = keep nothing */
	int64_t ttl;	  /* microseconds; 0 = for ever */
	bool drop_oldest; /* when full; else the new one is refused */
};

void outbox_init(struct outbox *o);
void outbox_deinit(struct outbox *o);

/* Copies the message. False: refused and counted, with the policy or memory as the reason. */
bool outbox_push(struct outbox *o, struct msg msg, const struct outbox_policy *policy, int64_t now);

/* As push, whatever the size: for the one message the upstream had no room for. */
bool outbox_push_always(struct outbox *o, struct msg msg, const struct outbox_policy *policy,
			int64_t now);

bool outbox_peek(const struct outbox *o,
		 struct msg *msg); /* the oldest; valid until the next change */
void outbox_pop(struct outbox *o);
size_t outbox_expire(struct outbox *o,
		     int64_t now); /* counts and drops what is too old; how many */

#endif
