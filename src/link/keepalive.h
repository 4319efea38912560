/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When to ping, and when a silent peer counts as dead. Pure: it is told the
 * time and what happened, and answers what to do next. A ping is judged from
 * the moment it has left, and never while we ourselves have stopped reading.
 */
#ifndef WSB_LINK_KEEPALIVE_H
#define WSB_LINK_KEEPALIVE_H

#include <stdbool.h>
#include <stdint.h>

enum keepalive_state {
	KEEPALIVE_OFF,
	KEEPALIVE_IDLE,	    /* until the next ping is due */
	KEEPALIVE_LEAVING,  /* the ping is queued; not judged yet */
	KEEPALIVE_AWAITING, /* the ping has left; proof of life is due */
	KEEPALIVE_LOOKING, /* it is overdue; what lies in the kernel's buffer is still read first */
};

/* So long is looked into the buffers before a peer is called dead. */
#define KEEPALIVE_LOOK ((int64_t)250000)
/* After a suspension: at most so long for the answer. */
#define KEEPALIVE_CHECK ((int64_t)5 * 1000000)

/* Times on the monotonic clock, microseconds. */
struct keepalive {
	enum keepalive_state state;
	bool any;		   /* every complete frame proves life, not only the Pong */
	bool checking;		   /* after a suspension: little patience, once */
	bool paused;		   /* we are not reading: silence says nothing */
	int64_t interval, timeout; /* 0 = off; timeout 0: ping but never judge */
	int64_t next;		   /* IDLE: ping then. AWAITING: dead then */
	int64_t left;		   /* when the ping left whose Pong is still out, 0 = none */
	double rtt;		   /* of the last Pong with our payload, seconds; -1 = none yet */
	double srtt;	/* smoothed as TCP does it (RFC 6298, 2): 1/8 of each new one; -1 */
	uint64_t mark;	/* bytes at the transport when the ping left */
	uint64_t acked; /* of these, acknowledged when last looked at */
};

enum keepalive_do { KEEPALIVE_NOTHING, KEEPALIVE_PING, KEEPALIVE_DEAD };

void keepalive_start(struct keepalive *k,
		     int64_t now); /* interval, timeout, any are set by the caller */
void keepalive_stop(struct keepalive *k);

/* To be called when keepalive_due has come; it may come early. */
enum keepalive_do keepalive_tick(struct keepalive *k, int64_t now);
int64_t keepalive_due(const struct keepalive *k); /* INT64_MAX = nothing to wait for */

/* How long after a ping has left its answer may take; 0 = it is not judged. */
int64_t keepalive_patience(const struct keepalive *k);

/* Its user may set mark and acked afterwards, where the transport tells. */
void keepalive_left(struct keepalive *k, int64_t now);	/* the ping has reached the kernel */
void keepalive_heard(struct keepalive *k, int64_t now); /* a complete frame, of any kind */
void keepalive_pong(struct keepalive *k,
		    int64_t now); /* the Pong with our payload (RFC 6455, 5.5.3) */
void keepalive_pause(struct keepalive *k, bool paused, int64_t now);

/* Ping now, whatever the interval, and wait KEEPALIVE_CHECK at most; also when pings are off. */
void keepalive_check(struct keepalive *k, int64_t now);

/*
 * The other machine acknowledges bytes before the ping, but not yet the ping
 * itself: on a slow line it has not left yet. To be told before keepalive_tick where the transport
 * knows; with progress since the last time a due ping gets its whole time anew.
 */
void keepalive_acked(struct keepalive *k, uint64_t acked, int64_t now);

#endif
