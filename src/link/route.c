/* SPDX-License-Identifier: Apache-2.0 */
/* See route.h. */
#include "link/route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/version.h"
#include "net/no_proxy.h"
#include "net/proxy_env.h"
#include "net/tls_cache.h"

#define RESOLVE_TIMEOUT ((int64_t)5 * 1000000)

static int version_of(enum conf_tls_version v)
{
	switch (v) {
	case CONF_TLS_ANY:
		return 0;
	case CONF_TLS_1_2:
		return 12;
	case CONF_TLS_1_3:
		return 13;
	}
	return 0;
}

/* What holds for the server and for an https proxy alike. */
static struct tls_params common_tls(const struct bridge_conf *conf)
{
	return (struct tls_params){
		.verify = conf->common->tls.verify,
		.verify_hostname = conf->common->tls.verify_hostname,
		.ca_file = conf->common->tls.ca_file,
		.ca_dir = conf->common->tls.ca_dir,
		.min_version = version_of(conf->common->tls.min_version),
		.max_version = version_of(conf->common->tls.max_version),
		.ciphers = conf->common->tls.ciphers,
		.ciphersuites = conf->common->tls.ciphersuites,
		.groups = conf->common->tls.groups,
		.keylog_file = conf->common->tls.keylog_file,
	};
}

static bool server_tls(struct route *r, const struct route_source *from, struct error *err)
{
	const struct bridge_conf *conf = from->conf;
	struct tls_params params = common_tls(conf);

	if (from->url->scheme != URL_WSS)
		return true;
	params.ktls = conf->common->tls.ktls;
	if (!from->foreign) {
		params.cert = conf->common->tls.cert;
		params.key = conf->common->tls.key;
		params.key_password = from->secrets->key_password;
		params.pins = (const char *const *)conf->common->tls.pins;
		params.n_pins = conf->common->tls.n_pins;
		r->dial.tls_server_name = conf->common->tls.server_name;
	}
	r->tls = r->dial.tls = tls_cache_get(from->tls_cache, &params, err);
	return r->tls != NULL;
}

static bool proxy_tls(struct route *r, const struct route_source *from, struct error *err)
{
	struct tls_params params = common_tls(from->conf);

	if (r->proxy.kind != PROXY_HTTPS)
		return true;
	r->proxy_tls = r->proxy.tls = tls_cache_get(from->tls_cache, &params, err);
	if (!r->proxy_tls)
		err->stage = STAGE_PROXY;
	return r->proxy_tls != NULL;
}

/* A configured no_proxy stands for the environment's, as curl's --noproxy does. */
static const char *get_env(void *arg, const char *name)
{
	const struct route *r = arg;

	return r->no_proxy && strcasecmp(name, "no_proxy") == 0 ? NULL : getenv(name);
}

static char *join(char *const *list, size_t n)
{
	char *all = mem_strdup("");

	for (size_t i = 0; i < n; i++) {
		char *longer = mem_printf("%s%s%s", all, i ? "," : "", list[i]);

		free(all);
		all = longer;
	}
	return all;
}

/* no_proxy is about the host and port of the URL, even if connect_to leads elsewhere. */
static bool goes_directly(struct route *r, const struct route_source *from)
{
	struct proxy_env environment = { .get = get_env, .arg = r };
	const char *list;

	if (from->conf->common->proxy.n_no_proxy)
		list = r->no_proxy = join(from->conf->common->proxy.no_proxy,
					  from->conf->common->proxy.n_no_proxy);
	else
		list = proxy_env_no_proxy(&environment);
	return list && no_proxy_matches(list, r->dial.host, r->dial.port);
}

static enum proxy_kind kind_of(enum conf_proxy_kind kind)
{
	switch (kind) {
	case CONF_PROXY_HTTP:
		return PROXY_HTTP;
	case CONF_PROXY_HTTPS:
		return PROXY_HTTPS;
	case CONF_PROXY_SOCKS4:
		return PROXY_SOCKS4;
	case CONF_PROXY_SOCKS4A:
		return PROXY_SOCKS4A;
	case CONF_PROXY_SOCKS5:
		return PROXY_SOCKS5;
	case CONF_PROXY_SOCKS5H:
		return PROXY_SOCKS5H;
	}
	return PROXY_HTTP;
}

static void configured_proxy(struct route *r, const struct route_source *from)
{
	const struct bridge_conf *conf = from->conf;
	const char *password = from->secrets->proxy_password;

	r->proxy = (struct dial_proxy){
		.kind = kind_of(conf->common->proxy.kind),
		.host = conf->common->proxy.host,
		.port = conf->common->proxy.port,
		.user = conf->common->proxy.user,
		.password = password ? password : conf->common->proxy.password,
	};
	r->dial.proxy = &r->proxy;
}

