/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Places in commented JSON texts, and texts that end anywhere: every cut of a
 * good text is refused with a place inside it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "conf/json_text.h"

#define COUNT(rows) (sizeof(rows) / sizeof(*(rows)))

static const char sample[] =
	"{ // \"a\n"
	"\t\"a\": {\"b.c\": [1, {\"d\": \"\\u00e9\\\"\"}], /* } */ \"e\": true},\n"
	"\"\xc3\xa9\": null, \"a\": {\"f\" :-1.5e3}, \"\\u0061b\": []\n"
	"}\n// end";

static struct json_text text_of(const char *s, size_t n)
{
	struct json_text t = { mem_alloc(n), n };

	memcpy(t.bytes, s, n);
	return t;
}

static const struct {
	const char *path, *matched, *key, *value; /* the text from there on begins so */
} finds[] = {
	{ "", "", "{", "{" },
	{ "a", "a", "\"a\": {\"f\"", "{\"f\"" },
	{ "a.f", "a.f", "\"f\" :", "-1.5e3" },
	{ "a.f.g", "a.f", "\"f\" :", "-1.5e3" },
	{ "a.x", "a", "\"a\": {\"f\"", "{\"f\"" },
	{ "ab", "ab", "\"\\u0061b\"", "[]" },
	{ "ab[0]", "ab", "\"\\u0061b\"", "[]" },
	{ "x", "", "{", "{" },
	{ "[\"\xc3\xa9\"]", "[\"\xc3\xa9\"]", "\"\xc3\xa9\"", "null" },
};

static void test_find(void **state)
{
	struct json_text t = text_of(sample, strlen(sample));
	struct json_fault fault;
	json_t *root = json_text_parse(&t, &fault);

	(void)state;
	assert_non_null(root);
	for (size_t i = 0; i < COUNT(finds); i++) {
		struct json_spot spot;

		assert_int_equal(json_text_find(&t, finds[i].path, &spot),
				 strlen(finds[i].matched));
		assert_memory_equal(t.bytes + spot.key, finds[i].key, strlen(finds[i].key));
		assert_memory_equal(t.bytes + spot.value, finds[i].value, strlen(finds[i].value));
	}
	json_decref(root);
	json_text_deinit(&t);
	json_text_deinit(&t);
}

static void test_find_in_lists(void **state)
{
	static const char text[] = "{\"l\": [0, [1, {\"k\": 2}], \"]\", {\"b.c\": [3]}]}";
	static const struct {
		const char *path;
		size_t matched;
		char value;
	} rows[] = {
		{ "l[0]", 4, '0' },	 { "l[1]", 4, '[' },  { "l[1][0]", 7, '1' },
		{ "l[1][1].k", 9, '2' }, { "l[2]", 4, '"' },  { "l[3][\"b.c\"][0]", 14, '3' },
		{ "l[4]", 1, '[' },	 { "l[10]", 1, '[' }, { "l[3].b.c", 4, '{' },
	};
	struct json_text t = text_of(text, strlen(text));
	struct json_fault fault;
	json_t *root = json_text_parse(&t, &fault);

	(void)state;
	assert_non_null(root);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct json_spot spot;

		assert_int_equal(json_text_find(&t, rows[i].path, &spot), rows[i].matched);
		assert_int_equal(t.bytes[spot.value], rows[i].value);
	}
	json_decref(root);
	json_text_deinit(&t);
}

static void test_place(void **state)
{
	static const struct {
		size_t at, line, column;
	} rows[] = { { 0, 1, 1 }, { 7, 1, 8 }, { 8, 2, 1 }, { 9, 2, 2 }, { 1000, 5, 7 } };
	struct json_text t = text_of(sample, strlen(sample));
	size_t accent = (size_t)(strstr(sample, "\"\xc3") - sample);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct json_place place = json_text_place(&t, rows[i].at);

		assert_int_equal(place.line, rows[i].line);
		assert_int_equal(place.column, rows[i].column);
	}
	/* A quote, one character of two bytes, a quote. */
	assert_int_equal(json_text_place(&t, accent).column, 1);
	assert_int_equal(json_text_place(&t, accent + 3).column, 3);
	json_text_deinit(&t);
}

