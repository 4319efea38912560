/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two timers that look at messages: an application-level heartbeat, which
 * may want an answer, and idle_timeout. Pure, as keepalive.h. Judged from when the message has
 * left, and never while we ourselves have stopped reading.
 */
#ifndef WSB_LINK_HEARTBEAT_H
#define WSB_LINK_HEARTBEAT_H

#include "base/msg.h"
#include "conf/bridge_conf.h"

/* Times on the monotonic clock, microseconds. */
struct heartbeat {
	enum {
		HEARTBEAT_OFF,
		HEARTBEAT_IDLE,	    /* until the next message is due */
		HEARTBEAT_LEAVING,  /* it is queued; not judged yet */
		HEARTBEAT_AWAITING, /* it has left; the answer is due */
		HEARTBEAT_LOOKING,  /* overdue; what lies in the buffers is still read first */
	} state;
	int64_t interval, timeout;	 /* 0 = off; timeout 0: nothing is expected */
	const struct conf_match *expect; /* NULL = nothing */
	int64_t next;
	int64_t idle_timeout, idle_at; /* 0 = off; when idle_timeout strikes */
	bool idle_looking;	       /* it has struck; the buffers are still read */
	bool paused;
};

enum heartbeat_do { HEARTBEAT_NOTHING, HEARTBEAT_SEND, HEARTBEAT_DEAD, HEARTBEAT_SILENT };

/* The configuration outlives it, or heartbeat_start is called again. */
void heartbeat_start(struct heartbeat *h, const struct bridge_conf *conf, int64_t now);
void heartbeat_stop(struct heartbeat *h);
int64_t heartbeat_due(const struct heartbeat *h); /* INT64_MAX = nothing to wait for */
/*
 * When it is due; may come early. SEND: send the message, then tell when it has left. DEAD: no
 * answer to a heartbeat. SILENT: idle_timeout. The machine is off after these two.
 */
enum heartbeat_do heartbeat_tick(struct heartbeat *h, int64_t now);
void heartbeat_left(struct heartbeat *h, int64_t now);
void heartbeat_message(struct heartbeat *h, struct msg msg, int64_t now); /* one has come in */
/* No matching is needed for the messages of this turn: they only end the silence. */
bool heartbeat_expects(const struct heartbeat *h);
void heartbeat_heard(struct heartbeat *h, int64_t now); /* messages have come in */
void heartbeat_pause(struct heartbeat *h, bool paused, int64_t now);

#endif
