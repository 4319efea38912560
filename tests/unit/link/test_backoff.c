/* SPDX-License-Identifier: Apache-2.0 */
/* Delays between attempts: bounds, growth, the slow way, forgiveness, giving up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rand.h"
#include "link/backoff.h"

#define S ((int64_t)1000000)

static struct common_conf common; /* of all of them */

static struct bridge_conf conf_of(void)
{
	common = (struct common_conf){ 0 };
	common.reconnect.when = WHEN_ALWAYS;
	common.reconnect.initial = S / 2;
	common.reconnect.max = 30 * S;
	common.reconnect.slow = 300 * S;
	common.reconnect.reset_after = 30 * S;
	common.reconnect.factor = 2;
	common.reconnect.jitter = JITTER_EQUAL;
	return (struct bridge_conf){ .common = &common };
}

/* A source that always answers the lowest or the highest value. */
static void fill_low(struct rand_source *r, void *out, size_t n)
{
	(void)r;
	for (size_t i = 0; i < n; i++)
		((uint8_t *)out)[i] = 0;
}

static void fill_high(struct rand_source *r, void *out, size_t n)
{
	(void)r;
	for (size_t i = 0; i < n; i++)
		((uint8_t *)out)[i] = 0xff;
}

static struct rand_source low = { .fill = fill_low };
static struct rand_source high = { .fill = fill_high };

static int64_t bound_after(const struct bridge_conf *conf, const struct session_end *end,
			   int failures, struct rand_source *rand)
{
	struct backoff b = { 0 };
	int64_t delay = -1;

	for (int i = 0; i < failures; i++)
		assert_int_equal(backoff_ended(&b, conf, end, rand, &delay), BACKOFF_RETRY);
	return delay;
}

static void assert_about(int64_t value, int64_t expected)
{
	assert_in_range(value, expected - 2, expected);
}

static void test_equal_jitter_is_within_half_and_whole(void **state)
{
	static const struct {
		int failures;
		double bound;
	} rows[] = { { 1, 0.5 }, { 2, 1 },  { 3, 2 },  { 4, 4 },    { 5, 8 },
		     { 6, 16 },	 { 7, 30 }, { 8, 30 }, { 1000, 30 } };
	struct bridge_conf conf = conf_of();
	struct session_end end = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t bound = (int64_t)(rows[i].bound * (double)S);

		assert_about(bound_after(&conf, &end, rows[i].failures, &low), bound / 2);
		assert_about(bound_after(&conf, &end, rows[i].failures, &high), bound);
	}
}

static void test_other_jitters(void **state)
{
	struct bridge_conf conf = conf_of();
	struct session_end end = { 0 };

	(void)state;
	common.reconnect.jitter = JITTER_NONE;
	assert_int_equal(bound_after(&conf, &end, 3, &low), 2 * S);
	assert_int_equal(bound_after(&conf, &end, 3, &high), 2 * S);
	common.reconnect.jitter = JITTER_FULL;
	assert_int_equal(bound_after(&conf, &end, 3, &low), 0);
	assert_about(bound_after(&conf, &end, 3, &high), 2 * S);
}

static void test_no_growth_with_factor_one(void **state)
{
	struct bridge_conf conf = conf_of();
	struct session_end end = { 0 };

	(void)state;
	common.reconnect.factor = 1;
	common.reconnect.jitter = JITTER_NONE;
	assert_int_equal(bound_after(&conf, &end, 50, &low), S / 2);
}

static void test_only_a_proven_connection_forgives(void **state)
{
	struct bridge_conf conf = conf_of();
	struct session_end shortly = { .was_open = true, .open_for = 29 * S };
	struct session_end long_enough = { .was_open = true, .open_for = 30 * S };
	struct session_end never = { .open_for = 0 };
	struct backoff b = { 0 };
	int64_t delay;

	(void)state;
	common.reconnect.jitter = JITTER_NONE;
	for (int i = 0; i < 4; i++)
		backoff_ended(&b, &conf, &never, &low, &delay);
	assert_int_equal(delay, 4 * S);
	backoff_ended(&b, &conf, &shortly, &low, &delay);
	assert_int_equal(delay, 8 * S);
	backoff_ended(&b, &conf, &long_enough, &low, &delay);
	assert_int_equal(delay, S / 2); /* forgiven, and yet it waits */
}

