/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS contexts by what they are made from: bridges with the same options share
 * one, so that the system's certificates are read once and not for each of
 * them. A context whose files have changed since is made anew for the next
 * attempt; connections that use the old one go on with it.
 */
#ifndef WSB_NET_TLS_CACHE_H
#define WSB_NET_TLS_CACHE_H

#include "net/tls.h"

struct tls_cache;

struct tls_cache *tls_cache_new(void);
void tls_cache_free(struct tls_cache *c); /* contexts in use live on; NULL is fine */

/* A reference, the caller's to drop; NULL and *err as tls_ctx_new. */
struct tls_ctx *tls_cache_get(struct tls_cache *c, const struct tls_params *params,
			      struct error *err);

#endif
