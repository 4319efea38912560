/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proxies and TLS behind a dial, in every combination, against scripted far ends: what goes over
 * the wire, where it fails and with which sentence. The insides of the two conversations have
 * tests of their own.
 */
#include "dial_test.h"

#include <dlfcn.h>

#include "dial_peer.h"

#define BLANK "\r\n\r\n"

/* target.test has two addresses of IPv4, six.test has none: no real name does so everywhere. */
int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
		struct addrinfo **result)
{
	int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
	int rc;

	*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
	if (strcmp(host, "six.test") == 0)
		return real("2001:db8::1", service, hints, result);
	if (strcmp(host, "target.test") != 0 || (hints->ai_flags & AI_NUMERICHOST))
		return real(host, service, hints, result);
	rc = real("192.0.2.7", service, hints, result);
	return rc ? rc : real("192.0.2.8", service, hints, &(*result)->ai_next);
}

/* "proxy 127.0.0.1:3128: rest" */
static const char *of_proxy(const struct address *a, const char *rest)
{
	static char text[300];

	snprintf(text, sizeof(text), "proxy %s: %s", a->text, rest);
	return text;
}

static void test_tls(void **state)
{
	static const struct act script[] = {
		{ ACCEPT, 0, 0 }, { SHAKE, 0, 0 }, { HOLD, 0, 0 }, { END, 0, 0 }
	};
	struct dial_peer peer;
	struct dial_params params = { .host = "127.0.0.1",
				      .tls = tls,
				      .tls_server_name = "example.test" };
	struct attempt t;

	(void)state;
	peer_start(&peer, script);
	params.port = peer.at.port;
	attempt_run(&t, &params);
	assert_non_null(t.stream);
	assert_string_equal(t.tls_version, "TLSv1.3");
	assert_string_equal(t.proxy_tls_version, "");
	assert_string_equal(t.report.peer, peer.at.text);
	assert_true(t.report.took[STAGE_TLS] > 0);
	assert_int_equal(t.report.took[STAGE_PROXY], -1);
	attempt_end(&t);
	peer_stop(&peer);
}

/* The certificate is checked for the URL's host, wherever the socket leads. */
static void test_tls_name_is_the_urls(void **state)
{
	static const struct act script[] = {
		{ ACCEPT, 0, 0 }, { SEND, "no TLS here" BLANK, 0 }, { HOLD, 0, 0 }, { END, 0, 0 }
	};
	struct dial_peer peer;
	struct dial_params params = {
		.host = "example.test", .port = 443, .connect_host = "127.0.0.1", .tls = tls
	};
	struct attempt t;

	(void)state;
	peer_start(&peer, script);
	params.connect_port = peer.at.port;
	attempt_once(&t, &params);
	assert_null(t.stream);
	assert_memory_equal(t.err.text, "TLS with example.test: ", 23);
	assert_int_equal(t.err.code, ERR_TLS);
	assert_int_equal(t.err.stage, STAGE_TLS);
	assert_string_equal(t.report.peer, peer.at.text);
	peer_stop(&peer);
}

static void test_http_proxy(void **state)
{
	static const struct act script[] = { { ACCEPT, 0, 0 }, { HEAD, 0, 0 }, { SEND, OK200, 0 },
					     { SHAKE, 0, 0 },  { HOLD, 0, 0 }, { END, 0, 0 } };
	struct dial_peer peer;
	struct dial_proxy proxy;
	struct dial_params params = { .host = "example.test",
				      .port = 443,
				      .proxy = &proxy,
				      .tls = tls,
				      .user_agent = "tester/1",
				      .rand = rand_system() };
	struct attempt t;

	(void)state;
	peer_start(&peer, script);
	proxy = proxy_at(&peer, PROXY_HTTP);
	attempt_begin(&t, &params);
	memset(&proxy, 0xff, sizeof(proxy)); /* it was copied */
	assert_true(turn_until(t.loop, attempt_is_done, &t, PATIENCE));
	assert_non_null(t.stream);
	assert_string_equal(t.tls_version, "TLSv1.3");
	assert_string_equal(t.report.peer, peer.at.text);
	assert_true(t.report.took[STAGE_PROXY] > 0 && t.report.took[STAGE_TLS] > 0);
	attempt_end(&t);
	peer_stop(&peer);
	assert_memory_equal(peer.heard, "CONNECT example.test:443 HTTP/1.1\r\n", 35);
	assert_non_null(strstr(peer.heard, "User-Agent: tester/1\r\n"));
}

