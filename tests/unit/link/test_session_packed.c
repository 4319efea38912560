/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session with compression: what goes together and what does not, memory that
 * is given back when nothing is said, and a session that goes while what came
 * is being delivered.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "session_rig.h"

#define ALONE "; client_no_context_takeover; server_no_context_takeover"
#define ANSWER(more) "Sec-WebSocket-Extensions: permessage-deflate" more "\r\n"
#define OPTIONS                     \
	"'ping': {'interval': 0}, " \
	"'compression': {'threshold': 10, 'release_after': '100ms'}"

static const char prose[] = "to be compressed, to be compressed, to be compressed";
static const char noise[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

static void begin(struct session_rig *r, const char *fields)
{
	session_rig_init(r);
	r->w.peer.fields = fields;
	session_rig_open(r, OPTIONS);
}

static struct ws_compression figures(const struct session_rig *r)
{
	return session_rig_details(r).compression;
}

/* Sends it where there is memory for nothing more; was it compressed? */
static bool is_packed_at_once(struct session_rig *r, const char *text)
{
	uint64_t before = figures(r).tx.messages;
	unsigned frames = r->w.peer.frames;

	mem_fail_try_after(1);
	assert_int_equal(session_rig_text(r, text), SESSION_SENT);
	mem_fail_try_after(0);
	world_wait_count(&r->w, &r->w.peer.frames, frames + 1);
	return figures(r).tx.messages > before;
}

static void send_and_wait(struct session_rig *r, const char *text)
{
	unsigned frames = r->w.peer.frames;

	assert_int_equal(session_rig_text(r, text), SESSION_SENT);
	world_wait_count(&r->w, &r->w.peer.frames, frames + 1);
}

static void test_memory_goes_when_nothing_is_said(void **state)
{
	struct session_rig r;

	(void)state;
	begin(&r, ANSWER(""));
	send_and_wait(&r, prose);
	assert_int_equal(figures(&r).tx.messages, 1);
	assert_true(is_packed_at_once(&r, prose)); /* it is there still */
	world_turn_for(&r.w, 300000);
	assert_false(is_packed_at_once(&r, prose)); /* it is gone, and none is to be had */
	send_and_wait(&r, prose);
	assert_int_equal(figures(&r).tx.messages, 3);
	session_rig_deinit(&r);
}

/* Where it only becomes longer it goes as it is; that has taken the memory all the same. */
static void test_memory_goes_when_it_was_of_no_use(void **state)
{
	struct session_rig r;

	(void)state;
	begin(&r, ANSWER(ALONE));
	send_and_wait(&r, noise);
	assert_int_equal(figures(&r).tx.messages, 0);
	world_wait_seen(&r.w, "abcdefghijklmnopqrst");
	assert_true(is_packed_at_once(&r, prose));
	world_turn_for(&r.w, 300000);
	send_and_wait(&r, noise);
	world_turn_for(&r.w, 300000);
	assert_false(is_packed_at_once(&r, prose));
	session_rig_deinit(&r);
}

/* Some are worth it and some are not: they arrive in the order in which they were sent. */
static void test_a_run_stops_at_what_is_compressed(void **state)
{
	const struct msg msgs[] = {
		{ .type = MSG_TEXT, .data = span_str("1") },
		{ .type = MSG_TEXT, .data = span_str("2") },
		{ .type = MSG_TEXT, .data = span_str(prose) },
		{ .type = MSG_TEXT, .data = span_str("3") },
	};
	struct session_rig r;

	(void)state;
	begin(&r, ANSWER(""));
	assert_int_equal(session_send_run(r.s, msgs, 4), 2);
	assert_int_equal(session_send_run(r.s, msgs + 2, 2), 0);
	assert_int_equal(session_send(r.s, msgs[2]), SESSION_SENT);
	assert_int_equal(session_send_run(r.s, msgs + 3, 1), 1);
	world_wait_count(&r.w, &r.w.peer.frames, 4);
	assert_true(strncmp(r.w.peer.seen, "text 1|text 2|text ", 19) == 0);
	assert_non_null(strstr(r.w.peer.seen, "|text 3|"));
	assert_null(strstr(r.w.peer.seen, prose));
	assert_int_equal(figures(&r).tx.messages, 1);
	assert_int_equal(figures(&r).tx.bytes, sizeof(prose) - 1);
	session_rig_deinit(&r);
}

static void free_it(struct session_rig *r)
{
	session_rig_free(r);
}

/* A Ping has come with it, so that there is something to write. */
static void test_freed_when_all_has_been_delivered(void **state)
{
	struct session_rig r;

	(void)state;
	begin(&r, ANSWER(""));
	r.on_turn = free_it;
	ws_peer_raw(&r.w.peer, span_of("\x81\x01"
				       "a"
				       "\x89\x00\xC1\x07\xF2\x48\xCD\xC9\xC9\x07\x00",
				       14));
	world_wait_flag(&r.w, &r.freed);
	assert_string_equal(r.got, "text a|text Hello|");
	session_rig_deinit(&r);
}

static void abort_it(struct session_rig *r)
{
	struct error why = ERROR_INIT;

	error_set(&why, ERR_TIMEOUT, "given up");
	session_abort(r->s, &why);
	r->on_turn = NULL;
}

static void test_given_up_when_all_has_been_delivered(void **state)
{
	struct session_rig r;
	unsigned written;

	(void)state;
	begin(&r, ANSWER(""));
	send_and_wait(&r, prose);
	r.on_turn = abort_it;
	ws_peer_raw(&r.w.peer, span_of("\x89\x00", 2));
	world_wait_count(&r.w, &r.ended, 1);
	written = r.written;
	world_turn_for(&r.w, 200000); /* nor does its timer fire */
	assert_int_equal(r.written, written);
	assert_string_equal(r.end.err.text, "given up");
	session_rig_deinit(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory_goes_when_nothing_is_said),
		cmocka_unit_test(test_memory_goes_when_it_was_of_no_use),
		cmocka_unit_test(test_a_run_stops_at_what_is_compressed),
		cmocka_unit_test(test_freed_when_all_has_been_delivered),
		cmocka_unit_test(test_given_up_when_all_has_been_delivered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
