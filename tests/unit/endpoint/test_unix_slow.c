/* SPDX-License-Identifier: Apache-2.0 */
/* overflow "block", who is slow, and clients that are closed by us. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "rig.h"

static struct rig rig;
static char text[1001];

static int setup(void **state)
{
	(void)state;
	rig_init(&rig);
	memset(text, 'x', 1000);
	rig.rules.queue = 20000;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_close(&rig);
	return 0;
}

/* So little at a time that who reads is never behind. */
static void send_few(void)
{
	for (int i = 0; i < 10; i++)
		rig_send(&rig, text);
	rig_some_turns(&rig, 2);
}

/* Until somebody is full; returns how many messages that took. */
static size_t fill(void)
{
	size_t n = 0;

	for (; n < 10000 && !endpoint_is_full(rig.e); n += 10)
		send_few();
	assert_true(n < 10000);
	return n;
}

static bool is_roomy(struct rig *r)
{
	return r->n_room >= r->want;
}

static void wait_room(unsigned n)
{
	rig.want = n;
	rig_wait(&rig, is_roomy);
}

static void expect_slow(size_t i, bool slow)
{
	assert_int_equal(rig_client(&rig, i).slow, slow);
	assert_int_equal(endpoint_client_is_full(rig.e, rig_client(&rig, i).id),
			 slow && rig.rules.overflow == OVERFLOW_BLOCK);
}

static void block_waits_for_the_slow_one(void **state)
{
	client_id slow;
	size_t n;

	(void)state;
	rig.rules.overflow = OVERFLOW_BLOCK;
	rig_open(&rig);
	rig_connect_all(&rig, 2)->stalled = true;
	slow = rig_client(&rig, 0).id;
	assert_false(endpoint_is_full(rig.e));
	n = fill();
	expect_slow(0, true);
	for (int i = 0; i < 10; i++) /* more is not lost */
		send_few();
	rig.want = (n + 100) * 1001;
	rig_wait(&rig, rig_all_got); /* the other one */
	expect_slow(1, false);
	rig_turns(&rig);
	assert_int_equal(rig.n_room, 0);
	rig.peers[0].stalled = false;
	wait_room(1);
	assert_int_equal(rig.last_client, slow);
	assert_false(endpoint_is_full(rig.e));
	expect_slow(0, false);
	rig.want = (n + 100) * 1001;
	rig_wait(&rig, rig_all_got);
	assert_int_equal(rig.n_dropped, 0);
}

/* It is over below half, not at the first byte. */
static void room_is_half_a_queue(void **state)
{
	size_t left;

	(void)state;
	rig.rules.overflow = OVERFLOW_BLOCK;
	rig.rules.queue = 1000000;
	rig_open(&rig);
	rig_connect_all(&rig, 1)->stalled = true;
	fill();
	rig.peers[0].stalled = false;
	rig.peers[0].most = 20000;
	while (rig.n_room == 0) {
		left = rig_client(&rig, 0).queued;
		rig_some_turns(&rig, 1);
		assert_true(rig.n_room == 0 || left < 800000);
	}
	assert_true(rig_client(&rig, 0).queued <= 500000);
}

static void who_goes_makes_room(void **state)
{
	(void)state;
	rig.rules.overflow = OVERFLOW_BLOCK;
	rig_open(&rig);
	rig_connect_all(&rig, 2)->stalled = true;
	fill();
	peer_close(&rig.peers[0]);
	wait_room(1);
	rig_turns(&rig);
	assert_int_equal(rig.n_left, 1);
	assert_false(endpoint_is_full(rig.e));
}