static void test_https_proxy(void **state)
{
	static const struct act script[] = { { ACCEPT, 0, 0 },	 { SHAKE, 0, 0 }, { HEAD, 0, 0 },
					     { SEND, OK200, 0 }, { SHAKE, 0, 0 }, { HOLD, 0, 0 },
					     { END, 0, 0 } };
	struct dial_peer peer;
	struct dial_proxy proxy;
	struct dial_params params = { .host = "example.test",
				      .port = 443,
				      .connect_host = "2001:db8::5",
				      .connect_port = 8443,
				      .proxy = &proxy,
				      .tls = tls };
	struct attempt t;

	(void)state;
	peer_start(&peer, script);
	proxy = proxy_at(&peer, PROXY_HTTPS);
	proxy.tls = tls;
	proxy.server_name = "proxy.test";
	attempt_run(&t, &params);
	assert_non_null(t.stream);
	assert_string_equal(t.proxy_tls_version, "TLSv1.3");
	assert_string_equal(t.tls_version, "TLSv1.3");
	attempt_end(&t);
	peer_stop(&peer);
	assert_memory_equal(peer.heard, "CONNECT [2001:db8::5]:8443 HTTP/1.1\r\n", 37);
}

/* Names are looked up here, and each attempt hands another address to the proxy. */
static void test_socks5_local_names(void **state)
{
	static const struct act script[] = {
		{ ACCEPT, 0, 0 },
		{ READ, 0, 3 },
		{ SEND, "\5\0", 2 },
		{ READ, 0, 10 },
		{ SEND, "\5\0\0\1\0\0\0\0\0\0", 10 },
		{ HOLD, 0, 0 },
		{ END, 0, 0 },
	};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct dial_peer peer;
		struct dial_proxy proxy;
		struct dial_params params = {
			.host = "target.test", .port = 443, .proxy = &proxy, .attempt = i
		};
		char expected[] = "\5\1\0\5\1\0\1\300\0\2\7\1\273";
		struct attempt t;

		expected[10] = (char)(7 + i % 2);
		peer_start(&peer, script);
		proxy = proxy_at(&peer, PROXY_SOCKS5);
		attempt_once(&t, &params);
		assert_non_null(t.stream);
		assert_string_equal(t.report.peer, peer.at.text);
		peer_stop(&peer);
		assert_int_equal(peer.n_heard, 13);
		assert_memory_equal(peer.heard, expected, 13);
	}
}

static void test_socks4_wants_ipv4(void **state)
{
	struct dial_proxy proxy = { .kind = PROXY_SOCKS4, .host = "127.0.0.1", .port = 9 };
	struct dial_params params = { .host = "six.test", .port = 443, .proxy = &proxy };
	struct attempt t;

	(void)state;
	attempt_once(&t, &params);
	assert_null(t.stream);
	assert_string_equal(t.err.text,
			    "resolve six.test: Address family for hostname not supported");
	assert_int_equal(t.err.code, ERR_ADDRESS);
	assert_int_equal(t.err.stage, STAGE_RESOLVE);
}

#define CHALLENGE                                                                 \
	"HTTP/1.1 407 Who are you?\r\nConnection: close\r\nContent-Length: 0\r\n" \
	"Proxy-Authenticate: Digest realm=\"r\", nonce=\"n1\", qop=\"auth\", "    \
	"algorithm=SHA-256" BLANK

static void test_proxy_wants_a_second_connection(void **state)
{
	static const struct act script[] = { { ACCEPT, 0, 0 },	     { HEAD, 0, 0 },
					     { SEND, CHALLENGE, 0 }, { ACCEPT, 0, 0 },
					     { HEAD, 0, 0 },	     { SEND, OK200, 0 },
					     { HOLD, 0, 0 },	     { END, 0, 0 } };
	struct dial_peer peer;
	struct dial_proxy proxy;
	struct dial_params params = {
		.host = "example.test", .port = 80, .proxy = &proxy, .rand = rand_system()
	};
	struct attempt t;
	char *second;

	(void)state;
	peer_start(&peer, script);
	proxy = proxy_at(&peer, PROXY_HTTP);
	proxy.user = "u";
	proxy.password = "secret-word";
	attempt_run(&t, &params);
	assert_non_null(t.stream);
	attempt_end(&t);
	peer_stop(&peer);
	assert_int_equal(peer.n_accepted, 2);
	second = strstr(peer.heard + 1, "CONNECT ");
	assert_non_null(second);
	assert_non_null(strstr(second, "Proxy-Authorization: Digest "));
	assert_null(strstr(peer.heard, "secret-word"));
}

/* One that is never content does not keep us for ever. */
static void test_proxy_that_always_wants_another(void **state)
{
	static const struct act script[] = {
		{ ACCEPT, 0, 0 }, { HEAD, 0, 0 }, { SEND, CHALLENGE, 0 },
		{ ACCEPT, 0, 0 }, { HEAD, 0, 0 }, { SEND, CHALLENGE, 0 },
		{ ACCEPT, 0, 0 }, { HEAD, 0, 0 }, { SEND, CHALLENGE, 0 },
		{ ACCEPT, 0, 0 }, { HEAD, 0, 0 }, { SEND, CHALLENGE, 0 },
		{ ACCEPT, 0, 0 }, { HEAD, 0, 0 }, { SEND, CHALLENGE, 0 },
		{ END, 0, 0 },
	};
	struct dial_peer peer;
	struct dial_proxy proxy;
	struct dial_params params = {
		.host = "example.test", .port = 80, .proxy = &proxy, .rand = rand_system()
	};
	struct attempt t;

	(void)state;
	peer_start(&peer, script);
	proxy = proxy_at(&peer, PROXY_HTTP);
	proxy.user = "u";
	proxy.password = "p";
	attempt_once(&t, &params);
	assert_null(t.stream);
	assert_int_equal(t.err.code, ERR_PROXY);
	assert_int_equal(t.err.stage, STAGE_PROXY);
	assert_int_equal(t.err.status, 407);
	assert_non_null(strstr(t.err.text, of_proxy(&peer.at, "")));
	peer_stop(&peer);
	assert_true(peer.n_accepted >= 2 && peer.n_accepted <= 3);
}

