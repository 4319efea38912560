/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The option type of `proxy`: a URL, "env" or null. `proxy_password` and
 * `no_proxy` have rows of their own in the same struct and are left alone
 * here. The trap: the URL holds a password, so no sentence quotes it.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "conf/bridge_int.h"

#define EXPECT_PROXY "the URL of a proxy, \"env\" or null"

/* The default ports are curl's. */
static const struct {
	const char *prefix;
	enum conf_proxy_kind kind;
	uint16_t port;
} schemes[] = {
	{ "http://", CONF_PROXY_HTTP, 1080 },	  { "https://", CONF_PROXY_HTTPS, 443 },
	{ "socks4://", CONF_PROXY_SOCKS4, 1080 }, { "socks4a://", CONF_PROXY_SOCKS4A, 1080 },
	{ "socks5://", CONF_PROXY_SOCKS5, 1080 }, { "socks5h://", CONF_PROXY_SOCKS5H, 1080 },
};

#define N_SCHEMES (sizeof(schemes) / sizeof(*schemes))

static bool fail(struct error *err, const char *sentence)
{
	return error_set(err, ERR_INVALID_OPTION, "%s", sentence);
}

/* The wipe keeps what the struct has besides the URL. */
static void url_parts_free(struct proxy_conf *p)
{
	struct url parts = { .host = p->host, .user = p->user, .password = p->password };

	url_deinit(&parts);
	p->host = p->user = p->password = NULL;
	p->port = 0;
}

static bool parse_url(struct proxy_conf *p, const char *text, struct error *err)
{
	struct url parts = { 0 };
	size_t scheme = 0, n;

	while (scheme < N_SCHEMES &&
	       strncasecmp(text, schemes[scheme].prefix, strlen(schemes[scheme].prefix)) != 0)
		scheme++;
	if (scheme == N_SCHEMES)
		return fail(err, "the URL of a proxy must begin with http://, https://, socks4://, "
				 "socks4a://, socks5:// or socks5h://");
	text += strlen(schemes[scheme].prefix);
	n = strcspn(text, "/?#");
	if (text[n] != '\0' && strcmp(text + n, "/") != 0)
		return fail(err, "behind host and port of a proxy nothing may follow; \"/\", \"?\" "
				 "and \"#\" in a password must be percent-encoded");
	if (!conf_parse_authority(&parts, text, n, err))
		return false;
	p->use = CONF_PROXY_URL;
	p->kind = schemes[scheme].kind;
	p->host = parts.host;
	p->port = parts.port ? parts.port : schemes[scheme].port;
	p->user = parts.user;
	p->password = parts.password;
	parts.host = parts.user = parts.password = NULL;
	url_deinit(&parts);
	return true;
}

static bool proxy_set(const struct schema_row *row, void *store, const json_t *v, const char *path,
		      struct schema_report *r)
{
	struct proxy_conf *p = schema_slot(store, row->offset), made = *p;
	const char *text;
	struct error err;

	if (json_is_null(v)) {
		url_parts_free(p);
		p->use = CONF_PROXY_NONE;
		return true;
	}
	text = schema_string(v, EXPECT_PROXY, path, r);
	if (!text)
		return false;
	if (strcmp(text, "env") == 0) {
		url_parts_free(p);
		p->use = CONF_PROXY_ENV;
		return true;
	}
	if (!parse_url(&made, text, &err))
		return schema_error(r, path, "%s", err.text);
	url_parts_free(p);
	*p = made;
	return true;
}

static bool proxy_equal(const struct schema_row *row, const void *a, const void *b)
{
	const struct proxy_conf *x = schema_slot_const(a, row->offset);
	const struct proxy_conf *y = schema_slot_const(b, row->offset);

	if (x->use != y->use || x->use != CONF_PROXY_URL)
		return x->use == y->use;
	return x->kind == y->kind && x->port == y->port && schema_text_equal(x->host, y->host) &&
	       schema_text_equal(x->user, y->user) && schema_text_equal(x->password, y->password);
}

static void proxy_release(const struct schema_row *row, void *store)
{
	url_parts_free(schema_slot(store, row->offset));
}

static json_t *proxy_json_schema(const struct schema_row *row)
{
	(void)row;
	return json_pack(
		"{s:[s, s], s:s}", "type", "string", "null", "pattern",
		"^(env$|([Hh][Tt][Tt][Pp][Ss]?|[Ss][Oo][Cc][Kk][Ss](4|4[Aa]|5|5[Hh]))://)");
}

const struct schema_custom conf_proxy_type = {
	.set = proxy_set,
	.equal = proxy_equal,
	.release = proxy_release,
	.json_schema = proxy_json_schema,
};