static void block_has_an_end(void **state)
{
	struct endpoint_totals totals;
	size_t n;

	(void)state;
	rig.rules.overflow = OVERFLOW_BLOCK;
	rig.rules.block_timeout = 50000;
	rig_open(&rig);
	rig_connect_all(&rig, 2)->stalled = true;
	n = fill();
	wait_room(1);
	assert_int_equal(rig.n_dropped, 1);
	assert_string_equal(rig.last_error.text,
			    "has not read enough for block_timeout (0.05 s): disconnected");
	rig_turns(&rig);
	assert_int_equal(endpoint_n_clients(rig.e), 1);
	assert_int_equal(rig.quota.queued, 0);
	rig.peers[0].stalled = false;
	rig_turns(&rig);
	assert_true(rig.peers[0].eof);
	endpoint_totals(rig.e, &totals);
	assert_int_equal(rig.peers[0].n / 1001 + totals.dropped, n);
	rig_send(&rig, text);
	rig.want = (n + 1) * 1001;
	rig_wait(&rig, rig_all_got); /* the other one goes on */
}

/* It has read enough in time, and is slow again: the time begins anew. */
static void reading_in_time_is_enough(void **state)
{
	(void)state;
	rig.rules.overflow = OVERFLOW_BLOCK;
	rig.rules.block_timeout = 300000;
	rig_open(&rig);
	rig_connect_all(&rig, 1);
	for (unsigned i = 1; i <= 4; i++) {
		int64_t start = loop_now(rig.loop);

		rig.peers[0].stalled = true;
		fill();
		while (loop_now(rig.loop) - start < 100000)
			rig_some_turns(&rig, 1);
		rig.peers[0].stalled = false;
		wait_room(i);
		rig_wait(&rig, rig_is_drained);
	}
	for (int64_t start = loop_now(rig.loop); loop_now(rig.loop) - start < 400000;)
		rig_some_turns(&rig, 1);
	assert_int_equal(endpoint_n_clients(rig.e), 1);
	assert_int_equal(rig.n_dropped, 0);
}

/* Nothing but the total of the process is used up. */
static void too_much_in_all_is_full(void **state)
{
	(void)state;
	rig.rules.overflow = OVERFLOW_BLOCK;
	rig.rules.queue = 10 << 20;
	rig.quota.max_queued = 100000;
	rig_open(&rig);
	rig_connect_all(&rig, 2)->stalled = true;
	fill();
	assert_true(rig.quota.queued > 100000 && rig.quota.queued < 200000);
	expect_slow(0, true);
	expect_slow(1, false);
	rig.peers[0].stalled = false;
	wait_room(1);
	assert_int_equal(rig.n_dropped, 0);
}

static void dropping_makes_slow_until_drained(void **state)
{
	(void)state;
	rig_open(&rig);
	rig_connect_all(&rig, 2)->stalled = true;
	assert_false(endpoint_is_full(rig.e));
	for (int i = 0; i < 100; i++)
		send_few();
	assert_int_equal(rig.n_dropped, 1);
	assert_int_equal(rig.n_room, 0);
	expect_slow(0, true);
	expect_slow(1, false);
	assert_false(endpoint_is_full(rig.e));
	rig.peers[0].stalled = false;
	wait_room(1);
	expect_slow(0, false);
	assert_int_equal(rig.last_client, rig_client(&rig, 0).id);
}

static void a_closed_one_gets_what_waits(void **state)
{
	int64_t start;
	client_id id;

	(void)state;
	rig.rules.queue = 10 << 20;
	rig_open(&rig);
	rig_connect_all(&rig, 2)->stalled = true;
	id = rig_client(&rig, 0).id;
	for (int i = 0; i < 1000; i++)
		rig_send(&rig, text);
	endpoint_close_client(rig.e, id);
	rig_turns(&rig);
	assert_true(endpoint_has_client(rig.e, id));
	assert_int_equal(rig_send_to(&rig, id, "too late"), ENDPOINT_NOBODY);
	rig_send(&rig, text);
	peer_write(&rig.peers[0], "nobody listens\n");
	rig.peers[0].stalled = false;
	start = loop_now(rig.loop);
	rig.want = 1;
	rig_wait(&rig, rig_has_clients);
	assert_true(loop_now(rig.loop) - start < 3000000); /* not at the end of its time */
	rig_turns(&rig);
	assert_true(rig.peers[0].eof && !rig.peers[0].reset);
	assert_int_equal(rig.peers[0].n, 1000 * 1001);
	assert_int_equal(rig.peers[1].n, 1001 * 1001);
	assert_int_equal(rig.n_messages + rig.n_bad, 0);
	assert_int_equal(rig.n_left, 1);
	assert_false(endpoint_has_client(rig.e, id));
	endpoint_close_client(rig.e, id);
}

