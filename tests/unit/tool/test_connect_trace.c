/* SPDX-License-Identifier: Apache-2.0 */
/* A connection as it is traced: whole and byte by byte; nothing secret in it. */
#include "tool/connect_trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct part {
	bool sent;
	const char *bytes;
	size_t n;
};

#define SENT(text)                           \
	{                                    \
		true, text, sizeof(text) - 1 \
	}
#define RCVD(text)                            \
	{                                     \
		false, text, sizeof(text) - 1 \
	}
#define END            \
	{              \
		.n = 0 \
	}
#define RULE "-----------------------\n"
#define GET SENT("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
#define GET_SHOWN "--- request header ---\nGET / HTTP/1.1\nHost: x\n" RULE
#define SWITCH RCVD("HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\n\r\n")
#define SWITCH_SHOWN "--- response header ---\nHTTP/1.1 101 Yes\nUpgrade: websocket\n" RULE

struct row {
	const char *what;
	struct part parts[6];
	const char *shown;
};

static const struct row rows[] = {
	{ "the handshake", { GET, SWITCH, END }, GET_SHOWN SWITCH_SHOWN },
	{ "what is secret",
	  { SENT("GET /a?token=hunter2 HTTP/1.1\r\nHost: x\r\nAuthorization: hunter2\r\n"
		 "X-KEY: hunter2\r\nCookie: hunter2\r\nX-Keyhole: seen\r\n\r\n"),
	    RCVD("HTTP/1.1 101 Yes\r\nSet-Cookie: hunter2\r\nX: y\r\n\r\n"), END },
	  "--- request header ---\nGET /a?*** HTTP/1.1\nHost: x\nAuthorization: ***\n"
	  "X-KEY: ***\nCookie: ***\nX-Keyhole: seen\n" RULE
	  "--- response header ---\nHTTP/1.1 101 Yes\nSet-Cookie: ***\nX: y\n" RULE },
	{ "frames",
	  { GET, SWITCH, SENT("\x81\x82keyshi\x02\x80keys\x80\x81keysx"),
	    RCVD("\x81\x02hi\x02\x00\x80\x01x\x89\x00\x8a\x01p"), SENT("\x88\x80keys"),
	    RCVD("\x88\x02\x03\xe8") },
	  GET_SHOWN SWITCH_SHOWN "++Sent: fin=1 opcode=text length=2\n"
				 "++Sent: fin=0 opcode=binary length=0\n"
				 "++Sent: fin=1 opcode=cont length=1\n"
				 "++Rcv: fin=1 opcode=text length=2\n"
				 "++Rcv: fin=0 opcode=binary length=0\n"
				 "++Rcv: fin=1 opcode=cont length=1\n"
				 "++Rcv: fin=1 opcode=ping length=0\n"
				 "++Rcv: fin=1 opcode=pong length=1\n"
				 "++Sent: fin=1 opcode=close length=0\n"
				 "++Rcv: fin=1 opcode=close length=2\n" },
	{ "a frame right behind the answer",
	  { GET, RCVD("HTTP/1.1 101 Yes\r\n\r\n\x81\x00"), END },
	  GET_SHOWN "--- response header ---\nHTTP/1.1 101 Yes\n" RULE
		    "++Rcv: fin=1 opcode=text length=0\n" },
	{ "a refusal, and its body",
	  { GET, RCVD("HTTP/1.1 403 No\r\n\r\n\x81\x02hi"), END },
	  GET_SHOWN "--- response header ---\nHTTP/1.1 403 No\n" RULE },
	{ "a redirect",
	  { GET, RCVD("HTTP/1.1 302 There\r\nLocation: /b?t=hunter2\r\n\r\nbody"), GET, SWITCH,
	    RCVD("\x81\x00"), END },
	  GET_SHOWN
	  "--- response header ---\nHTTP/1.1 302 There\nLocation: ***\n" RULE GET_SHOWN SWITCH_SHOWN
	  "++Rcv: fin=1 opcode=text length=0\n" },
	{ "escapes",
	  { GET, RCVD("HTTP/1.1 101 \xff\r\nX: \xc2\x9b\r\n\r\n"), END },
	  GET_SHOWN "--- response header ---\nHTTP/1.1 101 \\xff\nX: \\xc2\\x9b\n" RULE },
};

static const char *const hidden[] = { "x-key", NULL };

static void expect(const struct row *row, size_t step)
{
	struct connect_trace t;

	connect_trace_init(&t, hidden);
	for (size_t i = 0; i < 6 && row->parts[i].n; i++) {
		const struct part *p = &row->parts[i];

		for (size_t at = 0; at < p->n; at += step)
			connect_trace_pass(
				&t, p->sent,
				span_of(p->bytes + at, p->n - at < step ? p->n - at : step));
	}
	if (!span_equal(buf_bytes(&t.lines), span_str(row->shown)))
		fail_msg("%s, by %zu:\n%.*s", row->what, step, (int)t.lines.len,
			 (char *)t.lines.data + t.lines.off);
	connect_trace_deinit(&t);
}

static void traced(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t step = 1; step < 200; step++)
			expect(&rows[i], step);
}

/* Told once, and not looked at any more; the other side goes on. */
static void what_cannot_be_read(void **state)
{
	static const struct part parts[] = { GET, RCVD("SSH-2.0\r\n"), RCVD("more"),
					     SENT("\x81\x80keys") };
	struct connect_trace t;
	const char *text;

	(void)state;
	connect_trace_init(&t, hidden);
	for (size_t i = 0; i < 4; i++)
		connect_trace_pass(&t, parts[i].sent, span_of(parts[i].bytes, parts[i].n));
	assert_true(buf_append(&t.lines, span_of("", 1)));
	text = (const char *)t.lines.data + t.lines.off;
	assert_ptr_equal(strstr(text, GET_SHOWN "++Rcv: "), text);
	assert_null(strstr(strstr(text, "++Rcv: ") + 1, "++Rcv: "));
	assert_non_null(strstr(text, "++Sent: fin=1 opcode=text length=0\n"));
	connect_trace_deinit(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(traced),
		cmocka_unit_test(what_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
