/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proxy URLs. What stands between scheme and path obeys the rules of any other
 * URL of ours, so url_parse reads it; here are the schemes and the default
 * ports. No I/O. The trap: copies of the text hold the password and are wiped.
 */
#include "net/proxy_url.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/span.h"
#include "base/url.h"

static const struct {
	const char *scheme;
	enum proxy_kind kind;
} schemes[] = {
	{ "http", PROXY_HTTP },	      { "https", PROXY_HTTPS },	    { "socks4", PROXY_SOCKS4 },
	{ "socks", PROXY_SOCKS4 },    { "socks4a", PROXY_SOCKS4A }, { "socks5", PROXY_SOCKS5 },
	{ "socks5h", PROXY_SOCKS5H },
};

#define N_SCHEMES (sizeof(schemes) / sizeof(schemes[0]))

const char *proxy_kind_name(enum proxy_kind kind)
{
	size_t i = 0;

	while (schemes[i].kind != kind)
		i++;
	return schemes[i].scheme;
}

static bool bad(struct error *err, const char *sentence)
{
	return error_set(err, ERR_INVALID_OPTION, "%s", sentence);
}

static bool take_scheme(const char **text, enum proxy_kind *kind, struct error *err)
{
	const char *end = strstr(*text, "://");
	size_t n = end ? (size_t)(end - *text) : 0;

	*kind = PROXY_HTTP;
	if (!end)
		return true;
	for (size_t i = 0; i < N_SCHEMES; i++) {
		if (strlen(schemes[i].scheme) != n || strncasecmp(*text, schemes[i].scheme, n) != 0)
			continue;
		*kind = schemes[i].kind;
		*text = end + 3;
		return true;
	}
	return bad(err, "the URL of a proxy begins with http://, https://, socks4://, "
			"socks4a://, socks5:// or socks5h://");
}

/* A colon that is the last of its kind and has something behind it (RFC 3986, 3.2.3). */
static bool names_port(struct span authority)
{
	bool is_empty = true, has_colon = false;

	for (size_t i = 0; i < authority.n; i++) {
		uint8_t c = authority.p[i];

		is_empty = c == ':';
		if (c == '@' || c == ']') /* those before were of the password, or the address */
			has_colon = false;
		else if (c == ':')
			has_colon = true;
	}
	return has_colon && !is_empty;
}

static bool parse_authority(struct url *u, struct span authority, struct error *err)
{
	static const char scheme[] = "ws://";
	size_t n = sizeof(scheme) - 1;
	char *text = mem_alloc(n + authority.n + 1);
	bool ok;

	memcpy(text, scheme, n);
	memcpy(text + n, authority.p, authority.n);
	text[n + authority.n] = '\0';
	ok = url_parse(u, text, err);
	explicit_bzero(text, n + authority.n);
	free(text);
	return ok;
}

bool proxy_url_parse(struct proxy_url *u, const char *text, struct error *err)
{
	struct url parts = { 0 };
	struct span authority;
	enum proxy_kind kind;
	size_t n;

	if (strlen(text) > URL_MAX - 16)
		return bad(err, "the URL of the proxy is too long");
	if (!take_scheme(&text, &kind, err))
		return false;
	n = strcspn(text, "/?#");
	authority = span_of(text, n);
	if (text[n] != '\0' && strcmp(text + n, "/") != 0)
		return bad(err,
			   "behind host and port of a proxy nothing may follow; a \"/\", \"?\" or "
			   "\"#\" in the password must be percent-encoded");
	if (!parse_authority(&parts, authority, err))
		return false;
	*u = (struct proxy_url){
		.kind = kind,
		.host = parts.host,
		.port = names_port(authority) ? parts.port :
			kind == PROXY_HTTPS   ? 443 :
						1080,
		.user = parts.user,
		.password = parts.password,
	};
	parts.host = parts.user = parts.password = NULL;
	url_deinit(&parts);
	return true;
}

static void wipe(char **s)
{
	if (*s)
		explicit_bzero(*s, strlen(*s));
	free(*s);
	*s = NULL;
}

void proxy_url_deinit(struct proxy_url *u)
{
	wipe(&u->user);
	wipe(&u->password);
	free(u->host);
	u->host = NULL;
}
