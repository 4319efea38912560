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
			struct history_entry got = history_at(&h, k);

			assert_int_equal(got.at, i - (int64_t)(h.n - 1 - k));
			snprintf(text, sizeof(text), "number %d", (int)got.at);
			assert_string_equal(got.text, text);
			if (i % 9 == 0)
				assert_string_equal(history_at(&copy, k).text, text);
		}
	}
	history_deinit(&h);
	history_deinit(&copy);
	assert_int_equal(h.n, 0);
}

static void check_equal(const struct history_entry *got, const struct history_entry *e)
{
	assert_int_equal(got->at, e->at);
	assert_int_equal(got->kind, e->kind);
	assert_int_equal(got->state, e->state);
	assert_int_equal(got->code, e->code);
	assert_int_equal(got->stage, e->stage);
	assert_int_equal(got->status, e->status);
	assert_int_equal(got->close_code, e->close_code);
	assert_int_equal(got->took, e->took);
	assert_int_equal(got->delay, e->delay);
	assert_string_equal(got->text, e->text);
}

/* Kinds with times and without, lengths of text that move the next one to any address. */
static void test_keeps_all_of_an_entry(void **state)
{
	static const struct history_entry entries[] = {
		{ .at = INT64_MAX, .kind = HISTORY_ATTEMPT, .delay = -1, .text = "ws://a/" },
		{ .at = 1, .kind = HISTORY_STATE, .state = LINK_GAVE_UP, .delay = -1, .text = "" },
		{ .at = 2, .kind = HISTORY_OPENED, .took = INT64_MAX, .delay = -1, .text = "x" },
		{ .at = 3,
		  .kind = HISTORY_ENDED,
		  .state = LINK_WAITING,
		  .code = ERR_BAD_STATUS,
		  .stage = STAGE_HANDSHAKE,
		  .status = 599,
		  .close_code = 4999,
		  .took = 5,
		  .delay = INT64_MAX,
		  .text = "the server answered" },
		{ .at = 4, .kind = HISTORY_ENDED, .delay = -1, .text = "e" },
	};
	enum { N = sizeof(entries) / sizeof(entries[0]) };
	struct history h = { 0 };

	(void)state;
	for (size_t i = 0; i < 3 * HISTORY_MAX; i++) {
		history_add(&h, &entries[i % N]);
		for (size_t k = 0; k < h.n; k++) {
			struct history_entry got = history_at(&h, k);

			check_equal(&got, &entries[(i + 1 - h.n + k) % N]);
		}
	}
	history_deinit(&h);
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
	assert_int_equal(strlen(history_at(&h, 0).text), HISTORY_TEXT_MAX);
	assert_string_equal(history_at(&h, 1).text, "");
	history_deinit(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keeps_the_last_in_order),
		cmocka_unit_test(test_keeps_all_of_an_entry),
		cmocka_unit_test(test_cuts_a_long_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
