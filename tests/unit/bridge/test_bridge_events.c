/* SPDX-License-Identifier: Apache-2.0 */
/* What clients of the json framing are told: events, acks, errors; and what they may order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "bridge_rig.h"

#define USUAL BRIDGE_FAST ", " BRIDGE_JSON

static void test_open_and_close(void **state)
{
	struct bridge_rig r;
	mem_auto_str url = NULL;

	(void)state;
	bridge_rig_init(&r, USUAL);
	url = mem_printf("{'type':'open','url':'ws://127.0.0.1:%u/','subprotocol':null,'epoch':1",
			 (unsigned)r.w.peer.port);
	bridge_rig_connect(&r, 0);
	bridge_rig_open(&r);
	bridge_rig_wait_told(&r, 0, url);
	ws_peer_text(&r.w.peer, "one");
	ws_peer_text(&r.w.peer, "two");
	bridge_rig_wait_told(&r, 0, "{'type':'text','seq':1,'epoch':1,'time':");
	bridge_rig_wait_told(&r, 0, "{'type':'text','seq':2,'epoch':1,'time':");
	ws_peer_close(&r.w.peer, 1001, "bye");
	bridge_rig_wait_told(&r, 0,
			     "{'type':'close','code':1001,'reason':'bye','clean':true,"
			     "'retry_in':0.01");
	bridge_rig_wait_told(&r, 0, "'epoch':2");
	ws_peer_text(&r.w.peer, "three");
	bridge_rig_wait_told(&r, 0, "{'type':'text','seq':3,'epoch':2,'time':");
	assert_int_equal(bridge_rig_info(&r).seq, 3);
	ws_peer_drop(&r.w.peer); /* nobody says why: our own sentence does */
	bridge_rig_wait_told(&r, 0, "{'type':'close','code':1006,'reason':'the server");
	bridge_rig_wait_told(&r, 0, "'epoch':3");
	bridge_rig_forget_told(&r, 0);
	bridge_stop(r.b, 1000, "");
	bridge_rig_wait_told(&r, 0,
			     "{'type':'close','code':1000,'reason':'','clean':true,"
			     "'retry_in':null");
	assert_int_equal(r.locals[0].lines, 1);
	bridge_rig_deinit(&r);
}

/* The time of a message is its own, not that of the last one. */
static void test_time(void **state)
{
	struct bridge_rig r;
	struct timespec now;
	mem_auto_str second = NULL;
	mem_auto_str next = NULL;

	(void)state;
	bridge_rig_init(&r, USUAL);
	bridge_rig_connect(&r, 0);
	bridge_rig_open(&r);
	bridge_rig_wait_told(&r, 0, "'type':'open'");
	ws_peer_text(&r.w.peer, "early");
	bridge_rig_wait_told(&r, 0, "'seq':1");
	world_turn_for(&r.w, 1100000);
	clock_gettime(CLOCK_REALTIME, &now);
	second = mem_printf("'seq':2,'epoch':1,'time':%jd.", (intmax_t)now.tv_sec);
	next = mem_printf("'seq':2,'epoch':1,'time':%jd.", (intmax_t)now.tv_sec + 1);
	ws_peer_text(&r.w.peer, "late");
	bridge_rig_wait_told(&r, 0, "'seq':2");
	assert_true(bridge_rig_was_told(&r, 0, second) || bridge_rig_was_told(&r, 0, next));
	bridge_rig_deinit(&r);
}

static void test_failed_attempts(void **state)
{
	struct bridge_rig r;

	(void)state;
	bridge_rig_init(&r, USUAL);
	bridge_rig_connect(&r, 0);
	r.w.peer.answer = "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n";
	bridge_start(r.b);
	bridge_rig_wait_told(&r, 0, "{'type':'error','error':{'code':-32010,");
	bridge_rig_wait_told(&r, 0, "'kind':'bad_status','stage':'handshake','status':401");
	ws_peer_refuse(&r.w.peer);
	bridge_rig_wait_told(&r, 0, "'kind':'connect','stage':'connect'");
	bridge_rig_forget_told(&r, 0);
	bridge_stop(r.b, 1000, ""); /* what we give up ourselves is no error */
	bridge_rig_wait(&r, "closed");
	world_turn_for(&r.w, 5000);
	assert_false(bridge_rig_was_told(&r, 0, "given up"));
	bridge_rig_deinit(&r);
}