static void one_for_whom_nothing_waits_goes_at_once(void **state)
{
	(void)state;
	rig_open(&rig);
	rig_connect_all(&rig, 3);
	rig_send(&rig, "last");
	peer_write(&rig.peers[1], "nobody reads it\n");
	endpoint_close_client(rig.e, rig_client(&rig, 1).id);
	rig.close_at = 1;
	peer_write(&rig.peers[2], "one\ntwo\n"); /* closed in its first message */
	rig.want = 1;
	rig_wait(&rig, rig_has_clients);
	rig_turns(&rig);
	assert_false(rig.peers[1].reset);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(rig.peers[i].n, 5);
		assert_int_equal(rig.peers[i].eof, i > 0);
	}
	assert_string_equal(rig.messages, "one|");
}

/* It may take its time, but not for ever. */
static void a_closed_one_that_does_not_read_is_cut(void **state)
{
	struct endpoint_totals totals;
	int64_t start;

	(void)state;
	rig.rules.queue = 10 << 20;
	rig_open(&rig);
	rig_connect_all(&rig, 1)->stalled = true;
	for (int i = 0; i < 1000; i++)
		rig_send(&rig, text);
	start = loop_now(rig.loop);
	endpoint_close_client(rig.e, rig_client(&rig, 0).id);
	endpoint_pause(rig.e);
	rig.want = 0;
	rig_wait(&rig, rig_has_clients);
	assert_true(loop_now(rig.loop) - start > 4900000);
	rig.peers[0].stalled = false;
	rig_turns(&rig);
	assert_true(rig.peers[0].eof);
	endpoint_totals(rig.e, &totals);
	assert_int_equal(rig.peers[0].n / 1001 + totals.dropped, 1000);
	assert_int_equal(rig.n_dropped, 0);
}

static void a_closed_one_that_was_held_goes(void **state)
{
	(void)state;
	rig_open(&rig);
	rig_connect_all(&rig, 2);
	rig.pause_at = 1;
	peer_write(&rig.peers[0], "1\n2\n3\n");
	rig.want = 1;
	rig_wait(&rig, rig_has_messages);
	peer_write(&rig.peers[0], "4\n5\n"); /* unread, which would make the end a reset */
	rig.peers[0].stalled = true;
	for (int i = 0; i < 1000; i++)
		rig_send(&rig, text);
	endpoint_close_client(rig.e, rig_client(&rig, 0).id);
	endpoint_close_client(rig.e, rig_client(&rig, 1).id);
	rig_turns(&rig);
	rig.peers[0].stalled = false;
	rig.want = 0;
	rig_wait(&rig, rig_has_clients);
	endpoint_resume(rig.e);
	rig_turns(&rig);
	assert_true(rig.peers[0].eof && !rig.peers[0].reset);
	assert_string_equal(rig.messages, "1|");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(block_waits_for_the_slow_one),
		TEST(room_is_half_a_queue),
		TEST(who_goes_makes_room),
		TEST(block_has_an_end),
		TEST(reading_in_time_is_enough),
		TEST(too_much_in_all_is_full),
		TEST(dropping_makes_slow_until_drained),
		TEST(a_closed_one_gets_what_waits),
		TEST(one_for_whom_nothing_waits_goes_at_once),
		TEST(a_closed_one_that_does_not_read_is_cut),
		TEST(a_closed_one_that_was_held_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
