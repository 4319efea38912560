/* SPDX-License-Identifier: Apache-2.0 */
#include "ws/upgrade.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/chunks.h"
#include "support/fixed_rand.h"
#include "ws/limits.h"

/* The key and the answer of RFC 6455, 1.3. */
#define NONCE "the sample nonce"
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT_VALUE "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

#define S101 "HTTP/1.1 101 Switching Protocols\r\n"
#define UPGRADE "Upgrade: websocket\r\n"
#define CONNECTION "Connection: Upgrade\r\n"
#define ACCEPT "Sec-WebSocket-Accept: " ACCEPT_VALUE "\r\n"
#define GOOD S101 UPGRADE CONNECTION ACCEPT
#define PROTOCOL(value) "Sec-WebSocket-Protocol: " value "\r\n"
#define EXTENSIONS(value) "Sec-WebSocket-Extensions: " value "\r\n"
#define INTERIM "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
#define END "\r\n"

#define NO_UPGRADE "the response does not upgrade to websocket"
#define NO_CONNECTION "the response lacks \"Connection: Upgrade\""
#define NO_ACCEPT "the response lacks Sec-WebSocket-Accept"
#define TWO_ACCEPTS "the response has more than one Sec-WebSocket-Accept"
#define WRONG_ACCEPT "Sec-WebSocket-Accept does not answer our key"
#define EXTENSION "the server uses an extension that was not offered"
#define TWO_PROTOCOLS "the response has more than one Sec-WebSocket-Protocol"
#define WRONG_PROTOCOL "the server chose a subprotocol that was not offered"
#define OLD "the response is HTTP/1.0"
#define TOO_MANY "the server sent too many interim responses"
#define STATUS(code) "the server answered with status " #code

struct row {
	const char *response;
	const char *text; /* the error, NULL = accepted */
	int status;	  /* in the error */
	const char *chosen;
};

