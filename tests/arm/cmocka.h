/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As much of cmocka as the tests of vector code ask for, so that they run on a
 * processor that is not this machine's, for which there is a compiler and no
 * cmocka. The first check that fails ends the program.
 */
#ifndef WSB_ARM_CMOCKA_H
#define WSB_ARM_CMOCKA_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct CMUnitTest {
	const char *name;
	void (*run)(void **state);
};

#define cmocka_unit_test(function)  \
	{                           \
#function, function \
	}
#define cmocka_run_group_tests(tests, setup, teardown) \
	run_tests(tests, sizeof(tests) / sizeof((tests)[0]), setup, teardown)
#define cmocka_run_group_tests_name(name, tests, setup, teardown) \
	cmocka_run_group_tests(tests, setup, teardown)

#define fail_msg(...) fail_at(__FILE__, __LINE__, __VA_ARGS__)
#define assert_true(condition) ((condition) ? (void)0 : fail_msg("%s", #condition))
#define assert_false(condition) assert_true(!(condition))
#define assert_non_null(p) assert_true((p) != NULL)
#define assert_null(p) assert_true((p) == NULL)
#define assert_ptr_equal(a, b) assert_true((const void *)(a) == (const void *)(b))
#define assert_int_equal(a, b) \
	equal_at(__FILE__, __LINE__, (unsigned long long)(a), (unsigned long long)(b))
#define assert_int_not_equal(a, b) assert_true((long long)(a) != (long long)(b))
#define assert_string_equal(a, b) assert_true(strcmp(a, b) == 0)
#define assert_memory_equal(a, b, n) assert_true((n) == 0 || memcmp(a, b, n) == 0)
#define assert_in_range(v, low, high) assert_true((v) >= (low) && (v) <= (high))

static inline __attribute__((format(printf, 3, 4), noreturn)) void fail_at(const char *file,
									   int line,
									   const char *fmt, ...)
{
	va_list ap;

	printf("not ok # %s:%d: ", file, line);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	exit(1);
}

static inline void equal_at(const char *file, int line, unsigned long long a, unsigned long long b)
{
	if (a != b)
		fail_at(file, line, "%lld is not %lld", (long long)a, (long long)b);
}

typedef int group_fn(void **state);

static inline int run_tests(const struct CMUnitTest *tests, size_t n, group_fn *setup,
			    group_fn *teardown)
{
	void *state = NULL;

	if (setup && setup(&state) != 0)
		fail_msg("setup");
	for (size_t i = 0; i < n; i++) {
		tests[i].run(&state);
		printf("ok %s\n", tests[i].name);
	}
	return teardown ? teardown(&state) : 0;
}

#endif
