/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages through a bridge, and what it does when a side is slow or absent.
 * Its reconfiguration stands in test_bridge_conf.c.
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
#include "net/stream.h"

#define USUAL BRIDGE_FAST ", " BRIDGE_SOCKET

static struct msg msg_of(enum msg_type type, const char *text)
{
	return (struct msg){ .type = type, .data = span_str(text) };
}

static void test_echo(void **state)
{
	struct bridge_rig r;

	(void)state;
	bridge_rig_init(&r, USUAL);
	assert_string_equal(bridge_state(r.b), "closed");
	assert_string_equal(bridge_name(r.b), "feed");
	r.w.peer.echo = true;
	bridge_rig_open(&r);
	bridge_rig_connect(&r, 0);
	bridge_rig_connect(&r, 1);
	local_write(&r.locals[0], "one\ntwo\n");
	bridge_rig_wait_got(&r, 0, "one\ntwo\n");
	bridge_rig_wait_got(&r, 1, "one\ntwo\n");
	assert_string_equal(r.w.peer.seen, "text one|text two|");
	bridge_stop(r.b, 1000, "done");
	bridge_rig_wait(&r, "closed");
	assert_true(bridge_is_stopped(r.b));
	assert_non_null(strstr(r.w.peer.seen, "close 1000 done|"));
	assert_true(r.states >= 4);
	assert_true(r.flushed >= 1);
	bridge_rig_deinit(&r);
}

static void test_unheard(void **state)
{
	struct bridge_rig r;

	(void)state;
	bridge_rig_init(&r, BRIDGE_FAST ", 'endpoints': ['$DIR/x', '$DIR/y']");
	bridge_rig_open(&r);
	ws_peer_text(&r.w.peer, "nobody");
	ws_peer_text(&r.w.peer, "is here");
	while (bridge_rig_info(&r).link.rx.messages < 2)
		world_turn_for(&r.w, 1000);
	assert_int_equal(bridge_rig_info(&r).unheard, 2);
	bridge_rig_connect(&r, 0); /* one of two endpoints is enough */
	ws_peer_text(&r.w.peer, "somebody");
	bridge_rig_wait_got(&r, 0, "somebody\n");
	assert_int_equal(bridge_rig_info(&r).unheard, 2);
	assert_int_equal(bridge_rig_info(&r).dropped, 0);
	bridge_rig_deinit(&r);
}

static void test_outbox_keeps_order(void **state)
{
	struct bridge_rig r;

	(void)state;
	bridge_rig_init(&r, USUAL ", 'on_open': ['hello']");
	bridge_rig_connect(&r, 0);
	local_write(&r.locals[0], "one\ntwo\n");
	bridge_rig_wait_outbox(&r, 2);
	assert_int_equal(bridge_rig_info(&r).outbox_bytes, 6);
	assert_int_equal(bridge_send(r.b, msg_of(MSG_BINARY, "three"), true), BRIDGE_QUEUED);
	assert_int_equal(bridge_send(r.b, msg_of(MSG_TEXT, "never"), false), BRIDGE_NOT_OPEN);
	assert_int_equal(bridge_send_control(r.b, false, span_str("")), BRIDGE_NOT_OPEN);
	bridge_rig_open(&r);
	local_write(&r.locals[0], "four\n");
	world_wait_seen(&r.w, "four|");
	assert_string_equal(r.w.peer.seen, "text hello|text one|text two|binary three|text four|");
	assert_int_equal(bridge_rig_info(&r).outbox_messages, 0);
	assert_int_equal(bridge_rig_info(&r).dropped, 0);
	bridge_rig_deinit(&r);
}

static void test_outbox_time_to_live(void **state)
{
	struct bridge_rig r;

	(void)state;
	bridge_rig_init(&r, USUAL ", 'outbox': {'ttl': '30ms'}");
	bridge_rig_connect(&r, 0);
	local_write(&r.locals[0], "counted\n");
	bridge_rig_wait_outbox(&r, 1);
	bridge_rig_wait_outbox(&r, 0);
	assert_int_equal(bridge_rig_info(&r).outbox_expired, 1);
	assert_int_equal(bridge_rig_info(&r).dropped, 1);
	local_write(&r.locals[0], "old\n");
	bridge_rig_wait_outbox(&r, 1);
	world_turn_for(&r.w, 40000); /* and nobody looks until it is open */
	bridge_rig_open(&r);
	local_write(&r.locals[0], "young\n");
	world_wait_seen(&r.w, "young|");
	assert_string_equal(r.w.peer.seen, "text young|");
	assert_int_equal(bridge_rig_info(&r).outbox_expired, 2);
	bridge_rig_deinit(&r);
}

static const struct {
	const char *options, *seen;
	unsigned rejected, dropped;
} full[] = {
	{ "'outbox': {'size': 140}", "text one|text two|", 1, 0 },
	{ "'outbox': {'size': 140, 'on_full': 'drop-oldest'}", "text two|text three|", 0, 1 },
	{ "'outbox': {'size': 0}", "", 3, 0 },
};

