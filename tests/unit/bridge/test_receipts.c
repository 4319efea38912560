/* SPDX-License-Identifier: Apache-2.0 */
/* Who waits for which byte: two queues, each in its own order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "bridge/receipts.h"

static void add(struct receipts *r, const char *id, bool control, uint64_t mark)
{
	struct receipt one = { .client = 3, .id = span_str(id), .control = control, .mark = mark };

	assert_true(receipts_add(r, &one));
}

static void take(struct receipts *r, uint64_t data, uint64_t control, const char *id)
{
	const struct receipt *one = receipts_due(r, data, control);

	if (!*id) {
		assert_null(one);
		return;
	}
	assert_non_null(one);
	assert_int_equal(one->client, 3);
	assert_true(span_equal(one->id, span_str(id)));
	receipts_pop(r, one);
}

static void test_due_in_order(void **state)
{
	struct receipts r;

	(void)state;
	receipts_init(&r);
	take(&r, UINT64_MAX, UINT64_MAX, "");
	add(&r, "1", false, 100);
	add(&r, "\"p\"", true, 6);
	add(&r, "2", false, 200);
	assert_int_equal(r.n, 3);
	take(&r, 99, 5, "");
	take(&r, 99, 6, "\"p\""); /* a Ping overtakes */
	take(&r, 99, 6, "");
	take(&r, 200, 6, "1");
	take(&r, 199, 6, "");
	take(&r, 200, 6, "2");
	take(&r, UINT64_MAX, UINT64_MAX, "");
	assert_int_equal(r.n, 0);
	receipts_deinit(&r);
}

static void test_all_at_the_end(void **state)
{
	struct receipts r;

	(void)state;
	receipts_init(&r);
	add(&r, "1", true, UINT64_MAX);
	add(&r, "2", false, UINT64_MAX);
	take(&r, UINT64_MAX, UINT64_MAX, "2");
	take(&r, UINT64_MAX, UINT64_MAX, "1");
	add(&r, "3", false, 1);
	receipts_deinit(&r); /* nothing is lost */
	assert_int_equal(r.n, 0);
}

static void test_out_of_memory_is_a_refusal(void **state)
{
	struct receipt one = { .client = 1, .id = span_str("1") };
	struct receipts r;

	(void)state;
	receipts_init(&r);
	mem_fail_try_after(1);
	assert_false(receipts_add(&r, &one));
	assert_int_equal(r.n, 0);
	take(&r, UINT64_MAX, UINT64_MAX, "");
	receipts_deinit(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_due_in_order),
		cmocka_unit_test(test_all_at_the_end),
		cmocka_unit_test(test_out_of_memory_is_a_refusal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
