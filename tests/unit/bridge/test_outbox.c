/* SPDX-License-Identifier: Apache-2.0 */
/* What waits for the upstream: order, caps, time to live, exact counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "bridge/outbox.h"

#define S ((int64_t)1000000)
#define ROOM_FOR(n) ((size_t)(n) * (OUTBOX_OVERHEAD + 1))

/* What was lost: "1 expired|2 dropped|3 purged|". */
struct losses {
	char text[200];
};

static void on_lost(void *arg, const struct outbox_item *item, enum outbox_loss why)
{
	static const char *const names[] = {
		[OUTBOX_EXPIRED] = "expired",
		[OUTBOX_DROPPED] = "dropped",
		[OUTBOX_PURGED] = "purged",
	};
	struct losses *l = arg;
	size_t n = strlen(l->text);

	snprintf(l->text + n, sizeof(l->text) - n, "%.*s %s|", (int)item->msg.data.n,
		 (const char *)item->msg.data.p, names[why]);
}

static struct outbox_item item_of(uint64_t client, const char *id, const char *s, bool part)
{
	return (struct outbox_item){
		.client = client,
		.id = span_str(id),
		.msg = { .type = MSG_TEXT, .data = span_str(s) },
		.part = part,
	};
}

static bool push(struct outbox *o, const char *s, const struct outbox_policy *policy, int64_t now)
{
	struct outbox_item item = item_of(0, "", s, false);

	return outbox_push(o, &item, policy, now);
}

static bool push_part(struct outbox *o, uint64_t client, const char *s,
		      const struct outbox_policy *policy)
{
	struct outbox_item item = item_of(client, "", s, true);

	item.msg.more = true;
	return outbox_push(o, &item, policy, 0);
}

static void assert_first(const struct outbox *o, const char *s)
{
	const struct outbox_item *item = outbox_first(o, 0);

	assert_non_null(item);
	assert_true(span_equal(item->msg.data, span_str(s)));
}

static void pop(struct outbox *o)
{
	outbox_pop(o, outbox_first(o, 0));
}

static void test_keeps_order_and_type(void **state)
{
	const struct outbox_policy policy = { .size = 10000, .ttl = 60 * S };
	struct losses lost = { "" };
	struct outbox_item zero = {
		.client = 7,
		.id = span_str("\"a\""),
		.msg = { .type = MSG_BINARY, .data = span_of("\0", 1), .more = true },
	};
	const struct outbox_item *item;
	struct outbox o;

	(void)state;
	outbox_init(&o, on_lost, &lost);
	assert_true(push(&o, "one", &policy, 0));
	assert_true(outbox_push(&o, &zero, &policy, 0));
	assert_true(push(&o, "", &policy, 0));
	assert_int_equal(o.messages, 3);
	assert_int_equal(o.bytes, 4);
	assert_first(&o, "one");
	pop(&o);
	item = outbox_first(&o, 0);
	assert_non_null(item);
	assert_int_equal(item->msg.type, MSG_BINARY);
	assert_true(item->msg.more);
	assert_int_equal(item->client, 7);
	assert_true(span_equal(item->id, zero.id));
	pop(&o);
	assert_first(&o, "");
	pop(&o);
	assert_null(outbox_first(&o, 0));
	assert_string_equal(lost.text, "");
	assert_int_equal(o.bytes, 0);
	outbox_deinit(&o);
}

static void test_full_rejects_or_drops_the_oldest(void **state)
{
	struct outbox_policy policy = { .size = ROOM_FOR(3), .ttl = 0 };
	struct losses lost = { "" };
	struct outbox o;

	(void)state;
	outbox_init(&o, on_lost, &lost);
	assert_true(push(&o, "1", &policy, 0));
	assert_true(push(&o, "2", &policy, 0));
	assert_true(push(&o, "3", &policy, 0));
	assert_false(push(&o, "4", &policy, 0));
	assert_int_equal(o.rejected, 1);
	policy.drop_oldest = true;
	assert_true(push(&o, "5", &policy, 0));
	assert_int_equal(o.dropped, 1);
	assert_string_equal(lost.text, "1 dropped|");
	assert_int_equal(o.messages, 3);
	assert_first(&o, "2");
	outbox_deinit(&o);
}

static void test_empty_messages_are_bounded_too(void **state)
{
	const struct outbox_policy policy = { .size = (size_t)OUTBOX_OVERHEAD * 5 };
	struct losses lost = { "" };
	struct outbox o;

	(void)state;
	outbox_init(&o, on_lost, &lost);
	for (int i = 0; i < 5; i++)
		assert_true(push(&o, "", &policy, 0));
	assert_false(push(&o, "", &policy, 0));
	outbox_deinit(&o);
}

static void test_what_never_fits_is_refused_without_harm(void **state)
{
	struct outbox_policy policy = { .size = 0, .drop_oldest = true };
	struct outbox_item long_one = item_of(0, "", "22", false);
	struct losses lost = { "" };
	struct outbox o;

	(void)state;
	outbox_init(&o, on_lost, &lost);
	assert_false(push(&o, "", &policy, 0));
	policy.size = ROOM_FOR(1);
	assert_true(push(&o, "1", &policy, 0));
	assert_false(push(&o, "22", &policy, 0));
	assert_first(&o, "1");
	assert_int_equal(o.dropped, 0);
	assert_int_equal(o.rejected, 2);
	assert_true(outbox_push_always(&o, &long_one, &policy, 0));
	assert_int_equal(o.messages, 2);
	outbox_deinit(&o);
}

