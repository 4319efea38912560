/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to the echo server: what is accepted, what is refused, and with which status. */
#include "tool/echo_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define HOST "Host: x\r\n"
#define UPGRADE "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define WS_VERSION "Sec-WebSocket-Version: 13\r\n"
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define FIELDS HOST UPGRADE WS_VERSION KEY

/* The status line, and whether it was accepted; the caller deinits out. */
static bool ask(const char *request, struct echo_request *rq, struct buf *out)
{
	struct span input = span_str(request);
	struct http_head head;
	struct error err;
	bool accepted;

	buf_init(out, 65536);
	http_head_init_request(&head);
	assert_int_equal(http_head_feed(&head, &input, &err), HTTP_HEAD_DONE);
	accepted = echo_request_answer(rq, &head, out);
	http_head_deinit(&head);
	return accepted;
}

static void assert_begins(const struct buf *out, const char *text, const char *request)
{
	struct span s = buf_bytes(out);

	if (s.n < strlen(text) || memcmp(s.p, text, strlen(text)) != 0)
		fail_msg("%s\n--- got\n%.*s", request, (int)s.n, (const char *)s.p);
}

static const struct {
	const char *request;
	const char *status; /* "101", or that of the refusal */
} requests[] = {
	{ "GET / HTTP/1.1\r\n" FIELDS "\r\n", "101" },
	{ "GET /silent HTTP/1.1\r\n" FIELDS "\r\n", "101" },
	{ "GET /ticker?interval=1 HTTP/1.1\r\n" FIELDS "\r\n", "101" },
	{ "GET / HTTP/1.1\r\n" HOST "Upgrade: h2c, WebSocket\r\n"
	  "Connection: keep-alive\r\nConnection: x, upgrade\r\n" WS_VERSION KEY "\r\n",
	  "101" },
	/* RFC 6455, 4.2.1 */
	{ "GET / HTTP/1.1\r\n" HOST "\r\n", "426" },
	{ "GET / HTTP/1.1\r\n" HOST UPGRADE KEY "Sec-WebSocket-Version: 8\r\n\r\n", "426" },
	{ "GET / HTTP/1.1\r\n" HOST UPGRADE KEY "\r\n", "426" },
	{ "POST / HTTP/1.1\r\n" FIELDS "\r\n", "400" },
	{ "GET / HTTP/1.0\r\n" FIELDS "\r\n", "400" },
	{ "GET / HTTP/1.1\r\n" UPGRADE WS_VERSION KEY "\r\n", "400" },
	{ "GET / HTTP/1.1\r\n" HOST FIELDS "\r\n", "400" },
	{ "GET / HTTP/1.1\r\n" HOST "Upgrade: websocket\r\n" WS_VERSION KEY "\r\n", "400" },
	{ "GET / HTTP/1.1\r\n" HOST UPGRADE WS_VERSION "\r\n", "400" },
	{ "GET / HTTP/1.1\r\n" FIELDS KEY "\r\n", "400" },
	{ "GET / HTTP/1.1\r\n" HOST UPGRADE WS_VERSION
	  "Sec-WebSocket-Key: dGhlIHNhbXBsZQ==\r\n\r\n",
	  "400" },
	{ "GET / HTTP/1.1\r\n" HOST UPGRADE WS_VERSION
	  "Sec-WebSocket-Key: !!!!IHNhbXBsZSBub25jZQ==\r\n\r\n",
	  "400" },
	/* Paths and their parameters. */
	{ "GET /nowhere HTTP/1.1\r\n" FIELDS "\r\n", "404" },
	{ "GET /ticker/ HTTP/1.1\r\n" FIELDS "\r\n", "404" },
	{ "GET /?x=1 HTTP/1.1\r\n" FIELDS "\r\n", "400" },
	{ "GET /ticker?interval=soon HTTP/1.1\r\n" FIELDS "\r\n", "400" },
	{ "GET /ticker?interval=0 HTTP/1.1\r\n" FIELDS "\r\n", "400" },
	{ "GET /ticker?interval HTTP/1.1\r\n" FIELDS "\r\n", "400" },
	{ "GET /close?code=1005 HTTP/1.1\r\n" FIELDS "\r\n", "400" },
	{ "GET /close?code=999 HTTP/1.1\r\n" FIELDS "\r\n", "400" },
	{ "GET /close?code=4294971296 HTTP/1.1\r\n" FIELDS "\r\n", "400" },
	{ "GET /close?code=-4000 HTTP/1.1\r\n" FIELDS "\r\n", "400" },
	{ "GET /close?reason=%ff HTTP/1.1\r\n" FIELDS "\r\n", "400" },
	{ "GET /close?reason=%00 HTTP/1.1\r\n" FIELDS "\r\n", "400" },
	{ "GET /close?reason=%4 HTTP/1.1\r\n" FIELDS "\r\n", "400" },
	{ "GET /close?reason=%4x HTTP/1.1\r\n" FIELDS "\r\n", "400" },
};

