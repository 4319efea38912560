/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Durations and sizes as text, in both directions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conf/schema.h"

#define COUNT(rows) (sizeof(rows) / sizeof(*(rows)))
#define SECOND INT64_C(1000000)

static const struct {
	const char *text;
	int64_t us;
} durations[] = {
	{ "0", 0 },
	{ "off", 0 },
	{ " off ", 0 },
	{ "20", 20 * SECOND },
	{ "20s", 20 * SECOND },
	{ "20 s", 20 * SECOND },
	{ "20sec", 20 * SECOND },
	{ "1second", SECOND },
	{ "2seconds", 2 * SECOND },
	{ "0.5", SECOND / 2 },
	{ ".5", SECOND / 2 },
	{ "0.1s", 100000 },
	{ "1.000001", 1000001 },
	{ "1.0000019", 1000001 },
	{ "500ms", 500000 },
	{ "500msec", 500000 },
	{ "1.5ms", 1500 },
	{ "7us", 7 },
	{ "7usec", 7 },
	{ "7\xc2\xb5s", 7 },
	{ "7\xce\xbcs", 7 },
	{ "1m", 60 * SECOND },
	{ "1min 30s", 90 * SECOND },
	{ "1min30s", 90 * SECOND },
	{ "1min 30", 90 * SECOND },
	{ "30s 1min", 90 * SECOND },
	{ "2minutes", 120 * SECOND },
	{ "1minute", 60 * SECOND },
	{ "2h", 7200 * SECOND },
	{ "2hr", 7200 * SECOND },
	{ "1hour", 3600 * SECOND },
	{ "2hours", 7200 * SECOND },
	{ "1.5h", 5400 * SECOND },
	{ "1d", 86400 * SECOND },
	{ "1day", 86400 * SECOND },
	{ "2days", 172800 * SECOND },
	{ "1w", 604800 * SECOND },
	{ "1week", 604800 * SECOND },
	{ "2weeks", 1209600 * SECOND },
	{ "1M", 2629800 * SECOND },
	{ "1month", 2629800 * SECOND },
	{ "2months", 5259600 * SECOND },
	{ "1y", 31557600 * SECOND },
	{ "1year", 31557600 * SECOND },
	{ "2years", 63115200 * SECOND },
	{ "1h 2min 3s 4ms 5us", 3723004005 },
	{ "\t5s ", 5 * SECOND },
	{ "9223372036854775807us", INT64_MAX },
};

static const struct {
	const char *text, *error;
} bad_durations[] = {
	{ "", "\"\" is not a duration: a number is missing" },
	{ "  ", "\"  \" is not a duration: a number is missing" },
	{ "s", "\"s\" is not a duration: a number is missing" },
	{ "-1", "\"-1\" is not a duration: a number is missing" },
	{ "+1", "\"+1\" is not a duration: a number is missing" },
	{ "1s-", "\"1s-\" is not a duration: a number is missing" },
	{ "off5", "\"off5\" is not a duration: a number is missing" },
	{ "Off", "\"Off\" is not a duration: a number is missing" },
	{ "5.", "\"5.\" is not a duration: a digit is missing behind the point" },
	{ "5.s", "\"5.s\" is not a duration: a digit is missing behind the point" },
	{ "1.2.3", "\"1.2.3\" is not a duration: it has one point too many" },
	{ "20x",
	  "\"20x\" is not a duration: the unit must be one of us, ms, s, min, h, d, w, month, y" },
	{ "5S",
	  "\"5S\" is not a duration: the unit must be one of us, ms, s, min, h, d, w, month, y" },
	{ "5\x1b", "\"5\\x1b\" is not a duration: the unit must be one of us, ms, s, min, h, d, w, "
		   "month, y" },
	{ "99999999999999999999", "\"99999999999999999999\" is not a duration: it is too long" },
	{ "9223372036854775807s", "\"9223372036854775807s\" is not a duration: it is too long" },
	{ "9223372036854775807us 1us",
	  "\"9223372036854775807us 1us\" is not a duration: it is too long" },
	{ "9223372036854s 999999.9s",
	  "\"9223372036854s 999999.9s\" is not a duration: it is too long" },
};

