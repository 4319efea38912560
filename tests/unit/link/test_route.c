/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration and environment → the way to the server: place, proxy, TLS, options of the
 * socket; and what stays behind when a redirect has led to another origin. That two routes
 * use the same TLS shows in the context that they share.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/version.h"
#include "link/route.h"
#include "net/tls_cache.h"
#include "support/tls_certs.h"
#include "support/world.h"

#define COUNT(rows) (sizeof(rows) / sizeof(*(rows)))

struct way {
	struct world w;
	struct bridge_conf *conf;
	struct secret_values secrets;
	struct tls_cache *cache;
	struct route route;
	struct error err;
	bool foreign;
};

static const char *const variables[] = { "ws_proxy",   "WS_PROXY",   "wss_proxy",   "WSS_PROXY",
					 "http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY",
					 "all_proxy",  "ALL_PROXY",  "no_proxy",    "NO_PROXY" };

static void clear_environment(void)
{
	for (size_t i = 0; i < COUNT(variables); i++)
		unsetenv(variables[i]);
}

static void start(struct way *y)
{
	*y = (struct way){ 0 };
	clear_environment();
	world_init(&y->w);
	y->cache = tls_cache_new();
}

static void forget(struct way *y)
{
	route_deinit(&y->route);
	bridge_conf_unref(y->conf);
	y->conf = NULL;
}

static void finish(struct way *y)
{
	forget(y);
	clear_environment();
	tls_cache_free(y->cache);
	world_deinit(&y->w);
}

/* options: JSON with the url. */
static bool find(struct way *y, const char *options)
{
	mem_auto_str text = mem_printf("{%s}", options);
	struct route_source from = { .secrets = &y->secrets, .attempt = 7 };

	forget(y);
	y->conf = world_bridge_conf(&y->w, "b", text);
	from.conf = y->conf;
	from.url = &y->conf->urls[0];
	from.foreign = y->foreign;
	from.tls_cache = y->cache;
	y->err = ERROR_INIT;
	return route_init(&y->route, &from, &y->err);
}

/* "KIND HOST:PORT user USER password PASSWORD", "direct". */
static char *shown_proxy(const struct way *y)
{
	const struct dial_proxy *p = y->route.dial.proxy;
	mem_auto_str user = NULL;
	mem_auto_str password = NULL;

	if (!p)
		return mem_strdup("direct");
	user = p->user ? mem_printf(" user %s", p->user) : mem_strdup("");
	password = p->password ? mem_printf(" password %s", p->password) : mem_strdup("");
	return mem_printf("%s %s:%u%s%s", proxy_kind_name(p->kind), p->host, (unsigned)p->port,
			  user, password);
}

static void set_environment(const char *assignments)
{
	mem_auto_str text = mem_strdup(assignments);
	char *rest = text, *one;

	clear_environment();
	while ((one = strsep(&rest, ";"))) {
		char *value = strchr(one, '=');

		if (!value)
			continue;
		*value = '\0';
		setenv(one, value + 1, 1);
	}
}

#define WS "'url': 'ws://a.example/x'"
#define WSS "'url': 'wss://a.example/x', 'tls': {'verify': false}"

