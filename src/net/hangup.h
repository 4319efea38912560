/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notices that a peer which had closed its sending half has now closed
 * altogether. A level-triggered watch would spin on the half-close, so this
 * one is edge-triggered, on a duplicate of the descriptor (one descriptor can
 * not be watched both ways).
 */
#ifndef WSB_NET_HANGUP_H
#define WSB_NET_HANGUP_H

struct event;
struct loop;

struct hangup {
	struct event *event;
	int fd; /* the duplicate */
	void (*gone)(void *arg);
	void *arg;
};

/* gone is called once, from the loop. Out of descriptors: nothing is watched, a write will tell. */
void hangup_init(struct hangup *h, struct loop *l, int fd, void (*gone)(void *arg), void *arg);
void hangup_deinit(struct hangup *h); /* fine on a zeroed one, and twice */

#endif
