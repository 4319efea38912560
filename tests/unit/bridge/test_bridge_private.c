/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "sharing": "private": a connection for each client, ended with it. The
 * trap: the server has one connection at a time, so a second client is the end
 * of the first.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "bridge_rig.h"
#include "link/history.h"
#include "net/stream.h"

#define PRIVATE BRIDGE_FAST ", 'sharing': 'private', 'linger': '250ms', "
#define LINES PRIVATE BRIDGE_SOCKET
#define JSON PRIVATE BRIDGE_JSON
#define RAW PRIVATE "'endpoint': {'unix': '$DIR/x', 'framing': 'raw'}"
#define BROKEN "HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n"

static void begin(struct bridge_rig *r, const char *options)
{
	bridge_rig_init(r, options);
	bridge_begin(r->b);
	assert_string_equal(bridge_state(r->b), "idle");
}

static void connect_open(struct bridge_rig *r, size_t i)
{
	unsigned before = r->w.peer.upgraded;

	bridge_rig_connect(r, i);
	world_wait_count(&r->w, &r->w.peer.upgraded, before + 1);
}

/* Connected, but nobody has looked yet. */
static bool attach(struct bridge_rig *r, size_t i)
{
	mem_auto_str path = mem_printf("%s/x", r->w.dir);

	return local_connect(&r->locals[i], r->w.loop, path);
}

/* At rest: no link, no client. */
static void wait_idle(struct bridge_rig *r)
{
	bridge_rig_wait(r, "idle");
	while (endpoint_n_clients(bridge_endpoint(r->b, 0)) > 0 || bridge_has_session(r->b))
		world_turn_for(&r->w, 1000);
}

static void test_through_and_gone(void **state)
{
	struct bridge_rig r;

	(void)state;
	begin(&r, RAW ", 'outbox': {'size': 0}"); /* the client waits, nothing is kept */
	r.w.peer.echo = true;
	assert_true(bridge_is_stopped(r.b) && bridge_is_private(r.b));
	for (unsigned i = 1; i <= 3; i++) {
		ws_peer_forget(&r.w.peer);
		bridge_rig_connect(&r, 0);
		local_write(&r.locals[0], "early"); /* before there is a connection */
		bridge_rig_wait_got(&r, 0, "early");
		local_write(&r.locals[0], ", late");
		bridge_rig_wait_got(&r, 0, "early, late");
		assert_string_equal(bridge_state(r.b), "open");
		assert_false(bridge_is_stopped(r.b));
		local_close(&r.locals[0]);
		wait_idle(&r);
		assert_string_equal(r.w.peer.seen, "binary early|binary , late|close 1000 |");
		assert_int_equal(bridge_rig_info(&r).link.epoch, i);
		assert_int_equal(bridge_rig_info(&r).link.tx.messages, 2 * i);
		assert_int_equal(bridge_rig_info(&r).link.rx.bytes, 11 * i);
	}
	assert_true(bridge_is_stopped(r.b));
	bridge_rig_deinit(&r);
}

static void test_upstream_ends(void **state)
{
	struct bridge_rig r;

	(void)state;
	begin(&r, LINES);
	connect_open(&r, 0);
	bridge_rig_wait(&r, "open");
	ws_peer_text(&r.w.peer, "last words");
	ws_peer_close(&r.w.peer, 1000, "");
	world_wait_flag(&r.w, &r.locals[0].ended);
	assert_string_equal(r.locals[0].got, "last words\n");
	wait_idle(&r);
	world_turn_for(&r.w, 30000);
	assert_int_equal(r.w.peer.accepted, 1); /* nobody tries again */
	assert_int_equal(bridge_rig_info(&r).link.last_close.code, 1000);
	bridge_rig_deinit(&r);
}

static void test_events(void **state)
{
	struct bridge_rig r;
	const struct history *h;

	(void)state;
	begin(&r, JSON);
	connect_open(&r, 0);
	bridge_rig_wait_told(&r, 0, "{'type':'open','url':'ws://127.0.0.1:");
	ws_peer_text(&r.w.peer, "a");
	ws_peer_frame(&r.w.peer, FRAME_PING, true, span_str("p"));
	bridge_rig_wait_told(&r, 0, "{'type':'text','seq':1,'epoch':1,");
	bridge_rig_wait_told(&r, 0, "{'type':'ping','data':'p'");
	bridge_rig_say(&r, 0, "{'type':'text','data':'b','id':1}");
	bridge_rig_wait_told(&r, 0, "{'type':'ack','id':1}");
	bridge_rig_say(&r, 0, "{'type':'close','code':4000,'id':2}");
	bridge_rig_wait_told(&r, 0,
			     "{'type':'close','code':4000,'reason':'','clean':true,"
			     "'retry_in':null");
	assert_true(bridge_rig_was_told(&r, 0, "{'type':'ack','id':2}"));
	world_wait_flag(&r.w, &r.locals[0].ended);
	wait_idle(&r);
	h = bridge_history(r.b);
	assert_int_equal(history_at(h, h->n - 1).state, LINK_GAVE_UP);
	bridge_rig_deinit(&r);
}

