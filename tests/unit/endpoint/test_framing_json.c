/* SPDX-License-Identifier: Apache-2.0 */
/* Messages and events → JSON, by their bytes: values untouched, and no text forges a record. */
#include <inttypes.h>
#include <math.h>

#include "base/json_cut.h"
#include "framing_test.h"

#define T INT64_C(1768980000123456)
#define TIME "\"time\":1768980000.123456"

static const struct endpoint_rules json = { .framing = FRAMING_JSON, .events = EVENTS_ALL };
static const struct endpoint_rules in_line = { .framing = FRAMING_JSON,
					       .events = EVENTS_ALL,
					       .data = JSON_DATA_INLINE };
static const struct endpoint_rules packet = { .framing = FRAMING_JSON,
					      .type = SOCKET_SEQPACKET,
					      .events = EVENTS_ALL };

/* The record with a NUL behind it; to be freed. */
static char *encode_string(const struct endpoint_rules *conf, const struct record *r,
			   bool *replaced)
{
	size_t n = 0;
	uint8_t *out = encode(conf, r, &n, replaced);
	char *s;

	assert_non_null(out);
	assert_true(json_cut_valid(span_of(out, n), 520));
	assert_true(utf8_valid(span_of(out, n)));
	s = mem_strndup(out, n);
	assert_int_equal(strlen(s), n);
	free(out);
	return s;
}

static void messages(void **state)
{
	static const struct {
		const struct endpoint_rules *conf;
		enum msg_type type;
		struct span data;
		const char *tail; /* behind the time */
		bool replaced;
	} rows[] = {
		{ &json, MSG_TEXT, S(""), "\"data\":\"\"}\n", false },
		{ &json, MSG_TEXT, S("hello"), "\"data\":\"hello\"}\n", false },
		{ &json, MSG_TEXT, S("\"\\/\b\f\n\r\t\0\x1F\x7F"),
		  "\"data\":\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\x7F\"}\n", false },
		{ &json, MSG_TEXT, S("\xC3\xA4\xE2\x80\xA8\xF0\x9F\x98\x80"),
		  "\"data\":\"\xC3\xA4\xE2\x80\xA8\xF0\x9F\x98\x80\"}\n", false },
		{ &json, MSG_TEXT, S("{\"a\":1}"), "\"data\":\"{\\\"a\\\":1}\"}\n", false },
		{ &json, MSG_TEXT, S("\xFF"), "\"data\":\"\xEF\xBF\xBD\"}\n", true },
		{ &json, MSG_TEXT, S("a\xE2\x82\n\xC3\xA4\xC3"),
		  "\"data\":\"a\xEF\xBF\xBD\xEF\xBF\xBD\\n\xC3\xA4\xEF\xBF\xBD\"}\n", true },
		{ &json, MSG_BINARY, S(""), "\"data\":\"\"}\n", false },
		{ &json, MSG_BINARY, S("\0\n\xFF"), "\"data\":\"AAr/\"}\n", false },
		{ &packet, MSG_TEXT, S("a\nb"), "\"data\":\"a\\nb\"}", false },
		{ &packet, MSG_BINARY, S("hello"), "\"data\":\"aGVsbG8=\"}", false },
		/* values: their bytes */
		{ &in_line, MSG_TEXT,
		  S("{\"v\":0.10,\"n\":9223372036854775808,\"a\":1,\"a\":2,\"e\":1E+2}"),
		  "\"inline\":true,\"data\":"
		  "{\"v\":0.10,\"n\":9223372036854775808,\"a\":1,\"a\":2,\"e\":1E+2}}\n",
		  false },
		{ &in_line, MSG_TEXT, S("[1,\r\n\t2]\n"), "\"inline\":true,\"data\":[1,  \t2] }\n",
		  false },
		{ &in_line, MSG_TEXT, S(" null "), "\"inline\":true,\"data\": null }\n", false },
		{ &in_line, MSG_TEXT, S("\"a\""), "\"inline\":true,\"data\":\"a\"}\n", false },
		{ &in_line, MSG_TEXT, S("\"\\u000a\\ud800\""),
		  "\"inline\":true,\"data\":\"\\u000a\\ud800\"}\n", false },
		/* and no values */
		{ &in_line, MSG_TEXT, S("a"), "\"data\":\"a\"}\n", false },
		{ &in_line, MSG_TEXT, S(""), "\"data\":\"\"}\n", false },
		{ &in_line, MSG_TEXT, S("\n"), "\"data\":\"\\n\"}\n", false },
		{ &in_line, MSG_TEXT, S("[1,2"), "\"data\":\"[1,2\"}\n", false },
		{ &in_line, MSG_TEXT, S("1}\n{"), "\"data\":\"1}\\n{\"}\n", false },
		{ &in_line, MSG_TEXT, S("[\"a\nb\"]"), "\"data\":\"[\\\"a\\nb\\\"]\"}\n", false },
		{ &in_line, MSG_TEXT, S("[\"\xFF\"]"), "\"data\":\"[\\\"\xEF\xBF\xBD\\\"]\"}\n",
		  true },
		{ &in_line, MSG_BINARY, S("1"), "\"data\":\"MQ==\"}\n", false },
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		struct record r = message(rows[i].type, rows[i].data);
		char expected[512];
		bool replaced = false;
		char *out;

		r.seq = 12;
		r.epoch = 3;
		r.time = T;
		snprintf(expected, sizeof(expected),
			 "{\"type\":\"%s\",\"seq\":12,\"epoch\":3," TIME ",%s",
			 rows[i].type == MSG_TEXT ? "text" : "binary", rows[i].tail);
		out = encode_string(rows[i].conf, &r, &replaced);
		assert_string_equal(out, expected);
		assert_int_equal(replaced, rows[i].replaced);
		free(out);
	}
}

