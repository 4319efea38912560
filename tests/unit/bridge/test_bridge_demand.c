/* SPDX-License-Identifier: Apache-2.0 */
/* "start": "on-demand": dialed for somebody, closed some time after the last has left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <time.h>

#include "bridge_rig.h"

#define DEMAND ", 'start': 'on-demand', 'linger': '250ms'"
#define USUAL BRIDGE_FAST ", " BRIDGE_SOCKET DEMAND

static void begin(struct bridge_rig *r, const char *options)
{
	bridge_rig_init(r, options);
	bridge_begin(r->b);
	assert_string_equal(bridge_state(r->b), "idle");
	assert_int_equal(bridge_rig_info(r).link.state, LINK_STOPPED);
}

static void test_first_and_last_client(void **state)
{
	struct bridge_rig r;

	(void)state;
	begin(&r, USUAL);
	world_turn_for(&r.w, 5000);
	assert_int_equal(r.w.peer.accepted, 0);
	bridge_rig_connect(&r, 0);
	bridge_rig_wait(&r, "open");
	bridge_rig_connect(&r, 1);
	local_close(&r.locals[0]);
	world_turn_for(&r.w, 400000);
	assert_string_equal(bridge_state(r.b), "open"); /* one is left */
	local_close(&r.locals[1]);
	world_turn_for(&r.w, 20000);
	assert_string_equal(bridge_state(r.b), "open"); /* it lingers */
	bridge_rig_wait(&r, "idle");
	assert_string_equal(r.w.peer.seen, "close 1000 |");
	bridge_rig_connect(&r, 0);
	bridge_rig_wait(&r, "open");
	assert_int_equal(bridge_rig_info(&r).link.epoch, 2);
	bridge_rig_deinit(&r);
}

static void test_back_in_time(void **state)
{
	struct bridge_rig r;

	(void)state;
	begin(&r, USUAL);
	for (unsigned i = 0; i < 4; i++) {
		bridge_rig_connect(&r, 0);
		bridge_rig_wait(&r, "open");
		world_turn_for(&r.w, 100000);
		local_close(&r.locals[0]);
		world_turn_for(&r.w, 30000);
	}
	bridge_rig_connect(&r, 0);
	world_turn_for(&r.w, 400000);
	assert_string_equal(bridge_state(r.b), "open");
	assert_int_equal(bridge_rig_info(&r).link.epoch, 1);
	bridge_rig_deinit(&r);
}

static void test_back_while_it_closes(void **state)
{
	struct bridge_rig r;

	(void)state;
	begin(&r, USUAL);
	bridge_rig_connect(&r, 0);
	bridge_rig_wait(&r, "open");
	r.w.peer.no_close = true; /* closing takes a while */
	local_close(&r.locals[0]);
	bridge_rig_wait(&r, "closing");
	bridge_rig_connect(&r, 0);
	local_write(&r.locals[0], "kept\n");
	world_wait_seen(&r.w, "text kept|");
	assert_int_equal(bridge_rig_info(&r).link.epoch, 2);
	bridge_rig_deinit(&r);
}

static void test_asked_for_by_hand(void **state)
{
	struct bridge_rig r;
	struct msg msg = { .type = MSG_TEXT, .data = span_str("sent") };

	(void)state;
	begin(&r, USUAL);
	bridge_start(r.b);
	bridge_rig_wait(&r, "open");
	bridge_rig_wait(&r, "idle");
	assert_int_equal(bridge_send(r.b, msg, false), BRIDGE_NOT_OPEN);
	assert_string_equal(bridge_state(r.b), "idle");
	assert_int_equal(bridge_send(r.b, msg, true), BRIDGE_QUEUED);
	world_wait_seen(&r.w, "text sent|");
	bridge_rig_wait(&r, "idle");
	assert_true(bridge_reconnect(r.b, &r.err));
	bridge_rig_wait(&r, "open");
	bridge_rig_wait(&r, "idle");
	assert_int_equal(bridge_rig_info(&r).link.epoch, 3);
	bridge_rig_deinit(&r);
}

/* "linger": 0 while the server is away: the outbox is waited for, not turned round for. */
static void test_waits_at_rest(void **state)
{
	struct bridge_rig r;
	clock_t before;

	(void)state;
	bridge_rig_init(&r, BRIDGE_SOCKET ", 'start': 'on-demand', 'linger': 0, 'reconnect': "
					  "{'initial': '1h', 'max': '1h'}");
	ws_peer_refuse(&r.w.peer);
	bridge_begin(r.b);
	bridge_rig_connect(&r, 0);
	local_write(&r.locals[0], "kept\n");
	bridge_rig_wait_outbox(&r, 1);
	bridge_rig_wait(&r, "waiting");
	local_close(&r.locals[0]);
	world_turn_for(&r.w, 20000);
	before = clock();
	world_turn_for(&r.w, 500000);
	assert_true(clock() - before < CLOCKS_PER_SEC / 5);
	assert_int_equal(bridge_rig_info(&r).outbox_messages, 1);
	assert_string_equal(bridge_state(r.b), "waiting");
	bridge_rig_deinit(&r);
}

