/* SPDX-License-Identifier: Apache-2.0 */
/* From clients to messages: what they write, how they leave, limits on them, pausing. */
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

static void expect_messages(const char *text)
{
	assert_string_equal(rig.messages ? rig.messages : "", text);
}

static void wait_messages(size_t n)
{
	rig.want = n;
	rig_wait(&rig, rig_has_messages);
}

static void wait_clients(size_t n)
{
	rig.want = n;
	rig_wait(&rig, rig_has_clients);
}

static void lines_become_messages(void **state)
{
	struct endpoint_client c;
	struct peer *p;
	char name[64];

	(void)state;
	rig_open(&rig);
	p = rig_connect_all(&rig, 1);
	peer_write(p, "one\n\nthr");
	wait_messages(2);
	peer_write(p, "ee\r\n");
	wait_messages(3);
	expect_messages("one||three\r|");
	snprintf(name, sizeof(name), "pid %ld uid %lu", (long)getpid(), (unsigned long)getuid());
	assert_string_equal(rig.last_name, name);
	assert_true(endpoint_client_at(rig.e, 0, &c));
	assert_int_equal(c.received, 3);
}

static void a_bad_line_costs_nothing_but_itself(void **state)
{
	struct endpoint_totals totals;
	struct peer *p;

	(void)state;
	rig.common.max_message = 8;
	rig_open(&rig);
	p = rig_connect_all(&rig, 1);
	peer_write(p, "\xFF\xFE\n");
	wait_messages(1);
	assert_int_equal(rig.last_error.code, ERR_PAYLOAD);
	assert_string_equal(rig.last_error.text, "line is not valid UTF-8");
	peer_write(p, "123456789\n");
	wait_messages(2);
	assert_int_equal(rig.last_error.code, ERR_OVERFLOW);
	assert_string_equal(rig.last_error.text, "line is longer than max_message (8 bytes)");
	peer_write(p, "next\n");
	wait_messages(3);
	expect_messages("next|");
	endpoint_totals(rig.e, &totals);
	assert_int_equal(totals.refused, 2);
	assert_int_equal(rig.n_bad, 2);
}

static void a_half_close_ends_input_only(void **state)
{
	struct peer *p;

	(void)state;
	rig_open(&rig);
	p = rig_connect_all(&rig, 1);
	peer_write(p, "one\nlast");
	shutdown(p->fd, SHUT_WR);
	wait_messages(2);
	expect_messages("one|last|");
	rig_turns(&rig);
	assert_int_equal(endpoint_n_clients(rig.e), 1);
	assert_int_equal(rig_send(&rig, "answer"), ENDPOINT_SENT);
	rig.want = 7;
	rig_wait(&rig, rig_all_got);
	assert_memory_equal(p->got, "answer\n", 7);
	peer_close(p);
	wait_clients(0);
	assert_int_equal(rig_send(&rig, "gone"), ENDPOINT_NOBODY);
	assert_int_equal(rig.n_came, 1);
	assert_int_equal(rig.n_ended, 1);
	assert_int_equal(rig.n_left, 1);
}

/* With bytes unread, with bytes that wait for it, in the middle of a line. */
static void clients_vanish(void **state)
{
	char text[1001];
	int before;

	(void)state;
	memset(text, 'x', 1000);
	text[1000] = '\0';
	rig_open(&rig);
	before = rig_open_descriptors();
	rig_connect_all(&rig, 8);
	for (size_t i = 0; i < 4; i++)
		rig.peers[i].stalled = true;
	for (size_t i = 0; i < 1000; i++)
		rig_send(&rig, text);
	rig_turns(&rig);
	assert_true(rig.quota.queued > 100000);
	peer_write(&rig.peers[1], "in the mid");
	for (size_t i = 0; i < 6; i++)
		peer_close(&rig.peers[i]);
	wait_clients(2);
	assert_int_equal(rig.quota.queued, 0);
	assert_int_equal(rig.quota.clients, 2);
	expect_messages("in the mid|");
	rig_send(&rig, "still");
	rig.want = 1001 * 1000 + 6;
	rig_wait(&rig, rig_all_got);
	for (size_t i = 6; i < 8; i++)
		peer_close(&rig.peers[i]);
	wait_clients(0);
	rig_turns(&rig);
	assert_int_equal(rig_open_descriptors(), before);
	assert_int_equal(rig.n_came, 8);
	assert_int_equal(rig.n_left, 8);
}