static void test_pings(void **state)
{
	struct bridge_rig r;

	(void)state;
	bridge_rig_init(&r, USUAL);
	bridge_rig_connect(&r, 0);
	bridge_rig_say(&r, 0, "{'type':'ping','data':'x','id':'early'}");
	bridge_rig_wait_told(&r, 0, "'kind':'not_open'");
	bridge_rig_wait_told(&r, 0, "'id':'early'");
	bridge_rig_open(&r);
	ws_peer_frame(&r.w.peer, FRAME_PING, true, span_str("hi"));
	bridge_rig_wait_told(&r, 0, "{'type':'ping','data':'hi','time':");
	bridge_rig_say(&r, 0, "{'type':'ping','data':'ours','id':7}");
	world_wait_seen(&r.w, "ping ours|");
	bridge_rig_wait_told(&r, 0, "{'type':'ack','id':7}");
	bridge_rig_wait_told(&r, 0, "{'type':'pong','data':'ours','time':");
	bridge_rig_say(&r, 0, "{'type':'pong','data':'unasked'}");
	world_wait_seen(&r.w, "pong unasked|");
	bridge_rig_deinit(&r);
}

static void test_acks(void **state)
{
	struct bridge_rig r;

	(void)state;
	bridge_rig_init(&r, USUAL);
	bridge_rig_connect(&r, 0);
	bridge_rig_connect(&r, 1);
	bridge_rig_say(&r, 0, "{'type':'text','data':'kept','id':{'n':1}}");
	bridge_rig_wait_outbox(&r, 1);
	bridge_rig_open(&r);
	bridge_rig_wait_told(&r, 0, "{'type':'ack','id':{'n':1}}");
	bridge_rig_say(&r, 0, "{'type':'binary','data':'AAE=','id':'b'}");
	bridge_rig_say(&r, 0, "{'type':'json','data':{'a':0.10}}");
	bridge_rig_wait_told(&r, 0, "{'type':'ack','id':'b'}");
	world_wait_seen(&r.w, "text {\"a\":0.10}|");
	assert_false(bridge_rig_was_told(&r, 1, "ack")); /* it is nobody else's affair */
	assert_int_equal(r.locals[0].lines, 3);
	bridge_rig_deinit(&r);
}

/* More acks at a time than are watched: the clients wait a little, and nothing is lost. */
static void test_many_acks(void **state)
{
	enum { MANY = 6000 };
	struct bridge_rig r;

	(void)state;
	bridge_rig_init(&r, USUAL);
	ws_peer_small_window(&r.w.peer);
	bridge_rig_connect(&r, 0);
	bridge_rig_open(&r);
	bridge_rig_wait_told(&r, 0, "'type':'open'");
	ws_peer_stall(&r.w.peer, true);
	for (unsigned i = 0; i < MANY; i++) {
		char line[200];

		snprintf(line, sizeof(line), "{'type':'text','data':'%100u','id':%u}", i, i);
		bridge_rig_say(&r, 0, line);
	}
	while (bridge_rig_info(&r).outbox_messages == 0)
		world_turn_for(&r.w, 1000);
	world_turn_for(&r.w, 20000);
	assert_int_equal(bridge_rig_info(&r).outbox_messages, 1);
	ws_peer_stall(&r.w.peer, false);
	world_wait_count(&r.w, &r.w.peer.frames, MANY);
	world_wait_count(&r.w, &r.locals[0].lines, MANY + 1);
	assert_true(bridge_rig_was_told(&r, 0, "{'type':'ack','id':0}\n{'type':'ack','id':1}\n"));
	assert_true(bridge_rig_was_told(&r, 0, "{'type':'ack','id':5999}"));
	assert_false(bridge_rig_was_told(&r, 0, "error"));
	bridge_rig_deinit(&r);
}