struct duplicates {
	size_t n;
	char paths[4][32];
	size_t at[4], first[4];
};

static void on_duplicate(void *arg, const char *path, size_t at, size_t first)
{
	struct duplicates *d = arg;

	assert_true(d->n < 4 && strlen(path) < 32);
	memcpy(d->paths[d->n], path, strlen(path) + 1);
	d->at[d->n] = at;
	d->first[d->n++] = first;
}

static void test_duplicates(void **state)
{
	static const char text[] = "{\"a\":{\"b\":1,\"\\u0062\":2},\"c\":[{\"d\":1,\"d\":{\"e\":0}}"
				   ",{\"d\":1}],\"a\":3,\"A\":1}";
	struct json_text t = text_of(text, strlen(text));
	struct duplicates d = { 0 };
	struct json_fault fault;
	json_t *root = json_text_parse(&t, &fault);

	(void)state;
	json_text_duplicates(&t, on_duplicate, &d);
	assert_int_equal(d.n, 3);
	assert_string_equal(d.paths[0], "a.b");
	assert_string_equal(d.paths[1], "c[0].d");
	assert_string_equal(d.paths[2], "a");
	assert_memory_equal(text + d.at[0], "\"\\u0062\"", 8);
	assert_memory_equal(text + d.first[0], "\"b\"", 3);
	assert_int_equal(d.first[2], 1);
	json_decref(root);
	json_text_deinit(&t);
}

/* Long keys that only differ behind what a path shows of them are two keys. */
static void test_long_keys(void **state)
{
	char text[512];
	struct json_text t;
	struct duplicates d = { 0 };
	struct json_fault fault;
	json_t *root;

	(void)state;
	memset(text, 'k', sizeof(text));
	memcpy(text, "{\"", 2);
	memcpy(text + 200, "1\":0,\"", 6);
	memcpy(text + 404, "2\":0}", 5);
	t = text_of(text, 409);
	root = json_text_parse(&t, &fault);
	assert_non_null(root);
	json_text_duplicates(&t, on_duplicate, &d);
	assert_int_equal(d.n, 0);
	json_decref(root);
	json_text_deinit(&t);
}

static void test_every_cut(void **state)
{
	size_t end = (size_t)(strstr(sample, "}\n//") - sample) + 1;

	(void)state;
	for (size_t n = 0; n <= strlen(sample); n++) {
		struct json_text t = text_of(sample, n);
		struct json_fault fault = { SIZE_MAX, "" };
		json_t *root = json_text_parse(&t, &fault);
		/* Behind the end only a lone slash is wrong. */
		bool good = n >= end && n != end + 2;

		if ((root != NULL) != good || (!root && (fault.at > n || !*fault.sentence)))
			fail_msg("cut at %zu: %zu %s", n, fault.at, fault.sentence);
		json_decref(root);
		json_text_deinit(&t);
	}
}

static void test_depth(void **state)
{
	char text[80] = { 0 };

	(void)state;
	for (size_t depth = 31; depth <= 33; depth++) {
		struct json_fault fault = { 0 };
		struct json_text t;
		json_t *root;

		memset(text, '[', depth);
		memset(text + depth, ']', depth);
		t = text_of(text, 2 * depth);
		root = json_text_parse(&t, &fault);
		assert_true((root != NULL) == (depth <= 32));
		if (!root)
			assert_string_equal(fault.sentence, "nested deeper than 32 levels");
		json_decref(root);
		json_text_deinit(&t);
	}
}

static void test_quotes(void **state)
{
	static const char text[] = "{'a': 1}";
	struct json_text t = text_of(text, strlen(text));
	struct json_fault fault;

	(void)state;
	assert_null(json_text_parse(&t, &fault));
	assert_string_equal(fault.sentence,
			    "expected a key in double quotes, found a single quote");
	assert_int_equal(fault.at, 1);
	json_text_deinit(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),	  cmocka_unit_test(test_find_in_lists),
		cmocka_unit_test(test_place),	  cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_long_keys), cmocka_unit_test(test_every_cut),
		cmocka_unit_test(test_depth),	  cmocka_unit_test(test_quotes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