/* Offered: chat, superchat. */
static const struct row rows[] = {
	{ GOOD END, NULL, 0, NULL },
	{ S101 ACCEPT CONNECTION UPGRADE END, NULL, 0, NULL },
	{ S101 "UPGRADE: WebSocket\r\nconnection: UPGRADE\r\nSEC-WEBSOCKET-ACCEPT: " ACCEPT_VALUE
	       "\r\n" END,
	  NULL, 0, NULL },
	{ S101 "Upgrade:websocket\r\nConnection:Upgrade\r\nSec-WebSocket-Accept:" ACCEPT_VALUE
	       "\r\n" END,
	  NULL, 0, NULL },
	{ S101 "Upgrade: \t websocket \t\r\n" CONNECTION ACCEPT END, NULL, 0, NULL },
	{ S101 UPGRADE "Connection: keep-alive, Upgrade\r\n" ACCEPT END, NULL, 0, NULL },
	{ S101 UPGRADE "Connection: ,, upgrade ,\r\n" ACCEPT END, NULL, 0, NULL },
	{ S101 UPGRADE "Connection: keep-alive\r\nConnection: upgrade\r\n" ACCEPT END, NULL, 0,
	  NULL },
	{ S101 UPGRADE CONNECTION CONNECTION ACCEPT END, NULL, 0, NULL },
	{ "HTTP/1.1 101\r\n" UPGRADE CONNECTION ACCEPT END, NULL, 0, NULL },
	{ "HTTP/1.1 101 \r\n" UPGRADE CONNECTION ACCEPT END, NULL, 0, NULL },
	{ "HTTP/1.1 101 Web Socket Protocol Handshake\r\n" UPGRADE CONNECTION ACCEPT END, NULL, 0,
	  NULL },
	{ "HTTP/1.2 101 x\r\n" UPGRADE CONNECTION ACCEPT END, NULL, 0, NULL },
	{ GOOD "Server: x\r\nDate: y\r\nContent-Length: 0\r\nSet-Cookie: a=b\r\n" END, NULL, 0,
	  NULL },
	{ GOOD "Sec-WebSocket-Version: 13\r\n" END, NULL, 0, NULL },
	{ GOOD PROTOCOL("chat") END, NULL, 0, "chat" },
	{ GOOD PROTOCOL("superchat") END, NULL, 0, "superchat" },
	{ GOOD PROTOCOL(" chat ") END, NULL, 0, "chat" },

	{ S101 CONNECTION ACCEPT END, NO_UPGRADE, 0, NULL },
	{ S101 "Upgrade:\r\n" CONNECTION ACCEPT END, NO_UPGRADE, 0, NULL },
	{ S101 "Upgrade: websockets\r\n" CONNECTION ACCEPT END, NO_UPGRADE, 0, NULL },
	{ S101 "Upgrade: websocke\r\n" CONNECTION ACCEPT END, NO_UPGRADE, 0, NULL },
	{ S101 "Upgrade: web socket\r\n" CONNECTION ACCEPT END, NO_UPGRADE, 0, NULL },
	{ S101 "Upgrade: h2c\r\n" CONNECTION ACCEPT END, NO_UPGRADE, 0, NULL },
	{ S101 "Upgrade: websocket, h2c\r\n" CONNECTION ACCEPT END, NO_UPGRADE, 0, NULL },
	{ S101 "Upgrade: websocket/13\r\n" CONNECTION ACCEPT END, NO_UPGRADE, 0, NULL },
	{ S101 UPGRADE UPGRADE CONNECTION ACCEPT END, NO_UPGRADE, 0, NULL },
	{ S101 UPGRADE "Upgrade: h2c\r\n" CONNECTION ACCEPT END, NO_UPGRADE, 0, NULL },
	{ S101 END, NO_UPGRADE, 0, NULL },

	{ S101 UPGRADE ACCEPT END, NO_CONNECTION, 0, NULL },
	{ S101 UPGRADE "Connection:\r\n" ACCEPT END, NO_CONNECTION, 0, NULL },
	{ S101 UPGRADE "Connection: keep-alive\r\n" ACCEPT END, NO_CONNECTION, 0, NULL },
	{ S101 UPGRADE "Connection: upgraded\r\n" ACCEPT END, NO_CONNECTION, 0, NULL },
	{ S101 UPGRADE "Connection: keep-alive upgrade\r\n" ACCEPT END, NO_CONNECTION, 0, NULL },
	{ S101 UPGRADE "Connection: \"upgrade\"\r\n" ACCEPT END, NO_CONNECTION, 0, NULL },
	{ S101 UPGRADE "Proxy-Connection: upgrade\r\n" ACCEPT END, NO_CONNECTION, 0, NULL },

	{ S101 UPGRADE CONNECTION END, NO_ACCEPT, 0, NULL },
	{ S101 UPGRADE CONNECTION "Sec-WebSocket-Accept-x: " ACCEPT_VALUE "\r\n" END, NO_ACCEPT, 0,
	  NULL },
	{ S101 UPGRADE CONNECTION "Sec-WebSocket-Key: " KEY "\r\n" END, NO_ACCEPT, 0, NULL },
	{ GOOD ACCEPT END, TWO_ACCEPTS, 0, NULL },
	{ GOOD "Sec-WebSocket-Accept: x\r\n" END, TWO_ACCEPTS, 0, NULL },
	{ S101 UPGRADE CONNECTION "Sec-WebSocket-Accept:\r\n" END, WRONG_ACCEPT, 0, NULL },
	{ S101 UPGRADE CONNECTION "Sec-WebSocket-Accept: " KEY "\r\n" END, WRONG_ACCEPT, 0, NULL },
	{ S101 UPGRADE CONNECTION "Sec-WebSocket-Accept: S3PPLMBITXAQ9KYGZZHZRBK+XOO=\r\n" END,
	  WRONG_ACCEPT, 0, NULL },
	{ S101 UPGRADE CONNECTION "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo\r\n" END,
	  WRONG_ACCEPT, 0, NULL },
	{ S101 UPGRADE CONNECTION "Sec-WebSocket-Accept: " ACCEPT_VALUE "=\r\n" END, WRONG_ACCEPT,
	  0, NULL },
	{ S101 UPGRADE CONNECTION "Sec-WebSocket-Accept: " ACCEPT_VALUE ", x\r\n" END, WRONG_ACCEPT,
	  0, NULL },
	{ S101 UPGRADE CONNECTION "Sec-WebSocket-Accept: \"" ACCEPT_VALUE "\"\r\n" END,
	  WRONG_ACCEPT, 0, NULL },

	{ GOOD EXTENSIONS("permessage-deflate") END, EXTENSION, 0, NULL },
	{ GOOD EXTENSIONS("permessage-deflate; server_max_window_bits=99") END, EXTENSION, 0,
	  NULL },
	{ GOOD EXTENSIONS("x-unknown") END, EXTENSION, 0, NULL },
	{ GOOD EXTENSIONS("") END, EXTENSION, 0, NULL },

	{ GOOD PROTOCOL("mqtt") END, WRONG_PROTOCOL, 0, NULL },
	{ GOOD PROTOCOL("Chat") END, WRONG_PROTOCOL, 0, NULL },
	{ GOOD PROTOCOL("chat2") END, WRONG_PROTOCOL, 0, NULL },
	{ GOOD PROTOCOL("cha") END, WRONG_PROTOCOL, 0, NULL },
	{ GOOD PROTOCOL("") END, WRONG_PROTOCOL, 0, NULL },
	{ GOOD PROTOCOL("chat, superchat") END, WRONG_PROTOCOL, 0, NULL },
	{ GOOD PROTOCOL("chat") PROTOCOL("chat") END, TWO_PROTOCOLS, 0, NULL },
	{ GOOD PROTOCOL("chat") PROTOCOL("superchat") END, TWO_PROTOCOLS, 0, NULL },

	{ "HTTP/1.0 101 Switching Protocols\r\n" UPGRADE CONNECTION ACCEPT END, OLD, 0, NULL },
	{ "HTTP/1.1 200 OK\r\n" UPGRADE CONNECTION ACCEPT END, STATUS(200), 200, NULL },
	{ "HTTP/1.1 204 x\r\n" END, STATUS(204), 204, NULL },
	{ "HTTP/1.1 301 Moved\r\nLocation: ws://x/\r\n" END, STATUS(301), 301, NULL },
	{ "HTTP/1.1 307 x\r\n" END, STATUS(307), 307, NULL },
	{ "HTTP/1.1 400 Bad Request\r\n" END, STATUS(400), 400, NULL },
	{ "HTTP/1.1 401 x\r\nWWW-Authenticate: Basic\r\n" END, STATUS(401), 401, NULL },
	{ "HTTP/1.1 403 Forbidden\r\n" END, STATUS(403), 403, NULL },
	{ "HTTP/1.1 426 x\r\nSec-WebSocket-Version: 8\r\n" END, STATUS(426), 426, NULL },
	{ "HTTP/1.0 503 x\r\n" END, STATUS(503), 503, NULL },
	{ "HTTP/1.1 999 x\r\n" END, STATUS(999), 999, NULL },

	{ "HTTP/1.1 100 Continue\r\n\r\n" GOOD END, NULL, 0, NULL },
	{ "HTTP/1.1 102 x\r\n\r\n" INTERIM GOOD PROTOCOL("chat") END, NULL, 0, "chat" },
	{ INTERIM INTERIM INTERIM INTERIM INTERIM GOOD END, NULL, 0, NULL },
	{ INTERIM INTERIM INTERIM INTERIM INTERIM INTERIM GOOD END, TOO_MANY, 0, NULL },
	{ INTERIM "HTTP/1.1 404 x\r\n" END, STATUS(404), 404, NULL },
	/* fields of an interim response are none of the final one */
	{ "HTTP/1.1 199 x\r\n" UPGRADE CONNECTION ACCEPT "\r\n" S101 END, NO_UPGRADE, 0, NULL },
};

