/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as they come: what a read becomes, where a text may be cut, and that no byte is lost. */
#include "framing_test.h"

static const struct endpoint_rules binary = { .framing = FRAMING_RAW, .send_as = SEND_AS_BINARY };
static const struct endpoint_rules text = { .framing = FRAMING_RAW, .send_as = SEND_AS_TEXT };
static const struct endpoint_rules packet = { .framing = FRAMING_RAW,
					      .type = SOCKET_SEQPACKET,
					      .send_as = SEND_AS_BINARY };
static const struct endpoint_rules text_packet = { .framing = FRAMING_RAW,
						   .type = SOCKET_SEQPACKET,
						   .send_as = SEND_AS_TEXT };

static void inbound(void **state)
{
	static const struct span rows[] = { S(""), S("a\nb"), S("\0\xFF"), S("\xC3") };
	struct framing_plan plan;
	struct framing f;

	(void)state;
	for (size_t i = 0; i < 2 * N(rows); i++) {
		struct span data = rows[i / 2];
		struct record r = message(i % 2 ? MSG_BINARY : MSG_TEXT, data);
		bool replaced = true;
		size_t n = 99;
		uint8_t *out = encode(&binary, &r, &n, &replaced);

		assert_true(span_equal(span_of(out, n), data));
		assert_false(replaced);
		free(out);
	}
	framing_init(&f, &binary, 1024);
	for (int type = RECORD_OPEN; type <= RECORD_ACK; type++) {
		struct record r = { .type = (enum record_type)type };

		assert_false(framing_measure(&f, &r, &plan));
	}
}

struct read_row {
	const struct endpoint_rules *conf;
	size_t max;
	const char *pieces[6]; /* what the reads give, NULL at the end */
	const char *out;
};

#define UTF8 "!input is not valid UTF-8!"
#define CUT "~!input ended inside a character!"
#define A "\xC3\xA4"
#define EURO "\xE2\x82\xAC"

static void outbound(void **state)
{
	static const struct read_row rows[] = {
		{ &binary, 8, { NULL }, "" },
		{ &binary, 8, { "a", "bc\n", "\xFF" }, "b[a]b[bc\n]b[\xFF]" },
		{ &binary, 8, { "1234567890123456789", "0" }, "b[12345678]b[90123456]b[789]b[0]" },
		{ &binary, 8, { "" }, "" },
		{ &text, 8, { "a", "bc\n" }, "t[a]t[bc\n]" },
		{ &text, 8, { "12345678901" }, "t[12345678]t[901]" },
		{ &text, 8, { "1234567" A "8" }, "t[1234567]t[" A "8]" },
		{ &text, 8, { "a\xC3", "\xA4z" }, "t[a]t[" A "z]" },
		{ &text, 8, { "\xE2", "\x82", "\xAC" }, "t[" EURO "]" },
		{ &text, 8, { "\xE2", "\x82\xAC\xE2\x82", "\xAC" }, "t[" EURO "]t[" EURO "]" },
		{ &text,
		  8,
		  { "\xF0\x9F\x98", "\x80"
				    "123456789" },
		  "t[\xF0\x9F\x98\x80"
		  "1234]t[56789]" },
		{ &text,
		  8,
		  { "\xF0\x9F\x98", "\x80"
				    "123" A A },
		  "t[\xF0\x9F\x98\x80"
		  "123]t[" A A "]" },
		{ &text,
		  8,
		  { "a\xFF"
		    "b",
		    "ok" },
		  UTF8 "t[ok]" },
		{ &text, 8, { "\xA4", "ok" }, UTF8 "t[ok]" },
		{ &text, 8, { "a\xC3", "b", "ok" }, "t[a]" UTF8 "t[ok]" },
		{ &text, 8, { "\xED\xA0", "ok" }, UTF8 "t[ok]" },
		{ &text, 8, { "\xC3", "\xFF\xC3", "\xA4" }, UTF8 "t[" A "]" },
		{ &text, 8, { "a\xC3" }, "t[a]" CUT },
		{ &text, 8, { "\xF0\x9F\x98" }, CUT },
		{ &text, 2, { EURO }, "!max_message (2 bytes) has no room for a character!" UTF8 },
		{ &text,
		  1,
		  { "ab" A "c" },
		  "t[a]t[b]!max_message (1 bytes) has no room for a "
		  "character!" UTF8 "t[c]" },
		{ &packet,
		  8,
		  { "12345678", "123456789", "1" },
		  "b[12345678]!packet is longer than max_message (8 bytes)!b[1]" },
		{ &text_packet, 8, { "a\n", "\xC3", "\xA4", A }, "t[a\n]" UTF8 UTF8 "t[" A "]" },
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		struct transcript t = { .n = 0 };
		struct framing f;
		struct framing_reader r;
		struct guard guard;

		guard_init(&guard, 64);
		framing_init(&f, rows[i].conf, rows[i].max);
		framing_reader_init(&r, &f);
		for (size_t j = 0; rows[i].pieces[j]; j++)
			note_input(&t, &r, guard_place(&guard, span_str(rows[i].pieces[j])), false);
		note_end(&t, &r);
		note(&t, "", 1);
		assert_string_equal(t.text, rows[i].out);
		framing_reader_deinit(&r);
		guard_deinit(&guard);
	}
}

