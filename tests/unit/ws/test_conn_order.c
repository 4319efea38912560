/* SPDX-License-Identifier: Apache-2.0 */
/* In a conversation: what overtakes what, fragments in both directions, and its end. */
#include "ws/conn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/http_head.h"
#include "ws/limits.h"
#include "ws/peer.h"

enum { MIB = 1 << 20 };

static const struct fr nothing = { 0 };

static struct ws_conn *open_conn(void)
{
	static struct fixed_rand r;
	struct ws_params params = peer_params(&r);

	return peer_open(&params);
}

static enum ws_send_result send(struct ws_conn *c, const char *text, bool more)
{
	return ws_conn_send(c, (struct msg){ .data = span_str(text), .more = more });
}

/* A Ping comes when `written` bytes of 1 MiB have left; how many more leave before its Pong? */
static size_t pong_behind(size_t written)
{
	static const uint8_t mib[MIB];
	const struct fr ping = PING("now");
	const char pong[] = "\x8A\x83\x37\xfa\x21\x3d\x59\x95\x56"; /* "now" masked with PEER_KEY */
	struct ws_conn *c = open_conn();
	struct buf wire;
	const uint8_t *at;
	size_t behind, all;

	buf_init(&wire, 2 * MIB);
	assert_int_equal(
		ws_conn_send(c, (struct msg){ .type = MSG_BINARY, .data = span_of(mib, MIB) }),
		WS_SENT);
	all = ws_conn_output_len(c);
	ws_conn_wrote(c, written);
	peer_expect(c, span_of("\x89\x03now", 5), &ping);
	peer_write(c, &wire);
	at = memmem(buf_bytes(&wire).p, wire.len, pong, sizeof(pong) - 1);
	assert_non_null(at);
	behind = (size_t)(at - buf_bytes(&wire).p);
	assert_int_equal((written + behind) % (WS_FRAME_SIZE + 8), 0);
	assert_int_equal(wire.len, all - written + sizeof(pong) - 1);
	buf_deinit(&wire);
	ws_conn_free(c);
	return behind;
}

static void a_pong_overtakes_a_big_message(void **state)
{
	const size_t frame = WS_FRAME_SIZE + 8;

	(void)state;
	assert_int_equal(pong_behind(0), 0);
	assert_int_equal(pong_behind(1), frame - 1);
	assert_int_equal(pong_behind(frame - 1), 1);
	assert_int_equal(pong_behind(frame), 0);
	assert_int_equal(pong_behind(500000), frame - 500000 % frame);
	assert_int_equal(pong_behind(63 * frame), 0);
}

static void our_pings_overtake_too_but_nothing_comes_behind_a_close(void **state)
{
	const struct fr before[] = { PING("1"), TEXT("one"), TEXT("two"), CLOSE_1000, { 0 } };
	const struct fr pong[] = { PONG("p"), { 0 } };
	const struct fr ping = PING("p"), end = CLOSE_1000, silence[] = { { 0 } };
	struct ws_conn *c = open_conn();

	(void)state;
	assert_int_equal(send(c, "one", false), WS_SENT);
	assert_int_equal(send(c, "two", false), WS_SENT);
	assert_int_equal(ws_conn_ping(c, span_str("1")), WS_SENT);
	assert_int_equal(ws_conn_close(c, 1000, span_of(NULL, 0)), WS_SENT);
	assert_int_equal(ws_conn_ping(c, span_str("2")), WS_NOT_OPEN);
	assert_int_equal(ws_conn_pong(c, span_str("2")), WS_NOT_OPEN);
	peer_expect_output(c, before);
	peer_expect(c, span_of("\x89\x01p", 3), &ping);
	peer_expect_output(c, pong);
	peer_expect(c, span_of("\x88\x02\x03\xE8", 4), &end);
	peer_expect(c, span_of("\x89\x01p", 3), &nothing);
	peer_expect_output(c, silence);
	ws_conn_free(c);
}

static void a_message_may_be_sent_in_fragments(void **state)
{
	const struct fr out[] = { PING("p"),	 TEXT_MORE("one"), MORE(""), MORE("two"),
				  LAST("three"), TEXT("next"),	   { 0 } };
	struct ws_conn *c = open_conn();
	struct msg binary = { .type = MSG_BINARY, .data = span_str("two"), .more = true };

	(void)state;
	assert_int_equal(send(c, "one", true), WS_SENT);
	assert_int_equal(send(c, "", true), WS_SENT);
	assert_int_equal(ws_conn_ping(c, span_str("p")), WS_SENT);
	assert_int_equal(ws_conn_send(c, binary), WS_SENT); /* the first one's type counts */
	assert_int_equal(send(c, "three", false), WS_SENT);
	assert_int_equal(send(c, "next", false), WS_SENT);
	peer_expect_output(c, out);
	ws_conn_free(c);
}

