/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP CONNECT as bytes in, bytes out (RFC 9110, 9.3.6): the request, the
 * answer, and a second request on the same connection when the proxy wants
 * authentication and keeps it open. Owned by proxy_talk.
 */
#ifndef WSB_NET_PROXY_HTTP_H
#define WSB_NET_PROXY_HTTP_H

#include "base/buf.h"
#include "base/http_head.h"
#include "net/proxy.h"

#define PROXY_HEAD_MAX 16384 /* bytes of one head */
#define PROXY_INTERIM_MAX 5  /* answers 1xx */
#define PROXY_BODY_MAX 65536 /* of a 407, read and thrown away */

struct proxy_http {
	const struct proxy_params *params;
	struct proxy_memory *memory;
	struct buf *out; /* the caller's; requests are appended */
	struct http_head head;
	unsigned interim;
	size_t body_left;
	bool in_body;
	bool again; /* a 407 was read here: if the proxy closes now, start afresh */
};

/* Appends the first request. False: *err says why not; deinit all the same. */
bool proxy_http_init(struct proxy_http *h, const struct proxy_params *params,
		     struct proxy_memory *memory, struct buf *out, struct error *err);
void proxy_http_deinit(struct proxy_http *h);

/* Takes bytes off *input; what stands behind a final answer stays. */
enum proxy_result proxy_http_feed(struct proxy_http *h, struct span *input, struct error *err);

/* The proxy closed: may the caller come again on a new connection? */
bool proxy_http_may_come_again(const struct proxy_http *h);

#endif
