/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A link and its operator: start, stop, reconnect, configure and free in every
 * state, counters, pings. What it does about ends stands in test_link_ends.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/http_head.h"
#include "base/mem.h"
#include "link_rig.h"

static void test_start_and_stop(void **state)
{
	struct link_rig r;
	struct link_info info;

	(void)state;
	link_rig_init(&r, LINK_FAST);
	assert_int_equal(link_state(r.k), LINK_STOPPED);
	link_rig_open(&r);
	info = link_rig_info(&r);
	assert_int_equal(info.state, LINK_OPEN);
	assert_int_equal(info.epoch, 1);
	assert_int_equal(info.reconnects, 0);
	assert_int_equal(info.attempts, 0);
	assert_true(info.retry_in < 0);
	assert_non_null(info.details.peer);
	assert_int_equal(world_status_of(info.details.head), 101);
	assert_int_equal(info.last_close.code, 0);
	assert_in_range(info.since, time(NULL) - 5, time(NULL));
	link_stop(r.k, 1001, "done");
	assert_int_equal(link_state(r.k), LINK_STOPPING);
	assert_int_equal(link_rig_text(&r, "late"), LINK_NOT_OPEN);
	link_rig_wait(&r, LINK_STOPPED);
	info = link_rig_info(&r);
	assert_string_equal(r.w.peer.seen, "close 1001 done|");
	assert_string_equal(r.states, "connecting open stopping stopped ");
	assert_int_equal(info.last_close.code, 1001);
	assert_string_equal(info.last_close.reason, "done");
	assert_true(info.last_close.clean);
	assert_int_equal(info.last_error.code, ERR_NONE);
	assert_null(info.details.peer);
	assert_true(info.retry_in < 0);
	world_turn_for(&r.w, 30000);
	assert_int_equal(r.w.peer.accepted, 1);
	link_rig_deinit(&r);
}

static void test_messages_and_counters(void **state)
{
	struct link_rig r;
	struct link_info info;

	(void)state;
	link_rig_init(&r, LINK_FAST ", 'on_open': ['hello']");
	assert_true(link_rig_info(&r).last_rx < 0);
	assert_int_equal(link_rig_text(&r, "early"), LINK_NOT_OPEN);
	assert_int_equal(link_ping(r.k, span_str("")), LINK_NOT_OPEN);
	r.w.peer.echo = true;
	link_rig_open(&r);
	assert_int_equal(link_rig_text(&r, "one"), LINK_SENT);
	assert_int_equal(link_rig_text(&r, "four"), LINK_SENT);
	assert_int_equal(link_ping(r.k, span_str("p")), LINK_SENT);
	assert_int_equal(link_pong(r.k, span_str("q")), LINK_SENT);
	link_flush(r.k);
	world_wait_count(&r.w, &r.messages, 3);
	world_wait_seen(&r.w, "pong q|");
	assert_string_equal(r.got, "text hello|text one|text four|");
	info = link_rig_info(&r);
	assert_int_equal(info.tx.messages, 2); /* of local clients; on_open is ours */
	assert_int_equal(info.tx.bytes, 7);
	assert_int_equal(info.rx.messages, 3);
	assert_int_equal(info.rx.bytes, 12);
	assert_int_equal(info.progress.data_queued + info.progress.control_queued, r.w.peer.bytes);
	assert_int_equal(info.progress.data_written + info.progress.control_written,
			 r.w.peer.bytes);
	assert_true(info.last_rx >= 0 && info.last_rx < 10);
	assert_true(r.drained >= 1);
	assert_true(r.turns >= 1);
	link_rig_deinit(&r);
}

#define PATIENT                                                                             \
	"'reconnect': {'initial': '1h', 'max': '1h', 'slow': '1h'}, 'timeouts': {'close': " \
	"'30ms'}"
#define NEVER "'reconnect': {'when': 'never'}, 'timeouts': {'close': '30ms'}"
#define FORBIDDEN "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"