/* A fragment that is cut itself: only the last frame of the last one ends the message. */
static void big_fragments_are_cut_too(void **state)
{
	static char bytes[WS_FRAME_SIZE + 3];
	const struct fr out[] = { FR_MANY(0x01, "x", WS_FRAME_SIZE + 3),
				  FR_MANY(0x00, "x", WS_FRAME_SIZE),
				  MORE("xxx"),
				  FR_MANY(0x00, "x", WS_FRAME_SIZE),
				  LAST("xxx"),
				  { 0 } };
	struct ws_conn *c = open_conn();
	struct msg msg = { .data = span_of(bytes, sizeof(bytes)), .more = true };

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	assert_int_equal(ws_conn_send(c, msg), WS_SENT);
	assert_int_equal(ws_conn_send(c, msg), WS_SENT);
	msg.more = false;
	assert_int_equal(ws_conn_send(c, msg), WS_SENT);
	peer_expect_output(c, out);
	ws_conn_free(c);
}

static void a_fragment_that_was_not_taken_has_not_begun_a_message(void **state)
{
	const struct fr full[] = { TEXT("0123456789"), { 0 } };
	const struct fr out[] = { TEXT_MORE("ab"), LAST(""), { 0 } };
	struct fixed_rand r;
	struct ws_params params = peer_params(&r);
	struct ws_conn *c;

	(void)state;
	params.max_output = 16;
	c = peer_open(&params);
	assert_int_equal(send(c, "0123456789", false), WS_SENT);
	assert_int_equal(send(c, "ab", true), WS_FULL);
	peer_expect_output(c, full);
	assert_int_equal(send(c, "ab", true), WS_SENT);
	assert_int_equal(send(c, "cde", false), WS_FULL);
	assert_int_equal(send(c, "", false), WS_SENT);
	peer_expect_output(c, out);
	ws_conn_free(c);
}

static void tells_how_far_the_output_is(void **state)
{
	struct ws_conn *c = open_conn();
	struct ws_progress start = ws_conn_progress(c), now;

	(void)state;
	assert_true(start.data_queued > 0); /* the request */
	assert_int_equal(start.data_written, start.data_queued);
	assert_int_equal(start.control_queued, 0);
	assert_int_equal(send(c, "1234", false), WS_SENT);
	assert_int_equal(ws_conn_ping(c, span_of(NULL, 0)), WS_SENT);
	assert_int_equal(ws_conn_close(c, 0, span_of(NULL, 0)), WS_SENT);
	now = ws_conn_progress(c);
	assert_int_equal(now.data_queued, start.data_queued + 10 + 6);
	assert_int_equal(now.data_written, start.data_written);
	assert_int_equal(now.control_queued, 6);
	assert_int_equal(now.control_written, 0);
	assert_int_equal(ws_conn_output_len(c), 22);
	ws_conn_wrote(c, 7);
	now = ws_conn_progress(c);
	assert_int_equal(now.control_written, 6);
	assert_int_equal(now.data_written, start.data_written + 1);
	ws_conn_wrote(c, 15);
	now = ws_conn_progress(c);
	assert_int_equal(now.data_written, now.data_queued);
	ws_conn_free(c);
}

static void a_retired_one_keeps_its_answers(void **state)
{
	struct ws_conn *c = open_conn();
	struct ws_progress before, after;

	(void)state;
	peer_expect(c, span_of("\x01\x02xy\x00\x05z", 7), &nothing);
	peer_expect(c, span_of("12", 2), &nothing);
	assert_int_equal(send(c, "lost", false), WS_SENT);
	before = ws_conn_progress(c);
	assert_int_equal(ws_conn_frames(c), 1);
	ws_conn_retire(c);
	ws_conn_retire(c);
	assert_int_equal(ws_conn_frames(c), 1);
	after = ws_conn_progress(c);
	assert_memory_equal(&before, &after, sizeof(before));
	assert_int_equal(after.data_queued - after.data_written, 10);
	assert_int_equal(ws_conn_partial(c), 5);
	assert_int_equal(ws_conn_output_len(c), 0);
	assert_int_equal(ws_conn_wants(c), 0);
	assert_false(ws_conn_is_open(c));
	assert_int_equal(ws_conn_head(c)->status, 101);
	assert_null(ws_conn_subprotocol(c));
	assert_int_equal(ws_conn_error(c)->code, ERR_NONE);
	ws_conn_free(c);
}

