/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A trace that begins in the middle of a connection, at every byte of either
 * direction: it is in step with the frames from its first line on. The
 * conversation is the real one; what is expected is counted by hand.
 */
#include "link/wire_trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "support/fixed_rand.h"

enum { MAX = 1 << 20 };

/* RFC 6455, 1.3: the key is these bytes, and the answer fits it. */
#define NONCE "the sample nonce"
#define RESPONSE                                                              \
	"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"          \
	"Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRb" \
	"K+xOo=\r\n\r\n"
#define RESPONSE_SHOWN                                                                    \
	"--- response header ---\nHTTP/1.1 101 Switching Protocols\nUpgrade: websocket\n" \
	"Connection: Upgrade\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\n"       \
	"-----------------------\n"

static const struct handshake_conf handshake;
static struct bridge_conf conf = { .refs = 1, .handshake = &handshake };
static const uint8_t zeros[70000];

struct talk {
	struct fixed_rand rand;
	struct ws_conn *conn;
	struct wire_trace trace;
	struct trace_budget budget;
	bool joined;
	struct buf wire; /* all that was sent */
};

static void talk_init(struct talk *t)
{
	struct ws_params p = { .target = "/",
			       .host = "x",
			       .max_message = MAX,
			       .max_output = MAX,
			       .rand = &t->rand.source };

	*t = (struct talk){ .budget.room = SIZE_MAX };
	fixed_rand_init(&t->rand, span_str(NONCE));
	t->conn = ws_conn_new(&p);
	wire_trace_init(&t->trace, &t->budget, false);
	buf_init(&t->wire, MAX);
}

static void talk_deinit(struct talk *t)
{
	ws_conn_free(t->conn);
	wire_trace_deinit(&t->trace);
	buf_deinit(&t->wire);
}

static void join(struct talk *t)
{
	struct ws_wire wire;

	ws_conn_wire(t->conn, &wire);
	wire_trace_join(&t->trace, &conf, &wire);
	t->joined = true;
}

static void feed(struct talk *t, const void *bytes, size_t n)
{
	struct ws_event ev;

	if (t->joined)
		wire_trace_pass(&t->trace, false, span_of(bytes, n));
	ws_conn_feed(t->conn, span_of(bytes, n));
	while (ws_conn_next(t->conn, &ev) != WS_NONE)
		assert_int_not_equal(ev.type, WS_FAILED);
}

/* So many bytes of what waits leave. */
static void leave(struct talk *t, size_t n)
{
	struct iovec iov[WS_OUTPUT_IOV];
	int filled = ws_conn_output(t->conn, iov);
	size_t left = n;

	for (int i = 0; i < filled && left > 0; i++) {
		struct span some = span_of(iov[i].iov_base,
					   iov[i].iov_len < left ? iov[i].iov_len : left);

		if (t->joined)
			wire_trace_pass(&t->trace, true, some);
		assert_true(buf_append(&t->wire, some));
		left -= some.n;
	}
	assert_int_equal(left, 0);
	ws_conn_wrote(t->conn, n);
}

static void leave_all(struct talk *t, size_t step)
{
	size_t n;

	while ((n = ws_conn_output_len(t->conn)) > 0)
		leave(t, n < step ? n : step);
}

static void expect(struct talk *t, const char *lines, const char *where, size_t at)
{
	if (!span_equal(buf_bytes(&t->trace.lines), span_str(lines)))
		fail_msg("%s %zu:\n%.*s\nexpected:\n%s", where, at, (int)t->trace.lines.len,
			 (char *)t->trace.lines.data + t->trace.lines.off, lines);
}

static const struct {
	const char *header;
	size_t n, len;
	const char *line;
} came[] = {
	{ "\x81\x02", 2, 2, "++Rcv: fin=1 opcode=text length=2\n" },
	{ "\x82\x7e\x01\x2c", 4, 300, "++Rcv: fin=1 opcode=binary length=300\n" },
	{ "\x01\x01", 2, 1, "++Rcv: fin=0 opcode=text length=1\n" },
	{ "\x89\x03", 2, 3, "++Rcv: fin=1 opcode=ping length=3\n" },
	{ "\x80\x00", 2, 0, "++Rcv: fin=1 opcode=cont length=0\n" },
	{ "\x82\x7f\0\0\0\0\0\1\0\0", 10, 65536, "++Rcv: fin=1 opcode=binary length=65536\n" },
	{ "\x8a\x00", 2, 0, "++Rcv: fin=1 opcode=pong length=0\n" },
	{ "\x88\x00", 2, 0, "++Rcv: fin=1 opcode=close length=0\n" },
};
#define N_CAME (sizeof(came) / sizeof(came[0]))

static void put_came(struct buf *all)
{
	buf_init(all, MAX);
	assert_true(buf_append(all, span_str(RESPONSE)));
	for (size_t i = 0; i < N_CAME; i++) {
		assert_true(buf_append(all, span_of(came[i].header, came[i].n)));
		assert_true(buf_append(all, span_of(zeros, came[i].len)));
	}
}