static const char *const options_for[LINK_N_STATES] = {
	[LINK_STOPPED] = LINK_FAST,  [LINK_CONNECTING] = LINK_FAST, [LINK_OPEN] = LINK_FAST,
	[LINK_STOPPING] = LINK_FAST, [LINK_RESTARTING] = LINK_FAST, [LINK_WAITING] = PATIENT,
	[LINK_GAVE_UP] = NEVER,
};

/* Brings it into the state; from here on the server behaves. */
static void reach(struct link_rig *r, enum link_state state)
{
	link_rig_init(r, options_for[state]);
	r->w.peer.no_close = true;
	if (state == LINK_CONNECTING)
		r->w.peer.answer = "";
	if (state == LINK_WAITING || state == LINK_GAVE_UP)
		r->w.peer.answer = FORBIDDEN;
	if (state == LINK_STOPPED)
		return;
	link_start(r->k);
	if (state == LINK_STOPPING || state == LINK_RESTARTING)
		link_rig_wait(r, LINK_OPEN);
	if (state == LINK_STOPPING)
		link_stop(r->k, 1000, "");
	if (state == LINK_RESTARTING)
		link_reconnect(r->k);
	link_rig_wait(r, state);
	if (state == LINK_CONNECTING)
		world_wait_count(&r->w, &r->w.peer.accepted, 1);
	r->w.peer.answer = NULL;
	r->w.peer.no_close = false;
}

enum order { START, STOP, RECONNECT, CONFIGURE, CONFIGURE_RECONNECT, N_ORDERS };

static void obey(struct link_rig *r, enum link_state from, enum order order)
{
	switch (order) {
	case START:
		link_start(r->k);
		break;
	case STOP:
		link_stop(r->k, 1000, "");
		break;
	case RECONNECT:
		link_reconnect(r->k);
		break;
	case CONFIGURE:
		link_rig_configure(r, options_for[from], false);
		break;
	case CONFIGURE_RECONNECT:
		link_rig_configure(r, options_for[from], true);
		break;
	case N_ORDERS:
		fail();
	}
}

/* Where it comes to rest, and how many connections were opened on the way. */
static const struct rest {
	enum link_state state;
	unsigned epoch;
} rests[LINK_N_STATES][N_ORDERS] = {
	[LINK_STOPPED] = { [START] = { LINK_OPEN, 1 },
			   [STOP] = { LINK_STOPPED, 0 },
			   [RECONNECT] = { LINK_STOPPED, 0 },
			   [CONFIGURE] = { LINK_STOPPED, 0 },
			   [CONFIGURE_RECONNECT] = { LINK_STOPPED, 0 } },
	[LINK_CONNECTING] = { [START] = { LINK_OPEN, 1 },
			      [STOP] = { LINK_STOPPED, 0 },
			      [RECONNECT] = { LINK_OPEN, 1 },
			      [CONFIGURE] = { LINK_OPEN, 1 },
			      [CONFIGURE_RECONNECT] = { LINK_OPEN, 1 } },
	[LINK_OPEN] = { [START] = { LINK_OPEN, 1 },
			[STOP] = { LINK_STOPPED, 1 },
			[RECONNECT] = { LINK_OPEN, 2 },
			[CONFIGURE] = { LINK_OPEN, 1 },
			[CONFIGURE_RECONNECT] = { LINK_OPEN, 2 } },
	[LINK_STOPPING] = { [START] = { LINK_OPEN, 2 },
			    [STOP] = { LINK_STOPPED, 1 },
			    [RECONNECT] = { LINK_STOPPED, 1 },
			    [CONFIGURE] = { LINK_STOPPED, 1 },
			    [CONFIGURE_RECONNECT] = { LINK_STOPPED, 1 } },
	[LINK_RESTARTING] = { [START] = { LINK_OPEN, 2 },
			      [STOP] = { LINK_STOPPED, 1 },
			      [RECONNECT] = { LINK_OPEN, 2 },
			      [CONFIGURE] = { LINK_OPEN, 2 },
			      [CONFIGURE_RECONNECT] = { LINK_OPEN, 2 } },
	[LINK_WAITING] = { [START] = { LINK_WAITING, 0 },
			   [STOP] = { LINK_STOPPED, 0 },
			   [RECONNECT] = { LINK_OPEN, 1 },
			   [CONFIGURE] = { LINK_WAITING, 0 },
			   [CONFIGURE_RECONNECT] = { LINK_OPEN, 1 } },
	[LINK_GAVE_UP] = { [START] = { LINK_OPEN, 1 },
			   [STOP] = { LINK_STOPPED, 0 },
			   [RECONNECT] = { LINK_OPEN, 1 },
			   [CONFIGURE] = { LINK_GAVE_UP, 0 },
			   [CONFIGURE_RECONNECT] = { LINK_OPEN, 1 } },
};

