/* SPDX-License-Identifier: Apache-2.0 */
#include "ws/mask.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/guard.h"

enum { LONGEST = 300 };

static const uint8_t key[4] = { 0x37, 0xFA, 0x21, 0x3D };

static void fill(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(i * 167 + 13);
}

static void check_masked(const uint8_t *got, const uint8_t *plain, size_t n, uint64_t at)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(got[i], plain[i] ^ key[(at + i) % 4]);
}

/* RFC 6455, 5.7 */
static void masks_the_example_of_the_standard(void **state)
{
	uint8_t out[5];

	(void)state;
	mask_copy(out, span_str("Hello"), key, 0);
	assert_memory_equal(out, "\x7F\x9F\x4D\x51\x58", 5);
}

/* Input and output both end at an unreadable page. */
static void masks_every_length_from_every_place(void **state)
{
	struct guard from, to;
	uint8_t plain[LONGEST];

	(void)state;
	fill(plain, LONGEST);
	guard_init(&from, LONGEST);
	guard_init(&to, LONGEST);
	for (size_t n = 0; n <= LONGEST; n++) {
		for (uint64_t at = 0; at < 5; at++) {
			struct span in = guard_place(&from, span_of(plain, n));
			struct span place = guard_place(&to, span_of(plain, n));
			uint8_t *out = to.map + (place.p - to.map);

			mask_copy(out, in, key, at);
			check_masked(out, plain, n, at);
		}
	}
	guard_deinit(&from);
	guard_deinit(&to);
}

static void masks_at_every_alignment(void **state)
{
	uint8_t plain[LONGEST], in[LONGEST + 16], out[LONGEST + 17];

	(void)state;
	fill(plain, LONGEST);
	for (size_t a = 0; a < 16; a++) {
		for (size_t b = 0; b < 16; b++) {
			memcpy(in + a, plain, LONGEST);
			memset(out, 0xEE, sizeof(out));
			mask_copy(out + b, span_of(in + a, LONGEST), key, 0);
			check_masked(out + b, plain, LONGEST, 0);
			assert_int_equal(out[b + LONGEST], 0xEE);
			assert_true(b == 0 || out[b - 1] == 0xEE);
		}
	}
}

static void unmasks_in_place_and_in_pieces(void **state)
{
	uint8_t plain[LONGEST], bytes[LONGEST];

	(void)state;
	fill(plain, LONGEST);
	for (size_t cut = 0; cut <= LONGEST; cut++) {
		mask_copy(bytes, span_of(plain, LONGEST), key, 0);
		mask_copy(bytes, span_of(bytes, cut), key, 0);
		mask_copy(bytes + cut, span_of(bytes + cut, LONGEST - cut), key, cut);
		assert_memory_equal(bytes, plain, LONGEST);
	}
}

static void key_zero_changes_nothing(void **state)
{
	static const uint8_t zero[4];
	uint8_t plain[LONGEST], out[LONGEST];

	(void)state;
	fill(plain, LONGEST);
	mask_copy(out, span_of(plain, LONGEST), zero, 0);
	assert_memory_equal(out, plain, LONGEST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(masks_the_example_of_the_standard),
		cmocka_unit_test(masks_every_length_from_every_place),
		cmocka_unit_test(masks_at_every_alignment),
		cmocka_unit_test(unmasks_in_place_and_in_pieces),
		cmocka_unit_test(key_zero_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