/* The write fails before what the client left has been read. */
static void what_a_gone_client_wrote_is_sent(void **state)
{
	struct peer *p;

	(void)state;
	rig_open(&rig);
	p = rig_connect_all(&rig, 1);
	peer_write(p, "one\ntwo\nlast");
	peer_close(p);
	rig_send(&rig, "nobody reads it");
	endpoint_flush(rig.e);
	wait_clients(0);
	expect_messages("one|two|last|");
	assert_int_equal(rig.quota.queued, 0);
}

static void who_wants_nothing_may_still_write(void **state)
{
	struct peer *p;

	(void)state;
	rig_open(&rig);
	p = rig_connect_all(&rig, 1);
	shutdown(p->fd, SHUT_RD);
	rig_send(&rig, "nobody reads it");
	rig_turns(&rig);
	assert_int_equal(rig_send(&rig, "nobody reads it"), ENDPOINT_NOBODY);
	peer_write(p, "one\n");
	wait_messages(1);
	peer_write(p, "last");
	peer_close(p);
	wait_clients(0);
	expect_messages("one|last|");
}

static void refuses_more_than_max_clients(void **state)
{
	struct endpoint_totals totals;

	(void)state;
	rig.rules.max_clients = 2;
	rig_open(&rig);
	rig_connect_all(&rig, 2);
	rig_connect(&rig);
	rig_turns(&rig);
	assert_true(rig.peers[2].eof);
	assert_int_equal(endpoint_n_clients(rig.e), 2);
	assert_int_equal(rig.n_refused, 1);
	assert_string_equal(rig.last_error.text, "refused: max_clients is 2");
	endpoint_totals(rig.e, &totals);
	assert_int_equal(totals.refused_clients, 1);
	peer_close(&rig.peers[0]);
	wait_clients(1);
	rig_connect_all(&rig, 1); /* there is a place again */
	assert_int_equal(rig.n_refused, 1);
}

static void refuses_more_than_the_process_may_have(void **state)
{
	(void)state;
	rig.quota.clients = 3; /* of other endpoints */
	rig.quota.max_clients = 4;
	rig_open(&rig);
	rig_connect_all(&rig, 1);
	rig_connect(&rig);
	rig_turns(&rig);
	assert_int_equal(rig.n_refused, 1);
	assert_string_equal(rig.last_error.text, "refused: limits.clients is 4");
	assert_int_equal(rig.quota.clients, 4);
	rig.quota.clients -= 3;
}

/* Not one byte of who is not named is read. */
static void refuses_who_may_not_come(void **state)
{
	char own[24], other[24];
	char *users[] = { other };
	struct endpoint_totals totals;

	(void)state;
	snprintf(own, sizeof(own), "%lu", (unsigned long)getuid());
	snprintf(other, sizeof(other), "%lu", (unsigned long)getuid() + 1);
	rig.rules.allow_users = users;
	rig.rules.n_allow_users = 1;
	rig_open(&rig);
	peer_write(rig_connect(&rig), "let me in\n");
	rig_turns(&rig);
	assert_true(rig.peers[0].eof);
	assert_int_equal(rig.n_refused, 1);
	assert_int_equal(rig.last_error.code, ERR_DENIED);
	endpoint_totals(rig.e, &totals);
	assert_int_equal(totals.refused_clients, 1);
	assert_int_equal(rig.n_came + rig.n_messages, 0);
	endpoint_free(rig.e);
	users[0] = own;
	rig_open(&rig);
	rig_connect_all(&rig, 1);
}

