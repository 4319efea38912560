/* SPDX-License-Identifier: Apache-2.0 */
/* Stream to records: every split gives the same records, and nothing is copied without need. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/lines.h"
#include "base/mem.h"
#include "support/chunks.h"

/* What comes out, written down: "[record]", "!" = one was too long, "~" before a last rest. */
struct row {
	struct span input;
	uint8_t delimiter;
	size_t max;
	const char *out;
};

static void note(char *out, struct span record)
{
	size_t n = strlen(out);

	out[n++] = '[';
	memcpy(out + n, record.p, record.n);
	memcpy(out + n + record.n, "]", 2);
}

static void take_all(struct lines *l, struct span piece, char *out)
{
	struct span record;
	enum lines_result result;

	while ((result = lines_next(l, &piece, &record)) != LINES_MORE) {
		if (result == LINES_RECORD)
			note(out, record);
		else
			memcpy(out + strlen(out), "!", 2);
	}
	assert_int_equal(piece.n, 0);
	assert_true(lines_pending(l) <= l->rest.cap);
}

static void run(struct chunks *c, void *arg)
{
	const struct row *row = arg;
	char out[256] = "";
	struct span piece, record;
	struct lines l;

	lines_init(&l, row->delimiter, row->max);
	while (chunks_next(c, &piece))
		take_all(&l, piece, out);
	if (lines_finish(&l, &record) == LINES_RECORD) {
		memcpy(out + strlen(out), "~", 2);
		note(out, record);
	}
	assert_int_equal(lines_finish(&l, &record), LINES_MORE);
	assert_int_equal(lines_pending(&l), 0);
	assert_string_equal(out, row->out);
	lines_deinit(&l);
	lines_deinit(&l);
}

#define S(text)                                           \
	{                                                 \
		(const uint8_t *)(text), sizeof(text) - 1 \
	}

static void records(void **state)
{
	static const struct row rows[] = {
		{ S(""), '\n', 8, "" },
		{ S("\n"), '\n', 8, "[]" },
		{ S("\n\n\n"), '\n', 8, "[][][]" },
		{ S("a\n"), '\n', 8, "[a]" },
		{ S("a"), '\n', 8, "~[a]" },
		{ S("a\r\nb\n"), '\n', 8, "[a\r][b]" },
		{ S("one\ntwo\nthree"), '\n', 8, "[one][two]~[three]" },
		{ S("12345678\n1\n"), '\n', 8, "[12345678][1]" },
		{ S("12345678"), '\n', 8, "~[12345678]" },
		{ S("123456789\n1\n"), '\n', 8, "![1]" },
		{ S("123456789"), '\n', 8, "!" },
		{ S("1234567890123456789012\n\nx\n"), '\n', 8, "![][x]" },
		{ S("123456789\n123456789\n12345678\n"), '\n', 8, "!![12345678]" },
		{ S("a\nb\0c\nd\0"), '\0', 8, "[a\nb][c\nd]" },
		{ S("a\xFF"
		    "b\xFF"),
		  0xFF, 8, "[a][b]" },
		{ S("\nx\n"), '\n', 0, "[]!" },
		{ S("\xC3\xA4\n\xFF\n"), '\n', 8, "[\xC3\xA4][\xFF]" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct row row = rows[i];

		chunks_each(row.input, run, &row);
	}
}

static void whole_records_are_not_copied(void **state)
{
	struct span input = span_str("one\ntwo\nre"), start = input, record;
	struct lines l;

	(void)state;
	lines_init(&l, '\n', 100);
	assert_int_equal(lines_next(&l, &input, &record), LINES_RECORD);
	assert_ptr_equal(record.p, start.p);
	assert_int_equal(lines_next(&l, &input, &record), LINES_RECORD);
	assert_ptr_equal(record.p, start.p + 4);
	assert_null(l.rest.data);
	assert_int_equal(lines_next(&l, &input, &record), LINES_MORE);
	assert_int_equal(lines_pending(&l), 2);
	input = span_str("st\nnext\n");
	assert_int_equal(lines_next(&l, &input, &record), LINES_RECORD);
	assert_true(span_equal(record, span_str("rest")));
	assert_int_equal(lines_pending(&l), 0);
	start = input;
	assert_int_equal(lines_next(&l, &input, &record), LINES_RECORD);
	assert_ptr_equal(record.p, start.p);
	lines_deinit(&l);
}

/* A record that is too long is not stored on its way to being refused. */
static void too_long_costs_no_memory(void **state)
{
	static uint8_t block[100000];
	struct span input = span_of(block, sizeof(block)), record;
	struct lines l;

	(void)state;
	memset(block, 'x', sizeof(block));
	lines_init(&l, '\n', 1000);
	assert_int_equal(lines_next(&l, &input, &record), LINES_TOO_LONG);
	assert_int_equal(lines_next(&l, &input, &record), LINES_MORE);
	for (size_t i = 0; i < 10; i++) {
		input = span_of(block, sizeof(block));
		assert_int_equal(lines_next(&l, &input, &record), LINES_MORE);
	}
	assert_null(l.rest.data);
	assert_true(l.skipping);
	assert_int_equal(lines_finish(&l, &record), LINES_MORE);
	input = span_str("fresh\n");
	assert_int_equal(lines_next(&l, &input, &record), LINES_RECORD);
	lines_deinit(&l);
}

/* Where memory fails the record is lost, and said to be, and the next one is read. */
static void failing_allocation_is_a_record_too_long(void **state)
{
	struct span input, record;
	char tail[2000];
	struct lines l;

	(void)state;
	lines_init(&l, '\n', 10000);
	input = span_str("begin");
	mem_fail_try_after(1);
	assert_int_equal(lines_next(&l, &input, &record), LINES_TOO_LONG);
	assert_int_equal(lines_next(&l, &input, &record), LINES_MORE);
	input = span_str(" end\nnext\nrest");
	assert_int_equal(lines_next(&l, &input, &record), LINES_RECORD);
	assert_true(span_equal(record, span_str("next")));
	assert_int_equal(lines_next(&l, &input, &record), LINES_MORE);

	memset(tail, 'x', sizeof(tail));
	memcpy(tail + sizeof(tail) - 3, "\nk\n", 3);
	input = span_of(tail, sizeof(tail));
	mem_fail_try_after(1); /* the record's end is here already: nothing is left to skip */
	assert_int_equal(lines_next(&l, &input, &record), LINES_TOO_LONG);
	assert_int_equal(lines_next(&l, &input, &record), LINES_RECORD);
	assert_true(span_equal(record, span_str("k")));
	lines_deinit(&l);
}

static void rest_is_given_back(void **state)
{
	static uint8_t block[100000];
	struct span input = span_of(block, sizeof(block)), record;
	struct lines l;

	(void)state;
	memset(block, 'x', sizeof(block));
	lines_init(&l, '\n', sizeof(block));
	assert_int_equal(lines_next(&l, &input, &record), LINES_MORE);
	input = span_str("\n");
	assert_int_equal(lines_next(&l, &input, &record), LINES_RECORD);
	assert_int_equal(record.n, sizeof(block));
	assert_int_equal(lines_next(&l, &input, &record), LINES_MORE);
	assert_null(l.rest.data);
	lines_deinit(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records),
		cmocka_unit_test(whole_records_are_not_copied),
		cmocka_unit_test(too_long_costs_no_memory),
		cmocka_unit_test(failing_allocation_is_a_record_too_long),
		cmocka_unit_test(rest_is_given_back),
	};

	return cmocka_run_group_tests_name("lines", tests, NULL, NULL);
}
