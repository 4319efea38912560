/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a session: opening, messages, pings, the full output, closing
 * and freeing at every stage. How it may end stands in test_session_end.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/http_head.h"
#include "base/mem.h"
#include "net/dial.h"
#include "session_rig.h"

static void test_opens_once(void **state)
{
	struct session_rig r;
	struct session_details details;
	char peer[32];

	(void)state;
	session_rig_init(&r);
	r.w.peer.subprotocol = "v2.chat";
	session_rig_begin(&r, "'subprotocols': ['v1.chat', 'v2.chat'], 'origin': 'http://x'");
	details = session_rig_details(&r);
	assert_null(details.peer);
	assert_int_equal(details.head.n, 0);
	assert_null(details.subprotocol);
	assert_null(details.report);
	assert_int_equal(details.handshake, -1);
	assert_int_equal(session_rig_text(&r, "too early"), SESSION_NOT_OPEN);
	assert_int_equal(session_ping(r.s, span_str("")), SESSION_NOT_OPEN);
	world_wait_count(&r.w, &r.opened, 1);
	details = session_rig_details(&r);
	assert_string_equal(details.subprotocol, "v2.chat");
	assert_int_equal(world_status_of(details.head), 101);
	assert_true(details.handshake >= 0);
	assert_null(details.tls);
	assert_int_equal(details.body.n, 0);
	snprintf(peer, sizeof(peer), "127.0.0.1:%u", (unsigned)r.w.peer.port);
	assert_string_equal(details.peer, peer);
	assert_string_equal(details.report->peer, peer);
	assert_non_null(strstr(r.w.peer.request, "GET /chat HTTP/1.1\r\n"));
	assert_non_null(strstr(r.w.peer.request, "Sec-WebSocket-Protocol: v1.chat, v2.chat\r\n"));
	assert_non_null(strstr(r.w.peer.request, "Origin: http://x\r\n"));
	session_rig_deinit(&r);
}

static void test_messages_come_and_go_in_order(void **state)
{
	struct session_rig r;

	(void)state;
	session_rig_init(&r);
	session_rig_open(&r, "'on_open': ['hello', {'binary': 'AQI='}]");
	assert_int_equal(session_rig_text(&r, "one"), SESSION_SENT);
	assert_int_equal(
		session_send(r.s, (struct msg){ .type = MSG_BINARY, .data = span_str("two") }),
		SESSION_SENT);
	world_wait_seen(&r.w, "two|");
	assert_string_equal(r.w.peer.seen, "text hello|binary \x01\x02|text one|binary two|");
	ws_peer_text(&r.w.peer, "eins");
	ws_peer_frame(&r.w.peer, FRAME_BINARY, false, span_str("zw"));
	ws_peer_frame(&r.w.peer, FRAME_PING, true, span_str("between"));
	ws_peer_frame(&r.w.peer, FRAME_CONTINUATION, true, span_str("ei"));
	ws_peer_text(&r.w.peer, "");
	world_wait_count(&r.w, &r.messages, 3);
	assert_string_equal(r.got, "text eins|binary zwei|text |");
	world_wait_seen(&r.w, "pong between|");
	assert_true(r.heard >= 1);
	session_rig_deinit(&r);
}

/* The first message comes with the response: both are in one read. */
static void test_message_right_behind_the_response(void **state)
{
	struct session_rig r;

	(void)state;
	session_rig_init(&r);
	ws_peer_small_window(&r.w.peer);
	session_rig_begin(&r, "");
	while (r.w.peer.upgraded == 0)
		world_turn_for(&r.w, 100);
	ws_peer_text(&r.w.peer, "at once");
	world_wait_count(&r.w, &r.messages, 1);
	assert_int_equal(r.opened, 1);
	session_rig_deinit(&r);
}

