/* SPDX-License-Identifier: Apache-2.0 */
/* Proxy URLs, good and bad, and which variable of an environment is read for which server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/proxy_env.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define BEHIND                                                                                \
	"behind host and port of a proxy nothing may follow; a \"/\", \"?\" or \"#\" in the " \
	"password must be percent-encoded"
#define SCHEMES                                                                               \
	"the URL of a proxy begins with http://, https://, socks4://, socks4a://, socks5:// " \
	"or socks5h://"

/* "kind host port user password", "-" for none. */
static void write_down(const struct proxy_url *u, char *out, size_t size)
{
	snprintf(out, size, "%s %s %u %s %s", proxy_kind_name(u->kind), u->host, (unsigned)u->port,
		 u->user ? u->user : "-", u->password ? u->password : "-");
}

static const struct {
	const char *text, *out;
} good[] = {
	{ "proxy.example", "http proxy.example 1080 - -" },
	{ "proxy.example:3128", "http proxy.example 3128 - -" },
	{ "http://Proxy.Example:3128/", "http proxy.example 3128 - -" },
	{ "HTTP://proxy.example", "http proxy.example 1080 - -" },
	{ "http://proxy.example:80", "http proxy.example 80 - -" },
	{ "http://proxy.example:", "http proxy.example 1080 - -" },
	{ "https://proxy.example", "https proxy.example 443 - -" },
	{ "https://proxy.example:8443", "https proxy.example 8443 - -" },
	{ "socks://h", "socks4 h 1080 - -" },
	{ "socks4://u@h", "socks4 h 1080 u -" },
	{ "socks4a://h:9050", "socks4a h 9050 - -" },
	{ "socks5://h", "socks5 h 1080 - -" },
	{ "Socks5H://u:p@h:1", "socks5h h 1 u p" },
	{ "http://u%40x:p%3A%2F%23%25@h:8", "http h 8 u@x p:/#%" },
	{ "u:p:q@h", "http h 1080 u p:q" },
	{ "http://u:@h", "http h 1080 u " },
	{ "http://:p@h", "http h 1080  p" },
	{ "http://[2001:DB8::1]:3128", "http 2001:db8::1 3128 - -" },
	{ "http://[::1]", "http ::1 1080 - -" },
	{ "https://[::1]/", "https ::1 443 - -" },
	{ "socks5://u:p@[::1]:", "socks5 ::1 1080 u p" },
};

static void test_good_urls(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		struct proxy_url u = { 0 };
		struct error err;
		char out[200];

		print_message("%s\n", good[i].text);
		assert_true(proxy_url_parse(&u, good[i].text, &err));
		write_down(&u, out, sizeof(out));
		assert_string_equal(out, good[i].out);
		proxy_url_deinit(&u);
		proxy_url_deinit(&u);
	}
}

static const struct {
	const char *text, *sentence;
} bad[] = {
	{ "", "the host is missing" },
	{ "http://", "the host is missing" },
	{ "http:///", "the host is missing" },
	{ "ftp://h", SCHEMES },
	{ "socks6://h", SCHEMES },
	{ "://h", SCHEMES },
	{ "ws://h", SCHEMES },
	{ "http://h:1/x", BEHIND },
	{ "http://h?x", BEHIND },
	{ "http://user:hunter/2@h:1", BEHIND },
	{ "http://user:hunter#2@h:1", BEHIND },
	{ "http://user:hunter?2@h:1", BEHIND },
	{ "http://user:hun@ter2@h:1",
	  "an \"@\" in the user name or password must be written as %40" },
	{ "http://user:hunter%2@h", "the user name or password has a wrong percent-encoding" },
	{ "http://user:hunter%0a2@h", "the user name or password has a wrong percent-encoding" },
	{ "http://us%3aer:hunter2@h", "the user name must not hold a colon" },
	{ "http://h:0", "the port is not a number from 1 to 65535" },
	{ "http://h:65536", "the port is not a number from 1 to 65535" },
	{ "http://h:8x", "the port is not a number from 1 to 65535" },
	{ "http://h h:1", "the URL has white space in it" },
	{ "http://h\r\nX: y", "the URL has white space in it" },
	{ "http://h\x01", "the URL has a control character in it" },
	{ "http://[::1", "the bracket around the IPv6 address is not closed" },
	{ "http://[::g]:1", "what stands in the brackets is not an IPv6 address" },
	{ "http://h_$", "the host has a character that no host name may have" },
};

static void test_bad_urls(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct proxy_url u = { .port = 7 };
		struct error err;

		print_message("%s\n", bad[i].text);
		assert_false(proxy_url_parse(&u, bad[i].text, &err));
		assert_int_equal(err.code, ERR_INVALID_OPTION);
		assert_string_equal(err.text, bad[i].sentence);
		assert_null(strstr(err.text, "hunter"));
		assert_int_equal(u.port, 7);
		assert_null(u.host);
	}
}

static void test_a_url_without_end(void **state)
{
	static char text[100000];
	struct proxy_url u;
	struct error err;

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	assert_false(proxy_url_parse(&u, text, &err));
	assert_string_equal(err.text, "the URL of the proxy is too long");
}

