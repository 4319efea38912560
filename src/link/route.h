/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration, URL and secrets of one attempt → how to dial: through which
 * proxy, to which address, with which TLS. It reads the environment where the
 * configuration says "env", and certificates through the cache of contexts.
 */
#ifndef WSB_LINK_ROUTE_H
#define WSB_LINK_ROUTE_H

#include "conf/bridge_conf.h"
#include "link/secrets.h"
#include "net/dial.h"
#include "net/proxy_url.h"

struct tls_cache;

struct route_source {
	const struct bridge_conf *conf;
	const struct url *url;
	const struct secret_values *secrets;
	bool foreign; /* reached by a redirect: connect_to, certificate and pins stay behind */
	unsigned attempt;
	struct rand_source *rand;
	struct tls_cache *tls_cache;
};

struct route {
	struct dial_params
		dial; /* for dial_start, which copies; valid as long as the route and its source */
	struct dial_proxy proxy;
	struct proxy_url from_env;
	struct tls_ctx *tls, *proxy_tls;
	char *user_agent, *no_proxy;
};

/* False: *err says why with its stage; route_deinit all the same. */
bool route_init(struct route *r, const struct route_source *from, struct error *err);
void route_deinit(struct route *r);

#endif
