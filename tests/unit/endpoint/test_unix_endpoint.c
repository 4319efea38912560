/* SPDX-License-Identifier: Apache-2.0 */
/* From messages to clients: fan-out, slow clients, limits; what was charged is given back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "endpoint/chunk.h"
#include "rig.h"

static struct rig rig;

static int setup(void **state)
{
	(void)state;
	rig_init(&rig);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_close(&rig);
	return 0;
}

#define NUMBERED_SIZE 100 /* bytes of a numbered line */

static void send_numbered(unsigned from, unsigned to)
{
	char text[NUMBERED_SIZE];

	for (unsigned i = from; i < to; i++) {
		snprintf(text, sizeof(text), "%099u", i);
		assert_int_equal(rig_send(&rig, text), ENDPOINT_SENT);
	}
}

/* Whole numbered lines in rising order; returns how many. */
static unsigned check_numbered(const struct peer *p)
{
	long last = -1;

	assert_int_equal(p->n % NUMBERED_SIZE, 0);
	for (size_t at = 0; at < p->n; at += NUMBERED_SIZE) {
		char *end, line[NUMBERED_SIZE + 1];
		long number;

		memcpy(line, p->got + at, NUMBERED_SIZE);
		line[NUMBERED_SIZE] = '\0';
		number = strtol(line, &end, 10);
		assert_int_equal(end - line, NUMBERED_SIZE - 1);
		assert_int_equal(*end, '\n');
		assert_true(number > last);
		last = number;
	}
	return (unsigned)(p->n / NUMBERED_SIZE);
}

static void nobody_is_there(void **state)
{
	struct endpoint_totals totals;

	(void)state;
	rig.rules.newlines = NEWLINES_REJECT;
	rig_open(&rig);
	assert_int_equal(rig_send(&rig, "lost"), ENDPOINT_NOBODY);
	assert_int_equal(rig_send(&rig, "lost\n"), ENDPOINT_NOBODY);
	endpoint_totals(rig.e, &totals);
	assert_int_equal(totals.unfit, 0);
	assert_int_equal(endpoint_pending(rig.e), 0);
}

static void thirty_two_get_the_same(void **state)
{
	struct endpoint_client c;

	(void)state;
	rig_open(&rig);
	rig_connect_all(&rig, 32);
	assert_int_equal(rig.n_came, 32);
	assert_int_equal(rig.quota.clients, 32);
	send_numbered(0, 5000);
	rig.want = 5000 * NUMBERED_SIZE;
	rig_wait(&rig, rig_all_got);
	for (size_t i = 0; i < 32; i++) {
		assert_int_equal(check_numbered(&rig.peers[i]), 5000);
		assert_true(endpoint_client_at(rig.e, i, &c));
		assert_int_equal(c.sent, 5000);
		assert_int_equal(c.dropped + c.queued, 0);
		assert_int_equal(c.pid, getpid());
		assert_int_equal(c.uid, getuid());
	}
	assert_false(endpoint_client_at(rig.e, 32, &c));
	assert_int_equal(rig.n_dropped, 0);
}

static void who_comes_later_gets_what_comes_later(void **state)
{
	(void)state;
	rig_open(&rig);
	rig_connect_all(&rig, 1);
	rig_connect(&rig);
	rig_send(&rig, "before");
	rig.want = 2;
	rig_wait(&rig, rig_has_clients);
	rig_send(&rig, "after");
	rig.want = 6;
	rig_wait(&rig, rig_all_got);
	rig_turns(&rig);
	assert_int_equal(rig.peers[0].n, 13);
	assert_memory_equal(rig.peers[0].got, "before\nafter\n", 13);
	assert_int_equal(rig.peers[1].n, 6);
	assert_memory_equal(rig.peers[1].got, "after\n", 6);
}

/* The second comes in the turn in which the first has been greeted. */
static void who_comes_in_the_same_turn_too(void **state)
{
	(void)state;
	rig.greeting = "hello";
	rig_open(&rig);
	rig_connect_all(&rig, 2);
	rig_turns(&rig);
	assert_int_equal(rig.peers[0].n, 12);
	assert_memory_equal(rig.peers[0].got, "hello\nhello\n", 12);
	assert_int_equal(rig.peers[1].n, 6);
	rig.greeting = NULL;
}

static void much_is_written_before_the_turn_ends(void **state)
{
	char big[20001], got[CHUNK_SIZE];

	(void)state;
	memset(big, 'x', 20000);
	big[20000] = '\0';
	rig_open(&rig);
	rig_connect_all(&rig, 1);
	send_numbered(0, CHUNK_SIZE / NUMBERED_SIZE);
	assert_int_equal(recv(rig.peers[0].fd, got, sizeof(got), MSG_DONTWAIT), -1);
	send_numbered(CHUNK_SIZE / NUMBERED_SIZE, CHUNK_SIZE / NUMBERED_SIZE + 1);
	assert_true(recv(rig.peers[0].fd, got, sizeof(got), MSG_DONTWAIT) > 0);
	for (int i = 0; i < 40; i++) {
		rig_send(&rig, big);
		rig_send(&rig, "small");
	}
	assert_true(endpoint_pending(rig.e) > 0);
	rig_wait(&rig, rig_is_drained);
	assert_int_equal(rig.n_dropped, 0);
}

