/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which credentials go to an HTTP proxy, and what follows from a 407: Basic
 * first, or Digest if the memory holds a challenge; then the best that is
 * offered, once; a nonce that the proxy calls stale is replaced once.
 */
#ifndef WSB_NET_PROXY_AUTH_H
#define WSB_NET_PROXY_AUTH_H

#include "base/buf.h"
#include "net/auth_challenge.h"
#include "net/proxy.h"

struct http_head;

struct proxy_memory {
	bool digest;	   /* challenge is set: answer it */
	bool proven;	   /* an answer to it was accepted */
	bool renewed;	   /* stale was heard in this conversation */
	bool sent_digest;  /* in the last request; else Basic */
	unsigned refusals; /* in this conversation */
	uint32_t count;	   /* answers given to the challenge */
	struct digest_challenge challenge;
};

/*
 * Appends the Proxy-Authorization line for the next CONNECT to `uri`, or
 * nothing without credentials. False: *err is set, out may hold a part.
 */
bool proxy_auth_write(struct proxy_memory *m, const struct proxy_params *params, const char *uri,
		      struct buf *out, struct error *err);

/* Most bytes that proxy_auth_write appends. */
size_t proxy_auth_bound(const struct proxy_params *params);

/* After a 407: true, ask again with proxy_auth_write. False: it is over, *err has status 407. */
bool proxy_auth_refused(struct proxy_memory *m, const struct proxy_params *params,
			const struct http_head *head, struct error *err);

/* After any other final answer: the credentials were not what it was about. */
void proxy_auth_accepted(struct proxy_memory *m);

#endif