_Static_assert(sizeof(rows) / sizeof(rows[0]) >= 60, "a table worth its name");

static const char *const offered[] = { "chat", "superchat" };

static void init(struct upgrade *u, struct buf *request)
{
	struct fixed_rand r;
	struct ws_params params = {
		.target = "/chat",
		.host = "server.example.com",
		.subprotocols = offered,
		.n_subprotocols = 2,
		.rand = &r.source,
	};

	fixed_rand_init(&r, span_str(NONCE));
	buf_init(request, WS_REQUEST_MAX);
	upgrade_init(u, &params, request);
}

/* Feeds a piece; true when there is a verdict that is not INTERIM. */
static bool feed(struct upgrade *u, struct http_head *head, struct span piece,
		 enum upgrade_verdict *verdict, struct error *err)
{
	while (piece.n > 0) {
		enum http_head_result got = http_head_feed(head, &piece, err);

		assert_int_not_equal(got, HTTP_HEAD_BAD);
		if (got == HTTP_HEAD_MORE)
			return false;
		*verdict = upgrade_judge(u, head, err);
		if (*verdict != UPGRADE_INTERIM)
			return true;
		http_head_deinit(head);
		http_head_init(head);
	}
	return false;
}

static void judge_row(struct chunks *chunks, void *arg)
{
	const struct row *row = arg;
	enum upgrade_verdict verdict = UPGRADE_INTERIM;
	struct error err = ERROR_INIT;
	struct http_head head;
	struct upgrade u;
	struct span piece;
	struct buf request;

	init(&u, &request);
	http_head_init(&head);
	while (chunks_next(chunks, &piece) && !feed(&u, &head, piece, &verdict, &err))
		;
	assert_int_equal(verdict, row->text ? UPGRADE_REFUSED : UPGRADE_ACCEPTED);
	assert_string_equal(err.text, row->text ? row->text : "");
	assert_int_equal(err.status, row->status);
	assert_int_equal(err.code, row->status ? ERR_BAD_STATUS :
				   row->text   ? ERR_PROTOCOL :
						 ERR_NONE);
	assert_int_equal(err.stage, row->text ? STAGE_HANDSHAKE : STAGE_NONE);
	assert_int_equal(u.chosen == NULL, row->chosen == NULL);
	if (row->chosen)
		assert_string_equal(u.chosen, row->chosen);
	http_head_deinit(&head);
	upgrade_deinit(&u);
	upgrade_deinit(&u);
	buf_deinit(&request);
}