static void test_pings(void **state)
{
	struct session_rig r;

	(void)state;
	session_rig_init(&r);
	session_rig_open(&r, "");
	assert_int_equal(session_ping(r.s, span_str("there?")), SESSION_SENT);
	world_wait_count(&r.w, &r.pongs, 1);
	assert_string_equal(r.pong, "there?");
	assert_int_equal(session_pong(r.s, span_str("unasked")), SESSION_SENT);
	world_wait_seen(&r.w, "pong unasked|");
	assert_int_equal(r.messages, 0);
	session_rig_deinit(&r);
}

/* An incomplete frame brings a turn, but is no proof of life. */
static void test_turn_without_a_frame(void **state)
{
	struct session_rig r;
	unsigned heard;

	(void)state;
	session_rig_init(&r);
	session_rig_open(&r, "");
	world_turn_for(&r.w, 2000);
	heard = r.heard;
	ws_peer_raw(&r.w.peer, span_str("\x81\x05"
					"hel"));
	world_wait_count(&r.w, &r.turns, r.turns + 1);
	assert_int_equal(r.heard, heard);
	ws_peer_raw(&r.w.peer, span_str("lo"));
	world_wait_count(&r.w, &r.heard, heard + 1);
	assert_string_equal(r.got, "text hello|");
	session_rig_deinit(&r);
}

/* A fragment that is kept until its message is whole is one already. */
static void test_turn_with_a_fragment(void **state)
{
	struct session_rig r;
	unsigned heard;

	(void)state;
	session_rig_init(&r);
	session_rig_open(&r, "");
	world_turn_for(&r.w, 2000);
	heard = r.heard;
	ws_peer_frame(&r.w.peer, FRAME_TEXT, false, span_str("hel"));
	world_wait_count(&r.w, &r.heard, heard + 1);
	assert_int_equal(r.messages, 0);
	ws_peer_frame(&r.w.peer, FRAME_CONTINUATION, true, span_str("lo"));
	world_wait_count(&r.w, &r.heard, heard + 2);
	assert_string_equal(r.got, "text hello|");
	session_rig_deinit(&r);
}

struct numbered {
	unsigned next;
	bool in_order;
};

static void check_number(void *arg, struct span data)
{
	struct numbered *n = arg;
	char expected[16];

	snprintf(expected, sizeof(expected), "%08u", n->next++);
	if (data.n < 8 || memcmp(data.p, expected, 8) != 0)
		n->in_order = false;
}

#define BIG ((size_t)64 * 1024)
#define MANY 400

static enum session_send_result send_number(struct session_rig *r, char *text, unsigned i)
{
	char number[16];

	snprintf(number, sizeof(number), "%08u", i);
	memcpy(text, number, 8);
	return session_send(r->s, (struct msg){ .type = MSG_TEXT, .data = span_of(text, BIG) });
}

static unsigned send_until_full(struct session_rig *r, char *text, unsigned from)
{
	enum session_send_result result = SESSION_SENT;

	while (from < MANY && (result = send_number(r, text, from)) == SESSION_SENT)
		from++;
	assert_true(from == MANY || result == SESSION_FULL);
	return from;
}

static uint64_t unwritten(const struct session_rig *r)
{
	struct session_progress p = session_progress(r->s);

	return p.data_queued - p.data_written;
}

static bool all_written(void *arg)
{
	const struct session_rig *r = arg;

	return unwritten(r) == 0 && r->w.peer.bytes == session_progress(r->s).data_written;
}

