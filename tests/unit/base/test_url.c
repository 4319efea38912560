/* SPDX-License-Identifier: Apache-2.0 */
/* WebSocket URLs: the parts, each refusal by its sentence, and that no secret is repeated. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/url.h"
#include "support/guard.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void same(const char *got, const char *want)
{
	if (!want)
		assert_null(got);
	else
		assert_string_equal(got, want);
}

/* Parses from memory that ends at an unreadable page. */
static bool parse_guarded(struct guard *g, struct url *u, const char *text, struct error *err)
{
	struct span s = guard_place(g, span_of(text, strlen(text) + 1));

	return url_parse(u, (const char *)s.p, err);
}

static const struct {
	const char *text;
	enum url_scheme scheme;
	const char *host;
	uint16_t port;
	const char *target, *user, *password, *header, *shown;
} network[] = {
	{ "ws://example.com", URL_WS, "example.com", 80, "/", NULL, NULL, "example.com",
	  "ws://example.com/" },
	{ "wss://example.com", URL_WSS, "example.com", 443, "/", NULL, NULL, "example.com",
	  "wss://example.com/" },
	{ "WSS://Example.COM:443/A?B", URL_WSS, "example.com", 443, "/A?B", NULL, NULL,
	  "example.com", "wss://example.com/A?..." },
	{ "ws://example.com:443/", URL_WS, "example.com", 443, "/", NULL, NULL, "example.com:443",
	  "ws://example.com:443/" },
	{ "ws://h?q=1", URL_WS, "h", 80, "/?q=1", NULL, NULL, "h", "ws://h/?..." },
	{ "ws://h/?", URL_WS, "h", 80, "/?", NULL, NULL, "h", "ws://h/?..." },
	{ "ws://h:/x", URL_WS, "h", 80, "/x", NULL, NULL, "h", "ws://h/x" },
	{ "ws://h:00080/", URL_WS, "h", 80, "/", NULL, NULL, "h", "ws://h/" },
	{ "ws://h:1/", URL_WS, "h", 1, "/", NULL, NULL, "h:1", "ws://h:1/" },
	{ "ws://h:65535/", URL_WS, "h", 65535, "/", NULL, NULL, "h:65535", "ws://h:65535/" },
	{ "ws://h//a/./b/../c", URL_WS, "h", 80, "//a/./b/../c", NULL, NULL, "h",
	  "ws://h//a/./b/../c" },
	{ "ws://h/%2F%zz", URL_WS, "h", 80, "/%2F%zz", NULL, NULL, "h", "ws://h/%2F%zz" },
	{ "ws://h/a:b@c?d/e?f:g@h", URL_WS, "h", 80, "/a:b@c?d/e?f:g@h", NULL, NULL, "h",
	  "ws://h/a:b@c?..." },
	{ "ws://h?a@b:c", URL_WS, "h", 80, "/?a@b:c", NULL, NULL, "h", "ws://h/?..." },
	{ "ws://a_b-c.example.", URL_WS, "a_b-c.example.", 80, "/", NULL, NULL, "a_b-c.example.",
	  "ws://a_b-c.example./" },
	{ "ws://127.0.0.1:9001/chat", URL_WS, "127.0.0.1", 9001, "/chat", NULL, NULL,
	  "127.0.0.1:9001", "ws://127.0.0.1:9001/chat" },
	{ "ws://[::1]", URL_WS, "::1", 80, "/", NULL, NULL, "[::1]", "ws://[::1]/" },
	{ "wss://[2001:DB8::A]:8443/x", URL_WSS, "2001:db8::a", 8443, "/x", NULL, NULL,
	  "[2001:db8::a]:8443", "wss://[2001:db8::a]:8443/x" },
	{ "ws://[::ffff:192.0.2.1]?q", URL_WS, "::ffff:192.0.2.1", 80, "/?q", NULL, NULL,
	  "[::ffff:192.0.2.1]", "ws://[::ffff:192.0.2.1]/?..." },
	{ "ws://u@h/", URL_WS, "h", 80, "/", "u", NULL, "h", "ws://h/" },
	{ "ws://u:@h/", URL_WS, "h", 80, "/", "u", "", "h", "ws://h/" },
	{ "ws://:p@h/", URL_WS, "h", 80, "/", "", "p", "h", "ws://h/" },
	{ "ws://@h/", URL_WS, "h", 80, "/", NULL, NULL, "h", "ws://h/" },
	{ "ws://u:p:q@h:81", URL_WS, "h", 81, "/", "u", "p:q", "h:81", "ws://h:81/" },
	{ "ws://me%40x:p%3a%2F%25%C3%A4@[::1]:81/", URL_WS, "::1", 81, "/", "me@x", "p:/%\u00E4",
	  "[::1]:81", "ws://[::1]:81/" },
};