static bool proxy_from_env(struct route *r, const struct route_source *from, struct error *err)
{
	struct proxy_env environment = { .get = get_env, .arg = r };
	const char *password = from->secrets->proxy_password;
	struct proxy_env_query query = {
		.tls = from->url->scheme == URL_WSS,
		.host = r->dial.host,
		.port = r->dial.port,
	};

	switch (proxy_env_read(&environment, &query, &r->from_env, err)) {
	case PROXY_ENV_NONE:
		return true;
	case PROXY_ENV_BAD:
		err->stage = STAGE_PROXY;
		return false;
	case PROXY_ENV_FOUND:
		break;
	}
	r->proxy = (struct dial_proxy){
		.kind = r->from_env.kind,
		.host = r->from_env.host,
		.port = r->from_env.port,
		.user = r->from_env.user,
		.password = r->from_env.user && password ? password : r->from_env.password,
	};
	r->dial.proxy = &r->proxy;
	return true;
}

static bool choose_proxy(struct route *r, const struct route_source *from, struct error *err)
{
	if (r->dial.unix_path || goes_directly(r, from))
		return true;
	switch (from->conf->common->proxy.use) {
	case CONF_PROXY_NONE:
		return true;
	case CONF_PROXY_ENV:
		if (!proxy_from_env(r, from, err))
			return false;
		break;
	case CONF_PROXY_URL:
		configured_proxy(r, from);
		break;
	}
	return !r->dial.proxy || proxy_tls(r, from, err);
}

static enum socket_family family_of(enum conf_family family)
{
	switch (family) {
	case FAMILY_ANY:
		return SOCKET_ANY;
	case FAMILY_IPV4:
		return SOCKET_IPV4;
	case FAMILY_IPV6:
		return SOCKET_IPV6;
	}
	return SOCKET_ANY;
}

static struct socket_params socket_of(const struct bridge_conf *conf)
{
	struct socket_params p = {
		.nodelay = conf->common->socket.nodelay,
		.user_timeout = conf->common->socket.user_timeout,
		.keepalive = conf->common->socket.keepalive,
		.keepalive_idle = conf->common->socket.keepalive_idle,
		.keepalive_interval = conf->common->socket.keepalive_interval,
		.keepalive_count = conf->common->socket.keepalive_count,
		.mark = (uint32_t)conf->common->socket.mark,
		.rcvbuf = (int64_t)conf->common->socket.rcvbuf,
		.sndbuf = (int64_t)conf->common->socket.sndbuf,
		.family = family_of(conf->common->socket.family),
	};

	snprintf(p.bind_address, sizeof(p.bind_address), "%s",
		 conf->common->socket.bind_address ? conf->common->socket.bind_address : "");
	snprintf(p.bind_device, sizeof(p.bind_device), "%s",
		 conf->common->socket.bind_device ? conf->common->socket.bind_device : "");
	return p;
}

static void set_place(struct route *r, const struct route_source *from)
{
	const struct bridge_conf *conf = from->conf;

	r->dial.host = from->url->host;
	r->dial.port = from->url->port;
	r->dial.unix_path = from->url->unix_path;
	if (from->foreign)
		return;
	r->dial.connect_host = conf->common->connect_to.host;
	r->dial.connect_port = conf->common->connect_to.port;
	if (conf->common->connect_to.unix_path)
		r->dial.unix_path = conf->common->connect_to.unix_path;
}

bool route_init(struct route *r, const struct route_source *from, struct error *err)
{
	const struct bridge_conf *conf = from->conf;

	*r = (struct route){ 0 };
	r->user_agent = conf->handshake->has_user_agent ? mem_strdup(conf->handshake->user_agent) :
							  mem_printf("wsbridge/%s", wsb_version);
	r->dial.socket = socket_of(conf);
	r->dial.resolve_timeout = RESOLVE_TIMEOUT;
	r->dial.connect_timeout = conf->common->timeouts.connect;
	r->dial.attempt = from->attempt;
	r->dial.user_agent = r->user_agent;
	r->dial.rand = from->rand;
	set_place(r, from);
	return server_tls(r, from, err) && choose_proxy(r, from, err);
}

void route_deinit(struct route *r)
{
	tls_ctx_unref(r->tls);
	tls_ctx_unref(r->proxy_tls);
	proxy_url_deinit(&r->from_env);
	free(r->user_agent);
	free(r->no_proxy);
	*r = (struct route){ 0 };
}
