/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages in fragments: those that local clients send are never mixed and never ended by a
 * stranger, those that come are pieces to the last one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "bridge_rig.h"
#include "net/stream.h"

#define USUAL BRIDGE_FAST ", " BRIDGE_JSON

static void open_with_three(struct bridge_rig *r, const char *options)
{
	bridge_rig_init(r, options);
	bridge_rig_open(r);
	for (size_t i = 0; i < 3; i++)
		bridge_rig_connect(r, i);
}

/* Client i says so and nothing else happens in between. */
static void say(struct bridge_rig *r, size_t i, const char *type, const char *text, bool more)
{
	char line[200];

	snprintf(line, sizeof(line), "{'type':'%s','data':'%s','id':'%s'%s}", type, text, text,
		 more ? ",'fin':false" : "");
	bridge_rig_say(r, i, line);
	world_turn_for(&r->w, 2000);
}

static void wait_error(struct bridge_rig *r, size_t i, const char *kind, const char *id)
{
	char part[200];

	snprintf(part, sizeof(part), "'kind':'%s'", kind);
	bridge_rig_wait_told(r, i, part);
	snprintf(part, sizeof(part), "},'id':'%s'", id);
	bridge_rig_wait_told(r, i, part);
}

static void test_others_wait(void **state)
{
	struct bridge_rig r;

	(void)state;
	open_with_three(&r, USUAL);
	say(&r, 0, "text", "a1", true);
	world_wait_seen(&r.w, "text+ a1|");
	say(&r, 1, "text", "b", false);
	bridge_rig_wait_outbox(&r, 1);
	assert_int_equal(bridge_send(r.b, (struct msg){ .data = span_str("c") }, false),
			 BRIDGE_BUSY);
	assert_int_equal(bridge_send(r.b, (struct msg){ .data = span_str("c") }, true),
			 BRIDGE_QUEUED);
	bridge_rig_say(&r, 2, "{'type':'ping','data':'p'}"); /* control frames may come between */
	world_wait_seen(&r.w, "ping p|");
	say(&r, 0, "text", "a2", true);
	say(&r, 0, "text", "a3", false);
	world_wait_seen(&r.w, "text c|");
	assert_string_equal(r.w.peer.seen, "text+ a1|ping p|more+ a2|more a3|text b|text c|");
	bridge_rig_wait_told(&r, 0, "{'type':'ack','id':'a3'}");
	bridge_rig_wait_told(&r, 1, "{'type':'ack','id':'b'}");
	assert_int_equal(bridge_rig_info(&r).link.tx.messages, 3);
	bridge_rig_deinit(&r);
}

/* In the outbox, too, a message goes on before another one begins. */
static void test_two_at_once(void **state)
{
	struct bridge_rig r;

	(void)state;
	open_with_three(&r, USUAL);
	say(&r, 0, "text", "a1", true);
	say(&r, 1, "binary", "BBBB", true);
	say(&r, 2, "text", "c", false);
	say(&r, 1, "binary", "bbbb", false);
	bridge_rig_wait_outbox(&r, 3);
	say(&r, 0, "text", "a2", false);
	world_wait_seen(&r.w, "text c|");
	assert_non_null(strstr(r.w.peer.seen, "text+ a1|more a2|binary+ "));
	assert_non_null(strstr(r.w.peer.seen, "|more m\xb6\xdb|text c|"));
	bridge_rig_deinit(&r);
}

static void test_gone_in_the_middle(void **state)
{
	struct bridge_rig r;

	(void)state;
	open_with_three(&r, USUAL);
	say(&r, 0, "text", "a1", true);
	world_wait_seen(&r.w, "text+ a1|");
	say(&r, 1, "text", "b", false);
	bridge_rig_wait_outbox(&r, 1);
	local_close(&r.locals[0]);
	world_wait_seen(&r.w, "text b|");
	assert_string_equal(r.w.peer.seen, "text+ a1|close 1000 |text b|");
	assert_int_equal(bridge_rig_info(&r).link.epoch, 2);
	bridge_rig_wait_told(&r, 1, "{'type':'ack','id':'b'}");
	bridge_rig_deinit(&r);
}