static void judges_responses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct row row = rows[i];

		chunks_each(span_str(row.response), judge_row, &row);
	}
}

static void answers_the_key_of_the_standard(void **state)
{
	char accept[UPGRADE_ACCEPT_LEN + 1];

	(void)state;
	upgrade_accept(accept, span_str(KEY));
	assert_string_equal(accept, ACCEPT_VALUE);
}

static void expect_request(const struct ws_params *params, const char *expected)
{
	struct buf out;
	struct upgrade u;

	buf_init(&out, WS_REQUEST_MAX);
	upgrade_init(&u, params, &out);
	assert_int_equal(out.len, strlen(expected));
	assert_memory_equal(buf_bytes(&out).p, expected, out.len);
	upgrade_deinit(&u);
	buf_deinit(&out);
}

static void writes_the_least_request(void **state)
{
	struct fixed_rand r;
	struct ws_params params = { .target = "/", .host = "[::1]:8080", .rand = &r.source };

	(void)state;
	fixed_rand_init(&r, span_str(NONCE));
	expect_request(&params, "GET / HTTP/1.1\r\n"
				"Host: [::1]:8080\r\n"
				"Upgrade: websocket\r\n"
				"Connection: Upgrade\r\n"
				"Sec-WebSocket-Key: " KEY "\r\n"
				"Sec-WebSocket-Version: 13\r\n"
				"\r\n");
	assert_int_equal(r.drawn, 16);
}

static void writes_all_there_is_to_ask(void **state)
{
	static const struct ws_header headers[] = {
		{ "Authorization", "Bearer x" },
		{ "X-Empty", "" },
		{ "Cookie", "a=b; c=d" },
	};
	struct fixed_rand r;
	const struct ws_params params = {
		.target = "/chat?room=1&x=%20",
		.origin = "https://example.com",
		.user_agent = "wsbridge/1",
		.subprotocols = offered,
		.n_subprotocols = 2,
		.headers = headers,
		.n_headers = 3,
		.rand = &r.source,
	};

	(void)state;
	fixed_rand_init(&r, span_str(NONCE));
	expect_request(&params, "GET /chat?room=1&x=%20 HTTP/1.1\r\n"
				"Upgrade: websocket\r\n"
				"Connection: Upgrade\r\n"
				"Sec-WebSocket-Key: " KEY "\r\n"
				"Sec-WebSocket-Version: 13\r\n"
				"Sec-WebSocket-Protocol: chat, superchat\r\n"
				"Origin: https://example.com\r\n"
				"User-Agent: wsbridge/1\r\n"
				"Authorization: Bearer x\r\n"
				"X-Empty: \r\n"
				"Cookie: a=b; c=d\r\n"
				"\r\n");
}

/* RFC 6455, 4.1: the nonce is drawn anew for each connection. */
static void draws_a_key_for_each_request(void **state)
{
	struct fixed_rand r;
	struct ws_params params = { .target = "/", .rand = &r.source };
	struct upgrade first, second;
	struct buf out;

	(void)state;
	fixed_rand_init(&r, span_str("the sample nonce, and another 16"));
	buf_init(&out, WS_REQUEST_MAX);
	upgrade_init(&first, &params, &out);
	upgrade_init(&second, &params, &out);
	assert_string_equal(first.accept, ACCEPT_VALUE);
	assert_string_not_equal(second.accept, ACCEPT_VALUE);
	assert_int_equal(r.drawn, 32);
	upgrade_deinit(&first);
	upgrade_deinit(&second);
	buf_deinit(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_responses),
		cmocka_unit_test(answers_the_key_of_the_standard),
		cmocka_unit_test(writes_the_least_request),
		cmocka_unit_test(writes_all_there_is_to_ask),
		cmocka_unit_test(draws_a_key_for_each_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
