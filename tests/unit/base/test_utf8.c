/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UTF-8: every sequence of up to three bytes against the definition, and
 * tables with the place of the first impossible byte, cut in every way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "support/chunks.h"

enum { VALID = -1, UNFINISHED = -2 };

struct row {
	const char *text;
	int fails_at; /* index of the first impossible byte, or VALID, or UNFINISHED */
};

static void run(struct chunks *c, void *arg)
{
	const struct row *row = arg;
	struct utf8 u = { 0 };
	struct span piece;
	bool ok = true;

	while (ok && chunks_next(c, &piece))
		ok = utf8_feed(&u, piece);
	assert_int_equal(ok, row->fails_at < 0);
	/* The piece with the impossible byte fails, not a later one. */
	if (!ok)
		assert_true(c->at > (size_t)row->fails_at &&
			    c->at - piece.n <= (size_t)row->fails_at);
	else
		assert_int_equal(utf8_complete(&u), row->fails_at == VALID);
	assert_int_equal(utf8_valid(span_str(row->text)), row->fails_at == VALID);
}

static const struct row rows[] = {
	{ "", VALID },
	{ "Hello", VALID },
	{ "Hello-\u00B5@\u00DF\u00F6\u00E4\u00FC\u00E0\u00E1-UTF-8!!", VALID },
	{ "\u03BA\u1F79\u03C3\u03BC\u03B5", VALID },
	{ "\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5\xED\xA0\x80\x65\x64", 12 },
	{ "\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5\xF4\x90\x80\x80\x65", 12 },
	/* the least and the greatest of each length */
	{ "\x01", VALID },
	{ "\x7F", VALID },
	{ "\xC2\x80", VALID },
	{ "\xDF\xBF", VALID },
	{ "\xE0\xA0\x80", VALID },
	{ "\xEF\xBF\xBF", VALID },
	{ "\xED\x9F\xBF", VALID },
	{ "\xEE\x80\x80", VALID },
	{ "\xF0\x90\x80\x80", VALID },
	{ "\xF4\x8F\xBF\xBF", VALID },
	/* one beyond, each way */
	{ "\xF4\x90\x80\x80", 1 },
	{ "\xED\xA0\x80", 1 },
	{ "\xED\xBF\xBF", 1 },
	{ "\xC0\x80", 0 },
	{ "\xC1\xBF", 0 },
	{ "\xE0\x80\x80", 1 },
	{ "\xE0\x9F\xBF", 1 },
	{ "\xF0\x80\x80\x80", 1 },
	{ "\xF0\x8F\xBF\xBF", 1 },
	{ "\xF5\x80\x80\x80", 0 },
	{ "\xF8\x88\x80\x80\x80", 0 },
	{ "\xFC\x84\x80\x80\x80\x80", 0 },
	{ "\xFE", 0 },
	{ "\xFF", 0 },
	/* continuation bytes alone */
	{ "\x80", 0 },
	{ "\xBF", 0 },
	{ "a\x80", 1 },
	{ "\xC2\x80\x80", 2 },
	{ "\xF0\x90\x80\x80\x80", 4 },
	/* unfinished */
	{ "\xC2", UNFINISHED },
	{ "\xE1", UNFINISHED },
	{ "\xE1\x80", UNFINISHED },
	{ "\xF1", UNFINISHED },
	{ "\xF1\x80", UNFINISHED },
	{ "\xF1\x80\x80", UNFINISHED },
	{ "long enough for words \xF1\x80\x80", UNFINISHED },
	/* cut short by something else */
	{ "\xC2 ", 1 },
	{ "\xE1\x80 ", 2 },
	{ "\xF1\x80\x80 ", 3 },
	{ "\xF1\x80\x80\xC0", 3 },
	{ "\xE1\xE1\x80\x80", 1 },
	{ "\xE1\x80\x80\xE1\x80\xE1\x80", 5 },
	/* around the steps of eight and sixteen */
	{ "1234567\xFF", 7 },
	{ "12345678\xFF", 8 },
	{ "123456789012345\xFF", 15 },
	{ "1234567890123456\xFF", 16 },
	{ "12345678901234567\xFF", 17 },
	{ "123456789012345678901234\x80", 24 },
	{ "12345678\u20AC12345678\u20AC1234567890123456\U0001F600", VALID },
	{ "\u20AC\u20AC\u20AC\u20AC\u20AC\u20AC\xE2\x82\xAC\xE2\x82", UNFINISHED },
};