static void test_full_output(void **state)
{
	struct numbered numbers = { .in_order = true };
	struct session_rig r;
	unsigned sent, times = 0;
	char *text = mem_alloc(BIG);

	(void)state;
	memset(text, 'x', BIG);
	session_rig_init(&r);
	ws_peer_small_window(&r.w.peer);
	r.w.peer.on_message = check_number;
	r.w.peer.arg = &numbers;
	session_rig_open(&r, "");
	ws_peer_stall(&r.w.peer, true);
	sent = send_until_full(&r, text, 0);
	assert_in_range(sent, 16, MANY - 1);
	assert_true(unwritten(&r) > 0);
	world_turn_for(&r.w, 5000);
	ws_peer_stall(&r.w.peer, false);
	while (sent < MANY) {
		unsigned written = r.written;

		world_wait_count(&r.w, &r.written, written + 1);
		written = sent;
		sent = send_until_full(&r, text, sent);
		times += sent > written;
	}
	world_wait(&r.w, all_written, &r);
	assert_int_equal(numbers.next, MANY);
	assert_true(numbers.in_order);
	assert_true(times > 1);
	session_rig_deinit(&r);
	free(text);
}

static void fill(struct session_rig *r)
{
	char *text = mem_alloc(BIG);

	memset(text, 'z', BIG);
	while (send_number(r, text, 0) == SESSION_SENT)
		;
	free(text);
}

static void note_length(void *arg, struct span data)
{
	size_t *n = arg;

	*n = data.n;
}

struct length {
	const size_t *got;
	size_t expected;
};

static bool has_length(void *arg)
{
	const struct length *l = arg;

	return *l->got == l->expected;
}

/* Above OUTPUT_HIGH by itself; only what comes behind it has to wait. */
static void test_one_large_message_always_fits(void **state)
{
	struct session_rig r;
	size_t n = (size_t)4 * 1024 * 1024, got = 0;
	struct length all = { &got, n };
	char *text = mem_alloc(n);

	(void)state;
	memset(text, 'y', n);
	session_rig_init(&r);
	ws_peer_small_window(&r.w.peer);
	r.w.peer.on_message = note_length;
	r.w.peer.arg = &got;
	session_rig_open(&r, "'max_message': '4M'");
	ws_peer_stall(&r.w.peer, true);
	assert_int_equal(
		session_send(r.s, (struct msg){ .type = MSG_TEXT, .data = span_of(text, n) }),
		SESSION_SENT);
	session_flush(r.s);
	if (unwritten(&r) > n / 2)
		assert_int_equal(session_rig_text(&r, "behind"), SESSION_FULL);
	ws_peer_stall(&r.w.peer, false);
	world_wait(&r.w, has_length, &all);
	assert_int_equal(session_rig_text(&r, "behind"), SESSION_SENT);
	world_wait_seen(&r.w, "text behind|");
	session_rig_deinit(&r);
	free(text);
}

static void close_now(struct session_rig *r)
{
	session_rig_close(r, 1000, "enough");
	assert_int_equal(session_rig_text(r, "late"), SESSION_NOT_OPEN);
}

static void test_close_inside_opened(void **state)
{
	struct session_rig r;

	(void)state;
	session_rig_init(&r);
	r.on_opened = close_now;
	session_rig_open(&r, "'on_open': ['hello']");
	world_wait_count(&r.w, &r.ended, 1);
	assert_string_equal(r.w.peer.seen, "text hello|close 1000 enough|");
	assert_true(r.end.clean);
	session_rig_deinit(&r);
}

/* What the server had sent before it saw our Close is still delivered (RFC 6455, 5.5.1). */
static void test_close_inside_message(void **state)
{
	struct session_rig r;

	(void)state;
	session_rig_init(&r);
	r.on_message = close_now;
	session_rig_open(&r, "");
	ws_peer_text(&r.w.peer, "one");
	ws_peer_text(&r.w.peer, "two");
	world_wait_count(&r.w, &r.ended, 1);
	assert_string_equal(r.got, "text one|text two|");
	assert_string_equal(r.w.peer.seen, "close 1000 enough|");
	session_rig_deinit(&r);
}

static void abort_now(struct session_rig *r)
{
	struct error why;

	error_set(&why, ERR_TIMEOUT, "enough");
	session_abort(r->s, &why);
}

