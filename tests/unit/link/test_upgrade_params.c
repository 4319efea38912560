/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the handshake is told of a configuration, a URL and the secrets of one attempt, and
 * what stays behind where a redirect has led to another origin.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/version.h"
#include "link/upgrade_params.h"

#define TEXT(s) ((char *)(uintptr_t)(s))

/* One attempt; whatever a test does not set is not configured. */
struct attempt {
	struct handshake_conf handshake;
	struct common_conf common;
	struct url url;
	struct secret_values secrets;
	const char *jar;
	bool foreign;
};

static struct attempt attempt_to(const char *url)
{
	struct attempt a = { 0 };
	struct error err = ERROR_INIT;

	assert_true(url_parse(&a.url, url, &err));
	return a;
}

static struct upgrade_params begin(const struct attempt *a)
{
	struct bridge_conf conf = { .handshake = &a->handshake, .common = &a->common };
	struct upgrade_source from = {
		.conf = &conf,
		.url = &a->url,
		.secrets = &a->secrets,
		.jar = a->jar,
		.foreign = a->foreign,
	};
	struct upgrade_params u;

	upgrade_params_init(&u, &from);
	return u;
}

/* All header lines of it: "Name: value|". */
static char *lines_of(const struct upgrade_params *u)
{
	char *all = mem_strdup("");

	for (size_t i = 0; i < u->ws.n_headers; i++) {
		mem_auto_str old = all;

		all = mem_printf("%s%s: %s|", old, u->ws.headers[i].name, u->ws.headers[i].value);
	}
	return all;
}

static void check_headers(const struct attempt *a, const char *expected)
{
	struct upgrade_params u = begin(a);
	mem_auto_str lines = lines_of(&u);

	assert_string_equal(lines, expected);
	upgrade_params_deinit(&u);
	assert_null(u.ws.headers);
}

static void test_defaults_come_from_the_url(void **state)
{
	struct attempt a = attempt_to("ws://Example.net:8080/a?b=c");
	struct upgrade_params u = begin(&a);

	(void)state;
	assert_string_equal(u.ws.host, "example.net:8080");
	assert_string_equal(u.ws.target, "/a?b=c");
	assert_string_equal(u.ws.user_agent, u.user_agent);
	assert_memory_equal(u.ws.user_agent, "wsbridge/", 9);
	assert_string_equal(u.ws.user_agent + 9, wsb_version);
	assert_null(u.ws.origin);
	assert_int_equal(u.ws.n_headers, 0);
	upgrade_params_deinit(&u);
	url_deinit(&a.url);
}

static void test_null_leaves_host_and_user_agent_out(void **state)
{
	struct attempt a = attempt_to("ws://example.net/");
	struct upgrade_params u;

	(void)state;
	a.handshake.has_host = a.handshake.has_user_agent = true;
	u = begin(&a);
	assert_null(u.ws.host);
	assert_null(u.ws.user_agent);
	upgrade_params_deinit(&u);
	url_deinit(&a.url);
}

static void test_options_are_handed_on(void **state)
{
	struct attempt a = attempt_to("wss://example.net/");
	char *subprotocols[] = { TEXT("v2"), TEXT("v1") };
	struct upgrade_params u;

	(void)state;
	a.handshake.host = TEXT("other.example:1");
	a.handshake.user_agent = TEXT("me/1");
	a.handshake.has_host = a.handshake.has_user_agent = true;
	a.handshake.origin = TEXT("https://example.net");
	a.handshake.subprotocols = subprotocols;
	a.handshake.n_subprotocols = 2;
	a.common.max_message = 77;
	a.common.validate_utf8 = true;
	a.common.mask = MASK_ZERO;
	a.common.fragments = FRAGMENTS_DELIVER;
	u = begin(&a);
	assert_string_equal(u.ws.host, "other.example:1");
	assert_string_equal(u.ws.user_agent, "me/1");
	assert_string_equal(u.ws.origin, "https://example.net");
	assert_int_equal(u.ws.n_subprotocols, 2);
	assert_string_equal(u.ws.subprotocols[0], "v2");
	assert_int_equal(u.ws.max_message, 77);
	assert_true(u.ws.validate_utf8 && u.ws.mask_zero && u.ws.deliver_fragments);
	upgrade_params_deinit(&u);
	url_deinit(&a.url);
}

static void test_compression(void **state)
{
	struct attempt a = attempt_to("ws://example.net/");
	struct upgrade_params u;

	(void)state;
	u = begin(&a); /* the tables have not been asked: it is off */
	assert_false(u.ws.deflate.on);
	upgrade_params_deinit(&u);
	a.common.compression.on = true;
	a.common.compression.client_max_window_bits = 11;
	a.common.compression.server_max_window_bits = 8;
	a.common.compression.client_no_context_takeover = true;
	a.common.compression.level = 7;
	a.common.compression.threshold = 99;
	u = begin(&a);
	assert_true(u.ws.deflate.on && u.ws.deflate.client_no_context_takeover);
	assert_false(u.ws.deflate.server_no_context_takeover);
	assert_int_equal(u.ws.deflate.client_max_window_bits, 11);
	assert_int_equal(u.ws.deflate.server_max_window_bits, 8);
	assert_int_equal(u.ws.deflate_level, 7);
	assert_int_equal(u.ws.deflate_threshold, 99);
	upgrade_params_deinit(&u);
	url_deinit(&a.url);
}

