/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a session does about flow: its turn among other attempts, a pause, the
 * fragments of a message, and what it says of bytes: progress, and those whose
 * fate is unknown at the end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "session_rig.h"

/* One attempt per second: the next session of this process has to wait. */
static void take_turns(struct session_rig *r)
{
	dialer_set_limits(r->w.dialer, 1, 0);
	session_rig_open(r, "");
	session_rig_free(r);
	r->freed = false;
	r->upgraded = r->opened = 0;
}

static void test_turn(void **state)
{
	struct session_rig r;
	int64_t began;

	(void)state;
	session_rig_init(&r);
	take_turns(&r);
	began = loop_now(r.w.loop);
	/* what it waits is not counted: it has longer to wait than to open */
	session_rig_begin(&r, "'timeouts': {'open': '400ms'}");
	world_wait_count(&r.w, &r.opened, 1);
	assert_true(loop_now(r.w.loop) - began >= 500000);
	session_rig_deinit(&r);
}

static void test_close_before_its_turn(void **state)
{
	struct session_rig r;

	(void)state;
	session_rig_init(&r);
	take_turns(&r);
	session_rig_begin(&r, "");
	world_turn_for(&r.w, 20000);
	assert_int_equal(session_rig_text(&r, "early"), SESSION_NOT_OPEN);
	session_rig_close(&r, 1000, "");
	world_wait_count(&r.w, &r.ended, 1);
	assert_int_equal(r.end.err.code, ERR_NOT_OPEN);
	assert_false(r.end.was_open);
	dialer_set_limits(r.w.dialer, 0, 0);
	world_turn_for(&r.w, 20000); /* no turn of a session that is over */
	assert_int_equal(r.w.peer.accepted, 1);
	session_rig_deinit(&r);
}

static void test_free_before_its_turn(void **state)
{
	struct session_rig r;

	(void)state;
	session_rig_init(&r);
	take_turns(&r);
	session_rig_begin(&r, "");
	session_rig_free(&r);
	dialer_set_limits(r.w.dialer, 0, 0);
	world_turn_for(&r.w, 20000);
	assert_int_equal(r.w.peer.accepted, 1);
	session_rig_deinit(&r);
}

static void test_pause(void **state)
{
	struct session_rig r;

	(void)state;
	session_rig_init(&r);
	session_rig_open(&r, "");
	session_pause(r.s, true);
	session_pause(r.s, true);
	ws_peer_text(&r.w.peer, "held");
	ws_peer_frame(&r.w.peer, FRAME_PING, true, span_str("p"));
	world_turn_for(&r.w, 20000);
	assert_int_equal(r.messages, 0);
	assert_string_equal(r.w.peer.seen, ""); /* no Pong either */
	assert_int_equal(session_rig_text(&r, "out"), SESSION_SENT);
	world_wait_seen(&r.w, "text out|");
	session_pause(r.s, false);
	world_wait_seen(&r.w, "pong p|");
	assert_string_equal(r.got, "text held|");
	session_rig_deinit(&r);
}

static void pause_it(struct session_rig *r)
{
	if (r->messages == 1)
		session_pause(r->s, true);
}

/* What one read brought is delivered to its end; the next read waits. */
static void test_pause_inside_a_message(void **state)
{
	struct session_rig r;

	(void)state;
	session_rig_init(&r);
	r.on_message = pause_it;
	session_rig_open(&r, "");
	ws_peer_raw(&r.w.peer, span_of("\x81\x01"
				       "a"
				       "\x81\x01"
				       "b",
				       6));
	world_wait_count(&r.w, &r.messages, 2);
	ws_peer_text(&r.w.peer, "c");
	world_turn_for(&r.w, 20000);
	assert_string_equal(r.got, "text a|text b|");
	session_pause(r.s, false);
	world_wait_count(&r.w, &r.messages, 3);
	session_rig_deinit(&r);
}

/* The server's answer to our verdict is seen all the same. */
static void test_violation_while_paused(void **state)
{
	struct session_rig r;
	int64_t began;

	(void)state;
	session_rig_init(&r);
	r.on_message = pause_it;
	session_rig_open(&r, "");
	began = loop_now(r.w.loop);
	ws_peer_raw(&r.w.peer, span_of("\x81\x01"
				       "a"
				       "\x83\x00",
				       5));
	world_wait_count(&r.w, &r.ended, 1);
	assert_int_equal(r.end.err.code, ERR_PROTOCOL);
	assert_int_equal(r.messages, 1);
	assert_true(loop_now(r.w.loop) - began < 500000);
	session_rig_deinit(&r);
}

