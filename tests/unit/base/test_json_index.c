/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is JSON is JSON at every level of vector code: each text is judged by the portable walk,
 * whose verdicts test_json_cut.c proves, and then by the blocks. Whatever a rule must know of the
 * block before it stands at each place of a block here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_cut.h"
#include "json_texts.h"
#include "support/guard.h"
#include "support/levels.h"

enum { LONGEST = 4096, BLOCK = 64, DEPTH = 600 };

static struct guard guard;
static uint32_t state = 1;

/* Bytes of the text that is being made. */
static uint8_t text[LONGEST];
static size_t size;

static int set_up(void **unused)
{
	(void)unused;
	guard_init(&guard, LONGEST);
	return 0;
}

static int tear_down(void **unused)
{
	(void)unused;
	guard_deinit(&guard);
	return 0;
}

static uint32_t pick(uint32_t n)
{
	return levels_random(&state) % n;
}

static void put(struct span s)
{
	assert_true(s.n <= LONGEST - size);
	memcpy(text + size, s.p, s.n);
	size += s.n;
}

static void put_str(const char *s)
{
	put(span_str(s));
}

static void put_many(char byte, size_t n)
{
	assert_true(n <= LONGEST - size);
	memset(text + size, byte, n);
	size += n;
}

/* At the end of memory, by the walk and by each level; returns the verdict of all of them. */
static bool judge_span(struct span s, unsigned depth)
{
	struct span placed = guard_place(&guard, s);
	bool want;

	assert_true(cpu_limit("portable"));
	want = json_cut_valid(placed, depth);
	for (unsigned i = CPU_PORTABLE + 1; i < CPU_LEVELS; i++) {
		if (!cpu_has((enum cpu_level)i))
			continue;
		cpu_limit(cpu_level_name((enum cpu_level)i));
		if (json_cut_valid(placed, depth) != want)
			fail_msg("%s says %d: %.*s", cpu_level_name(cpu_level()), !want, (int)s.n,
				 (const char *)s.p);
	}
	cpu_limit(NULL);
	return want;
}

static bool judge(unsigned depth)
{
	return judge_span(span_of(text, size), depth);
}

/* A text in a list, behind `before` spaces; long enough for blocks. */
static bool judge_inside(struct span s, size_t before)
{
	size = 0;
	put_str("[");
	put_many(' ', before);
	put(s);
	put_many(' ', BLOCK);
	put_str("]");
	return judge(DEPTH);
}

static void known_texts_at_every_place(void **unused)
{
	(void)unused;
	for (size_t before = 0; before < BLOCK; before++) {
		for (size_t i = 0; i < N(whole); i++)
			assert_true(judge_inside(whole[i], before));
		for (size_t i = 0; i < N(good); i++)
			assert_true(judge_inside(good[i], before));
		/* Some are elements of a list, or none at all. */
		for (size_t i = 0; i < N(bad); i++)
			judge_inside(bad[i], before);
	}
}

/* The same before and behind other values, and as a member. */
static void known_texts_among_others(void **unused)
{
	static const struct {
		const char *front, *back;
	} rows[] = {
		{ "{\"name\":", ",\"and\":[1.5e3,true,\"\"]}" },
		{ "[{\"a\":1},", ",{}]" },
		{ "[\"", "\"]" },
		{ "[[],", "]" },
		{ "{", ":1}" },
		{ "[1", ",2]" },
		{ "{\"a\":{\"b\":", "}}" },
		{ "{\"a\" ", "}" },
	};

	(void)unused;
	for (size_t before = 0; before < BLOCK; before += 7) {
		for (size_t i = 0; i < N(rows) * (N(whole) + N(bad)); i++) {
			size_t which = i / N(rows);

			size = 0;
			put_str("[[");
			put_many('0', 1);
			put_many('\n', before);
			put_str("],");
			put_str(rows[i % N(rows)].front);
			put(which < N(whole) ? whole[which] : bad[which - N(whole)]);
			put_str(rows[i % N(rows)].back);
			put_many(' ', BLOCK);
			put_str("]");
			judge(DEPTH);
		}
	}
}

static void every_byte_at_every_place(void **unused)
{
	static const char *const fronts[] = {
		"[\"", "[", "[1", "[1.", "{\"a\"", "[-", "[0", "[\"\\"
	};
	static const char *const backs[] = { "\"]", "]", "]", "]", ":1}", "1]", "]", "\"]" };

	(void)unused;
	for (size_t i = 0; i < N(fronts); i++)
		for (size_t before = 0; before < BLOCK; before += 3)
			for (unsigned byte = 0; byte < 256; byte++) {
				size = 0;
				put_str("[\"");
				put_many('x', before);
				put_str("\",");
				put_str(fronts[i]);
				put_many((char)byte, 1);
				put_str(backs[i]);
				put_many(' ', BLOCK);
				put_str("]");
				judge(DEPTH);
			}
}

