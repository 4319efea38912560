/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP heads, good and bad, cut in every way: the verdict, the sentence and
 * what is left of the input are the same for every cut.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/http_head.h"
#include "base/mem.h"
#include "support/chunks.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define S(text)                                           \
	{                                                 \
		(const uint8_t *)(text), sizeof(text) - 1 \
	}
#define OK "HTTP/1.1 101 Switching Protocols\r\n"

struct row {
	struct span input;
	enum http_head_result result;
	const char *out; /* what was read, written down; or the sentence */
	size_t rest;	 /* bytes behind the head */
	bool is_request;
	enum err code;
};

static void write_down(const struct http_head *h, char *out, size_t size)
{
	size_t n;

	if (h->is_request)
		n = (size_t)snprintf(out, size, "%.*s %.*s %u", (int)http_head_method(h).n,
				     (const char *)http_head_method(h).p,
				     (int)http_head_target(h).n,
				     (const char *)http_head_target(h).p, h->minor);
	else
		n = (size_t)snprintf(out, size, "%d %u", h->status, h->minor);
	for (size_t i = 0; i < h->n_lines; i++) {
		struct http_field f = http_head_field(h, i);

		n += (size_t)snprintf(out + n, size - n, " %.*s=[%.*s]", (int)f.name.n,
				      (const char *)f.name.p, (int)f.value.n,
				      (const char *)f.value.p);
	}
	assert_true(n < size);
}

static void run(struct chunks *c, void *arg)
{
	const struct row *row = arg;
	enum http_head_result result = HTTP_HEAD_MORE;
	struct error err = ERROR_INIT;
	struct http_head h;
	struct span piece = { 0 };
	char out[1024];

	if (row->is_request)
		http_head_init_request(&h);
	else
		http_head_init(&h);
	while (result == HTTP_HEAD_MORE && chunks_next(c, &piece)) {
		result = http_head_feed(&h, &piece, &err);
		if (result == HTTP_HEAD_MORE)
			assert_int_equal(piece.n, 0);
	}
	assert_int_equal(result, row->result);
	assert_int_equal(err.code, row->code);
	if (result == HTTP_HEAD_BAD) {
		assert_string_equal(err.text, row->out);
	} else if (result == HTTP_HEAD_DONE) {
		write_down(&h, out, sizeof(out));
		assert_string_equal(out, row->out);
		assert_int_equal(piece.n + c->input.n - c->at, row->rest);
	}
	http_head_deinit(&h);
	http_head_deinit(&h);
}

