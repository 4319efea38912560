/* SPDX-License-Identifier: Apache-2.0 */
/* See upgrade_params.h. */
#include "link/upgrade_params.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/version.h"

static void wipe(char *s)
{
	if (s)
		explicit_bzero(s, strlen(s));
	free(s);
}

/* RFC 7617, 2 */
static char *basic(const char *user, const char *password)
{
	static const char scheme[] = "Basic ";
	char *pair = mem_printf("%s:%s", user, password ? password : "");
	size_t n = strlen(pair);
	char *value = mem_zalloc(sizeof(scheme) + BASE64_ENCODED_SIZE(n));

	memcpy(value, scheme, sizeof(scheme) - 1);
	base64_encode(value + sizeof(scheme) - 1, span_of(pair, n));
	wipe(pair);
	return value;
}

/* NULL = none. The URL's user information belongs to the URL, wherever it came from. */
static char *authorization(const struct upgrade_source *from)
{
	const struct bridge_conf *conf = from->conf;

	if (from->url->user)
		return basic(from->url->user, from->url->password);
	if (from->foreign)
		return NULL;
	switch (conf->handshake->auth.kind) {
	case AUTH_NONE:
		return NULL;
	case AUTH_BASIC:
		return basic(conf->handshake->auth.user, from->secrets->auth);
	case AUTH_BEARER: /* RFC 6750, 2.1 */
		return mem_printf("Bearer %s", from->secrets->auth);
	}
	return NULL;
}

static bool writes_cookies(const struct bridge_conf *conf)
{
	for (size_t i = 0; i < conf->handshake->n_headers; i++)
		if (strcasecmp(conf->handshake->headers[i].name, "Cookie") == 0)
			return true;
	return false;
}

/* RFC 6265, 5.4: at most one Cookie field; one among `headers` stands for all there is. */
static char *cookie(const struct upgrade_source *from)
{
	const char *own = from->foreign ? NULL : from->secrets->cookie;

	if (!from->foreign && writes_cookies(from->conf))
		return NULL;
	if (own && from->jar)
		return mem_printf("%s; %s", own, from->jar);
	return mem_strdup(own ? own : from->jar);
}

static size_t collect_headers(struct upgrade_params *u, const struct upgrade_source *from)
{
	const struct bridge_conf *conf = from->conf;
	size_t n = 0;

	u->headers = mem_array(conf->handshake->n_headers + 2, sizeof(*u->headers));
	for (size_t i = 0; i < conf->handshake->n_headers && !from->foreign; i++)
		u->headers[n++] = (struct ws_header){ conf->handshake->headers[i].name,
						      from->secrets->headers[i] };
	if (u->authorization)
		u->headers[n++] = (struct ws_header){ "Authorization", u->authorization };
	if (u->cookie)
		u->headers[n++] = (struct ws_header){ "Cookie", u->cookie };
	return n;
}

static struct ws_deflate compression(const struct bridge_conf *conf)
{
	if (!conf->common->compression.on)
		return (struct ws_deflate){ 0 };
	return (struct ws_deflate){
		.on = true,
		.client_no_context_takeover = conf->common->compression.client_no_context_takeover,
		.server_no_context_takeover = conf->common->compression.server_no_context_takeover,
		.client_max_window_bits = (uint8_t)conf->common->compression.client_max_window_bits,
		.server_max_window_bits = (uint8_t)conf->common->compression.server_max_window_bits,
	};
}

void upgrade_params_init(struct upgrade_params *u, const struct upgrade_source *from)
{
	const struct bridge_conf *conf = from->conf;
	bool own_host = conf->handshake->has_host && !from->foreign;

	*u = (struct upgrade_params){ 0 };
	u->host = own_host ? mem_strdup(conf->handshake->host) : url_host_header(from->url);
	u->user_agent = conf->handshake->has_user_agent ? mem_strdup(conf->handshake->user_agent) :
							  mem_printf("wsbridge/%s", wsb_version);
	u->authorization = authorization(from);
	u->cookie = cookie(from);
	u->ws = (struct ws_params){
		.target = from->url->target,
		.host = u->host,
		.origin = from->foreign ? NULL : conf->handshake->origin,
		.user_agent = u->user_agent,
		.subprotocols = (const char *const *)conf->handshake->subprotocols,
		.n_subprotocols = conf->handshake->n_subprotocols,
		.n_headers = collect_headers(u, from),
		.max_message = conf->common->max_message,
		.validate_utf8 = conf->common->validate_utf8,
		.deliver_fragments = conf->common->fragments == FRAGMENTS_DELIVER,
		.mask_zero = conf->common->mask == MASK_ZERO,
		.deflate = compression(conf),
		.deflate_level = (int)conf->common->compression.level,
		.deflate_threshold = conf->common->compression.threshold,
		.rand = from->rand,
	};
	u->ws.headers = u->headers;
}

void upgrade_params_deinit(struct upgrade_params *u)
{
	free(u->host);
	free(u->user_agent);
	free(u->headers);
	wipe(u->authorization);
	wipe(u->cookie);
	*u = (struct upgrade_params){ 0 };
}
