/* SPDX-License-Identifier: Apache-2.0 */
/* Standard input as records: whole, byte by byte, and with a record that waits for room. */
#include "tool/connect_records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct row {
	const char *what, *in;
	size_t n;
	bool whole;
	const char *records[5]; /* NULL ends */
};

#define IN(text) .in = text, .n = sizeof(text) - 1

static const struct row rows[] = {
	{ .what = "nothing", IN("") },
	{ .what = "a line", IN("a\n"), .records = { "a" } },
	{ .what = "two", IN("a\nbc\n"), .records = { "a", "bc" } },
	{ .what = "without a newline at the end", IN("a\nbc"), .records = { "a", "bc" } },
	{ .what = "empty ones", IN("\n\na\n\n"), .records = { "", "", "a", "" } },
	{ .what = "a CR stays", IN("a\r\n"), .records = { "a\r" } },
};

/* The records as "[a][bc]". */
static void take_all(struct connect_records *r, char *out, size_t size)
{
	struct span record;

	while (connect_records_next(r, &record) == RECORD_READY) {
		size_t at = strlen(out);
		size_t number = r->number;

		/* It stays until it is done with. */
		assert_int_equal(connect_records_next(r, &record), RECORD_READY);
		assert_int_equal(r->number, number);
		snprintf(out + at, size - at, "[%.*s]", (int)record.n, (const char *)record.p);
		connect_records_done(r);
	}
}

static void expect(const struct row *row, size_t step)
{
	struct connect_records r;
	char expected[64] = "", got[64] = "";
	size_t count = 0;

	for (; row->records[count]; count++)
		snprintf(expected + strlen(expected), sizeof(expected) - strlen(expected), "[%s]",
			 row->records[count]);
	connect_records_init(&r, row->whole);
	for (size_t at = 0; at < row->n; at += step) {
		size_t n = row->n - at < step ? row->n - at : step;

		assert_true(connect_records_feed(&r, span_of(row->in + at, n)));
		take_all(&r, got, sizeof(got));
	}
	connect_records_end(&r);
	take_all(&r, got, sizeof(got));
	if (strcmp(got, expected) != 0)
		fail_msg("%s, by %zu: %s instead of %s", row->what, step, got, expected);
	assert_int_equal(r.number, count);
	connect_records_deinit(&r);
}

static void lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t step = 1; step <= rows[i].n + 1; step++)
			expect(&rows[i], step);
}

static void bytes_as_they_come(void **state)
{
	struct connect_records r;
	char got[64] = "";

	(void)state;
	connect_records_init(&r, true);
	assert_true(connect_records_feed(&r, span_str("a\nb")));
	take_all(&r, got, sizeof(got));
	assert_true(connect_records_feed(&r, span_str("\n")));
	take_all(&r, got, sizeof(got));
	connect_records_end(&r);
	take_all(&r, got, sizeof(got));
	assert_string_equal(got, "[a\nb][\n]");
	connect_records_deinit(&r);
}

static void a_line_without_an_end(void **state)
{
	enum { PIECE = 1 << 20 };
	char *piece = calloc(1, PIECE);
	struct connect_records r;
	struct span record;

	(void)state;
	connect_records_init(&r, false);
	for (size_t n = 0; n < CONNECT_LINE_MAX; n += PIECE) {
		assert_true(connect_records_feed(&r, span_of(piece, PIECE)));
		assert_int_equal(connect_records_next(&r, &record), RECORD_NONE);
	}
	assert_true(connect_records_feed(&r, span_of(piece, 1)));
	assert_int_equal(connect_records_next(&r, &record), RECORD_TOO_LONG);
	connect_records_deinit(&r);
	free(piece);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(bytes_as_they_come),
		cmocka_unit_test(a_line_without_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