static void a_flush_writes_at_once(void **state)
{
	char got[8];

	(void)state;
	rig_open(&rig);
	rig_connect_all(&rig, 1);
	rig_send(&rig, "now");
	assert_int_equal(endpoint_pending(rig.e), 4);
	endpoint_flush(rig.e);
	assert_int_equal(endpoint_pending(rig.e), 0);
	assert_int_equal(read(rig.peers[0].fd, got, sizeof(got)), 4);
	assert_memory_equal(got, "now\n", 4);
}

static void counts_what_the_framing_does(void **state)
{
	struct endpoint_totals totals;
	struct record binary;

	(void)state;
	rig.rules.binary = BINARY_DROP;
	rig_open(&rig);
	rig_connect_all(&rig, 2);
	assert_int_equal(rig_send(&rig, "a\nb"), ENDPOINT_SENT);
	binary = rig_record(&rig, "x");
	binary.msg.type = MSG_BINARY;
	assert_int_equal(endpoint_send(rig.e, &binary), ENDPOINT_UNFIT);
	endpoint_totals(rig.e, &totals);
	assert_int_equal(totals.replaced, 1);
	assert_int_equal(totals.unfit, 1);
	rig.want = 4;
	rig_wait(&rig, rig_all_got);
	assert_memory_equal(rig.peers[1].got, "a b\n", 4);
}

/* Sends until the stalled peer at 0 has lost messages; the others must get them all. */
static unsigned overrun(unsigned from)
{
	unsigned to = from;
	struct endpoint_totals before, after;

	endpoint_totals(rig.e, &before);
	do {
		send_numbered(to, to + 500);
		to += 500;
		rig.want = (size_t)to * NUMBERED_SIZE;
		rig_wait(&rig, rig_all_got);
		endpoint_totals(rig.e, &after);
	} while (after.dropped - before.dropped < 1000 && to - from < 20000);
	return to;
}

static void check_slow_client(unsigned sent)
{
	struct endpoint_client c;
	struct endpoint_totals totals;
	bool found = false;

	rig.peers[0].stalled = false;
	rig_wait(&rig, rig_is_drained);
	rig_turns(&rig);
	endpoint_totals(rig.e, &totals);
	for (size_t i = 0; endpoint_client_at(rig.e, i, &c); i++) {
		assert_int_equal(c.sent + c.dropped, sent);
		found = found || (c.dropped > 0 && c.dropped == totals.dropped);
	}
	assert_true(found);
	assert_int_equal(check_numbered(&rig.peers[0]) + totals.dropped, sent);
	assert_int_equal(rig.quota.queued, 0);
}

static void slow_client(enum conf_overflow policy)
{
	unsigned sent;

	rig.rules.overflow = policy;
	rig.rules.queue = 20000;
	rig_open(&rig);
	rig_connect_all(&rig, 3)->stalled = true;
	sent = overrun(0);
	assert_int_equal(rig.n_dropped, 1);
	assert_string_equal(rig.last_error.text, "does not read fast enough: messages are dropped");
	assert_true(endpoint_pending(rig.e) <= 20000 && endpoint_pending(rig.e) > 19900 - 100);
	check_slow_client(sent);
	rig.peers[0].stalled = true;
	sent = overrun(sent);
	assert_int_equal(rig.n_dropped, 2); /* it had drained: another run */
	check_slow_client(sent);
	for (size_t i = 1; i < 3; i++)
		assert_int_equal(check_numbered(&rig.peers[i]), sent);
}

static void a_slow_client_loses_the_oldest(void **state)
{
	(void)state;
	slow_client(OVERFLOW_DROP_OLDEST);
}

static void a_slow_client_loses_the_newest(void **state)
{
	(void)state;
	slow_client(OVERFLOW_DROP_NEWEST);
}

static void a_slow_client_is_disconnected(void **state)
{
	struct endpoint_totals totals;
	unsigned sent = 0;

	(void)state;
	rig.rules.overflow = OVERFLOW_DISCONNECT;
	rig.rules.queue = 20000;
	rig_open(&rig);
	rig_connect_all(&rig, 2)->stalled = true;
	while (endpoint_n_clients(rig.e) == 2 && sent < 50000) {
		send_numbered(sent, sent + 100);
		sent += 100;
		rig_turns(&rig);
	}
	assert_int_equal(endpoint_n_clients(rig.e), 1);
	assert_int_equal(rig.n_dropped, 1);
	assert_string_equal(rig.last_error.text, "does not read fast enough: disconnected");
	assert_int_equal(rig.quota.queued, 0);
	rig.peers[0].stalled = false;
	rig_turns(&rig);
	assert_true(rig.peers[0].eof);
	endpoint_totals(rig.e, &totals);
	/* What it got ends within a record: that one is among the lost. */
	assert_int_equal(rig.peers[0].n / NUMBERED_SIZE + totals.dropped, sent);
	assert_int_equal(check_numbered(&rig.peers[1]), sent);
}

