/* SPDX-License-Identifier: Apache-2.0 */
/* What a link does about the end of a connection: tries again, remembers why, or gives up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "link_rig.h"

#define FORBIDDEN "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"

static void close_in_order(struct link_rig *r)
{
	ws_peer_close(&r->w.peer, 1000, "bye");
}

static void close_with_error(struct link_rig *r)
{
	ws_peer_close(&r->w.peer, 1011, "oops");
}

static void finish(struct link_rig *r)
{
	ws_peer_finish(&r->w.peer);
}

static void reset(struct link_rig *r)
{
	ws_peer_reset(&r->w.peer);
}

static void violate(struct link_rig *r)
{
	ws_peer_raw(&r->w.peer, span_of("\x83\x00", 2));
}

static const struct {
	void (*act)(struct link_rig *r);
	int close_code;
	const char *reason;
	bool clean;
	enum err code;
} ends[] = {
	{ close_in_order, 1000, "bye", true, ERR_NONE },
	{ close_with_error, 1011, "oops", true, ERR_NONE },
	{ finish, 1006, "", false, ERR_NOT_OPEN },
	{ reset, 1006, "", false, ERR_NOT_OPEN },
	{ violate, 1006, "", false, ERR_PROTOCOL },
};

static void test_reconnects_after_every_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		struct link_rig r;
		struct link_info info;

		link_rig_init(&r, LINK_FAST);
		link_rig_open(&r);
		ends[i].act(&r);
		world_wait_count(&r.w, &r.w.peer.upgraded, 2);
		link_rig_wait(&r, LINK_OPEN);
		assert_string_equal(r.states, "connecting open waiting connecting open ");
		info = link_rig_info(&r);
		assert_int_equal(info.epoch, 2);
		assert_int_equal(info.reconnects, 1);
		assert_int_equal(info.attempts, 0);
		assert_int_equal(info.last_close.code, ends[i].close_code);
		assert_string_equal(info.last_close.reason, ends[i].reason);
		assert_int_equal(info.last_close.clean, ends[i].clean);
		assert_int_equal(info.last_error.code, ends[i].code);
		assert_true((info.last_error_at > 0) == (ends[i].code != ERR_NONE));
		link_rig_deinit(&r);
	}
}

static void test_failed_attempts_are_counted(void **state)
{
	struct link_rig r;
	struct link_info info;

	(void)state;
	link_rig_init(&r, LINK_FAST);
	r.w.peer.answer = FORBIDDEN;
	link_start(r.k);
	world_wait_count(&r.w, &r.w.peer.accepted, 3);
	link_rig_wait(&r, LINK_WAITING);
	info = link_rig_info(&r);
	assert_true(info.attempts >= 3);
	assert_int_equal(info.attempts, r.w.peer.accepted);
	assert_int_equal(info.epoch, 0);
	assert_int_equal(info.last_error.code, ERR_BAD_STATUS);
	assert_int_equal(info.last_error.status, 403);
	assert_true(info.retry_in >= 0 && info.retry_in <= 0.01);
	r.w.peer.answer = NULL;
	link_rig_wait(&r, LINK_OPEN);
	assert_int_equal(link_rig_info(&r).attempts, 0);
	assert_int_equal(link_rig_info(&r).reconnects, 0); /* it is the first one */
	link_rig_deinit(&r);
}

/* Nobody listens: it goes on trying. */
static void test_server_that_is_down(void **state)
{
	struct link_rig r;

	(void)state;
	link_rig_init(&r, LINK_FAST);
	ws_peer_refuse(&r.w.peer);
	link_start(r.k);
	while (link_rig_info(&r).attempts < 3)
		world_turn_for(&r.w, 5000);
	assert_int_equal(link_rig_info(&r).last_error.code, ERR_CONNECT);
	assert_int_equal(link_rig_info(&r).last_close.code, 0); /* nothing was open */
	assert_int_equal(r.w.peer.accepted, 0);
	link_rig_deinit(&r);
}

#define SOON "'initial': '10ms', 'max': '10ms', 'slow': '10ms', 'jitter': 'none'"

static void test_gives_up_after_so_many_attempts(void **state)
{
	struct link_rig r;

	(void)state;
	link_rig_init(&r, "'reconnect': {'attempts': 3, " SOON "}");
	r.w.peer.answer = FORBIDDEN;
	link_start(r.k);
	link_rig_wait(&r, LINK_GAVE_UP);
	assert_int_equal(r.w.peer.accepted, 3);
	assert_true(link_rig_info(&r).retry_in < 0);
	world_turn_for(&r.w, 30000);
	assert_int_equal(r.w.peer.accepted, 3);
	link_start(r.k); /* an order of the operator: all of them again */
	link_rig_wait(&r, LINK_GAVE_UP);
	assert_int_equal(r.w.peer.accepted, 6);
	link_reconnect(r.k);
	link_rig_wait(&r, LINK_GAVE_UP);
	assert_int_equal(r.w.peer.accepted, 9);
	link_rig_deinit(&r);
}

static void test_start_after_stop_counts_anew(void **state)
{
	struct link_rig r;

	(void)state;
	link_rig_init(&r, "'reconnect': {'attempts': 3, 'initial': '1h', 'max': '1h', "
			  "'slow': '1h'}");
	r.w.peer.answer = FORBIDDEN;
	for (unsigned i = 1; i <= 5; i++) {
		link_start(r.k);
		world_wait_count(&r.w, &r.w.peer.accepted, i);
		link_rig_wait(&r, LINK_WAITING); /* and not GAVE_UP at the third */
		link_stop(r.k, 1000, "");
		assert_int_equal(link_state(r.k), LINK_STOPPED);
	}
	link_rig_deinit(&r);
}

