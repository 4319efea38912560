/* SPDX-License-Identifier: Apache-2.0 */
/* Length, type, payload: both directions in tables, and nothing is lost there and back. */
#include "framing_test.h"

static const struct endpoint_rules length = { .framing = FRAMING_LENGTH };

static void inbound(void **state)
{
	static const struct {
		enum msg_type type;
		struct span data, record;
	} rows[] = {
		{ MSG_TEXT, S(""), S("\0\0\0\0\x01") },
		{ MSG_TEXT, S("a\nb"),
		  S("\0\0\0\x03\x01"
		    "a\nb") },
		{ MSG_BINARY, S(""), S("\0\0\0\0\x02") },
		{ MSG_BINARY, S("\0\xFF"), S("\0\0\0\x02\x02\0\xFF") },
		{ MSG_TEXT, S("\xFF"), S("\0\0\0\x01\x01\xFF") },
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		struct record r = message(rows[i].type, rows[i].data);
		bool replaced = true;
		size_t n = 0;
		uint8_t *out = encode(&length, &r, &n, &replaced);

		assert_true(span_equal(span_of(out, n), rows[i].record));
		assert_false(replaced);
		free(out);
	}
}

static void a_length_takes_four_bytes(void **state)
{
	static uint8_t data[0x012345];
	struct record r = message(MSG_BINARY, span_of(data, sizeof(data)));
	struct framing_plan plan;
	struct framing f;
	bool replaced;
	size_t n;
	uint8_t *out = encode(&length, &r, &n, &replaced);

	(void)state;
	assert_int_equal(n, sizeof(data) + 5);
	assert_memory_equal(out, "\x00\x01\x23\x45\x02", 5);
	free(out);
	framing_init(&f, &length, SIZE_MAX);
	r.msg.data.n = UINT32_MAX; /* is not looked at */
	assert_false(framing_measure(&f, &r, &plan));
}

static void no_events(void **state)
{
	struct framing_plan plan;
	struct framing f;

	(void)state;
	framing_init(&f, &length, 1024);
	for (int type = RECORD_OPEN; type <= RECORD_ACK; type++) {
		struct record r = { .type = (enum record_type)type };

		assert_false(framing_measure(&f, &r, &plan));
	}
}

#define LONG8 "!record is longer than max_message (8 bytes)!"
#define CUT "~!input ended inside a record!"
#define TYPE(n) "!record has the type " n " (1 is text, 2 is binary)!"
#define OK "\0\0\0\x02\x01ok"

static void outbound(void **state)
{
	static const struct in_row rows[] = {
		{ &length, 8, S(""), S("") },
		{ &length, 8, S(OK), S("t[ok]") },
		{ &length, 8, S(OK OK "\0\0\0\x01\x02\xFF" OK), S("t[ok]t[ok]b[\xFF]t[ok]") },
		{ &length, 8, S("\0\0\0\0\x01\0\0\0\0\x02" OK), S("t[]b[]t[ok]") },
		{ &length, 8,
		  S("\0\0\0\x08\x02"
		    "12345678" OK),
		  S("b[12345678]t[ok]") },
		{ &length, 8, S("\0\0\0\x03\x02\0\n\r"), S("b[\0\n\r]") },
		/* refused, and the next one is read */
		{ &length, 8,
		  S("\0\0\0\x09\x02"
		    "123456789" OK),
		  S(LONG8 "t[ok]") },
		{ &length, 8,
		  S("\0\0\0\x09\x01"
		    "123456789" OK),
		  S(LONG8 "t[ok]") },
		{ &length, 8, S("\0\0\0\x02\0xx" OK), S(TYPE("0") "t[ok]") },
		{ &length, 8, S("\0\0\0\x02\x03xx" OK), S(TYPE("3") "t[ok]") },
		{ &length, 8, S("\0\0\0\0\xFF" OK), S(TYPE("255") "t[ok]") },
		{ &length, 8, S("\0\0\0\x02\x01\xC3x" OK), S("!text is not valid UTF-8!t[ok]") },
		{ &length, 8, S("\0\0\0\x01\x01\xC3" OK), S("!text is not valid UTF-8!t[ok]") },
		/* a length that is a lie costs what it says, and nothing is kept */
		{ &length, 8, S("\xFF\xFF\xFF\xFF\x01" OK OK), S(LONG8) },
		{ &length, 8, S("\x80\0\0\0\x02" OK OK), S(LONG8) },
		/* no such framing at all */
		{ &length, 8, S("hello\nyou there\n"),
		  S("X!input is not in the framing \"length\": a record of type 111 with "
		    "1751477356 bytes!") },
		/* the end of input */
		{ &length, 8, S("\0"), S(CUT) },
		{ &length, 8, S(OK "\0\0\0\0"), S("t[ok]" CUT) },
		{ &length, 8, S("\0\0\0\x03\x01"), S(CUT) },
		{ &length, 8,
		  S("\0\0\0\x03\x01"
		    "12"),
		  S(CUT) },
		{ &length, 8,
		  S("\0\0\0\x09\x01"
		    "12345678"),
		  S(LONG8) },
	};

	(void)state;
	read_rows(rows, N(rows));
}