static void a_message_above_the_queue_gets_through(void **state)
{
	const size_t size = 16 << 20;
	char *text = mem_alloc(size + 1);

	(void)state;
	memset(text, 'x', size);
	text[size] = '\0';
	rig_open(&rig);
	rig_connect_all(&rig, 2);
	rig_send(&rig, text);
	rig_turns(&rig);
	for (int i = 0; i < 10; i++)
		rig_send(&rig, "behind it");
	rig.want = size + 1 + 100;
	rig_wait(&rig, rig_all_got);
	for (size_t i = 0; i < 2; i++) {
		assert_memory_equal(rig.peers[i].got, text, size);
		assert_memory_equal(rig.peers[i].got + size, "\nbehind it\n", 11);
	}
	assert_int_equal(rig.n_dropped, 0);
	free(text);
}

static void memory_runs_out_for_a_big_message(void **state)
{
	struct endpoint_totals totals;
	struct endpoint_client c;
	char text[20000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	rig_open(&rig);
	rig_connect_all(&rig, 3);
	mem_fail_try_after(1);
	assert_int_equal(rig_send(&rig, text), ENDPOINT_SENT);
	rig_send(&rig, "small");
	rig.want = 6;
	rig_wait(&rig, rig_all_got);
	endpoint_totals(rig.e, &totals);
	assert_int_equal(totals.dropped, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_true(endpoint_client_at(rig.e, i, &c));
		assert_int_equal(c.dropped, 1);
		assert_int_equal(c.sent, 1);
	}
	assert_int_equal(rig.n_dropped, 3);
}

static void all_queues_together_have_a_limit(void **state)
{
	struct endpoint_totals totals;

	(void)state;
	rig.quota.max_queued = 50000;
	rig_open(&rig);
	rig_connect_all(&rig, 4);
	for (size_t i = 0; i < 3; i++)
		rig.peers[i].stalled = true;
	for (unsigned sent = 0; sent < 10000; sent += 500) {
		send_numbered(sent, sent + 500);
		rig.want = (size_t)(sent + 500) * NUMBERED_SIZE;
		rig_wait(&rig, rig_all_got);
	}
	assert_true(rig.most_queued > 49000);
	assert_true(rig.most_queued <= 50000 + 3 * NUMBERED_SIZE);
	for (size_t i = 0; i < 3; i++)
		rig.peers[i].stalled = false;
	rig_wait(&rig, rig_is_drained);
	rig_turns(&rig);
	endpoint_totals(rig.e, &totals);
	for (size_t i = 0; i < 3; i++)
		totals.dropped += check_numbered(&rig.peers[i]);
	assert_int_equal(totals.dropped, 3 * 10000);
	assert_int_equal(rig.quota.queued, 0);
}

/* In a stream of bytes nothing is a message, too. */
static void an_empty_raw_message_is_sent(void **state)
{
	(void)state;
	rig.rules.framing = FRAMING_RAW;
	rig_open(&rig);
	assert_int_equal(rig_send(&rig, ""), ENDPOINT_NOBODY);
	rig_connect_all(&rig, 2);
	assert_int_equal(rig_send(&rig, "a"), ENDPOINT_SENT);
	assert_int_equal(rig_send(&rig, ""), ENDPOINT_SENT);
	assert_int_equal(rig_send(&rig, "b"), ENDPOINT_SENT);
	assert_int_equal(rig_send_to(&rig, rig_client(&rig, 1).id, ""), ENDPOINT_SENT);
	rig.want = 2;
	rig_wait(&rig, rig_all_got);
	assert_memory_equal(rig.peers[0].got, "ab", 2);
	assert_int_equal(rig_client(&rig, 0).sent, 3);
	assert_int_equal(rig_client(&rig, 1).sent, 4);
}

static void a_free_gives_everything_back(void **state)
{
	(void)state;
	rig_open(&rig);
	rig_connect_all(&rig, 5)->stalled = true;
	send_numbered(0, 5000);
	rig_turns(&rig);
	assert_true(rig.quota.queued > 100000);
	send_numbered(5000, 5010); /* the rest is in rig_close */
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(nobody_is_there),
		TEST(thirty_two_get_the_same),
		TEST(who_comes_later_gets_what_comes_later),
		TEST(who_comes_in_the_same_turn_too),
		TEST(much_is_written_before_the_turn_ends),
		TEST(a_flush_writes_at_once),
		TEST(counts_what_the_framing_does),
		TEST(a_slow_client_loses_the_oldest),
		TEST(a_slow_client_loses_the_newest),
		TEST(a_slow_client_is_disconnected),
		TEST(a_message_above_the_queue_gets_through),
		TEST(memory_runs_out_for_a_big_message),
		TEST(all_queues_together_have_a_limit),
		TEST(an_empty_raw_message_is_sent),
		TEST(a_free_gives_everything_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