/* What waits for the upstream wants it, too. */
static void test_lingers_for_the_outbox(void **state)
{
	struct bridge_rig r;

	(void)state;
	begin(&r, USUAL ", 'outbox': {'ttl': '10s'}");
	r.w.peer.answer = "HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n";
	bridge_rig_connect(&r, 0);
	local_write(&r.locals[0], "kept\n");
	bridge_rig_wait_outbox(&r, 1);
	local_close(&r.locals[0]);
	world_turn_for(&r.w, 600000);
	assert_string_not_equal(bridge_state(r.b), "idle");
	r.w.peer.answer = NULL;
	world_wait_seen(&r.w, "text kept|");
	bridge_rig_wait(&r, "idle");
	bridge_rig_deinit(&r);
}

static void test_closed_is_not_idle(void **state)
{
	struct bridge_rig r;

	(void)state;
	begin(&r, USUAL);
	bridge_stop(r.b, 1000, "");
	assert_string_equal(bridge_state(r.b), "closed");
	bridge_rig_connect(&r, 0);
	local_write(&r.locals[0], "kept\n");
	bridge_rig_wait_outbox(&r, 1);
	world_turn_for(&r.w, 20000);
	assert_string_equal(bridge_state(r.b), "closed");
	assert_int_equal(r.w.peer.accepted, 0);
	bridge_begin(r.b); /* somebody is here already */
	world_wait_seen(&r.w, "text kept|");
	bridge_rig_deinit(&r);
}

static void test_given_up_until_somebody_comes(void **state)
{
	struct bridge_rig r;

	(void)state;
	begin(&r, BRIDGE_SOCKET DEMAND ", 'reconnect': {'when': 'never'}");
	r.w.peer.answer = "HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n";
	bridge_rig_connect(&r, 0);
	bridge_rig_wait(&r, "failed");
	bridge_rig_connect(&r, 1); /* one more is nobody new */
	local_write(&r.locals[1], "kept\n");
	bridge_rig_wait_outbox(&r, 1);
	world_turn_for(&r.w, 20000);
	assert_int_equal(r.w.peer.accepted, 1);
	r.w.peer.answer = NULL;
	local_close(&r.locals[0]);
	local_close(&r.locals[1]);
	world_turn_for(&r.w, 20000);
	bridge_rig_connect(&r, 0);
	bridge_rig_wait(&r, "open");
	world_wait_seen(&r.w, "text kept|");
	bridge_rig_deinit(&r);
}

static void test_reconfigured(void **state)
{
	static const char plain[] = BRIDGE_FAST ", " BRIDGE_SOCKET;
	struct bridge_rig r;

	(void)state;
	begin(&r, USUAL);
	bridge_rig_configure(&r, plain);
	bridge_rig_wait(&r, "open");
	world_turn_for(&r.w, 400000);
	assert_string_equal(bridge_state(r.b), "open");
	bridge_rig_configure(&r, USUAL);
	bridge_rig_wait(&r, "idle");
	bridge_rig_connect(&r, 0);
	bridge_rig_wait(&r, "open");
	bridge_rig_configure(&r, plain);
	bridge_rig_configure(&r, USUAL); /* somebody is attached */
	world_turn_for(&r.w, 400000);
	assert_string_equal(bridge_state(r.b), "open");
	assert_int_equal(bridge_rig_info(&r).link.epoch, 2);
	/* Another endpoint: its client is gone, without a word. */
	bridge_rig_configure(&r, BRIDGE_FAST DEMAND ", 'endpoint': '$DIR/y'");
	bridge_rig_wait(&r, "idle");
	bridge_rig_deinit(&r);
}

static void test_manual_becomes_on_demand(void **state)
{
	struct bridge_rig r;

	(void)state;
	bridge_rig_init(&r, BRIDGE_FAST ", " BRIDGE_SOCKET ", 'start': 'manual'");
	bridge_begin(r.b);
	bridge_rig_connect(&r, 0);
	world_turn_for(&r.w, 5000);
	assert_string_equal(bridge_state(r.b), "closed");
	bridge_rig_configure(&r, USUAL);
	bridge_rig_wait(&r, "open");
	bridge_rig_deinit(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_and_last_client),
		cmocka_unit_test(test_back_in_time),
		cmocka_unit_test(test_back_while_it_closes),
		cmocka_unit_test(test_asked_for_by_hand),
		cmocka_unit_test(test_lingers_for_the_outbox),
		cmocka_unit_test(test_closed_is_not_idle),
		cmocka_unit_test(test_given_up_until_somebody_comes),
		cmocka_unit_test(test_reconfigured),
		cmocka_unit_test(test_manual_becomes_on_demand),
		cmocka_unit_test(test_waits_at_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