static void test_when(void **state)
{
	static const struct {
		const char *when;
		void (*act)(struct link_rig *r);
		enum link_state then;
	} rows[] = {
		{ "'never'", close_in_order, LINK_GAVE_UP },
		{ "'never'", reset, LINK_GAVE_UP },
		{ "'abnormal'", close_in_order, LINK_GAVE_UP },
		{ "'abnormal'", close_with_error, LINK_OPEN },
		{ "'abnormal'", reset, LINK_OPEN },
		{ "'always'", close_in_order, LINK_OPEN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char options[128];
		struct link_rig r;

		snprintf(options, sizeof(options), "'reconnect': {'when': %s, " SOON "}",
			 rows[i].when);
		link_rig_init(&r, options);
		link_rig_open(&r);
		rows[i].act(&r);
		if (rows[i].then == LINK_OPEN)
			world_wait_count(&r.w, &r.w.peer.upgraded, 2);
		link_rig_wait(&r, rows[i].then);
		world_turn_for(&r.w, 20000);
		assert_int_equal(link_state(r.k), rows[i].then);
		link_rig_deinit(&r);
	}
}

/* An end that was asked for is not judged, not even when reconnecting is off. */
static void test_reconnect_is_no_failure(void **state)
{
	struct link_rig r;

	(void)state;
	link_rig_init(&r, "'reconnect': {'when': 'never'}");
	link_rig_open(&r);
	link_reconnect(r.k);
	world_wait_count(&r.w, &r.w.peer.upgraded, 2);
	link_rig_wait(&r, LINK_OPEN);
	assert_string_equal(r.states, "connecting open restarting connecting open ");
	assert_string_equal(r.w.peer.seen, "close 1000 |");
	assert_int_equal(link_rig_info(&r).last_close.code, 1000);
	assert_int_equal(link_rig_info(&r).last_error.code, ERR_NONE);
	link_rig_deinit(&r);
}

static void test_no_ping_between_connections(void **state)
{
	struct link_rig r;

	(void)state;
	link_rig_init(&r, "'reconnect': {'initial': '1h', 'max': '1h'}, 'ping': {'interval': "
			  "'100ms'}");
	link_rig_open(&r);
	finish(&r);
	link_rig_wait(&r, LINK_WAITING);
	world_turn_for(&r.w, 250000);
	assert_string_equal(r.states, "connecting open waiting ");
	assert_string_equal(r.w.peer.seen, "");
	link_rig_deinit(&r);
}

/* The session that is under way ends with its own values, the next one has the new ones. */
static void test_new_configuration_with_the_next_connection(void **state)
{
	struct link_rig r;

	(void)state;
	link_rig_init(&r, LINK_FAST ", 'on_open': ['old']");
	link_rig_open(&r);
	link_rig_configure(&r, LINK_FAST ", 'on_open': ['new'], 'origin': 'http://new'", true);
	world_wait_seen(&r.w, "text new|");
	assert_string_equal(r.w.peer.seen, "text old|close 1000 |text new|");
	assert_non_null(strstr(r.w.peer.request, "Origin: http://new\r\n"));
	link_rig_deinit(&r);
}

static uint64_t packed_at_end;

static void note_packed(struct link_rig *r)
{
	packed_at_end = link_rig_info(r).packed_tx.bytes;
}

/* Of all connections, and each of them once: also while its end is told. */
static void test_what_was_compressed_is_counted_once(void **state)
{
	static const char text[] = "something, something, something";
	struct link_rig r;

	(void)state;
	link_rig_init(&r, LINK_FAST ", 'compression': {'threshold': 10}");
	r.w.peer.fields = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
	r.on_ended = note_packed;
	link_rig_open(&r);
	for (unsigned i = 1; i <= 3; i++) {
		assert_int_equal(link_rig_text(&r, text), LINK_SENT);
		world_wait_count(&r.w, &r.w.peer.frames, i);
		assert_int_equal(link_rig_info(&r).packed_tx.bytes, i * (sizeof(text) - 1));
		ws_peer_finish(&r.w.peer);
		world_wait_count(&r.w, &r.ends, i);
		assert_int_equal(packed_at_end, i * (sizeof(text) - 1));
		world_wait_count(&r.w, &r.w.peer.upgraded, i + 1);
		link_rig_wait(&r, LINK_OPEN);
	}
	assert_int_equal(link_rig_info(&r).packed_tx.messages, 3);
	link_rig_deinit(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reconnects_after_every_end),
		cmocka_unit_test(test_failed_attempts_are_counted),
		cmocka_unit_test(test_server_that_is_down),
		cmocka_unit_test(test_gives_up_after_so_many_attempts),
		cmocka_unit_test(test_start_after_stop_counts_anew),
		cmocka_unit_test(test_when),
		cmocka_unit_test(test_reconnect_is_no_failure),
		cmocka_unit_test(test_no_ping_between_connections),
		cmocka_unit_test(test_new_configuration_with_the_next_connection),
		cmocka_unit_test(test_what_was_compressed_is_counted_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
