/* SPDX-License-Identifier: Apache-2.0 */
/* The error value: what it says, how it is cut, and the table against the contract. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/utf8.h"

static void set_clears_the_rest(void **state)
{
	struct error err;

	(void)state;
	memset(&err, 0x5A, sizeof(err));
	assert_false(error_set(&err, ERR_TIMEOUT, "no answer within %d s", 10));
	assert_int_equal(err.code, ERR_TIMEOUT);
	assert_string_equal(err.text, "no answer within 10 s");
	assert_string_equal(err.option, "");
	assert_int_equal(err.stage, STAGE_NONE);
	assert_int_equal(err.os, 0);
	assert_int_equal(err.status, 0);
	assert_int_equal(err.close_code, 0);
}

static void set_os_appends_the_reason(void **state)
{
	struct error err;

	(void)state;
	assert_false(error_set_os(&err, ERR_ENDPOINT, ENOENT, "open %s", "/x"));
	assert_string_equal(err.text, "open /x: No such file or directory");
	assert_int_equal(err.os, ENOENT);
	assert_int_equal(err.code, ERR_ENDPOINT);
}

static void set_option_keeps_the_path(void **state)
{
	struct error err;
	char path[201];

	(void)state;
	assert_false(error_set_option(&err, "ping.interval", "must not be %s", "negative"));
	assert_int_equal(err.code, ERR_INVALID_OPTION);
	assert_string_equal(err.option, "ping.interval");
	assert_string_equal(err.text, "must not be negative");

	memset(path, 'p', 200);
	path[200] = '\0';
	memcpy(path + 94, "\u00E9", 2); /* would end at byte 96, where the NUL must be */
	error_set_option(&err, path, "x");
	assert_int_equal(strlen(err.option), 94);
}

static void context_goes_in_front(void **state)
{
	struct error err;

	(void)state;
	error_set_os(&err, ERR_CONNECT, ECONNREFUSED, "dial example.net:443");
	err.stage = STAGE_CONNECT;
	assert_false(error_context(&err, "bridge \"%s\"", "feed"));
	assert_string_equal(err.text, "bridge \"feed\": dial example.net:443: Connection refused");
	assert_int_equal(err.code, ERR_CONNECT);
	assert_int_equal(err.stage, STAGE_CONNECT);
	assert_int_equal(err.os, ECONNREFUSED);
}

static void arguments_may_be_of_the_same_error(void **state)
{
	struct error err;

	(void)state;
	error_set_option(&err, "url", "bad");
	error_set_option(&err, err.option, "%s again", err.text);
	assert_string_equal(err.text, "bad again");
	assert_string_equal(err.option, "url");
	error_context(&err, "%s", err.text);
	assert_string_equal(err.text, "bad again: bad again");
}

/* A text of `fill` letters and then characters of several bytes is cut between two of them. */
static void cut_is_between_characters(void **state)
{
	static const char *const characters[] = { "e", "\u00E9", "\u20AC", "\U0001F600" };
	char long_text[1200];
	struct error err;

	(void)state;
	for (size_t c = 0; c < 4; c++) {
		size_t len = strlen(characters[c]);

		for (size_t fill = 380; fill < 404; fill++) {
			size_t n = fill;

			memset(long_text, 'a', fill);
			for (; n + len < sizeof(long_text); n += len)
				memcpy(long_text + n, characters[c], len);
			long_text[n] = '\0';
			error_set(&err, ERR_INTERNAL, "%s", long_text);
			assert_true(utf8_valid(span_str(err.text)));
			assert_memory_equal(err.text, long_text, strlen(err.text));
			assert_true(strlen(err.text) > sizeof(err.text) - 1 - len);
			error_context(&err, "context");
			assert_true(utf8_valid(span_str(err.text)));
			assert_true(strlen(err.text) > sizeof(err.text) - 1 - len);
		}
	}
}

static void bytes_that_are_no_utf8_become_question_marks(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "a\xFFz", "a?z" },
		{ "\xC3", "?" },
		{ "\xC3(", "?(" },
		{ "\xED\xA0\x80", "???" },
		{ "gr\u00FC\xC3\xC3\xBC", "gr\u00FC?\u00FC" },
	};
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		error_set(&err, ERR_INTERNAL, "%s", rows[i].in);
		assert_string_equal(err.text, rows[i].out);
	}
}

