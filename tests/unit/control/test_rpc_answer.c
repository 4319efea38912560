/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers and error objects, byte for byte, and the way back: what the command
 * line makes of an answer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "control/rpc.h"

/* value is taken. */
static void expect_line(json_t *value, const char *expected)
{
	size_t n;
	char *line = rpc_line(value, &n);

	assert_string_equal(line, expected);
	assert_int_equal(n, strlen(expected));
	json_decref(value);
	free(line);
}

static void test_answers(void **state)
{
	json_t *id = json_string("\xc3\xa4\"\n");

	(void)state;
	expect_line(rpc_answer_ok(id, json_object()),
		    "{\"jsonrpc\":\"2.0\",\"id\":\"\xc3\xa4\\\"\\n\",\"result\":{}}\n");
	expect_line(rpc_answer_ok(json_null(), json_pack("{s:f,s:f,s:I}", "rtt", 0.1, "t", 1e9 / 3,
							 "n", (json_int_t)INT64_MAX)),
		    "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{\"rtt\":0.1,"
		    "\"t\":333333333.333333,\"n\":9223372036854775807}}\n");
	json_decref(id);
}

struct error_row {
	struct error err;
	const char *bridge, *data; /* what follows the kind */
	bool retryable;
};

#define UP(name) .err = { .code = ERR_##name, .text = "t" }

static const struct error_row rows[] = {
	{ UP(PARSE), NULL, "", false },
	{ UP(INVALID_REQUEST), NULL, "", false },
	{ UP(NO_SUCH_METHOD), NULL, "", false },
	{ .err = { .code = ERR_INVALID_OPTION, .option = "ping.interval", .text = "t" },
	  NULL,
	  ",\"option\":\"ping.interval\"",
	  false },
	{ UP(INTERNAL), NULL, "", false },
	{ UP(NO_SUCH_BRIDGE), "feed", ",\"bridge\":\"feed\"", false },
	{ UP(ALREADY_EXISTS), NULL, "", false },
	{ UP(NOT_OPEN), NULL, ",\"retryable\":true", true },
	{ UP(TIMEOUT), NULL, ",\"retryable\":true", true },
	{ .err = { .code = ERR_ADDRESS, .stage = STAGE_RESOLVE, .text = "t" },
	  "feed",
	  ",\"bridge\":\"feed\",\"stage\":\"resolve\",\"retryable\":true",
	  true },
	{ .err = { .code = ERR_CONNECT, .stage = STAGE_CONNECT, .text = "t" },
	  NULL,
	  ",\"stage\":\"connect\",\"retryable\":true",
	  true },
	{ .err = { .code = ERR_PROXY, .stage = STAGE_PROXY, .text = "t" },
	  NULL,
	  ",\"stage\":\"proxy\",\"retryable\":true",
	  true },
	{ .err = { .code = ERR_TLS, .stage = STAGE_TLS, .text = "t" },
	  NULL,
	  ",\"stage\":\"tls\",\"retryable\":false",
	  false },
	{ .err = { .code = ERR_BAD_STATUS, .stage = STAGE_HANDSHAKE, .status = 403, .text = "t" },
	  NULL,
	  ",\"stage\":\"handshake\",\"status\":403,\"retryable\":false",
	  false },
	{ .err = { .code = ERR_BAD_STATUS, .stage = STAGE_HANDSHAKE, .status = 429, .text = "t" },
	  NULL,
	  ",\"stage\":\"handshake\",\"status\":429,\"retryable\":true",
	  true },
	{ .err = { .code = ERR_BAD_STATUS, .stage = STAGE_HANDSHAKE, .status = 503, .text = "t" },
	  NULL,
	  ",\"stage\":\"handshake\",\"status\":503,\"retryable\":true",
	  true },
	{ .err = { .code = ERR_PROTOCOL, .stage = STAGE_OPEN, .close_code = 1002, .text = "t" },
	  NULL,
	  ",\"stage\":\"open\",\"close_code\":1002,\"retryable\":false",
	  false },
	{ UP(PAYLOAD), NULL, ",\"retryable\":false", false },
	{ UP(OVERFLOW), NULL, ",\"retryable\":true", true },
	{ UP(DENIED), NULL, "", false },
	{ UP(ENDPOINT), NULL, "", false },
};

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

static void test_error_objects(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ROWS; i++) {
		const struct error_row *row = &rows[i];
		char expected[400];

		snprintf(expected, sizeof(expected),
			 "{\"code\":%d,\"message\":\"t\",\"data\":{\"kind\":\"%s\"%s}}\n",
			 error_rpc_code(row->err.code), error_kind(row->err.code), row->data);
		expect_line(rpc_error_object(&row->err, row->bridge, NULL), expected);
		assert_int_equal(rpc_error_retryable(&row->err), row->retryable);
		if (row->bridge)
			continue;
		snprintf(expected, sizeof(expected),
			 "{\"code\":%d,\"message\":\"t\",\"kind\":\"%s\"%s}\n",
			 error_rpc_code(row->err.code), error_kind(row->err.code), row->data);
		expect_line(rpc_error_flat(&row->err), expected);
	}
}

