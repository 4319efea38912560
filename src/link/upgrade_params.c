/* SPDX-License-Identifier: Apache-2.0 */
/* See upgrade_params.h. */
#include "link/upgrade_params.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/version.h"

/* RFC 7617, 2. NULL: the URL names no user. */
static char *basic_auth(const struct url *url)
{
	static const char scheme[] = "Basic ";
	char *pair, *value;
	size_t n;

	if (!url->user)
		return NULL;
	pair = mem_printf("%s:%s", url->user, url->password ? url->password : "");
	n = strlen(pair);
	value = mem_zalloc(sizeof(scheme) + BASE64_ENCODED_SIZE(n));
	memcpy(value, scheme, sizeof(scheme) - 1);
	base64_encode(value + sizeof(scheme) - 1, span_of(pair, n));
	explicit_bzero(pair, n);
	free(pair);
	return value;
}

static bool has_header(const struct bridge_conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->n_headers; i++)
		if (strcasecmp(conf->headers[i].name, name) == 0)
			return true;
	return false;
}

/* The configured header fields; one that was written out comes before what the URL implies. */
static size_t collect_headers(struct upgrade_params *u, const struct bridge_conf *conf)
{
	size_t n = conf->n_headers;

	u->headers = mem_array(n + 1, sizeof(*u->headers));
	for (size_t i = 0; i < n; i++)
		u->headers[i] = (struct ws_header){ conf->headers[i].name, conf->headers[i].value };
	if (u->authorization && !has_header(conf, "Authorization"))
		u->headers[n++] = (struct ws_header){ "Authorization", u->authorization };
	return n;
}

void upgrade_params_init(struct upgrade_params *u, const struct bridge_conf *conf,
			 struct rand_source *rand)
{
	*u = (struct upgrade_params){ 0 };
	u->host = conf->has_host ? mem_strdup(conf->host) : url_host_header(&conf->url);
	u->user_agent = conf->has_user_agent ? mem_strdup(conf->user_agent) :
					       mem_printf("wsbridge/%s", wsb_version);
	u->authorization = basic_auth(&conf->url);
	u->ws = (struct ws_params){
		.target = conf->url.target,
		.host = u->host,
		.origin = conf->origin,
		.user_agent = u->user_agent,
		.subprotocols = (const char *const *)conf->subprotocols,
		.n_subprotocols = conf->n_subprotocols,
		.n_headers = collect_headers(u, conf),
		.max_message = conf->max_message,
		.validate_utf8 = conf->validate_utf8,
		.mask_zero = conf->mask == MASK_ZERO,
		.rand = rand,
	};
	u->ws.headers = u->headers;
}

void upgrade_params_deinit(struct upgrade_params *u)
{
	free(u->host);
	free(u->user_agent);
	free(u->headers);
	if (u->authorization)
		explicit_bzero(u->authorization, strlen(u->authorization));
	free(u->authorization);
	*u = (struct upgrade_params){ 0 };
}