/* A fragment is a piece of text, whatever it looks like. */
static void fragments(void **state)
{
	struct record r = message(MSG_TEXT, span_str("1"));
	bool replaced;
	char *out;

	(void)state;
	r.time = 1;
	r.msg.more = true;
	out = encode_string(&in_line, &r, &replaced);
	assert_string_equal(out, "{\"type\":\"text\",\"seq\":0,\"epoch\":0,\"time\":0.000001,"
				 "\"fin\":false,\"data\":\"1\"}\n");
	free(out);
	r.msg.more = false;
	r.continued = true;
	out = encode_string(&in_line, &r, &replaced);
	assert_string_equal(out, "{\"type\":\"text\",\"seq\":0,\"epoch\":0,\"time\":0.000001,"
				 "\"data\":\"1\"}\n");
	free(out);
	r = message(MSG_BINARY, span_str("1"));
	r.msg.more = true;
	r.time = -1500000;
	out = encode_string(&in_line, &r, &replaced);
	assert_string_equal(out, "{\"type\":\"binary\",\"seq\":0,\"epoch\":0,\"time\":-1.500000,"
				 "\"fin\":false,\"data\":\"MQ==\"}\n");
	free(out);
}

static void a_value_is_as_deep_as_its_readers_go(void **state)
{
	char text[2 * 513];
	struct record r = message(MSG_TEXT, span_of(text + 1, 2 * 512));
	struct framing_plan plan;
	struct framing f;

	(void)state;
	memset(text, '[', 513);
	memset(text + 513, ']', 513);
	framing_init(&f, &in_line, 1 << 20);
	assert_true(framing_measure(&f, &r, &plan));
	assert_true(plan.as_value);
	r.msg.data = span_of(text, sizeof(text));
	assert_true(framing_measure(&f, &r, &plan));
	assert_false(plan.as_value);
}

static struct error failure(enum err code, enum stage stage, int status, int close_code)
{
	struct error err;

	error_set(&err, code, "dial \"x\": refused");
	err.stage = stage;
	err.status = status;
	err.close_code = close_code;
	return err;
}

static void check_event(const struct record *r, const char *expected)
{
	bool replaced = true;
	char *out = encode_string(&json, r, &replaced);
	uint64_t seq;

	assert_string_equal(out, expected);
	assert_false(replaced);
	assert_false(framing_json.seq_of(span_str(out), &seq));
	free(out);
}

