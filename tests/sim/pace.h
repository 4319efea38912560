/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The judge of when a link tries again: wsbridge.json(5) on `reconnect`, written down a second
 * time. It hears of ends and dials, and says what it does not like.
 */
#ifndef SIM_PACE_H
#define SIM_PACE_H

#include "conf/bridge_conf.h"

#define PACE_WINDOW ((int64_t)600 * 1000000)
#define PACE_KEPT 512

struct pace {
	/* Ends since the last proven connection: not known exactly once an operator has acted. */
	unsigned least, most;
	int64_t dials[PACE_KEPT]; /* since the count began, times */
	size_t n_dials;
	int64_t last_end, last_delay; /* 0 = none that binds the next dial */
};

/* How a session ended, as the world knows it. */
struct pace_end {
	bool was_open;
	int64_t open_for;
	int status;	/* of a refusal, 0 = none */
	int close_code; /* that came from the server, or that we closed with for its faults */
	bool tls_failed;
	int64_t retry_after, retry_most; /* microseconds; -1 = not asked for; a date is not exact */
};

/* NULL, or what is wrong with waiting for `delay`. */
const char *pace_ended(struct pace *p, const struct bridge_conf *conf, const struct pace_end *end,
		       int64_t delay, int64_t now);
const char *pace_dialed(struct pace *p, const struct bridge_conf *conf, int64_t now);
void pace_excuse(struct pace *p); /* an operator has acted */

#endif
