/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Matches and JSON Pointers: the examples of RFC 6901, values by their bytes,
 * and messages that are no JSON.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "conf/conf_match.h"
#include "conf/schema.h"
#include "config_file.h"

#define COUNT(rows) (sizeof(rows) / sizeof(*(rows)))

/* RFC 6901, 5. */
static const char example[] =
	"{ \"foo\": [\"bar\", \"baz\"], \"\": 0, \"a/b\": 1, \"c%d\": 2, \"e^f\": 3, \"g|h\": 4, "
	"\"i\\\\j\": 5, \"k\\\"l\": 6, \" \": 7, \"m~n\": 8 }";

static const struct {
	const char *json, *pointer, *value; /* NULL: there is none */
} pointers[] = {
	{ example, "", example },
	{ example, "/foo", "[\"bar\", \"baz\"]" },
	{ example, "/foo/0", "\"bar\"" },
	{ example, "/foo/1", "\"baz\"" },
	{ example, "/", "0" },
	{ example, "/a~1b", "1" },
	{ example, "/c%d", "2" },
	{ example, "/e^f", "3" },
	{ example, "/g|h", "4" },
	{ example, "/i\\j", "5" },
	{ example, "/k\"l", "6" },
	{ example, "/ ", "7" },
	{ example, "/m~0n", "8" },
	{ example, "/foo/2", NULL },
	{ example, "/foo/-", NULL },
	{ example, "/foo/00", NULL },
	{ example, "/foo/01", NULL },
	{ example, "/foo/+0", NULL },
	{ example, "/foo/", NULL },
	{ example, "/foo/18446744073709551616", NULL },
	{ example, "/foo/0/x", NULL },
	{ example, "/fo", NULL },
	{ example, "//", NULL },
	{ "{\"~1\": 1, \"/\": 2}", "/~01", "1" },
	{ "  [ 1 , [ ] , {} ]  ", "/1", "[ ]" },
	{ "  5  ", "", "5" },
	{ "{\"a\":1,\"a\":2}", "/a", "2" },
	{ "{\"a\":{\"x\":1},\"a\":{}}", "/a/x", NULL },
	{ "{\"\\u0061\":0.10}", "/a", "0.10" },
	{ "{\"\\u00e9\":1}", "/\xc3\xa9", "1" },
	{ "[[[[1]]]]", "/0/0/0/0", "1" },
	{ "{\"0\":1}", "/0", "1" },
	{ "", "", NULL },
	{ "{\"a\":1", "/a", NULL },
	{ "{\"a\":1}x", "/a", NULL },
	{ "{\"a\":01}", "/a", NULL },
	{ "hello", "", NULL },
};

static void test_pointers(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(pointers); i++) {
		struct span found = { 0 };
		bool is = conf_pointer_find(span_str(pointers[i].json), pointers[i].pointer,
					    &found);

		if (is != (pointers[i].value != NULL) ||
		    (is && !span_equal(found, span_str(pointers[i].value))))
			fail_msg("%s at %s: %.*s", pointers[i].json, pointers[i].pointer,
				 (int)found.n, (const char *)found.p);
	}
}

static void test_long_pointer(void **state)
{
	char pointer[3000], json[3010];
	struct span found;

	(void)state;
	memset(pointer, 'x', sizeof(pointer));
	pointer[0] = '/';
	pointer[sizeof(pointer) - 1] = '\0';
	snprintf(json, sizeof(json), "{\"%s\":1}", pointer + 1);
	assert_false(conf_pointer_find(span_str(json), pointer, &found));
	pointer[1000] = '\0';
	snprintf(json, sizeof(json), "{\"%s\":1}", pointer + 1);
	assert_true(conf_pointer_find(span_str(json), pointer, &found));
}