static void test_failed_attempt(void **state)
{
	struct bridge_rig r;

	(void)state;
	begin(&r, JSON);
	r.w.peer.answer = BROKEN;
	bridge_rig_connect(&r, 0);
	world_wait_flag(&r.w, &r.locals[0].ended);
	assert_true(bridge_rig_was_told(&r, 0, "'kind':'bad_status','stage':'handshake'"));
	assert_int_equal(r.locals[0].lines, 1);
	wait_idle(&r);
	assert_int_equal(bridge_rig_info(&r).link.last_error.code, ERR_BAD_STATUS);
	assert_int_equal(r.w.peer.accepted, 1);
	bridge_rig_deinit(&r);
}

/* End of input: everything is sent, answers come for `linger`, then the upstream is closed. */
static void test_end_of_input(void **state)
{
	struct bridge_rig r;
	int64_t ended;

	(void)state;
	begin(&r, LINES);
	bridge_rig_connect(&r, 0);
	local_write(&r.locals[0], "one\ntwo\nthree");
	ended = loop_now(r.w.loop);
	stream_shutdown(r.locals[0].stream);
	world_wait_seen(&r.w, "text three|");
	world_turn_for(&r.w, 20000);
	assert_string_equal(bridge_state(r.b), "open");
	ws_peer_text(&r.w.peer, "answer");
	world_wait_flag(&r.w, &r.locals[0].ended);
	assert_true(loop_now(r.w.loop) - ended >= 250000);
	assert_string_equal(r.locals[0].got, "answer\n");
	assert_string_equal(r.w.peer.seen, "text one|text two|text three|close 1000 |");
	wait_idle(&r);
	bridge_rig_deinit(&r);
}

/* It wrote and went before the handshake was over: what it wrote still counts. */
static void test_gone_before_it_was_open(void **state)
{
	struct bridge_rig r;

	(void)state;
	begin(&r, LINES);
	assert_true(attach(&r, 0));
	local_write(&r.locals[0], "fire and forget\n");
	local_close(&r.locals[0]);
	world_wait_seen(&r.w, "text fire and forget|close 1000 |");
	wait_idle(&r);
	bridge_rig_deinit(&r);
}

static void test_each_has_its_own(void **state)
{
	struct endpoint_client c;
	struct bridge_rig r;

	(void)state;
	begin(&r, LINES);
	connect_open(&r, 0);
	bridge_rig_wait(&r, "open");
	assert_true(endpoint_client_at(bridge_endpoint(r.b, 0), 0, &c));
	assert_string_equal(bridge_client_state(r.b, c.id), "open");
	assert_null(bridge_client_state(r.b, c.id + 1));
	connect_open(&r, 1); /* for this server the end of the first */
	world_wait_flag(&r.w, &r.locals[0].ended);
	ws_peer_text(&r.w.peer, "for the second");
	bridge_rig_wait_got(&r, 1, "for the second\n");
	assert_string_equal(r.locals[0].got, "");
	assert_string_equal(bridge_state(r.b), "open");
	assert_int_equal(bridge_rig_info(&r).link.epoch, 2);
	bridge_rig_deinit(&r);
}

static void test_no_shared_connection(void **state)
{
	struct msg msg = { .type = MSG_TEXT, .data = span_str("x") };
	struct bridge_rig r;

	(void)state;
	begin(&r, LINES);
	connect_open(&r, 0);
	assert_int_equal(bridge_send(r.b, msg, true), BRIDGE_PRIVATE);
	assert_int_equal(bridge_send_control(r.b, true, span_str("")), BRIDGE_PRIVATE);
	assert_false(bridge_reconnect(r.b, &r.err));
	assert_string_equal(r.err.text,
			    "bridge \"feed\" is private: each client has its own connection");
	bridge_rig_deinit(&r);
}