struct resting {
	struct link_rig *r;
	const struct rest *rest;
};

static bool is_at_rest(void *arg)
{
	const struct resting *w = arg;
	struct link_info info = link_rig_info(w->r);

	return info.state == w->rest->state && info.epoch == w->rest->epoch;
}

static void check_order(enum link_state from, enum order order)
{
	struct link_rig r;
	struct resting w = { &r, &rests[from][order] };

	reach(&r, from);
	obey(&r, from, order);
	world_wait(&r.w, is_at_rest, &w);
	world_turn_for(&r.w, 15000);
	if (!is_at_rest(&w))
		fail_msg("%s, order %d: %s", link_state_name(from), (int)order, r.states);
	link_rig_deinit(&r);
}

static void test_every_order_in_every_state(void **state)
{
	(void)state;
	for (enum link_state from = 0; from < LINK_N_STATES; from++)
		for (enum order order = 0; order < N_ORDERS; order++)
			check_order(from, order);
}

static void test_free_in_every_state(void **state)
{
	(void)state;
	for (enum link_state at = 0; at < LINK_N_STATES; at++) {
		struct link_rig r;

		reach(&r, at);
		link_rig_free(&r);
		world_turn_for(&r.w, 3000); /* the rig refuses every callback from here on */
		link_rig_deinit(&r);
	}
}

/* A moment: longer than the smallest interval an option allows. */
#define MOMENT ((int64_t)350000)

static void test_ping_keeps_a_living_link(void **state)
{
	struct link_rig r;

	(void)state;
	link_rig_init(&r, LINK_FAST ", 'ping': {'interval': '100ms', 'timeout': '1s', "
				    "'payload': 'hi', 'proof': 'pong'}");
	link_rig_open(&r);
	assert_true(link_rig_info(&r).rtt < 0);
	world_turn_for(&r.w, MOMENT);
	assert_non_null(strstr(r.w.peer.seen, "ping hi|ping hi|"));
	assert_true(link_rig_info(&r).rtt >= 0 && link_rig_info(&r).rtt < 1);
	assert_string_equal(r.states, "connecting open ");
	assert_int_equal(r.messages, 0);
	link_rig_deinit(&r);
}

static void test_ping_finds_a_dead_link(void **state)
{
	struct link_rig r;
	struct link_info info;

	(void)state;
	link_rig_init(&r, LINK_FAST ", 'ping': {'interval': '100ms', 'timeout': '50ms'}");
	r.w.peer.no_pong = true;
	link_rig_open(&r);
	link_rig_wait(&r, LINK_WAITING);
	info = link_rig_info(&r);
	assert_int_equal(info.last_error.code, ERR_TIMEOUT);
	assert_string_equal(info.last_error.text, "no answer to a ping within 0.05s");
	assert_int_equal(info.last_close.code, 1006);
	assert_false(info.last_close.clean);
	r.w.peer.no_pong = false;
	link_rig_wait(&r, LINK_OPEN);
	assert_true(link_rig_info(&r).rtt < 0); /* of this connection there is none yet */
	link_rig_deinit(&r);
}

/* A server that talks but answers no Ping: alive by `any`, dead by `pong`. */
static void check_proof(const char *options, bool lives)
{
	struct link_rig r;

	link_rig_init(&r, options);
	r.w.peer.no_pong = true;
	link_rig_open(&r);
	/* twice: before a verdict the buffers are looked into once more (KEEPALIVE_LOOK) */
	for (int i = 0; i < 70 && link_is_open(r.k); i++) {
		if (r.w.peer.stream)
			ws_peer_text(&r.w.peer, "x");
		world_turn_for(&r.w, MOMENT / 35);
	}
	assert_non_null(strstr(r.w.peer.seen, "ping |"));
	assert_int_equal(link_rig_info(&r).last_error.code, lives ? ERR_NONE : ERR_TIMEOUT);
	link_rig_deinit(&r);
}