static void parts(void **state)
{
	struct guard g;

	(void)state;
	guard_init(&g, 256);
	for (size_t i = 0; i < COUNT(network); i++) {
		struct error err = ERROR_INIT;
		struct url u;

		if (!parse_guarded(&g, &u, network[i].text, &err))
			fail_msg("%s: %s", network[i].text, err.text);
		mem_auto_str header = url_host_header(&u);
		mem_auto_str shown = url_format(&u);

		assert_int_equal(u.scheme, network[i].scheme);
		same(u.host, network[i].host);
		assert_int_equal(u.is_ipv6, strchr(u.host, ':') != NULL);
		assert_int_equal(u.port, network[i].port);
		same(u.target, network[i].target);
		same(u.user, network[i].user);
		same(u.password, network[i].password);
		same(header, network[i].header);
		same(shown, network[i].shown);
		assert_null(u.unix_path);
		url_deinit(&u);
		url_deinit(&u);
		assert_null(u.password);
	}
	guard_deinit(&g);
}

static void unix_parts(void **state)
{
	static const struct {
		const char *text, *path, *target, *shown;
	} rows[] = {
		{ "ws+unix:///run/x.sock:/chat?q", "/run/x.sock", "/chat?q",
		  "ws+unix:///run/x.sock:/chat?..." },
		{ "ws+unix:///run/x.sock", "/run/x.sock", "/", "ws+unix:///run/x.sock:/" },
		{ "ws+unix:///run/x.sock:", "/run/x.sock", "/", "ws+unix:///run/x.sock:/" },
		{ "ws+unix:/run/x.sock:/a", "/run/x.sock", "/a", "ws+unix:///run/x.sock:/a" },
		{ "WS+Unix:///Run/X:/:a:b", "/Run/X", "/:a:b", "ws+unix:///Run/X:/:a:b" },
		{ "ws+unix:///a%20b%3Ac%3fd%25:/", "/a b:c?d%", "/",
		  "ws+unix:///a%20b%3Ac%3Fd%25:/" },
		{ "ws+unix:///@~+,%C3%A4", "/@~+,\u00E4", "/", "ws+unix:///@~+,%C3%A4:/" },
	};
	struct guard g;

	(void)state;
	guard_init(&g, 256);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct error err = ERROR_INIT;
		struct url u, again;

		if (!parse_guarded(&g, &u, rows[i].text, &err))
			fail_msg("%s: %s", rows[i].text, err.text);
		mem_auto_str header = url_host_header(&u);
		mem_auto_str shown = url_format(&u);

		assert_int_equal(u.scheme, URL_WS_UNIX);
		assert_int_equal(u.port, 0);
		assert_false(u.is_ipv6);
		same(u.host, "localhost");
		same(u.unix_path, rows[i].path);
		same(u.target, rows[i].target);
		same(header, "localhost");
		same(shown, rows[i].shown);
		assert_true(url_parse(&again, shown, &err)); /* what is shown can be typed */
		same(again.unix_path, rows[i].path);
		url_deinit(&again);
		url_deinit(&u);
	}
	guard_deinit(&g);
}

#define SCHEME "the URL must begin with ws://, wss:// or ws+unix:"
#define SPACE "the URL has white space in it"
#define CONTROL "the URL has a control character in it"
#define NOT_ASCII \
	"the URL has a character outside ASCII: percent-encode it, or write the host as xn--..."