static void test_basic_auth_from_the_url(void **state)
{
	static const struct {
		const char *url, *lines;
	} rows[] = {
		/* RFC 7617, 2 */
		{ "ws://Aladdin:open%20sesame@example.net/",
		  "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==|" },
		{ "ws://user@example.net/", "Authorization: Basic dXNlcjo=|" },
		{ "ws://user:@example.net/", "Authorization: Basic dXNlcjo=|" },
		{ "ws://example.net/", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct attempt a = attempt_to(rows[i].url);

		check_headers(&a, rows[i].lines);
		url_deinit(&a.url);
	}
}

static void test_auth(void **state)
{
	static const struct {
		enum conf_auth kind;
		const char *secret, *lines;
	} rows[] = {
		{ AUTH_BASIC, "open sesame", "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==|" },
		{ AUTH_BASIC, "", "Authorization: Basic QWxhZGRpbjo=|" },
		{ AUTH_BEARER, "mF_9.B5f-4.1JqM", "Authorization: Bearer mF_9.B5f-4.1JqM|" },
		{ AUTH_NONE, NULL, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct attempt a = attempt_to("ws://example.net/");

		a.handshake.auth.kind = rows[i].kind;
		a.handshake.auth.user = TEXT("Aladdin");
		a.secrets.auth = TEXT(rows[i].secret);
		check_headers(&a, rows[i].lines);
		url_deinit(&a.url);
	}
}

static void test_cookies(void **state)
{
	static const struct {
		const char *own, *jar, *lines;
	} rows[] = {
		{ NULL, NULL, "" },
		{ "a=1", NULL, "Cookie: a=1|" },
		{ NULL, "k=2; l=3", "Cookie: k=2; l=3|" },
		{ "a=1", "k=2; l=3", "Cookie: a=1; k=2; l=3|" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct attempt a = attempt_to("ws://example.net/");

		a.secrets.cookie = TEXT(rows[i].own);
		a.jar = rows[i].jar;
		check_headers(&a, rows[i].lines);
		url_deinit(&a.url);
	}
}

/* The name is the configuration's, the value the secret that was read for this attempt. */
static void configure_headers(struct attempt *a, struct conf_header *headers, char **values,
			      size_t n)
{
	a->handshake.headers = headers;
	a->handshake.n_headers = n;
	a->secrets.headers = values;
}

static void test_headers(void **state)
{
	struct attempt a = attempt_to("ws://example.net/");
	struct conf_header headers[] = {
		{ .name = TEXT("X-Key"), .value = { .kind = SECRET_FILE, .text = TEXT("/key") } },
		{ .name = TEXT("X-Plain"), .value = { .kind = SECRET_TEXT, .text = TEXT("p") } },
		{ .name = TEXT("X-Plain") },
	};
	char *values[] = { TEXT("k"), TEXT("p"), TEXT("") };

	(void)state;
	configure_headers(&a, headers, values, 3);
	check_headers(&a, "X-Key: k|X-Plain: p|X-Plain: |");
	a.handshake.auth.kind = AUTH_BEARER;
	a.secrets.auth = TEXT("t");
	a.secrets.cookie = TEXT("c=1");
	check_headers(&a, "X-Key: k|X-Plain: p|X-Plain: |Authorization: Bearer t|Cookie: c=1|");
	url_deinit(&a.url);
}

/* RFC 6265, 5.4: not more than one Cookie field. */
static void test_a_written_cookie_comes_before_the_jar(void **state)
{
	struct attempt a = attempt_to("ws://example.net/");
	struct conf_header headers[] = { { .name = TEXT("cookie") } };
	char *values[] = { TEXT("mine=1") };

	(void)state;
	configure_headers(&a, headers, values, 1);
	a.jar = "kept=2";
	check_headers(&a, "cookie: mine=1|");
	a.foreign = true;
	check_headers(&a, "Cookie: kept=2|");
	url_deinit(&a.url);
}

static void configure_everything(struct attempt *a)
{
	static struct conf_header headers[] = { { .name = TEXT("X-Key") },
						{ .name = TEXT("Accept") } };
	static char *values[] = { TEXT("canary"), TEXT("canary") };

	configure_headers(a, headers, values, 2);
	a->handshake.has_host = a->handshake.has_origin = true;
	a->handshake.host = a->handshake.origin = TEXT("canary");
	a->handshake.auth.user = TEXT("canary");
	a->secrets.cookie = a->secrets.auth = TEXT("canary");
	a->foreign = true;
}

static void test_nothing_configured_goes_to_another_origin(void **state)
{
	static const enum conf_auth kinds[] = { AUTH_NONE, AUTH_BASIC, AUTH_BEARER };

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct attempt a = attempt_to("ws://other.example:1/x");
		struct upgrade_params u;

		configure_everything(&a);
		a.handshake.auth.kind = kinds[i];
		u = begin(&a);
		assert_int_equal(u.ws.n_headers, 0);
		assert_string_equal(u.ws.host, "other.example:1");
		assert_null(u.ws.origin);
		upgrade_params_deinit(&u);
		url_deinit(&a.url);
	}
}

/* What is its own goes there: cookies it has set itself, user information of its own URL. */
static void test_another_origin_gets_what_is_its_own(void **state)
{
	struct attempt a = attempt_to("ws://user@other.example/");

	(void)state;
	configure_everything(&a);
	a.jar = "its=1";
	check_headers(&a, "Authorization: Basic dXNlcjo=|Cookie: its=1|");
	url_deinit(&a.url);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults_come_from_the_url),
		cmocka_unit_test(test_null_leaves_host_and_user_agent_out),
		cmocka_unit_test(test_options_are_handed_on),
		cmocka_unit_test(test_compression),
		cmocka_unit_test(test_basic_auth_from_the_url),
		cmocka_unit_test(test_auth),
		cmocka_unit_test(test_cookies),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_a_written_cookie_comes_before_the_jar),
		cmocka_unit_test(test_nothing_configured_goes_to_another_origin),
		cmocka_unit_test(test_another_origin_gets_what_is_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
