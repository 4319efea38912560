/* SPDX-License-Identifier: Apache-2.0 */
/* Every way in which a session may end, and what it says about it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "session_rig.h"
#include "ws/close.h"

struct way {
	const char *name, *options, *answer;
	bool no_close, no_hangup;
	bool opens;
	void (*before)(struct session_rig *r);
	void (*act)(struct session_rig *r); /* when it is open, or else the request has come */
	/* and the end: */
	enum err code;
	enum stage stage;
	int status, close_code;
	const char *reason, *text;
	bool clean;
	size_t partial;
	int64_t at_least; /* microseconds */
	const char *seen; /* by the server, all of it */
};

static void refuse(struct session_rig *r)
{
	ws_peer_refuse(&r->w.peer);
}

static void drop(struct session_rig *r)
{
	ws_peer_drop(&r->w.peer);
}

static void reset(struct session_rig *r)
{
	ws_peer_reset(&r->w.peer);
}

static void finish(struct session_rig *r)
{
	ws_peer_finish(&r->w.peer);
}

static void server_closes(struct session_rig *r)
{
	ws_peer_close(&r->w.peer, 1001, "bye");
}

static void server_closes_with_controls(struct session_rig *r)
{
	ws_peer_close(&r->w.peer, 4999, "a\nb\x1b[0m");
}

static void server_closes_without_code(struct session_rig *r)
{
	ws_peer_close(&r->w.peer, 0, "");
}

static void server_closes_and_resets(struct session_rig *r)
{
	ws_peer_close(&r->w.peer, 1000, "");
	ws_peer_reset(&r->w.peer);
}

static void close_ours(struct session_rig *r)
{
	session_rig_close(r, 1001, "leaving");
	session_rig_close(r, 1000, "twice is fine");
}

static void close_crossed(struct session_rig *r)
{
	ws_peer_close(&r->w.peer, 4000, "mine");
	session_rig_close(r, 1000, "ours");
}

static void close_answered_by_fin(struct session_rig *r)
{
	session_rig_close(r, 1000, "");
	world_wait_seen(&r->w, "close 1000 |");
	ws_peer_drop(&r->w.peer);
}

static void close_answered_by_reset(struct session_rig *r)
{
	session_rig_close(r, 1000, "");
	world_wait_seen(&r->w, "close 1000 |");
	ws_peer_reset(&r->w.peer);
}

static void close_answered_by_a_violation(struct session_rig *r)
{
	session_rig_close(r, 1000, "");
	world_wait_seen(&r->w, "close 1000 |");
	ws_peer_raw(&r->w.peer, span_of("\x83\x00", 2));
	ws_peer_drop(&r->w.peer);
}

static void reserved_opcode(struct session_rig *r)
{
	ws_peer_raw(&r->w.peer, span_of("\x83\x00", 2));
}

static void bad_utf8(struct session_rig *r)
{
	ws_peer_text(&r->w.peer, "\xff");
}

static void too_big(struct session_rig *r)
{
	ws_peer_text(&r->w.peer, "seventeen bytes..");
}

static void fragment_then_finish(struct session_rig *r)
{
	ws_peer_frame(&r->w.peer, FRAME_TEXT, false, span_str("one"));
	ws_peer_frame(&r->w.peer, FRAME_CONTINUATION, false, span_str("two"));
	ws_peer_finish(&r->w.peer);
}

static void half_a_frame_then_drop(struct session_rig *r)
{
	ws_peer_raw(&r->w.peer, span_str("\x82\x0a"
					 "four"));
	ws_peer_drop(&r->w.peer);
}

static void give_up(struct session_rig *r)
{
	struct error why;

	error_set(&why, ERR_TIMEOUT, "no answer to a ping");
	session_abort(r->s, &why);
	assert_int_equal(r->ended, 0);
	session_abort(r->s, &why);
}

