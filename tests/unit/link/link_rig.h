/* SPDX-License-Identifier: Apache-2.0 */
/* One link against a server in the same loop, and what it has reported. */
#ifndef WSB_UNIT_LINK_LINK_RIG_H
#define WSB_UNIT_LINK_LINK_RIG_H

#include "link/link.h"
#include "support/world.h"

struct link_rig {
	struct world w;
	struct link *k;
	char *states; /* "connecting open ": every one since the start, as the log names them */
	char *got;    /* "text one|" */
	unsigned messages, turns, drained, pings, pongs, ends;
	char payload[128]; /* of the last ping or pong */
	int64_t delay;	   /* of the last end */
	struct session_end end;
	bool freed; /* nothing may come any more */
	/* what the test does inside a callback, if set */
	void (*on_state)(struct link_rig *r);
	void (*on_message)(struct link_rig *r);
	void (*on_ended)(struct link_rig *r);
};

/* Delays that a test can wait for. */
#define LINK_FAST                                                          \
	"'reconnect': {'initial': '10ms', 'max': '10ms', 'slow': '10ms', " \
	"'jitter': 'none'}, 'timeouts': {'close': '30ms', 'handshake': '50ms'}"

void link_rig_init(struct link_rig *r, const char *options);	  /* JSON without the url */
void link_rig_init_once(struct link_rig *r, const char *options); /* one that is not tried again */
void link_rig_deinit(struct link_rig *r);
void link_rig_free(struct link_rig *r); /* the link */
void link_rig_configure(struct link_rig *r, const char *options, bool reconnect);

void link_rig_wait(struct link_rig *r, enum link_state state);
void link_rig_open(struct link_rig *r); /* starts it and waits */
struct link_info link_rig_info(struct link_rig *r);

enum link_send_result link_rig_text(struct link_rig *r, const char *text);

#endif
