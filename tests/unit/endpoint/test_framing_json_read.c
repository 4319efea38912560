/* SPDX-License-Identifier: Apache-2.0 */
/* JSON → orders: every member, every refusal by its sentence, and what came in goes out again. */
#include "framing_test.h"

static const struct endpoint_rules json = { .framing = FRAMING_JSON, .events = EVENTS_ALL };
static const struct endpoint_rules in_line = { .framing = FRAMING_JSON, .data = JSON_DATA_INLINE };
static const struct endpoint_rules packet = { .framing = FRAMING_JSON, .type = SOCKET_SEQPACKET };

#define OK "{\"type\":\"text\",\"data\":\"ok\"}\n"

static void orders(void **state)
{
	static const struct in_row rows[] = {
		{ &json, 64, S(""), S("") },
		{ &json, 64, S("\n \r\n\t\n"), S("") },
		{ &json, 64, S(OK), S("t[ok]") },
		{ &json, 64, S(OK "\n" OK), S("t[ok]t[ok]") },
		{ &json, 64, S(" { \"data\" : \"ok\" , \"type\" : \"text\" } \r\n"), S("t[ok]") },
		{ &json, 64, S("{\"type\":\"text\",\"data\":\"ok\"}"), S("~t[ok]") },
		{ &json, 64, S("  "), S("") },
		{ &json, 64, S("{\"type\":\"text\",\"data\":\"\"}\n"), S("t[]") },
		{ &json, 64, S("{\"type\":\"text\",\"data\":\"a\\n\\u00e4\\ud83d\\ude00\\\\\"}\n"),
		  S("t[a\n\xC3\xA4\xF0\x9F\x98\x80\\]") },
		{ &json, 64, S("{\"\\u0074ype\":\"t\\u0065xt\",\"d\\u0061ta\":\"ok\"}\n"),
		  S("t[ok]") },
		{ &json, 64, S("{\"type\":\"text\",\"data\":\"a\",\"fin\":false}\n"), S("t[a]+") },
		{ &json, 64, S("{\"type\":\"text\",\"data\":\"a\",\"fin\":true}\n"), S("t[a]") },
		{ &json, 64, S("{\"type\":\"binary\",\"data\":\"\"}\n"), S("b[]") },
		{ &json, 64, S("{\"type\":\"binary\",\"data\":\"AAr\\/\",\"fin\":false}\n"),
		  S("b[\0\n\xFF]+") },
		{ &json, 64, S("{\"type\":\"binary\",\"data\":\"aGVsbG8=\"}\n"), S("b[hello]") },
		/* what came in goes out */
		{ &json, 64,
		  S("{\"type\":\"text\",\"seq\":1,\"epoch\":2,\"time\":3.5,\"data\":\"ok\"}\n"),
		  S("t[ok]") },
		{ &json, 64,
		  S("{\"type\":\"text\",\"seq\":1,\"inline\":true,\"data\":{\"v\":0.10}}\n"),
		  S("t[{\"v\":0.10}]") },
		{ &json, 64, S("{\"type\":\"text\",\"inline\":true,\"data\":\"a\"}\n"),
		  S("t[\"a\"]") },
		{ &json, 64, S("{\"type\":\"text\",\"inline\":false,\"data\":\"a\"}\n"),
		  S("t[a]") },
		/* JSON by its bytes */
		{ &json, 64,
		  S("{\"type\":\"json\",\"data\":{\"v\":0.10,\"n\":9223372036854775808,\"a\":1,"
		    "\"a\":2,\"e\":1E+2}}\n"),
		  S("t[{\"v\":0.10,\"n\":9223372036854775808,\"a\":1,\"a\":2,\"e\":1E+2}]") },
		{ &json, 64, S("{\"type\":\"json\",\"data\": [1, \r2] }\n"), S("t[[1, 2]]") },
		{ &json, 64, S("{\"type\":\"json\",\"data\":\"a\\nb\"}\n"), S("t[\"a\\nb\"]") },
		{ &json, 64, S("{\"type\":\"json\",\"data\":null}\n"), S("t[null]") },
		{ &json, 64, S("{\"type\":\"json\",\"data\":-0.0}\n"), S("t[-0.0]") },
		/* control frames */
		{ &json, 64, S("{\"type\":\"ping\"}\n{\"type\":\"pong\",\"data\":\"\"}\n"),
		  S("ping[]pong[]") },
		{ &json, 64, S("{\"type\":\"ping\",\"data\":\"a\\tb\",\"time\":1}\n"),
		  S("ping[a\tb]") },
		{ &json, 64, S("{\"type\":\"pong\",\"data\":\"\\/wA=\",\"encoding\":\"base64\"}\n"),
		  S("pong[\xFF\0]") },
		{ &json, 64, S("{\"type\":\"close\"}\n"), S("close1000[]") },
		{ &json, 64, S("{\"type\":\"close\",\"code\":4999,\"reason\":\"b\\u0079e\"}\n"),
		  S("close4999[bye]") },
		/* ids */
		{ &json, 64, S("{\"type\":\"ping\",\"id\":\"x\"}\n"), S("ping[]#\"x\"") },
		{ &json, 64, S("{\"id\":{\"a\":[1, 2.0]},\"type\":\"text\",\"data\":\"a\"}\n"),
		  S("t[a]#{\"a\":[1, 2.0]}") },
		{ &json, 64, S("{\"type\":\"close\",\"id\":null}\n"), S("close1000[]#null") },
	};

	(void)state;
	read_rows(rows, N(rows));
}

