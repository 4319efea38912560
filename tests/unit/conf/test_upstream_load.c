/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Good configurations of the way to a server: defaults, every option, every
 * form of a secret, and the merge, in which secrets are whole.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "config_file.h"

#define COUNT(rows) (sizeof(rows) / sizeof(*(rows)))
#define SECOND INT64_C(1000000)
#define PIN "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

static int setup(void **state)
{
	struct config *c = mem_alloc(sizeof(*c));

	config_init(c);
	*state = c;
	return 0;
}

static int teardown(void **state)
{
	config_deinit(*state);
	free(*state);
	return 0;
}

/* The first bridge of a whole configuration. */
static const struct bridge_conf *load(struct config *c, const char *text)
{
	config_write(c, "FILE", text);
	config_load(c, "FILE");
	assert_string_equal(c->errors, "");
	assert_int_not_equal(c->conf->n_bridges, 0);
	return c->conf->bridges[0];
}

static const struct bridge_conf *load_options(struct config *c, const char *options)
{
	mem_auto_str text = mem_printf("{'bridges': {'a': {'url': 'wss://h'%s%s}}}",
				       *options ? ", " : "", options);

	return load(c, text);
}

static void check_secret(const struct secret_conf *s, enum secret_kind kind, const char *text)
{
	assert_int_equal(s->kind, kind);
	assert_string_equal(s->text, text);
	assert_null(s->argv);
}

static void test_defaults(void **state)
{
	const struct bridge_conf *b = load_options(*state, "");

	assert_int_equal(b->n_urls, 1);
	assert_int_equal(b->urls[0].scheme, URL_WSS);
	assert_int_equal(b->urls[0].port, 443);
	assert_true(!b->common->connect_to.host && !b->common->connect_to.unix_path);
	assert_int_equal(b->handshake->cookie.kind, SECRET_NONE);
	assert_int_equal(b->handshake->cookies, COOKIES_KEEP);
	assert_int_equal(b->handshake->auth.kind, AUTH_NONE);
	assert_int_equal(b->handshake->auth.secret.kind, SECRET_NONE);
	assert_int_equal(b->handshake->redirects, 0);
	assert_true(b->common->tls.verify && b->common->tls.verify_hostname);
	assert_true(!b->common->tls.ca_file && !b->common->tls.ca_dir && !b->common->tls.cert &&
		    !b->common->tls.key);
	assert_int_equal(b->common->tls.key_password.kind, SECRET_NONE);
	assert_int_equal(b->common->tls.min_version, CONF_TLS_1_2);
	assert_int_equal(b->common->tls.max_version, CONF_TLS_ANY);
	assert_true(!b->common->tls.ciphers && !b->common->tls.ciphersuites &&
		    !b->common->tls.groups);
	assert_true(!b->common->tls.server_name && !b->common->tls.keylog_file &&
		    !b->common->tls.ktls);
	assert_int_equal(b->common->tls.n_pins, 0);
	assert_int_equal(b->common->proxy.use, CONF_PROXY_ENV);
	assert_int_equal(b->common->proxy.secret.kind, SECRET_NONE);
	assert_int_equal(b->common->proxy.n_no_proxy, 0);
	assert_true(b->common->socket.nodelay && !b->common->socket.keepalive);
	assert_int_equal(b->common->socket.user_timeout, 30 * SECOND);
	assert_true(!b->common->socket.bind_address && !b->common->socket.bind_device);
	assert_int_equal(b->common->socket.mark, 0);
	assert_int_equal(b->common->socket.rcvbuf + b->common->socket.sndbuf, 0);
	assert_int_equal(b->common->socket.family, FAMILY_ANY);
}

static void test_urls(void **state)
{
	const struct bridge_conf *b = load(
		*state, "{'bridges': {'a': {'url': ['WSS://u:p@[::1]/x', 'ws://h:81',"
			"'ws+unix:///run/x.sock:/y']}}}");

	assert_int_equal(b->n_urls, 3);
	assert_string_equal(b->urls[0].host, "::1");
	assert_string_equal(b->urls[0].password, "p");
	assert_int_equal(b->urls[1].port, 81);
	assert_int_equal(b->urls[2].scheme, URL_WS_UNIX);
	assert_string_equal(b->urls[2].unix_path, "/run/x.sock");
	assert_string_equal(b->urls[2].target, "/y");
}

