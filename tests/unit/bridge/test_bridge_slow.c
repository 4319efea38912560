/* SPDX-License-Identifier: Apache-2.0 */
/* "overflow": "block" and "rate": who waits for whom, and what that costs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "bridge_rig.h"
#include "net/stream.h"

#define BLOCK(more)                                                                  \
	BRIDGE_FAST ", 'endpoint': {'unix': '$DIR/x', 'queue': 100000, 'overflow': " \
		    "'block'" more "}"

static char *long_text(size_t n)
{
	char *text = mem_alloc(n + 1);

	memset(text, 'y', n);
	text[n] = '\0';
	return text;
}

static bool is_paused(void *arg)
{
	return bridge_rig_info(arg).paused;
}

static bool is_not_paused(void *arg)
{
	return !is_paused(arg);
}

static void open_with_a_slow_one(struct bridge_rig *r, const char *options)
{
	bridge_rig_init(r, options);
	ws_peer_small_window(&r->w.peer);
	bridge_rig_open(r);
	bridge_rig_connect(r, 0);
	bridge_rig_connect(r, 1);
	stream_pause(r->locals[0].stream);
}

static void send_many(struct bridge_rig *r, size_t size, unsigned n)
{
	char *text = long_text(size);

	for (unsigned i = 0; i < n; i++)
		ws_peer_text(&r->w.peer, text);
	free(text);
}

static void count_message(void *arg, struct span data)
{
	(void)data;
	++*(unsigned *)arg;
}

#define MANY 400

static void test_block_loses_nothing(void **state)
{
	struct endpoint_client c;
	struct bridge_rig r;

	(void)state;
	open_with_a_slow_one(&r, BLOCK(""));
	send_many(&r, 20000, MANY);
	world_wait(&r.w, is_paused, &r);
	world_turn_for(&r.w, 50000);
	assert_true(r.locals[1].lines < MANY); /* nothing is read for the others either */
	assert_true(bridge_pending(r.b) < 2 * 1024 * 1024);
	assert_true(endpoint_client_at(bridge_endpoint(r.b, 0), 0, &c));
	assert_true(c.slow);
	stream_resume(r.locals[0].stream);
	world_wait_count(&r.w, &r.locals[0].lines, MANY);
	world_wait_count(&r.w, &r.locals[1].lines, MANY);
	world_wait(&r.w, is_not_paused, &r);
	assert_int_equal(bridge_rig_info(&r).dropped, 0);
	assert_int_equal(bridge_rig_info(&r).seq, MANY);
	bridge_rig_deinit(&r);
}

/* Messages that are larger than the queue stop the reading at once, not at the end of a turn. */
static void test_block_with_big_messages(void **state)
{
	struct bridge_rig r;

	(void)state;
	open_with_a_slow_one(&r, BLOCK(""));
	send_many(&r, 300000, 20);
	world_wait(&r.w, is_paused, &r);
	world_turn_for(&r.w, 20000);
	assert_true(bridge_pending(r.b) < 2 * 1024 * 1024);
	stream_resume(r.locals[0].stream);
	world_wait_count(&r.w, &r.locals[0].lines, 20);
	world_wait_count(&r.w, &r.locals[1].lines, 20);
	assert_int_equal(bridge_rig_info(&r).dropped, 0);
	bridge_rig_deinit(&r);
}

static bool has_one_client(void *arg)
{
	struct bridge_rig *r = arg;

	return endpoint_n_clients(bridge_endpoint(r->b, 0)) == 1;
}

static void test_block_has_a_time_limit(void **state)
{
	struct bridge_rig r;

	(void)state;
	open_with_a_slow_one(&r, BLOCK(", 'block_timeout': '500ms'"));
	send_many(&r, 20000, MANY);
	world_wait(&r.w, is_paused, &r);
	world_wait(&r.w, has_one_client, &r);
	world_wait_count(&r.w, &r.locals[1].lines, MANY);
	assert_false(bridge_rig_info(&r).paused);
	assert_false(r.locals[1].ended);
	bridge_rig_deinit(&r);
}

/* A slow client that goes, or whose endpoint goes, holds up nobody. */
static void test_the_slow_one_goes(void **state)
{
	struct bridge_rig r;

	(void)state;
	open_with_a_slow_one(&r, BLOCK(""));
	send_many(&r, 20000, MANY);
	world_wait(&r.w, is_paused, &r);
	local_close(&r.locals[0]);
	world_wait_count(&r.w, &r.locals[1].lines, MANY);
	bridge_rig_connect(&r, 2);
	stream_pause(r.locals[2].stream);
	send_many(&r, 20000, MANY);
	world_wait(&r.w, is_paused, &r);
	bridge_rig_configure(&r, BRIDGE_FAST ", " BRIDGE_SOCKET);
	assert_false(bridge_rig_info(&r).paused);
	bridge_rig_connect(&r, 0);
	while (bridge_rig_info(&r).seq < 2 * MANY)
		world_turn_for(&r.w, 1000);
	bridge_rig_deinit(&r);
}

/* Nothing is judged dead while we ourselves do not read, though no Pong can be seen. */
static void test_no_dead_link_while_paused(void **state)
{
	struct bridge_rig r;

	(void)state;
	open_with_a_slow_one(&r, BLOCK("") ", 'ping': {'interval': '100ms', 'timeout': '100ms'}");
	send_many(&r, 20000, MANY);
	world_wait(&r.w, is_paused, &r);
	world_turn_for(&r.w, 600000);
	assert_true(bridge_rig_info(&r).paused);
	assert_int_equal(bridge_rig_info(&r).link.epoch, 1);
	stream_resume(r.locals[0].stream);
	world_wait_count(&r.w, &r.locals[0].lines, MANY);
	assert_int_equal(bridge_rig_info(&r).link.epoch, 1);
	bridge_rig_deinit(&r);
}

