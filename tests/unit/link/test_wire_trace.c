/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection as it is traced: whole and byte by byte; nothing secret in it;
 * from its middle on, wherever that is (test_wire_trace_join.c); and no more lines
 * than there is room for.
 */
#include "link/wire_trace.h"

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
		 "X-KEY: hunter2\r\nCookie: hunter2\r\nX-Keyhole: seen\r\nX-Shape: hunter2\r\n"
		 "\r\n"),
	    RCVD("HTTP/1.1 101 Yes\r\nSet-Cookie: hunter2\r\nX-Shape: hunter2\r\nX: y\r\n\r\n"),
	    END },
	  "--- request header ---\nGET /a?*** HTTP/1.1\nHost: x\nAuthorization: ***\n"
	  "X-KEY: ***\nCookie: ***\nX-Keyhole: seen\nX-Shape: ***\n" RULE
	  "--- response header ---\nHTTP/1.1 101 Yes\nSet-Cookie: ***\nX-Shape: ***\nX: y\n" RULE },
	{ "an answer before the answer",
	  { GET, RCVD("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"), SWITCH, RCVD("\x81\x00"),
	    END },
	  GET_SHOWN "--- response header ---\nHTTP/1.1 103 Early Hints\nLink: x\n" RULE SWITCH_SHOWN
		    "++Rcv: fin=1 opcode=text length=0\n" },
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

static struct conf_header headers[] = {
	{ (char *)(uintptr_t) "x-key", { .kind = SECRET_FILE } },
	{ (char *)(uintptr_t) "X-Shape", { .kind = SECRET_TEXT } },
};

/* Nobody frees it: it has one reference too many. */
static const struct handshake_conf handshake = { .headers = headers, .n_headers = 2 };
static struct bridge_conf conf = { .refs = 1, .handshake = &handshake };

/* A request is the beginning of a connection. */
static void pass(struct wire_trace *t, const struct part *p, size_t step)
{
	if (p->sent && p->bytes[0] == 'G')
		wire_trace_begin(t, &conf);
	for (size_t at = 0; at < p->n; at += step)
		wire_trace_pass(t, p->sent,
				span_of(p->bytes + at, p->n - at < step ? p->n - at : step));
}

static void expect(const struct row *row, bool plain, size_t step)
{
	struct trace_budget budget = { .room = SIZE_MAX };
	struct wire_trace t;

	wire_trace_init(&t, &budget, plain);
	for (size_t i = 0; i < 6 && row->parts[i].n; i++)
		pass(&t, &row->parts[i], step);
	if (!span_equal(buf_bytes(&t.lines), span_str(row->shown)))
		fail_msg("%s, by %zu:\n%.*s", row->what, step, (int)t.lines.len,
			 (char *)t.lines.data + t.lines.off);
	assert_int_equal(budget.left_out, 0);
	wire_trace_deinit(&t);
}

static void traced(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t step = 1; step < 200; step++)
			expect(&rows[i], false, step);
}

/* What somebody has typed is shown to him, but no secret that it names. */
static void what_is_configured_as_text(void **state)
{
	static const struct row row = {
		"configured",
		{ SENT("GET / HTTP/1.1\r\nx-key: hunter2\r\nX-Shape: round\r\n\r\n"), END },
		"--- request header ---\nGET / HTTP/1.1\nx-key: ***\nX-Shape: round\n" RULE,
	};

	(void)state;
	for (size_t step = 1; step < 60; step++)
		expect(&row, true, step);
}

/* Told once, and not looked at any more; the other side goes on. */
static void what_cannot_be_read(void **state)
{
	static const struct part parts[] = { GET, RCVD("SSH-2.0\r\n"), RCVD("more"),
					     SENT("\x81\x80keys") };
	struct trace_budget budget = { .room = SIZE_MAX };
	struct wire_trace t;
	const char *text;

	(void)state;
	wire_trace_init(&t, &budget, false);
	for (size_t i = 0; i < 4; i++)
		pass(&t, &parts[i], parts[i].n);
	assert_true(buf_append(&t.lines, span_of("", 1)));
	text = (const char *)t.lines.data + t.lines.off;
	assert_ptr_equal(strstr(text, GET_SHOWN "++Rcv: "), text);
	assert_null(strstr(strstr(text, "++Rcv: ") + 1, "++Rcv: "));
	assert_non_null(strstr(text, "++Sent: fin=1 opcode=text length=0\n"));
	wire_trace_deinit(&t);
}

static size_t count_lines(const struct wire_trace *t)
{
	struct span s = buf_bytes(&t->lines);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == '\n';
	return n;
}

/* 4 and 4 lines of the heads, 6 frames; what is left out is counted, and it stays in step. */
static void as_many_lines_as_there_is_room_for(void **state)
{
	static const struct part parts[] = { GET, SWITCH, RCVD("\x81\x02hi\x81\x02hi\x81\x02hi"),
					     SENT("\x81\x82keyshi\x81\x82keyshi\x81\x82keyshi") };

	(void)state;
	for (size_t room = 0; room <= 16; room++) {
		struct trace_budget budget = { .room = room };
		size_t shown = room < 14 ? room : 14;
		struct wire_trace t;

		wire_trace_init(&t, &budget, false);
		for (size_t i = 0; i < 4; i++)
			pass(&t, &parts[i], parts[i].n);
		assert_int_equal(count_lines(&t), shown);
		assert_int_equal(budget.left_out, 14 - shown);
		assert_int_equal(budget.room, room - shown);
		budget = (struct trace_budget){ .room = 1 };
		pass(&t, &(struct part)RCVD("\x82\x00"), 2);
		assert_int_equal(count_lines(&t), shown + 1);
		wire_trace_deinit(&t);
	}
}

static void nothing_before_it_begins(void **state)
{
	struct trace_budget budget = { .room = SIZE_MAX };
	struct wire_trace t;

	(void)state;
	wire_trace_init(&t, &budget, false);
	wire_trace_pass(&t, false, span_str("HTTP/1.1 101 Yes\r\n\r\n"));
	wire_trace_pass(&t, true, span_str("more"));
	assert_int_equal(t.lines.len, 0);
	wire_trace_deinit(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(traced),
		cmocka_unit_test(what_is_configured_as_text),
		cmocka_unit_test(what_cannot_be_read),
		cmocka_unit_test(as_many_lines_as_there_is_room_for),
		cmocka_unit_test(nothing_before_it_begins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