static void packets_in(void **state)
{
	static const struct in_row rows[] = {
		{ &packet, 64, S(""), S("") },
		{ &packet, 64, S("\n"), S("") },
		{ &packet, 64, S("{\"type\":\"ping\"}"), S("ping[]") },
		{ &packet, 64, S("{\"type\":\"ping\"}\n"), S("ping[]") },
		{ &packet, 64, S("{\n\"type\":\"json\",\n\"data\":[\n1,\r\n2\n]\n}\n"),
		  S("t[[1,2]]") },
		{ &packet, 64, S("{\"type\":\"ping\"}\n{\"type\":\"ping\"}"),
		  S("!record is not valid JSON!") },
	};

	(void)state;
	read_packets(rows, N(rows));
}

#define REFUSED(line, sentence)                                     \
	{                                                           \
		&json, 8, S(line "\n" OK), S("!" sentence "!t[ok]") \
	}
/* The same, and whoever wrote it is told by its id, 7. */
#define REFUSED_7(line, sentence)                                     \
	{                                                             \
		&json, 8, S(line "\n" OK), S("!" sentence "!#7t[ok]") \
	}
#define A32 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A128 A32 A32 A32 A32
#define SHAPES "\"type\" must be \"text\", \"binary\", \"json\", \"ping\", \"pong\" or \"close\""

