/* SPDX-License-Identifier: Apache-2.0 */
/* The order of things in a conversation; its limits are in test_conn_limits.c. */
#include "ws/conn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/http_head.h"
#include "support/chunks.h"
#include "ws/limits.h"
#include "ws/peer.h"

enum { READ = WS_WANT_READ, WRITE = WS_WANT_WRITE };

static const struct fr nothing = { 0 };
static const struct fr silence[] = { { 0 } };

static struct msg text(const char *s)
{
	return (struct msg){ .type = MSG_TEXT, .data = span_str(s) };
}

static struct ws_conn *open_conn(void)
{
	static struct fixed_rand r;
	struct ws_params params = peer_params(&r);

	return peer_open(&params);
}

static void nothing_leaves_before_the_server_agrees(void **state)
{
	struct fixed_rand r;
	struct ws_params params = peer_params(&r);
	struct ws_conn *c = ws_conn_new(&params);
	size_t request = ws_conn_output_len(c);
	struct buf response;

	(void)state;
	assert_true(request > 0);
	assert_int_equal(ws_conn_wants(c), READ | WRITE);
	buf_init(&response, 4096);
	peer_put_response(&response, c);
	for (size_t i = 0; i + 1 < response.len; i++) {
		peer_expect(c, span_of(buf_bytes(&response).p + i, 1), &nothing);
		assert_false(ws_conn_is_open(c));
		assert_int_equal(ws_conn_send(c, text("x")), WS_NOT_OPEN);
		assert_int_equal(ws_conn_ping(c, span_of(NULL, 0)), WS_NOT_OPEN);
		assert_int_equal(ws_conn_pong(c, span_of(NULL, 0)), WS_NOT_OPEN);
		assert_int_equal(ws_conn_close(c, 1000, span_of(NULL, 0)), WS_NOT_OPEN);
	}
	assert_int_equal(ws_conn_output_len(c), request);
	peer_drop_output(c);
	assert_int_equal(ws_conn_wants(c), READ);
	buf_deinit(&response);
	ws_conn_free(c);
}

static void run_first_frames(struct chunks *chunks, void *arg)
{
	struct fixed_rand r;
	struct ws_params params = peer_params(&r);
	struct ws_conn *c = ws_conn_new(&params);
	enum ws_event_type seen[4] = { WS_NONE };
	struct ws_event ev;
	struct span piece;
	size_t n = 0;

	(void)arg;
	while (chunks_next(chunks, &piece)) {
		ws_conn_feed(c, piece);
		while (ws_conn_next(c, &ev) != WS_NONE) {
			assert_true(n < 4);
			seen[n++] = ev.type;
			if (ev.type == WS_MESSAGE)
				assert_true(span_equal(ev.msg.data, span_str("first")));
		}
	}
	assert_int_equal(n, 3);
	assert_int_equal(seen[0], WS_UPGRADED);
	assert_int_equal(seen[1], WS_MESSAGE);
	assert_int_equal(seen[2], WS_PING);
	ws_conn_free(c);
}

static void bytes_behind_the_head_are_frames(void **state)
{
	static const char interim[] = "HTTP/1.1 100 Continue\r\nUpgrade: x\r\n\r\n";
	const struct fr message = TEXT("first"), ping = PING("");
	struct fixed_rand r;
	struct ws_params params = peer_params(&r);
	struct ws_conn *c = ws_conn_new(&params);
	struct buf in;

	(void)state;
	buf_init(&in, 4096);
	assert_true(buf_append(&in, span_str(interim)));
	peer_put_response(&in, c);
	ws_conn_free(c);
	peer_put_server(&in, &message);
	peer_put_server(&in, &ping);
	chunks_each(buf_bytes(&in), run_first_frames, NULL);
	buf_deinit(&in);
}

struct refusal {
	const char *response, *text;
	enum err code;
	int status;
};

static void run_refused(struct chunks *chunks, void *arg)
{
	const struct refusal *row = arg;
	struct fixed_rand r;
	struct ws_params params = peer_params(&r);
	struct ws_conn *c = ws_conn_new(&params);
	struct ws_event ev;
	struct span piece;
	int failures = 0;

	while (chunks_next(chunks, &piece)) {
		ws_conn_feed(c, piece);
		while (ws_conn_next(c, &ev) != WS_NONE) {
			assert_int_equal(ev.type, WS_FAILED);
			failures++;
		}
	}
	assert_int_equal(failures, 1);
	assert_string_equal(ws_conn_error(c)->text, row->text);
	assert_int_equal(ws_conn_error(c)->code, row->code);
	assert_int_equal(ws_conn_error(c)->stage, STAGE_HANDSHAKE);
	assert_int_equal(ws_conn_error(c)->status, row->status);
	assert_int_equal(ws_conn_error(c)->close_code, 0);
	peer_drop_output(c);
	assert_int_equal(ws_conn_wants(c), 0);
	assert_int_equal(ws_conn_send(c, text("x")), WS_NOT_OPEN);
	ws_conn_free(c);
}

