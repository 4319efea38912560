/* SPDX-License-Identifier: Apache-2.0 */
/* When to ping and when to give up, on a clock that the test turns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "link/keepalive.h"

#define S ((int64_t)1000000)

static struct keepalive started(bool any)
{
	struct keepalive k = { .interval = 20 * S, .timeout = 10 * S, .any = any };

	keepalive_start(&k, 100 * S);
	return k;
}

/* A ping that left at 121 s; proof is due by 131 s. */
static struct keepalive awaiting(bool any)
{
	struct keepalive k = started(any);

	assert_int_equal(keepalive_tick(&k, 120 * S), KEEPALIVE_PING);
	keepalive_left(&k, 121 * S);
	return k;
}

/* Overdue at `due`; the verdict comes after a last look into the buffers. */
static void assert_dead_at(struct keepalive *k, int64_t due)
{
	assert_int_equal(keepalive_due(k), due);
	assert_int_equal(keepalive_tick(k, due - 1), KEEPALIVE_NOTHING);
	assert_int_equal(keepalive_tick(k, due), KEEPALIVE_NOTHING);
	assert_int_equal(keepalive_tick(k, due + KEEPALIVE_LOOK - 1), KEEPALIVE_NOTHING);
	assert_int_equal(keepalive_tick(k, due + KEEPALIVE_LOOK), KEEPALIVE_DEAD);
	assert_int_equal(keepalive_due(k), INT64_MAX); /* said once */
}

static void test_off(void **state)
{
	struct keepalive k = { .interval = 0, .timeout = 10 * S };

	(void)state;
	keepalive_start(&k, 1);
	assert_int_equal(keepalive_due(&k), INT64_MAX);
	assert_int_equal(keepalive_tick(&k, INT64_MAX - 1), KEEPALIVE_NOTHING);
}

static void test_pings_in_time_and_not_before(void **state)
{
	struct keepalive k = started(true);

	(void)state;
	assert_int_equal(keepalive_due(&k), 120 * S);
	assert_int_equal(keepalive_tick(&k, 120 * S - 1), KEEPALIVE_NOTHING);
	assert_int_equal(keepalive_tick(&k, 120 * S), KEEPALIVE_PING);
	assert_int_equal(keepalive_tick(&k, 121 * S), KEEPALIVE_NOTHING); /* one at a time */
}

static void test_is_judged_from_when_it_left(void **state)
{
	struct keepalive k = started(true);

	(void)state;
	assert_int_equal(keepalive_tick(&k, 120 * S), KEEPALIVE_PING);
	assert_int_equal(keepalive_due(&k), INT64_MAX); /* stuck in our own queue: nobody's fault */
	keepalive_left(&k, 500 * S);
	assert_dead_at(&k, 510 * S);
}

static void test_any_frame_proves_life(void **state)
{
	struct keepalive k = awaiting(true);

	(void)state;
	keepalive_heard(&k, 125 * S);
	assert_int_equal(keepalive_tick(&k, 131 * S), KEEPALIVE_NOTHING);
	assert_int_equal(keepalive_due(&k), 145 * S);
}

static void test_only_the_pong_proves_life(void **state)
{
	struct keepalive k = awaiting(false);

	(void)state;
	keepalive_heard(&k, 125 * S);
	assert_dead_at(&k, 131 * S);
	k = awaiting(false);
	keepalive_pong(&k, 125 * S);
	assert_int_equal(keepalive_tick(&k, 131 * S), KEEPALIVE_NOTHING);
	assert_int_equal(keepalive_due(&k), 145 * S);
}

static void test_round_trip_time(void **state)
{
	struct keepalive k = awaiting(true);

	(void)state;
	assert_true(k.rtt < 0);
	keepalive_heard(&k, 121 * S + 100);
	keepalive_pong(&k, 121 * S + 250000);
	assert_true(k.rtt > 0.2499 && k.rtt < 0.2501);
	keepalive_pong(&k, 150 * S); /* nobody asked */
	assert_true(k.rtt < 0.2501);
}

static void test_without_timeout_it_pings_and_never_judges(void **state)
{
	struct keepalive k = started(true);

	(void)state;
	k.timeout = 0;
	assert_int_equal(keepalive_tick(&k, 120 * S), KEEPALIVE_PING);
	keepalive_left(&k, 120 * S);
	assert_int_equal(keepalive_tick(&k, 140 * S - 1), KEEPALIVE_NOTHING);
	assert_int_equal(keepalive_tick(&k, 140 * S), KEEPALIVE_PING);
}

static void test_is_not_judged_while_we_do_not_read(void **state)
{
	struct keepalive k = awaiting(true);

	(void)state;
	keepalive_pause(&k, true, 122 * S);
	assert_int_equal(keepalive_tick(&k, 1000 * S), KEEPALIVE_NOTHING);
	keepalive_pause(&k, false, 1000 * S);
	assert_dead_at(&k, 1010 * S);
}