/* The answer to our Close is read, and what came before it. */
static void test_close_while_paused(void **state)
{
	struct session_rig r;

	(void)state;
	session_rig_init(&r);
	session_rig_open(&r, "");
	session_pause(r.s, true);
	ws_peer_text(&r.w.peer, "held");
	session_rig_close(&r, 1000, "");
	session_pause(r.s, true);
	world_wait_count(&r.w, &r.ended, 1);
	assert_true(r.end.clean);
	assert_string_equal(r.got, "text held|");
	session_pause(r.s, false); /* of one that is over: nothing */
	session_rig_deinit(&r);
}

static void test_fragments(void **state)
{
	struct session_rig r;

	(void)state;
	session_rig_init(&r);
	session_rig_open(&r, "'fragments': 'deliver'");
	ws_peer_frame(&r.w.peer, FRAME_TEXT, false, span_str("on"));
	ws_peer_frame(&r.w.peer, FRAME_CONTINUATION, true, span_str("e"));
	ws_peer_text(&r.w.peer, "two");
	world_wait_count(&r.w, &r.messages, 3);
	assert_string_equal(r.got, "text+ on|text e|text two|");
	session_send(r.s, (struct msg){ .type = MSG_TEXT, .data = span_str("a"), .more = true });
	session_send(r.s, (struct msg){ .type = MSG_TEXT, .data = span_str("b") });
	world_wait_seen(&r.w, "more b|");
	assert_string_equal(r.w.peer.seen, "text+ a|more b|");
	session_rig_deinit(&r);
}

static void test_progress(void **state)
{
	struct session_progress p;
	struct session_rig r;
	uint64_t request;

	(void)state;
	session_rig_init(&r);
	session_rig_begin(&r, "");
	p = session_progress(r.s);
	assert_int_equal(p.data_queued + p.control_queued, 0);
	world_wait_count(&r.w, &r.opened, 1);
	request = session_progress(r.s).data_queued;
	session_rig_text(&r, "hello");
	assert_int_equal(session_progress(r.s).data_queued, request + 11);
	assert_int_equal(session_progress(r.s).data_written, request);
	session_ping(r.s, span_str("x"));
	assert_int_equal(session_progress(r.s).control_queued, 7);
	assert_int_equal(session_progress(r.s).control_written, 0);
	session_flush(r.s);
	p = session_progress(r.s);
	assert_int_equal(p.data_written, request + 11);
	assert_int_equal(p.control_written, 7);
	ws_peer_drop(&r.w.peer);
	world_wait_count(&r.w, &r.ended, 1);
	assert_int_equal(session_progress(r.s).data_written, request + 11); /* it is kept */
	session_rig_deinit(&r);
}

#define BIG ((size_t)64 * 1024)

static void fill(struct session_rig *r)
{
	struct msg msg = { .type = MSG_TEXT, .data = { .p = mem_alloc(BIG), .n = BIG } };

	memset((void *)(uintptr_t)msg.data.p, 'z', BIG);
	while (session_send(r->s, msg) == SESSION_SENT)
		;
	free((void *)(uintptr_t)msg.data.p);
}

/* A server that reads nothing: some is in its kernel, some in ours, the rest never left. */
static void test_what_is_lost_is_told(void **state)
{
	struct session_progress p;
	struct session_rig r;
	uint64_t written, acked;
	struct error why;

	(void)state;
	session_rig_init(&r);
	ws_peer_small_window(&r.w.peer);
	session_rig_open(&r, "'socket': {'sndbuf': '64K'}");
	ws_peer_stall(&r.w.peer, true);
	fill(&r);
	world_turn_for(&r.w, 20000);
	p = session_progress(r.s);
	assert_true(session_acked(r.s, &written, &acked));
	assert_int_equal(written, p.data_written + p.control_written);
	assert_in_range(acked, 1, written - 1);
	error_set(&why, ERR_TIMEOUT, "enough");
	session_abort(r.s, &why);
	world_wait_count(&r.w, &r.ended, 1);
	assert_int_equal(r.end.unsent, p.data_queued - p.data_written);
	assert_in_range(r.end.unacked, 1, written - 1);
	assert_false(session_acked(r.s, &written, &acked)); /* there is no connection */
	session_rig_deinit(&r);
}

#define HUGE_TEXT ((size_t)3 * 1024 * 1024)

/* Of all frames that the server saw, if each is a long one. */
static size_t seen_bytes(const char *seen)
{
	size_t n = 0;

	while ((seen = strstr(seen, "...")))
		n += strtoul(seen += 3, NULL, 10);
	return n;
}