static void what_goes_out_comes_back(void **state)
{
	(void)state;
	seed = 5;
	for (int i = 0; i < 300; i++)
		round_trip(&length, -1, false);
}

static void a_whole_record_is_handed_out_where_it_lies(void **state)
{
	static const char input[] = OK OK;
	struct span in = span_of(input, sizeof(input) - 1);
	struct framing f;
	struct framing_reader r;
	struct error err;
	struct order o;

	(void)state;
	framing_init(&f, &length, 1024);
	framing_reader_init(&r, &f);
	assert_int_equal(framing_next(&r, &in, &o, &err), FRAMING_ORDER);
	assert_ptr_equal(o.msg.data.p, input + 5);
	assert_int_equal(framing_next(&r, &in, &o, &err), FRAMING_ORDER);
	assert_ptr_equal(o.msg.data.p, input + 12);
	assert_null(r.work.data);
	framing_reader_deinit(&r);
}

/* Memory grows with what has come, not with what a head announces, and is given back. */
static void memory(void **state)
{
	static uint8_t block[300000];
	struct span in = span_of("\x00\x10\x00\x00\x02", 5);
	struct framing f;
	struct framing_reader r;
	struct error err;
	struct order o;

	(void)state;
	framing_init(&f, &length, 16 << 20);
	framing_reader_init(&r, &f);
	assert_int_equal(framing_next(&r, &in, &o, &err), FRAMING_MORE);
	assert_true(r.work.size < 1000);
	assert_int_equal(framing_pending(&r), 5);
	for (size_t left = 1 << 20; left > 0;) {
		in = span_of(block, left < sizeof(block) ? left : sizeof(block));
		left -= in.n;
		assert_int_equal(framing_next(&r, &in, &o, &err),
				 left ? FRAMING_MORE : FRAMING_ORDER);
	}
	assert_int_equal(o.msg.data.n, 1 << 20);
	assert_int_equal(framing_pending(&r), 0);
	assert_int_equal(framing_next(&r, &in, &o, &err), FRAMING_MORE);
	assert_int_equal(r.work.size, 0);
	in = span_of("\xFF\x00\x00\x00\x02", 5);
	assert_int_equal(framing_next(&r, &in, &o, &err), FRAMING_BAD);
	in = span_of(block, sizeof(block));
	assert_int_equal(framing_next(&r, &in, &o, &err), FRAMING_MORE);
	assert_int_equal(r.work.size, 0);
	framing_reader_deinit(&r);
}

static void memory_runs_out(void **state)
{
	struct span in;
	struct framing f;
	struct framing_reader r;
	struct error err;
	struct order o;

	(void)state;
	framing_init(&f, &length, 100000);
	framing_reader_init(&r, &f);
	in = span_of("\0\0\x10\0\x02xyz", 8);
	mem_fail_try_after(1);
	assert_int_equal(framing_next(&r, &in, &o, &err), FRAMING_BAD);
	assert_int_equal(err.code, ERR_OVERFLOW);
	assert_string_equal(err.text, "no memory for a record of 5 bytes");
	framing_reader_deinit(&r);
	framing_reader_init(&r, &f);
	in = span_of("\0\0\x10\0\x02xyz", 8);
	assert_int_equal(framing_next(&r, &in, &o, &err), FRAMING_MORE);
	for (size_t sent = 3; sent < 4096; sent += in.n) {
		static uint8_t block[1000];
		struct span rest = in = span_of(block, 4096 - sent < 1000 ? 4096 - sent : 1000);

		mem_fail_try_after(sent == 3 ? 1 : 0);
		assert_int_equal(framing_next(&r, &rest, &o, &err),
				 sent == 3 ? FRAMING_BAD : FRAMING_MORE);
		assert_int_equal(rest.n, 0);
	}
	assert_string_equal(err.text, "no memory for a record of 4101 bytes");
	in = span_of(OK, 7);
	assert_int_equal(framing_next(&r, &in, &o, &err), FRAMING_ORDER);
	assert_true(span_equal(o.msg.data, span_str("ok")));
	framing_reader_deinit(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inbound),
		cmocka_unit_test(a_length_takes_four_bytes),
		cmocka_unit_test(no_events),
		cmocka_unit_test(outbound),
		cmocka_unit_test(what_goes_out_comes_back),
		cmocka_unit_test(a_whole_record_is_handed_out_where_it_lies),
		cmocka_unit_test(memory),
		cmocka_unit_test(memory_runs_out),
	};

	return cmocka_run_group_tests_name("framing_length", tests, NULL, NULL);
}