/* An odd number of backslashes escapes what follows, wherever blocks begin. */
static void runs_of_backslashes(void **unused)
{
	(void)unused;
	for (size_t before = 0; before < BLOCK; before++) {
		for (size_t n = 0; n < 140; n++) {
			size = 0;
			put_str("[\"");
			put_many('x', before);
			put_many('\\', n);
			put_str("\",\"z\\\\\"");
			put_many(' ', BLOCK);
			put_str("]");
			assert_int_equal(judge(DEPTH), n % 2 == 0);
			size = 0;
			put_str("[\"");
			put_many('x', before);
			put_many('\\', n);
			put_str("u00e4\"");
			put_many(' ', BLOCK);
			put_str("]");
			assert_true(judge(DEPTH));
		}
	}
}

/* Strings that end in later blocks, some of them passed over. */
static void long_strings(void **unused)
{
	static const char *const faults[] = { "", "\n", "\\x", "\xC3", "\xC3\xA4", "\"", "\x7F" };

	(void)unused;
	for (size_t n = 0; n < 5 * BLOCK; n++)
		for (size_t i = 0; i < N(faults); i++) {
			bool is_good = i == 0 || i == 4 || i == 6;

			size = 0;
			put_str("{\"a\":\"");
			put_many('x', n);
			put_str(faults[i]);
			put_many('x', 3 * BLOCK - n / 2);
			put_str("\"}");
			assert_int_equal(judge(DEPTH), is_good);
			assert_false(judge_span(span_of(text, size - 2), DEPTH));
		}
}

/* Around the words that kinds of brackets are kept in, and around the limit. */
static void depths(void **unused)
{
	static const unsigned limits[] = { 0, 1, 62, 63, 64, 65, 125, 126, 127, 189, 512, 1024 };

	(void)unused;
	for (size_t i = 0; i < N(limits); i++)
		for (unsigned depth = 1; depth <= 1026; depth += depth < 200 ? 1 : 13) {
			size = 0;
			for (unsigned d = 0; d < depth; d++)
				put_str("[");
			for (unsigned d = 0; d < depth; d++)
				put_str("]");
			put_many(' ', BLOCK);
			assert_int_equal(judge(limits[i]), depth <= limits[i]);
		}
}

/* What was deep may be deep again, and not deeper. */
static void down_and_up_again(void **unused)
{
	(void)unused;
	for (unsigned most = 60; most < 132; most += 3)
		for (unsigned up = 1; up < 2 * most - 2; up += 5) {
			unsigned again = up % 2, left = most - up / 2;

			size = 0;
			put_many('[', most);
			put_many(']', left - 1);
			put_str(",");
			put_many('[', left - 1 + again);
			put_many(']', most + again);
			put_many(' ', BLOCK);
			assert_int_equal(judge(most), again == 0);
		}
}

static bool is_list(unsigned d)
{
	return d % 3 != 0 && d % 7 != 0;
}

/* Down and up again over the border of a word, with one bracket of the wrong kind. */
static void each_bracket_is_closed_by_its_own_kind(void **unused)
{
	(void)unused;
	for (unsigned depth = 60; depth < 132; depth++)
		for (unsigned wrong = 0; wrong <= depth; wrong++) {
			size = 0;
			for (unsigned d = 0; d < depth; d++)
				put_str(is_list(d) ? "[" : "{\"k\":");
			put_str("[{},[]]");
			for (unsigned d = depth; d-- > 0;)
				put_str(is_list(d) == (d != wrong) ? "]" : "}");
			assert_int_equal(judge(DEPTH), wrong == depth);
		}
}

static bool is_one_line(void)
{
	struct span placed = guard_place(&guard, span_of(text, size));
	bool one_line = size % 2 == 0;

	assert_true(json_cut_valid_line(placed, DEPTH, &one_line));
	return one_line;
}

static void break_each_space(void)
{
	for (size_t at = 0; at < size; at++) {
		if (text[at] != ' ')
			continue;
		text[at] = at % 2 ? '\n' : '\r';
		assert_false(is_one_line());
		text[at] = ' ';
	}
}

static void breaks_at_every_place(void *unused)
{
	(void)unused;
	size = 0;
	put_str("[");
	put_many(' ', 3 * BLOCK);
	put_str("]");
	assert_int_equal(is_one_line(), cpu_level() != CPU_PORTABLE);
	for (size_t before = 0; before < 3; before++)
		for (size_t n = 0; n < 3 * BLOCK; n++) {
			size = 0;
			put_many(' ', before);
			put_str("[\"a\\n\",1.5,{}");
			put_many(' ', n);
			put_str("]");
			put_many(' ', 3 * BLOCK - n);
			break_each_space();
		}
}

static void line_breaks_are_never_missed(void **unused)
{
	(void)unused;
	levels_each(breaks_at_every_place, NULL);
}

static void put_white(uint32_t often)
{
	static const char *const kinds[] = { " ", "\t", "\r", "\n", "  ", "\n\t\t\t", "        " };

	while (pick(100) < often)
		put_str(kinds[pick(N(kinds))]);
}

