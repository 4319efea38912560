/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The common case, fast: messages that are one frame each and lie whole in
 * the input, one behind the other. It takes those and stops before whatever
 * is not like that, be it a mistake or not: that is left to frame.c and
 * assemble.c, so that nothing is judged in two places. Pure.
 */
#ifndef WSB_WS_RUN_H
#define WSB_WS_RUN_H

#include "base/msg.h"

struct run_rules {
	size_t max_message;
	bool validate_utf8;
};

/* Takes up to `max` of them off *in, to msgs. The caller is between two messages. */
size_t run_take(const struct run_rules *rules, struct span *in, struct msg *msgs, size_t max);

#endif
