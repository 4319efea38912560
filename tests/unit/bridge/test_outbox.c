/* SPDX-License-Identifier: Apache-2.0 */
/* What waits for the upstream: order, caps, time to live, exact counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "bridge/outbox.h"

#define S ((int64_t)1000000)
#define ROOM_FOR(n) ((size_t)(n) * (OUTBOX_OVERHEAD + 1))

static struct msg text(const char *s)
{
	return (struct msg){ MSG_TEXT, span_str(s) };
}

static void assert_first(const struct outbox *o, const char *s)
{
	struct msg msg;

	assert_true(outbox_peek(o, &msg));
	assert_true(span_equal(msg.data, span_str(s)));
}

static void test_keeps_order_and_type(void **state)
{
	const struct outbox_policy policy = { .size = 10000, .ttl = 60 * S };
	struct outbox o;
	struct msg msg;

	(void)state;
	outbox_init(&o);
	assert_true(outbox_push(&o, text("one"), &policy, 0));
	assert_true(outbox_push(&o, (struct msg){ MSG_BINARY, span_of("\0", 1) }, &policy, 0));
	assert_true(outbox_push(&o, text(""), &policy, 0));
	assert_int_equal(o.messages, 3);
	assert_int_equal(o.bytes, 4);
	assert_first(&o, "one");
	outbox_pop(&o);
	assert_true(outbox_peek(&o, &msg));
	assert_int_equal(msg.type, MSG_BINARY);
	outbox_pop(&o);
	assert_first(&o, "");
	outbox_pop(&o);
	assert_false(outbox_peek(&o, &msg));
	assert_int_equal(o.bytes, 0);
	outbox_deinit(&o);
}

static void test_full_rejects_or_drops_the_oldest(void **state)
{
	struct outbox_policy policy = { .size = ROOM_FOR(3), .ttl = 0 };
	struct outbox o;

	(void)state;
	outbox_init(&o);
	assert_true(outbox_push(&o, text("1"), &policy, 0));
	assert_true(outbox_push(&o, text("2"), &policy, 0));
	assert_true(outbox_push(&o, text("3"), &policy, 0));
	assert_false(outbox_push(&o, text("4"), &policy, 0));
	assert_int_equal(o.rejected, 1);
	policy.drop_oldest = true;
	assert_true(outbox_push(&o, text("5"), &policy, 0));
	assert_int_equal(o.dropped, 1);
	assert_int_equal(o.messages, 3);
	assert_first(&o, "2");
	outbox_deinit(&o);
}

static void test_empty_messages_are_bounded_too(void **state)
{
	const struct outbox_policy policy = { .size = (size_t)OUTBOX_OVERHEAD * 5 };
	struct outbox o;

	(void)state;
	outbox_init(&o);
	for (int i = 0; i < 5; i++)
		assert_true(outbox_push(&o, text(""), &policy, 0));
	assert_false(outbox_push(&o, text(""), &policy, 0));
	outbox_deinit(&o);
}

static void test_what_never_fits_is_refused_without_harm(void **state)
{
	struct outbox_policy policy = { .size = 0, .drop_oldest = true };
	struct outbox o;

	(void)state;
	outbox_init(&o);
	assert_false(outbox_push(&o, text(""), &policy, 0));
	policy.size = ROOM_FOR(1);
	assert_true(outbox_push(&o, text("1"), &policy, 0));
	assert_false(outbox_push(&o, text("22"), &policy, 0));
	assert_first(&o, "1");
	assert_int_equal(o.dropped, 0);
	assert_int_equal(o.rejected, 2);
	assert_true(outbox_push_always(&o, text("22"), &policy, 0));
	assert_int_equal(o.messages, 2);
	outbox_deinit(&o);
}

static void test_expires(void **state)
{
	struct outbox_policy policy = { .size = 10000, .ttl = 60 * S };
	struct outbox o;

	(void)state;
	outbox_init(&o);
	outbox_push(&o, text("1"), &policy, 0);
	outbox_push(&o, text("2"), &policy, 10 * S);
	assert_int_equal(outbox_expire(&o, 60 * S - 1), 0);
	assert_int_equal(outbox_expire(&o, 60 * S), 1);
	assert_first(&o, "2");
	policy.ttl = 0;
	outbox_push(&o, text("for ever"), &policy, 10 * S);
	assert_int_equal(outbox_expire(&o, INT64_MAX - 1), 1);
	assert_first(&o, "for ever");
	assert_int_equal(o.expired, 2);
	outbox_deinit(&o);
}

static void test_out_of_memory_is_a_refusal(void **state)
{
	const struct outbox_policy policy = { .size = 10000 };
	struct outbox o;

	(void)state;
	outbox_init(&o);
	mem_fail_try_after(1);
	assert_false(outbox_push(&o, text("1"), &policy, 0));
	assert_int_equal(o.rejected, 1);
	assert_true(outbox_push(&o, text("2"), &policy, 0));
	outbox_deinit(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keeps_order_and_type),
		cmocka_unit_test(test_full_rejects_or_drops_the_oldest),
		cmocka_unit_test(test_empty_messages_are_bounded_too),
		cmocka_unit_test(test_what_never_fits_is_refused_without_harm),
		cmocka_unit_test(test_expires),
		cmocka_unit_test(test_out_of_memory_is_a_refusal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
