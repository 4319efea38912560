/* SPDX-License-Identifier: Apache-2.0 */
/* See dial.h: the long-lived object behind all dials. */
#include <stdlib.h>

#include "base/mem.h"
#include "net/dialer_int.h"
#include "net/tls_cache.h"

struct dialer *dialer_new(struct loop *l)
{
	struct dialer *d = mem_zalloc(sizeof(*d));

	d->loop = l;
	d->resolver = resolver_new(l);
	d->tls_cache = tls_cache_new();
	return d;
}

void dialer_free(struct dialer *d)
{
	if (!d)
		return;
	resolver_free(d->resolver);
	tls_cache_free(d->tls_cache);
	free(d);
}

struct tls_cache *dialer_tls_cache(struct dialer *d)
{
	return d->tls_cache;
}