static const struct {
	const char *options;
	const char *told[3]; /* of the ids 1, 2, 3; NULL = nothing */
} refusals[] = {
	{ "'outbox': {'size': 0}",
	  { "'kind':'not_open','retryable':true},'id':1",
	    "'kind':'not_open','retryable':true},'id':2",
	    "'kind':'not_open','retryable':true},'id':3" } },
	{ "'outbox': {'size': 140}", { NULL, NULL, "'kind':'not_open','retryable':true},'id':3" } },
	{ "'outbox': {'size': 140, 'on_full': 'drop-oldest'}",
	  { "'kind':'overflow','retryable':true},'id':1", NULL, NULL } },
	{ "'outbox': {'ttl': '30ms'}",
	  { "'kind':'timeout','retryable':true},'id':1",
	    "'kind':'timeout','retryable':true},'id':2",
	    "'kind':'timeout','retryable':true},'id':3" } },
};

/* Nobody asks: the errors come by themselves. */
static void test_refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
		mem_auto_str options = mem_printf("%s, %s", USUAL, refusals[i].options);
		struct bridge_rig r;

		bridge_rig_init(&r, options);
		bridge_rig_connect(&r, 0);
		bridge_rig_say(&r, 0, "{'type':'text','data':'a','id':1}");
		bridge_rig_say(&r, 0, "{'type':'text','data':'b','id':2}");
		bridge_rig_say(&r, 0, "{'type':'text','data':'c','id':3}");
		for (size_t k = 0; k < 3; k++)
			if (refusals[i].told[k])
				bridge_rig_wait_told(&r, 0, refusals[i].told[k]);
		for (size_t k = 0; k < 3; k++)
			assert_int_equal(bridge_rig_was_told(&r, 0,
							     k == 0 ? "'id':1" :
							     k == 1 ? "'id':2" :
								      "'id':3"),
					 refusals[i].told[k] != NULL);
		bridge_rig_deinit(&r);
	}
}

static void make_long(char *line, size_t n, const char *id)
{
	int begun = snprintf(line, n, "{'type':'text','id':%s,'data':'", id);

	memset(line + begun, 'x', n - 3 - (size_t)begun);
	memcpy(line + n - 3, "'}", 3);
}

/* What the session had and the kernel did not is lost with the connection, and not sent again. */
static void test_lost_before_the_kernel_had_it(void **state)
{
	static char line[900000];
	struct bridge_rig r;

	(void)state;
	bridge_rig_init(&r, USUAL);
	ws_peer_small_window(&r.w.peer);
	bridge_rig_connect(&r, 0);
	bridge_rig_open(&r);
	ws_peer_stall(&r.w.peer, true);
	make_long(line, sizeof(line), "1"); /* it waits alone, so it is taken at once */
	bridge_rig_say(&r, 0, line);
	while (bridge_rig_info(&r).link.tx.messages < 1)
		world_turn_for(&r.w, 1000);
	assert_false(bridge_rig_was_told(&r, 0, "'ack'"));
	ws_peer_reset(&r.w.peer);
	bridge_rig_wait_told(&r, 0, "the connection was lost before the kernel had it");
	assert_true(bridge_rig_was_told(&r, 0, "'id':1"));
	bridge_rig_wait_told(&r, 0, "'epoch':2");
	bridge_rig_say(&r, 0, "{'type':'text','data':'next','id':2}");
	bridge_rig_wait_told(&r, 0, "{'type':'ack','id':2}");
	world_wait_seen(&r.w, "text next|");
	assert_int_equal(r.w.peer.frames, 1); /* the lost one was not sent again */
	assert_true(bridge_rig_info(&r).link.unsent > 0);
	bridge_rig_deinit(&r);
}