static void opened_and_closed(void **state)
{
	struct record r = { .type = RECORD_OPEN,
			    .url = "wss://h/\"x\"",
			    .subprotocol = "mqtt",
			    .epoch = 7,
			    .time = T };

	(void)state;
	check_event(&r, "{\"type\":\"open\",\"url\":\"wss://h/\\\"x\\\"\",\"subprotocol\":\"mqtt\","
			"\"epoch\":7," TIME "}\n");
	r.subprotocol = NULL;
	r.url = "\xFF";
	check_event(&r, "{\"type\":\"open\",\"url\":\"\xEF\xBF\xBD\",\"subprotocol\":null,"
			"\"epoch\":7," TIME "}\n");
	r = (struct record){
		.type = RECORD_CLOSE, .code = 1006, .reason = "", .retry_in = 1.5, .time = T
	};
	check_event(&r, "{\"type\":\"close\",\"code\":1006,\"reason\":\"\",\"clean\":false,"
			"\"retry_in\":1.5," TIME "}\n");
	r.code = 1000;
	r.reason = "bye\n\xC3\xA4";
	r.clean = true;
	r.retry_in = -1;
	check_event(&r, "{\"type\":\"close\",\"code\":1000,\"reason\":\"bye\\n\xC3\xA4\","
			"\"clean\":true,\"retry_in\":null," TIME "}\n");
}

static void durations(void **state)
{
	static const struct {
		double v;
		const char *text;
	} rows[] = {
		{ 0, "0" },
		{ 0.0000004, "0" },
		{ 0.000001, "0.000001" },
		{ 0.25, "0.25" },
		{ 0.1, "0.1" },
		{ 4.2, "4.2" },
		{ 30, "30" },
		{ 29.9999999, "30" },
		{ 12.340001, "12.340001" },
		{ 1e300, "1000000000000" },
		{ NAN, "0" },
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		struct record r = { .type = RECORD_CLOSE, .code = 1001, .retry_in = rows[i].v };
		char expected[160];

		snprintf(expected, sizeof(expected),
			 "{\"type\":\"close\",\"code\":1001,\"reason\":\"\",\"clean\":false,"
			 "\"retry_in\":%s,\"time\":0.000000}\n",
			 rows[i].text);
		check_event(&r, expected);
	}
}

static void pings_and_gaps(void **state)
{
	struct record r = { .type = RECORD_PING, .payload = S("a\n"), .time = T };

	(void)state;
	check_event(&r, "{\"type\":\"ping\",\"data\":\"a\\n\"," TIME "}\n");
	r.type = RECORD_PONG;
	check_event(&r, "{\"type\":\"pong\",\"data\":\"a\\n\"," TIME "}\n");
	r.payload = span_of("\xFF\0", 2);
	check_event(&r, "{\"type\":\"pong\",\"data\":\"/wA=\",\"encoding\":\"base64\"," TIME "}\n");
	r.payload = span_of(NULL, 0);
	check_event(&r, "{\"type\":\"pong\",\"data\":\"\"," TIME "}\n");
	r = (struct record){
		.type = RECORD_GAP, .dropped = 2, .from = 9, .to = UINT64_MAX, .seq = 5
	};
	check_event(&r, "{\"type\":\"gap\",\"dropped\":2,\"from\":9,"
			"\"to\":18446744073709551615}\n");
}