static const struct in_row refused[] = {
	REFUSED("hello", "record is not valid JSON"),
	REFUSED("{\"type\":\"text\",\"data\":\"ok\"", "record is not valid JSON"),
	REFUSED("{\"type\":\"text\",\"data\":\"\xFF\"}", "record is not valid JSON"),
	REFUSED("{\"type\":\"ping\"}{\"type\":\"ping\"}", "record is not valid JSON"),
	REFUSED("[1]", "record is not a JSON object"),
	REFUSED("\"text\"", "record is not a JSON object"),
	REFUSED("{}", "\"type\" is missing"),
	REFUSED_7("{\"id\":7}", "\"type\" is missing"),
	REFUSED_7("{\"id\":7,\"type\":\"open\"}", SHAPES),
	REFUSED_7("{\"id\":7,\"type\":\"Text\"}", SHAPES),
	REFUSED_7("{\"id\":7,\"type\":1}", SHAPES),
	REFUSED_7("{\"type\":\"text\",\"dat\":\"x\",\"id\":7}", "unknown member \"dat\""),
	REFUSED_7("{\"x\":0,\"y\":0,\"id\":7}", "unknown member \"x\""),
	REFUSED("{\"\":0}", "unknown member \"\""),
	REFUSED("{\"\x1B[2J\":0}", "record is not valid JSON"),
	REFUSED("{\"\\u001b[2J\x7F\":0}", "unknown member \"\\\\u001b[2J\\x7f\""),
	REFUSED("{\"" A128 "\":0}", "unknown member \"" A32 A32 "aaaaaaaaaaaa...\""),
	REFUSED_7("{\"type\":\"text\",\"type\":\"text\",\"data\":\"a\",\"id\":7}",
		  "\"type\" comes twice"),
	REFUSED_7("{\"type\":\"text\",\"data\":\"a\",\"d\\u0061ta\":\"b\",\"id\":7}",
		  "\"d\\\\u0061ta\" comes twice"),
	REFUSED("{\"type\":\"ping\",\"id\":7,\"id\":7}", "\"id\" comes twice"),
	REFUSED("{\"type\":\"ping\",\"id\":\"" A128 A128 "\"}", "\"id\" is longer than 256 bytes"),
	REFUSED("{\"type\":\"ping\",\"x\":1,\"id\":\"" A128 A128 "\"}", "unknown member \"x\""),
	REFUSED_7("{\"type\":\"text\",\"code\":1000,\"id\":7}",
		  "\"code\" does not go with \"type\":\"text\""),
	REFUSED_7("{\"type\":\"json\",\"data\":1,\"fin\":false,\"id\":7}",
		  "\"fin\" does not go with \"type\":\"json\""),
	REFUSED_7("{\"type\":\"binary\",\"data\":\"\",\"inline\":true,\"id\":7}",
		  "\"inline\" does not go with \"type\":\"binary\""),
	REFUSED_7("{\"type\":\"close\",\"data\":\"x\",\"id\":7}",
		  "\"data\" does not go with \"type\":\"close\""),
	REFUSED("{\"type\":\"close\",\"code\":1006,\"reason\":\"\",\"clean\":false}",
		"unknown member \"clean\""),
	REFUSED_7("{\"type\":\"text\",\"id\":7}", "\"data\" is missing"),
	REFUSED_7("{\"type\":\"binary\",\"id\":7}", "\"data\" is missing"),
	REFUSED_7("{\"type\":\"json\",\"id\":7}", "\"data\" is missing"),
	REFUSED_7("{\"type\":\"text\",\"inline\":true,\"id\":7}", "\"data\" is missing"),
	REFUSED_7("{\"type\":\"text\",\"data\":{},\"id\":7}",
		  "\"data\" must be a string (a JSON value goes with \"type\":\"json\")"),
	REFUSED_7("{\"type\":\"binary\",\"data\":1,\"id\":7}", "\"data\" must be a string"),
	REFUSED_7("{\"type\":\"ping\",\"data\":null,\"id\":7}", "\"data\" must be a string"),
	REFUSED_7("{\"type\":\"close\",\"reason\":1,\"id\":7}", "\"reason\" must be a string"),
	REFUSED_7("{\"type\":\"text\",\"data\":\"a\",\"fin\":0,\"id\":7}",
		  "\"fin\" must be true or false"),
	REFUSED_7("{\"type\":\"text\",\"data\":\"a\",\"fin\":null,\"id\":7}",
		  "\"fin\" must be true or false"),
	REFUSED_7("{\"type\":\"text\",\"data\":\"a\",\"inline\":\"\",\"id\":7}",
		  "\"inline\" must be true or false"),
	REFUSED_7("{\"type\":\"text\",\"data\":\"\\ud800\",\"id\":7}",
		  "\"data\" has half a surrogate pair"),
	REFUSED_7("{\"type\":\"close\",\"reason\":\"\\udc00\",\"id\":7}",
		  "\"reason\" has half a surrogate pair"),
	REFUSED_7("{\"type\":\"binary\",\"data\":\"aGk\",\"id\":7}",
		  "\"data\" is not valid Base64"),
	REFUSED_7("{\"type\":\"binary\",\"data\":\"aGk=\\n\",\"id\":7}",
		  "\"data\" is not valid Base64"),
	REFUSED_7("{\"type\":\"ping\",\"data\":\"aGk\",\"encoding\":\"base64\",\"id\":7}",
		  "\"data\" is not valid Base64"),
	REFUSED_7("{\"type\":\"ping\",\"data\":\"00\",\"encoding\":\"hex\",\"id\":7}",
		  "\"encoding\" must be \"base64\""),
	REFUSED_7("{\"type\":\"text\",\"data\":\"123456789\",\"id\":7}",
		  "\"data\" is longer than max_message (8 bytes)"),
	REFUSED_7("{\"type\":\"text\",\"data\":\"\\n23456789\",\"id\":7}",
		  "\"data\" is longer than max_message (8 bytes)"),
	REFUSED_7("{\"type\":\"binary\",\"data\":\"MTIzNDU2Nzg5\",\"id\":7}",
		  "\"data\" is longer than max_message (8 bytes)"),
	REFUSED_7("{\"type\":\"binary\",\"data\":\"MTIzNDU2Nzg5MDEy\",\"id\":7}",
		  "\"data\" is longer than max_message (8 bytes)"),
	REFUSED_7("{\"type\":\"json\",\"data\":123456789,\"id\":7}",
		  "\"data\" is longer than max_message (8 bytes)"),
	REFUSED_7("{\"type\":\"ping\",\"data\":\"" A128 "\",\"id\":7}",
		  "\"data\" is longer than 125 bytes"),
	REFUSED_7("{\"type\":\"pong\",\"data\":\"" A128 A32 A32 "\",\"id\":7}",
		  "\"data\" is longer than 125 bytes"),
	REFUSED_7("{\"type\":\"close\",\"reason\":\"" A128 "\",\"id\":7}",
		  "\"reason\" is longer than 123 bytes"),
};