static void test_status(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
		struct echo_request rq;
		char begin[32];
		struct buf out;
		bool accepted = ask(requests[i].request, &rq, &out);

		snprintf(begin, sizeof(begin), "HTTP/1.1 %s ", requests[i].status);
		assert_begins(&out, begin, requests[i].request);
		assert_int_equal(accepted, strcmp(requests[i].status, "101") == 0);
		buf_deinit(&out);
	}
}

static void test_parameters(void **state)
{
	struct echo_request rq;
	struct buf out;

	(void)state;
	assert_true(ask("GET /ticker?interval=1min%2030s HTTP/1.1\r\n" FIELDS "\r\n", &rq, &out));
	assert_int_equal(rq.mode, ECHO_TICKER);
	assert_int_equal(rq.interval, 90000000);
	buf_deinit(&out);
	assert_true(ask("GET /ticker HTTP/1.1\r\n" FIELDS "\r\n", &rq, &out));
	assert_int_equal(rq.interval, 1000000);
	buf_deinit(&out);
	assert_true(ask("GET /close?reason=a%26b+%C3%A9&code=1013 HTTP/1.1\r\n" FIELDS "\r\n", &rq,
			&out));
	assert_int_equal(rq.mode, ECHO_CLOSE);
	assert_int_equal(rq.code, 1013);
	assert_true(span_equal(span_of(rq.reason, rq.reason_len), span_str("a&b+\xC3\xA9")));
	buf_deinit(&out);
}

/* A reason of 123 bytes fits into a Close, one of 124 does not. */
static void test_longest_reason(void **state)
{
	char request[512];
	struct echo_request rq;
	struct buf out;

	(void)state;
	for (int n = 123; n <= 124; n++) {
		snprintf(request, sizeof(request),
			 "GET /close?reason=%0*d HTTP/1.1\r\n" FIELDS "\r\n", n, 0);
		assert_int_equal(ask(request, &rq, &out), n == 123);
		buf_deinit(&out);
	}
}

static const struct {
	const char *offered, *chosen;
} protocols[] = {
	{ "", "" },
	{ "Sec-WebSocket-Protocol: chat\r\n", "Sec-WebSocket-Protocol: chat\r\n" },
	{ "Sec-WebSocket-Protocol: b , a\r\n", "Sec-WebSocket-Protocol: b\r\n" },
	{ "Sec-WebSocket-Protocol: b\r\nSec-WebSocket-Protocol: a\r\n",
	  "Sec-WebSocket-Protocol: b\r\n" },
	{ "Sec-WebSocket-Protocol: not a token\r\n", "" },
};

static void test_protocols(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(protocols) / sizeof(*protocols); i++) {
		struct echo_request rq;
		char request[512], expected[512];
		struct buf out;

		snprintf(request, sizeof(request), "GET / HTTP/1.1\r\n" FIELDS "%s\r\n",
			 protocols[i].offered);
		snprintf(expected, sizeof(expected),
			 "HTTP/1.1 101 Switching Protocols\r\nServer: wsbridge-echo\r\n" UPGRADE
			 "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n%s\r\n",
			 protocols[i].chosen);
		assert_true(ask(request, &rq, &out));
		assert_begins(&out, expected, request);
		assert_int_equal(out.len, strlen(expected));
		buf_deinit(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_parameters),
		cmocka_unit_test(test_longest_reason),
		cmocka_unit_test(test_protocols),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