static void responses(void **state)
{
	static const struct row rows[] = {
		{ S(OK "\r\n"), HTTP_HEAD_DONE, "101 1", 0, false, 0 },
		{ S("HTTP/1.0 200 OK\r\n\r\n"), HTTP_HEAD_DONE, "200 0", 0, false, 0 },
		{ S("HTTP/1.1 101 \r\n\r\n"), HTTP_HEAD_DONE, "101 1", 0, false, 0 },
		{ S("HTTP/1.1 101\r\n\r\n"), HTTP_HEAD_DONE, "101 1", 0, false, 0 },
		{ S("HTTP/1.9 999 a b\tc \xC3\xA4 \xFF\r\n\r\n"), HTTP_HEAD_DONE, "999 9", 0, false,
		  0 },
		{ S("HTTP/1.1 100 x\r\n\r\n"), HTTP_HEAD_DONE, "100 1", 0, false, 0 },
		{ S(OK "\r\n\x81\x05Hello\r\n\r\n"), HTTP_HEAD_DONE, "101 1", 11, false, 0 },
		{ S(OK "\r\n\r\n"), HTTP_HEAD_DONE, "101 1", 2, false, 0 },
		{ S(OK "Upgrade: websocket\r\nConnection:Upgrade\r\n\r\n"), HTTP_HEAD_DONE,
		  "101 1 Upgrade=[websocket] Connection=[Upgrade]", 0, false, 0 },
		{ S(OK "A:\r\nB: \r\nC: \t \r\nD:x\r\nE:\t x  y \t\r\n\r\n"), HTTP_HEAD_DONE,
		  "101 1 A=[] B=[] C=[] D=[x] E=[x  y]", 0, false, 0 },
		{ S(OK "a: b:c: d\r\n!#$%&'*+-.^_`|~09azAZ: \xFF\t\xC3\xA4\r\n\r\n"),
		  HTTP_HEAD_DONE, "101 1 a=[b:c: d] !#$%&'*+-.^_`|~09azAZ=[\xFF\t\xC3\xA4]", 0,
		  false, 0 },
		{ S(OK "Set-Cookie: a\r\nset-cookie: b\r\nSet-Cookie: a\r\n\r\n"), HTTP_HEAD_DONE,
		  "101 1 Set-Cookie=[a] set-cookie=[b] Set-Cookie=[a]", 0, false, 0 },
		{ S(""), HTTP_HEAD_MORE, NULL, 0, false, 0 },
		{ S("HTTP/1."), HTTP_HEAD_MORE, NULL, 0, false, 0 },
		{ S("HTTP/1.1 101"), HTTP_HEAD_MORE, NULL, 0, false, 0 },
		{ S(OK), HTTP_HEAD_MORE, NULL, 0, false, 0 },
		{ S(OK "A: b\r\n\r"), HTTP_HEAD_MORE, NULL, 0, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct row row = rows[i];

		chunks_each(row.input, run, &row);
	}
}

#define NOT_HTTP "the answer is not HTTP/1.x"
#define NO_STATUS "the status line has no status"
#define NOT_NUMBER "the status is not a number"
#define NOT_THREE "the status is not a number of three digits"
#define NO_CR "a line of the response ends without CR"
#define TLS "the answer is TLS where plain HTTP was expected"
#define LINE1(what) "header line 1 of the response " what
#define NAME1 "the name in header line 1 of the response is not a token"

static const struct {
	struct span input;
	const char *sentence;
} bad_rows[] = {
	{ S("\r\n"), NOT_HTTP },
	{ S("\n"), NOT_HTTP },
	{ S("SSH-2.0-OpenSSH_9.2\r\n"), NOT_HTTP },
	{ S("HTTP/2 101 \r\n"), NOT_HTTP },
	{ S("HTTP/2.0 101 \r\n"), NOT_HTTP },
	{ S("HTTP/0.9 101 \r\n"), NOT_HTTP },
	{ S("http/1.1 101 \r\n"), NOT_HTTP },
	{ S(" HTTP/1.1 101 \r\n"), NOT_HTTP },
	{ S("HTTP/1.x 101 \r\n"), NOT_HTTP },
	{ S("HTTP/1.\r\n"), NOT_HTTP },
	{ S("ICY 200 OK\r\n"), NOT_HTTP },
	{ S("H\0TP/1.1 101 \r\n"), NOT_HTTP },
	{ S("\x15\x03\x01\x00\x02\x02\x46"), TLS },
	{ S("\x16\x03\x01"), TLS },
	{ S("H\x15"), NOT_HTTP },
	{ S("HTTP/1.1\r\n"), NO_STATUS },
	{ S("HTTP/1.1 \r\n"), NO_STATUS },
	{ S("HTTP/1.1 10\r\n"), NO_STATUS },
	{ S("HTTP/1.12 101 OK\r\n"), NO_STATUS },
	{ S("HTTP/1.1\t101 OK\r\n"), NO_STATUS },
	{ S("HTTP/1.1  101 OK\r\n"), NOT_NUMBER },
	{ S("HTTP/1.1 abc OK\r\n"), NOT_NUMBER },
	{ S("HTTP/1.1 -10 OK\r\n"), NOT_NUMBER },
	{ S("HTTP/1.1 1\x0031 OK\r\n"), NOT_NUMBER },
	{ S("HTTP/1.1 099 OK\r\n"), NOT_THREE },
	{ S("HTTP/1.1 1010 OK\r\n"), NOT_THREE },
	{ S("HTTP/1.1 101OK\r\n"), NOT_THREE },
	{ S("HTTP/1.1 101\tOK\r\n"), NOT_THREE },
	{ S("HTTP/1.1 101 a\x01"
	    "b\r\n"),
	  "the status line has a control character" },
	{ S("HTTP/1.1 101 a\rb\r\n"), "the status line has a control character" },
	{ S("HTTP/1.1 101 a\r\r\n"), "the status line has a control character" },
	{ S("HTTP/1.1 101 a\x7F\r\n"), "the status line has a control character" },
	{ S("HTTP/1.1 101 a\n"), NO_CR },
	{ S(OK "A: b\n\r\n"), NO_CR },
	{ S(OK "\n"), NO_CR },
	{ S(OK "A: b\r\n\n"), NO_CR },
	{ S(OK " A: b\r\n"), LINE1("is folded") },
	{ S(OK "\tA: b\r\n"), LINE1("is folded") },
	{ S(OK " \r\n"), LINE1("is folded") },
	{ S(OK "A: b\r\n c\r\n"), "header line 2 of the response is folded" },
	{ S(OK "A: b\r\n\tc: d\r\n"), "header line 2 of the response is folded" },
	{ S(OK "A\r\n"), LINE1("has no colon") },
	{ S(OK "HTTP/1.1 200 OK\r\n"), LINE1("has no colon") },
	{ S(OK "\r\r\n"), LINE1("has no colon") },
	{ S(OK "A : b\r\n"), LINE1("has white space before the colon") },
	{ S(OK "A\t: b\r\n"), LINE1("has white space before the colon") },
	{ S(OK ": b\r\n"), NAME1 },
	{ S(OK "A b: c\r\n"), NAME1 },
	{ S(OK "A(b): c\r\n"), NAME1 },
	{ S(OK "\"A\": c\r\n"), NAME1 },
	{ S(OK "A\x80: c\r\n"), NAME1 },
	{ S(OK "A\0: c\r\n"), NAME1 },
	{ S(OK "A\rB: c\r\n"), NAME1 },
	{ S(OK "{A}: c\r\n"), NAME1 },
	{ S(OK "A: b\0c\r\n"), LINE1("has a control character") },
	{ S(OK "A: b\rB: c\r\n"), LINE1("has a control character") },
	{ S(OK "A: b\r\r\n"), LINE1("has a control character") },
	{ S(OK "A: \x1B[31m\r\n"), LINE1("has a control character") },
	{ S(OK "A: \x7F\r\n"), LINE1("has a control character") },
	{ S(OK "A: \v\r\n"), LINE1("has a control character") },
};

static void bad_responses(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad_rows); i++) {
		struct row row = { .input = bad_rows[i].input,
				   .result = HTTP_HEAD_BAD,
				   .out = bad_rows[i].sentence,
				   .code = ERR_PROTOCOL };

		chunks_each(row.input, run, &row);
	}
}

