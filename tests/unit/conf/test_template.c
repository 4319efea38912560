/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates: how they are taken apart.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "conf/conf_template.h"

#define COUNT(rows) (sizeof(rows) / sizeof(*(rows)))

#define NAME16 "abcdefghijklmnop"
#define NAME64 NAME16 NAME16 NAME16 NAME16

/* Pieces as text: <NAME>, and ! for a bad one; text stands as it is, pieces apart by |. */
static const struct {
	const char *text, *pieces;
	bool is_template;
} rows[] = {
	{ "", "", false },
	{ "a", "a|", false },
	{ "$", "$|", false },
	{ "$$", "$$|", false },
	{ "a $5 {b}", "a $5 {b}|", false },
	{ "${a}", "<a>|", true },
	{ "x${a}y", "x|<a>|y|", true },
	{ "${a}${b_9}", "<a>|<b_9>|", true },
	{ "$${a}", "${|a}|", true },
	{ "$$${a}", "$|${|a}|", true },
	{ "$$$${a}", "$$|${|a}|", true },
	{ "$${$${${c}", "${|${|<c>|", true },
	{ "${$${a}", "!|", true },
	{ "a${", "a|!|", true },
	{ "${}", "!|", true },
	{ "${a", "!|", true },
	{ "${a b}", "!|", true },
	{ "${a-b}", "!|", true },
	{ "${ a}", "!|", true },
	{ "${\xc3\xa9}", "!|", true },
	{ "${" NAME64 "}", "<" NAME64 ">|", true },
	{ "${" NAME64 "x}", "!|", true },
	{ "{\"a\":\"${b}\"}", "{\"a\":\"|<b>|\"}|", true },
};

static void take_apart(struct span text, char *out, size_t size)
{
	static const char *const before[] = { [PIECE_TEXT] = "", [PIECE_NAME] = "<" };
	static const char *const behind[] = { [PIECE_TEXT] = "|", [PIECE_NAME] = ">|" };
	enum conf_piece kind;
	struct span piece;
	size_t n = 0;

	out[0] = '\0';
	while ((kind = conf_template_next(&text, &piece)) != PIECE_END) {
		if (kind == PIECE_BAD) {
			snprintf(out + n, size - n, "!|");
			return;
		}
		n += (size_t)snprintf(out + n, size - n, "%s%.*s%s", before[kind], (int)piece.n,
				      (const char *)piece.p, behind[kind]);
		assert_true(n < size);
	}
}

static void test_pieces(void **state)
{
	char out[200];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		take_apart(span_str(rows[i].text), out, sizeof(out));
		if (strcmp(out, rows[i].pieces) != 0)
			fail_msg("%s: %s, not %s", rows[i].text, out, rows[i].pieces);
		assert_true(conf_is_template(span_str(rows[i].text)) == rows[i].is_template);
	}
}

/* A NUL is a character like another, and none of a name. */
static void test_nul(void **state)
{
	struct span rest = span_of("${a\0}", 5), piece;

	(void)state;
	assert_int_equal(conf_template_next(&rest, &piece), PIECE_BAD);
	rest = span_of("\0${a}", 5);
	assert_int_equal(conf_template_next(&rest, &piece), PIECE_TEXT);
	assert_int_equal(piece.n, 1);
	assert_int_equal(conf_template_next(&rest, &piece), PIECE_NAME);
}

static void test_names(void **state)
{
	(void)state;
	assert_true(conf_name_valid("a"));
	assert_true(conf_name_valid("_A9"));
	assert_true(conf_name_valid(NAME64));
	assert_false(conf_name_valid(NAME64 "x"));
	assert_false(conf_name_valid(""));
	assert_false(conf_name_valid("a-b"));
	assert_false(conf_name_valid("a}"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