/* It may still read for hours, but whoever writes nothing more ends no message either. */
static void test_end_of_input_in_the_middle(void **state)
{
	struct bridge_rig r;

	(void)state;
	open_with_three(&r, USUAL);
	say(&r, 0, "text", "a1", true);
	world_wait_seen(&r.w, "text+ a1|");
	say(&r, 1, "text", "b", false);
	bridge_rig_wait_outbox(&r, 1);
	stream_shutdown(r.locals[0].stream);
	world_wait_seen(&r.w, "text b|");
	assert_string_equal(r.w.peer.seen, "text+ a1|close 1000 |text b|");
	ws_peer_text(&r.w.peer, "still heard");
	bridge_rig_wait_told(&r, 0, "still heard");
	bridge_rig_deinit(&r);
}

/* The last fragment has been written: nothing is cut. */
static void test_gone_at_the_end(void **state)
{
	struct bridge_rig r;

	(void)state;
	open_with_three(&r, USUAL);
	bridge_rig_say(&r, 0,
		       "{'type':'text','data':'a1','fin':false}\n"
		       "{'type':'text','data':'a2'}");
	local_close(&r.locals[0]);
	world_wait_seen(&r.w, "text+ a1|more a2|");
	world_turn_for(&r.w, 20000);
	assert_int_equal(bridge_rig_info(&r).link.epoch, 1);
	bridge_rig_deinit(&r);
}

/* Of a message that only waited, nobody upstream has heard. */
static void test_gone_while_waiting(void **state)
{
	struct bridge_rig r;

	(void)state;
	open_with_three(&r, USUAL);
	say(&r, 0, "text", "a1", true);
	say(&r, 1, "text", "b1", true);
	bridge_rig_wait_outbox(&r, 1);
	local_close(&r.locals[1]);
	bridge_rig_wait_outbox(&r, 0);
	say(&r, 0, "text", "a2", false);
	say(&r, 2, "text", "c", false);
	world_wait_seen(&r.w, "text c|");
	assert_string_equal(r.w.peer.seen, "text+ a1|more a2|text c|");
	assert_int_equal(bridge_rig_info(&r).link.epoch, 1);
	bridge_rig_deinit(&r);
}

static void test_not_kept_while_not_open(void **state)
{
	struct bridge_rig r;

	(void)state;
	bridge_rig_init(&r, USUAL);
	bridge_rig_connect(&r, 0);
	say(&r, 0, "text", "a1", true);
	wait_error(&r, 0, "not_open", "a1");
	say(&r, 0, "text", "a2", true);
	wait_error(&r, 0, "not_open", "a2");
	bridge_rig_open(&r);
	say(&r, 0, "text", "a3", false); /* still of that message */
	wait_error(&r, 0, "not_open", "a3");
	say(&r, 0, "text", "b", false);
	world_wait_seen(&r.w, "text b|");
	assert_string_equal(r.w.peer.seen, "text b|");
	assert_int_equal(bridge_rig_info(&r).outbox_rejected, 3);
	assert_int_equal(bridge_rig_info(&r).dropped, 3);
	bridge_rig_deinit(&r);
}

static void test_connection_ends_in_the_middle(void **state)
{
	struct bridge_rig r;

	(void)state;
	open_with_three(&r, USUAL);
	say(&r, 0, "text", "a1", true);
	world_wait_seen(&r.w, "text+ a1|");
	say(&r, 1, "text", "b1", true); /* waits, and is not kept either */
	say(&r, 2, "text", "c", false); /* waits, and is kept */
	bridge_rig_wait_outbox(&r, 2);
	ws_peer_drop(&r.w.peer);
	wait_error(&r, 1, "not_open", "b1");
	world_wait_seen(&r.w, "text c|");
	say(&r, 0, "text", "a2", true);
	wait_error(&r, 0, "not_open", "a2");
	say(&r, 0, "text", "a3", false);
	say(&r, 1, "text", "b2", false);
	wait_error(&r, 0, "not_open", "a3");
	wait_error(&r, 1, "not_open", "b2");
	say(&r, 0, "text", "a", false);
	say(&r, 1, "text", "b", false);
	world_wait_seen(&r.w, "text b|");
	assert_string_equal(r.w.peer.seen, "text+ a1|text c|text a|text b|");
	bridge_rig_deinit(&r);
}