static void a_pause_holds_everything_back_in_order(void **state)
{
	struct peer *p;

	(void)state;
	rig_open(&rig);
	p = rig_connect_all(&rig, 1);
	rig.pause_at = 2;
	peer_write(p, "1\n2\n3\n4\n5\nhal");
	wait_messages(2);
	peer_write(p, "f\n7\n");
	rig_turns(&rig);
	expect_messages("1|2|");
	rig.pause_at = 4; /* again, in what was held back */
	endpoint_resume(rig.e);
	expect_messages("1|2|");
	wait_messages(4);
	rig_turns(&rig);
	expect_messages("1|2|3|4|");
	rig.pause_at = 5; /* at its very end */
	endpoint_resume(rig.e);
	wait_messages(5);
	rig_turns(&rig);
	expect_messages("1|2|3|4|5|");
	endpoint_resume(rig.e);
	endpoint_pause(rig.e); /* before anything could come of it */
	rig_turns(&rig);
	expect_messages("1|2|3|4|5|");
	endpoint_resume(rig.e);
	wait_messages(7);
	expect_messages("1|2|3|4|5|half|7|");
}

/* When each message ends in a pause, a client is ahead of the others by one read at most. */
static void a_pause_is_fair(void **state)
{
	const char *more;

	(void)state;
	rig_open(&rig);
	rig_connect_all(&rig, 3);
	rig.pause_at = 1;
	peer_write(&rig.peers[0], "a\na\na\na\na\n");
	wait_messages(1);
	peer_write(&rig.peers[0], "more\nmore\nmore\n");
	peer_write(&rig.peers[1], "b\n");
	peer_write(&rig.peers[2], "c\n");
	for (unsigned n = 2; n <= 10; n++) {
		rig.pause_at = n;
		endpoint_resume(rig.e);
		wait_messages(n);
	}
	assert_int_equal(rig.n_messages, 10);
	more = strstr(rig.messages, "more");
	assert_non_null(more);
	assert_true(strchr(rig.messages, 'b') < more);
	assert_true(strchr(rig.messages, 'c') < more);
}

static void who_comes_during_a_pause_waits_too(void **state)
{
	(void)state;
	rig_open(&rig);
	endpoint_pause(rig.e);
	endpoint_pause(rig.e);
	peer_write(rig_connect_all(&rig, 1), "hello\n");
	rig_turns(&rig);
	expect_messages("");
	rig_send(&rig, "the other way is open");
	rig.want = 22;
	rig_wait(&rig, rig_all_got);
	endpoint_resume(rig.e);
	endpoint_resume(rig.e);
	wait_messages(1);
	expect_messages("hello|");
}

/* Nobody reads during a pause, and yet a client that has closed does not stay for ever. */
static void a_closed_client_is_noticed_during_a_pause(void **state)
{
	(void)state;
	rig_open(&rig);
	rig_connect_all(&rig, 4);
	endpoint_pause(rig.e);
	peer_write(&rig.peers[1], "left\nbehind");
	peer_close(&rig.peers[0]);
	peer_close(&rig.peers[1]);
	shutdown(rig.peers[2].fd, SHUT_WR);
	wait_clients(3);
	assert_int_equal(rig_send(&rig, "x"), ENDPOINT_SENT);
	peer_close(&rig.peers[3]);
	peer_close(&rig.peers[2]);
	wait_clients(1);
	assert_int_equal(rig_send(&rig, "x"), ENDPOINT_NOBODY); /* it has only left something */
	expect_messages("");
	endpoint_resume(rig.e);
	wait_clients(0);
	expect_messages("left|behind|");
}

static bool nothing_is_queued(struct rig *r)
{
	return r->quota.queued == 0;
}

/* What waits for it is given up; what was read from it, but not looked at yet, is not. */
static void a_closed_client_keeps_what_was_held(void **state)
{
	char text[1001];

	(void)state;
	memset(text, 'x', 1000);
	text[1000] = '\0';
	rig_open(&rig);
	rig_connect_all(&rig, 1)->stalled = true;
	for (size_t i = 0; i < 1000; i++)
		rig_send(&rig, text);
	rig.pause_at = 1;
	peer_write(&rig.peers[0], "1\n2\n");
	wait_messages(1);
	assert_true(rig.quota.queued > 100000);
	peer_close(&rig.peers[0]);
	rig_wait(&rig, nothing_is_queued);
	rig_turns(&rig);
	assert_int_equal(endpoint_n_clients(rig.e), 1);
	endpoint_resume(rig.e);
	wait_clients(0);
	expect_messages("1|2|");
}