static void a_refused_handshake_is_the_end(void **state)
{
	static const struct refusal rows[] = {
		{ "HTTP/1.1 403 Forbidden\r\nX: y\r\n\r\n<html>\x81\x00",
		  "the server answered with status 403", ERR_BAD_STATUS, 403 },
		{ "HTTP/1.1 101 x\r\nUpgrade: websocket\r\n\r\n\x81\x01x",
		  "the response lacks \"Connection: Upgrade\"", ERR_PROTOCOL, 0 },
		{ "SSH-2.0-OpenSSH\r\n", "the answer is not HTTP/1.x", ERR_PROTOCOL, 0 },
		{ "HTTP/1.1 101 x\nUpgrade: websocket\n\n",
		  "a line of the response ends without CR", ERR_PROTOCOL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct refusal row = rows[i];

		chunks_each(span_str(row.response), run_refused, &row);
	}
}

static void the_head_and_the_choice_stay(void **state)
{
	static const char *const offered[] = { "chat" };
	struct fixed_rand r;
	struct ws_params params = peer_params(&r);
	struct ws_event ev;
	struct ws_conn *c;
	struct buf in;

	(void)state;
	params.subprotocols = offered;
	params.n_subprotocols = 1;
	c = ws_conn_new(&params);
	assert_null(ws_conn_subprotocol(c));
	buf_init(&in, 4096);
	peer_put_response(&in, c);
	in.len -= 2;
	assert_true(buf_append(&in, span_str("Sec-WebSocket-Protocol: chat\r\n\r\n")));
	ws_conn_feed(c, buf_bytes(&in));
	assert_int_equal(ws_conn_next(c, &ev), WS_UPGRADED);
	assert_string_equal(ws_conn_subprotocol(c), "chat");
	assert_int_equal(ws_conn_head(c)->status, 101);
	assert_int_equal(ws_conn_head(c)->n_lines, 4);
	assert_true(span_equal(ws_conn_answer(c), buf_bytes(&in)));
	ws_conn_settle(c);
	ws_conn_settle(c);
	assert_null(ws_conn_head(c));
	assert_true(span_equal(ws_conn_answer(c), buf_bytes(&in)));
	assert_string_equal(ws_conn_subprotocol(c), "chat");
	ws_conn_retire(c);
	assert_true(span_equal(ws_conn_answer(c), buf_bytes(&in)));
	buf_deinit(&in);
	ws_conn_free(c);
}

static void sends_frames_of_every_length(void **state)
{
	static const size_t lengths[] = { 0, 1, 125, 126, 127, 16385, 65535, 65536 };
	static char bytes[WS_ONE_FRAME_MAX];
	struct ws_conn *c = open_conn();

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		const struct fr as_text[] = { FR_MANY(0x81, "x", lengths[i]), { 0 } };
		const struct fr as_binary[] = { FR_MANY(0x82, "x", lengths[i]), { 0 } };
		struct msg msg = { .type = MSG_TEXT, .data = span_of(bytes, lengths[i]) };

		assert_int_equal(ws_conn_send(c, msg), WS_SENT);
		peer_expect_output(c, as_text);
		msg.type = MSG_BINARY;
		assert_int_equal(ws_conn_send(c, msg), WS_SENT);
		peer_expect_output(c, as_binary);
	}
	ws_conn_free(c);
}

static void sends_control_frames_in_order(void **state)
{
	const struct fr out[] = { PING("are you there"), PONG(""), TEXT("m"), { 0 } };
	struct ws_conn *c = open_conn();

	(void)state;
	assert_int_equal(ws_conn_ping(c, span_str("are you there")), WS_SENT);
	assert_int_equal(ws_conn_send(c, text("m")), WS_SENT);
	assert_int_equal(ws_conn_pong(c, span_of(NULL, 0)), WS_SENT);
	assert_int_equal(ws_conn_wants(c), READ | WRITE);
	peer_expect_output(c, out);
	assert_int_equal(ws_conn_wants(c), READ);
	ws_conn_free(c);
}