#define FRAGMENT "a WebSocket URL must not have a fragment (\"#\")"
#define NO_HOST "the host is missing"
#define HOST "the host has a character that no host name may have"
#define PORT "the port is not a number from 1 to 65535"
#define IPV6 "what stands in the brackets is not an IPv6 address"
#define BRACKET "the bracket around the IPv6 address is not closed"
#define BEHIND "behind the IPv6 address only a port or a path may follow"
#define AT "an \"@\" in the user name or password must be written as %40"
#define PERCENT "the user name or password has a wrong percent-encoding"
#define COLON "the user name must not hold a colon"
#define ABSOLUTE "the path of the socket must be absolute, as in ws+unix:///run/x.sock:/path"
#define PATH_PERCENT "the path of the socket has a wrong percent-encoding"
#define QUERY                                                        \
	"a \"?\" in the path of the socket must be written as %3F; " \
	"a query stands in the request path behind the colon"
#define REQUEST "the request path behind the socket must begin with \"/\""

static const struct {
	const char *text, *sentence;
} refused[] = {
	{ "", SCHEME },
	{ "example.com", SCHEME },
	{ "ws:", SCHEME },
	{ "ws:/h", SCHEME },
	{ "ws//h", SCHEME },
	{ "wsss://h", SCHEME },
	{ "ftp://h", SCHEME },
	{ "ws+unix", SCHEME },
	{ "s3cret:s3cret@h", SCHEME },
	{ "http://h/", "the URL begins with http://; write ws://" },
	{ "HTTPS://h/", "the URL begins with https://; write wss://" },
	{ " ws://h/", SPACE },
	{ "ws://h/ ", SPACE },
	{ "ws://h/a b", SPACE },
	{ "ws://h/\t", SPACE },
	{ "ws://h/a\r\nX-Injected: 1", SPACE },
	{ "ws://h/\v", SPACE },
	{ "ws://h/\x01", CONTROL },
	{ "ws://h/\x1B[31m", CONTROL },
	{ "ws://h/\x7F", CONTROL },
	{ "ws://b\u00FCcher.example/", NOT_ASCII },
	{ "ws://h/\u20AC", NOT_ASCII },
	{ "ws://h/\xFF", NOT_ASCII },
	{ "ws://h/#f", FRAGMENT },
	{ "ws://h#", FRAGMENT },
	{ "ws+unix:///x:/#", FRAGMENT },
	{ "ws://", NO_HOST },
	{ "ws:///path", NO_HOST },
	{ "ws://?q", NO_HOST },
	{ "ws://:80/", NO_HOST },
	{ "ws://u:s3cret@/", NO_HOST },
	{ "ws://u:s3cret@:80/", NO_HOST },
	{ "ws://a,b/", HOST },
	{ "ws://a%41/", HOST },
	{ "ws://a*b/", HOST },
	{ "ws://a\\b/", HOST },
	{ "ws://<h>/", HOST },
	{ "ws://a]b/", HOST },
	{ "ws://u:s3cret%40h;x/", PORT },
	{ "ws://h:0/", PORT },
	{ "ws://h:65536/", PORT },
	{ "ws://h:4294967376/", PORT },
	{ "ws://h:99999999999999999999/", PORT },
	{ "ws://h:-1/", PORT },
	{ "ws://h:+80/", PORT },
	{ "ws://h:8o/", PORT },
	{ "ws://h:80:81/", PORT },
	{ "ws://::1/", NO_HOST },
	{ "ws://fe80::1/", PORT },
	{ "ws://user:s3cret/rest@h/", PORT },
	{ "ws://user:s3cret?rest@h/", PORT },
	{ "ws://[]/", IPV6 },
	{ "ws://[1::2::3]/", IPV6 },
	{ "ws://[127.0.0.1]/", IPV6 },
	{ "ws://[fe80::1%25eth0]/", IPV6 },
	{ "ws://[s3cret]/", IPV6 },
	{ "ws://[::1/", BRACKET },
	{ "ws://[", BRACKET },
	{ "ws://[::1]x/", BEHIND },
	{ "ws://[::1][::1]/", BEHIND },
	{ "ws://[::1]:x/", PORT },
	{ "ws://u:s3@cret@h/", AT },
	{ "ws://u:s3cret%@h/", PERCENT },
	{ "ws://u:s3cret%4@h/", PERCENT },
	{ "ws://u%4g:s3cret@h/", PERCENT },
	{ "ws://u:s3cret%00@h/", PERCENT },
	{ "ws://u:s3cret%0d%0aX:@h/", PERCENT },
	{ "ws://u%7F:s3cret@h/", PERCENT },
	{ "ws://u%3As3cret@h/", COLON },
	{ "ws+unix:", ABSOLUTE },
	{ "ws+unix://", ABSOLUTE },
	{ "ws+unix://run/x.sock", ABSOLUTE },
	{ "ws+unix:run/x.sock", ABSOLUTE },
	{ "ws+unix://:/x", ABSOLUTE },
	{ "ws+unix:///x%", PATH_PERCENT },
	{ "ws+unix:///x%00y", PATH_PERCENT },
	{ "ws+unix:///x%0A", PATH_PERCENT },
	{ "ws+unix:///x?q", QUERY },
	{ "ws+unix:///x:y", REQUEST },
	{ "ws+unix:///x:?q", REQUEST },
};

