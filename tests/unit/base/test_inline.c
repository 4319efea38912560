/* SPDX-License-Identifier: Apache-2.0 */
/* What lives in headers only: span, cursor, list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cursor.h"
#include "base/list.h"
#include "base/span.h"
#include "support/guard.h"

static void spans(void **state)
{
	(void)state;
	assert_true(span_equal(span_of(NULL, 0), span_str("")));
	assert_true(span_equal(span_str("ab"), span_of("abc", 2)));
	assert_false(span_equal(span_str("ab"), span_str("abc")));
	assert_false(span_equal(span_str("ab"), span_str("aB")));
	assert_true(span_equal(span_skip(span_str("abc"), 1), span_str("bc")));
	assert_int_equal(span_skip(span_of(NULL, 0), 0).n, 0);
	assert_int_equal(span_skip(span_str("abc"), 3).n, 0);
}

/* Each width from every length: read and advanced, or refused and left as it was. */
static void cursor_stays_inside(void **state)
{
	static const uint8_t bytes[] = { 0x81, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09 };
	static const uint64_t want[] = { 0,
					 0x81,
					 0x8102,
					 0x810203,
					 0x81020304,
					 0x8102030405,
					 0x810203040506,
					 0x81020304050607,
					 0x8102030405060708 };
	struct guard g;

	(void)state;
	guard_init(&g, sizeof(bytes));
	for (size_t n = 0; n <= sizeof(bytes); n++) {
		struct span s = guard_place(&g, span_of(bytes, n));

		for (size_t width = 0; width <= 8; width++) {
			struct span c = s, part = { 0 };
			uint64_t v = 99;

			assert_int_equal(cursor_be(&c, width, &v), width <= n);
			assert_true(v == (width <= n ? want[width] : 99));
			assert_int_equal(c.n, width <= n ? n - width : n);
			c = s;
			assert_int_equal(cursor_bytes(&c, width, &part), width <= n);
			assert_int_equal(part.n, width <= n ? width : 0);
			assert_ptr_equal(c.p, width <= n ? s.p + width : s.p);
		}
	}
	guard_deinit(&g);
}

static void cursor_reads_bytes(void **state)
{
	struct span c = span_str("ab");
	uint8_t byte = 0;

	(void)state;
	assert_true(cursor_u8(&c, &byte));
	assert_int_equal(byte, 'a');
	assert_true(cursor_u8(&c, &byte));
	assert_int_equal(byte, 'b');
	assert_false(cursor_u8(&c, &byte));
	assert_int_equal(byte, 'b');
	assert_int_equal(c.n, 0);
}

struct item {
	int value;
	struct list node;
};

static int sum(struct list *head)
{
	int total = 0;

	list_each(it, next, head)
		total = total * 10 + list_entry(it, struct item, node)->value;
	return total;
}

static void lists(void **state)
{
	struct item items[] = { { .value = 1 }, { .value = 2 }, { .value = 3 } };
	struct list head;

	(void)state;
	list_init(&head);
	assert_true(list_empty(&head));
	assert_int_equal(sum(&head), 0);
	for (size_t i = 0; i < 3; i++)
		list_append(&head, &items[i].node);
	assert_int_equal(sum(&head), 123);
	list_remove(&items[1].node);
	list_remove(&items[1].node);
	assert_int_equal(sum(&head), 13);
	list_append(&head, &items[1].node);
	assert_int_equal(sum(&head), 132);
	list_each(it, next, &head)
		list_remove(it);
	assert_true(list_empty(&head));
	assert_true(list_empty(&items[0].node));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spans),
		cmocka_unit_test(cursor_stays_inside),
		cmocka_unit_test(cursor_reads_bytes),
		cmocka_unit_test(lists),
	};

	return cmocka_run_group_tests_name("inline", tests, NULL, NULL);
}
