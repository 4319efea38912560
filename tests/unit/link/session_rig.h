/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One session against a server in the same loop, and what it has reported.
 * What a session promises about the order and number of its events is checked
 * at every one of them.
 */
#ifndef WSB_UNIT_LINK_SESSION_RIG_H
#define WSB_UNIT_LINK_SESSION_RIG_H

#include "link/cookies.h"
#include "link/session.h"
#include "support/world.h"

struct session_rig {
	struct world w;
	struct session *s;
	struct cookies cookies;
	unsigned upgraded, opened, ended, written, pings, pongs, turns, heard, messages;
	char *got;		   /* "text one|binary two|" */
	char ping[128], pong[128]; /* the last ones */
	struct session_end end;
	bool close_asked;
	bool freed; /* by the test: nothing may come any more */
	/* what the test does inside a callback, if set */
	void (*on_upgraded)(struct session_rig *r);
	void (*on_opened)(struct session_rig *r);
	void (*on_message)(struct session_rig *r);
	void (*on_turn)(struct session_rig *r);
};

void session_rig_init(struct session_rig *r);
void session_rig_begin(struct session_rig *r, const char *options); /* JSON without the url */
void session_rig_begin_at(struct session_rig *r, const char *url, const char *options);
void session_rig_upgrade(struct session_rig *r, const char *options); /* and wait for that */
void session_rig_open(struct session_rig *r, const char *options); /* and wait until it is open */
void session_rig_close(struct session_rig *r, int code, const char *reason);
void session_rig_free(struct session_rig *r); /* the session */
void session_rig_deinit(struct session_rig *r);

struct session_details session_rig_details(const struct session_rig *r);
enum session_send_result session_rig_text(struct session_rig *r, const char *text);

#endif
