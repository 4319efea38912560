/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Set-Cookie fields in, Cookie fields out: host, domain, path, secure, expiry, replacement,
 * limits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/url.h"
#include "link/cookies.h"

#define NOW ((int64_t)1800000000)

static void note(struct cookies *c, const char *url, const char *field)
{
	struct error err = ERROR_INIT;
	struct url u;

	assert_true(url_parse(&u, url, &err));
	cookies_note(c, &u, span_str(field), NOW);
	url_deinit(&u);
}

static void expect(struct cookies *c, const char *url, int64_t now, const char *expected)
{
	struct error err = ERROR_INIT;
	struct url u;
	char *header;

	assert_true(url_parse(&u, url, &err));
	header = cookies_header(c, &u, now);
	if (!expected)
		assert_null(header);
	else
		assert_string_equal(header, expected);
	free(header);
	url_deinit(&u);
}

static void test_one_cookie(void **state)
{
	static const struct {
		const char *set_by, *field, *sent_to, *expected;
	} rows[] = {
		{ "ws://a/", "x=1", "ws://a/", "x=1" },
		{ "ws://a/", "x=1", "ws://a:81/any/path", "x=1" },
		{ "ws://a/", "x=1", "ws://b/", NULL },
		{ "ws://a/", "x=1", "ws://sub.a/", NULL },
		{ "ws://a/", " x = 1 ; Path=/", "ws://a/", "x=1" },
		{ "ws://a/", "x=", "ws://a/", "x=" },
		{ "ws://a/", "x=a=b", "ws://a/", "x=a=b" },
		{ "ws://a/", "=1", "ws://a/", NULL },
		{ "ws://a/", "x", "ws://a/", NULL },
		{ "ws://a/", "", "ws://a/", NULL },
		{ "ws://a/b/c", "x=1", "ws://a/b/d", "x=1" },
		{ "ws://a/b/c", "x=1", "ws://a/b", "x=1" },
		{ "ws://a/b/c", "x=1", "ws://a/bb", NULL },
		{ "ws://a/b/c", "x=1", "ws://a/", NULL },
		{ "ws://a/b/c", "x=1; Path=/", "ws://a/", "x=1" },
		{ "ws://a/b/c", "x=1; path=nonsense", "ws://a/b/", "x=1" },
		{ "ws://a/", "x=1; Path=/p", "ws://a/p?q", "x=1" },
		{ "ws://a/", "x=1; Path=/p", "ws://a/pq", NULL },
		{ "wss://a/", "x=1; Secure", "wss://a/", "x=1" },
		{ "wss://a/", "x=1; secure", "ws://a/", NULL },
		{ "ws://w.a.example/", "x=1; Domain=a.example", "ws://v.a.example/", "x=1" },
		{ "ws://w.a.example/", "x=1; Domain=.A.Example", "ws://a.example/", "x=1" },
		{ "ws://w.a.example/", "x=1; Domain=example", "ws://w.a.example/", NULL },
		{ "ws://w.a.example/", "x=1; Domain=b.example", "ws://w.a.example/", NULL },
		{ "ws://w.a.example/", "x=1; Domain=.example", "ws://w.a.example/", NULL },
		{ "ws://a.example/", "x=1; Domain=aa.example", "ws://a.example/", NULL },
		{ "ws://a.example/", "x=1; Domain=", "ws://a.example/", "x=1" },
		{ "ws://a/", "x=1; Max-Age=60", "ws://a/", "x=1" },
		{ "ws://a/", "x=1; Max-Age=0", "ws://a/", NULL },
		{ "ws://a/", "x=1; Max-Age=-5", "ws://a/", NULL },
		{ "ws://a/", "x=1; Max-Age=9223372036854775807", "ws://a/", "x=1" },
		{ "ws://a/", "x=1; Max-Age=soon", "ws://a/", "x=1" },
		{ "ws://a/", "x=1; Expires=Wed, 21 Oct 2015 07:28:00 GMT", "ws://a/", NULL },
		{ "ws://a/", "x=1; Expires=Fri, 21 Oct 2129 07:28:00 GMT", "ws://a/", "x=1" },
		{ "ws://a/", "x=1; Max-Age=9; Expires=Wed, 21 Oct 2015 07:28:00 GMT", "ws://a/",
		  "x=1" },
		{ "ws://a/", "x=1; HttpOnly; SameSite=Strict", "ws://a/", "x=1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cookies c;

		cookies_init(&c);
		note(&c, rows[i].set_by, rows[i].field);
		expect(&c, rows[i].sent_to, NOW, rows[i].expected);
		cookies_deinit(&c);
	}
}

static void test_order_and_replacement(void **state)
{
	struct cookies c;

	(void)state;
	cookies_init(&c);
	note(&c, "ws://a/", "old=1");
	note(&c, "ws://a/", "deep=2; Path=/b/c");
	note(&c, "ws://a/", "new=3");
	expect(&c, "ws://a/b/c", NOW, "deep=2; old=1; new=3");
	note(&c, "ws://a/", "old=4");
	expect(&c, "ws://a/", NOW, "new=3; old=4");
	note(&c, "ws://a/", "new=; Max-Age=0");
	expect(&c, "ws://a/", NOW, "old=4");
	cookies_deinit(&c);
}

static void test_expires_later(void **state)
{
	struct cookies c;

	(void)state;
	cookies_init(&c);
	note(&c, "ws://a/", "x=1; Max-Age=60");
	expect(&c, "ws://a/", NOW + 59, "x=1");
	expect(&c, "ws://a/", NOW + 60, NULL);
	assert_int_equal(c.n, 0);
	cookies_deinit(&c);
}

static void test_limits(void **state)
{
	static char big[COOKIE_SIZE_MAX + 2];
	struct cookies c;
	char field[32];

	(void)state;
	cookies_init(&c);
	for (int i = 0; i < COOKIES_MAX + 10; i++) {
		snprintf(field, sizeof(field), "c%d=1; Path=/p%d", i, i);
		note(&c, "ws://a/", field);
	}
	assert_int_equal(c.n, COOKIES_MAX);
	expect(&c, "ws://a/p9", NOW, NULL);
	expect(&c, "ws://a/p10", NOW, "c10=1");
	memset(big, 'x', sizeof(big) - 1);
	big[1] = '=';
	note(&c, "ws://a/", big);
	assert_int_equal(c.n, COOKIES_MAX);
	expect(&c, "ws://a/p10", NOW, "c10=1");
	cookies_deinit(&c);
	cookies_deinit(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_cookie),
		cmocka_unit_test(test_order_and_replacement),
		cmocka_unit_test(test_expires_later),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