static void test_proxies(void **state)
{
	static const struct {
		const char *environment, *options, *password, *proxy;
	} rows[] = {
		{ "", WS, NULL, "direct" },
		{ "http_proxy=http://p:3128", WS, NULL, "http p:3128" },
		{ "http_proxy=http://p:3128", WSS, NULL, "direct" },
		{ "https_proxy=socks5h://u:pw@p;http_proxy=q:1", WSS, NULL,
		  "socks5h p:1080 user u password pw" },
		{ "HTTP_PROXY=http://p:3128", WS, NULL, "direct" },
		{ "all_proxy=socks4a://p:1", WS, NULL, "socks4a p:1" },
		{ "http_proxy=http://p:3128", WS ", 'proxy': null", NULL, "direct" },
		{ "http_proxy=http://p:3128", WS ", 'proxy': 'socks5://q:2'", NULL, "socks5 q:2" },
		{ "", WS ", 'proxy': 'http://u:pw@q:2'", NULL, "http q:2 user u password pw" },
		{ "", WS ", 'proxy': 'http://u:pw@q:2'", "new", "http q:2 user u password new" },
		{ "http_proxy=http://u@p:1", WS, "new", "http p:1 user u password new" },
		{ "http_proxy=http://p:1", WS, "new", "http p:1" },
		{ "http_proxy=p:1;no_proxy=.example", WS, NULL, "direct" },
		{ "http_proxy=p:1;NO_PROXY=b.example", WS, NULL, "http p:1" },
		{ "no_proxy=a.example", WS ", 'proxy': 'http://q:2'", NULL, "direct" },
		{ "", WS ", 'proxy': 'http://q:2', 'no_proxy': ['b', 'A.example']", NULL,
		  "direct" },
		{ "http_proxy=p:1", WS ", 'no_proxy': ['*']", NULL, "direct" },
		/* what is configured stands for the environment's list */
		{ "http_proxy=p:1;no_proxy=*", WS ", 'no_proxy': ['b']", NULL, "http p:1" },
		{ "no_proxy=*", WS ", 'proxy': 'http://q:2', 'no_proxy': ['b']", NULL, "http q:2" },
		/* the URL's host and port, wherever connect_to leads */
		{ "", WS ", 'proxy': 'http://q:2', 'no_proxy': ['c'], 'connect_to': 'c:3'", NULL,
		  "http q:2" },
		{ "",
		  "'url': 'ws://[fe80::1]:9/', 'proxy': 'http://q:2', 'no_proxy': "
		  "['fe80::/10']",
		  NULL, "direct" },
		{ "",
		  "'url': 'ws://192.0.2.7/', 'proxy': 'http://q:2', 'no_proxy': "
		  "['192.0.2.0/24']",
		  NULL, "direct" },
		/* a socket of this machine needs no proxy */
		{ "all_proxy=p:1", "'url': 'ws+unix:/s.sock'", NULL, "direct" },
		{ "", WS ", 'proxy': 'http://q:2', 'connect_to': 'unix:/s.sock'", NULL, "direct" },
	};
	struct way y;

	(void)state;
	start(&y);
	for (size_t i = 0; i < COUNT(rows); i++) {
		mem_auto_str proxy = NULL;

		set_environment(rows[i].environment);
		y.secrets.proxy_password = (char *)(uintptr_t)rows[i].password;
		if (!find(&y, rows[i].options))
			fail_msg("%s", y.err.text);
		proxy = shown_proxy(&y);
		assert_string_equal(proxy, rows[i].proxy);
	}
	finish(&y);
}

static void test_bad_environment(void **state)
{
	struct way y;

	(void)state;
	start(&y);
	setenv("http_proxy", "ftp://u:canary@p", 1);
	assert_false(find(&y, WS));
	assert_int_equal(y.err.code, ERR_INVALID_OPTION);
	assert_int_equal(y.err.stage, STAGE_PROXY);
	assert_non_null(strstr(y.err.text, "environment variable http_proxy: "));
	assert_null(strstr(y.err.text, "canary"));
	assert_true(find(&y, WS ", 'proxy': null"));
	finish(&y);
}

