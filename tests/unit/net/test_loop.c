/* SPDX-License-Identifier: Apache-2.0 */
/* Timers that are never early, end-of-turn calls in order, watches, signals. */
#include "net_test.h"

#include <fcntl.h>
#include <signal.h>

static int count;

static void bump(void *arg)
{
	(void)arg;
	count++;
}

static void must_not_run(void *arg)
{
	(void)arg;
	fail_msg("called after it was cancelled");
}

static bool count_is(void *arg)
{
	return count >= *(int *)arg;
}

static void test_timer_is_never_early(void **state)
{
	struct loop *l = loop_new();
	int one = 1;

	(void)state;
	for (int64_t delay = 0; delay < 30000; delay += 1700) {
		struct timer t;
		int64_t began = loop_now(l);

		count = 0;
		timer_init(&t, l, bump, NULL);
		timer_arm(&t, delay);
		assert_true(timer_is_armed(&t));
		assert_true(turn_until(l, count_is, &one, PATIENCE));
		assert_true(loop_now(l) - began >= delay);
		assert_false(timer_is_armed(&t));
		timer_deinit(&t);
		timer_deinit(&t);
	}
	loop_free(l);
}

static void test_disarmed_timer_does_not_fire(void **state)
{
	struct loop *l = loop_new();
	struct timer t, later;
	int one = 1;

	(void)state;
	count = 0;
	timer_init(&t, l, must_not_run, NULL);
	timer_init(&later, l, bump, NULL);
	timer_arm(&t, 1000);
	timer_arm(&later, 20000);
	timer_disarm(&t);
	assert_true(turn_until(l, count_is, &one, PATIENCE));
	timer_deinit(&t);
	timer_deinit(&later);
	loop_free(l);
}

struct again {
	struct timer timer;
	struct deferred end_of_turn;
	bool in_turn;
	int left;
};

static void on_end_of_turn(void *arg)
{
	((struct again *)arg)->in_turn = false;
}

static void fire_again(void *arg)
{
	struct again *a = arg;

	assert_false(a->in_turn);
	a->in_turn = true;
	loop_defer(a->timer.loop, &a->end_of_turn);
	if (a->left-- > 0)
		timer_arm(&a->timer, 0);
	else
		count = 1;
}

/* However fast it is: often it is the same microsecond. */
static void test_armed_from_its_own_call_it_waits_for_the_next_turn(void **state)
{
	struct loop *l = loop_new();
	struct again a = { .left = 2000 };
	int one = 1;

	(void)state;
	count = 0;
	timer_init(&a.timer, l, fire_again, &a);
	deferred_init(&a.end_of_turn, on_end_of_turn, &a);
	timer_arm(&a.timer, 0);
	assert_true(turn_until(l, count_is, &one, PATIENCE));
	timer_deinit(&a.timer);
	deferred_cancel(&a.end_of_turn);
	loop_free(l);
}

#define CROWD 400

struct one_of_many {
	struct timer timer;
	int64_t due;
	bool off, fired;
};

static int64_t last_due;
static int n_fired;

static void fire_in_order(void *arg)
{
	struct one_of_many *o = arg;

	assert_false(o->off || o->fired);
	assert_true(loop_now(o->timer.loop) >= o->due);
	assert_true(o->due >= last_due);
	last_due = o->due;
	o->fired = true;
	n_fired++;
}

static bool count_reaches(void *arg)
{
	return n_fired >= *(int *)arg;
}