static void test_of_one_type(void **state)
{
	struct bridge_rig r;

	(void)state;
	open_with_three(&r, USUAL);
	say(&r, 0, "text", "a1", true);
	say(&r, 0, "binary", "AAAA", true);
	wait_error(&r, 0, "payload", "AAAA");
	say(&r, 0, "text", "a2", false);
	world_wait_seen(&r.w, "text+ a1|more a2|");
	bridge_rig_deinit(&r);
}

/* One that finds no room in the outbox is refused as a whole. */
static void test_no_room_for_a_fragment(void **state)
{
	struct bridge_rig r;

	(void)state;
	open_with_three(&r, USUAL ", 'outbox': {'size': 150}");
	say(&r, 0, "text", "a1", true);
	say(&r, 1, "text", "b1", true);
	bridge_rig_wait_outbox(&r, 1);
	say(&r, 1, "text", "b2, and this is far too long for what there is room for", true);
	bridge_rig_wait_told(&r, 1, "'kind':'overflow'");
	wait_error(&r, 1, "not_open", "b1");
	bridge_rig_wait_outbox(&r, 0);
	say(&r, 1, "text", "b3", false);
	wait_error(&r, 1, "not_open", "b3");
	say(&r, 0, "text", "a2", false);
	say(&r, 1, "text", "b", false);
	world_wait_seen(&r.w, "text b|");
	assert_string_equal(r.w.peer.seen, "text+ a1|more a2|text b|");
	bridge_rig_deinit(&r);
}

/* What it had ended before was taken, and is sent. */
static void test_no_room_for_the_next_message(void **state)
{
	struct bridge_rig r;

	(void)state;
	open_with_three(&r, USUAL ", 'outbox': {'size': 250}, 'rate': {'messages': 1, 'per': "
				  "'300ms', 'burst': 1}");
	say(&r, 0, "text", "x", false);
	world_wait_seen(&r.w, "text x|");
	say(&r, 0, "text", "a1", true);
	say(&r, 0, "text", "a2", false);
	bridge_rig_wait_outbox(&r, 2);
	say(&r, 0, "text", "b1, for which there is no room left behind those two: it is too long",
	    true);
	bridge_rig_wait_told(&r, 0, "'kind':'overflow'");
	assert_int_equal(bridge_rig_info(&r).outbox_messages, 2);
	local_close(&r.locals[0]); /* in the middle, but of what was refused */
	world_wait_seen(&r.w, "more a2|");
	assert_string_equal(r.w.peer.seen, "text x|text+ a1|more a2|");
	assert_int_equal(bridge_rig_info(&r).outbox_rejected, 1);
	assert_int_equal(bridge_rig_info(&r).link.epoch, 1);
	bridge_rig_deinit(&r);
}

/* Its endpoint is gone after a reload, and so is whoever was to end the message. */
static void test_endpoint_gone_in_the_middle(void **state)
{
	struct bridge_rig r;

	(void)state;
	open_with_three(&r, USUAL);
	say(&r, 0, "text", "a1", true);
	world_wait_seen(&r.w, "text+ a1|");
	bridge_rig_configure(&r, BRIDGE_FAST ", 'endpoint': {'unix': '$DIR/x', 'framing': "
					     "'json', 'mode': '0660'}");
	world_wait_count(&r.w, &r.w.peer.upgraded, 2);
	bridge_rig_connect(&r, 0);
	say(&r, 0, "text", "b", false);
	world_wait_seen(&r.w, "text b|");
	assert_string_equal(r.w.peer.seen, "text+ a1|close 1000 |text b|");
	bridge_rig_deinit(&r);
}

static void send_pieces(struct bridge_rig *r, const char *first, const char *last)
{
	ws_peer_frame(&r->w.peer, FRAME_TEXT, false, span_str(first));
	ws_peer_frame(&r->w.peer, FRAME_CONTINUATION, true, span_str(last));
}

