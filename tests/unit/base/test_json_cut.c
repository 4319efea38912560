/* SPDX-License-Identifier: Apache-2.0 */
/* What is JSON and what is not; values, members and strings cut out by their bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_cut.h"
#include "base/utf8.h"
#include "json_texts.h"
#include "support/guard.h"

#define DEPTH 5 /* of the texts */

static struct guard guard;

static int set_up(void **state)
{
	(void)state;
	guard_init(&guard, 1 << 20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	guard_deinit(&guard);
	return 0;
}

static bool valid(struct span text)
{
	return json_cut_valid(guard_place(&guard, text), DEPTH);
}

static void json_and_what_is_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < N(whole); i++) {
		assert_true(valid(whole[i]));
		for (size_t n = 0; n < whole[i].n; n++)
			assert_false(valid(span_of(whole[i].p, n)));
	}
	for (size_t i = 0; i < N(good); i++)
		assert_true(valid(good[i]));
	for (size_t i = 0; i < N(bad); i++)
		assert_false(valid(bad[i]));
}

/* A special byte is seen at every distance from the start and the end of a run. */
static void every_byte_at_every_place(void **state)
{
	(void)state;
	for (unsigned byte = 0; byte < 256; byte++) {
		for (size_t n = 1; n <= 20; n++) {
			uint8_t text[22];

			memset(text, 'x', sizeof(text));
			text[0] = text[n + 1] = '"';
			for (size_t at = 1; at <= n; at++) {
				text[at] = (uint8_t)byte;
				assert_int_equal(valid(span_of(text, n + 2)),
						 byte >= 0x20 && byte < 0x80 && byte != '"' &&
							 byte != '\\');
				text[at] = 'x';
			}
		}
	}
}

static void as_deep_as_allowed(void **state)
{
	char text[2 * 1025];
	static const struct {
		size_t n;
		unsigned max;
		bool good;
	} rows[] = {
		{ 0, 0, false },       { 1, 1, true },	    { 1, 0, false },
		{ 64, 64, true },      { 65, 64, false },   { 65, 65, true },
		{ 512, 512, true },    { 513, 512, false }, { 1024, 1024, true },
		{ 1025, 1024, false },
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		size_t n = rows[i].n;

		memset(text, '[', n);
		memset(text + n, ']', n);
		assert_int_equal(json_cut_valid(span_of(text, 2 * n), rows[i].max), rows[i].good);
		assert_int_equal(json_cut_too_deep(span_of(text, 2 * n), rows[i].max),
				 n > rows[i].max);
	}
	assert_true(json_cut_valid(span_str("1"), 0));
	assert_false(json_cut_too_deep(span_str("[[],{},[\"[[[\"]]"), 2));
	assert_true(json_cut_too_deep(span_str("[[],{},[\"\\\"\",[]]]"), 2));
	assert_false(json_cut_too_deep(span_str("[\"[[["), 2));
	assert_false(json_cut_too_deep(span_str("]][["), 2));
}

/* Lists and objects in turn, so that a bracket closed by the other kind is seen at every depth. */
static void each_bracket_is_closed_by_its_own_kind(void **state)
{
	char text[1024];
	size_t n = 0, depth = 100;

	(void)state;
	for (size_t i = 0; i < depth; i++) {
		const char *open = i % 3 ? "[" : "{\"k\":";

		memcpy(text + n, open, strlen(open));
		n += strlen(open);
	}
	text[n++] = '1';
	for (size_t i = depth; i-- > 0;)
		text[n++] = i % 3 ? ']' : '}';
	assert_true(json_cut_valid(span_of(text, n), 100));
	for (size_t i = n - depth; i < n; i++) {
		text[i] ^= '}' ^ ']';
		assert_false(json_cut_valid(span_of(text, n), 100));
		text[i] ^= '}' ^ ']';
	}
	assert_true(json_cut_valid(span_of(text, n), 100));
}

static void values(void **state)
{
	static const struct {
		struct span text;
		size_t n;
	} rows[] = {
		{ S(""), 0 },
		{ S("1"), 1 },
		{ S("-1.5e3,2"), 6 },
		{ S("true]"), 4 },
		{ S("null }"), 4 },
		{ S("\"a\":1"), 3 },
		{ S("\"a\\\"b\" x"), 6 },
		{ S("\"\\\\\"\""), 4 },
		{ S("\"a"), 0 },
		{ S("\"a\\"), 0 },
		{ S("\"a\\\""), 0 },
		{ S("[1,[2]],3"), 7 },
		{ S("[\"]\"]]"), 5 },
		{ S("{\"}\":{}}}"), 8 },
		{ S("[1"), 0 },
		{ S("["), 0 },
		{ S("{"), 0 },
		{ S("\""), 0 },
		{ S("[\"1]"), 0 },
		{ S("]"), 0 },
		{ S("}"), 0 },
		{ S(","), 0 },
		{ S("\"12345678901234567890\\\"1234567890\"x"), 34 },
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++)
		assert_int_equal(json_cut_value(guard_place(&guard, rows[i].text)), rows[i].n);
}