static void test_close_order(void **state)
{
	struct bridge_rig r;

	(void)state;
	bridge_rig_init(&r, USUAL);
	bridge_rig_connect(&r, 0);
	bridge_rig_say(&r, 0, "{'type':'close','id':0}");
	bridge_rig_wait_told(&r, 0, "'kind':'not_open','retryable':true},'id':0");
	assert_false(bridge_rig_was_told(&r, 0, "'time':0.")); /* errors have theirs, too */
	bridge_rig_open(&r);
	bridge_rig_say(&r, 0, "{'type':'text','data':'last'}");
	bridge_rig_say(&r, 0, "{'type':'close','code':4001,'reason':'done','id':5}");
	bridge_rig_say(&r, 0, "{'type':'text','data':'for the next'}");
	bridge_rig_wait_told(&r, 0, "{'type':'ack','id':5}");
	bridge_rig_wait_told(&r, 0,
			     "{'type':'close','code':4001,'reason':'done','clean':true,"
			     "'retry_in':0.01"); /* reconnect decides, as always */
	world_wait_seen(&r.w, "text for the next|");
	assert_string_equal(r.w.peer.seen, "text last|close 4001 done|text for the next|");
	assert_false(r.locals[0].ended);
	bridge_rig_deinit(&r);
}

static void test_close_order_may_be_the_end(void **state)
{
	struct bridge_rig r;

	(void)state;
	bridge_rig_init(&r, BRIDGE_JSON ", 'reconnect': {'when': 'abnormal'}");
	bridge_rig_connect(&r, 0);
	bridge_rig_open(&r);
	bridge_rig_say(&r, 0, "{'type':'close'}");
	bridge_rig_wait_told(&r, 0,
			     "{'type':'close','code':1000,'reason':'','clean':true,"
			     "'retry_in':null");
	bridge_rig_wait(&r, "failed");
	bridge_rig_deinit(&r);
}

static void test_bad_records(void **state)
{
	struct bridge_rig r;

	(void)state;
	bridge_rig_init(&r, USUAL);
	bridge_rig_connect(&r, 0);
	bridge_rig_open(&r);
	bridge_rig_say(&r, 0, "{'type':'txet','data':'a','id':9}");
	bridge_rig_wait_told(&r, 0, "{'type':'error','error':{'code':-32602,");
	bridge_rig_wait_told(&r, 0, "'id':9");
	bridge_rig_say(&r, 0, "{'type':'text','data':'good'}");
	world_wait_seen(&r.w, "text good|");
	assert_int_equal(bridge_rig_info(&r).refused, 1);
	bridge_rig_deinit(&r);
}

static void test_fragments_that_come_in(void **state)
{
	struct bridge_rig r;

	(void)state;
	bridge_rig_init(&r, USUAL ", 'fragments': 'deliver'");
	bridge_rig_connect(&r, 0);
	bridge_rig_open(&r);
	ws_peer_frame(&r.w.peer, FRAME_TEXT, false, span_str("a"));
	bridge_rig_wait_told(&r, 0, "'fin':false,'data':'a'");
	ws_peer_frame(&r.w.peer, FRAME_CONTINUATION, true, span_str("b"));
	bridge_rig_wait_told(&r, 0, "'data':'b'");
	assert_false(bridge_rig_was_told(&r, 0, "'fin':false,'data':'b'"));
	assert_true(bridge_rig_was_told(&r, 0, "{'type':'text','seq':2"));
	bridge_rig_deinit(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open_and_close),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_failed_attempts),
		cmocka_unit_test(test_pings),
		cmocka_unit_test(test_acks),
		cmocka_unit_test(test_many_acks),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_lost_before_the_kernel_had_it),
		cmocka_unit_test(test_close_order),
		cmocka_unit_test(test_close_order_may_be_the_end),
		cmocka_unit_test(test_bad_records),
		cmocka_unit_test(test_fragments_that_come_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