static void mask_zero_sends_what_can_be_read(void **state)
{
	struct fixed_rand r;
	struct ws_params params = peer_params(&r);
	struct iovec iov[WS_OUTPUT_IOV];
	struct ws_conn *c;
	size_t drawn;

	(void)state;
	params.mask_zero = true;
	c = peer_open(&params);
	drawn = r.drawn;
	assert_int_equal(ws_conn_send(c, text("Hello")), WS_SENT);
	assert_int_equal(ws_conn_output_len(c), 11);
	assert_int_equal(ws_conn_output(c, iov), 1);
	assert_memory_equal(iov[0].iov_base, "\x81\x85\0\0\0\0Hello", 11);
	assert_int_equal(r.drawn, drawn);
	ws_conn_free(c);
}

static void whole_frames_are_handed_out_where_they_lie(void **state)
{
	static const char wire[] = "\x81\x03one\x82\x03two\x89\x01p\x81\x00";
	struct ws_conn *c = open_conn();
	struct ws_event ev;

	(void)state;
	ws_conn_feed(c, span_of(wire, sizeof(wire) - 1));
	assert_int_equal(ws_conn_next(c, &ev), WS_MESSAGE);
	assert_ptr_equal(ev.msg.data.p, wire + 2);
	assert_int_equal(ws_conn_next(c, &ev), WS_MESSAGE);
	assert_ptr_equal(ev.msg.data.p, wire + 7);
	assert_int_equal(ev.msg.type, MSG_BINARY);
	assert_int_equal(ws_conn_next(c, &ev), WS_PING);
	assert_ptr_equal(ev.payload.p, wire + 12);
	assert_int_equal(ws_conn_next(c, &ev), WS_MESSAGE);
	assert_int_equal(ev.msg.data.n, 0);
	assert_int_equal(ws_conn_next(c, &ev), WS_NONE);
	ws_conn_free(c);
}

static void tells_what_would_be_lost(void **state)
{
	const struct fr whole = TEXT("abcdef"), ping = PING("xy");
	struct ws_conn *c = open_conn();

	(void)state;
	assert_int_equal(ws_conn_partial(c), 0);
	peer_expect(c,
		    span_of("\x01\x03"
			    "abc",
			    5),
		    &nothing);
	assert_int_equal(ws_conn_partial(c), 3);
	peer_expect(c,
		    span_of("\x89\x02xy\x80\x03"
			    "d",
			    7),
		    &ping);
	assert_int_equal(ws_conn_partial(c), 4);
	peer_expect(c, span_of("ef", 2), &whole);
	assert_int_equal(ws_conn_partial(c), 0);
	ws_conn_free(c);
}

static void a_failure_closes_and_is_the_last_event(void **state)
{
	const struct fr failed = FAIL("a frame has a reserved bit set"),
			out[] = { CLOSE_1002, { 0 } };
	struct ws_conn *c = open_conn();

	(void)state;
	peer_expect(c, span_of("\xC1\x00\x81\x00", 4), &failed);
	assert_int_equal(ws_conn_error(c)->code, ERR_PROTOCOL);
	assert_int_equal(ws_conn_error(c)->stage, STAGE_NONE);
	assert_int_equal(ws_conn_error(c)->close_code, 1002);
	assert_false(ws_conn_is_open(c));
	assert_int_equal(ws_conn_send(c, text("x")), WS_NOT_OPEN);
	assert_int_equal(ws_conn_wants(c), WRITE);
	peer_expect_output(c, out);
	assert_int_equal(ws_conn_wants(c), 0);
	peer_expect(c, span_of("\x89\x00", 2), &nothing);
	assert_int_equal(ws_conn_wants(c), 0);
	ws_conn_free(c);
}

static void our_close_leaves_the_other_direction_open(void **state)
{
	const struct fr close_out[] = { TEXT("before"),
					CLOSE("\x03\xE9"
					      "bye"),
					{ 0 } };
	const struct fr pong_out[] = { PONG("p"), { 0 } };
	const struct fr message = TEXT("late"), ping = PING("p"), close_in = CLOSE("\x03\xE9");
	struct ws_conn *c = open_conn();

	(void)state;
	assert_int_equal(ws_conn_send(c, text("before")), WS_SENT);
	assert_int_equal(ws_conn_close(c, 1001, span_str("bye")), WS_SENT);
	assert_false(ws_conn_is_open(c));
	assert_int_equal(ws_conn_send(c, text("after")), WS_NOT_OPEN);
	assert_int_equal(ws_conn_ping(c, span_of(NULL, 0)), WS_NOT_OPEN);
	assert_int_equal(ws_conn_close(c, 1000, span_of(NULL, 0)), WS_NOT_OPEN);
	peer_expect_output(c, close_out);
	assert_int_equal(ws_conn_wants(c), READ);
	peer_expect(c, span_of("\x81\x04late", 6), &message);
	peer_expect(c, span_of("\x89\x01p", 3), &ping);
	peer_expect_output(c, pong_out);
	peer_expect(c, span_of("\x88\x02\x03\xE9\x81\x00", 6), &close_in);
	peer_expect_output(c, silence);
	assert_int_equal(ws_conn_wants(c), 0);
	ws_conn_free(c);
}