static void acks_and_errors(void **state)
{
	struct error err = failure(ERR_CONNECT, STAGE_CONNECT, 0, 0);
	struct record r = { .type = RECORD_ACK, .id = S("[1,\n\"a\"]") };

	(void)state;
	check_event(&r, "{\"type\":\"ack\",\"id\":[1, \"a\"]}\n");
	r.id = span_of(NULL, 0);
	check_event(&r, "{\"type\":\"ack\"}\n");
	r = (struct record){ .type = RECORD_ERROR, .err = &err, .id = S("\"x\""), .time = T };
	check_event(&r, "{\"type\":\"error\",\"error\":{\"code\":-32007,"
			"\"message\":\"dial \\\"x\\\": refused\",\"kind\":\"connect\","
			"\"stage\":\"connect\",\"retryable\":true},\"id\":\"x\"," TIME "}\n");
	r.id = span_of(NULL, 0);
	err = failure(ERR_BAD_STATUS, STAGE_HANDSHAKE, 401, 0);
	check_event(&r, "{\"type\":\"error\",\"error\":{\"code\":-32010,"
			"\"message\":\"dial \\\"x\\\": refused\",\"kind\":\"bad_status\","
			"\"stage\":\"handshake\",\"status\":401,\"retryable\":false}," TIME "}\n");
	err = failure(ERR_PAYLOAD, STAGE_NONE, 0, 1007);
	check_event(&r, "{\"type\":\"error\",\"error\":{\"code\":-32012,"
			"\"message\":\"dial \\\"x\\\": refused\",\"kind\":\"payload\","
			"\"close_code\":1007,\"retryable\":false}," TIME "}\n");
	error_set_option(&err, "fin", "\"fin\" must be true or false");
	check_event(&r, "{\"type\":\"error\",\"error\":{\"code\":-32602,"
			"\"message\":\"\\\"fin\\\" must be true or false\","
			"\"kind\":\"invalid_option\",\"option\":\"fin\"}," TIME "}\n");
	err = ERROR_INIT;
	err.code = ERR_NOT_OPEN;
	check_event(&r, "{\"type\":\"error\",\"error\":{\"code\":-32004,\"message\":\"not open\","
			"\"kind\":\"not_open\",\"retryable\":true}," TIME "}\n");
}

static void only_events_that_were_asked_for(void **state)
{
	static const unsigned bits[] = { EVENTS_OPEN, EVENTS_CLOSE, EVENTS_PING, EVENTS_PONG,
					 EVENTS_GAP,  EVENTS_ERROR, EVENTS_ACK };
	struct error err = failure(ERR_TIMEOUT, STAGE_NONE, 0, 0);

	(void)state;
	for (size_t i = 0; i <= N(bits); i++) {
		struct endpoint_rules conf = json;
		struct framing_plan plan;
		struct framing f;

		conf.events = i < N(bits) ? bits[i] : 0;
		framing_init(&f, &conf, 1024);
		for (size_t j = 0; j < N(bits); j++) {
			struct record r = { .type = (enum record_type)(RECORD_OPEN + j),
					    .err = &err };

			assert_int_equal(framing_measure(&f, &r, &plan), i == j);
		}
		assert_true(framing_measure(&f, &(struct record){ .type = RECORD_MESSAGE }, &plan));
	}
}

static void a_number_is_read_back(void **state)
{
	static const uint64_t seqs[] = { 0, 1, 12, 9007199254740993, UINT64_MAX };
	struct framing f;

	(void)state;
	framing_init(&f, &json, 1024);
	for (size_t i = 0; i < 2 * N(seqs); i++) {
		struct record r = message(i % 2 ? MSG_TEXT : MSG_BINARY, span_str("x"));
		uint64_t seq = 77;
		bool replaced;
		char *out;

		r.seq = seqs[i / 2];
		out = encode_string(&json, &r, &replaced);
		assert_true(framing_seq_of(&f, span_str(out), &seq));
		assert_int_equal(seq, seqs[i / 2]);
		free(out);
	}
	assert_false(framing_seq_of(&f, span_str("{\"type\":\"te"), &(uint64_t){ 0 }));
	assert_false(framing_seq_of(&f, span_of(NULL, 0), &(uint64_t){ 0 }));
}