/* One that is cut into parts comes as one, also where the kernel takes only some of it. */
static void test_large_message(void **state)
{
	uint8_t *text = mem_alloc(HUGE_TEXT);
	struct msg msg = { .type = MSG_TEXT, .data = { .p = text, .n = HUGE_TEXT } };

	(void)state;
	memset(text, 'z', HUGE_TEXT);
	for (int stalled = 0; stalled < 2; stalled++) {
		struct session_progress p;
		struct session_rig r;

		session_rig_init(&r);
		if (stalled)
			ws_peer_small_window(&r.w.peer);
		session_rig_open(&r, stalled ? "'socket': {'sndbuf': '64K'}" : "");
		ws_peer_stall(&r.w.peer, stalled);
		assert_int_equal(session_send(r.s, msg), SESSION_SENT);
		p = session_progress(r.s);
		assert_true(p.data_written > 0 && p.data_queued > HUGE_TEXT);
		assert_true(!stalled || session_is_full(r.s));
		world_turn_for(&r.w, 20000);
		ws_peer_stall(&r.w.peer, false);
		world_wait_seen(&r.w, "|more zz");
		assert_int_equal(seen_bytes(r.w.peer.seen), HUGE_TEXT);
		assert_int_equal(strncmp(r.w.peer.seen, "text+ zz", 8), 0);
		assert_null(strstr(r.w.peer.seen + 1, "text"));
		assert_int_equal(session_rig_text(&r, "next"), SESSION_SENT);
		world_wait_seen(&r.w, "|text next|");
		session_rig_deinit(&r);
	}
	free(text);
}

static void test_nothing_is_lost_in_order(void **state)
{
	struct session_rig r;

	(void)state;
	session_rig_init(&r);
	session_rig_open(&r, "");
	session_rig_text(&r, "hello");
	world_wait_seen(&r.w, "hello|");
	session_rig_close(&r, 1000, "");
	world_wait_count(&r.w, &r.ended, 1);
	assert_int_equal(r.end.unsent, 0);
	assert_int_equal(r.end.unacked, 0);
	session_rig_deinit(&r);
}

#define BUSY(field) "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n" field "\r\n"

static void test_retry_after(void **state)
{
	static const struct {
		const char *answer;
		int64_t after; /* microseconds; 0 = none, 1 = at once */
	} rows[] = {
		{ BUSY("Retry-After: 7\r\n"), 7000000 },
		{ BUSY("retry-after:  120 \r\n"), 120000000 },
		{ BUSY("Retry-After: 0\r\n"), 1 },
		{ BUSY("Retry-After: 99999999999\r\n"), 86400000000 },
		{ BUSY("Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n"), 1 },
		{ BUSY("Retry-After: soon\r\n"), 0 },
		{ BUSY(""), 0 },
		{ "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nRetry-After: 3\r\n\r\n", 3000000 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct session_rig r;

		session_rig_init(&r);
		r.w.peer.answer = rows[i].answer;
		session_rig_begin(&r, "");
		world_wait_count(&r.w, &r.ended, 1);
		assert_int_equal(r.end.retry_after, rows[i].after);
		session_rig_deinit(&r);
	}
}

static void test_retry_after_a_date(void **state)
{
	char date[64], answer[160];
	time_t then = time(NULL) + 100;
	struct session_rig r;
	struct tm tm;

	(void)state;
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&then, &tm));
	snprintf(answer, sizeof(answer), BUSY("Retry-After: %s\r\n"), date);
	session_rig_init(&r);
	r.w.peer.answer = answer;
	session_rig_begin(&r, "");
	world_wait_count(&r.w, &r.ended, 1);
	assert_in_range(r.end.retry_after, 95000000, 100000000);
	session_rig_deinit(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_turn),
		cmocka_unit_test(test_close_before_its_turn),
		cmocka_unit_test(test_free_before_its_turn),
		cmocka_unit_test(test_pause),
		cmocka_unit_test(test_pause_inside_a_message),
		cmocka_unit_test(test_violation_while_paused),
		cmocka_unit_test(test_close_while_paused),
		cmocka_unit_test(test_fragments),
		cmocka_unit_test(test_progress),
		cmocka_unit_test(test_what_is_lost_is_told),
		cmocka_unit_test(test_large_message),
		cmocka_unit_test(test_nothing_is_lost_in_order),
		cmocka_unit_test(test_retry_after),
		cmocka_unit_test(test_retry_after_a_date),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
