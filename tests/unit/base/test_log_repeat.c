/* SPDX-License-Identifier: Apache-2.0 */
/* Which repeats are shown: doublings of each line's own run, by a clock turned by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/log_repeat.h"

static void shown_at_doublings(void **state)
{
	struct log_repeat r = { 0 };

	(void)state;
	for (uint64_t i = 1; i <= 1100; i++) {
		uint64_t shown = log_repeat_count(&r, 7, i);

		assert_int_equal(shown, (i & (i - 1)) == 0 ? i : 0);
	}
}

static void lines_in_between_do_not_matter(void **state)
{
	struct log_repeat r = { 0 };

	(void)state;
	for (uint64_t i = 1; i <= 8; i++) {
		for (uint64_t hash = 0; hash < LOG_REPEAT_LINES; hash++) {
			uint64_t want = (i & (i - 1)) == 0 ? i : 0;

			assert_int_equal(log_repeat_count(&r, hash, i * 100 + hash), want);
		}
	}
}

static void a_minute_of_quiet_makes_it_new(void **state)
{
	static const struct {
		uint64_t now, shown;
	} rows[] = {
		{ 5, 1 },      { 6, 2 },      { 7, 0 },	     { 60007, 4 },
		{ 120007, 0 }, { 180008, 1 }, { 180009, 2 }, { 1000000, 1 },
	};
	struct log_repeat r = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(log_repeat_count(&r, 1, rows[i].now), rows[i].shown);
}

static void full_table_forgets_the_oldest(void **state)
{
	struct log_repeat r = { 0 };

	(void)state;
	for (uint64_t hash = 1; hash <= LOG_REPEAT_LINES; hash++)
		assert_int_equal(log_repeat_count(&r, hash, hash), 1);
	assert_int_equal(log_repeat_count(&r, 1, 100), 2);    /* 2 is the oldest now */
	assert_int_equal(log_repeat_count(&r, 1000, 101), 1); /* in its place */
	assert_int_equal(log_repeat_count(&r, 3, 102), 2);
	assert_int_equal(log_repeat_count(&r, 1, 103), 0);
	assert_int_equal(log_repeat_count(&r, 2, 104), 1);
}

static void hashes_tell_parts_apart(void **state)
{
	uint64_t ab_c = log_repeat_hash(log_repeat_hash(0, "ab"), "c");
	uint64_t a_bc = log_repeat_hash(log_repeat_hash(0, "a"), "bc");

	(void)state;
	assert_true(ab_c != a_bc);
	assert_true(ab_c == log_repeat_hash(log_repeat_hash(0, "ab"), "c"));
	assert_true(log_repeat_hash(0, "") != log_repeat_hash(0, "a"));
	/* FNV-1a, 64 bits, of "a" and a NUL: from the published offset basis and prime. */
	assert_true(log_repeat_hash(0, "a") ==
		    UINT64_C(0xaf63dc4c8601ec8c) * UINT64_C(0x100000001b3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shown_at_doublings),
		cmocka_unit_test(lines_in_between_do_not_matter),
		cmocka_unit_test(a_minute_of_quiet_makes_it_new),
		cmocka_unit_test(full_table_forgets_the_oldest),
		cmocka_unit_test(hashes_tell_parts_apart),
	};

	return cmocka_run_group_tests_name("log_repeat", tests, NULL, NULL);
}
