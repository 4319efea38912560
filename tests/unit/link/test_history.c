/* SPDX-License-Identifier: Apache-2.0 */
/* The ring of what happened lately. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "link/history.h"

static void test_keeps_the_last_in_order(void **state)
{
	struct history h = { 0 }, copy = { 0 };
	char text[16];

	(void)state;
	for (int64_t i = 0; i < 3 * HISTORY_MAX + 7; i++) {
		struct history_entry e = { .at = i, .kind = HISTORY_ENDED, .text = text };

		snprintf(text, sizeof(text), "number %d", (int)i);
		history_add(&h, &e);
		snprintf(text, sizeof(text), "not kept");
		assert_int_equal(h.n, i < HISTORY_MAX ? i + 1 : HISTORY_MAX);
		if (i % 9 == 0)
			history_copy(&copy, &h);
		for (size_t k = 0; k < h.n; k++) {
			const struct history_entry *got = history_at(&h, k);

			assert_int_equal(got->at, i - (int64_t)(h.n - 1 - k));
			snprintf(text, sizeof(text), "number %d", (int)got->at);
			assert_string_equal(got->text, text);
			if (i % 9 == 0)
				assert_string_equal(history_at(&copy, k)->text, text);
		}
	}
	history_deinit(&h);
	history_deinit(&copy);
	assert_int_equal(h.n, 0);
}

static void test_cuts_a_long_text(void **state)
{
	struct history h = { 0 };
	char text[HISTORY_TEXT_MAX + 100];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	history_add(&h, &(struct history_entry){ .text = text });
	history_add(&h, &(struct history_entry){ .text = NULL });
	assert_int_equal(strlen(history_at(&h, 0)->text), HISTORY_TEXT_MAX);
	assert_string_equal(history_at(&h, 1)->text, "");
	history_deinit(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keeps_the_last_in_order),
		cmocka_unit_test(test_cuts_a_long_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
