/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long to wait before the next attempt. Pure: time and randomness come in
 * as arguments. Every end waits, also that of an open connection; the delay
 * starts over only after a connection has proven itself.
 */
#ifndef WSB_LINK_BACKOFF_H
#define WSB_LINK_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/bridge_conf.h"
#include "link/session.h"

struct rand_source;

struct backoff {
	uint64_t failures; /* ends since the last proven connection */
};

enum backoff_verdict {
	BACKOFF_RETRY, /* wait for *delay, then try again */
	BACKOFF_STOP,  /* give up: reconnect.when or reconnect.attempts say so */
};

/*
 * The session has ended as told; open_for is how long it was open, 0 if never.
 * *delay in microseconds, within [bound/2, bound] for equal jitter.
 */
enum backoff_verdict backoff_ended(struct backoff *b, const struct bridge_conf *conf,
				   const struct session_end *end, struct rand_source *rand,
				   int64_t *delay);

/*
 * What trying again at once cannot mend: waits grow to reconnect.slow
 * (wsbridge.json(5)).
 */
bool backoff_is_slow(const struct session_end *end);

#endif
