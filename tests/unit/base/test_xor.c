/* SPDX-License-Identifier: Apache-2.0 */
/* Copying with XOR at every level, against the definition; in place, too. */
#include "base/xor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/guard.h"
#include "support/levels.h"

enum { LONGEST = 420 };

static const uint8_t key[4] = { 0x37, 0xFA, 0x21, 0x3D };

struct bench {
	struct guard from, to;
	uint8_t plain[LONGEST], want[4][LONGEST]; /* by the place in the key */
};

static void bench_init(struct bench *b)
{
	uint32_t random = 9;

	for (size_t i = 0; i < LONGEST; i++) {
		b->plain[i] = (uint8_t)levels_random(&random);
		for (size_t at = 0; at < 4; at++)
			b->want[at][i] = b->plain[i] ^ key[(at + i) % 4];
	}
	guard_init(&b->from, LONGEST);
	guard_init(&b->to, LONGEST);
}

static void check(struct bench *b, size_t n, uint64_t at)
{
	struct span in = guard_place(&b->from, span_of(b->plain, n));
	struct span place = guard_place(&b->to, span_of(b->plain, n));
	uint8_t *out = b->to.map + (place.p - b->to.map), *own = levels_copy(in);

	xor_copy(out, in, key, at);
	assert_memory_equal(out, b->want[at % 4], n);
	xor_copy(own, span_of(own, n), key, at);
	assert_memory_equal(own, b->want[at % 4], n);
	free(own);
}

static void every_length(void *arg)
{
	for (size_t n = 0; n <= LONGEST; n++)
		for (uint64_t at = 0; at < 5; at++)
			check(arg, n, at + (n % 7 == 0 ? UINT64_MAX - 7 : 0));
}

static void every_alignment(void *arg)
{
	struct bench *b = arg;
	uint8_t in[LONGEST], out[LONGEST];

	for (size_t from = 0; from < 33; from++)
		for (size_t to = 0; to < 33; to++) {
			size_t n = 250 + (from * 33 + to) % 97;

			memcpy(in + from, b->plain, n);
			memset(out, 0xEE, sizeof(out));
			xor_copy(out + to, span_of(in + from, n), key, 1);
			assert_memory_equal(out + to, b->want[1], n);
			assert_int_equal(out[to + n], 0xEE);
			assert_true(to == 0 || out[to - 1] == 0xEE);
		}
}

static void run_with(void (*run)(void *arg))
{
	struct bench b;

	bench_init(&b);
	levels_each(run, &b);
	guard_deinit(&b.from);
	guard_deinit(&b.to);
}

static void every_length_from_every_place(void **state)
{
	(void)state;
	run_with(every_length);
}

static void works_at_every_alignment(void **state)
{
	(void)state;
	run_with(every_alignment);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_length_from_every_place),
		cmocka_unit_test(works_at_every_alignment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
