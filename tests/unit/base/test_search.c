/* SPDX-License-Identifier: Apache-2.0 */
/* The search for what a JSON string must escape, at every level, against the definition. */
#include "base/search.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/guard.h"
#include "support/levels.h"

enum { LONGEST = 300 };

/* RFC 8259, 7: unescaped = %x20-21 / %x23-5B / %x5D-10FFFF */
static size_t plain_len(struct span s)
{
	size_t n = 0;

	while (n < s.n && (s.p[n] == 0x20 || s.p[n] == 0x21 || (s.p[n] >= 0x23 && s.p[n] <= 0x5B) ||
			   s.p[n] >= 0x5D))
		n++;
	return n;
}

static void check(struct guard *g, struct span text)
{
	struct span s = guard_place(g, text);
	uint8_t *copy = levels_copy(text);
	size_t want = plain_len(text);

	assert_int_equal(search_json(s.p, s.p + s.n) - s.p, want);
	assert_int_equal(search_json_long(copy, copy + s.n) - copy, want);
	assert_int_equal(search_json_portable(copy, copy + s.n) - copy, want);
	free(copy);
}

static void every_byte_at_every_place(void *arg)
{
	static const size_t sizes[] = { 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 40, 65, 100 };
	uint8_t text[LONGEST];

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (size_t place = 0; place < sizes[i]; place++)
			for (unsigned byte = 0; byte < 256; byte++) {
				memset(text, byte & 1 ? 0xFF : 'a', sizes[i]);
				text[place] = (uint8_t)byte;
				check(arg, span_of(text, sizes[i]));
			}
}

static void finds_every_byte_at_every_place(void **state)
{
	struct guard g;

	(void)state;
	guard_init(&g, LONGEST);
	levels_each(every_byte_at_every_place, &g);
	guard_deinit(&g);
}

/* Many of them, neighbours that a borrow could make look alike among them: the first counts. */
static void random_texts(void *arg)
{
	static const uint8_t likely[] = { '"',	'#',  '\\', ']',  '[',	0x1F, 0x20, 0x21,
					  0x00, 0x80, 0xA2, 0xDC, 0x9F, 0xFF, 'a',  'b' };
	uint32_t random = 3;
	uint8_t text[LONGEST];

	for (int i = 0; i < 6000; i++) {
		size_t n = levels_random(&random) % LONGEST;
		uint32_t rare = 1 + levels_random(&random) % 200;

		for (size_t at = 0; at < n; at++)
			text[at] = levels_random(&random) % rare ?
					   'x' :
					   likely[levels_random(&random) % sizeof(likely)];
		check(arg, span_of(text, n));
	}
}

static void agrees_on_random_texts(void **state)
{
	struct guard g;

	(void)state;
	guard_init(&g, LONGEST);
	levels_each(random_texts, &g);
	guard_deinit(&g);
}

static void stops_at_the_end_and_not_before(void *arg)
{
	uint8_t text[LONGEST];

	memset(text, '"', sizeof(text));
	for (size_t start = 1; start < 65; start++)
		for (size_t n = 0; n < 200; n++) {
			memset(text + start, 0x20, n);
			text[start + n] = '"';
			assert_ptr_equal(search_json(text + start, text + start + n),
					 text + start + n);
		}
	(void)arg;
}

static void sees_nothing_beyond_the_end(void **state)
{
	(void)state;
	levels_each(stops_at_the_end_and_not_before, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_every_byte_at_every_place),
		cmocka_unit_test(agrees_on_random_texts),
		cmocka_unit_test(sees_nothing_beyond_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