/* This process was stopped for long, and the Pong came in meanwhile. */
static void test_a_late_pong_in_the_buffer_counts(void **state)
{
	struct keepalive k = awaiting(false);

	(void)state;
	assert_int_equal(keepalive_tick(&k, 176 * S), KEEPALIVE_NOTHING);
	keepalive_heard(&k, 176 * S + 1000);
	keepalive_pong(&k, 176 * S + 2000);
	assert_int_equal(keepalive_tick(&k, 176 * S + KEEPALIVE_LOOK), KEEPALIVE_NOTHING);
	assert_int_equal(keepalive_due(&k), 196 * S + 2000);
}

static void test_smoothed_round_trip_time(void **state)
{
	struct keepalive k = started(true);
	double expected = 0.1;

	(void)state;
	assert_true(k.srtt < 0);
	for (int i = 0; i < 50; i++) {
		int64_t now = keepalive_due(&k);
		double rtt = i < 10 ? 0.1 : 0.5;

		assert_int_equal(keepalive_tick(&k, now), KEEPALIVE_PING);
		keepalive_left(&k, now);
		keepalive_pong(&k, now + (int64_t)(rtt * 1e6));
		expected += (rtt - expected) / 8;
		assert_true(k.srtt > expected - 1e-6 && k.srtt < expected + 1e-6);
		assert_true(k.rtt > rtt - 1e-6 && k.rtt < rtt + 1e-6);
	}
}

/* Bytes in front of the ping still trickle out: it has not left this machine. */
static void test_a_slow_line_is_not_a_dead_one(void **state)
{
	struct keepalive k = awaiting(true);
	int64_t due = 131 * S;

	(void)state;
	k.mark = 1000;
	k.acked = 100;
	for (uint64_t acked = 200; acked < 1000; acked += 100) {
		keepalive_acked(&k, acked + 1, due - 1); /* too early to matter */
		keepalive_acked(&k, acked, due);
		due += 10 * S;
		assert_int_equal(keepalive_due(&k), due);
	}
	keepalive_acked(&k, 1000, due); /* now the other machine has it */
	assert_dead_at(&k, due);
}

static void test_no_progress_is_no_excuse(void **state)
{
	struct keepalive k = awaiting(true);

	(void)state;
	k.mark = 1000;
	k.acked = 100;
	keepalive_acked(&k, 100, 131 * S);
	assert_dead_at(&k, 131 * S);
}

/* After a suspension: a ping at once, and little patience, whatever the configuration says. */
static void test_check(void **state)
{
	struct keepalive k = awaiting(true), off = { .interval = 0 };

	(void)state;
	keepalive_check(&k, 125 * S);
	assert_int_equal(keepalive_tick(&k, 125 * S), KEEPALIVE_PING);
	keepalive_left(&k, 125 * S);
	assert_dead_at(&k, 130 * S);
	keepalive_start(&off, 0);
	keepalive_check(&off, 50 * S);
	assert_int_equal(keepalive_tick(&off, 50 * S), KEEPALIVE_PING);
	keepalive_left(&off, 50 * S);
	keepalive_pong(&off, 51 * S);
	assert_int_equal(keepalive_due(&off), INT64_MAX); /* off again */
}

/* The patience is short once, not for ever. */
static void test_after_a_check_all_is_as_before(void **state)
{
	struct keepalive k = started(true);

	(void)state;
	keepalive_check(&k, 110 * S);
	assert_int_equal(keepalive_tick(&k, 110 * S), KEEPALIVE_PING);
	keepalive_left(&k, 110 * S);
	keepalive_heard(&k, 112 * S);
	assert_int_equal(keepalive_tick(&k, 132 * S), KEEPALIVE_PING);
	keepalive_left(&k, 132 * S);
	assert_dead_at(&k, 142 * S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_off),
		cmocka_unit_test(test_pings_in_time_and_not_before),
		cmocka_unit_test(test_is_judged_from_when_it_left),
		cmocka_unit_test(test_any_frame_proves_life),
		cmocka_unit_test(test_only_the_pong_proves_life),
		cmocka_unit_test(test_round_trip_time),
		cmocka_unit_test(test_without_timeout_it_pings_and_never_judges),
		cmocka_unit_test(test_is_not_judged_while_we_do_not_read),
		cmocka_unit_test(test_a_late_pong_in_the_buffer_counts),
		cmocka_unit_test(test_smoothed_round_trip_time),
		cmocka_unit_test(test_a_slow_line_is_not_a_dead_one),
		cmocka_unit_test(test_no_progress_is_no_excuse),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_after_a_check_all_is_as_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
