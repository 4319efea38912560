/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What contradicts what among the options of one bridge for the way to its
 * server. Single options are judged by their rows. The trap: an option that
 * had an error of its own counts as given, and nothing more is said of it.
 */
#include <strings.h>

#include "base/mem.h"
#include "conf/bridge_int.h"

static bool has_user(const struct bridge_conf *c)
{
	for (size_t i = 0; i < c->n_urls; i++)
		if (c->urls[i].user)
			return true;
	return false;
}

static const char *find_header(const struct bridge_conf *c, const char *name)
{
	for (size_t i = 0; i < c->handshake->n_headers; i++)
		if (strcasecmp(c->handshake->headers[i].name, name) == 0)
			return c->handshake->headers[i].name;
	return NULL;
}

static void check_header(const struct bridge_conf *c, const char *name, const char *sentence,
			 struct schema_report *report)
{
	const char *written = find_header(c, name);
	mem_auto_str at = NULL;

	if (!written)
		return;
	at = schema_path_key("headers", written);
	schema_error_key(report, at, "%s", sentence);
}

/* Is `auth` whole, and given in one way? */
static void check_auth_itself(const json_t *merged, struct schema_report *report)
{
	const json_t *auth = conf_given(merged, "auth"), *basic = conf_given(merged, "auth.basic");
	const json_t *bearer = conf_given(merged, "auth.bearer");

	if (json_is_object(auth) && json_object_size(auth) == 0)
		schema_error_key(report, "auth", "needs \"basic\" or \"bearer\"");
	if (basic && bearer)
		schema_error_key(report, "auth.bearer",
				 "contradicts \"basic\" beside it; give one of them");
	if (!json_is_object(basic))
		return;
	if (!json_object_get(basic, "user"))
		schema_error_key(report, "auth.basic.user", "is missing");
	if (!json_object_get(basic, "password"))
		schema_error_key(report, "auth.basic.password", "is missing");
}

static void check_auth(const struct bridge_conf *c, const json_t *merged,
		       struct schema_report *report)
{
	bool auth = conf_given(merged, "auth") != NULL;

	check_auth_itself(merged, report);
	if (auth && has_user(c))
		schema_error_key(report, "auth", "contradicts the user information in the URL");
	if (auth)
		check_header(c, "Authorization", "contradicts the option \"auth\"", report);
	else if (has_user(c))
		check_header(c, "Authorization", "contradicts the user information in the URL",
			     report);
	if (conf_given(merged, "cookie")) /* RFC 6265, 5.4: one Cookie header at most */
		check_header(c, "Cookie", "contradicts the option \"cookie\"", report);
}

static void check_tls(const struct bridge_conf *c, const json_t *merged,
		      struct schema_report *report)
{
	bool cert = conf_given(merged, "tls.cert") != NULL;

	if (!cert && conf_given(merged, "tls.key"))
		schema_error_key(report, "tls.key", "needs \"cert\" beside it");
	else if (!cert && conf_given(merged, "tls.key_password"))
		schema_error_key(report, "tls.key_password", "needs \"cert\" beside it");
	if (c->common->tls.max_version != CONF_TLS_ANY &&
	    c->common->tls.max_version < c->common->tls.min_version)
		schema_error(report, "tls.max_version", "is below \"min_version\"");
}

static void check_proxy(const struct bridge_conf *c, const json_t *merged,
			struct schema_report *report)
{
	if (c->common->proxy.use == CONF_PROXY_URL && !c->common->proxy.user &&
	    conf_given(merged, "proxy_password"))
		schema_error_key(report, "proxy_password",
				 "needs a user name in the URL of \"proxy\"");
}

static void check_socket(const struct bridge_conf *c, struct schema_report *report)
{
	int family = c->common->socket.bind_address ?
			     conf_address_family(c->common->socket.bind_address) :
			     0;

	if (family == 4 && c->common->socket.family == FAMILY_IPV6)
		schema_error(report, "socket.bind_address",
			     "is an IPv4 address, but \"family\" is \"ipv6\"");
	if (family == 6 && c->common->socket.family == FAMILY_IPV4)
		schema_error(report, "socket.bind_address",
			     "is an IPv6 address, but \"family\" is \"ipv4\"");
}

void conf_bridge_check_upstream(const struct bridge_conf *c, const json_t *merged,
				struct schema_report *report)
{
	check_auth(c, merged, report);
	check_tls(c, merged, report);
	check_proxy(c, merged, report);
	check_socket(c, report);
}