static void test_durations(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(durations); i++) {
		struct error err = ERROR_INIT;
		int64_t us = -1;

		if (!schema_parse_duration(durations[i].text, &us, &err) || us != durations[i].us)
			fail_msg("%s: %lld %s", durations[i].text, (long long)us, err.text);
	}
}

static void test_bad_durations(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad_durations); i++) {
		struct error err = ERROR_INIT;
		int64_t us = -1;

		assert_false(schema_parse_duration(bad_durations[i].text, &us, &err));
		assert_string_equal(err.text, bad_durations[i].error);
		assert_int_equal(err.code, ERR_INVALID_OPTION);
		assert_int_equal(us, -1);
	}
}

static const struct {
	const char *text;
	size_t bytes;
} sizes[] = {
	{ "0", 0 },	{ "1", 1 },	      { "1024", 1024 },
	{ "1K", 1024 }, { "64K", 65536 },     { "16M", 16777216 },
	{ "010", 10 },	{ "1G", 1073741824 }, { "9007199254740992", 9007199254740992 },
	{ "0K", 0 },	{ "4G", 4294967296 },
};

static const struct {
	const char *text, *error;
} bad_sizes[] = {
	{ "", "\"\" is not a size: a whole number is missing" },
	{ "K", "\"K\" is not a size: a whole number is missing" },
	{ "-1", "\"-1\" is not a size: a whole number is missing" },
	{ " 1", "\" 1\" is not a size: a whole number is missing" },
	{ "0x10", "\"0x10\" is not a size: behind the whole number only K, M or G may stand" },
	{ "1k", "\"1k\" is not a size: behind the whole number only K, M or G may stand" },
	{ "1T", "\"1T\" is not a size: behind the whole number only K, M or G may stand" },
	{ "1 K", "\"1 K\" is not a size: behind the whole number only K, M or G may stand" },
	{ "1KB", "\"1KB\" is not a size: behind the whole number only K, M or G may stand" },
	{ "1.5M", "\"1.5M\" is not a size: behind the whole number only K, M or G may stand" },
	{ "99999999999999999999", "\"99999999999999999999\" is not a size: it is too big" },
	{ "9223372036854775807K", "\"9223372036854775807K\" is not a size: it is too big" },
};

static void test_sizes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct error err = ERROR_INIT;
		size_t bytes = 77;

		if (!schema_parse_size(sizes[i].text, &bytes, &err) || bytes != sizes[i].bytes)
			fail_msg("%s: %zu %s", sizes[i].text, bytes, err.text);
	}
	for (size_t i = 0; i < COUNT(bad_sizes); i++) {
		struct error err = ERROR_INIT;
		size_t bytes = 77;

		assert_false(schema_parse_size(bad_sizes[i].text, &bytes, &err));
		assert_string_equal(err.text, bad_sizes[i].error);
		assert_int_equal(bytes, 77);
	}
}

static void test_format(void **state)
{
	static const struct {
		int64_t us;
		const char *text;
	} rows[] = {
		{ 0, "0s" },
		{ 1, "1us" },
		{ 1500, "1500us" },
		{ 100000, "100ms" },
		{ SECOND, "1s" },
		{ 90 * SECOND, "90s" },
		{ 120 * SECOND, "2min" },
		{ 7200 * SECOND, "2h" },
		{ 604800 * SECOND, "7d" },
	};
	char out[SCHEMA_VALUE_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(schema_format_duration(out, rows[i].us), rows[i].text);
	assert_string_equal(schema_format_size(out, 0), "0");
	assert_string_equal(schema_format_size(out, 1000), "1000");
	assert_string_equal(schema_format_size(out, 1536), "1536");
	assert_string_equal(schema_format_size(out, 65536), "64K");
	assert_string_equal(schema_format_size(out, 16777216), "16M");
	assert_string_equal(schema_format_size(out, (size_t)1 << 40), "1024G");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_bad_durations),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