static void test_places(void **state)
{
	static const struct {
		const char *options;
		bool foreign;
		const char *host;
		int port;
		const char *connect_host;
		int connect_port;
		const char *unix_path;
	} rows[] = {
		{ WS, false, "a.example", 80, NULL, 0, NULL },
		{ "'url': 'ws://[::1]:81/'", false, "::1", 81, NULL, 0, NULL },
		{ WS ", 'connect_to': '[::1]:8080'", false, "a.example", 80, "::1", 8080, NULL },
		{ WS ", 'connect_to': 'unix:/s.sock'", false, "a.example", 80, NULL, 0, "/s.sock" },
		{ "'url': 'ws+unix:/u.sock:/x'", false, "localhost", 0, NULL, 0, "/u.sock" },
		{ WS ", 'connect_to': '[::1]:8080'", true, "a.example", 80, NULL, 0, NULL },
		{ WS ", 'connect_to': 'unix:/s.sock'", true, "a.example", 80, NULL, 0, NULL },
	};
	struct way y;

	(void)state;
	start(&y);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct dial_params *d = &y.route.dial;

		y.foreign = rows[i].foreign;
		assert_true(find(&y, rows[i].options));
		assert_string_equal(d->host, rows[i].host);
		assert_int_equal(d->port, rows[i].port);
		assert_int_equal(d->connect_port, rows[i].connect_port);
		assert_int_equal(d->connect_host != NULL, rows[i].connect_host != NULL);
		if (rows[i].connect_host)
			assert_string_equal(d->connect_host, rows[i].connect_host);
		assert_int_equal(d->unix_path != NULL, rows[i].unix_path != NULL);
		if (rows[i].unix_path)
			assert_string_equal(d->unix_path, rows[i].unix_path);
		assert_null(d->tls);
	}
	finish(&y);
}

static void test_socket_and_the_rest(void **state)
{
	struct way y;
	const struct dial_params *d = &y.route.dial;

	(void)state;
	start(&y);
	assert_true(find(&y, WS));
	assert_true(d->socket.nodelay);
	assert_false(d->socket.keepalive);
	assert_string_equal(d->socket.bind_address, "");
	assert_string_equal(d->socket.bind_device, "");
	assert_int_equal(d->socket.family, SOCKET_ANY);
	assert_int_equal(d->connect_timeout, 10000000);
	assert_int_equal(d->resolve_timeout, 5000000);
	assert_int_equal(d->attempt, 7);
	assert_memory_equal(d->user_agent, "wsbridge/", 9);
	assert_string_equal(d->user_agent + 9, wsb_version);
	assert_true(find(&y, WS ", 'user_agent': 'me', 'timeouts': {'connect': '3s'}, 'socket': "
				"{'nodelay': false, 'family': 'ipv6', 'bind_address': '::1', "
				"'bind_device': 'lo', 'mark': 4294967295, 'rcvbuf': '8K', "
				"'sndbuf': '16K', 'user_timeout': '9s', 'keepalive': {'idle': "
				"'4s', 'interval': '2s', 'count': 5}}"));
	assert_string_equal(d->user_agent, "me");
	assert_int_equal(d->connect_timeout, 3000000);
	assert_false(d->socket.nodelay);
	assert_int_equal(d->socket.family, SOCKET_IPV6);
	assert_string_equal(d->socket.bind_address, "::1");
	assert_string_equal(d->socket.bind_device, "lo");
	assert_int_equal(d->socket.mark, UINT32_MAX);
	assert_int_equal(d->socket.user_timeout, 9000000);
	assert_true(d->socket.keepalive);
	assert_int_equal(d->socket.keepalive_idle, 4000000);
	assert_int_equal(d->socket.keepalive_interval, 2000000);
	assert_int_equal(d->socket.keepalive_count, 5);
	assert_int_equal(d->socket.sndbuf, 2 * d->socket.rcvbuf);
	assert_true(find(&y, WS ", 'user_agent': null"));
	assert_null(d->user_agent);
	finish(&y);
}

/* The context that the cache has for exactly these parameters. */
static void check_uses(struct way *y, const struct tls_ctx *used, const struct tls_params *params)
{
	struct error err = ERROR_INIT;
	struct tls_ctx *c = tls_cache_get(y->cache, params, &err);

	assert_non_null(c);
	assert_ptr_equal(used, c);
	tls_ctx_unref(c);
}

#define TLS                                                                                   \
	"'tls': {'ca_file': '$DIR/ca.crt', 'cert': '$DIR/client.crt', 'key': "                \
	"'$DIR/client.key', 'key_password': 'x', 'server_name': 'b.example', 'min_version': " \
	"'1.2', 'max_version': '1.3', 'ciphers': 'ECDHE-RSA-AES128-GCM-SHA256', "             \
	"'ciphersuites': 'TLS_AES_128_GCM_SHA256', 'groups': 'P-256', 'pin_sha256': "         \
	"['AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='], 'verify_hostname': false, "        \
	"'keylog_file': '$DIR/keys', 'ktls': true}"

