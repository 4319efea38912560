/* SPDX-License-Identifier: Apache-2.0 */
/* The ring of what happened lately. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "link/history.h"

static void test_keeps_the_last_in_order(void **state)
{
	static struct history h;

	(void)state;
	for (int64_t i = 0; i < 3 * HISTORY_MAX + 7; i++) {
		struct history_entry *e = history_add(&h, HISTORY_ENDED, i);

		assert_int_equal(e->delay, -1);
		assert_string_equal(e->text, "");
		assert_int_equal(e->code, ERR_NONE);
		memcpy(e->text, "left over", 10);
		e->code = ERR_TLS;
		assert_int_equal(h.n, i < HISTORY_MAX ? i + 1 : HISTORY_MAX);
		for (size_t k = 0; k < h.n; k++)
			assert_int_equal(history_at(&h, k)->at, i - (int64_t)(h.n - 1 - k));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keeps_the_last_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
