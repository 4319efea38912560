/* SPDX-License-Identifier: Apache-2.0 */
/* One message, one line: both directions in tables, and that the way back undoes the way out. */
#include "framing_test.h"

#define CONF(d, how)                                         \
	{                                                    \
		.delimiter = (d), .newlines = NEWLINES_##how \
	}
static const struct endpoint_rules space = CONF('\n', SPACE), space0 = CONF(0, SPACE);
static const struct endpoint_rules escape = CONF('\n', ESCAPE), escape0 = CONF(0, ESCAPE);
static const struct endpoint_rules reject = CONF('\n', REJECT), reject0 = CONF(0, REJECT);
static const struct endpoint_rules hex = { .delimiter = '\n', .binary = BINARY_HEX };
static const struct endpoint_rules hex0 = { .delimiter = 0, .binary = BINARY_HEX };
static const struct endpoint_rules drop = { .delimiter = '\n', .binary = BINARY_DROP };
static const struct endpoint_rules binary = { .delimiter = '\n', .send_as = SEND_AS_BINARY };
static const struct endpoint_rules base64 = { .delimiter = '\n', .send_as = SEND_AS_BASE64 };
static const struct endpoint_rules binary_escape = { .delimiter = '\n',
						     .send_as = SEND_AS_BINARY,
						     .newlines = NEWLINES_ESCAPE };

#define PACKET(d, how)                                                                 \
	{                                                                              \
		.type = SOCKET_SEQPACKET, .delimiter = (d), .newlines = NEWLINES_##how \
	}
static const struct endpoint_rules packet = PACKET('\n', SPACE), packet0 = PACKET(0, SPACE);
static const struct endpoint_rules packet_escape = PACKET('\n', ESCAPE);
static const struct endpoint_rules packet_reject = PACKET('\n', REJECT);
static const struct endpoint_rules packet_hex = { .type = SOCKET_SEQPACKET,
						  .delimiter = '\n',
						  .binary = BINARY_HEX };
static const struct endpoint_rules packet_base64 = { .type = SOCKET_SEQPACKET,
						     .delimiter = '\n',
						     .send_as = SEND_AS_BASE64 };

struct out_row {
	const struct endpoint_rules *conf;
	enum msg_type type;
	struct span data;
	struct span record; /* n 0: cannot be carried */
	bool replaced;
};

/* At one go: the same record, or none, and then two of them. */
static void encode_plain(const struct out_row *row)
{
	struct msg msgs[2] = { { .type = row->type, .data = row->data },
			       { .type = row->type, .data = row->data } };
	struct chunk *c = chunk_new();
	struct framing f;
	size_t n;

	framing_init(&f, row->conf, 1 << 20);
	n = framing_encode_plain(&f, msgs, 2, c);
	assert_true(n == 0 || n == 2);
	assert_int_equal(c->len, n * row->record.n);
	assert_int_equal(chunk_count(c, 0, c->len), n);
	for (size_t i = 0; i < n; i++)
		assert_memory_equal(c->data + i * row->record.n, row->record.p, row->record.n);
	assert_false(n > 0 && row->replaced);
	if (row->conf == &space && row->type == MSG_TEXT && !row->replaced)
		assert_int_equal(n, 2);
	chunk_unref(c);
}