/* The last one is a piece, too, also where it looks like JSON itself. */
static void check_pieces(struct bridge_rig *r)
{
	send_pieces(r, "[1,", "2");
	bridge_rig_wait_told(r, 0, "'fin':false,'data':'[1,'}");
	bridge_rig_wait_told(r, 0, ",'data':'2'}");
	send_pieces(r, "1", "7");
	bridge_rig_wait_told(r, 0, ",'data':'7'}");
	assert_false(bridge_rig_was_told(r, 0, "'inline'"));
	ws_peer_text(&r->w.peer, "8");
	bridge_rig_wait_told(r, 0, "'inline':true,'data':8}");
	bridge_rig_forget_told(r, 0);
}

static void test_pieces_are_no_values(void **state)
{
	static const char *const sharing[] = { "shared", "private" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct bridge_rig r;
		char options[300];

		snprintf(options, sizeof(options),
			 "%s, 'fragments': 'deliver', 'sharing': '%s', 'endpoint': {'unix': "
			 "'$DIR/x', 'framing': 'json', 'data': 'inline', 'events': ['open']}",
			 BRIDGE_FAST, sharing[i]);
		bridge_rig_init(&r, options);
		bridge_start(r.b);
		bridge_rig_connect(&r, 0);
		bridge_rig_wait(&r, "open");
		check_pieces(&r);
		ws_peer_frame(&r.w.peer, FRAME_TEXT, false, span_str("lost"));
		bridge_rig_wait_told(&r, 0, "'data':'lost'}");
		if (i == 0) { /* what comes over the next connection goes on from nothing */
			ws_peer_drop(&r.w.peer);
			bridge_rig_wait_told(&r, 0, "'epoch':2");
			check_pieces(&r);
		}
		bridge_rig_deinit(&r);
	}
}

/* Who begins a message and does not go on with it stands in the way of all others. */
static void test_stops_in_the_middle(void **state)
{
	struct bridge_rig r;

	(void)state;
	open_with_three(&r, USUAL ", 'outbox': {'ttl': '1s'}");
	for (int i = 0; i < 6; i++) { /* slow, but it goes on: longer than the time in all */
		say(&r, 0, "text", "a", true);
		world_turn_for(&r.w, 300000);
	}
	assert_int_equal(r.w.peer.accepted, 1);
	world_wait_count(&r.w, &r.w.peer.accepted, 2);
	say(&r, 0, "text", "z", false);
	wait_error(&r, 0, "not_open", "z");
	say(&r, 1, "text", "b", false);
	world_wait_seen(&r.w, "text b|");
	assert_null(strstr(r.w.peer.seen, "z"));
	bridge_rig_deinit(&r);
}

/* Without a time limit for those that wait there is none for it. */
static void test_may_stop_where_all_may_wait(void **state)
{
	struct bridge_rig r;

	(void)state;
	open_with_three(&r, USUAL ", 'outbox': {'ttl': 0}");
	say(&r, 0, "text", "a1", true);
	say(&r, 1, "text", "b", false);
	world_turn_for(&r.w, 300000);
	say(&r, 0, "text", "a2", false);
	world_wait_seen(&r.w, "text b|");
	assert_string_equal(r.w.peer.seen, "text+ a1|more a2|text b|");
	bridge_rig_deinit(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_others_wait),
		cmocka_unit_test(test_two_at_once),
		cmocka_unit_test(test_gone_in_the_middle),
		cmocka_unit_test(test_end_of_input_in_the_middle),
		cmocka_unit_test(test_gone_at_the_end),
		cmocka_unit_test(test_gone_while_waiting),
		cmocka_unit_test(test_not_kept_while_not_open),
		cmocka_unit_test(test_connection_ends_in_the_middle),
		cmocka_unit_test(test_of_one_type),
		cmocka_unit_test(test_no_room_for_a_fragment),
		cmocka_unit_test(test_no_room_for_the_next_message),
		cmocka_unit_test(test_endpoint_gone_in_the_middle),
		cmocka_unit_test(test_pieces_are_no_values),
		cmocka_unit_test(test_stops_in_the_middle),
		cmocka_unit_test(test_may_stop_where_all_may_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
