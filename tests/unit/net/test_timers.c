/* SPDX-License-Identifier: Apache-2.0 */
/* The heap of timers against a plain list, and what callbacks do to one another's timers. */
#include "net/timers.h"

#include "net_test.h"

#define N 300
#define STEPS 40000

static unsigned seed = 7;

static unsigned draw(unsigned below)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 8) % below;
}

/* None is earlier than those below it, and each knows where it is. */
static void check(const struct timers *ts, const struct timer *all)
{
	const struct timer *first = timers_first(ts);
	size_t armed = 0;

	for (size_t i = 1; i <= ts->n; i++) {
		assert_int_equal(ts->heap[i]->slot, i);
		assert_true(i == 1 || ts->heap[i / 2]->due <= ts->heap[i]->due);
	}
	for (size_t i = 0; i < N; i++) {
		armed += all[i].slot > 0;
		assert_true(all[i].slot == 0 || first->due <= all[i].due);
	}
	assert_int_equal(armed, ts->n);
	assert_true(first || armed == 0);
}

static void test_the_heap_against_a_list(void **state)
{
	static struct timer all[N];
	struct timers ts = { 0 };

	(void)state;
	for (int i = 0; i < STEPS; i++) {
		struct timer *t = &all[draw(N)];
		unsigned range = i < STEPS / 2 ? 1000000 : 4; /* later many are due at once */

		if (draw(i / 8000 % 2 ? 4 : 2) == 0) {
			timers_remove(&ts, t);
			assert_int_equal(t->slot, 0);
			t->due = -1;
		} else {
			t->due = draw(range);
			timers_put(&ts, t);
		}
		if (i % 16 == 0)
			check(&ts, all);
	}
	for (int64_t last = 0; timers_first(&ts);) {
		struct timer *t = timers_first(&ts);

		assert_true(t->due >= last);
		last = t->due;
		timers_remove(&ts, t);
		check(&ts, all);
	}
	timers_deinit(&ts);
	timers_deinit(&ts);
}

/* Many that are due in one turn; each does something to others when it fires. */
struct crowd {
	struct loop *loop;
	struct timer timers[N];
	unsigned fired[N];
	bool may[N]; /* fire: it is armed */
	int64_t due[N];
	unsigned all, want;
};

static struct crowd crowd;

static void arm(size_t i, int64_t delay)
{
	timer_arm(&crowd.timers[i], delay);
	crowd.due[i] = crowd.timers[i].due;
	crowd.may[i] = true;
}

static void on_fire(void *arg)
{
	struct timer *t = arg;
	size_t i = (size_t)(t - crowd.timers), other = draw(N);

	assert_true(crowd.may[i]);
	assert_false(timer_is_armed(t));
	assert_true(loop_now(crowd.loop) >= crowd.due[i]);
	crowd.may[i] = false;
	crowd.fired[i]++;
	crowd.all++;
	switch (draw(4)) {
	case 0:
		timer_disarm(&crowd.timers[other]);
		crowd.may[other] = false;
		break;
	case 1:
		arm(other, draw(3000));
		break;
	case 2:
		arm(i, draw(3) * 1000);
		break;
	case 3:
		timer_deinit(&crowd.timers[other]);
		timer_init(&crowd.timers[other], crowd.loop, on_fire, &crowd.timers[other]);
		crowd.may[other] = false;
		break;
	}
	if (draw(3) == 0)
		arm(draw(N), 0);
}

static void arm_all(void)
{
	for (size_t i = 0; i < N; i++)
		arm(i, draw(2000));
}

/* They put one another out, and a few that are left would take a millisecond for each call. */
static bool enough(void *arg)
{
	size_t armed = 0;

	(void)arg;
	for (size_t i = 0; i < N; i++)
		armed += timer_is_armed(&crowd.timers[i]);
	if (armed < N / 10)
		arm_all();
	return crowd.all >= crowd.want;
}

static void test_callbacks_may_do_anything_to_timers(void **state)
{
	(void)state;
	crowd = (struct crowd){ .loop = loop_new(), .want = 5000 };
	for (size_t i = 0; i < N; i++)
		timer_init(&crowd.timers[i], crowd.loop, on_fire, &crowd.timers[i]);
	arm_all();
	assert_true(turn_until(crowd.loop, enough, NULL, PATIENCE));
	for (size_t i = 0; i < N; i++)
		timer_deinit(&crowd.timers[i]);
	loop_free(crowd.loop);
}

/* One that is set anew for each of its calls leaves a turn to the others. */
static void again(void *arg)
{
	struct timer *t = arg;

	crowd.all++;
	timer_arm(t, 0);
}

static bool has_run(void *arg)
{
	return *(bool *)arg;
}

static void set(void *arg)
{
	*(bool *)arg = true;
}

static void test_one_that_is_always_due_starves_nobody(void **state)
{
	struct timer busy, later;
	bool ran = false;

	(void)state;
	crowd = (struct crowd){ .loop = loop_new() };
	timer_init(&busy, crowd.loop, again, &busy);
	timer_init(&later, crowd.loop, set, &ran);
	timer_arm(&busy, 0);
	timer_arm(&later, 20000);
	assert_true(turn_until(crowd.loop, has_run, &ran, PATIENCE));
	assert_true(crowd.all > 1);
	timer_deinit(&busy);
	timer_deinit(&later);
	loop_free(crowd.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_heap_against_a_list),
		cmocka_unit_test(test_callbacks_may_do_anything_to_timers),
		cmocka_unit_test(test_one_that_is_always_due_starves_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
