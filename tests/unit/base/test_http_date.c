/* SPDX-License-Identifier: Apache-2.0 */
/* Dates and delays of HTTP, right ones and wrong ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/http_date.h"

static const struct {
	const char *text;
	int64_t seconds; /* -1 = no date */
} dates[] = {
	{ "Sun, 06 Nov 1994 08:49:37 GMT", 784111777 },
	{ "Sunday, 06-Nov-94 08:49:37 GMT", 784111777 },
	{ "Sun Nov  6 08:49:37 1994", 784111777 },
	{ "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
	{ "Tue, 29 Feb 2000 23:59:59 GMT", 951868799 },
	{ "Wed, 01 Mar 2000 00:00:00 GMT", 951868800 },
	{ "Sat, 21 Nov 2026 15:30:00 GMT", 1795275000 },
	{ "Thu, 01 Mar 2100 00:00:00 GMT", 4107542400 },
	{ "Thursday, 01-Jan-69 00:00:00 GMT", 3124224000 },
	{ "Sat Nov 21 15:30:00 2026", 1795275000 },
	{ "Sat, 31 Dec 2016 23:59:60 GMT", 1483228800 },
	{ "Fri, 31 Dec 9999 23:59:59 GMT", 253402300799 },
	{ "", -1 },
	{ "Sun, 06 Nov 1994 08:49:37 UTC", -1 },
	{ "Sun, 06 Nov 1994 08:49:37 GMT ", -1 },
	{ "Sun, 6 Nov 1994 08:49:37 GMT", -1 },
	{ "Sun, 06 Now 1994 08:49:37 GMT", -1 },
	{ "Sun, 06 Nov 1994 24:49:37 GMT", -1 },
	{ "Sun, 06 Nov 1994 08:60:37 GMT", -1 },
	{ "Sun, 06 Nov 1994 08:49:61 GMT", -1 },
	{ "Sun, 00 Nov 1994 08:49:37 GMT", -1 },
	{ "Sun, 32 Nov 1994 08:49:37 GMT", -1 },
	{ "Sun, 06 Nov 1969 08:49:37 GMT", -1 },
	{ "Sun, 06 Nov 199x 08:49:37 GMT", -1 },
	{ "Sunday, 06 Nov 94 08:49:37 GMT", -1 },
	{ "Sun Nov   08:49:37 1994", -1 },
	{ "Sun Nov 6  08:49:37 1994", -1 },
	{ "a line that is much longer than any date could ever be, for whatever reason", -1 },
};

static void test_dates(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
		int64_t seconds = -1;
		bool ok = http_date_parse(span_str(dates[i].text), &seconds);

		assert_int_equal(ok, dates[i].seconds >= 0);
		assert_int_equal(seconds, dates[i].seconds);
	}
}

/* Each beginning of a date is none, and nothing behind it is read. */
static void test_cut_dates(void **state)
{
	(void)state;
	for (size_t n = 0; n < strlen(dates[0].text); n++) {
		char *exact = test_malloc(n + 1);
		int64_t seconds;

		memcpy(exact, dates[0].text, n);
		assert_false(http_date_parse(span_of((uint8_t *)exact, n), &seconds));
		test_free(exact);
	}
}

static void test_retry_after(void **state)
{
	static const struct {
		const char *value;
		int64_t seconds; /* -1 = neither */
	} rows[] = {
		{ "0", 0 },
		{ "120", 120 },
		{ "0005", 5 },
		{ "Sun, 06 Nov 1994 08:49:37 GMT", 37 },
		{ "Sun, 06 Nov 1994 08:48:37 GMT", 0 },
		{ "", -1 },
		{ "-1", -1 },
		{ "1.5", -1 },
		{ "soon", -1 },
		{ "120 s", -1 },
	};
	int64_t seconds;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		seconds = -1;
		assert_int_equal(http_retry_after(span_str(rows[i].value), 784111740, &seconds),
				 rows[i].seconds >= 0);
		assert_int_equal(seconds, rows[i].seconds);
	}
	assert_true(http_retry_after(span_str("99999999999999999999999999999"), 0, &seconds));
	assert_true(seconds > INT64_MAX / 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_cut_dates),
		cmocka_unit_test(test_retry_after),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