static void test_stop_and_start(void **state)
{
	struct bridge_rig r;

	(void)state;
	begin(&r, JSON);
	connect_open(&r, 0);
	bridge_rig_wait(&r, "open");
	bridge_stop(r.b, 1001, "going away");
	bridge_rig_wait(&r, "closed");
	world_wait_flag(&r.w, &r.locals[0].ended);
	assert_string_equal(r.w.peer.seen, "close 1001 going away|");
	assert_true(bridge_is_stopped(r.b));
	assert_true(attach(&r, 1));
	world_wait_flag(&r.w, &r.locals[1].ended);
	assert_true(bridge_rig_was_told(&r, 1,
					"'message':'bridge \\'feed\\' is closed','kind':"
					"'not_open'"));
	assert_int_equal(r.w.peer.accepted, 1);
	bridge_start(r.b);
	local_close(&r.locals[1]);
	connect_open(&r, 0);
	bridge_rig_wait(&r, "open");
	bridge_retire(r.b);
	world_wait_flag(&r.w, &r.locals[0].ended);
	while (!bridge_is_stopped(r.b))
		world_turn_for(&r.w, 1000);
	assert_non_null(strstr(r.w.peer.seen, "close 1000 |"));
	bridge_rig_deinit(&r);
}

static void test_reconfigured(void **state)
{
	struct bridge_rig r;

	(void)state;
	begin(&r, LINES);
	connect_open(&r, 0);
	bridge_rig_configure_url(&r, "ws://127.0.0.1:$PORT/other", LINES);
	world_turn_for(&r.w, 20000); /* a connection goes on as it began */
	local_write(&r.locals[0], "through\n");
	world_wait_seen(&r.w, "text through|");
	assert_int_equal(r.w.peer.accepted, 1);
	local_close(&r.locals[0]);
	wait_idle(&r);
	connect_open(&r, 0);
	assert_non_null(strstr(r.w.peer.request, "GET /other "));
	/* Its endpoint goes, and it with it. */
	bridge_rig_configure(&r, PRIVATE "'endpoint': {'unix': '$DIR/x', 'mode': '0660'}");
	world_wait_flag(&r.w, &r.locals[0].ended);
	wait_idle(&r);
	bridge_rig_connect(&r, 0);
	bridge_rig_wait(&r, "open");
	/* No longer private: everybody is on the one connection now. */
	bridge_rig_configure(&r, BRIDGE_FAST ", " BRIDGE_SOCKET);
	world_wait_flag(&r.w, &r.locals[0].ended);
	bridge_rig_wait(&r, "open");
	bridge_rig_connect(&r, 0);
	bridge_rig_connect(&r, 1);
	while (!bridge_has_session(r.b) || r.w.peer.upgraded < 4)
		world_turn_for(&r.w, 1000);
	ws_peer_text(&r.w.peer, "both");
	bridge_rig_wait_got(&r, 0, "both\n");
	bridge_rig_wait_got(&r, 1, "both\n");
	bridge_rig_configure(&r, LINES);
	wait_idle(&r);
	bridge_rig_deinit(&r);
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

#define LINES_WRITTEN 2000
#define LINE_SIZE 4096

static void write_lines(struct local *c)
{
	static char line[LINE_SIZE + 1];

	memset(line, 'x', LINE_SIZE - 1);
	line[LINE_SIZE - 1] = '\n';
	for (unsigned i = 0; i < LINES_WRITTEN; i++) {
		char number[16];

		snprintf(number, sizeof(number), "%08u", i);
		memcpy(line, number, 8);
		local_write(c, line);
	}
}

static void test_gone_in_the_middle_of_a_message(void **state)
{
	struct bridge_rig r;

	(void)state;
	begin(&r, JSON);
	connect_open(&r, 0);
	bridge_rig_say(&r, 0, "{'type':'text','data':'a','fin':false}");
	world_wait_seen(&r.w, "text+ a|");
	local_close(&r.locals[0]);
	wait_idle(&r);
	assert_string_equal(r.w.peer.seen, "text+ a|close 1000 |");
	assert_int_equal(r.w.peer.accepted, 1);
	bridge_rig_deinit(&r);
}

/* The client waits, whatever the outbox's size is, and goes on where it was. */
static void test_slow_upstream(void **state)
{
	struct numbered numbers = { .in_order = true };
	struct bridge_rig r;

	(void)state;
	begin(&r, LINES ", 'outbox': {'size': 0}");
	ws_peer_small_window(&r.w.peer);
	r.w.peer.on_message = check_number;
	r.w.peer.arg = &numbers;
	connect_open(&r, 0);
	ws_peer_stall(&r.w.peer, true);
	write_lines(&r.locals[0]);
	while (bridge_rig_info(&r).outbox_messages == 0)
		world_turn_for(&r.w, 1000);
	world_turn_for(&r.w, 20000);
	assert_true(r.locals[0].out.len > 0);
	assert_int_equal(bridge_rig_info(&r).outbox_messages, 1);
	ws_peer_stall(&r.w.peer, false);
	world_wait_count(&r.w, &numbers.next, LINES_WRITTEN);
	assert_true(numbers.in_order);
	assert_int_equal(bridge_rig_info(&r).dropped, 0);
	bridge_rig_deinit(&r);
}

static void test_rate_holds_the_client(void **state)
{
	struct bridge_rig r;

	(void)state;
	begin(&r, LINES ", 'outbox': {'size': 0, 'ttl': '1ms'}, 'rate': {'messages': 1, 'per': "
			"'10ms', 'burst': 1}");
	bridge_rig_connect(&r, 0);
	local_write(&r.locals[0], "1\n2\n3\n4\n5\n6\n");
	stream_shutdown(r.locals[0].stream);
	world_wait_seen(&r.w, "close 1000 |");
	assert_string_equal(r.w.peer.seen,
			    "text 1|text 2|text 3|text 4|text 5|text 6|close 1000 |");
	assert_int_equal(bridge_rig_info(&r).dropped, 0);
	bridge_rig_deinit(&r);
}

/* Gone altogether, with something in hand that has not been sent: that still goes out. */
static void test_rate_and_gone(void **state)
{
	struct bridge_rig r;

	(void)state;
	begin(&r, LINES ", 'rate': {'messages': 1, 'per': '20ms', 'burst': 1}");
	connect_open(&r, 0);
	local_write(&r.locals[0], "1\n2\n3\n4\n");
	local_close(&r.locals[0]);
	world_wait_seen(&r.w, "close 1000 |");
	assert_string_equal(r.w.peer.seen, "text 1|text 2|text 3|text 4|close 1000 |");
	wait_idle(&r);
	bridge_rig_deinit(&r);
}

static void test_block(void **state)
{
	struct bridge_rig r;
	char *text = mem_alloc(20001);

	(void)state;
	memset(text, 'y', 20000);
	text[20000] = '\0';
	begin(&r, PRIVATE "'endpoint': {'unix': '$DIR/x', 'queue': 100000, 'overflow': 'block'}");
	ws_peer_small_window(&r.w.peer);
	connect_open(&r, 0);
	stream_pause(r.locals[0].stream);
	for (unsigned i = 0; i < 400; i++)
		ws_peer_text(&r.w.peer, text);
	while (!bridge_rig_info(&r).paused)
		world_turn_for(&r.w, 1000);
	world_turn_for(&r.w, 20000);
	assert_true(bridge_rig_info(&r).seq < 400);
	stream_resume(r.locals[0].stream);
	world_wait_count(&r.w, &r.locals[0].lines, 400);
	assert_false(bridge_rig_info(&r).paused);
	assert_int_equal(bridge_rig_info(&r).dropped, 0);
	bridge_rig_deinit(&r);
	free(text);
}

static void test_free_in_the_middle(void **state)
{
	struct bridge_rig r;

	(void)state;
	begin(&r, LINES);
	r.w.peer.no_close = true;
	connect_open(&r, 0);
	connect_open(&r, 1);
	local_close(&r.locals[1]);
	assert_true(attach(&r, 2));
	world_turn_for(&r.w, 200);
	bridge_rig_deinit(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_through_and_gone),
		cmocka_unit_test(test_upstream_ends),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_failed_attempt),
		cmocka_unit_test(test_end_of_input),
		cmocka_unit_test(test_gone_before_it_was_open),
		cmocka_unit_test(test_each_has_its_own),
		cmocka_unit_test(test_no_shared_connection),
		cmocka_unit_test(test_stop_and_start),
		cmocka_unit_test(test_reconfigured),
		cmocka_unit_test(test_gone_in_the_middle_of_a_message),
		cmocka_unit_test(test_slow_upstream),
		cmocka_unit_test(test_rate_holds_the_client),
		cmocka_unit_test(test_rate_and_gone),
		cmocka_unit_test(test_block),
		cmocka_unit_test(test_free_in_the_middle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
