/* SPDX-License-Identifier: Apache-2.0 */
/* Time that was lost, by a gap that the test makes; the kernel's own one stays as it is. */
#include "net_peer.h"

#include <sys/timerfd.h>

#include "net/suspend.h"

static int64_t gap;
static size_t n_looks;

static int64_t test_gap(void)
{
	n_looks++;
	return gap;
}

struct sleeper {
	unsigned calls;
	int64_t slept;
};

static void on_slept(void *arg, int64_t slept)
{
	struct sleeper *s = arg;

	s->calls++;
	s->slept = slept;
}

static void a_gap_that_has_grown_was_a_suspension(void **state)
{
	static const struct {
		int64_t gap;
		int64_t slept; /* 0 = nothing is told */
	} steps[] = {
		{ 7000000, 0 },			  /* it was so at the beginning */
		{ 7000000 + SUSPEND_MIN - 1, 0 }, /* too short */
		{ 7000000 + SUSPEND_MIN, 0 },	  /* nor do short ones add up */
		{ 7000000 + 2 * SUSPEND_MIN, SUSPEND_MIN },
		{ 7000000 + 2 * SUSPEND_MIN, 0 }, /* told once */
		{ 100 * SUSPEND_MIN, 98 * SUSPEND_MIN - 7000000 },
		{ 0, 0 }, /* cannot be; no harm */
	};
	struct loop *l = loop_new();
	struct sleeper told = { 0 };
	struct suspend *s;

	(void)state;
	gap = 7000000;
	s = suspend_new(l, test_gap, on_slept, &told);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		told = (struct sleeper){ 0 };
		gap = steps[i].gap;
		suspend_look(s);
		assert_int_equal(told.calls, steps[i].slept ? 1 : 0);
		assert_int_equal(told.slept, steps[i].slept);
	}
	suspend_free(s);
	loop_free(l);
}

/* The one timerfd of this process. */
static int find_timer(void)
{
	int found = -1;

	for (int fd = 3; fd < 64; fd++) {
		char path[64], target[64] = "";

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		if (readlink(path, target, sizeof(target) - 1) > 0 && strstr(target, "[timerfd]")) {
			assert_int_equal(found, -1);
			found = fd;
		}
	}
	return found;
}

static bool is_told(void *arg)
{
	return ((struct sleeper *)arg)->calls > 0;
}

static bool has_looked(void *arg)
{
	return n_looks > *(size_t *)arg;
}

/* What a step of the clock does to the timer, the test does by hand: it becomes readable. */
static void the_timer_makes_it_look(void **state)
{
	const struct itimerspec now = { .it_value = { .tv_nsec = 1 } };
	struct loop *l = loop_new();
	struct sleeper told = { 0 };
	struct suspend *s;
	size_t looks;
	int fd;

	(void)state;
	gap = 0;
	s = suspend_new(l, test_gap, on_slept, &told);
	fd = find_timer();
	assert_true(fd >= 0);
	for (int round = 1; round <= 3; round++) {
		looks = n_looks;
		assert_int_equal(timerfd_settime(fd, 0, &now, NULL), 0);
		assert_true(turn_until(l, has_looked, &looks, PATIENCE));
		assert_int_equal(told.calls, 0); /* the clock was set, and that is all */
		looks = n_looks;
		assert_false(turn_until(l, has_looked, &looks, 5000)); /* and it does not spin */
		gap += 60000000;
		assert_int_equal(timerfd_settime(fd, 0, &now, NULL), 0);
		assert_true(turn_until(l, is_told, &told, PATIENCE));
		assert_int_equal(told.calls, 1);
		assert_int_equal(told.slept, 60000000);
		told.calls = 0;
	}
	suspend_free(s);
	assert_int_equal(find_timer(), -1);
	loop_free(l);
}

static void awake_all_the_time(void **state)
{
	struct loop *l = loop_new();
	struct sleeper told = { 0 };
	struct suspend *s = suspend_new(l, NULL, on_slept, &told);

	(void)state;
	for (int i = 0; i < 1000; i++)
		suspend_look(s);
	assert_false(turn_until(l, is_told, &told, 5000));
	suspend_free(s);
	suspend_free(NULL);
	loop_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_gap_that_has_grown_was_a_suspension),
		cmocka_unit_test(the_timer_makes_it_look),
		cmocka_unit_test(awake_all_the_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