static void test_expires(void **state)
{
	struct outbox_policy policy = { .size = 10000, .ttl = 60 * S };
	struct losses lost = { "" };
	struct outbox o;

	(void)state;
	outbox_init(&o, on_lost, &lost);
	push(&o, "1", &policy, 0);
	push(&o, "2", &policy, 10 * S);
	assert_int_equal(outbox_expire(&o, 60 * S - 1), 0);
	assert_int_equal(outbox_expire(&o, 60 * S), 1);
	assert_first(&o, "2");
	policy.ttl = 0;
	push(&o, "for ever", &policy, 10 * S);
	assert_int_equal(outbox_expire(&o, INT64_MAX - 1), 1);
	assert_first(&o, "for ever");
	assert_int_equal(o.expired, 2);
	assert_string_equal(lost.text, "1 expired|2 expired|");
	assert_int_equal(outbox_due(&o), INT64_MAX);
	outbox_deinit(&o);
}

static void test_ids_are_charged(void **state)
{
	const struct outbox_policy policy = { .size = ROOM_FOR(2) };
	struct outbox_item named = item_of(1, "12345", "1", false);
	struct losses lost = { "" };
	struct outbox o;

	(void)state;
	outbox_init(&o, on_lost, &lost);
	assert_true(outbox_push(&o, &named, &policy, 0));
	assert_false(push(&o, "2", &policy, 0));
	assert_int_equal(o.bytes, 1); /* what is told counts the payload */
	assert_int_equal(o.ids, 5);
	pop(&o);
	assert_int_equal(o.ids, 0);
	outbox_deinit(&o);
}

/* Half a message is worse than none: fragments go all together, or not at all. */
static void test_parts(void **state)
{
	struct outbox_policy policy = { .size = ROOM_FOR(5), .ttl = 60 * S, .drop_oldest = true };
	const struct outbox_item *item;
	struct losses lost = { "" };
	struct outbox o;

	(void)state;
	outbox_init(&o, on_lost, &lost);
	push_part(&o, 1, "a", &policy);
	push(&o, "w", &policy, 0);
	push_part(&o, 2, "c", &policy);
	push_part(&o, 1, "b", &policy);
	assert_int_equal(outbox_due(&o), 60 * S);
	assert_int_equal(outbox_expire(&o, 61 * S), 1);
	assert_string_equal(lost.text, "w expired|");
	assert_int_equal(outbox_due(&o), INT64_MAX);
	item = outbox_first(&o, 2);
	assert_non_null(item);
	assert_true(span_equal(item->msg.data, span_str("c")));
	assert_null(outbox_first(&o, 3));
	push(&o, "x", &policy, 61 * S);
	push(&o, "y", &policy, 61 * S);
	push(&o, "z", &policy, 61 * S); /* the whole ones make room, oldest first */
	assert_string_equal(lost.text, "w expired|x dropped|");
	push_part(&o, 1, "d", &policy);
	push_part(&o, 1, "e", &policy);
	assert_false(push(&o, "0", &policy, 61 * S)); /* nothing but parts is left */
	assert_string_equal(lost.text, "w expired|x dropped|y dropped|z dropped|");
	outbox_purge_parts(&o, 1);
	assert_string_equal(lost.text, "w expired|x dropped|y dropped|z dropped|"
				       "a purged|b purged|d purged|e purged|");
	assert_int_equal(o.rejected, 5);
	assert_first(&o, "c");
	outbox_purge_parts(&o, 0);
	assert_int_equal(o.messages, 0);
	assert_int_equal(o.bytes, 0);
	outbox_deinit(&o);
}

static void push_last(struct outbox *o, uint64_t client, const char *s,
		      const struct outbox_policy *policy)
{
	struct outbox_item item = item_of(client, "", s, true);

	assert_true(outbox_push(o, &item, policy, 0));
}

/* A message of which all parts are there is not the one that was given up. */
static void test_whole_ones_in_parts_stay(void **state)
{
	const struct outbox_policy policy = { .size = 10000 };
	struct losses lost = { "" };
	struct outbox o;

	(void)state;
	outbox_init(&o, on_lost, &lost);
	push_part(&o, 1, "a", &policy);
	push_last(&o, 1, "b", &policy);
	push_part(&o, 2, "c", &policy);
	outbox_purge_parts(&o, 1);
	assert_string_equal(lost.text, "");
	push_last(&o, 1, "d", &policy); /* the end of one whose beginning is on the wire */
	push_part(&o, 1, "e", &policy);
	push(&o, "f", &policy, 0);
	push_part(&o, 1, "g", &policy);
	outbox_purge_parts(&o, 1);
	assert_string_equal(lost.text, "e purged|g purged|");
	assert_int_equal(o.rejected, 2);
	outbox_purge_parts(&o, 0);
	assert_string_equal(lost.text, "e purged|g purged|a purged|b purged|c purged|d purged|");
	assert_first(&o, "f");
	outbox_deinit(&o);
}

static void test_out_of_memory_is_a_refusal(void **state)
{
	const struct outbox_policy policy = { .size = 10000 };
	struct losses lost = { "" };
	struct outbox o;

	(void)state;
	outbox_init(&o, on_lost, &lost);
	mem_fail_try_after(1);
	assert_false(push(&o, "1", &policy, 0));
	assert_int_equal(o.rejected, 1);
	assert_true(push(&o, "2", &policy, 0));
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
		cmocka_unit_test(test_ids_are_charged),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_whole_ones_in_parts_stay),
		cmocka_unit_test(test_out_of_memory_is_a_refusal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
