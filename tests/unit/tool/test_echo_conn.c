/* SPDX-License-Identifier: Apache-2.0 */
/* The server's half against bytes: each conversation whole, byte by byte, and at every split. */
#include "tool/echo_conn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "support/chunks.h"

#define HEAD "Host: x\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
#define KEY "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" HEAD KEY "\r\n"
/* RFC 6455, 1.3: the key and the answer of the example. */
#define SWITCHED                                                        \
	"HTTP/1.1 101 Switching Protocols\r\nServer: wsbridge-echo\r\n" \
	"Upgrade: websocket\r\nConnection: Upgrade\r\n"                 \
	"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
/* A masking key of four blanks turns the case of letters. */
#define MASK "    "

struct talk {
	const char *what;
	const char *in;
	size_t in_n;
	const char *out;
	size_t out_n;
	enum echo_phase phase;
};

#define TALK(what, path, in, out, phase)                                    \
	{                                                                   \
		what, GET(path) in, sizeof(GET(path) in) - 1, SWITCHED out, \
			sizeof(SWITCHED out) - 1, phase                     \
	}

static const struct talk talks[] = {
	TALK("nothing yet", "/", "", "", ECHO_OPEN),
	TALK("text", "/", "\x81\x85" MASK "HELLO", "\x81\x05hello", ECHO_OPEN),
	TALK("binary", "/", "\x82\x82" MASK "\xa0\xff", "\x82\x02\x80\xdf", ECHO_OPEN),
	TALK("empty", "/", "\x81\x80" MASK, "\x81\x00", ECHO_OPEN),
	TALK("two", "/", "\x81\x81" MASK "A\x81\x81" MASK "B",
	     "\x81\x01"
	     "a\x81\x01"
	     "b",
	     ECHO_OPEN),
	TALK("fragments with a ping between", "/",
	     "\x01\x82" MASK "AB\x00\x80" MASK "\x89\x81" MASK "P\x80\x81" MASK "C",
	     "\x8a\x01p\x81\x03"
	     "abc",
	     ECHO_OPEN),
	TALK("silent: no pong", "/silent", "\x89\x81" MASK "P\x81\x81" MASK "A",
	     "\x81\x01"
	     "a",
	     ECHO_OPEN),
	TALK("pongs say nothing", "/", "\x8a\x81" MASK "P", "", ECHO_OPEN),
	TALK("close comes back", "/", "\x88\x82" MASK "\x23\xc8", "\x88\x02\x03\xe8", ECHO_OVER),
	TALK("empty close", "/", "\x88\x80" MASK, "\x88\x00", ECHO_OVER),
	TALK("nothing is taken after a close", "/", "\x88\x82" MASK "\x23\xc8\x81\x81" MASK "A",
	     "\x88\x02\x03\xe8", ECHO_OVER),
	TALK("close after the first message", "/close?code=4000&reason=bye%21",
	     "\x81\x81" MASK "A\x81\x81" MASK "B",
	     "\x88\x06\x0f\xa0"
	     "bye!",
	     ECHO_CLOSING),
	TALK("close without parameters", "/close", "\x81\x81" MASK "A", "\x88\x02\x03\xe8",
	     ECHO_CLOSING),
	TALK("the answer to our close", "/close", "\x81\x81" MASK "A\x88\x82" MASK "\x23\xc8",
	     "\x88\x02\x03\xe8", ECHO_OVER),
	TALK("not masked", "/",
	     "\x81\x01"
	     "a",
	     "\x88\x27\x03\xea"
	     "a frame from the client is not masked",
	     ECHO_OVER),
	TALK("reserved bit", "/", "\xc1",
	     "\x88\x20\x03\xea"
	     "a frame has a reserved bit set",
	     ECHO_OVER),
	TALK("continues nothing", "/", "\x80\x80" MASK,
	     "\x88\x28\x03\xea"
	     "a continuation frame continues nothing",
	     ECHO_OVER),
	TALK("text that is no UTF-8", "/", "\x81\x81" MASK "\xdf",
	     "\x88\x1d\x03\xef"
	     "a text message is not UTF-8",
	     ECHO_OVER),
	TALK("16M and a byte", "/", "\x82\xff\0\0\0\0\x01\0\0\x01" MASK,
	     "\x88\x29\x03\xf1"
	     "a message is longer than 16777216 bytes",
	     ECHO_OVER),
	TALK("a close of one byte", "/", "\x88\x81" MASK "\x23",
	     "\x88\x20\x03\xea"
	     "a Close has a body of one byte",
	     ECHO_OVER),
	TALK("a ticker ignores messages", "/ticker", "\x81\x81" MASK "A", "", ECHO_OPEN),
};

static void run_talk(struct chunks *chunks, void *arg)
{
	const struct talk *t = arg;
	struct echo_conn *c = echo_conn_new();
	struct span piece, out;

	while (chunks_next(chunks, &piece))
		echo_conn_feed(c, piece);
	out = buf_bytes(echo_conn_output(c));
	if (out.n != t->out_n || memcmp(out.p, t->out, out.n) != 0)
		fail_msg("%s: %zu bytes came, %zu were expected: %.*s", t->what, out.n, t->out_n,
			 (int)out.n, (const char *)out.p);
	assert_int_equal(echo_conn_phase(c), t->phase);
	echo_conn_free(c);
}

