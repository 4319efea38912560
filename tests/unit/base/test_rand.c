/* SPDX-License-Identifier: Apache-2.0 */
/* The random source: fresh bytes, in the child too, and numbers in their ranges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/rand.h"
#include "support/fixed_rand.h"

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

/* 16 bytes never come twice, over many pools and over requests larger than one. */
static void bytes_are_handed_out_once(void **state)
{
	enum { DRAWS = 4096 };
	struct rand_source *r = rand_system();
	uint8_t *all = malloc(DRAWS * 16 + 3 * 5008);

	(void)state;
	assert_non_null(all);
	for (size_t i = 0; i < DRAWS; i++)
		r->fill(r, all + i * 16, 16);
	for (size_t i = 0; i < 3; i++)
		r->fill(r, all + DRAWS * 16 + i * 5008, 5008);
	qsort(all, DRAWS + 3 * 313, 16, compare);
	for (size_t i = 1; i < DRAWS + 3 * 313; i++)
		assert_memory_not_equal(all + (i - 1) * 16, all + i * 16, 16);
	free(all);
}

static void every_size_fills_exactly(void **state)
{
	static const size_t sizes[] = { 0, 1, 3, 4, 4095, 4096, 4097, 9000 };
	struct rand_source *r = rand_system();
	uint8_t out[9001];

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		memset(out, 0, sizeof(out));
		r->fill(r, out, sizes[i]);
		assert_int_equal(out[sizes[i]], 0);
		if (sizes[i] > 64) { /* the end was written: 2^-256 to be wrong */
			static const uint8_t zeros[32];

			assert_memory_not_equal(out + sizes[i] - 32, zeros, 32);
		}
	}
}

/* Parent and child draw from the same place in what would be the same pool. */
static void a_child_draws_its_own(void **state)
{
	struct rand_source *r = rand_system();
	uint8_t mine[32], childs[32];
	int ends[2], status;
	pid_t pid;

	(void)state;
	r->fill(r, mine, 5); /* there is a pool, begun */
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		r->fill(r, childs, sizeof(childs));
		_exit(write(ends[1], childs, sizeof(childs)) == sizeof(childs) ? 0 : 1);
	}
	r->fill(r, mine, sizeof(mine));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(read(ends[0], childs, sizeof(childs)), sizeof(childs));
	assert_memory_not_equal(mine, childs, sizeof(mine));
	close(ends[0]);
	close(ends[1]);
}

static void numbers_come_from_the_source(void **state)
{
	static const struct {
		uint8_t byte;
		uint32_t u32;
		double low, high;
	} rows[] = {
		{ 0x00, 0, 0.0, 0.0 },
		{ 0xFF, 0xFFFFFFFF, 0.99999999, 0.9999999999999999 },
		{ 0x80, 0x80808080, 0.50, 0.51 },
	};
	struct fixed_rand f;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		double unit;

		fixed_rand_init(&f, span_of(&rows[i].byte, 1));
		assert_int_equal(rand_u32(&f.source), rows[i].u32);
		unit = rand_unit(&f.source);
		assert_true(unit >= rows[i].low && unit <= rows[i].high && unit < 1.0);
	}
}

static void unit_is_uniform(void **state)
{
	enum { DRAWS = 100000, BINS = 10 };
	size_t bins[BINS] = { 0 };

	(void)state;
	for (size_t i = 0; i < DRAWS; i++) {
		double v = rand_unit(rand_system());

		assert_true(v >= 0 && v < 1);
		bins[(size_t)(v * BINS)]++;
	}
	for (size_t i = 0; i < BINS; i++) /* ten standard deviations */
		assert_in_range(bins[i], DRAWS / BINS - 950, DRAWS / BINS + 950);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_are_handed_out_once),
		cmocka_unit_test(every_size_fills_exactly),
		cmocka_unit_test(a_child_draws_its_own),
		cmocka_unit_test(numbers_come_from_the_source),
		cmocka_unit_test(unit_is_uniform),
	};

	return cmocka_run_group_tests_name("rand", tests, NULL, NULL);
}