static void test_error_with_more(void **state)
{
	struct error err = { .code = ERR_NOT_OPEN };

	(void)state;
	expect_line(rpc_error_object(&err, NULL, json_pack("{s:[s]}", "errors", "e")),
		    "{\"code\":-32004,\"message\":\"not open\",\"data\":{\"kind\":\"not_open\","
		    "\"retryable\":true,\"errors\":[\"e\"]}}\n");
}

static void test_requests(void **state)
{
	size_t n;
	char *line = rpc_request_line("status", json_pack("{s:s}", "name", "feed"), 7, &n);

	(void)state;
	assert_string_equal(line, "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"status\","
				  "\"params\":{\"name\":\"feed\"}}\n");
	assert_int_equal(n, strlen(line));
	free(line);
	line = rpc_request_line("version", NULL, -1, &n);
	assert_string_equal(line, "{\"jsonrpc\":\"2.0\",\"method\":\"version\"}\n");
	free(line);
}

/* Every error comes out of the line as it went in. */
static void test_errors_come_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ROWS; i++) {
		const struct error *in = &rows[i].err;
		json_t *answer = rpc_answer_error(json_null(),
						  rpc_error_object(in, rows[i].bridge, NULL));
		struct rpc_answer a;
		struct error err;
		size_t n;
		char *line = rpc_line(answer, &n);

		assert_true(rpc_answer_init(&a, span_of(line, n), &err));
		json_decref(answer);
		free(line);
		assert_null(a.result);
		assert_non_null(a.error_object);
		assert_int_equal(a.err.code, in->code);
		assert_int_equal(a.err.stage, in->stage);
		assert_int_equal(a.err.status, in->status);
		assert_int_equal(a.err.close_code, in->close_code);
		assert_string_equal(a.err.option, in->option);
		assert_string_equal(a.err.text, in->text);
		assert_string_equal(a.bridge, rows[i].bridge ? rows[i].bridge : "");
		rpc_answer_deinit(&a);
		rpc_answer_deinit(&a);
	}
}

static void test_result_comes_back(void **state)
{
	struct rpc_answer a;
	struct error err;

	(void)state;
	assert_true(rpc_answer_init(
		&a, span_str("{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{\"bytes\":5}}\n"), &err));
	assert_int_equal(json_integer_value(a.id), 3);
	assert_int_equal(json_integer_value(json_object_get(a.result, "bytes")), 5);
	assert_int_equal(a.err.code, ERR_NONE);
	rpc_answer_deinit(&a);
}

/* An error of some other daemon: the number decides where there is no kind. */
static void test_foreign_errors(void **state)
{
	static const struct {
		const char *line;
		enum err code;
		const char *text;
	} cases[] = {
		{ "{\"id\":1,\"error\":{\"code\":-32014,\"message\":\"no\"}}", ERR_DENIED, "no" },
		{ "{\"id\":1,\"error\":{\"code\":-1,\"message\":\"no\"}}", ERR_INTERNAL, "no" },
		{ "{\"id\":1,\"error\":{\"code\":99999999999,\"data\":5}}", ERR_INTERNAL, "" },
		{ "{\"id\":1,\"error\":{\"data\":{\"kind\":\"tls\",\"stage\":\"x\"}}}", ERR_TLS,
		  "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rpc_answer a;
		struct error err;

		assert_true(rpc_answer_init(&a, span_str(cases[i].line), &err));
		assert_int_equal(a.err.code, cases[i].code);
		assert_int_equal(a.err.stage, STAGE_NONE);
		assert_string_equal(a.err.text, cases[i].text);
		rpc_answer_deinit(&a);
	}
}

static void test_no_answers(void **state)
{
	static const char *const lines[] = {
		"",
		"\n",
		"null",
		"[]",
		"{}",
		"{\"result\":1}",
		"{\"error\":\"x\"}",
		"HTTP/1.1 400",
		"{\"result\":{},\"error\":{}}",
		"{\"result\":{}",
		"{\"result\":{},\"result\":{}}",
		"\xff",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct rpc_answer a;
		struct error err;

		assert_false(rpc_answer_init(&a, span_str(lines[i]), &err));
		assert_int_equal(err.code, ERR_PROTOCOL);
		assert_string_equal(err.text, "the daemon's answer is no JSON-RPC answer");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),		 cmocka_unit_test(test_error_objects),
		cmocka_unit_test(test_error_with_more),	 cmocka_unit_test(test_requests),
		cmocka_unit_test(test_errors_come_back), cmocka_unit_test(test_result_comes_back),
		cmocka_unit_test(test_foreign_errors),	 cmocka_unit_test(test_no_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