/* m: as in the configuration, single quotes for double ones; likewise the payload. */
static const struct {
	const char *m, *payload;
	bool is;
} rows[] = {
	{ "{'pointer': '/id'}", "{'id': null}", true },
	{ "{'pointer': '/id'}", "{'ID': null}", false },
	{ "{'pointer': '/id'}", "id", false },
	{ "{'pointer': ''}", "[]", true },
	{ "{'pointer': ''}", "", false },
	{ "{'pointer': '/id', 'equals': 1}", "{'id': 1}", true },
	{ "{'pointer': '/id', 'equals': 1}", "{'id': 1.0}", true },
	{ "{'pointer': '/id', 'equals': 1}", "{'id': 100e-2}", true },
	{ "{'pointer': '/id', 'equals': 1}", "{'id': 0.1E+1}", true },
	{ "{'pointer': '/id', 'equals': 1}", "{'id': -1}", false },
	{ "{'pointer': '/id', 'equals': 1}", "{'id': 10}", false },
	{ "{'pointer': '/id', 'equals': 1}", "{'id': '1'}", false },
	{ "{'pointer': '/id', 'equals': 1}", "{'id': true}", false },
	{ "{'pointer': '/id', 'equals': 1}", "{'id': 1, 'id': 2}", false },
	{ "{'pointer': '/id', 'equals': 2}", "{'id': 1, 'id': 2}", true },
	{ "{'pointer': '/id', 'equals': 0}", "{'id': -0.000e5}", true },
	{ "{'pointer': '/id', 'equals': 0}", "{'id': 0.0001}", false },
	{ "{'pointer': '/id', 'equals': -12.5}", "{'id': -1.250e1}", true },
	{ "{'pointer': '/id', 'equals': 0.1}", "{'id': 0.10}", true },
	{ "{'pointer': '/id', 'equals': 0.1}", "{'id': 0.1000000000000000055}", false },
	{ "{'pointer': '/id', 'equals': 1e2}", "{'id': 100}", true },
	{ "{'pointer': '/id', 'equals': 1e300}", "{'id': 1E300}", true },
	{ "{'pointer': '/id', 'equals': 1e300}", "{'id': 1e99999999999999999999}", false },
	{ "{'pointer': '/id', 'equals': 9007199254740993}", "{'id': 9007199254740993}", true },
	{ "{'pointer': '/id', 'equals': 9007199254740993}", "{'id': 9007199254740992}", false },
	{ "{'pointer': '/id', 'equals': 9007199254740993}", "{'id': 9007199254740993.0}", true },
	{ "{'pointer': '/id', 'equals': 9223372036854775807}", "{'id': 9223372036854775808}",
	  false },
	{ "{'pointer': '/id', 'equals': 1000}", "{'id': 1e3}", true },
	{ "{'pointer': '/id', 'equals': 1200}", "{'id': 12}", false },
	{ "{'pointer': '/s', 'equals': 'a/b'}", "{'s': 'a\\/b'}", true },
	{ "{'pointer': '/s', 'equals': 'a'}", "{'s': '\\u0061'}", true },
	{ "{'pointer': '/s', 'equals': 'a'}", "{'s': 'ab'}", false },
	{ "{'pointer': '/s', 'equals': 'a\\u0000b'}", "{'s': 'a\\u0000b'}", true },
	{ "{'pointer': '/s', 'equals': 'a\\u0000b'}", "{'s': 'a\\u0000c'}", false },
	{ "{'pointer': '/s', 'equals': ''}", "{'s': ''}", true },
	{ "{'pointer': '/s', 'equals': ''}", "{'s': []}", false },
	{ "{'pointer': '/s', 'equals': '\\ud83d\\ude00'}", "{'s': '\xf0\x9f\x98\x80'}", true },
	{ "{'pointer': '/v', 'equals': null}", "{'v': null}", true },
	{ "{'pointer': '/v', 'equals': null}", "{'v': 0}", false },
	{ "{'pointer': '/v', 'equals': true}", "{'v': true}", true },
	{ "{'pointer': '/v', 'equals': false}", "{'v': true}", false },
	{ "{'pointer': '', 'equals': [1, [], {}]}", " [ 1.0 , [ ] , { } ] ", true },
	{ "{'pointer': '', 'equals': [1, []]}", "[1, [], 2]", false },
	{ "{'pointer': '', 'equals': [1, [], 2]}", "[1, []]", false },
	{ "{'pointer': '', 'equals': []}", "{}", false },
	{ "{'pointer': '', 'equals': {}}", "{}", true },
	{ "{'pointer': '', 'equals': {}}", "{'a': 1}", false },
	{ "{'pointer': '', 'equals': {'a': 1, 'b': {'c': [2]}}}", "{'b': {'c': [2]}, '\\u0061': 1}",
	  true },
	{ "{'pointer': '', 'equals': {'a': 1, 'b': 2}}", "{'a': 1}", false },
	{ "{'pointer': '', 'equals': {'a': 1}}", "{'a': 1, 'b': 2}", false },
	{ "{'pointer': '', 'equals': {'a': 2}}", "{'a': 1, 'a': 2}", true },
	{ "{'contains': 'ell'}", "hello", true },
	{ "{'contains': 'hello'}", "hello", true },
	{ "{'contains': 'helloo'}", "hello", false },
	{ "{'contains': 'x'}", "", false },
	{ "{'regex': '^h.*o$'}", "hello", true },
	{ "{'regex': '^(a|b)+$'}", "abab", true },
	{ "{'regex': '^(a|b)+$'}", "abc", false },
	{ "{'regex': 'a{3}'}", "baaab", true },
	{ "{'regex': '^$'}", "", true },
	{ "{'regex': '\\\\.'}", "a.b", true },
	{ "{'regex': '\\\\.'}", "ab", false },
};