static void test_the_slow_way(void **state)
{
	static const struct {
		int status, close_code;
		enum err code;
		bool slow;
	} rows[] = {
		{ 400, 0, ERR_BAD_STATUS, true },  { 401, 0, ERR_BAD_STATUS, true },
		{ 403, 0, ERR_BAD_STATUS, true },  { 404, 0, ERR_BAD_STATUS, true },
		{ 408, 0, ERR_BAD_STATUS, false }, { 425, 0, ERR_BAD_STATUS, false },
		{ 429, 0, ERR_BAD_STATUS, false }, { 500, 0, ERR_BAD_STATUS, false },
		{ 503, 0, ERR_BAD_STATUS, false }, { 301, 0, ERR_BAD_STATUS, false },
		{ 0, 1000, ERR_NONE, false },	   { 0, 1001, ERR_NONE, false },
		{ 0, 1002, ERR_NONE, true },	   { 0, 1003, ERR_NONE, true },
		{ 0, 1006, ERR_NOT_OPEN, false },  { 0, 1007, ERR_NONE, true },
		{ 0, 1008, ERR_NONE, true },	   { 0, 1009, ERR_NONE, true },
		{ 0, 1010, ERR_NONE, true },	   { 0, 1011, ERR_NONE, false },
		{ 0, 1014, ERR_NONE, false },	   { 0, 1006, ERR_TLS, true },
		{ 0, 1006, ERR_CONNECT, false },   { 0, 4000, ERR_NONE, false },
	};
	struct bridge_conf conf = conf_of();

	(void)state;
	common.reconnect.jitter = JITTER_NONE;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct session_end end = { .close_code = rows[i].close_code };

		end.err.code = rows[i].code;
		end.err.status = rows[i].status;
		assert_int_equal(backoff_is_slow(&end), rows[i].slow);
		assert_int_equal(bound_after(&conf, &end, 1, &low), rows[i].slow ? 30 * S : S / 2);
		assert_int_equal(bound_after(&conf, &end, 20, &low),
				 rows[i].slow ? 300 * S : 30 * S);
	}
}

static void test_giving_up(void **state)
{
	struct bridge_conf conf = conf_of();
	struct session_end normal = { .clean = true, .close_code = 1000, .was_open = true };
	struct session_end away = { .clean = true, .close_code = 1001, .was_open = true };
	struct backoff b = { 0 };
	int64_t delay;

	(void)state;
	common.reconnect.when = WHEN_ABNORMAL;
	assert_int_equal(backoff_ended(&b, &conf, &normal, &low, &delay), BACKOFF_STOP);
	assert_int_equal(backoff_ended(&b, &conf, &away, &low, &delay), BACKOFF_RETRY);
	common.reconnect.when = WHEN_NEVER;
	assert_int_equal(backoff_ended(&b, &conf, &away, &low, &delay), BACKOFF_STOP);
	common.reconnect.when = WHEN_ALWAYS;
	assert_int_equal(backoff_ended(&b, &conf, &normal, &low, &delay), BACKOFF_RETRY);
	b.failures = 0;
	common.reconnect.attempts = 3;
	assert_int_equal(backoff_ended(&b, &conf, &away, &low, &delay), BACKOFF_RETRY);
	assert_int_equal(backoff_ended(&b, &conf, &away, &low, &delay), BACKOFF_RETRY);
	assert_int_equal(backoff_ended(&b, &conf, &away, &low, &delay), BACKOFF_STOP);
}

/* We closed, and the peer only said the same back: not its word. */
static void test_an_answer_to_our_close_is_not_fatal(void **state)
{
	int closes[] = { 1000 };
	struct bridge_conf conf = conf_of();
	struct session_end end = { .clean = true, .close_code = 1000 };
	struct backoff b = { 0 };

	(void)state;
	common.reconnect.fatal_close = closes;
	common.reconnect.n_fatal_close = 1;
	assert_int_equal(backoff_over(&b, &conf, &end), BACKOFF_CLOSE);
	end.ours = true;
	assert_int_equal(backoff_over(&b, &conf, &end), BACKOFF_GOES_ON);
	end.close_code = 1008;
	assert_false(backoff_is_slow(&end));
	end.ours = false;
	assert_true(backoff_is_slow(&end));
}

static void test_fatal_ends(void **state)
{
	int statuses[] = { 401, 403 }, closes[] = { 4004, 1008 };
	static const struct {
		int status, close_code;
		enum backoff_over over;
	} rows[] = {
		{ 401, 1006, BACKOFF_STATUS },	{ 403, 1006, BACKOFF_STATUS },
		{ 402, 1006, BACKOFF_GOES_ON }, { 0, 4004, BACKOFF_CLOSE },
		{ 0, 1008, BACKOFF_CLOSE },	{ 0, 1000, BACKOFF_GOES_ON },
		{ 0, 1006, BACKOFF_GOES_ON },
	};
	struct bridge_conf conf = conf_of();

	(void)state;
	common.reconnect.fatal_status = statuses;
	common.reconnect.n_fatal_status = 2;
	common.reconnect.fatal_close = closes;
	common.reconnect.n_fatal_close = 2;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct session_end end = { .close_code = rows[i].close_code };
		struct backoff b = { 0 };
		int64_t delay;

		end.err.status = rows[i].status;
		assert_int_equal(backoff_over(&b, &conf, &end), rows[i].over);
		assert_int_equal(backoff_ended(&b, &conf, &end, &low, &delay),
				 rows[i].over == BACKOFF_GOES_ON ? BACKOFF_RETRY : BACKOFF_STOP);
	}
}