static void assert_span(struct span s, const char *text)
{
	assert_true(span_equal(s, span_str(text)));
}

static void lists_and_members(void **state)
{
	struct span rest = json_cut_inside(span_str(" [1, \"a,]\" ,{\"b\":2},[ ]]")), key, value;
	struct span object = span_str("{ \"a\" : 1 , \"\\u006a\\u0073\" : [2] , \"a\":3,\"n\":{}}");

	(void)state;
	assert_true(json_cut_next(&rest, &value));
	assert_span(value, "1");
	assert_true(json_cut_next(&rest, &value));
	assert_span(value, "\"a,]\"");
	assert_true(json_cut_next(&rest, &value));
	assert_span(value, "{\"b\":2}");
	assert_true(json_cut_next(&rest, &value));
	assert_span(value, "[ ]");
	assert_false(json_cut_next(&rest, &value));
	rest = json_cut_inside(object);
	assert_true(json_cut_next_member(&rest, &key, &value));
	assert_span(key, "\"a\"");
	assert_span(value, "1");
	assert_true(json_cut_next_member(&rest, &key, &value));
	assert_span(key, "\"\\u006a\\u0073\"");
	assert_span(value, "[2]");
	assert_true(json_cut_member(object, "a", &value));
	assert_span(value, "1");
	assert_true(json_cut_member(object, "js", &value));
	assert_span(value, "[2]");
	assert_true(json_cut_member(object, "n", &value));
	assert_span(value, "{}");
	assert_false(json_cut_member(object, "b", &value));
	assert_false(json_cut_member(span_str("[\"a\",1]"), "a", &value));
	assert_false(json_cut_member(span_str(""), "a", &value));
	assert_int_equal(json_cut_inside(span_str("1")).n, 0);
	assert_span(json_cut_trim(span_str(" \t\r\n1 2\n ")), "1 2");
	assert_int_equal(json_cut_trim(span_str("  ")).n, 0);
}

static void compact(void **state)
{
	static const char in[] = " { \"a b\" :\t[ 1 ,\r\n \"\\\" \" ] , \"c\": { } } ";
	uint8_t out[sizeof(in)];

	(void)state;
	assert_span(span_of(out, json_cut_compact(out, span_str(in))),
		    "{\"a b\":[1,\"\\\" \"],\"c\":{}}");
}

static void strings(void **state)
{
	static const struct {
		struct span quoted;
		bool good;
		struct span text;
	} rows[] = {
		{ S("\"\""), true, S("") },
		{ S("\"a\""), true, S("a") },
		{ S("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), true, S("\"\\/\b\f\n\r\t") },
		{ S("\"\\u0041\\u007f\\u0080\\u00e4\\u07FF\""), true,
		  S("A\x7F\xC2\x80\xC3\xA4\xDF\xBF") },
		{ S("\"\\u0800\\u20ac\\uD7FF\\ue000\\uFFFF\""), true,
		  S("\xE0\xA0\x80\xE2\x82\xAC\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF") },
		{ S("\"x\\ud83d\\uDE00y\""), true, S("x\xF0\x9F\x98\x80y") },
		{ S("\"\\ud800\\udc00\\udbff\\udfff\""), true,
		  S("\xF0\x90\x80\x80\xF4\x8F\xBF\xBF") },
		{ S("\"a\\u0000b\""), true, S("a\0b") },
		{ S("\"\xC3\xA4\""), true, S("\xC3\xA4") },
		{ S("\"0123456789abcdef\\n0123456789abcdef\""), true,
		  S("0123456789abcdef\n0123456789abcdef") },
		{ S("\"\\ud83d\""), false, S("") },
		{ S("\"\\ud83d\\n\""), false, S("") },
		{ S("\"\\ud83d\\ud83d\""), false, S("") },
		{ S("\"\\ud83dxxxxxx\""), false, S("") },
		{ S("\"\\ude00\""), false, S("") },
		{ S("\"\\udfff\""), false, S("") },
		{ S("\"\\ud83dxude00\""), false, S("") },
		{ S("\"\\ud83d\\xde00\""), false, S("") },
		{ S("\"\\ude00\\ud83d\""), false, S("") },
		{ S("\"\\u12\""), false, S("") },
		{ S("\"\\u12G4\""), false, S("") },
		{ S("\"\\x\""), false, S("") },
		{ S("\"\\\""), false, S("") },
		{ S("\"\\\xFF\""), false, S("") },
		{ S("\"a\"b\""), false, S("") },
		{ S("\"a\nb\""), false, S("") },
		{ S("\""), false, S("") },
		{ S(""), false, S("") },
		{ S("a"), false, S("") },
		{ S("12"), false, S("") },
		{ S("\"a"), false, S("") },
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		struct span quoted = guard_place(&guard, rows[i].quoted);
		uint8_t out[64];
		size_t n = 99, counted = 99;

		assert_int_equal(json_cut_unquote(out, &n, quoted), rows[i].good);
		assert_int_equal(json_cut_unquote(NULL, &counted, quoted), rows[i].good);
		assert_int_equal(counted, n);
		if (rows[i].good)
			assert_true(span_equal(span_of(out, n), rows[i].text));
		else
			assert_int_equal(n, 99);
	}
}

