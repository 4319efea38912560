/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parameters → an open stream or one error: resolve, then connect to the
 * addresses in turn. Reports exactly once and can be cancelled at any point;
 * its user never sees a half-open thing. The deadline over the whole attempt
 * is its user's; connect_timeout bounds one address.
 */
#ifndef WSB_NET_DIAL_H
#define WSB_NET_DIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct dial;
struct dialer;
struct loop;
struct stream;

struct dial_params {
	const char *host; /* name or literal, without brackets; copied */
	uint16_t port;
	int64_t connect_timeout; /* for each address, microseconds, 0 = none */
	int64_t user_timeout;	 /* TCP_USER_TIMEOUT (tcp(7)), microseconds */
	bool nodelay;
};

/*
 * stream: not attached yet, now the callee's; NULL on failure, *err then says
 * why with its stage. peer: "192.0.2.1:443", valid during the call. The dial
 * itself is gone after the call. Never called from inside dial_start.
 */
typedef void (*dial_cb)(void *arg, struct stream *stream, const char *peer,
			const struct error *err);

/* What all attempts of a process share: the resolver. Owned by the daemon. */
struct dialer *dialer_new(struct loop *l);
void dialer_free(struct dialer *d); /* every dial must be over or cancelled */

struct dial *dial_start(struct dialer *dialer, const struct dial_params *params, dial_cb cb,
			void *arg);
void dial_cancel(struct dial *d); /* no callback afterwards; NULL is fine */

#endif
