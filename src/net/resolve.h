/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names → addresses through getaddrinfo (so nsswitch, mDNS and the hosts file
 * are honoured) in at most four worker threads, so that a dead name server
 * never blocks the loop. A cancelled look-up is abandoned: its thread ends
 * when the resolver gives up. Literals are answered without a thread.
 */
#ifndef WSB_NET_RESOLVE_H
#define WSB_NET_RESOLVE_H

#include <stdint.h>

#include "base/error.h"

struct addrinfo;
struct loop;
struct resolve;
struct resolver;

/*
 * list: in the resolver's order (RFC 6724), the callee frees it with
 * freeaddrinfo; NULL on failure, *err is ERR_ADDRESS with stage resolve. The
 * resolve is gone after the call. Never called from inside resolve_start.
 */
typedef void (*resolve_cb)(void *arg, struct addrinfo *list, const struct error *err);

struct resolver *resolver_new(struct loop *l);
void resolver_free(struct resolver *r); /* every resolve must be over or cancelled */

struct resolve_query {
	const char *host; /* name or literal, without brackets; copied */
	uint16_t port;
	int family; /* AF_INET, AF_INET6: the other one is not even asked for; AF_UNSPEC: both */
};
struct resolve *resolve_start(struct resolver *r, const struct resolve_query *query, resolve_cb cb,
			      void *arg);
void resolve_cancel(struct resolve *q); /* no callback afterwards; NULL is fine */

#endif