static void check_numbers(uint64_t seq, uint64_t epoch, int64_t time)
{
	struct record r = message(MSG_TEXT, span_of(NULL, 0));
	uint64_t past = time < 0 ? -(uint64_t)time : (uint64_t)time;
	char expected[160];
	bool replaced;
	char *out;

	r.seq = seq;
	r.epoch = epoch;
	r.time = time;
	snprintf(expected, sizeof(expected),
		 "{\"type\":\"text\",\"seq\":%" PRIu64 ",\"epoch\":%" PRIu64 ",\"time\":%s%" PRIu64
		 ".%06" PRIu64 ",\"data\":\"\"}\n",
		 seq, epoch, time < 0 ? "-" : "", past / 1000000, past % 1000000);
	out = encode_string(&json, &r, &replaced);
	assert_string_equal(out, expected);
	free(out);
}

/* Of each length, and with each digit at each place. */
static void numbers(void **state)
{
	uint64_t power = 1;

	(void)state;
	for (int n = 0; n < 20; n++) {
		for (uint64_t digit = 1; digit < (n < 19 ? 10u : 2u); digit++) {
			uint64_t v = digit * power;
			int64_t t = (int64_t)(v >> 1);

			check_numbers(v, v - 1, t);
			check_numbers(v + 1, v - power / 7, -t);
		}
		power *= 10;
	}
	check_numbers(UINT64_MAX, 12345678, INT64_MAX);
	check_numbers(87654321, 1234567890123456789, INT64_MIN);
}

/* A reader of its own, by the letter of RFC 8259: from "data":" to the last quote. */
static size_t naive_data(char *out, const char *record)
{
	const char *at = strstr(record, "\"data\":\"") + 8, *end = strrchr(record, '"');
	size_t n = 0;

	while (at < end) {
		unsigned byte;

		if (*at != '\\') {
			out[n++] = *at++;
			continue;
		}
		if (at[1] == 'u') {
			assert_int_equal(sscanf(at + 2, "%4x", &byte), 1);
			assert_true(byte < 0x20);
			out[n++] = (char)byte;
			at += 6;
			continue;
		}
		out[n++] = at[1] == 'n' ? '\n' : at[1] == 'r' ? '\r' : at[1] == 't' ? '\t' : at[1];
		at += 2;
	}
	return n;
}

/* Whatever a text says: one line, which ends at its end, and which is the text again. */
static void no_text_forges_a_second_record(void **state)
{
	char text[256], back[256];

	(void)state;
	seed = 7;
	for (int i = 0; i < 20000; i++) {
		const struct endpoint_rules *conf = i % 2 ? &in_line : &json;
		struct record r = message(MSG_TEXT, random_text(text, sizeof(text)));
		bool replaced = true;
		char *out = encode_string(conf, &r, &replaced);

		assert_ptr_equal(strchr(out, '\n'), out + strlen(out) - 1);
		assert_false(replaced);
		if (conf == &json || !strstr(out, "\"inline\":true")) {
			size_t n = naive_data(back, out);

			assert_true(span_equal(span_of(back, n), r.msg.data));
		}
		free(out);
	}
}

/* Bytes that are no text, too. */
static void no_bytes_do(void **state)
{
	char bytes[256];

	(void)state;
	seed = 8;
	for (int i = 0; i < 20000; i++) {
		struct record r = message(MSG_TEXT, random_bytes(bytes, sizeof(bytes)));
		bool valid = utf8_valid(r.msg.data), replaced = valid;
		char *out = encode_string(i % 2 ? &in_line : &json, &r, &replaced);

		assert_ptr_equal(strchr(out, '\n'), out + strlen(out) - 1);
		assert_int_equal(replaced, !valid);
		free(out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages),
		cmocka_unit_test(fragments),
		cmocka_unit_test(a_value_is_as_deep_as_its_readers_go),
		cmocka_unit_test(opened_and_closed),
		cmocka_unit_test(durations),
		cmocka_unit_test(pings_and_gaps),
		cmocka_unit_test(acks_and_errors),
		cmocka_unit_test(only_events_that_were_asked_for),
		cmocka_unit_test(a_number_is_read_back),
		cmocka_unit_test(numbers),
		cmocka_unit_test(no_text_forges_a_second_record),
		cmocka_unit_test(no_bytes_do),
	};

	return cmocka_run_group_tests_name("framing_json", tests, NULL, NULL);
}