static void table_is_the_contract(void **state)
{
	static const struct {
		enum err code;
		int rpc_code;
		const char *kind;
		int exit_status;
		const char *sentence;
	} rows[] = {
		{ ERR_NONE, 0, "none", 0, "no error" },
		{ ERR_PARSE, -32700, "parse_error", 2, "not a JSON text" },
		{ ERR_INVALID_REQUEST, -32600, "invalid_request", 2, "not a request" },
		{ ERR_NO_SUCH_METHOD, -32601, "no_such_method", 2, "no such method" },
		{ ERR_INVALID_OPTION, -32602, "invalid_option", 2, "invalid option" },
		{ ERR_INTERNAL, -32000, "internal", 1, "internal error" },
		{ ERR_NO_SUCH_BRIDGE, -32001, "no_such_bridge", 4, "no such bridge" },
		{ ERR_ALREADY_EXISTS, -32002, "already_exists", 4, "already exists" },
		{ ERR_NOT_OPEN, -32004, "not_open", 5, "not open" },
		{ ERR_TIMEOUT, -32005, "timeout", 6, "timed out" },
		{ ERR_ADDRESS, -32006, "address", 7, "name resolution failed" },
		{ ERR_CONNECT, -32007, "connect", 7, "connection failed" },
		{ ERR_PROXY, -32008, "proxy", 7, "proxy failed" },
		{ ERR_TLS, -32009, "tls", 7, "TLS failed" },
		{ ERR_BAD_STATUS, -32010, "bad_status", 7, "the server refused the handshake" },
		{ ERR_PROTOCOL, -32011, "protocol", 7, "protocol violated" },
		{ ERR_PAYLOAD, -32012, "payload", 8, "invalid payload" },
		{ ERR_OVERFLOW, -32013, "overflow", 8, "too much" },
		{ ERR_DENIED, -32014, "denied", 9, "not allowed" },
		{ ERR_ENDPOINT, -32015, "endpoint", 10, "endpoint could not be made" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(rows[i].code, i);
		assert_int_equal(error_rpc_code(rows[i].code), rows[i].rpc_code);
		assert_string_equal(error_kind(rows[i].code), rows[i].kind);
		assert_int_equal(error_exit_status(rows[i].code), rows[i].exit_status);
		assert_string_equal(error_sentence(rows[i].code), rows[i].sentence);
		if (i == 0)
			continue;
		assert_int_equal(error_from_rpc_code(rows[i].rpc_code), rows[i].code);
		assert_int_equal(error_from_kind(rows[i].kind), rows[i].code);
	}
	assert_int_equal(error_from_rpc_code(-32003), ERR_INTERNAL);
	assert_int_equal(error_from_rpc_code(0), ERR_INTERNAL);
	assert_int_equal(error_from_kind("none"), ERR_INTERNAL);
	assert_int_equal(error_from_kind(""), ERR_INTERNAL);
}

static void stages_have_names(void **state)
{
	static const char *const names[] = { NULL,  "resolve",	 "connect", "proxy",
					     "tls", "handshake", "open" };

	(void)state;
	assert_null(stage_name(STAGE_NONE));
	for (size_t i = 1; i < sizeof(names) / sizeof(names[0]); i++)
		assert_string_equal(stage_name((enum stage)i), names[i]);
}

static void what_may_be_tried_again(void **state)
{
	static const struct {
		enum err code;
		enum stage stage;
		int status;
		bool about_upstream, retryable;
	} rows[] = {
		{ ERR_NOT_OPEN, STAGE_NONE, 0, true, true },
		{ ERR_TIMEOUT, STAGE_NONE, 0, true, true },
		{ ERR_ADDRESS, STAGE_RESOLVE, 0, true, true },
		{ ERR_CONNECT, STAGE_CONNECT, 0, true, true },
		{ ERR_OVERFLOW, STAGE_NONE, 0, true, true },
		{ ERR_PROXY, STAGE_PROXY, 0, true, true },
		{ ERR_PROXY, STAGE_PROXY, 407, true, false },
		{ ERR_PROXY, STAGE_PROXY, 503, true, true },
		{ ERR_BAD_STATUS, STAGE_HANDSHAKE, 401, true, false },
		{ ERR_BAD_STATUS, STAGE_HANDSHAKE, 408, true, true },
		{ ERR_BAD_STATUS, STAGE_HANDSHAKE, 425, true, true },
		{ ERR_BAD_STATUS, STAGE_HANDSHAKE, 429, true, true },
		{ ERR_BAD_STATUS, STAGE_HANDSHAKE, 500, true, true },
		{ ERR_BAD_STATUS, STAGE_HANDSHAKE, 499, true, false },
		{ ERR_TLS, STAGE_NONE, 0, true, false },
		{ ERR_PROTOCOL, STAGE_NONE, 0, true, false },
		{ ERR_PAYLOAD, STAGE_NONE, 0, true, false },
		{ ERR_INVALID_OPTION, STAGE_NONE, 0, false, false },
		{ ERR_INVALID_OPTION, STAGE_OPEN, 0, true, false },
		{ ERR_DENIED, STAGE_NONE, 0, false, false },
		{ ERR_INTERNAL, STAGE_NONE, 0, false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct error err = ERROR_INIT;

		err.code = rows[i].code;
		err.stage = rows[i].stage;
		err.status = rows[i].status;
		assert_int_equal(error_is_about_upstream(&err), rows[i].about_upstream);
		assert_int_equal(error_is_retryable(&err), rows[i].retryable);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_clears_the_rest),
		cmocka_unit_test(set_os_appends_the_reason),
		cmocka_unit_test(set_option_keeps_the_path),
		cmocka_unit_test(context_goes_in_front),
		cmocka_unit_test(arguments_may_be_of_the_same_error),
		cmocka_unit_test(cut_is_between_characters),
		cmocka_unit_test(bytes_that_are_no_utf8_become_question_marks),
		cmocka_unit_test(table_is_the_contract),
		cmocka_unit_test(stages_have_names),
		cmocka_unit_test(what_may_be_tried_again),
	};

	return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
