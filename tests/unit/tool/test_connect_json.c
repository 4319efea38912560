/* SPDX-License-Identifier: Apache-2.0 */
/* What happens to a connection, as lines of JSON. */
#include "tool/connect_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void expect(json_t *v, bool ascii, const char *line)
{
	struct buf out;

	buf_init(&out, 1000);
	assert_true(connect_json_put(v, 1500000, ascii, &out));
	if (!span_equal(buf_bytes(&out), span_str(line)))
		fail_msg("%.*s", (int)out.len, (char *)out.data + out.off);
	buf_deinit(&out);
}

static json_t *payload(enum connect_kind kind, const char *data, size_t n, bool more)
{
	struct msg msg = { .data = span_of(data, n), .more = more };

	return connect_json_payload(kind, msg);
}

static void messages(void **state)
{
	(void)state;
	expect(payload(CONNECT_TEXT, "a\"\n\xc3\xbc", 5, false), false,
	       "{\"event\":\"message\",\"type\":\"text\",\"data\":\"a\\\"\\n\xc3\xbc\",\"time\":"
	       "1.5}\n");
	expect(payload(CONNECT_TEXT, "\xc2\x9b", 2, false), true,
	       "{\"event\":\"message\",\"type\":\"text\",\"data\":\"\\u009B\",\"time\":1.5}\n");
	expect(payload(CONNECT_TEXT, "", 0, true), false,
	       "{\"event\":\"message\",\"type\":\"text\",\"data\":\"\",\"fin\":false,\"time\":1.5}"
	       "\n");
	expect(payload(CONNECT_TEXT, "\xff\0", 2, false), false,
	       "{\"event\":\"message\",\"type\":\"text\",\"data\":\"\\\\xff\\\\x00\",\"time\":1.5}"
	       "\n");
	expect(payload(CONNECT_BINARY, "\0\xff\n", 3, false), false,
	       "{\"event\":\"message\",\"type\":\"binary\",\"data\":\"AP8K\",\"time\":1.5}\n");
	expect(payload(CONNECT_PING, "p", 1, false), false,
	       "{\"event\":\"ping\",\"data\":\"p\",\"time\":1.5}\n");
	expect(payload(CONNECT_PONG, "", 0, false), false,
	       "{\"event\":\"pong\",\"data\":\"\",\"time\":1.5}\n");
	assert_null(payload(CONNECT_NOTE, "x", 1, false));
}

static void begin_and_end(void **state)
{
	const struct session_end end = { .close_code = 4000, .reason = "bye", .clean = true };

	(void)state;
	expect(connect_json_open("ws://h/", NULL), false,
	       "{\"event\":\"open\",\"url\":\"ws://h/\",\"subprotocol\":null,\"time\":1.5}\n");
	expect(connect_json_open("ws://h/", "chat"), false,
	       "{\"event\":\"open\",\"url\":\"ws://h/\",\"subprotocol\":\"chat\",\"time\":1.5}\n");
	expect(connect_json_close(&end), false,
	       "{\"event\":\"close\",\"code\":4000,\"reason\":\"bye\",\"clean\":true,\"time\":1.5}"
	       "\n");
}

static void no_room(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 40);
	assert_false(
		connect_json_put(payload(CONNECT_PING, "0123456789", 10, false), 0, false, &out));
	assert_false(connect_json_put(NULL, 0, false, &out));
	buf_deinit(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages),
		cmocka_unit_test(begin_and_end),
		cmocka_unit_test(no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