#define EURO "\xE2\x82\xAC"

/* clang-format off */
static const struct talk delivered[] = {
	{ "whole messages are as ever", { TEXT("one"), BINARY(""), CLOSE_1000 },
	  { TEXT("one"), BINARY(""), CLOSE_1000 }, { TEXT("one"), BINARY(""), CLOSE_1000 } },
	{ "fragments as they come", { TEXT_MORE("one"), MORE("two"), LAST("three"), CLOSE_1000 },
	  { FR(0x01, "one"), FR(0x01, "two"), TEXT("three"), CLOSE_1000 },
	  { TEXT_MORE("one"), MORE("two"), LAST("three"), CLOSE_1000 } },
	{ "binary ones", { FR(0x02, "\xFF"), MORE("\xE2"), LAST("\x82"), CLOSE_1000 },
	  { FR(0x02, "\xFF"), FR(0x02, "\xE2"), BINARY("\x82"), CLOSE_1000 },
	  { FR(0x02, "\xFF"), MORE("\xE2"), LAST("\x82"), CLOSE_1000 } },
	{ "an empty one is passed over, the last one is not",
	  { TEXT_MORE(""), MORE("a"), MORE(""), LAST(""), TEXT_MORE(""), LAST(""), CLOSE_1000 },
	  { FR(0x01, "a"), TEXT(""), TEXT(""), CLOSE_1000 },
	  { TEXT_MORE("a"), LAST(""), TEXT(""), CLOSE_1000 } },
	{ "characters stay whole",
	  { TEXT_MORE("a\xE2"), MORE("\x82"), MORE("\xAC\xF0\x9F\x98"), LAST("\x80" "b"),
	    CLOSE_1000 },
	  { FR(0x01, "a"), FR(0x01, EURO), TEXT("\xF0\x9F\x98\x80" "b"), CLOSE_1000 },
	  { TEXT_MORE("a"), MORE(EURO), LAST("\xF0\x9F\x98\x80" "b"), CLOSE_1000 } },
	{ "a character that never ends", { TEXT_MORE("a\xE2"), LAST("\x82") },
	  { FR(0x01, "a"), FAIL("a text message is not UTF-8") }, { TEXT_MORE("a"), CLOSE_1007 } },
	{ "an impossible byte", { TEXT_MORE("a"), MORE("\xED\xA0\x80") },
	  { FR(0x01, "a"), FAIL("a text message is not UTF-8") }, { TEXT_MORE("a"), CLOSE_1007 } },
	{ "the size is that of the message",
	  { FR_MANY(0x02, "x", PEER_MAX_MESSAGE), MORE(""), LAST("x") },
	  { FR_MANY(0x02, "x", PEER_MAX_MESSAGE), FAIL("a message is longer than 1048576 bytes") },
	  { FR_PARTS(0x02, "x", PEER_MAX_MESSAGE, WS_FRAME_SIZE), CLOSE_1009 } },
	{ "a new message inside it", { TEXT_MORE("a"), TEXT("b") },
	  { FR(0x01, "a"), FAIL("a message begins inside a fragmented one") },
	  { TEXT_MORE("a"), CLOSE_1002 } },
};
/* clang-format on */

static void fragments_are_delivered_one_by_one(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(delivered) / sizeof(delivered[0]); i++)
		peer_talk_in_fragments(&delivered[i]);
}

/* Those that have been handed out are not lost. */
static void what_would_be_lost_is_what_was_not_delivered(void **state)
{
	const struct fr first = FR(0x01, "abc");
	struct fixed_rand r;
	struct ws_params params = peer_params(&r);
	struct ws_conn *c;

	(void)state;
	params.deliver_fragments = true;
	c = peer_open(&params);
	peer_expect(c,
		    span_of("\x01\x05"
			    "abc\xE2\x82",
			    7),
		    &first);
	assert_int_equal(ws_conn_partial(c), 2);
	peer_expect(c,
		    span_of("\x00\x03\xAC"
			    "d",
			    4),
		    &nothing);
	assert_int_equal(ws_conn_partial(c), 4);
	ws_conn_free(c);
}