static bool is_dealt_with(void *arg)
{
	struct bridge_info info = bridge_rig_info(arg);

	return info.outbox_messages + info.dropped == 3;
}

static void test_outbox_full(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(full) / sizeof(*full); i++) {
		mem_auto_str options = mem_printf("%s, %s", USUAL, full[i].options);
		struct bridge_rig r;

		bridge_rig_init(&r, options);
		bridge_rig_connect(&r, 0);
		local_write(&r.locals[0], "one\ntwo\nthree\n");
		world_wait(&r.w, is_dealt_with, &r);
		assert_int_equal(bridge_rig_info(&r).outbox_rejected, full[i].rejected);
		assert_int_equal(bridge_rig_info(&r).outbox_dropped, full[i].dropped);
		assert_int_equal(bridge_send(r.b, msg_of(MSG_TEXT, ""), true) == BRIDGE_FULL,
				 i != 1);
		ws_peer_forget(&r.w.peer);
		bridge_rig_open(&r);
		local_write(&r.locals[0], "last\n");
		world_wait_seen(&r.w, "last|");
		assert_memory_equal(r.w.peer.seen, i == 1 ? "text three|" : full[i].seen,
				    i == 1 ? 11 : strlen(full[i].seen));
		bridge_rig_deinit(&r);
	}
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

#define LINE 4096
#define LINES_AT_ONCE 250

static void write_lines(struct local *c, unsigned from)
{
	char line[LINE + 1];

	memset(line, 'x', LINE - 1);
	line[LINE - 1] = '\n';
	line[LINE] = '\0';
	for (unsigned i = from; i < from + LINES_AT_ONCE; i++) {
		char number[16];

		snprintf(number, sizeof(number), "%08u", i);
		memcpy(line, number, 8);
		local_write(c, line);
	}
}

/* Its output holds as much as it may: it has no reason to read on. */
static bool is_full(struct bridge_rig *r)
{
	struct bridge_info info = bridge_rig_info(r);

	const struct session_progress *p = &info.link.progress;

	return p->data_queued - p->data_written >= 1024 * 1024;
}

/* Until the bridge does not read any more, however much the kernel takes; how many lines. */
static unsigned write_until_paused(struct bridge_rig *r)
{
	unsigned n = 0;

	while (r->locals[0].out.len == 0 || !is_full(r)) {
		assert_true(n < 200000);
		if (r->locals[0].out.len > 0) { /* slow, not paused */
			world_turn_for(&r->w, 10000);
			continue;
		}
		write_lines(&r->locals[0], n);
		n += LINES_AT_ONCE;
		world_turn_for(&r->w, 100000);
	}
	return n;
}

static void test_slow_upstream_pauses_local_input(void **state)
{
	struct numbered numbers = { .in_order = true };
	struct bridge_rig r;
	unsigned n;

	(void)state;
	bridge_rig_init(&r, USUAL);
	ws_peer_small_window(&r.w.peer);
	r.w.peer.on_message = check_number;
	r.w.peer.arg = &numbers;
	bridge_rig_open(&r);
	bridge_rig_connect(&r, 0);
	ws_peer_stall(&r.w.peer, true);
	n = write_until_paused(&r);
	assert_true(bridge_rig_info(&r).outbox_messages <= 1);
	assert_int_equal(bridge_send(r.b, msg_of(MSG_TEXT, ""), false), BRIDGE_FULL);
	assert_int_equal(bridge_send_control(r.b, false, span_str("")), BRIDGE_FULL);
	assert_int_equal(bridge_send_control(r.b, true, span_str("")), BRIDGE_FULL);
	ws_peer_stall(&r.w.peer, false);
	world_wait_count(&r.w, &numbers.next, n);
	assert_true(numbers.in_order);
	assert_int_equal(r.locals[0].out.len, 0);
	assert_int_equal(bridge_rig_info(&r).dropped, 0);
	assert_int_equal(bridge_rig_info(&r).outbox_messages, 0);
	bridge_rig_deinit(&r);
}

static bool has_written(void *arg)
{
	const struct bridge_rig *r = arg;

	return r->locals[0].out.len == 0;
}

/* What was paused for the lost connection is the outbox's affair at once, not with the next one. */
static void test_upstream_lost_while_paused(void **state)
{
	struct bridge_rig r;

	(void)state;
	bridge_rig_init(&r, BRIDGE_SOCKET ", 'outbox': {'size': '1G'}, 'reconnect': {'initial': "
					  "'1h', 'max': '1h'}");
	ws_peer_small_window(&r.w.peer);
	bridge_rig_open(&r);
	bridge_rig_connect(&r, 0);
	ws_peer_stall(&r.w.peer, true);
	write_until_paused(&r);
	ws_peer_reset(&r.w.peer);
	world_wait(&r.w, has_written, &r);
	assert_string_equal(bridge_state(r.b), "waiting");
	assert_true(bridge_reconnect(r.b, &r.err));
	local_write(&r.locals[0], "last\n");
	world_wait_seen(&r.w, "text last|");
	assert_int_equal(bridge_rig_info(&r).dropped, 0);
	bridge_rig_deinit(&r);
}