static void inbound(void **state)
{
	static const struct out_row rows[] = {
		{ &space, MSG_TEXT, S(""), S("\n"), false },
		{ &space, MSG_TEXT, S("hello"), S("hello\n"), false },
		{ &space, MSG_TEXT, S("a\nb"), S("a b\n"), true },
		{ &space, MSG_TEXT, S("\n"), S(" \n"), true },
		{ &space, MSG_TEXT, S("\n\na\n"), S("  a \n"), true },
		{ &space, MSG_TEXT, S("a\r\nb\r"), S("a\r b\r\n"), true },
		{ &space, MSG_TEXT, S("a\0b"), S("a\0b\n"), false },
		{ &space, MSG_TEXT, S("a\\nb"), S("a\\nb\n"), false },
		{ &space0, MSG_TEXT, S("a\0b\n"), S("a b\n\0"), true },
		{ &space0, MSG_TEXT, S("a\nb"), S("a\nb\0"), false },
		{ &escape, MSG_TEXT, S(""), S("\n"), false },
		{ &escape, MSG_TEXT, S("a\nb"), S("a\\nb\n"), false },
		{ &escape, MSG_TEXT, S("\n\\"), S("\\n\\\\\n"), false },
		{ &escape, MSG_TEXT, S("\\n"), S("\\\\n\n"), false },
		{ &escape, MSG_TEXT, S("a\0b"), S("a\0b\n"), false },
		{ &escape0, MSG_TEXT, S("a\0b\n\\0"), S("a\\0b\n\\\\0\0"), false },
		{ &reject, MSG_TEXT, S("a\nb"), S(""), false },
		{ &reject, MSG_TEXT, S("\n"), S(""), false },
		{ &reject, MSG_TEXT, S("a\0b"), S("a\0b\n"), false },
		{ &reject, MSG_TEXT, S(""), S("\n"), false },
		{ &reject0, MSG_TEXT, S("a\0"), S(""), false },
		{ &reject0, MSG_TEXT, S("a\n"), S("a\n\0"), false },
		{ &space, MSG_BINARY, S(""), S("\n"), false },
		{ &space, MSG_BINARY, S("\n"), S("Cg==\n"), false },
		{ &reject, MSG_BINARY, S("\0\n\xFF"), S("AAr/\n"), false },
		{ &space0, MSG_BINARY, S("hello"), S("aGVsbG8=\0"), false },
		{ &hex, MSG_BINARY, S("\x00\x0A\xAF\xff"), S("000aafff\n"), false },
		{ &hex0, MSG_BINARY, S("\n"), S("0a\0"), false },
		{ &hex, MSG_BINARY, S(""), S("\n"), false },
		{ &hex, MSG_TEXT, S("text"), S("text\n"), false },
		{ &drop, MSG_BINARY, S("x"), S(""), false },
		{ &drop, MSG_TEXT, S("x"), S("x\n"), false },
		{ &packet, MSG_TEXT, S("a\nb"), S("a\nb"), false },
		{ &packet, MSG_TEXT, S("a\n"), S("a\n"), false },
		{ &packet, MSG_TEXT, S(""), S("\n"), false },
		{ &packet_escape, MSG_TEXT, S("a\n\\"), S("a\n\\"), false },
		{ &packet_reject, MSG_TEXT, S("a\nb"), S("a\nb"), false },
		{ &packet0, MSG_TEXT, S("a\0"), S("a\0"), false },
		{ &packet0, MSG_TEXT, S(""), S("\0"), false },
		{ &packet, MSG_BINARY, S("hello"), S("aGVsbG8="), false },
		{ &packet, MSG_BINARY, S(""), S("\n"), false },
		{ &packet_hex, MSG_BINARY, S("\x0A\xFF"), S("0aff"), false },
		{ &packet_hex, MSG_BINARY, S(""), S("\n"), false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct record r = message(rows[i].type, rows[i].data);
		bool replaced = false;
		size_t n = 0;
		uint8_t *out = encode(rows[i].conf, &r, &n, &replaced);

		assert_int_equal(out != NULL, rows[i].record.n > 0);
		assert_int_equal(n, rows[i].record.n);
		if (out)
			assert_memory_equal(out, rows[i].record.p, n);
		assert_int_equal(replaced, rows[i].replaced);
		encode_plain(&rows[i]);
		free(out);
	}
}

#define NO_UTF8 "!line is not valid UTF-8!"
#define NO_BASE64 "!line is not valid Base64!"
#define LONG8 "!line is longer than max_message (8 bytes)!"

static void outbound(void **state)
{
	static const struct in_row rows[] = {
		{ &space, 8, S(""), S("") },
		{ &space, 8, S("\n"), S("t[]") },
		{ &space, 8, S("a\nb\n"), S("t[a]t[b]") },
		{ &space, 8, S("a\n\nb"), S("t[a]t[]~t[b]") },
		{ &space, 8, S("a\r\n"), S("t[a\r]") },
		{ &space, 8, S("a\\nb\n"), S("t[a\\nb]") },
		{ &space, 8, S("a\0b\n"), S("t[a\0b]") },
		{ &space0, 8, S("a\nb\0\0c"), S("t[a\nb]t[]~t[c]") },
		{ &space, 8, S("\xC3\xA4\n\xC3\n\xA4\nok\n"),
		  S("t[\xC3\xA4]" NO_UTF8 NO_UTF8 "t[ok]") },
		{ &space, 8, S("\xED\xA0\x80\nok\n"), S(NO_UTF8 "t[ok]") },
		{ &space, 8, S("ok\n\xF0\x9F\x98"), S("t[ok]~" NO_UTF8) },
		{ &space, 8, S("12345678\n123456789\nok\n"), S("t[12345678]" LONG8 "t[ok]") },
		{ &space, 8, S("1234567890abcdefgh\n\n"), S(LONG8 "t[]") },
		{ &space, 8, S("1234567890"), S(LONG8) },
		{ &escape, 16, S("a\\nb\n\\\\n\n"), S("t[a\nb]t[\\n]") },
		{ &escape, 16, S("\\\\\\n\\\\\n"), S("t[\\\n\\]") },
		{ &escape, 16, S("\\\n\\x\\0\\\"\n"), S("t[\\]t[\\x\\0\\\"]") },
		{ &escape, 16, S("plain\nend\\n"), S("t[plain]~t[end\n]") },
		{ &escape, 16, S("\\n\xFF\nok\n"), S(NO_UTF8 "t[ok]") },
		{ &escape0, 16, S("a\\0b\\n\n\0"), S("t[a\0b\\n\n]") },
		{ &reject, 8, S("a\\nb\n"), S("t[a\\nb]") },
		{ &binary, 8, S("\xFF\n\n\x80"), S("b[\xFF]b[]~b[\x80]") },
		{ &binary_escape, 8, S("\xFF\\n\n"), S("b[\xFF\n]") },
		{ &base64, 16, S("aGVsbG8=\nCg==\n\n"), S("b[hello]b[\n]b[]") },
		{ &base64, 16, S("aGk\naGk=\r\nYQ==\n"), S(NO_BASE64 NO_BASE64 "b[a]") },
		{ &base64, 16, S("a b=\nYR==\nYQ=="), S(NO_BASE64 NO_BASE64 "~b[a]") },
	};

	(void)state;
	read_rows(rows, N(rows));
}

static void packets_in(void **state)
{
	static const struct in_row rows[] = {
		{ &packet, 8, S("a"), S("t[a]") },
		{ &packet, 8, S("a\n"), S("t[a]") },
		{ &packet, 8, S("a\n\n"), S("t[a\n]") },
		{ &packet, 8, S("a\nb"), S("t[a\nb]") },
		{ &packet, 8, S("\n"), S("t[]") },
		{ &packet, 8, S(""), S("") },
		{ &packet, 8, S("a\0"), S("t[a\0]") },
		{ &packet0, 8, S("a\n\0"), S("t[a\n]") },
		{ &packet_escape, 8, S("a\\nb\n"), S("t[a\\nb]") },
		{ &packet, 8, S("12345678\n"), S("t[12345678]") },
		{ &packet, 8, S("123456789"), S(LONG8) },
		{ &packet, 8, S("\xC3\n"), S(NO_UTF8) },
		{ &packet_base64, 16, S("aGVsbG8=\n"), S("b[hello]") },
		{ &packet_base64, 16, S("aGk\n"), S(NO_BASE64) },
	};

	(void)state;
	read_packets(rows, N(rows));
}

/* They have no form here, and nobody counts them as lost. */
static void no_events(void **state)
{
	struct framing_plan plan;
	struct framing f;

	(void)state;
	framing_init(&f, &space, 1024);
	for (int type = RECORD_OPEN; type <= RECORD_ACK; type++) {
		struct record r = { .type = (enum record_type)type };

		assert_false(framing_measure(&f, &r, &plan));
	}
	assert_false(
		framing_seq_of(&f, span_str("{\"type\":\"text\",\"seq\":1,"), &(uint64_t){ 0 }));
}

static void what_was_escaped_comes_back(void **state)
{
	(void)state;
	seed = 1;
	for (int i = 0; i < 200; i++) {
		round_trip(&escape, MSG_TEXT, false);
		round_trip(&escape0, MSG_TEXT, false);
		round_trip(&base64, MSG_BINARY, false);
	}
}

/* A text may say what it likes: it is one line, and only its end ends it. */
static void no_text_forges_a_second_record(void **state)
{
	static const struct endpoint_rules *const confs[] = { &space,	&space0, &escape,
							      &escape0, &reject, &reject0 };
	char text[256];

	(void)state;
	seed = 2;
	for (int i = 0; i < 20000; i++) {
		const struct endpoint_rules *conf = confs[pick(6)];
		struct record r = message(MSG_TEXT, random_text(text, sizeof(text)));
		bool replaced;
		size_t n = 0;
		uint8_t *record = encode(conf, &r, &n, &replaced);

		if (!record) {
			assert_int_equal(conf->newlines, NEWLINES_REJECT);
			assert_non_null(memchr(text, (int)conf->delimiter, r.msg.data.n));
			continue;
		}
		assert_ptr_equal(memchr(record, (int)conf->delimiter, n), record + n - 1);
		assert_true(utf8_valid(span_of(record, n)));
		free(record);
	}
}

static void text_is_handed_out_where_it_lies(void **state)
{
	static const char input[] = "one\ntwo\\\n";
	struct span in = span_of(input, sizeof(input) - 1);
	struct framing f;
	struct framing_reader r;
	struct error err;
	struct order o;

	(void)state;
	framing_init(&f, &escape, 1024);
	framing_reader_init(&r, &f);
	assert_int_equal(framing_next(&r, &in, &o, &err), FRAMING_ORDER);
	assert_ptr_equal(o.msg.data.p, input);
	assert_int_equal(framing_next(&r, &in, &o, &err), FRAMING_ORDER);
	assert_ptr_not_equal(o.msg.data.p, input + 4);
	assert_int_equal(framing_next(&r, &in, &o, &err), FRAMING_MORE);
	framing_reader_deinit(&r);
}

static void a_long_line_does_not_keep_its_memory(void **state)
{
	static char input[200001];
	struct span in = span_of(input, sizeof(input));
	struct framing f;
	struct framing_reader r;
	struct error err;
	struct order o;

	(void)state;
	memset(input, '\\', sizeof(input) - 1);
	input[sizeof(input) - 1] = '\n';
	framing_init(&f, &escape, 1 << 20);
	framing_reader_init(&r, &f);
	assert_int_equal(framing_next(&r, &in, &o, &err), FRAMING_ORDER);
	assert_int_equal(o.msg.data.n, 100000);
	assert_int_equal(framing_next(&r, &in, &o, &err), FRAMING_MORE);
	assert_int_equal(r.work.size, 0);
	framing_reader_deinit(&r);
}

/* Wherever the delimiter stands: it is no record for the fast way, which writes nothing then. */
static void plain_text_of_every_length(void **state)
{
	struct chunk *c = chunk_new();
	struct framing f;
	uint8_t text[200];

	(void)state;
	framing_init(&f, &space, 1024);
	memset(text, 'x', sizeof(text));
	for (size_t n = 0; n <= sizeof(text); n++) {
		struct msg msg = { .type = MSG_TEXT, .data = span_of(text, n) };

		assert_int_equal(framing_encode_plain(&f, &msg, 1, c), 1);
		assert_int_equal(c->len, n + 1);
		assert_memory_equal(c->data, text, n);
		assert_int_equal(c->data[n], '\n');
		chunk_reset(c);
		for (size_t at = 0; at < n; at++) {
			text[at] = '\n';
			assert_int_equal(framing_encode_plain(&f, &msg, 1, c), 0);
			assert_int_equal(c->len, 0);
			text[at] = (uint8_t)at; /* the next lengths do not see the same all over */
			text[at] = text[at] == '\n' ? 'x' : text[at];
		}
	}
	chunk_unref(c);
}

/* A line that finds no memory is refused, and the next one is not. */
static void refuse_one_for_want_of_memory(const struct endpoint_rules *conf, const char *input,
					  const char *sentence)
{
	struct span in = span_str(input);
	struct framing f;
	struct framing_reader r;
	struct error err;
	struct order o;

	framing_init(&f, conf, 1024);
	framing_reader_init(&r, &f);
	mem_fail_try_after(1);
	assert_int_equal(framing_next(&r, &in, &o, &err), FRAMING_BAD);
	assert_int_equal(err.code, ERR_OVERFLOW);
	assert_string_equal(err.text, sentence);
	assert_int_equal(framing_next(&r, &in, &o, &err), FRAMING_ORDER);
	framing_reader_deinit(&r);
}

static void memory_runs_out(void **state)
{
	(void)state;
	refuse_one_for_want_of_memory(&escape, "a\\nb\nc\\nd\n", "no memory for a line of 4 bytes");
	refuse_one_for_want_of_memory(&base64, "YQ==\nYQ==\n", "no memory for a line of 4 bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inbound),
		cmocka_unit_test(outbound),
		cmocka_unit_test(packets_in),
		cmocka_unit_test(no_events),
		cmocka_unit_test(what_was_escaped_comes_back),
		cmocka_unit_test(no_text_forges_a_second_record),
		cmocka_unit_test(text_is_handed_out_where_it_lies),
		cmocka_unit_test(a_long_line_does_not_keep_its_memory),
		cmocka_unit_test(plain_text_of_every_length),
		cmocka_unit_test(memory_runs_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