/* Only the end of TCP is missing: it was a Close in order. */
static void give_up_after_close(struct session_rig *r)
{
	server_closes(r);
	world_wait_seen(&r->w, "close 1001 |");
	give_up(r);
}

#define HANDSHAKE .stage = STAGE_HANDSHAKE, .close_code = 1006, .seen = ""
#define FORBIDDEN "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
#define WRONG_KEY                                                                \
	"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: " \
	"Upgrade\r\nSec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n"

static const struct way before_open[] = {
	{ "refused", .before = refuse, .code = ERR_CONNECT, .stage = STAGE_CONNECT,
	  .close_code = 1006, .text = "Connection refused", .seen = "" },
	{ "status", .answer = FORBIDDEN, .code = ERR_BAD_STATUS, .status = 403, HANDSHAKE,
	  .text = "403" },
	{ "wrong accept key", .answer = WRONG_KEY, .code = ERR_PROTOCOL, HANDSHAKE,
	  .text = "Sec-WebSocket-Accept" },
	{ "no HTTP", .answer = "SSH-2.0-OpenSSH\r\n\r\n", .code = ERR_PROTOCOL, HANDSHAKE,
	  .text = "" },
	{ "handshake silence", "'timeouts': {'handshake': '30ms'}", "", .code = ERR_TIMEOUT,
	  HANDSHAKE, .text = "no answer to the handshake in time", .at_least = 30000 },
	{ "handshake stops", "'timeouts': {'handshake': '30ms'}", "HTTP/1.1 101 Switch",
	  .code = ERR_TIMEOUT, HANDSHAKE, .text = "no answer to the handshake in time",
	  .at_least = 30000 },
	{ "open silence", "'timeouts': {'open': '30ms', 'handshake': 0}", "", .code = ERR_TIMEOUT,
	  HANDSHAKE, .text = "no answer to the handshake in time", .at_least = 30000 },
	{ "open is the shorter", "'timeouts': {'open': '30ms'}", "", .code = ERR_TIMEOUT, HANDSHAKE,
	  .text = "no answer to the handshake in time", .at_least = 30000 },
	{ "handshake end", .answer = "", .act = drop, .code = ERR_CONNECT, HANDSHAKE,
	  .text = "before it answered the handshake" },
	{ "handshake reset", .answer = "", .act = reset, .code = ERR_CONNECT, HANDSHAKE,
	  .text = "Connection reset" },
	{ "handshake given up", .answer = "", .act = give_up, .code = ERR_TIMEOUT,
	  .close_code = 1006, .text = "no answer to a ping", .seen = "" },
	{ "handshake closed", .answer = "", .act = close_ours, .code = ERR_NOT_OPEN,
	  .close_code = 1006, .text = "closed before it was open", .seen = "" },
};

#define OPENS .opens = true