/* The same, but only the look at paused clients can tell. */
static void a_quiet_one_that_was_held_does_too(void **state)
{
	(void)state;
	rig_open(&rig);
	rig_connect_all(&rig, 2);
	rig.pause_at = 1;
	peer_write(&rig.peers[0], "1\n2\n");
	wait_messages(1);
	peer_close(&rig.peers[0]);
	peer_close(&rig.peers[1]);
	wait_clients(1); /* both have been looked at */
	rig_turns(&rig);
	assert_int_equal(endpoint_n_clients(rig.e), 1);
	endpoint_resume(rig.e);
	wait_clients(0);
	expect_messages("1|2|");
}

/* As above, but it is a write that tells, and part of the input has been taken already. */
static void what_is_held_outlives_a_failed_write(void **state)
{
	struct peer *p;

	(void)state;
	rig_open(&rig);
	p = rig_connect_all(&rig, 1);
	rig.pause_at = 1;
	peer_write(p, "1\n2\n3");
	wait_messages(1);
	peer_write(p, "\n4");
	peer_close(p);
	rig_send(&rig, "nobody reads it");
	rig_turns(&rig);
	assert_int_equal(rig_send(&rig, "x"), ENDPOINT_NOBODY);
	assert_int_equal(endpoint_n_clients(rig.e), 1);
	expect_messages("1|");
	endpoint_resume(rig.e);
	wait_clients(0);
	expect_messages("1|2|3|4|");
}

/* They go in one turn, in which the pause ends: nobody is left to read on at its end. */
static void a_pause_ends_as_all_leave(void **state)
{
	(void)state;
	rig_open(&rig);
	rig_connect_all(&rig, 2);
	endpoint_pause(rig.e);
	rig.resumes = true;
	peer_close(&rig.peers[0]);
	peer_close(&rig.peers[1]);
	wait_clients(0);
	peer_write(rig_connect(&rig), "heard\n");
	wait_messages(1);
}

static void stops_accepting(void **state)
{
	(void)state;
	rig_open(&rig);
	rig_connect_all(&rig, 1);
	endpoint_stop_accepting(rig.e);
	assert_int_equal(access(rig.path, F_OK), -1);
	rig_send(&rig, "still served");
	rig.want = 13;
	rig_wait(&rig, rig_all_got);
	peer_write(&rig.peers[0], "still heard\n");
	wait_messages(1);
	assert_ptr_equal(endpoint_configuration(rig.e), &rig.conf);
}

static void a_place_that_is_taken_is_an_error(void **state)
{
	struct endpoint_params params = { .conf = &rig.conf, .owner = &rig.owner };
	struct error err;

	(void)state;
	rig_open(&rig);
	assert_null(endpoint_new(rig.loop, &params, &err));
	assert_int_equal(err.code, ERR_ENDPOINT);
	assert_int_equal(rig.owner.refs, 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(lines_become_messages),
		TEST(a_bad_line_costs_nothing_but_itself),
		TEST(a_half_close_ends_input_only),
		TEST(clients_vanish),
		TEST(what_a_gone_client_wrote_is_sent),
		TEST(who_wants_nothing_may_still_write),
		TEST(refuses_more_than_max_clients),
		TEST(refuses_more_than_the_process_may_have),
		TEST(refuses_who_may_not_come),
		TEST(a_pause_holds_everything_back_in_order),
		TEST(a_pause_is_fair),
		TEST(who_comes_during_a_pause_waits_too),
		TEST(a_closed_client_is_noticed_during_a_pause),
		TEST(a_closed_client_keeps_what_was_held),
		TEST(a_quiet_one_that_was_held_does_too),
		TEST(what_is_held_outlives_a_failed_write),
		TEST(a_pause_ends_as_all_leave),
		TEST(stops_accepting),
		TEST(a_place_that_is_taken_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
