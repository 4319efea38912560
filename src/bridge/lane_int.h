/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of a lane share: its rate, and messages in several fragments (RFC 6455, 5.4). */
#ifndef WSB_BRIDGE_LANE_INT_H
#define WSB_BRIDGE_LANE_INT_H

#include "bridge/lane.h"

/* Tells the sender, if it gave an id. why: what follows the name of the bridge. */
void lane_refuse(struct lane *l, const struct outbox_item *item, enum err code, const char *why);

/*
 * What is half on the wire cannot be ended honestly but by a new connection. It comes back in
 * here as lane_closed: the last thing to be done.
 */
void lane_remake(struct lane *l, const char *why);

/*
 * The common case, whole messages with nothing in their way and nobody who waits for an answer:
 * as many as the link takes, from the first. Of the next one lane_order tells.
 */
size_t lane_run(struct lane *l, const struct msg *msgs, size_t n);

void lane_rate_follow(struct lane *l); /* makes, changes or drops the bucket, as the conf says */
void lane_rate_deinit(struct lane *l);

enum lane_part_kind {
	LANE_WHOLE,
	LANE_PART,    /* and item->part is set */
	LANE_REFUSED, /* done with: the sender has been told */
};
void lane_parts_deinit(struct lane *l); /* twice is fine */
void lane_part_passed(struct lane *l);	/* a fragment that is not the last is on the wire */
enum lane_part_kind lane_part(struct lane *l, struct outbox_item *item);
void lane_part_refused(struct lane *l, const struct outbox_item *item); /* nor is the rest taken */
void lane_parts_lost(struct lane *l);					/* the connection is gone */
client_id lane_part_talker(const struct lane *l, size_t i); /* 0 = there are not so many */
/* True: half a message of it is on the wire, and nobody is there to end it. */
bool lane_part_left(struct lane *l, client_id client);

#endif
