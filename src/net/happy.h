/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list of addresses → one connected stream (RFC 8305): both families in
 * turn beginning with the resolver's first, a head start of 250 ms each (a
 * failure starts the next at once), at most eight addresses, the first to
 * connect wins and the others are dropped. It remembers nothing between calls.
 */
#ifndef WSB_NET_HAPPY_H
#define WSB_NET_HAPPY_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "net/socket_params.h"

struct addrinfo;
struct happy;
struct loop;
struct stream;

#define HAPPY_MAX 8

/* How one address did, for probe and explain. In the order in which they began. */
struct happy_try {
	const char *address; /* "[2001:db8::1]:443" */
	int64_t began;	     /* microseconds on the loop's clock */
	int64_t took;	     /* until connected, failed, or dropped */
	int os; /* 0 = connected; ECANCELED = another was quicker; EINPROGRESS = still at it */
};

/*
 * stream: not attached yet, the callee's; NULL: *err is ERR_CONNECT, stage
 * connect, of the address that has most to say, and with " (N addresses)" if
 * more than one was tried. tries: valid during the call. The happy is gone
 * after it; never called from inside happy_start.
 */
typedef void (*happy_cb)(void *arg, struct stream *stream, const struct happy_try *tries,
			 size_t n_tries, const struct error *err);

struct happy_params {
	const struct addrinfo *list;	    /* IPv4 and IPv6; must outlive the attempt */
	unsigned rotate;		    /* begin with another address: the attempt's number */
	const struct socket_params *socket; /* copied */
	int64_t timeout;		    /* for one address, microseconds, 0 = none */
};
struct happy *happy_start(struct loop *l, const struct happy_params *params, happy_cb cb,
			  void *arg);
void happy_cancel(struct happy *h); /* no callback afterwards; NULL is fine */

/* What has been tried so far; valid until the loop's next turn. */
const struct happy_try *happy_tries(struct happy *h, size_t *n);

/*
 * Which addresses of the list an attempt tries, in which order; how many. Of
 * more than HAPPY_MAX, each attempt takes the next HAPPY_MAX, round and round.
 * Pure; family AF_UNSPEC is both.
 */
size_t happy_order(const struct addrinfo *list, int family, unsigned rotate,
		   const struct addrinfo *order[HAPPY_MAX]);

#endif
