/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SOCKS4, SOCKS4a and SOCKS5 (RFC 1928, user name and password by RFC 1929) as
 * bytes in, bytes out. Replies are read into a block of fixed size, never more
 * bytes than the protocol says. A name for the proxy to resolve is never
 * resolved here. Owned by proxy_talk.
 */
#ifndef WSB_NET_PROXY_SOCKS_H
#define WSB_NET_PROXY_SOCKS_H

#include "base/buf.h"
#include "net/proxy.h"

#define SOCKS_REPLY_MAX (4 + 1 + 255 + 2) /* the longest one: SOCKS5 with a name in it */

enum socks_state {
	SOCKS_METHOD,	/* SOCKS5: which way to authenticate */
	SOCKS_PASSWORD, /* SOCKS5: are the credentials good */
	SOCKS_REPLY,	/* is the connection made */
};

struct proxy_socks {
	const struct proxy_params *params;
	struct buf *out; /* the caller's; requests are appended */
	enum socks_state state;
	size_t have, need;
	uint8_t in[SOCKS_REPLY_MAX];
};

/* Appends the first request. False: *err says why the target or the credentials cannot be sent. */
bool proxy_socks_init(struct proxy_socks *s, const struct proxy_params *params, struct buf *out,
		      struct error *err);

/* Takes bytes off *input; what stands behind the final reply stays. */
enum proxy_result proxy_socks_feed(struct proxy_socks *s, struct span *input, struct error *err);

#endif