/* The one that is named is the first that says so. */
static void test_why_it_is_over(void **state)
{
	static const struct {
		enum conf_when when;
		bool failed;
		int64_t attempts;
		enum backoff_over over;
	} rows[] = {
		{ WHEN_NEVER, false, 1, BACKOFF_NEVER },
		{ WHEN_ABNORMAL, false, 1, BACKOFF_CLEAN },
		{ WHEN_ABNORMAL, true, 3, BACKOFF_ATTEMPTS },
		{ WHEN_ABNORMAL, true, 4, BACKOFF_GOES_ON },
		{ WHEN_ALWAYS, false, 3, BACKOFF_ATTEMPTS },
		{ WHEN_ALWAYS, false, 0, BACKOFF_GOES_ON },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bridge_conf conf = conf_of();
		struct session_end end = { .clean = true, .close_code = 1000 };
		struct backoff b = { .failures = 3 };

		common.reconnect.when = rows[i].when;
		common.reconnect.attempts = rows[i].attempts;
		end.err.code = rows[i].failed ? ERR_TIMEOUT : ERR_NONE;
		assert_int_equal(backoff_over(&b, &conf, &end), rows[i].over);
	}
}

/* What the server asks for is the least; it cannot make us wait for ever, or not at all. */
static void test_what_the_server_asks_for(void **state)
{
	static const struct {
		int close_code, failures;
		int64_t retry_after, least, most;
	} rows[] = {
		{ 1012, 1, 0, 5 * S, 6250000 },
		{ 1013, 1, 0, 5 * S, 6250000 },
		{ 1012, 10, 0, 15 * S, 30 * S },
		{ 1011, 1, 0, S / 4, S / 2 },
		{ 1006, 1, 1, S, 1250000 },
		{ 1006, 1, 120 * S, 120 * S, 150 * S },
		{ 1006, 1, 300 * S, 300 * S, 300 * S },
		{ 1006, 1, INT64_MAX, 300 * S, 300 * S },
		{ 1006, 10, 2 * S, 15 * S, 30 * S },
	};
	struct bridge_conf conf = conf_of();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct session_end end = { .close_code = rows[i].close_code,
					   .retry_after = rows[i].retry_after };

		assert_in_range(bound_after(&conf, &end, rows[i].failures, &low), rows[i].least,
				rows[i].most);
		assert_in_range(bound_after(&conf, &end, rows[i].failures, &high), rows[i].least,
				rows[i].most);
	}
}

static void test_flapping(void **state)
{
	struct bridge_conf conf = conf_of();
	struct session_end shortly = { .was_open = true, .open_for = S };
	struct session_end never = { 0 };
	struct session_end proven = { .was_open = true, .open_for = 30 * S };
	struct backoff b = { 0 };
	int64_t delay;

	(void)state;
	for (int i = 1; i <= 5; i++) {
		backoff_ended(&b, &conf, &shortly, &low, &delay);
		backoff_ended(&b, &conf, &never, &low, &delay);
		assert_int_equal(backoff_is_flapping(&b), i >= BACKOFF_FLAPPING);
	}
	backoff_ended(&b, &conf, &proven, &low, &delay);
	assert_false(backoff_is_flapping(&b));
}

/*
 * Equal jitter with the defaults: 25 to 46 attempts in ten minutes against a server that
 * refuses.
 */
static void test_attempts_in_ten_minutes(void **state)
{
	struct bridge_conf conf = conf_of();
	struct session_end refused = { 0 };

	(void)state;
	refused.err.code = ERR_CONNECT;
	for (int run = 0; run < 1000; run++) {
		struct backoff b = { 0 };
		int64_t now = 0, delay;
		int attempts = 0;

		while (now <= 600 * S) {
			attempts++;
			backoff_ended(&b, &conf, &refused, rand_system(), &delay);
			now += delay;
		}
		assert_in_range(attempts, 25, 46);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equal_jitter_is_within_half_and_whole),
		cmocka_unit_test(test_other_jitters),
		cmocka_unit_test(test_no_growth_with_factor_one),
		cmocka_unit_test(test_only_a_proven_connection_forgives),
		cmocka_unit_test(test_the_slow_way),
		cmocka_unit_test(test_giving_up),
		cmocka_unit_test(test_fatal_ends),
		cmocka_unit_test(test_why_it_is_over),
		cmocka_unit_test(test_an_answer_to_our_close_is_not_fatal),
		cmocka_unit_test(test_what_the_server_asks_for),
		cmocka_unit_test(test_flapping),
		cmocka_unit_test(test_attempts_in_ten_minutes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
