/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The proxy variables, read through a function that the caller brings, so that
 * a test can bring its own. No getenv here. The strings belong to the
 * environment. The trap: a value may hold a password and is never repeated.
 */
#include "net/proxy_env.h"

#include <stddef.h>

#include "net/no_proxy.h"

/* In order; HTTP_PROXY is left out on purpose. */
static const char *const for_ws[] = { "ws_proxy",  "WS_PROXY",	"http_proxy",
				      "all_proxy", "ALL_PROXY", NULL };
static const char *const for_wss[] = { "wss_proxy", "WSS_PROXY", "https_proxy", "HTTPS_PROXY",
				       "all_proxy", "ALL_PROXY", NULL };
static const char *const for_none[] = { "no_proxy", "NO_PROXY", NULL };

/* The first that is set and not empty; *name is its name then. */
static const char *first(const struct proxy_env *env, const char *const *names, const char **name)
{
	for (; *names; names++) {
		const char *value = env->get(env->arg, *names);

		*name = *names;
		if (value && *value)
			return value;
	}
	return NULL;
}

const char *proxy_env_no_proxy(const struct proxy_env *env)
{
	const char *name;

	return first(env, for_none, &name);
}

enum proxy_env_result proxy_env_read(const struct proxy_env *env,
				     const struct proxy_env_query *query, struct proxy_url *url,
				     struct error *err)
{
	const char *name, *none = proxy_env_no_proxy(env);
	const char *value = first(env, query->tls ? for_wss : for_ws, &name);

	if (!value || (none && no_proxy_matches(none, query->host, query->port)))
		return PROXY_ENV_NONE;
	if (proxy_url_parse(url, value, err))
		return PROXY_ENV_FOUND;
	error_context(err, "environment variable %s", name);
	return PROXY_ENV_BAD;
}
