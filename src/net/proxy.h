/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conversation with a proxy over an open stream, until the way to the
 * target is free: HTTP CONNECT (RFC 9110, 9.3.6) with Basic and Digest
 * authentication, SOCKS4, 4a (names at the proxy), SOCKS5 (RFC 1928, 1929).
 * proxy_talk.h and what is below it is pure; proxy.c drives it over a stream.
 */
#ifndef WSB_NET_PROXY_H
#define WSB_NET_PROXY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "net/proxy_url.h"

struct loop;
struct proxy;
struct proxy_memory;
struct rand_source;
struct sockaddr;
struct stream;

/*
 * Does this kind want the target as an address (SOCKS4, SOCKS5) rather than as
 * a name? SOCKS4 can reach IPv4 only.
 */
bool proxy_wants_address(enum proxy_kind kind);

struct proxy_target {
	const char *host; /* name or literal without brackets; at most 255 bytes */
	uint16_t port;
	const struct sockaddr
		*address; /* where proxy_wants_address, else NULL; its port is not used */
};

struct proxy_params {
	enum proxy_kind kind;
	const char *user, *password; /* NULL = none; shown nowhere */
	const char *user_agent;	     /* for CONNECT, NULL = none */
	struct rand_source *rand;    /* for Digest's cnonce */
	struct proxy_memory *memory; /* for HTTP; else NULL is fine */
	struct proxy_target target;
};

/*
 * Exactly one call, never from inside proxy_start; the proxy is gone after it.
 *  - stream: the one that was given, detached again and the callee's. What is
 *    read from it next comes from the target: bytes that stood behind the
 *    proxy's answer are an error, nothing of them is left for anybody.
 *  - NULL and *err: ERR_PROXY, stage proxy; err->status for HTTP, 407 where the
 *    proxy wants other credentials. The sentence does not name the proxy.
 *  - NULL, *err and again: the proxy asked for authentication and closed. Call
 *    proxy_start with a fresh stream and the same memory; *err is for the case
 *    that there is no time left. At most twice in a row.
 */
typedef void (*proxy_cb)(void *arg, struct stream *stream, bool again, const struct error *err);

/*
 * lower: taken, not attached yet. params is copied, but not what it points to:
 * that must stay until the callback or proxy_cancel.
 */
struct proxy *proxy_start(struct loop *l, struct stream *lower, const struct proxy_params *params,
			  proxy_cb cb, void *arg);
void proxy_cancel(struct proxy *p); /* frees the stream, no callback afterwards; NULL is fine */

/*
 * What was learned about a proxy's authentication (a Digest challenge), for
 * the next connection. It belongs to one proxy and one pair of credentials:
 * when either changes, take a new one.
 */
struct proxy_memory *proxy_memory_new(void);
void proxy_memory_free(struct proxy_memory *m); /* NULL is fine */

/* What one step of the pure machines came to (proxy_talk.h and below). */
enum proxy_result {
	PROXY_MORE,  /* wants more bytes; there may be output */
	PROXY_OPEN,  /* the way is free */
	PROXY_AGAIN, /* on a new connection; *err is set */
	PROXY_BAD,   /* *err is set: ERR_PROXY, stage proxy */
};

#endif
