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
	uint64_t failures;    /* ends since the last proven connection */
	uint64_t short_lived; /* connections in a row that were open, but not for reset_after */
};

/* Connections in a row that came and went: the link is flapping. */
#define BACKOFF_FLAPPING 3
bool backoff_is_flapping(const struct backoff *b);

enum backoff_verdict {
	BACKOFF_RETRY, /* wait for *delay, then try again */
	/* give up: reconnect.when, .attempts, .fatal_status or .fatal_close say so */
	BACKOFF_STOP,
};

/*
 * The session has ended as told; open_for is how long it was open, 0 if never.
 * *delay in microseconds, within [bound/2, bound] for equal jitter; at least BACKOFF_RESTART after
 * a close with 1012 or 1013 (RFC 6455, 7.4.1, and the registry), at least what Retry-After asked
 * for, within BACKOFF_AFTER_MIN…MAX.
 */
#define BACKOFF_RESTART ((int64_t)5 * 1000000)
#define BACKOFF_AFTER_MIN ((int64_t)1000000)
#define BACKOFF_AFTER_MAX ((int64_t)300 * 1000000)
enum backoff_verdict backoff_ended(struct backoff *b, const struct bridge_conf *conf,
				   const struct session_end *end, struct rand_source *rand,
				   int64_t *delay);

/*
 * What trying again at once cannot mend: waits grow to reconnect.slow
 * (wsbridge.json(5)).
 */
bool backoff_is_slow(const struct session_end *end);

/* The code that the peer closed with; 0 = it only answered our Close. */
int backoff_peer_code(const struct session_end *end);

/* Which option it is that says to give up, for the end that was judged last. */
enum backoff_over {
	BACKOFF_GOES_ON,
	BACKOFF_NEVER,	  /* reconnect.when */
	BACKOFF_CLEAN,	  /* reconnect.when is "abnormal", and this was none */
	BACKOFF_STATUS,	  /* reconnect.fatal_status */
	BACKOFF_CLOSE,	  /* reconnect.fatal_close */
	BACKOFF_ATTEMPTS, /* reconnect.attempts */
};
enum backoff_over backoff_over(const struct backoff *b, const struct bridge_conf *conf,
			       const struct session_end *end);

#endif
