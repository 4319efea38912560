/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The latency record of the load tools against sorted values: what it says is never more than one
 * part in 256 off, whatever the values.
 */
#include "bench/histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define VALUES 5000

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void check_against_sorted(uint64_t *values, size_t count)
{
	static const double parts[] = { 0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1 };
	struct histogram *h = calloc(1, sizeof *h);

	assert_non_null(h);
	for (size_t i = 0; i < count; i++)
		histogram_add(h, values[i]);
	qsort(values, count, sizeof *values, by_value);
	assert_int_equal(h->count, count);
	assert_int_equal(h->least, values[0]);
	assert_int_equal(h->most, values[count - 1]);
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		size_t rank = (size_t)(parts[i] * (double)count + 0.5);
		uint64_t exact = values[rank > 0 ? rank - 1 : 0];

		assert_in_range(histogram_at(h, parts[i]), exact, exact + exact / 256);
	}
	free(h);
}

static void test_small_values_are_exact(void **state)
{
	struct histogram *h = calloc(1, sizeof *h);

	(void)state;
	assert_non_null(h);
	for (uint64_t v = 0; v < 2 * HISTOGRAM_SUB; v++)
		histogram_add(h, v);
	assert_int_equal(histogram_at(h, 0.5), HISTOGRAM_SUB - 1);
	assert_int_equal(histogram_at(h, 1), 2 * HISTOGRAM_SUB - 1);
	free(h);
}

static void test_every_scale_is_close(void **state)
{
	uint64_t values[VALUES], seed = 88172645463325252u;

	(void)state;
	for (unsigned bits = 1; bits <= 42; bits++) {
		for (size_t i = 0; i < VALUES; i++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			values[i] = seed >> (64 - bits);
		}
		check_against_sorted(values, VALUES);
	}
}

static void test_one_of_a_thousand_shows(void **state)
{
	struct histogram *h = calloc(1, sizeof *h);

	(void)state;
	assert_non_null(h);
	for (int i = 0; i < 999; i++)
		histogram_add(h, 100000);
	histogram_add(h, 50000000);
	assert_in_range(histogram_at(h, 0.99), 100000, 100391);
	assert_int_equal(histogram_at(h, 1), 50000000);
	free(h);
}

static void test_more_than_an_hour_is_kept(void **state)
{
	struct histogram *h = calloc(1, sizeof *h);

	(void)state;
	assert_non_null(h);
	histogram_add(h, UINT64_MAX);
	assert_int_equal(h->most, UINT64_MAX);
	assert_true(histogram_at(h, 0.5) > (uint64_t)3600 * 1000000000);
	free(h);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small_values_are_exact),
		cmocka_unit_test(test_every_scale_is_close),
		cmocka_unit_test(test_one_of_a_thousand_shows),
		cmocka_unit_test(test_more_than_an_hour_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