static void tables_in_every_split(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct row row = rows[i];

		chunks_each(span_str(row.text), run, &row);
	}
}

/* The same rows behind 0...17 letters: every alignment of the fast path. */
static void tables_behind_ascii(void **state)
{
	char text[128];
	struct guard g;

	(void)state;
	guard_init(&g, sizeof(text));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t pad = 0; pad < 18; pad++) {
			size_t n = strlen(rows[i].text);

			memset(text, 'x', pad);
			memcpy(text + pad, rows[i].text, n);
			assert_int_equal(utf8_valid(guard_place(&g, span_of(text, pad + n))),
					 rows[i].fails_at == VALID);
		}
	}
	guard_deinit(&g);
}

/* RFC 3629, 3, by decoding: how the definition reads, not how the code does. */
static bool reference_valid(const uint8_t *p, size_t n)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };

	while (n > 0) {
		size_t len = p[0] < 0x80     ? 1 :
			     p[0] >> 5 == 6  ? 2 :
			     p[0] >> 4 == 14 ? 3 :
			     p[0] >> 3 == 30 ? 4 :
					       0;
		uint32_t c = len == 1 ? p[0] : p[0] & (0x7Fu >> len);

		if (len == 0 || len > n)
			return false;
		for (size_t i = 1; i < len; i++) {
			if (p[i] >> 6 != 2)
				return false;
			c = c << 6 | (p[i] & 0x3F);
		}
		if (c < least[len] || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000))
			return false;
		p += len;
		n -= len;
	}
	return true;
}

static void every_three_bytes(void **state)
{
	static const uint8_t fourth[] = { 0x00, 0x7F, 0x80, 0xBF, 0xC0, 0xFF };
	uint8_t p[4];

	(void)state;
	for (uint32_t v = 0; v < 1u << 24; v++) {
		p[0] = (uint8_t)(v >> 16);
		p[1] = (uint8_t)(v >> 8);
		p[2] = (uint8_t)v;
		if (utf8_valid(span_of(p, 3)) != reference_valid(p, 3))
			fail_msg("%06x", (unsigned)v);
		if (p[0] < 0xC0)
			continue;
		for (size_t i = 0; i < sizeof(fourth); i++) {
			p[3] = fourth[i];
			if (utf8_valid(span_of(p, 4)) != reference_valid(p, 4))
				fail_msg("%06x %02x", (unsigned)v, p[3]);
		}
	}
}

static void impossible_bytes_fail_at_once(void **state)
{
	(void)state;
	for (unsigned lead = 0x80; lead < 0x100; lead++) {
		for (unsigned next = 0; next < 0x100; next++) {
			const uint8_t p[] = { (uint8_t)lead, (uint8_t)next, 0x80, 0x80 };
			bool may_begin = reference_valid(p, 2) || reference_valid(p, 3) ||
					 reference_valid(p, 4);
			struct utf8 u = { 0 };

			/* No character goes on like this: the second byte must be refused. */
			if (!may_begin)
				assert_false(utf8_feed(&u, span_of(p, 2)));
		}
	}
}

static void length_of_a_character(void **state)
{
	static const struct {
		const char *text;
		size_t n;
	} lens[] = {
		{ "", 0 },	     { "a", 1 },
		{ "abc", 1 },	     { "\u00E9x", 2 },
		{ "\u20AC\x80", 3 }, { "\U0001F600", 4 },
		{ "\x80", 0 },	     { "\xE2\x82", 0 },
		{ "\xE2\x82x", 0 },  { "\xF4\x90\x80\x80", 0 },
		{ "\xFF", 0 },
	};
	struct guard g;

	(void)state;
	guard_init(&g, 16);
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++)
		assert_int_equal(utf8_char_len(guard_place(&g, span_str(lens[i].text))), lens[i].n);
	assert_int_equal(utf8_char_len(span_of("", 1)), 1); /* NUL is a character */
	guard_deinit(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_in_every_split),
		cmocka_unit_test(tables_behind_ascii),
		cmocka_unit_test(every_three_bytes),
		cmocka_unit_test(impossible_bytes_fail_at_once),
		cmocka_unit_test(length_of_a_character),
	};

	return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