static const struct way when_open[] = {
	{ "server closes", OPENS, .act = server_closes, .close_code = 1001, .reason = "bye",
	  .clean = true, .seen = "close 1001 |" },
	{ "escaped", OPENS, .act = server_closes_with_controls, .close_code = 4999,
	  .reason = "a\\x0ab\\x1b[0m", .clean = true, .seen = "close 4999 |" },
	{ "no code", OPENS, .act = server_closes_without_code, .close_code = 1005, .clean = true,
	  .seen = "close |" },
	{ "server closes and stays", "'timeouts': {'close': '30ms'}", .no_hangup = true, OPENS,
	  .act = server_closes, .close_code = 1001, .reason = "bye", .clean = true,
	  .at_least = 30000, .seen = "close 1001 |" },
	{ "server closes and resets", OPENS, .act = server_closes_and_resets, .close_code = 1000,
	  .clean = true, .seen = "" },
	{ "ours", OPENS, .act = close_ours, .close_code = 1001, .reason = "leaving", .clean = true,
	  .seen = "close 1001 leaving|" },
	{ "crossed", OPENS, .act = close_crossed, .close_code = 4000, .reason = "mine",
	  .clean = true, .seen = "close 1000 ours|" },
	{ "ours unanswered", "'timeouts': {'close': '30ms'}", .no_close = true, OPENS,
	  .act = close_ours, .code = ERR_TIMEOUT, .close_code = 1006,
	  .text = "no answer to the Close frame within timeouts.close", .at_least = 30000,
	  .seen = "close 1001 leaving|" },
	{ "ours, FIN", .no_close = true, OPENS, .act = close_answered_by_fin, .code = ERR_NOT_OPEN,
	  .close_code = 1006, .text = "without answering the Close frame", .seen = "close 1000 |" },
	{ "ours, RST", .no_close = true, OPENS, .act = close_answered_by_reset,
	  .code = ERR_NOT_OPEN, .close_code = 1006,
	  .text = "connection lost: ", .seen = "close 1000 |" },
	{ "ours, violation", .no_close = true, OPENS, .act = close_answered_by_a_violation,
	  .code = ERR_PROTOCOL, .close_code = 1006, .text = "opcode", .seen = "close 1000 |" },
	{ "FIN", OPENS, .act = finish, .code = ERR_NOT_OPEN, .close_code = 1006,
	  .text = "ended the connection without a Close frame", .seen = "" },
	{ "RST", OPENS, .act = reset, .code = ERR_NOT_OPEN, .close_code = 1006,
	  .text = "connection lost: ", .seen = "" },
	{ "reserved opcode", OPENS, .act = reserved_opcode, .code = ERR_PROTOCOL,
	  .close_code = 1006, .text = "opcode", .seen = "close 1002 |" },
	{ "violation, server stays", .no_close = true, OPENS, .act = reserved_opcode,
	  .code = ERR_PROTOCOL, .close_code = 1006, .text = "opcode", .at_least = 1000000,
	  .seen = "close 1002 |" },
	{ "bad UTF-8", OPENS, .act = bad_utf8, .code = ERR_PAYLOAD, .close_code = 1006,
	  .text = "UTF-8", .seen = "close 1007 |" },
	{ "too big", "'max_message': 16", OPENS, .act = too_big, .code = ERR_OVERFLOW,
	  .close_code = 1006, .text = "longer than 16 bytes", .seen = "close 1009 |" },
	{ "fragments", OPENS, .act = fragment_then_finish, .code = ERR_NOT_OPEN, .close_code = 1006,
	  .text = "without a Close frame", .partial = 6, .seen = "" },
	{ "half a frame", OPENS, .act = half_a_frame_then_drop, .code = ERR_NOT_OPEN,
	  .close_code = 1006, .text = "without a Close frame", .partial = 4, .seen = "" },
	{ "given up after a Close", .no_hangup = true, OPENS, .act = give_up_after_close,
	  .close_code = 1001, .reason = "bye", .clean = true, .seen = "close 1001 |" },
	{ "given up", OPENS, .act = give_up, .code = ERR_TIMEOUT, .close_code = 1006,
	  .text = "no answer to a ping", .seen = "" },
};

static void check_end(const struct way *way, const struct session_rig *r)
{
	const struct session_end *end = &r->end;

	assert_int_equal(r->ended, 1);
	assert_int_equal(r->opened, way->opens);
	assert_int_equal(end->was_open, way->opens);
	assert_int_equal(end->err.code, way->code);
	assert_int_equal(end->err.stage, way->stage);
	assert_int_equal(end->err.status, way->status);
	assert_int_equal(end->close_code, way->close_code);
	assert_string_equal(end->reason, way->reason ? way->reason : "");
	assert_int_equal(end->clean, way->clean);
	assert_int_equal(end->partial, way->partial);
	assert_int_equal(end->retry_after, 0);
	if (way->code)
		assert_non_null(strstr(end->err.text, way->text));
	assert_string_equal(r->w.peer.seen, way->seen);
}

