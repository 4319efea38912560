/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which proxy the environment names, as curl reads it: for wss:// wss_proxy,
 * then https_proxy, then all_proxy; for ws:// ws_proxy, http_proxy, all_proxy.
 * Lower case goes before upper case, an empty variable counts as none, and
 * HTTP_PROXY is not read: in a CGI program that is a header of the request.
 */
#ifndef WSB_NET_PROXY_ENV_H
#define WSB_NET_PROXY_ENV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "net/proxy_url.h"

/* Where variables come from; getenv(3) in a program. */
struct proxy_env {
	const char *(*get)(void *arg, const char *name); /* NULL = not set */
	void *arg;
};

struct proxy_env_query {
	bool tls;	  /* wss:// */
	const char *host; /* of the server, without brackets */
	uint16_t port;
};

enum proxy_env_result {
	PROXY_ENV_NONE,	 /* go directly: none is set, or no_proxy names the host */
	PROXY_ENV_FOUND, /* *url is it; the caller's to deinit */
	PROXY_ENV_BAD,	 /* *err is ERR_INVALID_OPTION and names the variable, not its value */
};

enum proxy_env_result proxy_env_read(const struct proxy_env *env,
				     const struct proxy_env_query *query, struct proxy_url *url,
				     struct error *err);

/*
 * The value of no_proxy or NO_PROXY, NULL = none: curl honours it for a proxy
 * that was configured elsewhere, too.
 */
const char *proxy_env_no_proxy(const struct proxy_env *env);

#endif
