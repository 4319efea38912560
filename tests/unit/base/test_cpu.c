/* SPDX-License-Identifier: Apache-2.0 */
/* The levels of vector code: which there are, and how they are chosen. */
#include "base/cpu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/levels.h"

static void starts_with_the_best(void **state)
{
	(void)state;
	assert_true(cpu_has(cpu_level()));
	for (unsigned i = cpu_level() + 1u; i < CPU_LEVELS; i++)
		assert_false(cpu_has((enum cpu_level)i));
}

static void every_machine_has_its_least(void **state)
{
	(void)state;
	assert_true(cpu_has(CPU_PORTABLE));
#if defined(__x86_64__)
	assert_true(cpu_has(CPU_SSE2));
	assert_false(cpu_has(CPU_NEON));
#elif defined(__aarch64__)
	assert_true(cpu_has(CPU_NEON));
	assert_false(cpu_has(CPU_SSE2));
#endif
}

static void is_limited_and_freed_again(void **state)
{
	enum cpu_level best = cpu_level();

	(void)state;
	assert_true(cpu_limit("portable"));
	assert_int_equal(cpu_level(), CPU_PORTABLE);
	assert_true(cpu_limit(NULL));
	assert_int_equal(cpu_level(), best);
}

static void what_is_not_there_changes_nothing(void **state)
{
	static const char *const rows[] = { "", "avx", "AVX2", "portable ", "altivec" };
	enum cpu_level best = cpu_level();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_false(cpu_limit(rows[i]));
	for (unsigned i = 0; i < CPU_LEVELS; i++)
		assert_int_equal(cpu_limit(cpu_level_name((enum cpu_level)i)),
				 cpu_has((enum cpu_level)i));
	cpu_limit(NULL);
	assert_int_equal(cpu_level(), best);
}

static void note_level(void *arg)
{
	unsigned *seen = arg;

	*seen |= 1u << cpu_level();
}

static void tests_visit_each_level(void **state)
{
	unsigned seen = 0;

	(void)state;
	levels_each(note_level, &seen);
	for (unsigned i = 0; i < CPU_LEVELS; i++)
		assert_int_equal(seen >> i & 1, cpu_has((enum cpu_level)i));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(starts_with_the_best),
		cmocka_unit_test(every_machine_has_its_least),
		cmocka_unit_test(is_limited_and_freed_again),
		cmocka_unit_test(what_is_not_there_changes_nothing),
		cmocka_unit_test(tests_visit_each_level),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