/* Armed, armed anew, disarmed and freed in any order, they fire once each, by their time. */
static void test_many_timers_in_their_order(void **state)
{
	static struct one_of_many crowd[CROWD];
	struct loop *l = loop_new();
	uint32_t seed = 7;
	int all = 0;

	(void)state;
	last_due = n_fired = 0;
	for (size_t i = 0; i < CROWD; i++)
		timer_init(&crowd[i].timer, l, fire_in_order, &crowd[i]);
	for (size_t step = 0; step < 5 * CROWD; step++) {
		struct one_of_many *o = &crowd[(seed = seed * 1664525 + 1013904223) % CROWD];

		o->off = seed % 5 == 0;
		if (o->off) {
			timer_disarm(&o->timer);
			continue;
		}
		timer_arm(&o->timer, 20000 + (int64_t)(seed >> 8) % 20000);
		o->due = o->timer.due;
	}
	for (size_t i = 0; i < CROWD; i++)
		all += timer_is_armed(&crowd[i].timer);
	assert_true(all > CROWD / 2);
	assert_true(turn_until(l, count_reaches, &all, PATIENCE));
	for (size_t i = 0; i < CROWD; i++) {
		assert_false(timer_is_armed(&crowd[i].timer));
		timer_deinit(&crowd[i].timer);
	}
	assert_int_equal(n_fired, all);
	loop_free(l);
}

struct chain {
	struct loop *loop;
	struct deferred first, second, third;
	char order[8];
	size_t n;
};

static void run_first(void *arg)
{
	struct chain *c = arg;

	c->order[c->n++] = '1';
	loop_defer(c->loop, &c->third); /* asked for within: still before the loop waits */
}

static void run_second(void *arg)
{
	struct chain *c = arg;

	c->order[c->n++] = '2';
}

static void run_third(void *arg)
{
	struct chain *c = arg;

	c->order[c->n++] = '3';
	loop_stop(c->loop);
}

static void test_deferred_in_order_and_once(void **state)
{
	struct chain c = { .loop = loop_new() };
	struct deferred cancelled;

	(void)state;
	deferred_init(&c.first, run_first, &c);
	deferred_init(&c.second, run_second, &c);
	deferred_init(&c.third, run_third, &c);
	deferred_init(&cancelled, must_not_run, NULL);
	loop_defer(c.loop, &c.first);
	loop_defer(c.loop, &cancelled);
	loop_defer(c.loop, &c.second);
	loop_defer(c.loop, &c.first);
	deferred_cancel(&cancelled);
	deferred_cancel(&cancelled);
	loop_run(c.loop);
	loop_drain(c.loop);
	assert_string_equal(c.order, "123");
	loop_free(c.loop);
}

static void on_signal(void *arg)
{
	loop_stop(arg);
	count++;
}

static void test_signal_is_an_event(void **state)
{
	struct loop *l = loop_new();

	(void)state;
	count = 0;
	loop_on_signal(l, SIGHUP, on_signal, l);
	raise(SIGHUP);
	loop_run(l);
	assert_int_equal(count, 1);
	loop_free(l);
}

static unsigned seen;

static void on_ready(void *arg, unsigned events)
{
	seen |= events;
	watch_set(arg, 0);
}

static bool saw(void *arg)
{
	return seen == *(unsigned *)arg;
}

static void test_watch_reports_what_is_wanted(void **state)
{
	struct loop *l = loop_new();
	struct watch w;
	unsigned want = WATCH_READ;
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	watch_init(&w, l, fds[0], on_ready, &w);
	watch_set(&w, WATCH_READ);
	assert_int_equal(write(fds[1], "x", 1), 1);
	seen = 0;
	assert_true(turn_until(l, saw, &want, PATIENCE));
	watch_deinit(&w);
	watch_deinit(&w);
	close(fds[0]);
	close(fds[1]);
	loop_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_timer_is_never_early),
		cmocka_unit_test(test_disarmed_timer_does_not_fire),
		cmocka_unit_test(test_armed_from_its_own_call_it_waits_for_the_next_turn),
		cmocka_unit_test(test_many_timers_in_their_order),
		cmocka_unit_test(test_deferred_in_order_and_once),
		cmocka_unit_test(test_signal_is_an_event),
		cmocka_unit_test(test_watch_reports_what_is_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