static void refusals(void **state)
{
	struct guard g;

	(void)state;
	guard_init(&g, 256);
	for (size_t i = 0; i < COUNT(refused); i++) {
		struct error err = ERROR_INIT;
		struct url u, untouched;

		memset(&u, 0x5A, sizeof(u));
		memset(&untouched, 0x5A, sizeof(untouched));
		if (parse_guarded(&g, &u, refused[i].text, &err))
			fail_msg("taken: %s", refused[i].text);
		assert_int_equal(err.code, ERR_INVALID_OPTION);
		assert_string_equal(err.text, refused[i].sentence);
		assert_null(strstr(err.text, "s3cret"));
		assert_memory_equal(&u, &untouched, sizeof(u));
	}
	guard_deinit(&g);
}

/* PREFIX, n letters, SUFFIX. */
static char *long_url(const char *prefix, size_t n, const char *suffix)
{
	mem_auto_str middle = mem_alloc(n + 1);

	memset(middle, 'a', n);
	middle[n] = '\0';
	return mem_printf("%s%s%s", prefix, middle, suffix);
}

static void lengths(void **state)
{
	static const struct {
		const char *prefix;
		size_t n;
		const char *suffix, *sentence;
	} rows[] = {
		{ "ws://", 253, "/", NULL },
		{ "ws://", 254, "/", "the host is longer than 253 bytes" },
		{ "ws+unix:///", 106, ":/", NULL },
		{ "ws+unix:///", 107, ":/", "the path of the socket is longer than 107 bytes" },
		{ "ws+unix:///%41", 105, ":/", NULL },
		{ "ws://h/", 8185, "", NULL },
		{ "ws://h/", 8186, "", "the URL is longer than 8192 bytes" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		mem_auto_str text = long_url(rows[i].prefix, rows[i].n, rows[i].suffix);
		struct error err = ERROR_INIT;
		struct url u = { 0 };

		assert_int_equal(url_parse(&u, text, &err), rows[i].sentence == NULL);
		assert_string_equal(err.text, rows[i].sentence ? rows[i].sentence : "");
		url_deinit(&u);
	}
}

/*
 * Whatever is changed or cut off at one place: taken or refused, the password
 * is not said. But for a slash put in front of it, which makes it a path.
 */
static void slips_never_show_the_password(void **state)
{
	static const char good[] = "wss://user:s3cret@[2001:db8::1]:8443/path?q=1";
	char text[sizeof(good)];
	struct guard g;

	(void)state;
	guard_init(&g, sizeof(good));
	for (size_t at = 0; at < sizeof(good); at++) {
		for (int c = 0; c < 256; c++) {
			struct error err = ERROR_INIT;
			struct url u;

			memcpy(text, good, sizeof(good));
			text[at] = c == '/' ? '0' : (char)c;
			text[sizeof(text) - 1] = '\0';
			if (!parse_guarded(&g, &u, text, &err)) {
				assert_null(strstr(err.text, "s3cre"));
				continue;
			}
			mem_auto_str shown = url_format(&u);
			mem_auto_str header = url_host_header(&u);

			assert_null(strstr(shown, "s3cre"));
			assert_null(strstr(header, "s3cre"));
			url_deinit(&u);
		}
	}
	guard_deinit(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts),
		cmocka_unit_test(unix_parts),
		cmocka_unit_test(refusals),
		cmocka_unit_test(lengths),
		cmocka_unit_test(slips_never_show_the_password),
	};

	return cmocka_run_group_tests_name("url", tests, NULL, NULL);
}