static void the_close_of_the_peer_is_answered_and_ends_it(void **state)
{
	static const struct {
		const char *wire;
		size_t n;
		struct fr event, answer;
	} rows[] = {
		{ "\x88\x00", 2, CLOSE(""), CLOSE("") },
		{ "\x88\x02\x03\xE8", 4, CLOSE_1000, CLOSE_1000 },
		{ "\x88\x05\x0F\xA0why", 7, CLOSE("\x0F\xA0why"), CLOSE("\x0F\xA0") },
		{ "\x88\x02\x03\xF4", 4, CLOSE("\x03\xF4"), CLOSE("\x03\xF4") },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct fr out[] = { rows[i].answer, { 0 } };
		struct ws_conn *c = open_conn();

		peer_expect(c, span_of(rows[i].wire, rows[i].n), &rows[i].event);
		assert_false(ws_conn_is_open(c));
		assert_int_equal(ws_conn_wants(c), WRITE);
		assert_int_equal(ws_conn_send(c, text("x")), WS_NOT_OPEN);
		assert_int_equal(ws_conn_close(c, 1000, span_of(NULL, 0)), WS_NOT_OPEN);
		peer_expect(c, span_of("\x81\x00\x89\x00", 4), &nothing);
		peer_expect_output(c, out);
		assert_int_equal(ws_conn_wants(c), 0);
		ws_conn_free(c);
	}
}

/* RFC 6455, 5.5.2: once the peer's Close has come, no Pong is owed. */
static void a_close_forgets_the_pong_that_waits(void **state)
{
	const struct fr ping = PING(""), end = CLOSE("");
	struct ws_conn *c = open_conn();
	const size_t frame = 6;

	(void)state;
	for (int i = 0; i <= WS_PONGS_MAX; i++)
		peer_expect(c, span_of("\x89\x00", 2), &ping);
	peer_expect(c, span_of("\x88\x00", 2), &end);
	assert_int_equal(ws_conn_output_len(c), (WS_PONGS_MAX + 1) * frame);
	peer_drop_output(c);
	assert_int_equal(ws_conn_wants(c), 0);
	assert_int_equal(ws_conn_output_len(c), 0);
	ws_conn_free(c);
}

static void a_close_without_a_code(void **state)
{
	const struct fr out[] = { CLOSE(""), { 0 } };
	struct ws_conn *c = open_conn();

	(void)state;
	assert_int_equal(ws_conn_close(c, 0, span_of(NULL, 0)), WS_SENT);
	peer_expect_output(c, out);
	ws_conn_free(c);
}

static void a_failure_behind_our_close_sends_no_second_one(void **state)
{
	const struct fr failed = FAIL("a frame has a reserved opcode"),
			out[] = { CLOSE_1000, { 0 } };
	struct ws_conn *c = open_conn();

	(void)state;
	assert_int_equal(ws_conn_close(c, 1000, span_of(NULL, 0)), WS_SENT);
	peer_expect(c, span_of("\x83\x00", 2), &failed);
	assert_int_equal(ws_conn_error(c)->close_code, 0);
	peer_expect_output(c, out);
	assert_int_equal(ws_conn_wants(c), 0);
	ws_conn_free(c);
}

static void freeing_nothing_is_fine(void **state)
{
	(void)state;
	ws_conn_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_leaves_before_the_server_agrees),
		cmocka_unit_test(bytes_behind_the_head_are_frames),
		cmocka_unit_test(a_refused_handshake_is_the_end),
		cmocka_unit_test(the_head_and_the_choice_stay),
		cmocka_unit_test(sends_frames_of_every_length),
		cmocka_unit_test(sends_control_frames_in_order),
		cmocka_unit_test(mask_zero_sends_what_can_be_read),
		cmocka_unit_test(whole_frames_are_handed_out_where_they_lie),
		cmocka_unit_test(tells_what_would_be_lost),
		cmocka_unit_test(a_failure_closes_and_is_the_last_event),
		cmocka_unit_test(our_close_leaves_the_other_direction_open),
		cmocka_unit_test(the_close_of_the_peer_is_answered_and_ends_it),
		cmocka_unit_test(a_close_forgets_the_pong_that_waits),
		cmocka_unit_test(a_close_without_a_code),
		cmocka_unit_test(a_failure_behind_our_close_sends_no_second_one),
		cmocka_unit_test(freeing_nothing_is_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
