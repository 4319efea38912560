/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WebSocket URLs (RFC 6455, 3; RFC 3986). No resolving of relative references
 * and no international names. The parts belong to the struct url. The trap:
 * no sentence may repeat a piece of the text, because in a URL with a slip the
 * password stands where another part is looked for.
 */
#include "base/url.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/mem.h"
#include "base/span.h"

#define HOST_MAX 253
#define UNIX_PATH_MAX (sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1)

static const struct {
	const char *prefix, *name;
	uint16_t port;
} schemes[] = {
	[URL_WS] = { "ws://", "ws", 80 },
	[URL_WSS] = { "wss://", "wss", 443 },
	[URL_WS_UNIX] = { "ws+unix:", "ws+unix", 0 },
};

static bool bad(struct error *err, const char *sentence)
{
	return error_set(err, ERR_INVALID_OPTION, "%s", sentence);
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool has_prefix(struct span s, const char *prefix)
{
	size_t n = strlen(prefix);

	if (s.n < n)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (lower(s.p[i]) != (uint8_t)prefix[i])
			return false;
	}
	return true;
}

/* Splits s at the first byte that is in `stops`; *rest begins with it. */
static struct span split_at(struct span s, const char *stops, struct span *rest)
{
	size_t n = 0;

	while (n < s.n && !strchr(stops, s.p[n]))
		n++;
	*rest = span_skip(s, n);
	return span_of(s.p, n);
}

static int hex_value(uint8_t c)
{
	if (is_digit(c))
		return c - '0';
	c = lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A new string, or NULL: a % without two digits, or a control character behind one. */
static char *percent_decode(struct span s)
{
	mem_auto_str out = mem_alloc(s.n + 1);
	size_t n = 0;
	char *done;

	for (size_t i = 0; i < s.n; i++) {
		int high, low, c = s.p[i];

		if (c == '%') {
			high = i + 2 < s.n ? hex_value(s.p[i + 1]) : -1;
			low = i + 2 < s.n ? hex_value(s.p[i + 2]) : -1;
			c = high * 16 + low;
			if (high < 0 || low < 0 || c < 0x20 || c == 0x7F) {
				explicit_bzero(out, n);
				return NULL;
			}
			i += 2;
		}
		out[n++] = (char)c;
	}
	out[n] = '\0';
	done = out;
	out = NULL;
	return done;
}

static void wipe(char **s)
{
	if (*s)
		explicit_bzero(*s, strlen(*s));
	free(*s);
	*s = NULL;
}

void url_deinit(struct url *u)
{
	wipe(&u->user);
	wipe(&u->password);
	wipe(&u->target);
	free(u->host);
	free(u->unix_path);
	u->host = u->unix_path = NULL;
}

static bool parse_user(struct url *u, struct span info, struct error *err)
{
	struct span password, user = split_at(info, ":", &password);

	if (info.n == 0)
		return true;
	if (memchr(info.p, '@', info.n))
		return bad(err, "an \"@\" in the user name or password must be written as %40");
	u->user = percent_decode(user);
	if (u->user && password.n > 0)
		u->password = percent_decode(span_skip(password, 1));
	if (!u->user || (password.n > 0 && !u->password))
		return bad(err, "the user name or password has a wrong percent-encoding");
	/* RFC 7617, 2: the first colon ends the user name in the header, too. */
	if (strchr(u->user, ':'))
		return bad(err, "the user name must not hold a colon");
	return true;
}

static bool parse_ipv6(struct url *u, struct span host, struct error *err)
{
	struct in6_addr ignored;
	mem_auto_str text = mem_strndup(host.p, host.n);

	if (inet_pton(AF_INET6, text, &ignored) != 1)
		return bad(err, "what stands in the brackets is not an IPv6 address");
	u->is_ipv6 = true;
	return true;
}

static bool is_host_char(uint8_t c)
{
	c = lower(c);
	return is_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_';
}

static bool parse_host(struct url *u, struct span host, struct error *err)
{
	if (host.n == 0)
		return bad(err, "the host is missing");
	if (host.n > HOST_MAX)
		return bad(err, "the host is longer than 253 bytes");
	for (size_t i = 0; i < host.n && !u->is_ipv6; i++) {
		if (!is_host_char(host.p[i]))
			return bad(err, "the host has a character that no host name may have");
	}
	u->host = mem_strndup(host.p, host.n);
	for (char *p = u->host; *p; p++)
		*p = (char)lower((uint8_t)*p);
	return true;
}

/* text is empty or begins with the colon. */
static bool parse_port(struct url *u, struct span text, struct error *err)
{
	uint32_t port = 0;

	u->port = schemes[u->scheme].port;
	if (text.n <= 1)
		return true; /* RFC 3986, 3.2.3: an empty port is the default */
	for (size_t i = 1; i < text.n; i++) {
		if (!is_digit(text.p[i]) || port > UINT16_MAX)
			return bad(err, "the port is not a number from 1 to 65535");
		port = port * 10 + (uint32_t)(text.p[i] - '0');
	}
	if (port == 0 || port > UINT16_MAX)
		return bad(err, "the port is not a number from 1 to 65535");
	u->port = (uint16_t)port;
	return true;
}

static bool parse_authority(struct url *u, struct span s, struct error *err)
{
	const uint8_t *at = s.n ? memrchr(s.p, '@', s.n) : NULL;
	struct span host, port;

	if (at) {
		size_t n = (size_t)(at - s.p);

		if (!parse_user(u, span_of(s.p, n), err))
			return false;
		s = span_skip(s, n + 1);
	}
	if (s.n == 0 || s.p[0] != '[') {
		host = split_at(s, ":", &port);
		return parse_host(u, host, err) && parse_port(u, port, err);
	}
	host = split_at(span_skip(s, 1), "]", &port);
	if (port.n == 0)
		return bad(err, "the bracket around the IPv6 address is not closed");
	port = span_skip(port, 1);
	if (port.n > 0 && port.p[0] != ':')
		return bad(err, "behind the IPv6 address only a port or a path may follow");
	return parse_ipv6(u, host, err) && parse_host(u, host, err) && parse_port(u, port, err);
}

static bool parse_network(struct url *u, struct span s, struct error *err)
{
	struct span target;
	struct span authority = split_at(s, "/?", &target);

	if (!parse_authority(u, authority, err))
		return false;
	u->target = mem_alloc(target.n + 2);
	u->target[0] = '/'; /* an empty path is "/" (RFC 6455, 3) */
	if (target.n > 0 && target.p[0] == '/')
		target = span_skip(target, 1);
	if (target.n > 0)
		memcpy(u->target + 1, target.p, target.n);
	u->target[target.n + 1] = '\0';
	return true;
}

static bool parse_unix(struct url *u, struct span s, struct error *err)
{
	struct span target, path;

	if (has_prefix(s, "//"))
		s = span_skip(s, 2);
	path = split_at(s, ":", &target);
	if (path.n == 0 || path.p[0] != '/')
		return bad(err, "the path of the socket must be absolute, "
				"as in ws+unix:///run/x.sock:/path");
	if (memchr(path.p, '?', path.n))
		return bad(err, "a \"?\" in the path of the socket must be written as %3F; "
				"a query stands in the request path behind the colon");
	if (target.n > 0)
		target = span_skip(target, 1);
	if (target.n > 0 && target.p[0] != '/')
		return bad(err, "the request path behind the socket must begin with \"/\"");
	u->unix_path = percent_decode(path);
	if (!u->unix_path)
		return bad(err, "the path of the socket has a wrong percent-encoding");
	if (strlen(u->unix_path) > UNIX_PATH_MAX)
		return bad(err, "the path of the socket is longer than 107 bytes");
	u->target = target.n ? mem_strndup(target.p, target.n) : mem_strdup("/");
	u->host = mem_strdup("localhost");
	return true;
}

static bool check_bytes(struct span s, struct error *err)
{
	if (s.n > URL_MAX)
		return bad(err, "the URL is longer than 8192 bytes");
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];

		if (c == ' ' || (c >= '\t' && c <= '\r'))
			return bad(err, "the URL has white space in it");
		if (c < 0x20 || c == 0x7F)
			return bad(err, "the URL has a control character in it");
		if (c > 0x7F)
			return bad(err, "the URL has a character outside ASCII: "
					"percent-encode it, or write the host as xn--...");
		if (c == '#') /* RFC 6455, 3 */
			return bad(err, "a WebSocket URL must not have a fragment (\"#\")");
	}
	return true;
}

