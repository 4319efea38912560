/* SPDX-License-Identifier: Apache-2.0 */
/* Token buckets on a clock that the test turns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bucket.h"

#define S ((int64_t)1000000)

/* How many can be had within `span`, asked every `step`? */
static int taken(struct bucket *b, int64_t from, int64_t span, int64_t step)
{
	int n = 0;

	for (int64_t now = from; now <= from + span; now += step)
		while (bucket_take(b, now))
			n++;
	return n;
}

static void test_starts_full_and_refills(void **state)
{
	static const struct {
		double rate, burst;
		int64_t span;
		int n;
	} rows[] = {
		{ 20, 5, 0, 5 },      { 20, 5, S, 25 },	    { 20, 5, 10 * S, 205 },
		{ 1, 1, 10 * S, 11 }, { 0.5, 1, 9 * S, 5 }, { 3, 10, S, 13 },
		{ 7, 0.1, S, 7 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bucket b;

		bucket_init(&b, rows[i].rate, rows[i].burst, 5 * S);
		assert_int_equal(taken(&b, 5 * S, rows[i].span, 1000), rows[i].n);
	}
}

static void test_no_more_than_it_holds(void **state)
{
	struct bucket b;

	(void)state;
	bucket_init(&b, 100, 10, 0);
	assert_int_equal(taken(&b, 3600 * S, 0, 1), 10);
}

static void test_without_a_rate_there_is_no_limit(void **state)
{
	struct bucket b;

	(void)state;
	bucket_init(&b, 0, 1, 0);
	for (int i = 0; i < 10000; i++)
		assert_true(bucket_take(&b, 0));
	assert_int_equal(bucket_wait(&b, 0), 0);
}

/* Who waits as long as it says has the token, and not a microsecond of that was idle. */
static void test_the_wait_is_exact(void **state)
{
	static const double rates[] = { 0.3, 1, 3, 7, 20, 333, 9999 };
	int64_t now = 1;

	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct bucket b;

		bucket_init(&b, rates[i], 1, now);
		assert_true(bucket_take(&b, now));
		for (int k = 0; k < 1000; k++) {
			int64_t wait = bucket_wait(&b, now);

			assert_in_range(wait, 1, (int64_t)(1e6 / rates[i]) + 2);
			assert_false(bucket_take(&b, now + wait - 2));
			now += wait;
			assert_int_equal(bucket_wait(&b, now), 0);
			assert_true(bucket_take(&b, now));
		}
	}
}

static void test_a_clock_that_stands_gives_nothing(void **state)
{
	struct bucket b;

	(void)state;
	bucket_init(&b, 10, 1, 100);
	assert_true(bucket_take(&b, 100));
	assert_false(bucket_take(&b, 100));
	assert_false(bucket_take(&b, 50));
}

static void test_other_limits_keep_what_is_there(void **state)
{
	struct bucket b;

	(void)state;
	bucket_init(&b, 10, 10, 0);
	assert_int_equal(taken(&b, 0, 0, 1), 10);
	bucket_change(&b, 100, 50, 0);
	assert_int_equal(taken(&b, 0, 0, 1), 0);
	assert_int_equal(taken(&b, S, 0, 1), 50);
	bucket_change(&b, 1, 2, 100 * S);
	assert_int_equal(taken(&b, 100 * S, 0, 1), 2);
	bucket_change(&b, 0, 1, 100 * S);
	assert_true(bucket_take(&b, 100 * S));
	bucket_change(&b, 5, 3, 100 * S);
	assert_int_equal(taken(&b, 100 * S, 0, 1), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_starts_full_and_refills),
		cmocka_unit_test(test_no_more_than_it_holds),
		cmocka_unit_test(test_without_a_rate_there_is_no_limit),
		cmocka_unit_test(test_the_wait_is_exact),
		cmocka_unit_test(test_a_clock_that_stands_gives_nothing),
		cmocka_unit_test(test_other_limits_keep_what_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