static char in_dir[5][64];

static const char *path(const struct way *y, size_t slot, const char *name)
{
	snprintf(in_dir[slot], sizeof(in_dir[slot]), "%s/%s", y->w.dir, name);
	return in_dir[slot];
}

static void test_tls(void **state)
{
	static const char *const pins[] = { "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" };
	struct tls_cert_spec ca = { .name = "ca", .cn = "CA", .is_ca = true };
	struct tls_cert_spec client = { .name = "client",
					.cn = "me",
					.issuer = "ca",
					.is_client = true,
					.password = "secret" };
	struct tls_params params;
	struct way y;

	(void)state;
	start(&y);
	tls_cert_make(y.w.dir, &ca);
	tls_cert_make(y.w.dir, &client);
	params = (struct tls_params){
		.verify = true,
		.ca_file = path(&y, 0, "ca.crt"),
		.min_version = 12,
		.max_version = 13,
		.ciphers = "ECDHE-RSA-AES128-GCM-SHA256",
		.ciphersuites = "TLS_AES_128_GCM_SHA256",
		.groups = "P-256",
		.keylog_file = path(&y, 1, "keys"),
	};
	y.secrets.key_password = (char *)(uintptr_t) "secret";
	y.foreign = true; /* neither certificate nor name nor pins are for others */
	assert_true(find(&y, "'url': 'wss://other.example', 'proxy': 'https://p', " TLS));
	check_uses(&y, y.route.proxy.tls, &params);
	assert_null(y.route.dial.tls_server_name);
	params.ktls = true; /* of the server's TLS only */
	check_uses(&y, y.route.dial.tls, &params);
	params.ktls = false;
	y.foreign = false;
	assert_true(find(&y, "'url': 'wss://a.example', 'proxy': 'https://p', " TLS));
	assert_string_equal(y.route.dial.tls_server_name, "b.example");
	check_uses(&y, y.route.proxy.tls, &params); /* a proxy is no server */
	params.cert = path(&y, 2, "client.crt");
	params.key = path(&y, 3, "client.key");
	params.key_password = "secret";
	params.pins = pins;
	params.n_pins = 1;
	params.ktls = true;
	check_uses(&y, y.route.dial.tls, &params);
	assert_true(find(&y, "'url': 'ws://a.example', " TLS));
	assert_null(y.route.dial.tls);
	y.secrets.key_password = (char *)(uintptr_t) "wrong canary";
	assert_false(find(&y, "'url': 'wss://a.example', " TLS));
	assert_int_equal(y.err.code, ERR_TLS);
	assert_int_equal(y.err.stage, STAGE_TLS);
	assert_null(strstr(y.err.text, "canary"));
	forget(&y);
	for (size_t i = 0; i < 4; i++)
		unlink(in_dir[i]);
	unlink(path(&y, 4, "ca.key"));
	finish(&y);
}

static void test_tls_of_a_proxy_at_fault(void **state)
{
	struct way y;

	(void)state;
	start(&y);
	assert_false(find(&y, WS ", 'proxy': 'https://p', 'tls': {'ca_file': '/nonexistent'}"));
	assert_int_equal(y.err.code, ERR_TLS);
	assert_int_equal(y.err.stage, STAGE_PROXY);
	assert_string_equal(y.err.option, "tls.ca_file");
	assert_true(find(&y, WS ", 'tls': {'ca_file': '/nonexistent'}")); /* of no use here */
	finish(&y);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_proxies), cmocka_unit_test(test_bad_environment),
		cmocka_unit_test(test_places),	cmocka_unit_test(test_socket_and_the_rest),
		cmocka_unit_test(test_tls),	cmocka_unit_test(test_tls_of_a_proxy_at_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