static bool parse_scheme(struct url *u, struct span *s, struct error *err)
{
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		if (!has_prefix(*s, schemes[i].prefix))
			continue;
		u->scheme = (enum url_scheme)i;
		*s = span_skip(*s, strlen(schemes[i].prefix));
		return true;
	}
	if (has_prefix(*s, "http://"))
		return bad(err, "the URL begins with http://; write ws://");
	if (has_prefix(*s, "https://"))
		return bad(err, "the URL begins with https://; write wss://");
	return bad(err, "the URL must begin with ws://, wss:// or ws+unix:");
}

bool url_parse(struct url *u, const char *text, struct error *err)
{
	struct span s = span_str(text);
	struct url made = { 0 };
	bool ok = check_bytes(s, err) && parse_scheme(&made, &s, err);

	if (ok && made.scheme == URL_WS_UNIX)
		ok = parse_unix(&made, s, err);
	else if (ok)
		ok = parse_network(&made, s, err);
	if (ok)
		*u = made;
	else
		url_deinit(&made);
	return ok;
}

char *url_host_header(const struct url *u)
{
	const char *open = u->is_ipv6 ? "[" : "", *close = u->is_ipv6 ? "]" : "";

	if (u->port == schemes[u->scheme].port)
		return mem_printf("%s%s%s", open, u->host, close);
	return mem_printf("%s%s%s:%u", open, u->host, close, (unsigned)u->port);
}

static bool is_path_char(uint8_t c)
{
	return is_host_char(c) || c == '/' || c == '~' || c == '@' || c == '+' || c == ',';
}

/* The inverse of percent_decode for the path of a socket. */
static char *percent_encode(const char *path)
{
	char *out = mem_alloc(3 * strlen(path) + 1);
	size_t n = 0;

	for (; *path; path++) {
		uint8_t c = (uint8_t)*path;

		out[n++] = is_path_char(c) ? (char)c : '%';
		if (is_path_char(c))
			continue;
		out[n++] = "0123456789ABCDEF"[c >> 4];
		out[n++] = "0123456789ABCDEF"[c & 15];
	}
	out[n] = '\0';
	return out;
}

char *url_format(const struct url *u)
{
	const char *name = schemes[u->scheme].name, *query = strchr(u->target, '?');
	int path_len = (int)(query ? query - u->target : (ptrdiff_t)strlen(u->target));
	mem_auto_str place = u->unix_path ? percent_encode(u->unix_path) : url_host_header(u);

	return mem_printf("%s://%s%s%.*s%s", name, place, u->unix_path ? ":" : "", path_len,
			  u->target, query ? "?..." : "");
}
