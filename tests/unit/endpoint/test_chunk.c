/* SPDX-License-Identifier: Apache-2.0 */
/* Record boundaries in a shared block, against a plain list of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "endpoint/chunk.h"

static void add(struct chunk *c, size_t n)
{
	uint8_t *room = chunk_room(c, n);

	assert_non_null(room);
	memset(room, (int)(n & 0xFF), n);
	chunk_commit(c, n);
}

/* Sizes at, below and above the 64 bits of a word of the index. */
static const size_t sizes[] = { 1, 1, 62, 1, 63, 64, 65, 1, 127, 128, 129, 200, 1, 1, 1, 500, 3 };

#define N_SIZES (sizeof(sizes) / sizeof(sizes[0]))

static void knows_its_records(void **state)
{
	struct chunk *c = chunk_new();
	size_t start = 0;

	(void)state;
	for (size_t i = 0; i < N_SIZES; i++)
		add(c, sizes[i]);
	for (size_t i = 0; i < N_SIZES; start += sizes[i++]) {
		for (size_t at = start; at < start + sizes[i]; at++) {
			assert_int_equal(chunk_record_start(c, at), start);
			assert_int_equal(chunk_record_end(c, at), start + sizes[i]);
		}
	}
	assert_int_equal(c->len, start);
	chunk_unref(c);
}

static size_t count_slowly(size_t from, size_t to)
{
	size_t end = 0, n = 0;

	for (size_t i = 0; i < N_SIZES; i++) {
		end += sizes[i];
		n += end > from && end <= to;
	}
	return n;
}

static void counts_ends(void **state)
{
	struct chunk *c = chunk_new();

	(void)state;
	for (size_t i = 0; i < N_SIZES; i++)
		add(c, sizes[i]);
	for (size_t from = 0; from <= c->len; from++)
		for (size_t to = from; to <= c->len; to += 1 + (to - from) / 8)
			assert_int_equal(chunk_count(c, from, to), count_slowly(from, to));
	chunk_unref(c);
}

static void is_full_to_the_last_byte(void **state)
{
	struct chunk *c = chunk_new();

	(void)state;
	for (size_t i = 0; i < CHUNK_SIZE; i++)
		add(c, 1);
	assert_null(chunk_room(c, 1));
	assert_int_equal(chunk_count(c, 0, CHUNK_SIZE), CHUNK_SIZE);
	assert_int_equal(chunk_record_end(c, CHUNK_SIZE - 1), CHUNK_SIZE);
	chunk_reset(c);
	add(c, CHUNK_SIZE - 1);
	assert_null(chunk_room(c, 2));
	add(c, 1);
	assert_int_equal(chunk_count(c, 0, CHUNK_SIZE), 2);
	chunk_unref(c);
}

static void forgets_its_records_at_a_reset(void **state)
{
	struct chunk *c = chunk_new();

	(void)state;
	for (size_t i = 0; i < 200; i++)
		add(c, 7);
	chunk_reset(c);
	assert_int_equal(c->len, 0);
	add(c, 1400);
	assert_int_equal(chunk_count(c, 0, 1400), 1);
	assert_int_equal(chunk_record_end(c, 0), 1400);
	chunk_unref(c);
}

static void holds_one_big_record(void **state)
{
	const size_t size = 5 * CHUNK_SIZE + 3;
	struct chunk *c = chunk_try_new(size);

	(void)state;
	assert_non_null(c);
	assert_null(chunk_room(c, size + 1));
	add(c, size);
	assert_int_equal(chunk_record_end(c, 0), size);
	assert_int_equal(chunk_record_end(c, size - 1), size);
	assert_int_equal(chunk_record_start(c, size - 1), 0);
	assert_int_equal(chunk_count(c, 0, size), 1);
	assert_int_equal(chunk_count(c, 1, size - 1), 0);
	assert_int_equal(chunk_count(c, size - 1, size), 1);
	chunk_unref(c);
}

/* That the last reference frees it shows under a leak checker. */
static void lives_as_long_as_somebody_refers_to_it(void **state)
{
	struct chunk *c = chunk_new();

	(void)state;
	add(c, 3);
	assert_ptr_equal(chunk_ref(c), c);
	chunk_unref(c);
	assert_int_equal(c->data[0], 3);
	assert_int_equal(c->refs, 1);
	chunk_unref(c);
	chunk_unref(NULL);
}

static void says_when_there_is_no_memory(void **state)
{
	(void)state;
	mem_fail_try_after(1);
	assert_null(chunk_try_new(20000));
	assert_null(chunk_try_new(SIZE_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_its_records),
		cmocka_unit_test(counts_ends),
		cmocka_unit_test(is_full_to_the_last_byte),
		cmocka_unit_test(forgets_its_records_at_a_reset),
		cmocka_unit_test(holds_one_big_record),
		cmocka_unit_test(lives_as_long_as_somebody_refers_to_it),
		cmocka_unit_test(says_when_there_is_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
