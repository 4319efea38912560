/* SPDX-License-Identifier: Apache-2.0 */
/* Heartbeats and idle_timeout, on a clock that the test turns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "link/heartbeat.h"

#define S ((int64_t)1000000)
#define LOOK (S / 4)

static char pong[] = "pong";

static struct bridge_conf conf_of(int64_t interval, bool expects, int64_t idle)
{
	static struct common_conf common;

	common = (struct common_conf){ 0 };
	common.heartbeat.interval = interval;
	common.heartbeat.timeout = 10 * S;
	common.heartbeat.has_expect = expects;
	common.heartbeat.expect.kind = MATCH_CONTAINS;
	common.heartbeat.expect.text = pong;
	common.idle_timeout = idle;
	return (struct bridge_conf){ .common = &common };
}

static void hear(struct heartbeat *h, const char *text, int64_t now)
{
	heartbeat_message(h, (struct msg){ .type = MSG_TEXT, .data = span_str(text) }, now);
}

static void assert_quiet_until(struct heartbeat *h, int64_t due)
{
	assert_int_equal(heartbeat_due(h), due);
	assert_int_equal(heartbeat_tick(h, due - 1), HEARTBEAT_NOTHING);
}

/* It is overdue, but a verdict comes only after the buffers were read. */
static void assert_verdict(struct heartbeat *h, int64_t due, enum heartbeat_do verdict)
{
	assert_quiet_until(h, due);
	assert_int_equal(heartbeat_tick(h, due), HEARTBEAT_NOTHING);
	assert_quiet_until(h, due + LOOK);
	assert_int_equal(heartbeat_tick(h, due + LOOK), verdict);
	assert_int_equal(heartbeat_due(h), INT64_MAX);
}

static void test_off(void **state)
{
	struct bridge_conf conf = conf_of(0, true, 0);
	struct heartbeat h = { 0 };

	(void)state;
	heartbeat_start(&h, &conf, S);
	assert_int_equal(heartbeat_due(&h), INT64_MAX);
	assert_int_equal(heartbeat_tick(&h, INT64_MAX - 1), HEARTBEAT_NOTHING);
}

static void test_without_an_answer_it_only_sends(void **state)
{
	struct bridge_conf conf = conf_of(5 * S, false, 0);
	struct heartbeat h = { 0 };

	(void)state;
	heartbeat_start(&h, &conf, 0);
	for (int i = 1; i < 10; i++) {
		assert_quiet_until(&h, i * 5 * S);
		assert_int_equal(heartbeat_tick(&h, i * 5 * S), HEARTBEAT_SEND);
		assert_int_equal(heartbeat_due(&h), INT64_MAX); /* it is in our own queue */
		heartbeat_left(&h, i * 5 * S);
		assert_false(heartbeat_expects(&h));
	}
}

static struct heartbeat awaiting(const struct bridge_conf *conf)
{
	struct heartbeat h = { 0 };

	heartbeat_start(&h, conf, 0);
	assert_int_equal(heartbeat_tick(&h, 20 * S), HEARTBEAT_SEND);
	heartbeat_left(&h, 21 * S);
	assert_true(heartbeat_expects(&h));
	return h;
}

static void test_silence_is_death(void **state)
{
	struct bridge_conf conf = conf_of(20 * S, true, 0);
	struct heartbeat h = awaiting(&conf);

	(void)state;
	hear(&h, "something else", 30 * S);
	assert_verdict(&h, 31 * S, HEARTBEAT_DEAD);
}

static void test_the_answer_is_life(void **state)
{
	struct bridge_conf conf = conf_of(20 * S, true, 0);
	struct heartbeat h = awaiting(&conf);

	(void)state;
	hear(&h, "{\"op\":\"pong\"}", 25 * S);
	assert_false(heartbeat_expects(&h));
	assert_quiet_until(&h, 45 * S);
	assert_int_equal(heartbeat_tick(&h, 45 * S), HEARTBEAT_SEND);
}

/* The process was stopped for long: what came in meanwhile is read before the verdict. */
static void test_a_late_answer_in_the_buffer_counts(void **state)
{
	struct bridge_conf conf = conf_of(20 * S, true, 40 * S);
	struct heartbeat h = awaiting(&conf);

	(void)state;
	assert_int_equal(heartbeat_tick(&h, 1000 * S), HEARTBEAT_NOTHING);
	hear(&h, "pong", 1000 * S + LOOK / 2);
	assert_int_equal(heartbeat_tick(&h, 1000 * S + LOOK), HEARTBEAT_NOTHING);
	assert_quiet_until(&h, 1020 * S + LOOK / 2);
}

static void test_idle_timeout(void **state)
{
	struct bridge_conf conf = conf_of(0, false, 60 * S);
	struct heartbeat h = { 0 };

	(void)state;
	heartbeat_start(&h, &conf, 0);
	heartbeat_heard(&h, 50 * S);
	assert_verdict(&h, 110 * S, HEARTBEAT_SILENT);
}

static void test_nothing_is_judged_while_we_do_not_read(void **state)
{
	struct bridge_conf conf = conf_of(20 * S, true, 60 * S);
	struct heartbeat h = awaiting(&conf);

	(void)state;
	heartbeat_pause(&h, true, 22 * S);
	assert_int_equal(heartbeat_due(&h), INT64_MAX);
	assert_int_equal(heartbeat_tick(&h, 5000 * S), HEARTBEAT_NOTHING);
	heartbeat_pause(&h, false, 5000 * S);
	assert_verdict(&h, 5010 * S, HEARTBEAT_DEAD);
	h = awaiting(&conf);
	heartbeat_pause(&h, true, 22 * S);
	heartbeat_pause(&h, false, 500 * S);
	hear(&h, "pong", 500 * S);
	assert_quiet_until(&h, 520 * S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_off),
		cmocka_unit_test(test_without_an_answer_it_only_sends),
		cmocka_unit_test(test_silence_is_death),
		cmocka_unit_test(test_the_answer_is_life),
		cmocka_unit_test(test_a_late_answer_in_the_buffer_counts),
		cmocka_unit_test(test_idle_timeout),
		cmocka_unit_test(test_nothing_is_judged_while_we_do_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
