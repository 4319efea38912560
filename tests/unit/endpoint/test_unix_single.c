/* SPDX-License-Identifier: Apache-2.0 */
/* What is for one client alone: answers, pauses, replay; what it may do; and json's own rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "account.h"
#include "base/mem.h"
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

static void expect_got(size_t i, const char *text)
{
	const struct peer *p = &rig.peers[i];

	assert_int_equal(p->n, strlen(text));
	if (p->n > 0)
		assert_memory_equal(p->got, text, p->n);
}

static void wait_messages(size_t n)
{
	rig.want = n;
	rig_wait(&rig, rig_has_messages);
}

static void ids_are_given_once(void **state)
{
	client_id first, second;

	(void)state;
	rig.quota.last_client = 41;
	rig_open(&rig);
	rig_connect_all(&rig, 1);
	first = rig_client(&rig, 0).id;
	assert_int_equal(first, 42);
	assert_int_equal(rig.last_client, 42);
	peer_close(&rig.peers[0]);
	rig.want = 0;
	rig_wait(&rig, rig_has_clients);
	assert_int_equal(rig.last_client, 42); /* LEFT */
	rig_connect_all(&rig, 1);
	second = rig_client(&rig, 0).id;
	assert_true(second > first);
	assert_false(endpoint_has_client(rig.e, first));
	assert_true(endpoint_has_client(rig.e, second));
	assert_false(endpoint_has_client(rig.e, 0));
	assert_int_equal(rig_send_to(&rig, first, "x"), ENDPOINT_NOBODY);
}

/* Each gets its own and what is for all, in the order in which it was sent. */
static void one_among_many(void **state)
{
	client_id id[3];

	(void)state;
	rig_open(&rig);
	rig_connect_all(&rig, 3);
	for (size_t i = 0; i < 3; i++)
		id[i] = rig_client(&rig, i).id;
	rig_send(&rig, "all 1");
	assert_int_equal(rig_send_to(&rig, id[0], "a"), ENDPOINT_SENT);
	assert_int_equal(rig_send_to(&rig, id[0], "b"), ENDPOINT_SENT);
	assert_int_equal(endpoint_pending(rig.e), 4);
	assert_int_equal(rig_send_to(&rig, id[1], "c"), ENDPOINT_SENT);
	rig_send(&rig, "all 2");
	rig_send_to(&rig, id[0], "d");
	rig_turns(&rig);
	expect_got(0, "all 1\na\nb\nall 2\nd\n");
	expect_got(1, "all 1\nc\nall 2\n");
	expect_got(2, "all 1\nall 2\n");
	assert_int_equal(rig_client(&rig, 0).sent, 5);
}

/* What is under way to one that has gone is for nobody. */
static void a_target_that_goes(void **state)
{
	client_id id;

	(void)state;
	rig_open(&rig);
	rig_connect_all(&rig, 2);
	id = rig_client(&rig, 0).id;
	rig_send_to(&rig, id, "a");
	peer_close(&rig.peers[0]);
	rig.want = 1;
	rig_wait(&rig, rig_has_clients);
	assert_int_equal(rig_send_to(&rig, id, "b"), ENDPOINT_NOBODY);
	rig_send(&rig, "c");
	rig_turns(&rig);
	expect_got(1, "c\n");
}

static void one_is_paused_alone(void **state)
{
	(void)state;
	rig_open(&rig);
	rig_connect_all(&rig, 2);
	rig.pause_at = 1;
	rig.pause_client = true;
	peer_write(&rig.peers[0], "a1\na2\n");
	wait_messages(1);
	rig.pause_at = 0;
	peer_write(&rig.peers[1], "b1\n");
	wait_messages(2);
	rig_turns(&rig);
	assert_string_equal(rig.messages, "a1|b1|");
	endpoint_pause(rig.e);
	endpoint_resume(rig.e); /* that of all does not end that of one */
	rig_turns(&rig);
	assert_string_equal(rig.messages, "a1|b1|");
	endpoint_pause(rig.e);
	endpoint_resume_client(rig.e, rig_client(&rig, 0).id); /* nor the other way round */
	rig_turns(&rig);
	assert_string_equal(rig.messages, "a1|b1|");
	endpoint_resume(rig.e);
	wait_messages(3);
	assert_string_equal(rig.messages, "a1|b1|a2|");
	endpoint_resume_client(rig.e, rig_client(&rig, 0).id);
	endpoint_pause_client(rig.e, rig_client(&rig, 0).id);
	peer_write(&rig.peers[0], "a3\n");
	rig_turns(&rig);
	endpoint_resume_client(rig.e, rig_client(&rig, 0).id);
	wait_messages(4);
}