static void test_proxy_refuses(void **state)
{
	static const struct act script[] = { { ACCEPT, 0, 0 },
					     { HEAD, 0, 0 },
					     { SEND, "HTTP/1.1 403 Nope\r\nContent-Length: 0" BLANK,
					       0 },
					     { HOLD, 0, 0 },
					     { END, 0, 0 } };
	struct dial_peer peer;
	struct dial_proxy proxy;
	struct dial_params params = { .host = "example.test", .port = 80, .proxy = &proxy };
	struct attempt t;

	(void)state;
	peer_start(&peer, script);
	proxy = proxy_at(&peer, PROXY_HTTP);
	attempt_once(&t, &params);
	assert_null(t.stream);
	assert_int_equal(t.err.code, ERR_PROXY);
	assert_int_equal(t.err.stage, STAGE_PROXY);
	assert_int_equal(t.err.status, 403);
	assert_ptr_equal(strstr(t.err.text, of_proxy(&peer.at, "")), t.err.text);
	assert_string_equal(t.report.peer, peer.at.text);
	peer_stop(&peer);
}

static void test_https_proxy_without_tls(void **state)
{
	static const struct act script[] = { { ACCEPT, 0, 0 },
					     { SEND, "HTTP/1.1 400 Bad Request" BLANK, 0 },
					     { HOLD, 0, 0 },
					     { END, 0, 0 } };
	struct dial_peer peer;
	struct dial_proxy proxy;
	struct dial_params params = { .host = "example.test", .port = 80, .proxy = &proxy };
	struct attempt t;

	(void)state;
	peer_start(&peer, script);
	proxy = proxy_at(&peer, PROXY_HTTPS);
	proxy.tls = tls;
	attempt_once(&t, &params);
	assert_null(t.stream);
	assert_int_equal(t.err.code, ERR_TLS);
	assert_int_equal(t.err.stage, STAGE_PROXY);
	assert_ptr_equal(strstr(t.err.text, of_proxy(&peer.at, "")), t.err.text);
	peer_stop(&peer);
}

static void test_proxy_is_not_there(void **state)
{
	struct dial_proxy proxy = { .kind = PROXY_HTTP, .host = "127.0.0.1" };
	struct dial_params params = { .host = "example.test", .port = 80, .proxy = &proxy };
	struct address a;
	int fd = address_open(&a, "127.0.0.1", -1);
	struct attempt t;
	char rest[160];

	(void)state;
	proxy.port = a.port;
	attempt_once(&t, &params);
	snprintf(rest, sizeof(rest), "connect to %s: Connection refused", a.text);
	assert_string_equal(t.err.text, of_proxy(&a, rest));
	assert_int_equal(t.err.code, ERR_CONNECT);
	assert_int_equal(t.err.stage, STAGE_CONNECT);
	close(fd);
}

static void test_proxy_has_no_address(void **state)
{
	struct dial_proxy proxy = { .kind = PROXY_SOCKS5H, .host = "six.test", .port = 1080 };
	struct dial_params params = { .host = "example.test",
				      .port = 80,
				      .socket = { .family = SOCKET_IPV4 },
				      .proxy = &proxy };
	struct attempt t;

	(void)state;
	attempt_once(&t, &params);
	assert_string_equal(t.err.text, "proxy six.test:1080: resolve six.test: "
					"Address family for hostname not supported");
	assert_int_equal(t.err.stage, STAGE_RESOLVE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tls),
		cmocka_unit_test(test_tls_name_is_the_urls),
		cmocka_unit_test(test_http_proxy),
		cmocka_unit_test(test_https_proxy),
		cmocka_unit_test(test_socks5_local_names),
		cmocka_unit_test(test_socks4_wants_ipv4),
		cmocka_unit_test(test_proxy_wants_a_second_connection),
		cmocka_unit_test(test_proxy_that_always_wants_another),
		cmocka_unit_test(test_proxy_refuses),
		cmocka_unit_test(test_https_proxy_without_tls),
		cmocka_unit_test(test_proxy_is_not_there),
		cmocka_unit_test(test_proxy_has_no_address),
	};

	return cmocka_run_group_tests(tests, make_tls, drop_tls);
}
