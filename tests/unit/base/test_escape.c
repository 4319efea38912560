/* SPDX-License-Identifier: Apache-2.0 */
/* Text made safe for people's eyes, and where it is cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/escape.h"
#include "base/utf8.h"
#include "support/guard.h"

static void what_becomes_of_what(void **state)
{
	static const struct {
		const char *in, *text, *control;
	} rows[] = {
		{ "", "", "" },
		{ "plain 'text' \"quoted\"", "plain 'text' \"quoted\"", "plain 'text' \"quoted\"" },
		{ "a\nb\r\tc", "a\\x0ab\\x0d\\x09c", "a\\x0ab\\x0d\\x09c" },
		{ "\x1B[31mred", "\\x1b[31mred", "\\x1b[31mred" },
		{ "\x7F", "\\x7f", "\\x7f" },
		{ "a\\b", "a\\\\b", "a\\b" },
		{ "\\x1b", "\\\\x1b", "\\x1b" },
		{ "gr\u00FC\u00DFe \u20AC \U0001F600", "gr\u00FC\u00DFe \u20AC \U0001F600",
		  "gr\u00FC\u00DFe \u20AC \U0001F600" },
		{ "\xC2\x9B"
		  "31m",
		  "\\xc2\\x9b31m", "\\xc2\\x9b31m" },
		{ "\xC2\x80\xC2\x9F\xC2\xA0", "\\xc2\\x80\\xc2\\x9f\u00A0",
		  "\\xc2\\x80\\xc2\\x9f\u00A0" },
		{ "\xFF\xFE", "\\xff\\xfe", "\\xff\\xfe" },
		{ "\xE2\x82", "\\xe2\\x82", "\\xe2\\x82" },
		{ "\xE2\x82z", "\\xe2\\x82z", "\\xe2\\x82z" },
		{ "\xED\xA0\x80", "\\xed\\xa0\\x80", "\\xed\\xa0\\x80" },
		{ "a\u2028b\u202Ec", "a\\xe2\\x80\\xa8b\\xe2\\x80\\xaec",
		  "a\\xe2\\x80\\xa8b\\xe2\\x80\\xaec" },
		{ "\u2066\u2069", "\\xe2\\x81\\xa6\\xe2\\x81\\xa9",
		  "\\xe2\\x81\\xa6\\xe2\\x81\\xa9" },
		{ "\u2027\u202F\u2065\u206A", "\u2027\u202F\u2065\u206A",
		  "\u2027\u202F\u2065\u206A" },
	};
	char out[128];
	struct guard g;

	(void)state;
	guard_init(&g, 64);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct span s = guard_place(&g, span_str(rows[i].in));

		assert_ptr_equal(escape_text(out, sizeof(out), s), out);
		assert_string_equal(out, rows[i].text);
		assert_string_equal(escape_control(out, sizeof(out), s), rows[i].control);
	}
	assert_string_equal(escape_text(out, sizeof(out), span_of("a\0b", 3)), "a\\x00b");
	guard_deinit(&g);
}

static void too_long_ends_in_dots(void **state)
{
	static const struct {
		const char *in;
		size_t size;
		const char *out;
	} rows[] = {
		{ "1234567", 8, "1234567" },
		{ "12345678", 8, "1234..." },
		{ "123\n", 8, "123\\x0a" },
		{ "1234\n", 8, "1234..." },
		{ "\n\n", 8, "\\x0a..." },
		{ "1\n2\n", 8, "1..." },
		{ "\xFF\xFF\xFF", 12, "\\xff\\xff..." },
		{ "12\u20AC\u20AC", 8, "12..." },
		{ "1\u20AC\u20AC", 8, "1\u20AC\u20AC" },
		{ "1\u20AC\u20AC.", 8, "1\u20AC..." },
		{ "\u202E", 8, "..." },
		{ "123\\\\\\", 8, "123..." },
		{ "12\\\\\\", 8, "12\\\\..." },
	};
	char out[16];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(out, '#', sizeof(out));
		escape_text(out, rows[i].size, span_str(rows[i].in));
		assert_string_equal(out, rows[i].out);
		assert_int_equal(out[rows[i].size], '#');
	}
}

/* Whatever comes in: what goes out is clean, fits, and is whole or ends in dots. */
static void every_byte_at_every_size(void **state)
{
	char out[64];
	uint8_t in[12];

	(void)state;
	for (int c = 0; c < 256; c++) {
		for (size_t size = 8; size < sizeof(out); size++) {
			size_t n;

			memset(in, 'a', sizeof(in));
			in[3] = in[4] = in[8] = (uint8_t)c;
			n = strlen(escape_text(out, size, span_of(in, sizeof(in))));
			assert_true(n < size);
			assert_true(utf8_valid(span_of(out, n)));
			for (size_t i = 0; i < n; i++)
				assert_true((uint8_t)out[i] >= 0x20 && out[i] != 0x7F);
			assert_true(strcmp(out + n - 3, "aaa") == 0 ||
				    strcmp(out + n - 3, "...") == 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_becomes_of_what),
		cmocka_unit_test(too_long_ends_in_dots),
		cmocka_unit_test(every_byte_at_every_size),
	};

	return cmocka_run_group_tests_name("escape", tests, NULL, NULL);
}