/* As long as an expression may be when its repetitions are written out, or longer. */
static const struct {
	const char *regex;
	bool ok;
} regexes[] = {
	{ "a{255}b", true },
	{ "a{256}b", false },
	{ "a{0,256}", true },
	{ "a{1,257}", false },
	{ "a{256,}", true },
	{ "a{257,}", false },
	{ "(ab){128}", true },
	{ "(ab){129}", false },
	{ "((a{4}){8}){8}", true },
	{ "((a{4}){8}){9}", false },
	{ "[ab]{256}", true },
	{ "[]{9][^]{9][[:alpha:]{9]{250}", true },
	{ "[[:alpha:]]{257}", false },
	{ "\\\\{{256}", true },
	{ "\\\\{{257}", false },
	{ "(a|b){85}", true },
	{ "(a|b){86}", false },
	{ "a{99999}{99999}{99999}", false },
	{ "((((((((((((((((((((((((((((((((a))))))))))))))))))))))))))))))))", true },
	{ "(((((((((((((((((((((((((((((((((a)))))))))))))))))))))))))))))))))", false },
	{ "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$", true },
};

static void test_regexes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(regexes); i++) {
		mem_auto_str text = mem_printf("{'regex': '%s'}", regexes[i].regex);
		struct conf_match m = { 0 };
		struct schema_first first;
		json_t *v = config_json(text);

		schema_first_init(&first);
		if (conf_match_read(&m, v, "m", &first.report) != regexes[i].ok)
			fail_msg("%s: %s", text, first.err.text);
		json_decref(v);
		conf_match_deinit(&m);
	}
}

static struct conf_match make(const char *text)
{
	struct conf_match m = { 0 };
	struct schema_first first;
	json_t *v = config_json(text);

	schema_first_init(&first);
	if (!conf_match_read(&m, v, "m", &first.report))
		fail_msg("%s: %s", text, first.err.text);
	json_decref(v);
	return m;
}

static void test_is(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct conf_match m = make(rows[i].m);
		mem_auto_str payload = mem_strdup(rows[i].payload);

		for (char *p = payload; *p; p++)
			if (*p == '\'')
				*p = '"';
		if (conf_match_is(&m, span_str(payload)) != rows[i].is)
			fail_msg("%s on %s", rows[i].m, rows[i].payload);
		conf_match_deinit(&m);
		conf_match_deinit(&m);
		assert_false(conf_match_is(&m, span_str(payload)));
	}
}

/* Payloads are not ended by a NUL and may have one; of long ones a regex sees the beginning. */
static void test_bytes(void **state)
{
	struct conf_match contains = make("{'contains': 'b'}"), regex = make("{'regex': 'b$'}");
	size_t n = CONF_MATCH_MAX + 1;
	char *longest = mem_alloc(n);

	(void)state;
	assert_true(conf_match_is(&contains, span_of("a\0b", 3)));
	assert_false(conf_match_is(&contains, span_of("a\0b", 2)));
	assert_true(conf_match_is(&regex, span_of("a\0bc", 3)));
	assert_false(conf_match_is(&regex, span_of("a\0bc", 4)));
	assert_false(conf_match_is(&regex, span_of(NULL, 0)));
	memset(longest, 'a', n);
	longest[n - 1] = 'b';
	assert_true(conf_match_is(&contains, span_of(longest, n)));
	assert_false(conf_match_is(&regex, span_of(longest, n)));
	longest[n - 2] = 'b';
	assert_true(conf_match_is(&regex, span_of(longest, n)));
	free(longest);
	conf_match_deinit(&contains);
	conf_match_deinit(&regex);
}

static void test_equal(void **state)
{
	static const char *const all[] = {
		"{'pointer': '/a'}",  "{'pointer': '/b'}",  "{'pointer': '/a', 'equals': 1}",
		"{'contains': '/a'}", "{'regex': '/a'}",    "{'pointer': '/a', 'equals': 2}",
		"{'regex': '/b'}",    "{'contains': '/b'}", "{'pointer': '/a', 'equals': null}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++) {
		for (size_t j = 0; j < COUNT(all); j++) {
			struct conf_match a = make(all[i]), b = make(all[j]);

			assert_true(conf_match_equal(&a, &b) == (i == j));
			conf_match_deinit(&a);
			conf_match_deinit(&b);
		}
	}
}

/* What cannot be read leaves the old one as it is. */
static void test_untouched(void **state)
{
	struct conf_match m = make("{'contains': 'x'}");
	struct schema_first first;
	json_t *v = config_json("{'regex': '('}");

	(void)state;
	schema_first_init(&first);
	assert_false(conf_match_read(&m, v, "m", &first.report));
	assert_string_equal(first.err.option, "m.regex");
	assert_true(conf_match_is(&m, span_str("x")));
	json_decref(v);
	conf_match_deinit(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pointers), cmocka_unit_test(test_long_pointer),
		cmocka_unit_test(test_is),	 cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_equal),	 cmocka_unit_test(test_untouched),
		cmocka_unit_test(test_regexes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
