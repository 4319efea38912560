/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the handshake is told of a configuration: Host, User-Agent, header fields, Basic
 * auth from the URL.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/version.h"
#include "link/upgrade_params.h"

static struct bridge_conf conf_of(const char *url)
{
	struct bridge_conf conf = { 0 };
	struct error err = ERROR_INIT;

	assert_true(url_parse(&conf.url, url, &err));
	return conf;
}

static void test_defaults_come_from_the_url(void **state)
{
	struct bridge_conf conf = conf_of("ws://Example.net:8080/a?b=c");
	struct upgrade_params u;

	(void)state;
	upgrade_params_init(&u, &conf, NULL);
	assert_string_equal(u.ws.host, "example.net:8080");
	assert_string_equal(u.ws.target, "/a?b=c");
	assert_string_equal(u.ws.user_agent, u.user_agent);
	assert_memory_equal(u.ws.user_agent, "wsbridge/", 9);
	assert_string_equal(u.ws.user_agent + 9, wsb_version);
	assert_null(u.ws.origin);
	assert_int_equal(u.ws.n_headers, 0);
	upgrade_params_deinit(&u);
	url_deinit(&conf.url);
}

static void test_null_leaves_host_and_user_agent_out(void **state)
{
	struct bridge_conf conf = conf_of("ws://example.net/");
	struct upgrade_params u;

	(void)state;
	conf.has_host = conf.has_user_agent = true;
	upgrade_params_init(&u, &conf, NULL);
	assert_null(u.ws.host);
	assert_null(u.ws.user_agent);
	upgrade_params_deinit(&u);
	url_deinit(&conf.url);
}

static void test_basic_auth_from_the_url(void **state)
{
	static const struct {
		const char *url, *value;
	} rows[] = {
		/* RFC 7617, 2 */
		{ "ws://Aladdin:open%20sesame@example.net/", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==" },
		{ "ws://user@example.net/", "Basic dXNlcjo=" },
		{ "ws://user:@example.net/", "Basic dXNlcjo=" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bridge_conf conf = conf_of(rows[i].url);
		struct upgrade_params u;

		upgrade_params_init(&u, &conf, NULL);
		assert_int_equal(u.ws.n_headers, 1);
		assert_string_equal(u.ws.headers[0].name, "Authorization");
		assert_string_equal(u.ws.headers[0].value, rows[i].value);
		upgrade_params_deinit(&u);
		url_deinit(&conf.url);
	}
}

static void test_a_written_header_comes_before_the_url(void **state)
{
	struct bridge_conf conf = conf_of("ws://user:pw@example.net/");
	struct conf_header header = { (char *)(uintptr_t) "authorization",
				      (char *)(uintptr_t) "Bearer x" };
	struct upgrade_params u;

	(void)state;
	conf.headers = &header;
	conf.n_headers = 1;
	upgrade_params_init(&u, &conf, NULL);
	assert_int_equal(u.ws.n_headers, 1);
	assert_string_equal(u.ws.headers[0].value, "Bearer x");
	upgrade_params_deinit(&u);
	url_deinit(&conf.url);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults_come_from_the_url),
		cmocka_unit_test(test_null_leaves_host_and_user_agent_out),
		cmocka_unit_test(test_basic_auth_from_the_url),
		cmocka_unit_test(test_a_written_header_comes_before_the_url),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