static void test_connect_to(void **state)
{
	static const struct {
		const char *options, *host, *unix_path;
		uint16_t port;
	} rows[] = {
		{ "'connect_to': 'h.Example:80'", "h.example", NULL, 80 },
		{ "'connect_to': '192.0.2.1:65535'", "192.0.2.1", NULL, 65535 },
		{ "'connect_to': '[2001:DB8::1]:443'", "2001:db8::1", NULL, 443 },
		{ "'connect_to': 'unix:/run/a b:c@d.sock'", NULL, "/run/a b:c@d.sock", 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct bridge_conf *b = load_options(*state, rows[i].options);

		assert_int_equal(b->common->connect_to.port, rows[i].port);
		assert_true((b->common->connect_to.host != NULL) == (rows[i].host != NULL));
		assert_true((b->common->connect_to.unix_path != NULL) ==
			    (rows[i].unix_path != NULL));
		if (rows[i].host)
			assert_string_equal(b->common->connect_to.host, rows[i].host);
		else
			assert_string_equal(b->common->connect_to.unix_path, rows[i].unix_path);
	}
}

static void test_secrets(void **state)
{
	const struct bridge_conf *b = load_options(
		*state, "'headers': {'A': 'x', 'B': [{'file': '/f'}, '', {'env': 'E_1'}],"
			"'C': {'credential': 'c.d-e'}, 'D': {'command': ['/bin/x', '', 'y z']}},"
			"'cookie': {'env': '_C'}, 'auth': {'bearer': {'credential': 't'}},"
			"'tls': {'cert': '/c', 'key_password': ''}, 'proxy_password': 'a b:c'");

	assert_int_equal(b->handshake->n_headers, 6);
	check_secret(&b->handshake->headers[0].value, SECRET_TEXT, "x");
	check_secret(&b->handshake->headers[1].value, SECRET_FILE, "/f");
	check_secret(&b->handshake->headers[2].value, SECRET_TEXT, "");
	check_secret(&b->handshake->headers[3].value, SECRET_ENV, "E_1");
	assert_string_equal(b->handshake->headers[3].name, "B");
	check_secret(&b->handshake->headers[4].value, SECRET_CREDENTIAL, "c.d-e");
	assert_int_equal(b->handshake->headers[5].value.kind, SECRET_COMMAND);
	assert_null(b->handshake->headers[5].value.text);
	assert_string_equal(b->handshake->headers[5].value.argv[0], "/bin/x");
	assert_string_equal(b->handshake->headers[5].value.argv[1], "");
	assert_string_equal(b->handshake->headers[5].value.argv[2], "y z");
	assert_null(b->handshake->headers[5].value.argv[3]);
	check_secret(&b->handshake->cookie, SECRET_ENV, "_C");
	assert_int_equal(b->handshake->auth.kind, AUTH_BEARER);
	assert_null(b->handshake->auth.user);
	check_secret(&b->handshake->auth.secret, SECRET_CREDENTIAL, "t");
	check_secret(&b->common->tls.key_password, SECRET_TEXT, "");
	check_secret(&b->common->proxy.secret, SECRET_TEXT, "a b:c");
}

static void test_values(void **state)
{
	const struct bridge_conf *b = load_options(
		*state, "'cookies': 'off', 'redirects': 10, 'auth': {'basic': {'user': 'u',"
			"'password': {'file': '/p'}}}, 'tls': {'verify': false,"
			"'verify_hostname': false, 'ca_file': '/a', 'ca_dir': '/b', 'cert': '/c',"
			"'key': '/k', 'server_name': '2001:db8::1', 'min_version': '1.3',"
			"'max_version': '1.3', 'ciphers': 'A:!B@C', 'ciphersuites': 'D',"
			"'groups': 'X25519:P-256', 'pin_sha256': ['" PIN "'],"
			"'keylog_file': '/l', 'ktls': true}");

	assert_int_equal(b->handshake->cookies, COOKIES_OFF);
	assert_int_equal(b->handshake->redirects, 10);
	assert_int_equal(b->handshake->auth.kind, AUTH_BASIC);
	assert_string_equal(b->handshake->auth.user, "u");
	check_secret(&b->handshake->auth.secret, SECRET_FILE, "/p");
	assert_false(b->common->tls.verify || b->common->tls.verify_hostname);
	assert_string_equal(b->common->tls.ca_file, "/a");
	assert_string_equal(b->common->tls.ca_dir, "/b");
	assert_string_equal(b->common->tls.cert, "/c");
	assert_string_equal(b->common->tls.key, "/k");
	assert_string_equal(b->common->tls.server_name, "2001:db8::1");
	assert_int_equal(b->common->tls.min_version, CONF_TLS_1_3);
	assert_int_equal(b->common->tls.max_version, CONF_TLS_1_3);
	assert_string_equal(b->common->tls.ciphers, "A:!B@C");
	assert_string_equal(b->common->tls.ciphersuites, "D");
	assert_string_equal(b->common->tls.groups, "X25519:P-256");
	assert_int_equal(b->common->tls.n_pins, 1);
	assert_string_equal(b->common->tls.pins[0], PIN);
	assert_string_equal(b->common->tls.keylog_file, "/l");
	assert_true(b->common->tls.ktls);
}

static void test_socket(void **state)
{
	const struct bridge_conf *b = load_options(
		*state, "'socket': {'nodelay': false, 'keepalive': {'idle': '1min', 'count': 9},"
			"'user_timeout': 'off', 'bind_address': 'fe80::1%eth0',"
			"'bind_device': 'fifteen-letters', 'mark': 4294967295, 'rcvbuf': '64K',"
			"'sndbuf': 1024, 'family': 'ipv6'}");

	assert_true(!b->common->socket.nodelay && b->common->socket.keepalive);
	assert_int_equal(b->common->socket.keepalive_idle, 60 * SECOND);
	assert_int_equal(b->common->socket.keepalive_interval, 5 * SECOND);
	assert_int_equal(b->common->socket.keepalive_count, 9);
	assert_int_equal(b->common->socket.user_timeout, 0);
	assert_string_equal(b->common->socket.bind_address, "fe80::1%eth0");
	assert_string_equal(b->common->socket.bind_device, "fifteen-letters");
	assert_int_equal(b->common->socket.mark, 4294967295);
	assert_int_equal(b->common->socket.rcvbuf, 65536);
	assert_int_equal(b->common->socket.sndbuf, 1024);
	assert_int_equal(b->common->socket.family, FAMILY_IPV6);
}

static void test_keepalive(void **state)
{
	static const struct {
		const char *options;
		bool on;
	} rows[] = {
		{ "'socket': {}", false },
		{ "'socket': {'keepalive': false}", false },
		{ "'socket': {'keepalive': null}", false },
		{ "'socket': {'keepalive': true}", true },
		{ "'socket': {'keepalive': {}}", true },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct bridge_conf *b = load_options(*state, rows[i].options);

		assert_true(b->common->socket.keepalive == rows[i].on);
		assert_int_equal(b->common->socket.keepalive_idle, 15 * SECOND);
		assert_int_equal(b->common->socket.keepalive_interval, 5 * SECOND);
		assert_int_equal(b->common->socket.keepalive_count, 3);
	}
}

static void check_text(const char *a, const char *b)
{
	assert_true((a != NULL) == (b != NULL));
	if (a)
		assert_string_equal(a, b);
}

static void test_proxy(void **state)
{
	static const struct {
		const char *options;
		enum conf_proxy_kind kind;
		const char *host;
		uint16_t port;
		const char *user, *password;
	} rows[] = {
		{ "'proxy': 'http://h'", CONF_PROXY_HTTP, "h", 1080, NULL, NULL },
		{ "'proxy': 'HTTP://H:/'", CONF_PROXY_HTTP, "h", 1080, NULL, NULL },
		{ "'proxy': 'http://h:80'", CONF_PROXY_HTTP, "h", 80, NULL, NULL },
		{ "'proxy': 'https://h'", CONF_PROXY_HTTPS, "h", 443, NULL, NULL },
		{ "'proxy': 'socks4://u@h'", CONF_PROXY_SOCKS4, "h", 1080, "u", NULL },
		{ "'proxy': 'socks4a://h'", CONF_PROXY_SOCKS4A, "h", 1080, NULL, NULL },
		{ "'proxy': 'socks5://[::1]'", CONF_PROXY_SOCKS5, "::1", 1080, NULL, NULL },
		{ "'proxy': 'socks5h://u:p%40%2f:q@[::1]:9/'", CONF_PROXY_SOCKS5H, "::1", 9, "u",
		  "p@/:q" },
		{ "'proxy': 'http://u:1@h', 'proxy_password': 'x'", CONF_PROXY_HTTP, "h", 1080, "u",
		  "1" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct bridge_conf *b = load_options(*state, rows[i].options);

		assert_int_equal(b->common->proxy.use, CONF_PROXY_URL);
		assert_int_equal(b->common->proxy.kind, rows[i].kind);
		assert_string_equal(b->common->proxy.host, rows[i].host);
		assert_int_equal(b->common->proxy.port, rows[i].port);
		check_text(b->common->proxy.user, rows[i].user);
		check_text(b->common->proxy.password, rows[i].password);
	}
	assert_int_equal(
		load_options(*state, "'proxy': null, 'proxy_password': 'x'")->common->proxy.use,
		CONF_PROXY_NONE);
	assert_int_equal(
		load_options(*state, "'proxy': 'env', 'proxy_password': 'x'")->common->proxy.use,
		CONF_PROXY_ENV);
}

static void test_no_proxy(void **state)
{
	static const char *const good[] = {
		"*",	      "localhost", ".example.net", "example.net.",    "a_b-1.c",
		"192.0.2.1",  "::1",	   "[::1]",	   "[2001:db8::1]:8", "h:8443",
		"10.0.0.0/8", "::/0",	   "0.0.0.0/32",   "fd00::/128",      "192.0.2.1:80",
	};

	for (size_t i = 0; i < COUNT(good); i++) {
		mem_auto_str options = mem_printf("'no_proxy': ['%s']", good[i]);
		const struct bridge_conf *b = load_options(*state, options);

		assert_int_equal(b->common->proxy.n_no_proxy, 1);
		assert_string_equal(b->common->proxy.no_proxy[0], good[i]);
	}
}

/* A secret replaces one of another kind, a way of authentication the other, a list a list. */
static void test_merge(void **state)
{
	const struct bridge_conf *b = load(
		*state, "{'defaults': {'cookie': {'file': '/c'}, 'auth': {'bearer': 't'},"
			"'headers': {'X': {'env': 'X'}, 'Y': {'file': '/y'}},"
			"'tls': {'cert': '/c', 'key_password': {'command': ['/p']},"
			"'min_version': '1.3'}, 'proxy': 'http://u@d', 'no_proxy': ['a', 'b'],"
			"'proxy_password': {'file': '/p'}, 'socket': {'keepalive': {'idle': 1}}},"
			"'bridges': {'a': {'url': 'wss://h', 'cookie': {'env': 'C'},"
			"'auth': {'basic': {'user': 'u', 'password': {'env': 'P'}}},"
			"'headers': {'x': {'file': '/x'}, 'Y': {'env': 'Y'}},"
			"'tls': {'key_password': {'file': '/k'}}, 'no_proxy': ['c'],"
			"'proxy_password': {'env': 'Q'}, 'socket': {'keepalive': {'count': 9}}},"
			"'b': {'url': 'wss://h', 'auth': {'bearer': {'file': '/t'}},"
			"'proxy': null, 'socket': {'keepalive': false}}}}");
	struct config *c = *state;

	check_secret(&b->handshake->cookie, SECRET_ENV, "C");
	assert_int_equal(b->handshake->auth.kind, AUTH_BASIC);
	check_secret(&b->handshake->auth.secret, SECRET_ENV, "P");
	assert_int_equal(b->handshake->n_headers, 2);
	check_secret(&b->handshake->headers[0].value, SECRET_FILE, "/x");
	check_secret(&b->handshake->headers[1].value, SECRET_ENV, "Y");
	check_secret(&b->common->tls.key_password, SECRET_FILE, "/k");
	assert_int_equal(b->common->tls.min_version, CONF_TLS_1_3);
	assert_int_equal(b->common->proxy.n_no_proxy, 1);
	check_secret(&b->common->proxy.secret, SECRET_ENV, "Q");
	assert_int_equal(b->common->socket.keepalive_idle, SECOND);
	assert_int_equal(b->common->socket.keepalive_count, 9);
	b = c->conf->bridges[1];
	check_secret(&b->handshake->cookie, SECRET_FILE, "/c");
	assert_int_equal(b->handshake->auth.kind, AUTH_BEARER);
	check_secret(&b->handshake->auth.secret, SECRET_FILE, "/t");
	assert_int_equal(b->common->tls.key_password.kind, SECRET_COMMAND);
	assert_int_equal(b->common->proxy.use, CONF_PROXY_NONE);
	assert_int_equal(b->common->proxy.n_no_proxy, 2);
	assert_false(b->common->socket.keepalive);
}

static void test_merge_files(void **state)
{
	const struct bridge_conf *b;

	config_write(*state, "wsbridge.d/1.json",
		     "{'defaults': {'cookie': {'env': 'C'}}, 'bridges': {'a': {'auth':"
		     "{'basic': {'user': 'u', 'password': 'p'}}, 'headers': {'x': {'env': 'X'}}},"
		     "'b': {'url': 'ws://b'}}}");
	b = load(*state, "{'defaults': {'cookie': {'file': '/c'}}, 'bridges': {'a': {"
			 "'url': 'ws://h', 'auth': {'bearer': 't'},"
			 "'headers': {'X': {'file': '/x'}}}}}");
	check_secret(&b->handshake->cookie, SECRET_ENV, "C");
	assert_int_equal(b->handshake->auth.kind, AUTH_BASIC);
	assert_int_equal(b->handshake->n_headers, 1);
	check_secret(&b->handshake->headers[0].value, SECRET_ENV, "X");
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(defaults), TEST(urls),   TEST(connect_to),	 TEST(secrets),
		TEST(values),	TEST(socket), TEST(keepalive),	 TEST(proxy),
		TEST(no_proxy), TEST(merge),  TEST(merge_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
