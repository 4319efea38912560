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
	assert_int_equal(keepalive_tick(&k, 510 * S - 1), KEEPALIVE_NOTHING);
	assert_int_equal(keepalive_tick(&k, 510 * S), KEEPALIVE_DEAD);
	assert_int_equal(keepalive_due(&k), INT64_MAX); /* said once */
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
	assert_int_equal(keepalive_tick(&k, 131 * S), KEEPALIVE_DEAD);
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
	assert_int_equal(keepalive_tick(&k, 1010 * S - 1), KEEPALIVE_NOTHING);
	assert_int_equal(keepalive_tick(&k, 1010 * S), KEEPALIVE_DEAD);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
