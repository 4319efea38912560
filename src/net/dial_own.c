/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies of what a caller gave, so that it may forget it at once. Owned by the
 * dial. Whoever adds a string to the parameters adds it to both tables.
 */
#include "net/dial_own.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/tls.h"

#define N_PARAMS 5
#define N_PROXY 4

static void params_strings(struct dial_params *p, const char **at[N_PARAMS])
{
	at[0] = &p->host;
	at[1] = &p->connect_host;
	at[2] = &p->unix_path;
	at[3] = &p->tls_server_name;
	at[4] = &p->user_agent;
}

static void proxy_strings(struct dial_proxy *p, const char **at[N_PROXY])
{
	at[0] = &p->host;
	at[1] = &p->user;
	at[2] = &p->password;
	at[3] = &p->server_name;
}

static void copy(const char **const *at, size_t n)
{
	for (size_t i = 0; i < n; i++)
		*at[i] = mem_strdup(*at[i]);
}

static void release(const char **const *at, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char *s = (char *)(uintptr_t)*at[i];

		if (s)
			explicit_bzero(s, strlen(s));
		free(s);
		*at[i] = NULL;
	}
}

void dial_own_init(struct dial_own *own, const struct dial_params *params)
{
	const char **strings[N_PARAMS], **of_proxy[N_PROXY];

	*own = (struct dial_own){ .params = *params };
	params_strings(&own->params, strings);
	copy(strings, N_PARAMS);
	if (params->tls)
		own->params.tls = tls_ctx_ref(params->tls);
	own->params.proxy = NULL;
	if (!params->proxy || params->unix_path)
		return;
	own->proxy = *params->proxy;
	own->params.proxy = &own->proxy;
	proxy_strings(&own->proxy, of_proxy);
	copy(of_proxy, N_PROXY);
	if (own->proxy.tls)
		own->proxy.tls = tls_ctx_ref(own->proxy.tls);
}

void dial_own_deinit(struct dial_own *own)
{
	const char **strings[N_PARAMS], **of_proxy[N_PROXY];

	params_strings(&own->params, strings);
	release(strings, N_PARAMS);
	proxy_strings(&own->proxy, of_proxy);
	release(of_proxy, N_PROXY);
	if (own->params.tls)
		tls_ctx_unref(own->params.tls);
	if (own->proxy.tls)
		tls_ctx_unref(own->proxy.tls);
	own->params.tls = own->proxy.tls = NULL;
}
