/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Base64 at every level of vector code against the definition, bit by bit; and
 * what is not Base64, wherever in a long text the wrong letter stands.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/vec_int.h"
#include "support/guard.h"
#include "support/levels.h"

enum { LONGEST = 240, CODED = BASE64_ENCODED_SIZE(LONGEST) };

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

struct bench {
	struct guard plain, coded; /* input and output end at a page that nobody may touch */
};

/* RFC 4648, 4: the bits six by six. */
static size_t encode(char *out, struct span in)
{
	size_t n = 0;

	for (size_t bit = 0; bit < in.n * 8; bit += 6) {
		unsigned six = 0;

		for (size_t i = bit; i < bit + 6; i++)
			six = six << 1 | (i < in.n * 8 && in.p[i / 8] & 0x80u >> i % 8);
		out[n++] = alphabet[six];
	}
	while (n % 4 != 0)
		out[n++] = '=';
	return n;
}

static uint8_t *writable(struct guard *g, size_t n)
{
	uint8_t blank[CODED];
	struct span s;

	memset(blank, '#', sizeof(blank));
	s = guard_place(g, span_of(blank, n));
	return g->map + (s.p - g->map);
}

static void check_both_ways(struct bench *b, struct span plain)
{
	char want[CODED];
	size_t size = encode(want, plain), n;
	char *coded = (char *)writable(&b->coded, size);
	uint8_t *copy, *back;

	assert_int_equal(size, BASE64_ENCODED_SIZE(plain.n));
	base64_encode(coded, guard_place(&b->plain, plain));
	assert_memory_equal(coded, want, size);
	back = writable(&b->plain, BASE64_DECODED_MAX(size));
	assert_true(base64_decode(back, &n, span_of(coded, size)));
	assert_int_equal(n, plain.n);
	assert_memory_equal(back, plain.p, n);

	copy = levels_copy(plain);
	back = levels_copy(span_of(coded, size));
	base64_encode((char *)back, span_of(copy, plain.n));
	assert_memory_equal(back, want, size);
	free(copy);
	copy = levels_copy(span_of(want, BASE64_DECODED_MAX(size)));
	assert_true(base64_decode(copy, &n, span_of(back, size)));
	assert_true(span_equal(span_of(copy, n), plain));
	free(copy);
	free(back);
}

static void every_length(void *arg)
{
	uint8_t plain[LONGEST];
	uint32_t random = 5;

	for (int round = 0; round < 6; round++)
		for (size_t n = 0; n <= LONGEST; n++) {
			for (size_t i = 0; i < n; i++)
				plain[i] = (uint8_t)levels_random(&random);
			check_both_ways(arg, span_of(plain, n));
		}
}

/* All groups of three bytes whose numbers are equal or neighbours: each letter at each place. */
static void every_letter(void *arg)
{
	char text[64];
	uint8_t plain[48];
	size_t n;

	(void)arg;
	for (size_t shift = 0; shift < 64; shift++) {
		char again[64];

		for (size_t i = 0; i < sizeof(text); i++)
			text[i] = alphabet[(i + shift) % 64];
		assert_true(base64_decode(plain, &n, span_of(text, sizeof(text))));
		assert_int_equal(n, sizeof(plain));
		assert_int_equal(encode(again, span_of(plain, n)), sizeof(text));
		assert_memory_equal(again, text, sizeof(text));
	}
}

static void run_with_guards(void (*run)(void *arg))
{
	struct bench b;

	guard_init(&b.plain, CODED);
	guard_init(&b.coded, CODED);
	levels_each(run, &b);
	guard_deinit(&b.plain);
	guard_deinit(&b.coded);
}

static void every_length_both_ways(void **state)
{
	(void)state;
	run_with_guards(every_length);
}

static void every_letter_at_every_place(void **state)
{
	(void)state;
	levels_each(every_letter, NULL);
}

/* Only the alphabet is good, at any place of any vector; '=' only at the end. */
static void every_byte_at_every_place(void *arg)
{
	uint8_t out[BASE64_DECODED_MAX(132)];
	char text[132];
	size_t n;

	(void)arg;
	for (size_t place = 0; place < sizeof(text); place++)
		for (unsigned byte = 0; byte < 256; byte++) {
			bool letter = byte != 0 && strchr(alphabet, (int)byte);
			bool padding = byte == '=' && place == sizeof(text) - 1;

			memset(text, 'A', sizeof(text));
			text[place] = (char)byte;
			assert_int_equal(base64_decode(out, &n, span_of(text, sizeof(text))),
					 letter || padding);
		}
}

static void refuses_every_other_byte_at_every_place(void **state)
{
	(void)state;
	levels_each(every_byte_at_every_place, NULL);
}

static void every_alignment(void *arg)
{
	uint8_t plain[LONGEST], back[LONGEST + 64];
	char want[CODED], coded[CODED + 64];
	size_t n;

	(void)arg;
	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = (uint8_t)(i * 167 + 13);
	for (size_t start = 0; start < 64; start++) {
		struct span in = span_of(plain + start, 150);

		encode(want, in);
		base64_encode(coded + start, in);
		assert_memory_equal(coded + start, want, 200);
		assert_true(base64_decode(back + start, &n, span_of(coded + start, 200)));
		assert_true(span_equal(span_of(back + start, n), in));
	}
}

static void works_at_every_alignment(void **state)
{
	(void)state;
	levels_each(every_alignment, NULL);
}

typedef size_t run_fn(uint8_t *out, const uint8_t *p, size_t n);

static const struct kernel {
	enum cpu_level level;
	run_fn *encode, *decode;
} kernels[] = {
#if defined(__x86_64__)
	{ CPU_SSSE3, base64_encode_ssse3, base64_decode_ssse3 },
	{ CPU_AVX2, base64_encode_avx2, base64_decode_avx2 },
#elif defined(__aarch64__)
	{ CPU_NEON, base64_encode_neon, base64_decode_neon },
#endif
	{ CPU_LEVELS, NULL, NULL },
};

/* The twin would make up for what is left, and be slow. */
static void little_is_left(void **state)
{
	uint8_t plain[LONGEST], coded[CODED];

	(void)state;
	memset(plain, 'p', sizeof(plain));
	memset(coded, 'c', sizeof(coded));
	for (const struct kernel *k = kernels; k->encode; k++)
		for (size_t n = VEC_LEAST; cpu_has(k->level) && n <= LONGEST; n++) {
			size_t done = k->encode(coded, plain, n);

			assert_true(done <= n && done % 3 == 0 && done + 48 > n);
			done = k->decode(plain, coded, n / 4 * 4);
			assert_true(done <= n && done % 4 == 0 && done + 64 > n / 4 * 4);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_length_both_ways),
		cmocka_unit_test(every_letter_at_every_place),
		cmocka_unit_test(refuses_every_other_byte_at_every_place),
		cmocka_unit_test(works_at_every_alignment),
		cmocka_unit_test(little_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
