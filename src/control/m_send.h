/* SPDX-License-Identifier: Apache-2.0 */
/* What the methods that send share: the message that a call gives, and why it is not taken. */
#ifndef WSB_CONTROL_M_SEND_H
#define WSB_CONTROL_M_SEND_H

#include "control/call.h"

/* The message of a call; `own` is freed after it is sent. */
struct outgoing {
	struct msg msg;
	uint8_t *own;
};

/* Exactly one of the ways to give a message is there; ways_in_words: for the sentence. */
bool send_check(const struct params *p, const char *ways_in_words, struct error *err);
/* Inside the handler only. False: *err, and `own` may be set all the same. */
bool send_take(struct outgoing *out, struct call *c, struct error *err);
/* result: neither SENT nor QUEUED. */
struct reply send_refused(struct call *c, struct bridge *b, size_t bytes,
			  enum bridge_send_result result);

#endif
