/* SPDX-License-Identifier: Apache-2.0 */
/* The byte queue: order, cap, memory given back, and every failing allocation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"

static void append_and_consume_keep_the_order(void **state)
{
	uint8_t expected = 0, next = 0, piece[300];
	uint32_t seed = 1;
	struct buf b;

	(void)state;
	buf_init(&b, 5000);
	for (size_t step = 0; step < 20000; step++) {
		size_t n = (seed = seed * 1103515245 + 12345) >> 16 & 255;

		if (step % 2 == 0 && b.len + n <= b.cap) {
			for (size_t i = 0; i < n; i++)
				piece[i] = next++;
			assert_true(buf_append(&b, span_of(piece, n)));
		} else {
			struct span s = buf_bytes(&b);

			n = n < s.n ? n : s.n;
			for (size_t i = 0; i < n; i++)
				assert_int_equal(s.p[i], expected++);
			buf_consume(&b, n);
		}
		assert_int_equal((uint8_t)(expected + b.len), next);
		assert_true(b.size <= 2 * b.cap);
	}
	buf_deinit(&b);
}

static void cap_holds_and_nothing_is_added(void **state)
{
	static const struct {
		size_t cap, stored, more;
		bool fits;
	} rows[] = {
		{ 0, 0, 0, true },
		{ 0, 0, 1, false },
		{ 1, 0, 1, true },
		{ 1, 1, 0, true },
		{ 1, 1, 1, false },
		{ 10, 4, 6, true },
		{ 10, 4, 7, false },
		{ 1000, 999, 1, true },
		{ 1000, 999, 2, false },
		{ 1000, 1, SIZE_MAX, false },
		{ SIZE_MAX, 5, SIZE_MAX - 4, false },
	};
	static const uint8_t bytes[1000];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf b;

		buf_init(&b, rows[i].cap);
		assert_true(buf_append(&b, span_of(bytes, rows[i].stored)));
		assert_int_equal(buf_append(&b, span_of(bytes, rows[i].more)), rows[i].fits);
		assert_int_equal(b.len, rows[i].stored + (rows[i].fits ? rows[i].more : 0));
		buf_deinit(&b);
	}
}

static void cap_lowered_under_what_is_stored(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	assert_true(buf_append(&b, span_str("hello")));
	b.cap = 3;
	assert_false(buf_append(&b, span_str("x")));
	buf_consume(&b, 4);
	assert_true(buf_append(&b, span_str("xy")));
	assert_true(span_equal(buf_bytes(&b), span_str("oxy")));
	buf_deinit(&b);
}

static void reserve_and_commit_less(void **state)
{
	struct buf b;
	uint8_t *room;

	(void)state;
	buf_init(&b, 100);
	room = buf_reserve(&b, 100);
	assert_non_null(room);
	assert_int_equal(b.len, 0);
	memcpy(room, "abc", 3);
	buf_commit(&b, 3);
	assert_true(span_equal(buf_bytes(&b), span_str("abc")));
	assert_null(buf_reserve(&b, 98));
	assert_non_null(buf_reserve(&b, 97));
	assert_non_null(buf_reserve(&b, 0));
	assert_true(span_equal(buf_bytes(&b), span_str("abc")));
	buf_deinit(&b);
}

static void memory_follows_what_is_stored(void **state)
{
	static const uint8_t block[100000];
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 24);
	assert_true(buf_append(&b, span_of(block, 1)));
	assert_true(b.size <= 4096); /* not what the cap announces */
	for (size_t i = 0; i < 100; i++)
		assert_true(buf_append(&b, span_of(block, 100)));
	assert_true(b.size <= 2 * b.len);
	buf_clear(&b);
	assert_non_null(b.data); /* small: kept */
	assert_true(buf_append(&b, span_of(block, sizeof(block))));
	buf_consume(&b, sizeof(block) - 1);
	assert_non_null(b.data);
	buf_consume(&b, 1);
	assert_null(b.data); /* large: given back */
	assert_int_equal(b.size, 0);
	assert_int_equal(b.cap, 1 << 24);
	assert_true(buf_append(&b, span_str("again")));
	assert_true(span_equal(buf_bytes(&b), span_str("again")));
	buf_deinit(&b);
	buf_deinit(&b);
	assert_true(buf_append(&b, span_str("again")));
	buf_deinit(&b);
}

/*
 * A queue that never runs empty: the block is moved or copied only when as
 * much has been consumed, so a byte is copied a few times at most.
 */
static void steady_queue_moves_little(void **state)
{
	static const uint8_t block[8000];
	size_t moved = 0, steps = 50000;
	struct buf b;

	(void)state;
	buf_init(&b, 10000);
	assert_true(buf_append(&b, span_of(block, sizeof(block))));
	for (size_t i = 0; i < steps; i++) {
		size_t off;

		buf_consume(&b, 1);
		off = b.off;
		assert_true(buf_append(&b, span_of(block, 1)));
		if (b.off < off)
			moved += b.len;
	}
	assert_true(moved <= 3 * steps);
	assert_true(b.size <= 2 * b.cap);
	buf_deinit(&b);
}

static void failing_allocation_changes_nothing(void **state)
{
	static const uint8_t block[4000];
	struct buf b;

	(void)state;
	buf_init(&b, 100000);
	mem_fail_try_after(1); /* the first block */
	assert_false(buf_append(&b, span_str("abc")));
	assert_int_equal(b.len, 0);
	assert_true(buf_append(&b, span_str("abc")));

	mem_fail_try_after(1); /* growing in place */
	assert_null(buf_reserve(&b, sizeof(block)));
	assert_true(span_equal(buf_bytes(&b), span_str("abc")));

	buf_consume(&b, 1);
	mem_fail_try_after(1); /* growing by a copy */
	assert_false(buf_append(&b, span_of(block, sizeof(block))));
	assert_true(span_equal(buf_bytes(&b), span_str("bc")));
	assert_true(buf_append(&b, span_of(block, sizeof(block))));
	assert_int_equal(b.len, 2 + sizeof(block));
	assert_memory_equal(buf_bytes(&b).p, "bc", 2);
	buf_deinit(&b);
}

static void empty_is_empty(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 10);
	assert_int_equal(buf_bytes(&b).n, 0);
	assert_true(buf_append(&b, span_of(NULL, 0)));
	buf_consume(&b, 0);
	buf_clear(&b);
	assert_null(b.data);
	assert_non_null(buf_reserve(&b, 0));
	buf_deinit(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(append_and_consume_keep_the_order),
		cmocka_unit_test(cap_holds_and_nothing_is_added),
		cmocka_unit_test(cap_lowered_under_what_is_stored),
		cmocka_unit_test(reserve_and_commit_less),
		cmocka_unit_test(memory_follows_what_is_stored),
		cmocka_unit_test(steady_queue_moves_little),
		cmocka_unit_test(failing_allocation_changes_nothing),
		cmocka_unit_test(empty_is_empty),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