static void test_talks(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(talks) / sizeof(*talks); i++) {
		struct talk t = talks[i];

		chunks_each(span_of(t.in, t.in_n), run_talk, &t);
	}
}

static struct echo_conn *open_conn(const char *request)
{
	struct echo_conn *c = echo_conn_new();

	echo_conn_feed(c, span_str(request));
	assert_int_equal(echo_conn_phase(c), ECHO_OPEN);
	buf_clear(echo_conn_output(c));
	return c;
}

static void assert_output(struct echo_conn *c, struct span expected)
{
	assert_true(span_equal(buf_bytes(echo_conn_output(c)), expected));
	buf_clear(echo_conn_output(c));
}

static void test_ticker(void **state)
{
	struct echo_conn *c = open_conn(GET("/ticker?interval=250ms"));

	(void)state;
	assert_int_equal(echo_conn_interval(c), 250000);
	echo_conn_tick(c, 1700000000.1254);
	assert_output(c, span_str("\x81\x1d{\"n\":1,\"time\":1700000000.125}"));
	echo_conn_tick(c, 2);
	assert_output(c, span_str("\x81\x14{\"n\":2,\"time\":2.000}"));
	echo_conn_free(c);
	c = open_conn(GET("/"));
	assert_int_equal(echo_conn_interval(c), 0);
	echo_conn_tick(c, 1);
	assert_output(c, span_str(""));
	echo_conn_free(c);
}

/* A client that does not read misses numbers, and can see that it did. */
static void test_ticker_skips_when_full(void **state)
{
	struct echo_conn *c = open_conn(GET("/ticker"));
	char expected[64];
	size_t ticks = 0, before;

	(void)state;
	for (; !echo_conn_is_full(c); ticks++)
		echo_conn_tick(c, 5);
	before = echo_conn_output(c)->len;
	echo_conn_tick(c, 5);
	assert_int_equal(echo_conn_output(c)->len, before);
	buf_clear(echo_conn_output(c));
	echo_conn_tick(c, 5);
	snprintf(expected + 2, sizeof(expected) - 2, "{\"n\":%zu,\"time\":5.000}", ticks + 2);
	expected[0] = '\x81';
	expected[1] = (char)strlen(expected + 2);
	assert_output(c, span_str(expected));
	echo_conn_free(c);
}

static void test_close_from_outside(void **state)
{
	struct echo_conn *c = open_conn(GET("/"));

	(void)state;
	echo_conn_close(c, 1001, span_str("gone"));
	echo_conn_close(c, 1000, span_str("twice"));
	assert_output(c, span_of("\x88\x06\x03\xe9gone", 8));
	assert_int_equal(echo_conn_phase(c), ECHO_CLOSING);
	echo_conn_free(c);
	c = echo_conn_new();
	echo_conn_close(c, 1001, span_str(""));
	assert_int_equal(echo_conn_phase(c), ECHO_OVER);
	assert_output(c, span_str(""));
	echo_conn_free(c);
}

/*
 * The largest message comes back whole, and is to be written before more is
 * read. Its pieces end at every place of the masking key.
 */
static void test_largest_message(void **state)
{
	struct echo_conn *c = open_conn(GET("/"));
	const uint8_t head[] = { 0x82, 0xff, 0, 0, 0, 0, 1, 0, 0, 0, 1, 20, 9, 77 };
	const uint8_t *key = head + 10;
	size_t n = ECHO_MESSAGE_MAX;
	uint8_t *payload = mem_alloc(n);
	struct span out, rest = span_of(payload, n);

	(void)state;
	for (size_t i = 0; i < n; i++)
		payload[i] = (uint8_t)(i * 31 >> 3);
	echo_conn_feed(c, span_of(head, sizeof(head)));
	while (rest.n > 0) {
		size_t piece = rest.n < 100003 ? rest.n : 100003;

		echo_conn_feed(c, span_of(rest.p, piece));
		rest = span_skip(rest, piece);
	}
	assert_true(echo_conn_is_full(c));
	out = buf_bytes(echo_conn_output(c));
	assert_int_equal(out.n, n + 10);
	assert_memory_equal(out.p, "\x82\x7f\0\0\0\0\x01\0\0\0", 10);
	for (size_t i = 0; i < n; i++)
		payload[i] ^= key[i % 4];
	assert_memory_equal(out.p + 10, payload, n);
	buf_consume(echo_conn_output(c), out.n);
	assert_false(echo_conn_is_full(c));
	free(payload);
	echo_conn_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_talks),
		cmocka_unit_test(test_ticker),
		cmocka_unit_test(test_ticker_skips_when_full),
		cmocka_unit_test(test_close_from_outside),
		cmocka_unit_test(test_largest_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
