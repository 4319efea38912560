/* SPDX-License-Identifier: Apache-2.0 */
/* Location fields in all their forms; the table of RFC 3986, 5.4 where it applies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "base/url_ref.h"

static void test_references(void **state)
{
	static const struct {
		const char *base, *location, *result, *target;
	} rows[] = {
		{ "ws://a/b/c/d?q", "g", "ws://a/b/c/g", "/b/c/g" },
		{ "ws://a/b/c/d?q", "./g", "ws://a/b/c/g", "/b/c/g" },
		{ "ws://a/b/c/d?q", "g/", "ws://a/b/c/g/", "/b/c/g/" },
		{ "ws://a/b/c/d?q", "/g", "ws://a/g", "/g" },
		{ "ws://a/b/c/d?q", "//g", "ws://g/", "/" },
		{ "wss://a/b", "//g:81/x", "wss://g:81/x", "/x" },
		{ "ws://a/b/c/d?q", "?y", "ws://a/b/c/d?...", "/b/c/d?y" },
		{ "ws://a/b/c/d?q", "g?y", "ws://a/b/c/g?...", "/b/c/g?y" },
		{ "ws://a/b/c/d?q", "#s", "ws://a/b/c/d?...", "/b/c/d?q" },
		{ "ws://a/b/c/d?q", "g?y/../x#s", "ws://a/b/c/g?...", "/b/c/g?y/../x" },
		{ "ws://a/b/c/d?q", ".", "ws://a/b/c/", "/b/c/" },
		{ "ws://a/b/c/d?q", "..", "ws://a/b/", "/b/" },
		{ "ws://a/b/c/d?q", "../g", "ws://a/b/g", "/b/g" },
		{ "ws://a/b/c/d?q", "../..", "ws://a/", "/" },
		{ "ws://a/b/c/d?q", "../../../g", "ws://a/g", "/g" },
		{ "ws://a/b/c/d?q", "/./g", "ws://a/g", "/g" },
		{ "ws://a/b/c/d?q", "/../g", "ws://a/g", "/g" },
		{ "ws://a/b/c/d?q", "g.", "ws://a/b/c/g.", "/b/c/g." },
		{ "ws://a/b/c/d?q", "..g", "ws://a/b/c/..g", "/b/c/..g" },
		{ "ws://a/b/c/d?q", "./g/.", "ws://a/b/c/g/", "/b/c/g/" },
		{ "ws://a/", "http://b/c", "ws://b/c", "/c" },
		{ "ws://a/", "HTTPS://b:8443/c?x", "wss://b:8443/c?...", "/c?x" },
		{ "wss://a/", "ws://b/", "ws://b/", "/" },
		{ "ws+unix:///run/s:/x/y", "z", "ws+unix:///run/s:/x/z", "/x/z" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct error err = ERROR_INIT;
		struct url base, out;
		char *shown;

		assert_true(url_parse(&base, rows[i].base, &err));
		if (!url_resolve(&out, &base, span_str(rows[i].location), &err))
			fail_msg("%s: %s", rows[i].location, err.text);
		shown = url_format(&out);
		assert_string_equal(shown, rows[i].result);
		assert_string_equal(out.target, rows[i].target);
		free(shown);
		url_deinit(&out);
		url_deinit(&base);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *location, *sentence;
	} rows[] = {
		{ "", "redirect: the Location field is empty or too long" },
		{ "/a b", "redirect: the Location field has a character that no URL may have" },
		{ "/a\r\nX: y",
		  "redirect: the Location field has a character that no URL may have" },
		{ "ftp://a/", "redirect: the URL must begin with ws://, wss:// or ws+unix:" },
		{ "http://", "redirect: the host is missing" },
		{ "ws://a:0/", "redirect: the port is not a number from 1 to 65535" },
	};
	struct error err = ERROR_INIT;
	struct url base, out = { 0 };

	(void)state;
	assert_true(url_parse(&base, "ws://a/", &err));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_false(url_resolve(&out, &base, span_str(rows[i].location), &err));
		assert_int_equal(err.code, ERR_PROTOCOL);
		assert_string_equal(err.text, rows[i].sentence);
		assert_null(out.host);
	}
	url_deinit(&base);
}

static void test_user_information_stays_with_its_origin(void **state)
{
	static const struct {
		const char *location, *user;
	} rows[] = {
		{ "/x", "u" },	      { "ws://a/x", "u" },     { "ws://v@a/x", "v" },
		{ "ws://b/x", NULL }, { "ws://a:81/x", NULL }, { "wss://a/x", NULL },
	};
	struct error err = ERROR_INIT;
	struct url base, out;

	(void)state;
	assert_true(url_parse(&base, "ws://u:p@a/", &err));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(url_resolve(&out, &base, span_str(rows[i].location), &err));
		if (rows[i].user)
			assert_string_equal(out.user, rows[i].user);
		else
			assert_null(out.user);
		url_deinit(&out);
	}
	url_deinit(&base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_user_information_stays_with_its_origin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
