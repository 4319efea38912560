/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether an open link lives: heartbeat, idle_timeout, pauses, a check after a
 * suspension, and a process that was stopped. Plain pings stand in
 * test_link.c; who decides what and when, in test_keepalive.c and test_heartbeat.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "link_rig.h"

#define NO_PING "'ping': {'interval': 'off'}"
/* No second attempt comes while one looks. */
#define STAYS "'reconnect': {'initial': '1h', 'max': '1h', 'slow': '1h', 'jitter': 'none'}"
#define MOMENT ((int64_t)350000)

static unsigned count_seen(const struct link_rig *r, const char *part)
{
	unsigned n = 0;

	for (const char *at = r->w.peer.seen; (at = strstr(at, part)); at += strlen(part))
		n++;
	return n;
}

static void check_dead(struct link_rig *r, const char *text)
{
	struct link_info info;

	link_rig_wait(r, LINK_WAITING);
	info = link_rig_info(r);
	assert_int_equal(info.last_error.code, ERR_TIMEOUT);
	assert_string_equal(info.last_error.text, text);
	assert_int_equal(info.last_close.code, 1006);
	assert_true(r->end.was_open);
}

static void test_heartbeat_alone(void **state)
{
	struct link_rig r;

	(void)state;
	link_rig_init(&r, NO_PING ", 'heartbeat': {'interval': '100ms', 'message': 'beat'}");
	link_rig_open(&r);
	world_turn_for(&r.w, MOMENT);
	assert_in_range(count_seen(&r, "text beat|"), 2, 3);
	assert_true(link_is_open(r.k));
	assert_int_equal(link_rig_info(&r).tx.messages, 0); /* of local clients */
	link_rig_deinit(&r);
}

static void answer_beat(void *arg, struct span data)
{
	struct link_rig *r = arg;

	if (span_equal(data, span_str("beat")))
		ws_peer_text(&r->w.peer, "alive");
}

#define EXPECTING                                                                               \
	NO_PING ", " STAYS ", 'heartbeat': {'interval': '100ms', 'message': 'beat', 'expect': " \
		"{'contains': 'alive'}, 'timeout': '50ms'}"

static void test_heartbeat_with_an_answer(void **state)
{
	struct link_rig r;

	(void)state;
	link_rig_init(&r, EXPECTING);
	r.w.peer.on_message = answer_beat;
	r.w.peer.arg = &r;
	link_rig_open(&r);
	world_turn_for(&r.w, 2 * MOMENT);
	assert_true(link_is_open(r.k));
	assert_true(count_seen(&r, "text beat|") >= 3);
	assert_true(r.messages >= 3); /* local clients get the answers, too */
	link_rig_deinit(&r);
}

static void test_heartbeat_without_its_answer(void **state)
{
	struct link_rig r;

	(void)state;
	link_rig_init(&r, EXPECTING);
	link_rig_open(&r);
	for (int i = 0; i < 70 && link_is_open(r.k); i++) {
		ws_peer_text(&r.w.peer, "something else");
		world_turn_for(&r.w, 10000);
	}
	check_dead(&r, "no answer to a heartbeat within 0.05s");
	link_rig_deinit(&r);
}

/* It never stands between the fragments of another message (RFC 6455, 5.4). */
static void test_heartbeat_between_fragments(void **state)
{
	struct msg msg = { .type = MSG_TEXT, .data = span_str("a"), .more = true };
	struct link_rig r;

	(void)state;
	link_rig_init(&r, NO_PING ", 'heartbeat': {'interval': '100ms', 'message': 'beat'}");
	link_rig_open(&r);
	assert_int_equal(link_send(r.k, msg), LINK_SENT);
	world_turn_for(&r.w, MOMENT);
	assert_string_equal(r.w.peer.seen, "text+ a|");
	msg.more = false;
	assert_int_equal(link_send(r.k, msg), LINK_SENT);
	world_wait_seen(&r.w, "text+ a|more a|text beat|");
	assert_int_equal(link_rig_info(&r).tx.messages, 1);
	assert_int_equal(link_rig_info(&r).tx.bytes, 2);
	link_rig_deinit(&r);
}

