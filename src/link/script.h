/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps of on_open on their way: what to send next, what is waited for,
 * what has been captured. Pure: it is told the time and the messages that come
 * in, and answers what to do. Owned by a session, which has the connection and
 * the timer. What it captures is wiped with it: it may be a key.
 */
#ifndef WSB_LINK_SCRIPT_H
#define WSB_LINK_SCRIPT_H

#include "base/error.h"
#include "base/msg.h"
#include "conf/bridge_conf.h"

struct script;

enum script_do {
	SCRIPT_SEND, /* *msg, valid until the next call; then ask again */
	SCRIPT_WAIT, /* for a message, or until script_due */
	SCRIPT_DONE,
	/* *err: ERR_TIMEOUT or ERR_PROTOCOL at STAGE_OPEN, naming the step: "on_open[2]: …" */
	SCRIPT_FAILED,
};

/*
 * secrets: one string for each secret of each step, in their order; both they and
 * conf outlive the script.
 */
struct script *script_new(const struct bridge_conf *conf, char *const *secrets);
void script_free(struct script *s); /* NULL is fine */

/* What to do now. now: monotonic, microseconds. */
enum script_do script_next(struct script *s, int64_t now, struct msg *msg, struct error *err);
int64_t script_due(const struct script *s); /* INT64_MAX = no deadline of its own */

/*
 * A message has come in; ask script_next afterwards. Returns whether local
 * clients get it: all but the one that was expected, unless that step says
 * "deliver". A fragment matches nothing.
 */
bool script_hear(struct script *s, int64_t now, struct msg msg);

/* Time that steps like {"wait": 5} were told to take so far: no deadline counts it. */
int64_t script_waited(const struct script *s);

#endif