#define RATE(n, per, burst) ", 'rate': {'messages': " n ", 'per': '" per "', 'burst': " burst "}"

static void test_rate(void **state)
{
	struct msg msg = { .type = MSG_TEXT, .data = span_str("by hand") };
	struct bridge_rig r;
	int64_t began;

	(void)state;
	bridge_rig_init(&r, BRIDGE_FAST ", " BRIDGE_SOCKET RATE("1", "100ms", "2"));
	bridge_rig_open(&r);
	bridge_rig_connect(&r, 0);
	began = loop_now(r.w.loop);
	local_write(&r.locals[0], "1\n2\n3\n4\n5\n6\n");
	world_wait_seen(&r.w, "text 2|");
	world_turn_for(&r.w, 5000);
	assert_null(strstr(r.w.peer.seen, "text 4|"));
	assert_true(bridge_rig_info(&r).outbox_messages >= 2);
	assert_int_equal(bridge_send(r.b, msg, false), BRIDGE_BUSY);
	assert_int_equal(bridge_send(r.b, msg, true), BRIDGE_QUEUED);
	world_wait_seen(&r.w, "by hand|");
	assert_true(loop_now(r.w.loop) - began >= 5 * 100000); /* seven messages, two at once */
	assert_string_equal(r.w.peer.seen,
			    "text 1|text 2|text 3|text 4|text 5|text 6|text by hand|");
	assert_int_equal(bridge_rig_info(&r).dropped, 0);
	bridge_rig_deinit(&r);
}

static void test_rate_and_a_full_outbox(void **state)
{
	struct bridge_rig r;

	(void)state;
	bridge_rig_init(&r, BRIDGE_FAST ", " BRIDGE_JSON
					", 'outbox': {'size': 140}" RATE("1", "1h", "1"));
	bridge_rig_open(&r);
	bridge_rig_connect(&r, 0);
	bridge_rig_say(&r, 0, "{'type':'text','data':'1','id':1}");
	bridge_rig_say(&r, 0, "{'type':'text','data':'2','id':2}");
	bridge_rig_say(&r, 0, "{'type':'text','data':'3','id':3}");
	bridge_rig_say(&r, 0, "{'type':'text','data':'4','id':4}");
	bridge_rig_wait_told(&r, 0, "{'type':'ack','id':1}");
	bridge_rig_wait_told(&r, 0, "'kind':'overflow','retryable':true},'id':4");
	assert_false(bridge_rig_was_told(&r, 0, "'id':3"));
	assert_int_equal(bridge_rig_info(&r).outbox_messages, 2);
	bridge_rig_configure(&r, BRIDGE_FAST ", " BRIDGE_JSON); /* a change counts at once */
	world_wait_seen(&r.w, "text 3|");
	bridge_rig_deinit(&r);
}

/* What waited in the outbox has filled the upstream: who writes now waits, and loses nothing. */
static void test_slow_upstream_after_an_outage(void **state)
{
	enum { KEPT = 20, LATER = 40 };
	char *text = long_text(100000);
	unsigned n = 0;
	struct bridge_rig r;

	(void)state;
	text[99999] = '\n';
	bridge_rig_init(&r, BRIDGE_FAST ", " BRIDGE_SOCKET ", 'outbox': {'size': '2100K'}");
	ws_peer_small_window(&r.w.peer);
	r.w.peer.on_message = count_message;
	r.w.peer.arg = &n;
	bridge_rig_connect(&r, 0);
	for (unsigned i = 0; i < KEPT; i++)
		local_write(&r.locals[0], text);
	bridge_rig_wait_outbox(&r, KEPT);
	bridge_start(r.b);
	world_wait_count(&r.w, &r.w.peer.upgraded, 1);
	ws_peer_stall(&r.w.peer, true);
	bridge_rig_wait(&r, "open");
	for (unsigned i = 0; i < LATER; i++)
		local_write(&r.locals[0], text);
	world_turn_for(&r.w, 100000);
	assert_int_equal(bridge_rig_info(&r).outbox_rejected, 0);
	ws_peer_stall(&r.w.peer, false);
	world_wait_count(&r.w, &n, KEPT + LATER);
	assert_int_equal(bridge_rig_info(&r).dropped, 0);
	bridge_rig_deinit(&r);
	free(text);
}

/* Answers to a client that reads none of them do not fill our memory. */
static void test_unread_answers(void **state)
{
	enum { BAD = 200000 };
	struct endpoint_client c;
	struct bridge_rig r;
	size_t most = 0;

	(void)state;
	bridge_rig_init(&r, BLOCK(", 'framing': 'json'"));
	bridge_rig_open(&r);
	bridge_rig_connect(&r, 0);
	stream_pause(r.locals[0].stream);
	for (unsigned i = 0; i < BAD; i++)
		local_write(&r.locals[0], "x\n");
	for (unsigned i = 0; i < 500; i++) {
		world_turn_for(&r.w, 2000);
		assert_true(endpoint_client_at(bridge_endpoint(r.b, 0), 0, &c));
		most = c.queued > most ? c.queued : most;
	}
	assert_true(most < 2 << 20);
	bridge_rig_deinit(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_block_loses_nothing),
		cmocka_unit_test(test_block_with_big_messages),
		cmocka_unit_test(test_block_has_a_time_limit),
		cmocka_unit_test(test_the_slow_one_goes),
		cmocka_unit_test(test_no_dead_link_while_paused),
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_rate_and_a_full_outbox),
		cmocka_unit_test(test_slow_upstream_after_an_outage),
		cmocka_unit_test(test_unread_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
