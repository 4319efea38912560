/* SPDX-License-Identifier: Apache-2.0 */
#include "ws/close.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/guard.h"

struct range {
	int first, last;
	bool client, server;
};

/* RFC 6455, 7.4.1 and 7.4.2, and the registry; what is not here must not be on the wire. */
static const struct range ranges[] = {
	{ 1000, 1003, true, true }, { 1007, 1011, true, true }, { 1012, 1014, false, true },
	{ 3000, 3999, true, true }, { 4000, 4999, true, true },
};

static void only_these_codes_are_on_the_wire(void **state)
{
	(void)state;
	for (int code = -1; code <= 65536; code++) {
		bool client = false, server = false;

		for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
			if (code < ranges[i].first || code > ranges[i].last)
				continue;
			client = ranges[i].client;
			server = ranges[i].server;
		}
		assert_int_equal(close_code_sendable(code), client);
		assert_int_equal(close_code_receivable(code), server);
	}
}

static void names(void **state)
{
	static const struct {
		int code;
		const char *name;
	} rows[] = {
		{ 1000, "normal closure" },
		{ 1001, "going away" },
		{ 1002, "protocol error" },
		{ 1003, "unsupported data" },
		{ 1004, "reserved" },
		{ 1005, "no status received" },
		{ 1006, "abnormal closure" },
		{ 1007, "invalid payload" },
		{ 1008, "policy violation" },
		{ 1009, "message too big" },
		{ 1010, "mandatory extension" },
		{ 1011, "internal error" },
		{ 1012, "service restart" },
		{ 1013, "try again later" },
		{ 1014, "bad gateway" },
		{ 1015, "TLS handshake failed" },
		{ 1016, "reserved" },
		{ 2999, "reserved" },
		{ 3000, "registered use" },
		{ 3999, "registered use" },
		{ 4000, "private use" },
		{ 4999, "private use" },
		{ 5000, "reserved" },
		{ 0, "reserved" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(close_code_name(rows[i].code), rows[i].name);
}

static void encodes_code_and_reason(void **state)
{
	uint8_t out[WS_CONTROL_MAX];
	char longest[WS_CLOSE_REASON_MAX];

	(void)state;
	memset(longest, 'x', sizeof(longest));
	assert_int_equal(close_encode(out, 0, span_of(NULL, 0)), 0);
	assert_int_equal(close_encode(out, 1000, span_of(NULL, 0)), 2);
	assert_memory_equal(out, "\x03\xE8", 2);
	assert_int_equal(close_encode(out, 4999, span_str("bye")), 5);
	assert_memory_equal(out,
			    "\x13\x87"
			    "bye",
			    5);
	assert_int_equal(close_encode(out, 1001, span_of(longest, sizeof(longest))),
			 WS_CONTROL_MAX);
	assert_int_equal(out[WS_CONTROL_MAX - 1], 'x');
}

struct body {
	const char *bytes;
	size_t n;
	int code; /* got, or to be answered */
	enum err err;
	const char *text; /* reason, or error */
};

#define BODY(bytes) bytes, sizeof(bytes) - 1

static const struct body bodies[] = {
	{ BODY(""), 1005, ERR_NONE, "" },
	{ BODY("\x03\xE8"), 1000, ERR_NONE, "" },
	{ BODY("\x03\xE9 bye"), 1001, ERR_NONE, " bye" },
	{ BODY("\x0F\xA0\xE2\x82\xAC"), 4000, ERR_NONE, "\xE2\x82\xAC" },
	{ BODY("\x03"), 1002, ERR_PROTOCOL, "a Close has a body of one byte" },
	{ BODY("\x00\x00"), 1002, ERR_PROTOCOL, "a Close has the code 0, which must not be sent" },
	{ BODY("\x03\xED"), 1002, ERR_PROTOCOL,
	  "a Close has the code 1005, which must not be sent" },
	{ BODY("\x03\xEE"), 1002, ERR_PROTOCOL,
	  "a Close has the code 1006, which must not be sent" },
	{ BODY("\x03\xF7"), 1002, ERR_PROTOCOL,
	  "a Close has the code 1015, which must not be sent" },
	{ BODY("\xFF\xFF\xFF"), 1002, ERR_PROTOCOL,
	  "a Close has the code 65535, which must not be sent" },
	{ BODY("\x03\xE8\xC3"), 1007, ERR_PAYLOAD, "the reason in a Close is not UTF-8" },
	{ BODY("\x03\xE8ok\xED\xA0\x80"), 1007, ERR_PAYLOAD, "the reason in a Close is not UTF-8" },
};

static void decodes_bodies(void **state)
{
	struct guard g;

	(void)state;
	guard_init(&g, WS_CONTROL_MAX);
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		const struct body *b = &bodies[i];
		struct error err = ERROR_INIT;
		struct span reason;
		int code;

		if (close_decode(guard_place(&g, span_of(b->bytes, b->n)), &code, &reason, &err)) {
			assert_int_equal(b->err, ERR_NONE);
			assert_int_equal(code, b->code);
			assert_true(span_equal(reason, span_str(b->text)));
		} else {
			assert_int_equal(b->err, err.code);
			assert_int_equal(b->code, err.close_code);
			assert_string_equal(b->text, err.text);
		}
	}
	guard_deinit(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_these_codes_are_on_the_wire),
		cmocka_unit_test(names),
		cmocka_unit_test(encodes_code_and_reason),
		cmocka_unit_test(decodes_bodies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