/* Unmasks the one message that the frames on the wire are; returns how many frames. */
static size_t join(struct span wire, struct buf *message)
{
	size_t frames = 0;

	while (wire.n > 0) {
		size_t head = frame_header_size(0, true), len = wire.p[1] & 0x7F;

		if (len > 125) {
			len = len == 126 ?
				      (size_t)wire.p[2] << 8 | wire.p[3] :
				      (size_t)wire.p[7] << 16 | (size_t)wire.p[8] << 8 | wire.p[9];
			head = frame_header_size(len, true);
		}
		assert_int_equal(wire.p[0] & 0x0F, frames == 0 ? 2 : 0);
		assert_int_equal(wire.p[0] & 0x80, head + len == wire.n ? 0x80 : 0);
		for (size_t i = 0; i < len; i++) {
			uint8_t byte = (uint8_t)(wire.p[head + i] ^ PEER_KEY[i % 4]);

			assert_true(buf_append(message, span_of(&byte, 1)));
		}
		wire = span_skip(wire, head + len);
		frames++;
	}
	return frames;
}

/* Part for part, of which `leaves` bytes go out each time; the rest waits. */
static void send_parts(const uint8_t *bytes, size_t leaves, size_t parts, size_t frames)
{
	struct msg msg = { .type = MSG_BINARY, .data = span_of(bytes, 250000) };
	struct ws_conn *c = open_conn();
	struct buf wire, message;

	buf_init(&wire, MIB);
	buf_init(&message, MIB);
	for (size_t i = 0; i < parts; i++) {
		struct iovec iov[WS_OUTPUT_IOV];
		size_t n;

		assert_true(msg.data.n > 0);
		assert_int_equal(ws_conn_send_part(c, &msg, 100000), WS_SENT);
		assert_int_equal(ws_conn_output(c, iov), 1);
		n = leaves < iov[0].iov_len ? leaves : iov[0].iov_len;
		assert_true(buf_append(&wire, span_of(iov[0].iov_base, n)));
		ws_conn_wrote(c, n);
	}
	assert_int_equal(msg.data.n, 0);
	peer_write(c, &wire);
	assert_int_equal(join(buf_bytes(&wire), &message), frames);
	assert_true(span_equal(buf_bytes(&message), span_of(bytes, 250000)));
	buf_deinit(&message);
	buf_deinit(&wire);
	ws_conn_free(c);
}

static void a_large_message_leaves_in_parts(void **state)
{
	static uint8_t bytes[250000];
	struct msg small = { .type = MSG_BINARY, .data = span_of(bytes, 100000) };
	struct ws_conn *c = open_conn();

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i % 251);
	send_parts(bytes, MIB, 3, 7 + 7 + 1); /* all that was there has left */
	send_parts(bytes, 50000, 2, 7 + 10);  /* something waits: no more parts */
	send_parts(bytes, 0, 2, 7 + 10);
	assert_int_equal(ws_conn_send_part(c, &small, 100000), WS_SENT); /* it is not large */
	assert_int_equal(small.data.n, 0);
	ws_conn_free(c);
}

static void what_is_above_the_limit_has_no_first_part(void **state)
{
	static uint8_t bytes[250000];
	struct msg msg = { .data = span_of(bytes, sizeof(bytes)) };
	struct fixed_rand r;
	struct ws_params params = peer_params(&r);
	struct ws_conn *c;

	(void)state;
	params.max_output = 200000;
	c = peer_open(&params);
	assert_int_equal(ws_conn_send_part(c, &msg, 100000), WS_FULL);
	assert_int_equal(msg.data.n, sizeof(bytes));
	assert_int_equal(ws_conn_output_len(c), 0);
	ws_conn_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pong_overtakes_a_big_message),
		cmocka_unit_test(our_pings_overtake_too_but_nothing_comes_behind_a_close),
		cmocka_unit_test(a_message_may_be_sent_in_fragments),
		cmocka_unit_test(big_fragments_are_cut_too),
		cmocka_unit_test(a_fragment_that_was_not_taken_has_not_begun_a_message),
		cmocka_unit_test(a_large_message_leaves_in_parts),
		cmocka_unit_test(what_is_above_the_limit_has_no_first_part),
		cmocka_unit_test(tells_how_far_the_output_is),
		cmocka_unit_test(a_retired_one_keeps_its_answers),
		cmocka_unit_test(fragments_are_delivered_one_by_one),
		cmocka_unit_test(what_would_be_lost_is_what_was_not_delivered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