/* The headers whose last byte is still to come. */
static char *lines_after(size_t at)
{
	size_t end = strlen(RESPONSE);
	char *lines = mem_strdup(at < end ? RESPONSE_SHOWN : "");

	for (size_t i = 0; i < N_CAME; i++) {
		mem_auto_str old = lines;

		end += came[i].n;
		lines = mem_printf("%s%s", old, at < end ? came[i].line : "");
		end += came[i].len;
	}
	return lines;
}

static void run_received(const struct buf *all, size_t at)
{
	struct span bytes = buf_bytes(all);
	mem_auto_str lines = lines_after(at);
	struct talk t;

	talk_init(&t);
	leave_all(&t, MAX);
	feed(&t, bytes.p, at);
	join(&t);
	feed(&t, bytes.p + at, bytes.n - at);
	expect(&t, lines, "received", at);
	talk_deinit(&t);
}

/* Inside of the long payload one place is like another. */
static void in_the_middle_of_what_comes(void **state)
{
	struct buf all;

	(void)state;
	put_came(&all);
	for (size_t at = 0; at <= all.len; at += at > 600 && at < 65900 ? 991 : 1)
		run_received(&all, at);
	run_received(&all, all.len);
	buf_deinit(&all);
}

static void send_some(struct talk *t)
{
	static const struct {
		size_t n;
		bool more;
	} rows[] = { { 0, false }, { 5, false }, { 300, true }, { 1, true }, { 126, false } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct msg msg = { .type = MSG_BINARY,
				   .data = span_of(zeros, rows[i].n),
				   .more = rows[i].more };

		assert_int_equal(ws_conn_send(t->conn, msg), WS_SENT);
	}
}

/* The frames on the wire, by hand, that begin at `at` or later. */
static char *lines_sent(struct span wire, size_t at)
{
	static const char *const names[] = { "cont", "text", "binary", "",     "",    "",
					     "",     "",     "close",  "ping", "pong" };
	char *lines = mem_strdup("");
	size_t len;

	for (size_t i = 0; i < wire.n; i += len) {
		const uint8_t *p = wire.p + i;
		mem_auto_str old = lines;
		bool longer = (p[1] & 0x7f) == 126;

		len = longer ? (size_t)p[2] << 8 | p[3] : p[1] & 0x7fu;
		lines = i < at ? mem_strdup(old) :
				 mem_printf("%s++Sent: fin=%d opcode=%s length=%zu\n", old,
					    p[0] >> 7, names[p[0] & 0xf], len);
		len += longer ? 8 : 6;
	}
	return lines;
}

static void open_talk(struct talk *t)
{
	talk_init(t);
	leave_all(t, MAX);
	feed(t, RESPONSE, strlen(RESPONSE));
	buf_clear(&t->wire);
}

/* Pings pass what waits: at each place the wire has another order. */
static void run_sent(size_t first, size_t second)
{
	mem_auto_str lines = NULL;
	struct talk t;

	open_talk(&t);
	send_some(&t);
	leave(&t, first);
	assert_int_equal(ws_conn_ping(t.conn, span_str("abc")), WS_SENT);
	assert_int_equal(ws_conn_pong(t.conn, span_str("d")), WS_SENT);
	leave(&t, second < ws_conn_output_len(t.conn) ? second : ws_conn_output_len(t.conn));
	join(&t);
	first = t.wire.len;
	assert_int_equal(ws_conn_ping(t.conn, span_str("e")), WS_SENT);
	leave_all(&t, 1 + (first + second) % 11);
	lines = lines_sent(buf_bytes(&t.wire), first);
	expect(&t, lines, "sent", first);
	talk_deinit(&t);
}

static void in_the_middle_of_what_leaves(void **state)
{
	struct talk t;
	size_t all;

	(void)state;
	open_talk(&t);
	send_some(&t);
	all = ws_conn_output_len(t.conn);
	talk_deinit(&t);
	for (size_t first = 0; first <= all; first++)
		for (size_t second = 0; second < 30; second++)
			run_sent(first, second);
}

/* The request cannot be shown any more, but its rest is no frame. */
static void in_the_middle_of_the_request(void **state)
{
	struct talk t;
	size_t all;

	(void)state;
	talk_init(&t);
	all = ws_conn_output_len(t.conn);
	talk_deinit(&t);
	for (size_t at = 0; at <= all; at++) {
		talk_init(&t);
		leave(&t, at);
		join(&t);
		leave_all(&t, 7);
		feed(&t, RESPONSE, strlen(RESPONSE));
		assert_int_equal(ws_conn_ping(t.conn, span_str("")), WS_SENT);
		leave_all(&t, 1);
		expect(&t, RESPONSE_SHOWN "++Sent: fin=1 opcode=ping length=0\n", "request", at);
		talk_deinit(&t);
	}
}

/* Nobody looks at what comes behind the peer's Close; our answer still leaves. */
static void behind_the_end(void **state)
{
	struct talk t;

	(void)state;
	open_talk(&t);
	feed(&t, "\x88\x00", 2);
	join(&t);
	feed(&t, "\x81\x00", 2);
	leave_all(&t, MAX);
	expect(&t, "++Sent: fin=1 opcode=close length=0\n", "end", 0);
	talk_deinit(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_the_middle_of_what_comes),
		cmocka_unit_test(in_the_middle_of_what_leaves),
		cmocka_unit_test(in_the_middle_of_the_request),
		cmocka_unit_test(behind_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