static void one_that_is_paused_alone_is_seen_to_go(void **state)
{
	(void)state;
	rig_open(&rig);
	rig_connect_all(&rig, 2);
	endpoint_pause_client(rig.e, rig_client(&rig, 0).id);
	peer_close(&rig.peers[0]);
	rig.want = 1;
	rig_wait(&rig, rig_has_clients);
}

static void the_end_of_input_is_told(void **state)
{
	(void)state;
	rig_open(&rig);
	rig_connect_all(&rig, 1);
	peer_write(&rig.peers[0], "last");
	shutdown(rig.peers[0].fd, SHUT_WR);
	wait_messages(1);
	rig_turns(&rig);
	assert_int_equal(rig.n_ended, 1);
	assert_int_equal(rig.n_left, 0);
	rig_send(&rig, "answer");
	rig.want = 7;
	rig_wait(&rig, rig_all_got);
	endpoint_close_client(rig.e, rig_client(&rig, 0).id);
	rig.want = 0;
	rig_wait(&rig, rig_has_clients);
	assert_int_equal(rig.n_ended, 1);
}

static void replays_the_last_ones(void **state)
{
	static const struct {
		int64_t n;
		size_t queue;
		const char *expected;
	} rows[] = {
		{ 3, 1000, "8\n9\n10\n" },
		{ 1, 1000, "10\n" },
		{ 100, 1000, "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n" },
		{ 100, 7, "8\n9\n10\n" },
		{ 100, 1, "10\n" },
		{ 0, 1000, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[16];

		rig.rules.replay = rows[i].n;
		rig.rules.queue = rows[i].queue;
		rig_open(&rig);
		for (int n = 1; n <= 10; n++) {
			snprintf(text, sizeof(text), "%d", n);
			assert_int_equal(rig_send(&rig, text), ENDPOINT_NOBODY);
			if (n == 4)
				rig_turns(&rig);
		}
		rig.greeting = "hello";
		rig_connect_all(&rig, 1);
		rig.greeting = NULL;
		rig_turns(&rig);
		assert_int_equal(rig.peers[0].n, strlen(rows[i].expected) + 6);
		assert_memory_equal(rig.peers[0].got, rows[i].expected, strlen(rows[i].expected));
		teardown(NULL);
		setup(NULL);
	}
	rig_open(&rig);
}

/* Messages of any size, what comes then in its place, and no event. */
static void replays_messages_only(void **state)
{
	struct record event = { .type = RECORD_CLOSE, .code = 1000, .reason = "", .retry_in = -1 };
	static struct account a, b;
	static char big[20001];

	(void)state;
	memset(big, 'x', 20000);
	rig.rules.framing = FRAMING_JSON;
	rig.rules.replay = 50;
	rig_open(&rig);
	for (int i = 0; i < 200; i++) {
		rig_send(&rig, i % 10 == 3 ? big : "small");
		if (i % 7 == 0)
			endpoint_send(rig.e, &event);
		if (i == 100)
			rig_connect_all(&rig, 1);
	}
	rig_connect_all(&rig, 1);
	for (int i = 0; i < 10; i++)
		rig_send(&rig, "small");
	rig_turns(&rig);
	a.next = 52;
	account_feed(&a, rig.peers[0].got, rig.peers[0].n);
	b.next = 151;
	account_feed(&b, rig.peers[1].got, rig.peers[1].n);
	assert_int_equal(a.next, 211);
	assert_int_equal(b.next, 211);
	assert_true(a.events > 0);
	assert_int_equal(b.events, 0);
	assert_int_equal(rig_client(&rig, 1).sent, 60);
}

static void who_may_only_read_is_refused(void **state)
{
	struct endpoint_totals totals;

	(void)state;
	rig.rules.framing = FRAMING_JSON;
	rig.rules.access = ACCESS_R;
	rig.answers = true;
	rig_open(&rig);
	rig_connect_all(&rig, 1);
	peer_write(&rig.peers[0], "{\"type\":\"text\",\"data\":\"x\",\"id\":7}\nrubbish\n");
	wait_messages(2);
	assert_int_equal(rig.n_bad, 2);
	assert_int_equal(rig.last_error.code, ERR_DENIED);
	endpoint_totals(rig.e, &totals);
	assert_int_equal(totals.refused, 2);
	assert_int_equal(rig_client(&rig, 0).received, 0);
	rig.want = 1;
	rig_wait(&rig, rig_all_got);
	assert_non_null(strstr(rig.peers[0].got, "\"id\":7"));
	assert_non_null(strstr(rig.peers[0].got, "\"kind\":\"denied\""));
	rig.peers[0].n = 0;
	rig_send(&rig, "still served");
	rig_wait(&rig, rig_all_got);
	shutdown(rig.peers[0].fd, SHUT_WR);
	rig_turns(&rig);
	assert_int_equal(rig.n_ended, 1);
}

static void who_may_only_write_gets_answers_only(void **state)
{
	struct record ack = { .type = RECORD_ACK, .id = span_str("\"x\"") };
	client_id id;

	(void)state;
	rig.rules.framing = FRAMING_JSON;
	rig.rules.access = ACCESS_W;
	rig.rules.replay = 10;
	rig_open(&rig);
	rig_send(&rig, "x");
	rig_connect_all(&rig, 1);
	id = rig_client(&rig, 0).id;
	assert_int_equal(rig_send(&rig, "x"), ENDPOINT_NOBODY);
	assert_int_equal(rig_send_to(&rig, id, "x"), ENDPOINT_NOBODY);
	assert_int_equal(endpoint_send_to(rig.e, id, &ack), ENDPOINT_SENT);
	rig_turns(&rig);
	expect_got(0, "{\"type\":\"ack\",\"id\":\"x\"}\n");
	peer_write(&rig.peers[0], "{\"type\":\"text\",\"data\":\"in\"}\n");
	wait_messages(1);
	assert_string_equal(rig.messages, "in|");
	assert_int_equal(rig_client(&rig, 0).sent, 0);
}

/* Events go to who wants them; a loss that is nobody's fault is told as well. */
static void json_has_events_and_gaps(void **state)
{
	struct record event = { .type = RECORD_CLOSE, .code = 1000, .reason = "", .retry_in = -1 };
	struct record ping = { .type = RECORD_PING };
	struct endpoint_totals totals;
	static struct account a;
	static char big[20001];

	(void)state;
	memset(big, 'x', 20000);
	rig.rules.framing = FRAMING_JSON;
	rig.rules.events = EVENTS_CLOSE | EVENTS_GAP;
	rig_open(&rig);
	rig_connect_all(&rig, 1);
	rig_send(&rig, "1");
	assert_int_equal(endpoint_send(rig.e, &event), ENDPOINT_SENT);
	assert_int_equal(endpoint_send(rig.e, &ping), ENDPOINT_UNFIT);
	mem_fail_try_after(1);
	rig_send(&rig, big);
	rig_send(&rig, "3");
	rig_turns(&rig);
	a.next = 1;
	account_feed(&a, rig.peers[0].got, rig.peers[0].n);
	assert_int_equal(a.next, 4);
	assert_int_equal(a.gaps, 1);
	assert_int_equal(a.events, 1);
	assert_int_equal(rig.n_dropped, 1);
	assert_string_equal(rig.last_error.text, "no memory for a message: it is dropped");
	assert_int_equal(rig_client(&rig, 0).sent, 2);
	assert_int_equal(rig_client(&rig, 0).dropped, 1);
	endpoint_totals(rig.e, &totals);
	assert_int_equal(totals.unfit, 0);
}

/* The place of the next record is lost: the client must go, but hears of it. */
static void a_broken_one_is_closed(void **state)
{
	(void)state;
	rig.rules.framing = FRAMING_LENGTH;
	rig.common.max_message = 100;
	rig_open(&rig);
	rig_connect_all(&rig, 2);
	rig_send(&rig, "before");
	assert_int_equal(send(rig.peers[0].fd, "\0\0\1\0\7x\0\0\0\1\1y", 12, MSG_NOSIGNAL), 12);
	rig.want = 1;
	rig_wait(&rig, rig_has_clients);
	rig_turns(&rig);
	assert_true(rig.n_bad == 1 && rig.n_messages == 0);
	assert_true(rig.peers[0].eof && !rig.peers[0].reset);
	assert_int_equal(rig.peers[0].n, 5 + 6);
	assert_false(rig.peers[1].eof);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(ids_are_given_once),
		TEST(one_among_many),
		TEST(a_target_that_goes),
		TEST(one_is_paused_alone),
		TEST(one_that_is_paused_alone_is_seen_to_go),
		TEST(the_end_of_input_is_told),
		TEST(replays_the_last_ones),
		TEST(replays_messages_only),
		TEST(who_may_only_read_is_refused),
		TEST(who_may_only_write_gets_answers_only),
		TEST(json_has_events_and_gaps),
		TEST(a_broken_one_is_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