struct flow {
	struct span sent;
	const struct endpoint_rules *conf;
};

/* Whatever the reads are: the messages in a row are what was written. */
static void collect(struct chunks *c, void *arg)
{
	const struct flow *flow = arg;
	struct framing f;
	struct framing_reader r;
	struct error err;
	struct span piece;
	struct order o;
	uint8_t all[256];
	size_t n = 0;

	framing_init(&f, flow->conf, 16);
	framing_reader_init(&r, &f);
	while (chunks_next(c, &piece)) {
		enum framing_result result;

		while ((result = framing_next(&r, &piece, &o, &err)) != FRAMING_MORE) {
			assert_int_equal(result, FRAMING_ORDER);
			assert_true(o.msg.data.n > 0 && o.msg.data.n <= 16);
			assert_true(o.msg.type == MSG_BINARY || utf8_valid(o.msg.data));
			assert_true(o.msg.data.n <= sizeof(all) - n);
			memcpy(all + n, o.msg.data.p, o.msg.data.n);
			n += o.msg.data.n;
		}
	}
	assert_int_equal(framing_finish(&r, &o, &err), FRAMING_MORE);
	framing_reader_deinit(&r);
	assert_true(span_equal(span_of(all, n), flow->sent));
}

static void no_byte_is_lost(void **state)
{
	char bytes[256];

	(void)state;
	seed = 6;
	for (int i = 0; i < 300; i++) {
		struct flow flow = { .conf = &text };

		flow.sent = random_text(bytes, sizeof(bytes));
		chunks_each(flow.sent, collect, &flow);
		flow.conf = &binary;
		flow.sent = random_bytes(bytes, sizeof(bytes));
		chunks_each(flow.sent, collect, &flow);
	}
}

static void memory_runs_out(void **state)
{
	struct span in = span_str("a\xC3");
	struct framing f;
	struct framing_reader r;
	struct error err;
	struct order o;

	(void)state;
	framing_init(&f, &text, 1024);
	framing_reader_init(&r, &f);
	assert_int_equal(framing_next(&r, &in, &o, &err), FRAMING_ORDER);
	mem_fail_try_after(1);
	assert_int_equal(framing_next(&r, &in, &o, &err), FRAMING_BAD);
	assert_string_equal(err.text, "no memory for a message of 1 bytes");
	assert_int_equal(framing_pending(&r), 0);
	in = span_str("ok");
	assert_int_equal(framing_next(&r, &in, &o, &err), FRAMING_ORDER);
	framing_reader_deinit(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inbound),
		cmocka_unit_test(outbound),
		cmocka_unit_test(no_byte_is_lost),
		cmocka_unit_test(memory_runs_out),
	};

	return cmocka_run_group_tests_name("framing_raw", tests, NULL, NULL);
}