static void test_abort_inside_message(void **state)
{
	struct session_rig r;

	(void)state;
	session_rig_init(&r);
	r.on_message = abort_now;
	session_rig_open(&r, "");
	ws_peer_text(&r.w.peer, "one");
	ws_peer_text(&r.w.peer, "two"); /* of the same run, if it came with it */
	ws_peer_frame(&r.w.peer, FRAME_PING, true, span_str(""));
	ws_peer_text(&r.w.peer, "three");
	world_wait_count(&r.w, &r.ended, 1);
	assert_null(strstr(r.got, "three"));
	assert_int_equal(r.pings, 0);
	assert_non_null(strstr(r.got, "text one|"));
	assert_int_equal(r.end.err.code, ERR_TIMEOUT);
	assert_true(r.end.was_open);
	session_rig_deinit(&r);
}

static bool has_asked(void *arg)
{
	const struct session_rig *r = arg;

	return r->w.peer.request[0] != '\0';
}

static bool client_is_gone(void *arg)
{
	const struct session_rig *r = arg;

	return r->w.peer.eof || r->w.peer.lost || !r->w.peer.accepted;
}

enum stop_at { NEW, CONNECTED, ASKED, OPENED, MESSAGED, FULL, CLOSING, ABORTED, GONE, N_STOPS };

static void go_to(struct session_rig *r, enum stop_at at)
{
	r->w.peer.no_close = true;
	r->w.peer.answer = at == CONNECTED || at == ASKED ? "" : NULL;
	session_rig_begin(r, "");
	if (at == NEW)
		return;
	world_wait_count(&r->w, &r->w.peer.accepted, 1);
	if (at == CONNECTED)
		return;
	world_wait(&r->w, has_asked, r);
	if (at == ASKED)
		return;
	world_wait_count(&r->w, &r->opened, 1);
	if (at == MESSAGED)
		ws_peer_text(&r->w.peer, "on its way");
	if (at == FULL)
		fill(r);
	if (at == CLOSING)
		session_rig_close(r, 1000, "");
	if (at == ABORTED || at == GONE)
		abort_now(r);
	if (at == GONE)
		world_wait_count(&r->w, &r->ended, 1);
}

static void test_free_at_every_stage(void **state)
{
	(void)state;
	for (enum stop_at at = NEW; at < N_STOPS; at++) {
		struct session_rig r;

		session_rig_init(&r);
		go_to(&r, at);
		session_rig_free(&r);
		world_turn_for(&r.w, 3000); /* the rig refuses every callback from here on */
		world_wait(&r.w, client_is_gone, &r);
		session_rig_deinit(&r);
	}
}

static void test_close_at_every_stage_before_open(void **state)
{
	(void)state;
	for (enum stop_at at = NEW; at <= ASKED; at++) {
		struct session_rig r;

		session_rig_init(&r);
		go_to(&r, at);
		session_rig_close(&r, 1000, "");
		session_rig_close(&r, 1000, "");
		world_wait_count(&r.w, &r.ended, 1);
		world_turn_for(&r.w, 3000);
		assert_int_equal(r.ended, 1);
		assert_int_equal(r.opened, 0);
		assert_int_equal(r.end.err.code, ERR_NOT_OPEN);
		assert_int_equal(r.end.close_code, 1006);
		assert_false(r.end.was_open);
		session_rig_deinit(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_opens_once),
		cmocka_unit_test(test_messages_come_and_go_in_order),
		cmocka_unit_test(test_message_right_behind_the_response),
		cmocka_unit_test(test_pings),
		cmocka_unit_test(test_turn_without_a_frame),
		cmocka_unit_test(test_turn_with_a_fragment),
		cmocka_unit_test(test_full_output),
		cmocka_unit_test(test_one_large_message_always_fits),
		cmocka_unit_test(test_close_inside_opened),
		cmocka_unit_test(test_close_inside_message),
		cmocka_unit_test(test_abort_inside_message),
		cmocka_unit_test(test_free_at_every_stage),
		cmocka_unit_test(test_close_at_every_stage_before_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