static void test_idle_timeout(void **state)
{
	struct link_rig r;

	(void)state;
	link_rig_init(&r, "'ping': {'interval': '100ms'}, " STAYS ", 'idle_timeout': '200ms'");
	link_rig_open(&r);
	for (int i = 0; i < 35; i++) {
		ws_peer_text(&r.w.peer, "news");
		world_turn_for(&r.w, MOMENT / 35);
	}
	assert_true(link_is_open(r.k));
	check_dead(&r, "no message for 0.2s"); /* Pongs are none */
	assert_non_null(strstr(r.w.peer.seen, "ping |"));
	link_rig_deinit(&r);
}

static void test_live_configuration(void **state)
{
	struct link_rig r;

	(void)state;
	link_rig_init(&r, EXPECTING);
	link_rig_open(&r);
	link_rig_configure(&r, NO_PING ", " STAYS, false);
	world_turn_for(&r.w, 2 * MOMENT);
	assert_string_equal(r.w.peer.seen, "");
	link_rig_configure(&r, EXPECTING, false);
	world_wait_seen(&r.w, "text beat|");
	link_rig_configure(&r, NO_PING ", " STAYS ", 'idle_timeout': '100ms'", false);
	check_dead(&r, "no message for 0.1s");
	link_rig_deinit(&r);
}

/* While we do not read, silence says nothing; afterwards there is the whole time anew. */
static void check_pause(const char *options, const char *text)
{
	struct link_rig r;

	link_rig_init(&r, options);
	r.w.peer.no_pong = true;
	link_rig_open(&r);
	link_pause(r.k, true);
	world_turn_for(&r.w, 2 * MOMENT);
	assert_true(link_is_open(r.k));
	link_pause(r.k, false);
	check_dead(&r, text);
	link_rig_deinit(&r);
}

static void test_nothing_is_judged_while_paused(void **state)
{
	(void)state;
	check_pause(STAYS ", 'ping': {'interval': '100ms', 'timeout': '50ms'}",
		    "no answer to a ping within 0.05s");
	check_pause(EXPECTING, "no answer to a heartbeat within 0.05s");
	check_pause(NO_PING ", " STAYS ", 'idle_timeout': '100ms'", "no message for 0.1s");
}

/* The same if the pause begins before there is a connection, and goes on over the next one. */
static void test_pause_over_connections(void **state)
{
	struct link_rig r;

	(void)state;
	link_rig_init(&r, LINK_FAST ", 'ping': {'interval': '100ms', 'timeout': '50ms'}");
	r.w.peer.no_pong = true;
	link_pause(r.k, true);
	for (unsigned i = 1; i <= 2; i++) {
		link_start(r.k);
		link_rig_wait(&r, LINK_OPEN);
		ws_peer_text(&r.w.peer, "held");
		world_turn_for(&r.w, 2 * MOMENT);
		assert_true(link_is_open(r.k));
		assert_int_equal(r.messages, i - 1); /* delivered when it was closed */
		link_stop(r.k, 1000, "");
		link_rig_wait(&r, LINK_STOPPED);
	}
	link_start(r.k);
	link_rig_wait(&r, LINK_OPEN);
	ws_peer_text(&r.w.peer, "last");
	link_pause(r.k, false);
	world_wait_count(&r.w, &r.messages, 3);
	link_rig_deinit(&r);
}

static void fill(struct link_rig *r)
{
	size_t n = (size_t)64 * 1024;
	char *text = mem_alloc(n);

	memset(text, 'z', n);
	while (link_send(r->k, (struct msg){ .type = MSG_TEXT, .data = span_of(text, n) }) ==
	       LINK_SENT)
		;
	free(text);
}

static bool all_is_written(void *arg)
{
	struct link_rig *r = arg;
	struct session_progress p = link_progress(r->k);

	return p.data_queued == p.data_written;
}

/* A server that takes nothing: the ping has not left, so its answer is not overdue. */
static void test_judged_from_when_it_has_left(void **state)
{
	struct session_progress p;
	struct link_rig r;

	(void)state;
	link_rig_init(&r, STAYS ", 'socket': {'sndbuf': '64K'}, 'ping': {'interval': '100ms', "
				"'timeout': '50ms'}");
	ws_peer_small_window(&r.w.peer);
	link_rig_open(&r);
	ws_peer_stall(&r.w.peer, true);
	fill(&r);
	world_turn_for(&r.w, 2 * MOMENT);
	assert_true(link_is_open(r.k));
	p = link_progress(r.k);
	assert_true(p.control_queued > p.control_written);
	ws_peer_stall(&r.w.peer, false);
	world_wait_seen(&r.w, "ping |");
	world_wait_count(&r.w, &r.pongs, 1);
	assert_true(link_is_open(r.k));
	world_wait(&r.w, all_is_written, &r);
	assert_int_equal(link_send(r.k, (struct msg){ .type = MSG_TEXT, .data = span_str("end") }),
			 LINK_SENT);
	world_wait_seen(&r.w, "text end");
	assert_non_null(strstr(strstr(r.w.peer.seen, "ping |"), "zzz")); /* it has overtaken them */
	link_rig_deinit(&r);
}

