/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 against RFC 4648, section 10, and everything a strict reader refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "support/guard.h"

static void both_ways(void **state)
{
	static const struct {
		const char *plain, *coded;
	} rows[] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
		{ "\xFB\xFF\xBF", "+/+/" },
		{ "the sample nonce", "dGhlIHNhbXBsZSBub25jZQ==" }, /* RFC 6455, 1.3 */
	};
	struct guard g;
	char coded[64];
	uint8_t plain[64];
	size_t n;

	(void)state;
	guard_init(&g, 64);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct span in = span_str(rows[i].plain), want = span_str(rows[i].coded);

		memset(coded, '#', sizeof(coded));
		base64_encode(coded, guard_place(&g, in));
		assert_int_equal(BASE64_ENCODED_SIZE(in.n), want.n);
		assert_memory_equal(coded, want.p, want.n);
		assert_int_equal(coded[want.n], '#');

		memset(plain, '#', sizeof(plain));
		assert_true(base64_decode(plain, &n, guard_place(&g, want)));
		assert_true(span_equal(span_of(plain, n), in));
		assert_true(n <= BASE64_DECODED_MAX(want.n));
		assert_int_equal(plain[BASE64_DECODED_MAX(want.n)], '#');
	}
	guard_deinit(&g);
}

static void every_length_and_byte_round_trips(void **state)
{
	uint8_t plain[256], back[258];
	char coded[BASE64_ENCODED_SIZE(256)];
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = (uint8_t)(i * 167 + 13); /* all 256 values, no order */
	for (size_t len = 0; len <= sizeof(plain); len++) {
		base64_encode(coded, span_of(plain, len));
		assert_true(base64_decode(back, &n, span_of(coded, BASE64_ENCODED_SIZE(len))));
		assert_true(span_equal(span_of(back, n), span_of(plain, len)));
	}
}

static void bad_texts_are_refused(void **state)
{
	static const char *const rows[] = { "Z",	"Zg",
					    "Zg=",	"Zg==Z",
					    "Zg===",	"=",
					    "==",	"===",
					    "====",	"Z===",
					    "Zg=v",	"Zm9v=",
					    "=m9v",	"Zm=v",
					    "Zg==Zg==", "Zm8=Zm9v",
					    "Zm9v\n",	"Zm9v\r\n\r\n",
					    "Zm 9",	"Zm9v    ",
					    "Zm9-",	"Zm9_",
					    "Zm9.",	"Zm9\x80",
					    "Zm9\xFF",	"\xC3\xA4\xC3\xA4",
					    "Zh==",	"Zv==",
					    "Zm9=",	"Zm+=",
					    "Zm9vZh==", "Zm9vYmF=",
					    "Zm9v====" };
	struct guard g;
	uint8_t out[64];
	size_t n;

	(void)state;
	guard_init(&g, 64);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (base64_decode(out, &n, guard_place(&g, span_str(rows[i]))))
			fail_msg("taken: %s", rows[i]);
	}
	assert_false(base64_decode(out, &n, span_of("Zm9\0", 4)));
	guard_deinit(&g);
}

/* A byte is in the alphabet or it is not: all 256, at each of the four places. */
static void alphabet_is_exact(void **state)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t out[3];
	size_t n;

	(void)state;
	for (size_t place = 0; place < 4; place++) {
		for (int c = 0; c < 256; c++) {
			uint8_t in[] = { 'A', 'A', 'A', 'A' };
			bool want = c != 0 && strchr(letters, c);

			in[place] = (uint8_t)c;
			want = want || (place == 3 && c == '='); /* "AAA=" */
			assert_int_equal(base64_decode(out, &n, span_of(in, 4)), want);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ways),
		cmocka_unit_test(every_length_and_byte_round_trips),
		cmocka_unit_test(bad_texts_are_refused),
		cmocka_unit_test(alphabet_is_exact),
	};

	return cmocka_run_group_tests_name("base64", tests, NULL, NULL);
}