static void test_proof_of_life(void **state)
{
	(void)state;
	check_proof(LINK_FAST ", 'ping': {'interval': '100ms', 'timeout': '100ms'}", true);
	check_proof(LINK_FAST
		    ", 'ping': {'interval': '100ms', 'timeout': '100ms', 'proof': 'pong'}",
		    false);
}

static void test_ping_is_configured_live(void **state)
{
	struct link_rig r;

	(void)state;
	link_rig_init(&r, LINK_FAST ", 'ping': {'interval': 'off'}");
	link_rig_open(&r);
	world_turn_for(&r.w, MOMENT);
	assert_string_equal(r.w.peer.seen, "");
	link_rig_configure(&r, LINK_FAST ", 'ping': {'interval': '100ms', 'payload': 'now'}",
			   false);
	world_wait_seen(&r.w, "ping now|");
	link_rig_configure(&r, LINK_FAST ", 'ping': {'interval': 'off'}", false);
	world_turn_for(&r.w, 5000);
	ws_peer_forget(&r.w.peer);
	world_turn_for(&r.w, MOMENT);
	assert_string_equal(r.w.peer.seen, "");
	assert_string_equal(r.states, "connecting open ");
	link_rig_deinit(&r);
}

/* A Pong that nobody waits for is no measurement. */
static void test_unsolicited_pong(void **state)
{
	struct link_rig r;

	(void)state;
	link_rig_init(&r, LINK_FAST ", 'ping': {'interval': '100ms', 'timeout': '50ms'}");
	r.w.peer.no_pong = true;
	link_rig_open(&r);
	link_rig_wait(&r, LINK_WAITING); /* its Ping was never answered */
	link_rig_wait(&r, LINK_OPEN);
	ws_peer_frame(&r.w.peer, FRAME_PONG, true, span_str(""));
	world_turn_for(&r.w, 20000);
	assert_true(link_rig_info(&r).rtt < 0);
	link_rig_deinit(&r);
}

static void stop_when_open(struct link_rig *r)
{
	if (link_state(r->k) == LINK_OPEN && link_rig_info(r).epoch == 1)
		link_stop(r->k, 1000, "");
	else if (link_state(r->k) == LINK_STOPPED)
		link_start(r->k);
}

static void reconnect_once(struct link_rig *r)
{
	if (r->messages == 1)
		link_reconnect(r->k);
}

static void test_orders_from_inside_its_events(void **state)
{
	struct link_rig r;

	(void)state;
	link_rig_init(&r, LINK_FAST);
	r.on_state = stop_when_open;
	link_start(r.k);
	world_wait_count(&r.w, &r.w.peer.upgraded, 2);
	link_rig_wait(&r, LINK_OPEN);
	assert_string_equal(r.states, "connecting open stopping stopped connecting open ");
	r.on_message = reconnect_once;
	ws_peer_text(&r.w.peer, "one");
	ws_peer_text(&r.w.peer, "two");
	world_wait_count(&r.w, &r.w.peer.upgraded, 3);
	link_rig_wait(&r, LINK_OPEN);
	assert_string_equal(r.got, "text one|text two|");
	assert_int_equal(link_rig_info(&r).reconnects, 2);
	link_rig_deinit(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_start_and_stop),
		cmocka_unit_test(test_messages_and_counters),
		cmocka_unit_test(test_every_order_in_every_state),
		cmocka_unit_test(test_free_in_every_state),
		cmocka_unit_test(test_ping_keeps_a_living_link),
		cmocka_unit_test(test_ping_finds_a_dead_link),
		cmocka_unit_test(test_proof_of_life),
		cmocka_unit_test(test_ping_is_configured_live),
		cmocka_unit_test(test_unsolicited_pong),
		cmocka_unit_test(test_orders_from_inside_its_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