static void refusals(void **state)
{
	(void)state;
	read_rows(refused, N(refused));
}

static void at_the_limits(void **state)
{
	static const struct in_row rows[] = {
		{ &json, 8, S("{\"type\":\"text\",\"data\":\"12345678\"}\n"), S("t[12345678]") },
		{ &json, 8, S("{\"type\":\"text\",\"data\":\"\\n2345678\"}\n"), S("t[\n2345678]") },
		{ &json, 8,
		  S("{\"type\":\"text\",\"data\":"
		    "\"\\u0031\\u0031\\u0031\\u0031\\u0031\\u0031\\u0031"
		    "\\u0031\"}\n"),
		  S("t[11111111]") },
		{ &json, 8, S("{\"type\":\"binary\",\"data\":\"MTIzNDU2Nzg=\"}\n"),
		  S("b[12345678]") },
		{ &json, 8, S("{\"type\":\"json\",\"data\":12345678}\n"), S("t[12345678]") },
		{ &json, 999,
		  S("{\"type\":\"ping\",\"data\":\"" A32 A32 A32
		    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}\n"),
		  S("ping[" A32 A32 A32 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaa]") },
		{ &json, 999,
		  S("{\"type\":\"close\",\"reason\":\"" A32 A32 A32
		    "aaaaaaaaaaaaaaaaaaaaaaaaaaa\"}\n"),
		  S("close1000[" A32 A32 A32 "aaaaaaaaaaaaaaaaaaaaaaaaaaa]") },
		{ &json, 8, S("{\"type\":\"ping\",\"id\":\"" A128 A32 A32 A32 A32 "\"}\n"),
		  S("!\"id\" is longer than 256 bytes!") },
	};

	(void)state;
	read_rows(rows, N(rows));
}

static void which_codes_may_be_sent(void **state)
{
	static const struct {
		const char *code;
		bool good;
	} rows[] = {
		{ "999", false },   { "1000", true },  { "1003", true },    { "1004", false },
		{ "1005", false },  { "1006", false }, { "1007", true },    { "1011", true },
		{ "1012", false },  { "1014", false }, { "1015", false },   { "2999", false },
		{ "3000", true },   { "4999", true },  { "5000", false },   { "10000", false },
		{ "-1000", false }, { "1e3", false },  { "1000.0", false }, { "\"1000\"", false },
		{ "null", false },  { "4e3 ", false }, { "\"10\"", false }, { "1E+3", false },
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		char line[64], good[32];
		struct in_row row = { .conf = &json, .max = 64 };

		snprintf(line, sizeof(line), "{\"type\":\"close\",\"code\":%s}\n", rows[i].code);
		snprintf(good, sizeof(good), "close%s[]", rows[i].code);
		row.input = span_str(line);
		row.out = span_str(rows[i].good ? good :
						  "!\"code\" must be 1000...1003, 1007...1011 or "
						  "3000...4999!");
		read_rows(&row, 1);
	}
}

/* The kind of a refusal, and the member it is about. */
static void kinds_of_refusals(void **state)
{
	static const struct {
		const char *line;
		enum err code;
		const char *option;
	} rows[] = {
		{ "x", ERR_PARSE, "" },
		{ "[]", ERR_INVALID_REQUEST, "" },
		{ "{\"x\":1}", ERR_INVALID_OPTION, "x" },
		{ "{\"type\":1}", ERR_INVALID_OPTION, "type" },
		{ "{\"type\":\"text\"}", ERR_INVALID_OPTION, "data" },
		{ "{\"type\":\"close\",\"code\":1}", ERR_INVALID_OPTION, "code" },
		{ "{\"type\":\"binary\",\"data\":\"x\"}", ERR_PAYLOAD, "" },
		{ "{\"type\":\"text\",\"data\":\"123456789\"}", ERR_OVERFLOW, "" },
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		struct framing f;
		struct framing_reader r;
		struct error err;
		struct order o;
		char line[64];
		struct span in;

		snprintf(line, sizeof(line), "%s\n", rows[i].line);
		in = span_str(line);
		framing_init(&f, &json, 8);
		framing_reader_init(&r, &f);
		assert_int_equal(framing_next(&r, &in, &o, &err), FRAMING_BAD);
		assert_int_equal(err.code, rows[i].code);
		assert_string_equal(err.option, rows[i].option);
		framing_reader_deinit(&r);
	}
}

static void too_deep_and_too_long(void **state)
{
	static char line[20000];
	struct framing f;
	struct framing_reader r;
	struct error err;
	struct order o;
	struct span in;

	(void)state;
	framing_init(&f, &json, 2000);
	framing_reader_init(&r, &f);
	for (size_t depth = 512; depth <= 513; depth++) {
		int n = snprintf(line, sizeof(line), "{\"type\":\"json\",\"data\":");

		memset(line + n, '[', depth);
		memset(line + (size_t)n + depth, ']', depth);
		memcpy(line + (size_t)n + 2 * depth, "}\n", 2);
		in = span_of(line, (size_t)n + 2 * depth + 2);
		assert_int_equal(framing_next(&r, &in, &o, &err),
				 depth == 512 ? FRAMING_ORDER : FRAMING_BAD);
	}
	assert_string_equal(err.text, "record is nested deeper than 513 levels");
	memset(line, ' ', sizeof(line));
	line[6 * 2000 + 4096] = '\n';
	in = span_of(line, 6 * 2000 + 4096 + 1);
	assert_int_equal(framing_next(&r, &in, &o, &err), FRAMING_MORE);
	in = span_of(line, 6 * 2000 + 4096);
	assert_int_equal(framing_next(&r, &in, &o, &err), FRAMING_MORE);
	in = span_str(" " OK OK);
	assert_int_equal(framing_next(&r, &in, &o, &err), FRAMING_BAD);
	assert_string_equal(err.text, "record is longer than 16096 bytes");
	assert_int_equal(framing_next(&r, &in, &o, &err), FRAMING_ORDER);
	framing_reader_deinit(&r);
	framing_init(&f, &packet, 2000);
	framing_reader_init(&r, &f);
	in = span_of(line, 6 * 2000 + 4096 + 1);
	assert_int_equal(framing_next(&r, &in, &o, &err), FRAMING_BAD);
	assert_string_equal(err.text, "record is longer than 16096 bytes");
	framing_reader_deinit(&r);
}

/* A message as long as may be, with every byte escaped, finds room in a line. */
static void the_longest_message(void **state)
{
	static char line[6 * 1000 + 100];
	size_t n = (size_t)snprintf(line, sizeof(line), "{\"type\":\"text\",\"data\":\"");
	struct framing f;
	struct framing_reader r;
	struct error err;
	struct order o;
	struct span in;

	(void)state;
	for (size_t i = 0; i < 1000; i++, n += 6)
		memcpy(line + n, "\\u0001", 6);
	memcpy(line + n, "\"}\n", 3);
	in = span_of(line, n + 3);
	framing_init(&f, &json, 1000);
	framing_reader_init(&r, &f);
	assert_int_equal(framing_next(&r, &in, &o, &err), FRAMING_ORDER);
	assert_int_equal(o.msg.data.n, 1000);
	framing_reader_deinit(&r);
}

static void what_came_in_goes_out(void **state)
{
	(void)state;
	seed = 9;
	for (int i = 0; i < 60; i++) {
		round_trip(&json, -1, true);
		round_trip(&in_line, -1, true);
	}
}

static void text_is_handed_out_where_it_lies(void **state)
{
	struct span in = span_str(OK "{\"type\":\"json\",\"data\":[1]}\n"), start = in;
	struct framing f;
	struct framing_reader r;
	struct error err;
	struct order o;

	(void)state;
	framing_init(&f, &json, 1024);
	framing_reader_init(&r, &f);
	assert_int_equal(framing_next(&r, &in, &o, &err), FRAMING_ORDER);
	assert_ptr_equal(o.msg.data.p, start.p + 23);
	assert_int_equal(framing_next(&r, &in, &o, &err), FRAMING_ORDER);
	assert_true(o.msg.data.p > start.p && o.msg.data.p < start.p + start.n);
	assert_null(r.work.data);
	framing_reader_deinit(&r);
}

static void memory_runs_out(void **state)
{
	static const struct {
		const char *line, *sentence;
	} rows[] = {
		{ "{\"type\":\"text\",\"data\":\"a\\n\",\"id\":7}\n",
		  "no memory for a message of 2 bytes" },
		{ "{\"type\":\"binary\",\"data\":\"YQ==\",\"id\":7}\n",
		  "no memory for a message of 4 bytes" },
		{ "{\"type\":\"json\",\"data\":[\r],\"id\":7}\n",
		  "no memory for a message of 3 bytes" },
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		struct span in = span_str(rows[i].line);
		struct framing f;
		struct framing_reader r;
		struct error err;
		struct order o;

		framing_init(&f, &json, 1024);
		framing_reader_init(&r, &f);
		mem_fail_try_after(1);
		assert_int_equal(framing_next(&r, &in, &o, &err), FRAMING_BAD);
		assert_string_equal(err.text, rows[i].sentence);
		assert_true(span_equal(o.id, span_str("7")));
		in = span_str(rows[i].line);
		assert_int_equal(framing_next(&r, &in, &o, &err), FRAMING_ORDER);
		framing_reader_deinit(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders),
		cmocka_unit_test(packets_in),
		cmocka_unit_test(refusals),
		cmocka_unit_test(at_the_limits),
		cmocka_unit_test(which_codes_may_be_sent),
		cmocka_unit_test(kinds_of_refusals),
		cmocka_unit_test(too_deep_and_too_long),
		cmocka_unit_test(the_longest_message),
		cmocka_unit_test(what_came_in_goes_out),
		cmocka_unit_test(text_is_handed_out_where_it_lies),
		cmocka_unit_test(memory_runs_out),
	};

	return cmocka_run_group_tests_name("framing_json_read", tests, NULL, NULL);
}
