/* SPDX-License-Identifier: Apache-2.0 */
/* The table of commands is whole: every row has its help, and its own examples are understood. */
#include "cli/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/call.h"
#include "cli/cli_test.h"
#include "cli/help.h"

#define each_command(c)                     \
	const struct command *c = commands; \
	c->name;                            \
	c++

static void assert_lines_fit(const char *text, const char *where)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		if (n > 79)
			fail_msg("%s: longer than 79 columns: %.*s", where, (int)n, text);
		text += n + (text[n] == '\n');
	}
}

static void test_rows(void **state)
{
	(void)state;
	for (each_command(c)) {
		assert_true(c->summary && *c->summary && c->details && *c->details);
		assert_true(c->words && c->min_words <= c->max_words);
		assert_true(strlen(c->summary) <= 60);
		/* One call needs all three, a function of its own none of them. */
		assert_true(c->run ? !c->request && !c->print :
				     c->method && c->request && c->print);
		assert_true(command_find(c->name) == c);
		for (const struct command *d = c + 1; d->name; d++)
			assert_string_not_equal(c->name, d->name);
	}
}

static void assert_switches(const struct cli_switch *table, const char *where)
{
	for (const struct cli_switch *s = table; s && s->name; s++) {
		if (!s->help || !*s->help || (s->takes == TAKES_NOTHING) != (s->value == NULL))
			fail_msg("%s --%s: incomplete", where, s->name);
		for (const struct cli_switch *t = s + 1; t->name; t++)
			if (strcmp(s->name, t->name) == 0 || (s->letter && s->letter == t->letter))
				fail_msg("%s --%s: comes twice", where, s->name);
	}
}

static void assert_not_in(const struct cli_switch *s, const struct cli_switch *table,
			  const char *where)
{
	for (; table->name; table++)
		if (strcmp(s->name, table->name) == 0 || (s->letter && s->letter == table->letter))
			fail_msg("%s --%s hides --%s", where, s->name, table->name);
}

static void test_switches(void **state)
{
	(void)state;
	assert_switches(global_switches, "global");
	for (each_command(c)) {
		assert_switches(c->switches, c->name);
		for (const struct cli_switch *s = c->switches; s && s->name; s++)
			assert_not_in(s, command_common(c), c->name);
	}
}

/* As cli.c reads them: global switches, the command, the rest. */
static void parse_example(const struct command *c, const char *example)
{
	static const struct arg_tables globals = { NULL, global_switches, false };
	const struct arg_tables tables = { c->switches, command_common(c), true };
	struct error err = ERROR_INIT;
	struct words w;
	struct args before, a;
	int at;

	mem_auto_str line = mem_printf("wsbridge %s", example);

	words_init(&w, line);
	if (!args_parse(&before, w.argc, w.argv, &globals, &err))
		fail_msg("%s: %s", example, err.text);
	assert_true(before.n_words > 0);
	assert_string_equal(before.words[0], c->name);
	at = w.argc - (int)before.n_words;
	if (!args_parse(&a, w.argc - at, w.argv + at, &tables, &err))
		fail_msg("%s: %s", example, err.text);
	assert_in_range(a.n_words, c->min_words, c->max_words);
	args_deinit(&a);
	args_deinit(&before);
	words_deinit(&w);
}

static void test_examples(void **state)
{
	(void)state;
	for (each_command(c)) {
		for (size_t i = 0; i < 2; i++) {
			assert_non_null(c->examples[i]);
			parse_example(c, c->examples[i]);
		}
		assert_string_not_equal(c->examples[0], c->examples[1]);
	}
}

static char *help_of(const struct command *c)
{
	char *text = NULL;
	size_t n = 0;
	struct printer p = { .out = open_memstream(&text, &n) };

	if (c)
		help_command(&p, c);
	else
		help_all(&p);
	fclose(p.out);
	return text;
}

static void test_help(void **state)
{
	mem_auto_str all = help_of(NULL);

	(void)state;
	assert_lines_fit(all, "--help");
	for (each_command(c)) {
		mem_auto_str one = help_of(c);
		mem_auto_str line = mem_printf("  %-10s  %s\n", c->name, c->summary);
		mem_auto_str usage = mem_printf("Usage: wsbridge %s", c->name);

		assert_non_null(strstr(all, line));
		assert_true(strncmp(one, usage, strlen(usage)) == 0);
		assert_non_null(strstr(one, c->details));
		for (const struct cli_switch *s = c->switches; s && s->name; s++)
			assert_non_null(strstr(one, s->help));
	}
}

static void test_nearest(void **state)
{
	static const struct {
		const char *typed, *meant;
	} cases[] = { { "stauts", "status" }, { "opne", "open" },  { "sned", "send" },
		      { "relaod", "reload" }, { "chek", "check" }, { "reconect", "reconnect" },
		      { "frobnicate", NULL }, { "", NULL } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *near = command_nearest(cases[i].typed);

		if (cases[i].meant)
			assert_string_equal(near, cases[i].meant);
		else
			assert_null(near);
	}
	assert_null(command_find("stat"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),	 cmocka_unit_test(test_switches),
		cmocka_unit_test(test_examples), cmocka_unit_test(test_help),
		cmocka_unit_test(test_nearest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