/* After the server's Close nothing may be sent, though TCP is still there. */
static void test_between_close_and_end(void **state)
{
	struct bridge_rig r;

	(void)state;
	bridge_rig_init(&r, USUAL);
	r.w.peer.no_hangup = true;
	bridge_rig_open(&r);
	bridge_rig_connect(&r, 0);
	ws_peer_close(&r.w.peer, 1001, "");
	world_wait_flag(&r.w, &r.w.peer.close_seen);
	local_write(&r.locals[0], "one\ntwo\nthree\n");
	world_wait_count(&r.w, &r.w.peer.upgraded, 2);
	world_wait_seen(&r.w, "three|");
	assert_string_equal(r.w.peer.seen, "close 1001 |text one|text two|text three|");
	bridge_rig_deinit(&r);
}

static void test_slow_local_client_loses_alone(void **state)
{
	struct bridge_rig r;
	struct bridge_info info;
	char *text = mem_alloc(20001);

	(void)state;
	memset(text, 'y', 20000);
	text[20000] = '\0';
	bridge_rig_init(&r, BRIDGE_FAST ", 'endpoint': {'unix': '$DIR/x', 'queue': 100000}");
	bridge_rig_open(&r);
	bridge_rig_connect(&r, 0);
	bridge_rig_connect(&r, 1);
	stream_pause(r.locals[0].stream);
	for (unsigned i = 1; i <= 100; i++) {
		ws_peer_text(&r.w.peer, text);
		world_wait_count(&r.w, &r.locals[1].lines, i);
	}
	info = bridge_rig_info(&r);
	assert_true(info.dropped > 0);
	assert_true(bridge_pending(r.b) > 0);
	stream_resume(r.locals[0].stream);
	world_wait_count(&r.w, &r.locals[0].lines, 100 - (unsigned)info.dropped);
	assert_int_equal(bridge_pending(r.b), 0);
	bridge_rig_deinit(&r);
	free(text);
}

/* The machine was suspended: whoever waits tries now, whoever is open asks the server. */
static void test_check(void **state)
{
	struct bridge_rig r;

	(void)state;
	bridge_rig_init(&r, BRIDGE_SOCKET ", 'reconnect': {'initial': '1h', 'max': '1h', 'slow': "
					  "'1h'}, 'ping': {'interval': 'off'}");
	r.w.peer.answer = "HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n";
	bridge_start(r.b);
	bridge_rig_wait(&r, "waiting");
	r.w.peer.answer = NULL;
	bridge_check(r.b);
	bridge_rig_wait(&r, "open");
	bridge_check(r.b);
	world_wait_seen(&r.w, "ping |");
	bridge_rig_deinit(&r);
}

static void test_refused_records(void **state)
{
	struct bridge_rig r;

	(void)state;
	bridge_rig_init(&r, USUAL ", 'max_message': 8");
	bridge_rig_open(&r);
	bridge_rig_connect(&r, 0);
	local_write(&r.locals[0], "far too long\n\xff\ngood\n");
	world_wait_seen(&r.w, "text good|");
	assert_string_equal(r.w.peer.seen, "text good|");
	assert_int_equal(bridge_rig_info(&r).refused, 2);
	bridge_rig_deinit(&r);
}

static void test_orderly_end(void **state)
{
	struct bridge_rig r;

	(void)state;
	bridge_rig_init(&r, USUAL);
	bridge_rig_open(&r);
	bridge_rig_connect(&r, 0);
	bridge_stop_accepting(r.b);
	assert_false(local_connect(&r.locals[1], r.w.loop, r.w.dir));
	local_write(&r.locals[0], "still heard\n");
	world_wait_seen(&r.w, "still heard|");
	bridge_retire(r.b);
	world_wait_flag(&r.w, &r.locals[0].ended);
	assert_int_equal(bridge_n_endpoints(r.b), 0);
	bridge_rig_wait(&r, "closed");
	assert_false(bridge_has_session(r.b));
	assert_non_null(strstr(r.w.peer.seen, "close 1000 |"));
	bridge_rig_deinit(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_echo),
		cmocka_unit_test(test_unheard),
		cmocka_unit_test(test_outbox_keeps_order),
		cmocka_unit_test(test_outbox_time_to_live),
		cmocka_unit_test(test_outbox_full),
		cmocka_unit_test(test_slow_upstream_pauses_local_input),
		cmocka_unit_test(test_upstream_lost_while_paused),
		cmocka_unit_test(test_between_close_and_end),
		cmocka_unit_test(test_slow_local_client_loses_alone),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_refused_records),
		cmocka_unit_test(test_orderly_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
