/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines: what is understood, and the sentence about what is not. */
#include "cli/args.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/cli_test.h"

static const struct cli_switch own[] = {
	{ 'c', "code", TAKES_VALUE, "N", "" },
	{ 'v', "verbose", TAKES_NOTHING, NULL, "" },
	{ 0, "wait", TAKES_OPTIONAL, "T", "" },
	{ 0, "wander", TAKES_NOTHING, NULL, "" },
	{ .name = NULL },
};
static const struct cli_switch common[] = {
	{ 's', "socket", TAKES_VALUE, "SOCKET", "" },
	{ 'v', "version", TAKES_NOTHING, NULL, "" }, /* its letter is taken */
	{ .name = NULL },
};

/* "code=5,wait;word,word" */
static void describe(const struct args *a, char *out, size_t size)
{
	FILE *f = fmemopen(out, size, "w");

	for (size_t i = 0; i < a->n_given; i++)
		fprintf(f, "%s%s%s%s", i ? "," : "", a->given[i].what->name,
			a->given[i].value ? "=" : "", a->given[i].value ? a->given[i].value : "");
	fputc(';', f);
	for (size_t i = 0; i < a->n_words; i++)
		fprintf(f, "%s%s", i ? "," : "", a->words[i]);
	fclose(f);
}

static const struct {
	const char *line, *expected; /* description, or the sentence */
	bool good;
} lines[] = {
	{ "x", ";", true },
	{ "x a b", ";a,b", true },
	{ "x -", ";-", true },
	{ "x --code 5", "code=5;", true },
	{ "x --code=5 a", "code=5;a", true },
	{ "x -c5 a", "code=5;a", true },
	{ "x a -c 5 b", "code=5;a,b", true },
	{ "x a -- -c 5", ";a,-c,5", true },
	{ "x --cod 5", "code=5;", true },
	{ "x -vvv", "verbose,verbose,verbose;", true },
	{ "x -vs y", "verbose,socket=y;", true },
	{ "x --wait", "wait;", true },
	{ "x --wait=2s a", "wait=2s;a", true },
	{ "x --wait 2s", "wait;2s", true },
	{ "x --version --socket y", "version,socket=y;", true },
	{ "x --cdoe 5", "unknown switch --cdoe; did you mean --code?", false },
	{ "x --wiat=5", "unknown switch --wiat; did you mean --wait?", false },
	{ "x --unlikely", "unknown switch --unlikely", false },
	{ "x --wa", "--wa is short for more than one switch", false },
	{ "x -q", "unknown switch -q (before a word that begins with - put --)", false },
	{ "x -vq", "unknown switch -q (before a word that begins with - put --)", false },
	{ "x --code", "--code needs a value (N)", false },
	{ "x -c", "--code needs a value (N)", false },
	{ "x --verbose=5", "--verbose takes no value", false },
	{ "x --\x1b[1m", "unknown switch --\\x1b[1m", false },
};

static void test_lines(void **state)
{
	static const struct arg_tables tables = { own, common, true };

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		struct error err = ERROR_INIT;
		struct words w;
		struct args a;
		char out[256];
		bool good;

		words_init(&w, lines[i].line);
		good = args_parse(&a, w.argc, w.argv, &tables, &err);
		describe(&a, out, sizeof(out));
		if (good != lines[i].good || strcmp(good ? out : err.text, lines[i].expected) != 0)
			fail_msg("%s: %s", lines[i].line, good ? out : err.text);
		args_deinit(&a);
		words_deinit(&w);
	}
}

/* What stands behind the first word belongs to the command. */
static void test_first_word_ends(void **state)
{
	static const struct arg_tables tables = { NULL, common, false };
	struct error err = ERROR_INIT;
	struct words w;
	struct args a;
	char out[256];

	(void)state;
	words_init(&w, "x --socket y status --json -s z");
	assert_true(args_parse(&a, w.argc, w.argv, &tables, &err));
	describe(&a, out, sizeof(out));
	assert_string_equal(out, "socket=y;status,--json,-s,z");
	args_deinit(&a);
	words_deinit(&w);
}

static void test_last_value_counts(void **state)
{
	static const struct arg_tables tables = { own, NULL, true };
	struct error err = ERROR_INIT;
	struct words w;
	struct args a;

	(void)state;
	words_init(&w, "x --code 1 --code 2 --wait");
	assert_true(args_parse(&a, w.argc, w.argv, &tables, &err));
	assert_string_equal(args_value(&a, "code"), "2");
	assert_true(args_has(&a, "wait"));
	assert_null(args_value(&a, "wait"));
	assert_false(args_has(&a, "verbose"));
	args_deinit(&a);
	words_deinit(&w);
}

static void test_numbers(void **state)
{
	static const char *const bad[] = { "",	  "-1",	  "+1",
					   " 1",  "1 ",	  "1x",
					   "0x1", "5001", "99999999999999999999" };
	long n = 7;

	(void)state;
	assert_true(args_number("0", 0, 5000, &n));
	assert_int_equal(n, 0);
	assert_true(args_number("5000", 0, 5000, &n));
	assert_int_equal(n, 5000);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(args_number(bad[i], 0, 5000, &n));
	assert_int_equal(n, 5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_first_word_ends),
		cmocka_unit_test(test_last_value_counts),
		cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