struct variable {
	const char *name, *value;
};

#define VARIABLES 5

static const char *get(void *arg, const char *name)
{
	const struct variable *v = arg;

	for (size_t i = 0; i < VARIABLES && v[i].name; i++) {
		if (strcmp(v[i].name, name) == 0)
			return v[i].value;
	}
	return NULL;
}

static const struct {
	struct variable set[VARIABLES];
	const char *ws, *wss; /* NULL = directly */
} environments[] = {
	{ { { NULL, NULL } }, NULL, NULL },
	{ { { "http_proxy", "a:1" } }, "http a 1 - -", NULL },
	{ { { "HTTP_PROXY", "a:1" } }, NULL, NULL }, /* a header, in a CGI program */
	{ { { "https_proxy", "a:1" } }, NULL, "http a 1 - -" },
	{ { { "HTTPS_PROXY", "a:1" } }, NULL, "http a 1 - -" },
	{ { { "HTTPS_PROXY", "a:1" }, { "https_proxy", "b:2" } }, NULL, "http b 2 - -" },
	{ { { "HTTPS_PROXY", "a:1" }, { "https_proxy", "" } }, NULL, "http a 1 - -" },
	{ { { "all_proxy", "socks5h://a" } }, "socks5h a 1080 - -", "socks5h a 1080 - -" },
	{ { { "ALL_PROXY", "socks5h://a" } }, "socks5h a 1080 - -", "socks5h a 1080 - -" },
	{ { { "ALL_PROXY", "a:1" }, { "all_proxy", "b:2" } }, "http b 2 - -", "http b 2 - -" },
	{ { { "all_proxy", "a:1" }, { "http_proxy", "b:2" }, { "https_proxy", "c:3" } },
	  "http b 2 - -",
	  "http c 3 - -" },
	{ { { "http_proxy", "b:2" }, { "https_proxy", "c:3" }, { "ws_proxy", "d:4" } },
	  "http d 4 - -",
	  "http c 3 - -" },
	{ { { "http_proxy", "b:2" }, { "https_proxy", "c:3" }, { "WSS_PROXY", "d:4" } },
	  "http b 2 - -",
	  "http d 4 - -" },
	{ { { "WS_PROXY", "a:1" }, { "wss_proxy", "b:2" } }, "http a 1 - -", "http b 2 - -" },
	{ { { "all_proxy", "a:1" }, { "no_proxy", "example.net" } }, NULL, NULL },
	{ { { "all_proxy", "a:1" }, { "NO_PROXY", "example.net" } }, NULL, NULL },
	{ { { "all_proxy", "a:1" }, { "NO_PROXY", "example.net" }, { "no_proxy", "x.example" } },
	  "http a 1 - -",
	  "http a 1 - -" },
	{ { { "all_proxy", "a:1" }, { "NO_PROXY", "example.net" }, { "no_proxy", "" } },
	  NULL,
	  NULL },
	{ { { "all_proxy", "a:1" }, { "no_proxy", "example.net:443" } }, "http a 1 - -", NULL },
	{ { { "all_proxy", "bad url" }, { "no_proxy", "*" } }, NULL, NULL },
};

static void check_environment(const struct proxy_env *env, bool tls, const char *expected)
{
	const struct proxy_env_query query = { .tls = tls,
					       .host = "feed.example.net",
					       .port = tls ? 443 : 80 };
	struct proxy_url u = { 0 };
	struct error err;
	char out[200] = "";

	switch (proxy_env_read(env, &query, &u, &err)) {
	case PROXY_ENV_FOUND:
		write_down(&u, out, sizeof(out));
		break;
	case PROXY_ENV_NONE:
		break;
	case PROXY_ENV_BAD:
		fail_msg("%s", err.text);
		break;
	}
	assert_string_equal(out, expected ? expected : "");
	proxy_url_deinit(&u);
}

static void test_environments(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(environments); i++) {
		struct variable set[VARIABLES];
		const struct proxy_env env = { get, set };

		memcpy(set, environments[i].set, sizeof(set));
		check_environment(&env, false, environments[i].ws);
		check_environment(&env, true, environments[i].wss);
	}
}

static void test_a_bad_variable_is_named_without_its_value(void **state)
{
	struct variable set[VARIABLES] = { { "HTTPS_PROXY", "http://u:hunter2@h:99999" } };
	const struct proxy_env env = { get, set };
	const struct proxy_env_query query = { .tls = true, .host = "h", .port = 443 };
	struct proxy_url u;
	struct error err;

	(void)state;
	assert_int_equal(proxy_env_read(&env, &query, &u, &err), PROXY_ENV_BAD);
	assert_int_equal(err.code, ERR_INVALID_OPTION);
	assert_string_equal(err.text, "environment variable HTTPS_PROXY: "
				      "the port is not a number from 1 to 65535");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_urls),
		cmocka_unit_test(test_bad_urls),
		cmocka_unit_test(test_a_url_without_end),
		cmocka_unit_test(test_environments),
		cmocka_unit_test(test_a_bad_variable_is_named_without_its_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