static void requests(void **state)
{
	static const struct row rows[] = {
		{ S("GET / HTTP/1.1\r\n\r\n"), HTTP_HEAD_DONE, "GET / 1", 0, true, 0 },
		{ S("GET /a?b=c HTTP/1.1\r\nHost: h\r\n\r\nrest"), HTTP_HEAD_DONE,
		  "GET /a?b=c 1 Host=[h]", 4, true, 0 },
		{ S("CONNECT h:443 HTTP/1.0\r\n\r\n"), HTTP_HEAD_DONE, "CONNECT h:443 0", 0, true,
		  0 },
		{ S("G"), HTTP_HEAD_MORE, NULL, 0, true, 0 },
		{ S("\r\n"), HTTP_HEAD_BAD, "the request line has no target", 0, true,
		  ERR_PROTOCOL },
		{ S("GET\r\n"), HTTP_HEAD_BAD, "the request line has no target", 0, true,
		  ERR_PROTOCOL },
		{ S(" GET / HTTP/1.1\r\n"), HTTP_HEAD_BAD,
		  "the method of the request is not a token", 0, true, ERR_PROTOCOL },
		{ S("G@T / HTTP/1.1\r\n"), HTTP_HEAD_BAD,
		  "the method of the request is not a token", 0, true, ERR_PROTOCOL },
		{ S("GET \r\n"), HTTP_HEAD_BAD, "the request line has no HTTP version", 0, true,
		  ERR_PROTOCOL },
		{ S("GET /\r\n"), HTTP_HEAD_BAD, "the request line has no HTTP version", 0, true,
		  ERR_PROTOCOL },
		{ S("GET  HTTP/1.1\r\n"), HTTP_HEAD_BAD, "the target of the request is not valid",
		  0, true, ERR_PROTOCOL },
		{ S("GET /\t HTTP/1.1\r\n"), HTTP_HEAD_BAD,
		  "the target of the request is not valid", 0, true, ERR_PROTOCOL },
		{ S("GET /\xC3\xA4 HTTP/1.1\r\n"), HTTP_HEAD_BAD,
		  "the target of the request is not valid", 0, true, ERR_PROTOCOL },
		{ S("GET /\x7F HTTP/1.1\r\n"), HTTP_HEAD_BAD,
		  "the target of the request is not valid", 0, true, ERR_PROTOCOL },
		{ S("GET / HTTP/2.0\r\n"), HTTP_HEAD_BAD, "the request is not HTTP/1.x", 0, true,
		  ERR_PROTOCOL },
		{ S("GET / HTTP/1.1 \r\n"), HTTP_HEAD_BAD, "the request is not HTTP/1.x", 0, true,
		  ERR_PROTOCOL },
		{ S("GET /  HTTP/1.1\r\n"), HTTP_HEAD_BAD, "the request is not HTTP/1.x", 0, true,
		  ERR_PROTOCOL },
		{ S("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), HTTP_HEAD_BAD,
		  "the request is not HTTP/1.x", 0, true, ERR_PROTOCOL },
		{ S("GET / HTTP/1.1\n"), HTTP_HEAD_BAD, "a line of the request ends without CR", 0,
		  true, ERR_PROTOCOL },
		{ S("GET / HTTP/1.1\r\nA b\r\n"), HTTP_HEAD_BAD,
		  "header line 1 of the request has no colon", 0, true, ERR_PROTOCOL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct row row = rows[i];

		chunks_each(row.input, run, &row);
	}
}

/* One line of n bytes with its CRLF: "HTTP/1.1 200 xxx" or "A: xxx". */
static void add_line(struct buf *b, const char *prefix, size_t n)
{
	size_t len = strlen(prefix);
	uint8_t *room = buf_reserve(b, n);

	assert_non_null(room);
	memset(room, 'x', n);
	memcpy(room, prefix, len);
	memcpy(room + n - 2, "\r\n", 2);
	buf_commit(b, n);
}

static void limits(void **state)
{
	static const struct {
		size_t first, line, n_lines;
		const char *sentence;
	} rows[] = {
		{ 4096, 4, 1, NULL },
		{ 4097, 4, 0, "the first line of the response is longer than 4096 bytes" },
		{ 20000, 4, 0, "the first line of the response is longer than 4096 bytes" },
		{ 20, 8192, 3, NULL },
		{ 20, 8193, 1, "a header line of the response is longer than 8192 bytes" },
		{ 20, 4, 100, NULL },
		{ 20, 4, 101, "the response has more than 100 header lines" },
		{ 32768 - 3 * 8192, 8192, 3,
		  "the first line of the response is longer than 4096 bytes" },
		{ 4094, 4096, 7, NULL }, /* 32766, and the empty line: 32768 */
		{ 4095, 4096, 7, "the head of the response is longer than 32768 bytes" },
		{ 20, 8192, 4, "the head of the response is longer than 32768 bytes" },
		{ 4096, 8000, 4, "the head of the response is longer than 32768 bytes" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct row row = { .is_request = false };
		struct http_head h;
		struct error err = ERROR_INIT;
		struct buf b;
		struct span s;

		buf_init(&b, 1 << 20);
		add_line(&b, "HTTP/1.1 200 ", rows[i].first);
		for (size_t n = 0; n < rows[i].n_lines; n++)
			add_line(&b, "A:", rows[i].line);
		assert_true(buf_append(&b, span_str("\r\n")));
		if (rows[i].sentence) {
			row = (struct row){ .input = buf_bytes(&b),
					    .result = HTTP_HEAD_BAD,
					    .out = rows[i].sentence,
					    .code = ERR_PROTOCOL };
			chunks_each_coarse(row.input, run, &row);
		} else {
			http_head_init(&h);
			s = buf_bytes(&b);
			assert_int_equal(http_head_feed(&h, &s, &err), HTTP_HEAD_DONE);
			assert_int_equal(h.n_lines, rows[i].n_lines);
			assert_int_equal(http_head_field(&h, h.n_lines - 1).value.n,
					 rows[i].line - 4);
			http_head_deinit(&h);
		}
		buf_deinit(&b);
	}
}

/* A line beyond both limits meets that of the head first, whole or byte by byte. */
static void first_limit_is_named(void **state)
{
	struct row row = { .result = HTTP_HEAD_BAD,
			   .out = "the head of the response is longer than 32768 bytes",
			   .code = ERR_PROTOCOL };
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 20);
	add_line(&b, "HTTP/1.1 200 ", 4096);
	for (size_t i = 0; i < 3; i++)
		add_line(&b, "A:", 8192);
	add_line(&b, "A:", 9000);
	row.input = buf_bytes(&b);
	chunks_each_coarse(row.input, run, &row);
	buf_deinit(&b);
}

static void finding_fields(void **state)
{
	static const char head[] = OK "Upgrade: websocket\r\nX-A: 1\r\nx-a: 2\r\n"
				      "X-AB: 3\r\nX-A: 4\r\n\r\n";
	struct span input = span_str(head), value;
	struct error err = ERROR_INIT;
	struct http_head h;
	size_t i = 0;

	(void)state;
	http_head_init(&h);
	assert_int_equal(http_head_feed(&h, &input, &err), HTTP_HEAD_DONE);
	assert_true(http_head_find(&h, "UPGRADE", &i, &value));
	assert_true(span_equal(value, span_str("websocket")));
	assert_int_equal(i, 1);
	assert_false(http_head_find(&h, "upgrade", &i, &value));
	assert_int_equal(i, 1);
	for (const char *want = "124"; *want; want++) {
		assert_true(http_head_find(&h, "x-A", &i, &value));
		assert_true(span_equal(value, span_of(want, 1)));
	}
	assert_false(http_head_find(&h, "x-A", &i, &value));
	i = 0;
	assert_false(http_head_find(&h, "X", &i, &value));
	assert_false(http_head_find(&h, "", &i, &value));
	http_head_deinit(&h);
}

static void tokens_in_lists(void **state)
{
	static const struct {
		const char *value, *token;
		bool has;
	} rows[] = {
		{ "Upgrade", "upgrade", true },
		{ "keep-alive, Upgrade", "upgrade", true },
		{ "keep-alive ,\tUPGRADE\t", "Upgrade", true },
		{ "upgrade,keep-alive", "upgrade", true },
		{ ",, ,upgrade,", "upgrade", true },
		{ "", "upgrade", false },
		{ ",", "upgrade", false },
		{ "upgraded", "upgrade", false },
		{ "xupgrade", "upgrade", false },
		{ "up grade", "upgrade", false },
		{ "keep-alive upgrade", "upgrade", false },
		{ "upgrade; q=1", "upgrade", false },
		{ "websocket/13", "websocket", false },
		{ "keep-alive, up", "upgrade", false },
	};
	struct guard g;

	(void)state;
	guard_init(&g, 64);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct span s = guard_place(&g, span_str(rows[i].value));

		assert_int_equal(http_list_has_token(s, rows[i].token), rows[i].has);
	}
	guard_deinit(&g);
}

static void characters(void **state)
{
	static const char tchar[] = "!#$%&'*+-.^_`|~0123456789"
				    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

	(void)state;
	assert_false(http_is_token(span_of(NULL, 0)));
	assert_true(http_is_field_value(span_of(NULL, 0)));
	for (int c = 0; c < 256; c++) {
		uint8_t byte = (uint8_t)c;
		bool control = (c < 0x20 && c != '\t') || c == 0x7F;

		assert_int_equal(http_is_token(span_of(&byte, 1)), c != 0 && strchr(tchar, c));
		assert_int_equal(http_is_field_value(span_of(&byte, 1)), !control);
	}
}

static void failing_allocation_is_an_error(void **state)
{
	struct span input = span_str(OK "\r\n");
	struct error err = ERROR_INIT;
	struct http_head h;

	(void)state;
	http_head_init(&h);
	mem_fail_try_after(1);
	assert_int_equal(http_head_feed(&h, &input, &err), HTTP_HEAD_BAD);
	assert_int_equal(err.code, ERR_INTERNAL);
	assert_string_equal(err.text, "out of memory for the head of the response");
	http_head_deinit(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(responses),
		cmocka_unit_test(bad_responses),
		cmocka_unit_test(requests),
		cmocka_unit_test(limits),
		cmocka_unit_test(first_limit_is_named),
		cmocka_unit_test(finding_fields),
		cmocka_unit_test(tokens_in_lists),
		cmocka_unit_test(characters),
		cmocka_unit_test(failing_allocation_is_an_error),
	};

	return cmocka_run_group_tests_name("http_head", tests, NULL, NULL);
}