static bool has_asked(void *arg)
{
	const struct session_rig *r = arg;

	return r->w.peer.request[0] != '\0';
}

static void run(const struct way *way)
{
	struct session_rig r;
	int64_t began;

	print_message("         %s\n", way->name);
	session_rig_init(&r);
	r.w.peer.answer = way->answer;
	r.w.peer.no_close = way->no_close;
	r.w.peer.no_hangup = way->no_hangup;
	if (way->before)
		way->before(&r);
	session_rig_begin(&r, way->options ? way->options : "");
	if (way->opens)
		world_wait_count(&r.w, &r.opened, 1);
	else if (way->act)
		world_wait(&r.w, has_asked, &r);
	began = loop_now(r.w.loop);
	if (way->act)
		way->act(&r);
	world_wait_count(&r.w, &r.ended, 1);
	assert_true(loop_now(r.w.loop) - began >= way->at_least - 5000);
	assert_true(r.end.open_for <= loop_now(r.w.loop) - began + 1000000);
	world_turn_for(&r.w, 3000);
	check_end(way, &r);
	session_rig_deinit(&r);
}

static void test_ends_before_it_is_open(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(before_open) / sizeof(*before_open); i++)
		run(&before_open[i]);
}

static void test_ends_when_open(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(when_open) / sizeof(*when_open); i++)
		run(&when_open[i]);
}

/* A port whose SYNs are dropped, since nobody accepts and the queue is full. */
struct black_hole {
	int fds[16];
	size_t n;
	uint16_t port;
};

static void black_hole_init(struct black_hole *h)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (h->n = 0; h->n < 16; h->n++)
		h->fds[h->n] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(h->fds[0], (struct sockaddr *)&addr, len), 0);
	assert_int_equal(listen(h->fds[0], 0), 0);
	assert_int_equal(getsockname(h->fds[0], (struct sockaddr *)&addr, &len), 0);
	h->port = ntohs(addr.sin_port);
	for (size_t i = 1; i < 16; i++)
		connect(h->fds[i], (struct sockaddr *)&addr, len);
}

static void black_hole_deinit(struct black_hole *h)
{
	for (size_t i = 0; i < h->n; i++)
		close(h->fds[i]);
}

static void test_no_connection_in_time(void **state)
{
	static const struct {
		const char *options;
		enum err code;
		const char *text;
	} rows[] = {
		{ "'timeouts': {'open': '40ms'}", ERR_TIMEOUT, "not done in time" },
		{ "'timeouts': {'open': '40ms', 'connect': 0, 'handshake': '1ms'}", ERR_TIMEOUT,
		  "not done in time" },
		{ "'timeouts': {'connect': '40ms'}", ERR_CONNECT, "Connection timed out" },
		{ "'timeouts': {'connect': '40ms', 'open': 0}", ERR_CONNECT,
		  "Connection timed out" },
	};
	struct black_hole hole;

	(void)state;
	black_hole_init(&hole);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct session_rig r;
		int64_t began;
		uint16_t port;

		session_rig_init(&r);
		port = r.w.peer.port;
		r.w.peer.port = hole.port;
		began = loop_now(r.w.loop);
		session_rig_begin(&r, rows[i].options);
		r.w.peer.port = port;
		world_wait_count(&r.w, &r.ended, 1);
		assert_true(loop_now(r.w.loop) - began >= 40000);
		assert_int_equal(r.end.err.code, rows[i].code);
		assert_int_equal(r.end.err.stage, STAGE_CONNECT);
		assert_int_equal(r.end.close_code, CLOSE_ABNORMAL);
		assert_non_null(strstr(r.end.err.text, rows[i].text));
		assert_int_equal(r.opened, 0);
		session_rig_deinit(&r);
	}
	black_hole_deinit(&hole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ends_before_it_is_open),
		cmocka_unit_test(test_ends_when_open),
		cmocka_unit_test(test_no_connection_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