static void put_string(void)
{
	static const char *const parts[] = { "\\\"", "\\\\",	    "\\u00aF", "\u00E4", "[{]},:",
					     "word", "\\\\\\\\\\n", "/",       "\u20AC", "1.5" };

	put_str("\"");
	for (uint32_t n = pick(6); n > 0; n--)
		if (pick(8) == 0)
			put_many('x', pick(150));
		else
			put_str(parts[pick(N(parts))]);
	put_str("\"");
}

static void put_plain(void)
{
	static const char *const all[] = {
		"0",	"-0",	"1.5",	 "-12.25e+10", "1E5",
		"true", "null", "false", "0.1e-3",     "12345678901234"
	};

	put_str(all[pick(N(all))]);
}

static void put_value(unsigned depth, uint32_t often)
{
	uint32_t kind = size > LONGEST / 2 ? 0 : pick(depth > 0 ? 10 : 6), n = pick(4);

	put_white(often);
	if (kind < 3) {
		put_plain();
	} else if (kind < 6) {
		put_string();
	} else {
		put_str(kind < 8 ? "[" : "{");
		put_white(often);
		for (uint32_t i = 0; i < n; i++) {
			put_str(i > 0 ? "," : "");
			put_white(often);
			if (kind >= 8) {
				put_string();
				put_white(often);
				put_str(":");
			}
			put_value(depth - 1, often);
		}
		put_str(kind < 8 ? "]" : "}");
	}
	put_white(often);
}

static void put_random_text(void)
{
	uint32_t often = 20 * pick(3);

	size = 0;
	put_str("[");
	put_value(pick(8), often);
	for (uint32_t n = pick(3); n > 0; n--) {
		put_str(",");
		put_value(pick(4), often);
	}
	put_str("]");
	put_many(pick(2) ? ' ' : '\n', size < BLOCK ? BLOCK - size : 0);
}

/* One byte or two that may make it bad. */
static void spoil(void)
{
	static const char bytes[] = "{}[],:\"\\ \n0-.eE+tn1\x01\xC3";

	for (uint32_t n = 1 + pick(2); n > 0; n--)
		text[pick((uint32_t)size)] =
			(uint8_t)(pick(4) ? (uint32_t)bytes[pick(sizeof(bytes))] : pick(256));
}

static void random_texts(void **unused)
{
	(void)unused;
	for (int i = 0; i < 4000; i++) {
		uint8_t kept[LONGEST];

		put_random_text();
		memcpy(kept, text, size);
		assert_true(judge(DEPTH));
		for (int j = 0; j < 8; j++) {
			spoil();
			judge(pick(3) ? DEPTH : pick(6));
			memcpy(text, kept, size);
		}
		judge_span(span_of(text, pick((uint32_t)size)), DEPTH);
	}
}

static void cut_short_at_every_byte(void **unused)
{
	(void)unused;
	for (int i = 0; i < 60; i++) {
		size_t end;

		put_random_text();
		for (end = size; text[end - 1] != ']'; end--)
			;
		for (size_t n = 0; n < end; n++)
			assert_false(judge_span(span_of(text, n), DEPTH));
		for (size_t n = 0; n < 3 * BLOCK && size < LONGEST - 1; n++) {
			assert_true(judge(DEPTH));
			put_many(' ', 1);
		}
		put_many(",]x\""[pick(4)], 1);
		assert_false(judge(DEPTH));
	}
}

/* Mostly brackets, commas and colons, in any order. */
static void tokens_in_any_order(void **unused)
{
	static const char *const tokens[] = { "[", "]",	 "{",	 "}",	 ",", ":", "\"a\"", "1",
					      " ", "-2", "null", "\"\"", "0", "e", "[]",    "{}" };

	(void)unused;
	for (int i = 0; i < 40000; i++) {
		size = 0;
		put_str(pick(2) ? "{" : "[");
		put_many(' ', pick(BLOCK));
		for (uint32_t n = 1 + pick(6); n > 0; n--)
			put_str(tokens[pick(N(tokens))]);
		put_str(text[0] == '{' ? "}" : "]");
		put_many(' ', BLOCK);
		judge(DEPTH);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_texts_at_every_place),
		cmocka_unit_test(known_texts_among_others),
		cmocka_unit_test(every_byte_at_every_place),
		cmocka_unit_test(runs_of_backslashes),
		cmocka_unit_test(long_strings),
		cmocka_unit_test(depths),
		cmocka_unit_test(down_and_up_again),
		cmocka_unit_test(each_bracket_is_closed_by_its_own_kind),
		cmocka_unit_test(line_breaks_are_never_missed),
		cmocka_unit_test(random_texts),
		cmocka_unit_test(cut_short_at_every_byte),
		cmocka_unit_test(tokens_in_any_order),
	};

	return cmocka_run_group_tests_name("json_index", tests, set_up, tear_down);
}
