/* SPDX-License-Identifier: Apache-2.0 */
/* What keys do: selection and scrolling, order, filter, pages, pace. */
#include "cli/top_ui.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/top_fleet.h"

static struct top_model model;
static struct top_list list;
static struct top_ui ui;

static void make_list(void)
{
	top_list_deinit(&list);
	top_list_init(&list, &model, &ui);
}

static int begin(void **state)
{
	json_t *status = fleet_status(0);

	(void)state;
	top_model_init(&model);
	top_ui_init(&ui, TOP_INTERVAL);
	top_model_take(&model, status, 1);
	json_decref(status);
	top_columns_fit(&ui.places, 80, 12);
	make_list();
	ui.page_rows = 3;
	return 0;
}

static int end(void **state)
{
	(void)state;
	top_list_deinit(&list);
	top_ui_deinit(&ui);
	top_model_deinit(&model);
	return 0;
}

static void press(int key)
{
	top_ui_key(&ui, &list, key);
	make_list();
}

static void type(const char *keys)
{
	for (; *keys; keys++)
		press(*keys);
}

static void assert_selected(const char *name)
{
	assert_string_equal(list.bridges[top_ui_selected(&ui, &list)]->name, name);
}

static void test_selection(void **state)
{
	static const struct {
		int key;
		const char *selected;
	} steps[] = {
		{ KEY_OF_UP, "a-name-that-is-longer-than-any-column" },
		{ KEY_OF_DOWN, "broken" },
		{ 'j', "dialing" },
		{ 'k', "broken" },
		{ KEY_OF_PAGE_DOWN, "orders" },
		{ KEY_OF_PAGE_DOWN, "ticker" },
		{ KEY_OF_DOWN, "ticker" },
		{ 'B' & 0x1F, "now-and-then" },
		{ 'F' & 0x1F, "ticker" },
		{ KEY_OF_PAGE_UP, "now-and-then" },
		{ KEY_OF_END, "ticker" },
		{ KEY_OF_HOME, "a-name-that-is-longer-than-any-column" },
		{ 'G', "ticker" },
		{ 'g', "a-name-that-is-longer-than-any-column" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		press(steps[i].key);
		assert_selected(steps[i].selected);
	}
}

/* The selected bridge stays selected where the list changes; the first place stays the first. */
static void test_selection_follows(void **state)
{
	(void)state;
	press(KEY_OF_DOWN);
	assert_selected("broken");
	type("/o");
	assert_int_equal(list.n, 7); /* of the URL */
	type("r");		     /* "or" */
	assert_int_equal(list.n, 1);
	assert_selected("orders");
	press(KEY_OF_ESCAPE);
	assert_selected("broken");
	type("S"); /* a new order begins at its top */
	assert_selected("broken");
	type("r");
	assert_selected("a-name-that-is-longer-than-any-column");
}

static void test_scrolling(void **state)
{
	static const struct {
		int key;
		size_t rows, first;
	} steps[] = {
		{ KEY_OF_DOWN, 3, 0 }, { KEY_OF_END, 3, 4 },  { KEY_OF_UP, 3, 4 },
		{ KEY_OF_END, 5, 2 },  { KEY_OF_END, 50, 0 }, { KEY_OF_END, 1, 6 },
		{ KEY_OF_HOME, 1, 0 }, { KEY_OF_END, 0, 6 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		press(steps[i].key);
		top_ui_show_selected(&ui, &list, steps[i].rows);
		assert_int_equal(ui.first, steps[i].first);
	}
}

static void test_sorting(void **state)
{
	(void)state;
	press('>');
	assert_int_equal(ui.sort, COLUMN_STATE);
	press('<');
	press('<'); /* round, and over what is not on the screen */
	assert_int_equal(ui.sort, COLUMN_RTT);
	press(KEY_OF_RIGHT);
	assert_int_equal(ui.sort, COLUMN_NAME);
	press(KEY_OF_LEFT);
	assert_int_equal(ui.sort, COLUMN_RTT);
	for (int id = 0; id < N_COLUMNS; id++) {
		press(top_columns[id].key);
		assert_int_equal(ui.sort, id);
		assert_false(ui.reverse);
	}
	press(top_columns[N_COLUMNS - 1].key);
	assert_true(ui.reverse);
	press('r');
	assert_false(ui.reverse);
	press('z');
	assert_int_equal(ui.sort, N_COLUMNS - 1);
}

/* Letters are distinct and mean nothing else; a title leaves room for its arrow. */
static void test_columns(void **state)
{
	static const char taken[] = "q?hrp/<>,.+-=_ kjgG";

	(void)state;
	for (int i = 0; i < N_COLUMNS; i++) {
		assert_null(strchr(taken, top_columns[i].key));
		assert_true(strlen(top_columns[i].title) < top_columns[i].width);
		for (int k = 0; k < i; k++) {
			assert_int_not_equal(top_columns[i].key, top_columns[k].key);
			assert_int_not_equal(top_columns[i].rank, top_columns[k].rank);
		}
	}
}

/* Columns never overlap, nor pass the end, and come back as the terminal grows. */
static void test_places(void **state)
{
	(void)state;
	for (size_t cols = 0; cols < 300; cols++) {
		struct top_places p;
		size_t at = 0;

		top_columns_fit(&p, cols, 30);
		for (int id = 0; id < N_COLUMNS; id++) {
			if (p.width[id] == 0)
				continue;
			assert_true(id == 0 ? p.col[id] == 0 : p.col[id] > at);
			at = p.col[id] + p.width[id];
			assert_true(at <= cols);
		}
		assert_true(cols == 0 || p.width[COLUMN_NAME] > 0);
		assert_true(cols < 24 || p.width[COLUMN_STATE] > 0);
		assert_true(cols < 79 || p.width[COLUMN_QUEUED] > 0);
		assert_true(cols < 125 || p.width[COLUMN_RECONNECTS] > 0);
	}
}

static void test_filter(void **state)
{
	(void)state;
	type("/ab\r");
	assert_string_equal(ui.filter, "ab");
	assert_false(ui.typing);
	press('/');
	press(0xFC); /* ü */
	press(0x6CE2);
	press(0x1F600);
	assert_string_equal(ui.filter, "ab\xC3\xBC\xE6\xB3\xA2\xF0\x9F\x98\x80");
	press(KEY_OF_ERASE);
	press('H' & 0x1F);
	assert_string_equal(ui.filter, "ab\xC3\xBC");
	type("q?"); /* no keys while it is typed */
	assert_false(ui.quit);
	press('U' & 0x1F);
	assert_string_equal(ui.filter, "");
	press(KEY_OF_ERASE);
	for (int i = 0; i < 200; i++)
		press('x');
	assert_int_equal(strlen(ui.filter), TOP_FILTER - 1);
	press(KEY_OF_ESCAPE);
	assert_string_equal(ui.filter, "");
	assert_false(ui.typing);
	assert_false(ui.quit);
	press(KEY_OF_ESCAPE); /* on the list it does not end anything */
	assert_false(ui.quit);
	type("/o\r");
	press(KEY_OF_ESCAPE);
	assert_string_equal(ui.filter, "");
}

static void test_pages(void **state)
{
	(void)state;
	press(KEY_OF_DOWN);
	press(KEY_OF_ENTER);
	assert_int_equal(ui.page, PAGE_DETAIL);
	assert_string_equal(ui.detail, "broken");
	assert_true(ui.refresh); /* its history is wanted now */
	press(KEY_OF_PAGE_DOWN);
	assert_int_equal(ui.scroll, 3);
	press(KEY_OF_UP);
	assert_int_equal(ui.scroll, 2);
	press(KEY_OF_HOME);
	press(KEY_OF_UP);
	assert_int_equal(ui.scroll, 0);
	press('?');
	assert_int_equal(ui.page, PAGE_HELP);
	press(KEY_OF_ESCAPE);
	assert_int_equal(ui.page, PAGE_DETAIL);
	press(KEY_OF_HELP);
	press('h');
	assert_int_equal(ui.page, PAGE_DETAIL);
	press('q');
	assert_int_equal(ui.page, PAGE_LIST);
	assert_selected("broken");
	assert_false(ui.quit);
	press('q');
	assert_true(ui.quit);
}

static void test_no_detail_of_nothing(void **state)
{
	(void)state;
	type("/nobody is called so\r");
	press(KEY_OF_DOWN);
	press(KEY_OF_ENTER);
	assert_int_equal(ui.page, PAGE_LIST);
}

static void test_pace(void **state)
{
	static const struct {
		int key;
		double interval;
	} steps[] = {
		{ '+', 5 },   { '=', 10 },   { '-', 5 },    { '_', 2 },	  { '-', 1 },
		{ '-', 0.5 }, { '-', 0.25 }, { '-', 0.25 }, { '+', 0.5 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		press(steps[i].key);
		assert_true(ui.interval == steps[i].interval);
	}
	ui.interval = 0.1; /* of the command line */
	press('-');
	assert_true(ui.interval == 0.1);
	ui.interval = 300;
	press('+');
	assert_true(ui.interval == 300);
	press('-');
	assert_true(ui.interval == 60);
	press('p');
	assert_true(ui.paused);
	assert_false(ui.refresh);
	press(' ');
	assert_true(ui.refresh);
	ui.refresh = false;
	press('p');
	assert_false(ui.paused);
	assert_true(ui.refresh);
	press('L' & 0x1F);
	assert_true(ui.redraw);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_selection, begin, end),
		cmocka_unit_test_setup_teardown(test_selection_follows, begin, end),
		cmocka_unit_test_setup_teardown(test_scrolling, begin, end),
		cmocka_unit_test_setup_teardown(test_sorting, begin, end),
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_places),
		cmocka_unit_test_setup_teardown(test_filter, begin, end),
		cmocka_unit_test_setup_teardown(test_pages, begin, end),
		cmocka_unit_test_setup_teardown(test_no_detail_of_nothing, begin, end),
		cmocka_unit_test_setup_teardown(test_pace, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