static void the_same_text(void **state)
{
	static const struct {
		const char *quoted, *text;
		bool same;
	} rows[] = {
		{ "\"\"", "", true },
		{ "\"type\"", "type", true },
		{ "\"ty\\u0070e\"", "type", true },
		{ "\"\\u00e4\\/\"", "\xC3\xA4/", true },
		{ "\"type\"", "typ", false },
		{ "\"type\"", "types", false },
		{ "\"typ\\u0065\"", "typ", false },
		{ "\"type\\u0000\"", "type", false },
		{ "\"tyPe\"", "type", false },
		{ "\"type\\ud800\"", "type", false },
		{ "type", "type", false },
		{ "1", "1", false },
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++)
		assert_int_equal(json_cut_string_is(span_str(rows[i].quoted), rows[i].text),
				 rows[i].same);
}

static void quoting(void **state)
{
	static const struct {
		struct span text;
		const char *quoted;
	} rows[] = {
		{ S(""), "\"\"" },
		{ S("plain"), "\"plain\"" },
		{ S("\"\\/"), "\"\\\"\\\\/\"" },
		{ S("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\"" },
		{ S("\0\x01\x1F\x7F"), "\"\\u0000\\u0001\\u001f\x7F\"" },
		{ S("\xC3\xA4\xE2\x80\xA8"), "\"\xC3\xA4\xE2\x80\xA8\"" },
		{ S("0123456789\n0123456789abcdef\"x"), "\"0123456789\\n0123456789abcdef\\\"x\"" },
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		struct span text = guard_place(&guard, rows[i].text);
		uint8_t out[64];
		size_t n = json_cut_quote(out, text);

		assert_span(span_of(out, n), rows[i].quoted);
		assert_int_equal(json_cut_quoted_size(text), n);
		assert_int_equal(json_cut_escaped_size(text), n - 2);
		assert_int_equal(json_cut_escape(out, text), n - 2);
		assert_memory_equal(out, rows[i].quoted + 1, n - 2);
	}
}

static uint32_t seed;

static uint32_t pick(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

static void quoted_texts_come_back(void **state)
{
	static const struct span parts[] = {
		S("\n"), S("\\"), S("\""), S("\0"), S("x"), S("\x1F"), S("\xC3\xA4"), S("12345678"),
	};

	(void)state;
	seed = 3;
	for (int i = 0; i < 20000; i++) {
		uint8_t text[128], quoted[1024], back[1024];
		size_t n = 0, size, n_back = 0;

		while (n < 100 && pick(10) > 0) {
			struct span part = parts[pick(N(parts))];

			memcpy(text + n, part.p, part.n);
			n += part.n;
		}
		size = json_cut_quote(quoted, span_of(text, n));
		assert_true(json_cut_valid(span_of(quoted, size), 0));
		assert_int_equal(json_cut_value(span_of(quoted, size)), size);
		assert_true(json_cut_unquote(back, &n_back, span_of(quoted, size)));
		assert_true(span_equal(span_of(back, n_back), span_of(text, n)));
	}
}

/* Nothing reads outside of a text that is no JSON, and cutting it comes to an end. */
static void any_bytes(void **state)
{
	static const char bytes[] = "{}[]\",:\\u0aEe+-.tn \xC3\xA4\xFF\n\x01";

	(void)state;
	seed = 4;
	for (int i = 0; i < 30000; i++) {
		uint8_t raw[32], out[64];
		size_t n = pick(sizeof(raw)), found, steps = 0;
		struct span text, rest, value, key;

		for (size_t j = 0; j < n; j++)
			raw[j] = (uint8_t)bytes[pick(sizeof(bytes))];
		text = guard_place(&guard, span_of(raw, n));
		assert_true(json_cut_value(text) <= n);
		assert_true(json_cut_compact(out, text) <= n);
		assert_true(!json_cut_unquote(out, &found, text) || found < n);
		json_cut_too_deep(text, 2);
		json_cut_member(text, "a", &value);
		for (rest = text; json_cut_next_member(&rest, &key, &value);)
			assert_true(++steps <= n);
		if (!json_cut_valid(text, 10))
			continue;
		assert_true(utf8_valid(text));
		text = json_cut_trim(text);
		assert_int_equal(json_cut_value(text), text.n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_and_what_is_not),
		cmocka_unit_test(every_byte_at_every_place),
		cmocka_unit_test(as_deep_as_allowed),
		cmocka_unit_test(each_bracket_is_closed_by_its_own_kind),
		cmocka_unit_test(values),
		cmocka_unit_test(lists_and_members),
		cmocka_unit_test(compact),
		cmocka_unit_test(strings),
		cmocka_unit_test(the_same_text),
		cmocka_unit_test(quoting),
		cmocka_unit_test(quoted_texts_come_back),
		cmocka_unit_test(any_bytes),
	};

	return cmocka_run_group_tests_name("json_cut", tests, set_up, tear_down);
}
