/* SPDX-License-Identifier: Apache-2.0 */
/* What is received, as it is shown: in a pipe, on a terminal, as a stream. */
#include "tool/connect_show.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct row {
	const char *what;
	struct connect_style style;
	enum connect_kind kind;
	const char *data, *shown; /* NULL = it is not */
};

#define PIPE .style = { 0 }
#define STREAM .style = { .stream = true, .visible = false }
#define SCREEN .style = { .visible = true, .marked = true }

static const struct row rows[] = {
	{ "a pipe", PIPE, CONNECT_TEXT, "hello", "hello\n" },
	{ "bytes are exact", PIPE, CONNECT_BINARY, "\x1b[2J\xff\r\n\\", "\x1b[2J\xff\r\n\\\n" },
	{ "an empty one", PIPE, CONNECT_TEXT, "", "\n" },
	{ "no pings", PIPE, CONNECT_PING, "p", NULL },
	{ "no sentences", PIPE, CONNECT_NOTE, "connected", NULL },
	{ "a stream", STREAM, CONNECT_TEXT, "a\x1b", "a\x1b" },
	{ "no Close in a stream", .style = { .stream = true, .types = true }, CONNECT_CLOSE, "1000",
	  NULL },
	{ "a terminal", SCREEN, CONNECT_TEXT, "a\x1b[2J\n\\ \xc3\xbc",
	  "< a\\x1b[2J\\x0a\\ \xc3\xbc\n" },
	{ "no UTF-8 on a terminal", SCREEN, CONNECT_BINARY, "\xff\xc2\x9b", "< \\xff\\xc2\\x9b\n" },
	{ "a sentence", SCREEN, CONNECT_NOTE, "connected", "* connected\n" },
	{ "types", .style = { .types = true }, CONNECT_BINARY, "x", "binary: x\n" },
	{ "a ping", .style = { .types = true }, CONNECT_PING, "p", "ping: p\n" },
	{ "a pong", .style = { .types = true }, CONNECT_PONG, "", "pong: \n" },
	{ "a Close", .style = { .types = true }, CONNECT_CLOSE, "1000 bye", "close: 1000 bye\n" },
	{ "times", .style = { .timings = true }, CONNECT_TEXT, "x", "12.346: x\n" },
	{ "all of it", .style = { .timings = true, .types = true, .marked = true, .visible = true },
	  CONNECT_TEXT, "x", "< 12.346: text: x\n" },
};

static void shown(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		struct connect_item item = { .kind = r->kind,
					     .data = span_str(r->data),
					     .at = 12345678 };
		struct buf out;

		buf_init(&out, 1000);
		if (connect_show_wants(&r->style, r->kind) != (r->shown != NULL))
			fail_msg("%s: wanted or not", r->what);
		if (r->shown && (!connect_show(&r->style, &item, &out) ||
				 !span_equal(buf_bytes(&out), span_str(r->shown))))
			fail_msg("%s: %.*s", r->what, (int)out.len, (char *)out.data + out.off);
		buf_deinit(&out);
	}
}

static void fragments_make_one_line(void **state)
{
	const struct connect_style style = { .types = true, .marked = true };
	struct connect_item item = { .data = span_str("a"), .more = true };
	struct buf out;

	(void)state;
	buf_init(&out, 100);
	assert_true(connect_show(&style, &item, &out));
	item.goes_on = true;
	assert_true(connect_show(&style, &item, &out));
	item.more = false;
	assert_true(connect_show(&style, &item, &out));
	assert_true(span_equal(buf_bytes(&out), span_str("< text: aaa\n")));
	buf_deinit(&out);
}

static void no_room(void **state)
{
	static const struct connect_style styles[] = { { .stream = true },
						       { .visible = true },
						       { 0 } };
	struct connect_item item = { .data = span_str("0123456789") };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct buf out;

		buf_init(&out, 9);
		assert_false(connect_show(&styles[i], &item, &out));
		buf_deinit(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shown),
		cmocka_unit_test(fragments_make_one_line),
		cmocka_unit_test(no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
