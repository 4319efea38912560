/* SPDX-License-Identifier: Apache-2.0 */
/* The records of a turn: order, ranges, and the chunk that is used again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "endpoint/batch.h"

static const struct endpoint_rules conf = { .delimiter = '\n' };

static bool add(struct batch *b, size_t size, char letter)
{
	struct framing f;
	struct framing_plan plan;
	char *text = mem_alloc(size);
	struct record r = { .type = RECORD_MESSAGE,
			    .msg = { .type = MSG_TEXT, .data = span_of(text, size - 1) } };
	bool added;

	memset(text, letter, size);
	framing_init(&f, &conf, 1 << 24);
	assert_true(framing_measure(&f, &r, &plan));
	assert_int_equal(plan.size, size);
	added = batch_add(b, &f, &r, &plan);
	free(text);
	return added;
}

static void expect_range(const struct batch *b, size_t i, size_t n, size_t bytes, char letter)
{
	const struct chunk_range *r = &b->ranges[i];

	assert_true(i < b->n_ranges);
	assert_int_equal(r->n, n);
	assert_int_equal(r->to - r->from, bytes);
	assert_int_equal(r->chunk->data[r->from], letter);
	assert_int_equal(r->chunk->data[r->to - 1], '\n');
}

static void joins_neighbours_and_keeps_the_order(void **state)
{
	struct batch b;

	(void)state;
	batch_init(&b);
	assert_true(add(&b, 100, 'a'));
	assert_true(add(&b, 50, 'b'));
	assert_true(add(&b, CHUNK_RECORD_MAX + 1, 'c'));
	assert_true(add(&b, 10, 'd'));
	assert_int_equal(b.n_ranges, 3);
	assert_int_equal(b.records, 4);
	assert_int_equal(b.bytes, 160 + CHUNK_RECORD_MAX + 1);
	expect_range(&b, 0, 2, 150, 'a');
	expect_range(&b, 1, 1, CHUNK_RECORD_MAX + 1, 'c');
	expect_range(&b, 2, 1, 10, 'd');
	batch_deinit(&b);
	batch_deinit(&b);
}

static void goes_on_in_a_new_chunk(void **state)
{
	struct batch b;

	(void)state;
	batch_init(&b);
	for (size_t i = 0; i < 3; i++)
		assert_true(add(&b, CHUNK_RECORD_MAX, 'a'));
	assert_true(add(&b, CHUNK_RECORD_MAX - 1, 'a'));
	assert_false(batch_is_full(&b));
	assert_true(add(&b, 2, 'b'));
	assert_true(batch_is_full(&b));
	assert_int_equal(b.n_ranges, 2);
	expect_range(&b, 0, 4, CHUNK_SIZE - 1, 'a');
	expect_range(&b, 1, 1, 2, 'b');
	batch_deinit(&b);
}

static void uses_its_chunk_again_when_nobody_else_does(void **state)
{
	struct batch b;
	struct chunk *kept;

	(void)state;
	batch_init(&b);
	assert_true(add(&b, 100, 'a'));
	batch_clear(&b);
	assert_int_equal(b.chunk->len, 0);
	assert_true(add(&b, 100, 'b'));
	kept = chunk_ref(b.ranges[0].chunk);
	batch_clear(&b);
	assert_true(add(&b, 100, 'c'));
	assert_int_equal(b.ranges[0].from, 100);
	assert_int_equal(kept->data[0], 'b');
	assert_int_equal(kept->data[98], 'b');
	chunk_unref(kept);
	batch_deinit(&b);
}

/* Small and big ones in turn, on a chunk that is nearly full: most ranges. */
static void is_full_before_it_has_no_range_left(void **state)
{
	struct chunk *kept;
	struct batch b;

	(void)state;
	batch_init(&b);
	for (int i = 0; i < 4; i++)
		assert_true(add(&b, CHUNK_RECORD_MAX - (i == 3), 'x'));
	kept = chunk_ref(b.chunk);
	batch_clear(&b);
	for (int i = 0; !batch_is_full(&b); i++)
		assert_true(add(&b, i % 3 == 2 ? CHUNK_RECORD_MAX + 1 : 1, 'x'));
	assert_true(b.n_ranges >= 8 && b.n_ranges < BATCH_RANGES);
	assert_int_equal(b.records, 12);
	chunk_unref(kept);
	batch_deinit(&b);
}

static void says_when_there_is_no_memory(void **state)
{
	struct batch b;

	(void)state;
	batch_init(&b);
	assert_true(add(&b, 5, 'a'));
	mem_fail_try_after(1);
	assert_false(add(&b, CHUNK_RECORD_MAX + 1, 'b'));
	assert_int_equal(b.records, 1);
	assert_true(add(&b, 5, 'c'));
	expect_range(&b, 0, 2, 10, 'a');
	batch_deinit(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(joins_neighbours_and_keeps_the_order),
		cmocka_unit_test(goes_on_in_a_new_chunk),
		cmocka_unit_test(uses_its_chunk_again_when_nobody_else_does),
		cmocka_unit_test(is_full_before_it_has_no_range_left),
		cmocka_unit_test(says_when_there_is_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