/* This process stands still, while the answer lies in the kernel's buffer. */
static void stand_still(int ms)
{
	poll(NULL, 0, ms);
}

static void test_stopped_process(void **state)
{
	struct link_rig r;

	(void)state;
	link_rig_init(&r, STAYS ", 'ping': {'interval': '100ms', 'timeout': '100ms', 'proof': "
				"'pong', 'payload': 'p'}");
	r.w.peer.no_pong = true;
	link_rig_open(&r);
	for (int i = 0; i < 3; i++) {
		ws_peer_forget(&r.w.peer);
		world_wait_seen(&r.w, "ping p|");
		ws_peer_frame(&r.w.peer, FRAME_PONG, true, span_str("p"));
		stand_still(300);
	}
	world_turn_for(&r.w, 20000);
	assert_true(link_is_open(r.k));
	assert_int_equal(r.pongs, 3);
	/* the time from the ping to the reading: nobody can tell it from a slow network */
	assert_true(link_rig_info(&r).rtt >= 0.3);
	assert_true(link_rig_info(&r).srtt >= 0.3);
	check_dead(&r, "no answer to a ping within 0.1s");
	link_rig_deinit(&r);
}

/* With pings off: one is sent, and judged. */
static void test_check_after_a_suspension(void **state)
{
	struct link_rig r;

	(void)state;
	link_rig_init(&r, STAYS ", 'ping': {'interval': 'off', 'timeout': '100ms'}");
	link_check(r.k); /* stopped: nothing */
	link_rig_open(&r);
	link_check(r.k);
	world_wait_count(&r.w, &r.pongs, 1);
	assert_string_equal(r.w.peer.seen, "ping |");
	world_turn_for(&r.w, 2 * MOMENT);
	assert_string_equal(r.w.peer.seen, "ping |");
	r.w.peer.no_pong = true;
	link_check(r.k);
	check_dead(&r, "no answer to a ping within 0.1s");
	r.w.peer.no_pong = false;
	assert_true(link_rig_info(&r).retry_in > 3000);
	link_check(r.k); /* one that waits tries now */
	link_rig_wait(&r, LINK_OPEN);
	assert_int_equal(link_rig_info(&r).epoch, 2);
	link_rig_deinit(&r);
}

static void test_events_of_pings(void **state)
{
	struct link_rig r;

	(void)state;
	link_rig_init(&r, NO_PING);
	link_rig_open(&r);
	ws_peer_frame(&r.w.peer, FRAME_PING, true, span_str("there?"));
	world_wait_count(&r.w, &r.pings, 1);
	assert_string_equal(r.payload, "there?");
	world_wait_seen(&r.w, "pong there?|");
	assert_int_equal(link_ping(r.k, span_str("mine")), LINK_SENT);
	world_wait_count(&r.w, &r.pongs, 1);
	assert_string_equal(r.payload, "mine");
	assert_true(link_rig_info(&r).rtt < 0); /* nothing of ours */
	assert_true(link_rig_info(&r).srtt < 0);
	link_rig_deinit(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_heartbeat_alone),
		cmocka_unit_test(test_heartbeat_with_an_answer),
		cmocka_unit_test(test_heartbeat_without_its_answer),
		cmocka_unit_test(test_heartbeat_between_fragments),
		cmocka_unit_test(test_idle_timeout),
		cmocka_unit_test(test_live_configuration),
		cmocka_unit_test(test_nothing_is_judged_while_paused),
		cmocka_unit_test(test_pause_over_connections),
		cmocka_unit_test(test_judged_from_when_it_has_left),
		cmocka_unit_test(test_stopped_process),
		cmocka_unit_test(test_check_after_a_suspension),
		cmocka_unit_test(test_events_of_pings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
