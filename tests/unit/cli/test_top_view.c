/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole screens of `top`, as values: the same bridges and keys on terminals of several sizes. What
 * is expected lies in screens/: the characters, and behind a line "--" how they look, a letter for
 * each. With WSB_WRITE_SCREENS set, what is drawn is written there instead: then look at it.
 */
#include "cli/top_view.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "cli/top_fleet.h"

#define LOOKS 45 /* so many before the screen */

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = mem_zalloc(65536);

	if (!f)
		fail_msg("%s is missing", path);
	text[fread(text, 1, 65535, f)] = '\0';
	fclose(f);
	return text;
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static size_t last_of(const struct top_canvas *c, size_t row, bool looks)
{
	size_t n = c->cols;

	while (n > 0) {
		const struct top_cell *cell = &c->cells[row * c->cols + n - 1];

		if (looks ? cell->look != LOOK_PLAIN : cell->ch != L' ')
			break;
		n--;
	}
	return n;
}

static char letter_of(const struct top_cell *cell)
{
	static const char letters[N_LOOKS + 1] = ".dbtsgyrRT";

	if (cell->ch == 0)
		return '<';
	if (cell->look & LOOK_SELECTED)
		return '#';
	assert_true(cell->look < N_LOOKS);
	return letters[cell->look];
}

/* Characters, then looks; without what is blank at the end of a row. */
static char *text_of_canvas(const struct top_canvas *c)
{
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	for (size_t row = 0; row < c->rows; row++) {
		for (size_t i = 0; i < last_of(c, row, false); i++)
			if (c->cells[row * c->cols + i].ch)
				fprintf(out, "%lc", (wint_t)c->cells[row * c->cols + i].ch);
		fputc('\n', out);
	}
	fputs("--\n", out);
	for (size_t row = 0; row < c->rows; row++) {
		for (size_t i = 0; i < last_of(c, row, true); i++)
			fputc(letter_of(&c->cells[row * c->cols + i]), out);
		fputc('\n', out);
	}
	fclose(out);
	return text;
}

static void compare(const char *name, const struct top_canvas *c)
{
	mem_auto_str path = mem_printf("%s/tests/unit/cli/screens/%s.txt", getenv("top_srcdir"),
				       name);
	char *drawn = text_of_canvas(c), *expected;

	if (getenv("WSB_WRITE_SCREENS"))
		write_file(path, drawn);
	expected = read_file(path);
	if (strcmp(drawn, expected) != 0)
		fail_msg("%s: not what is expected, but\n%s", name, drawn);
	free(expected);
	free(drawn);
}

struct shown {
	struct top_model model;
	struct top_ui ui;
	struct top_list list;
	struct top_scene scene;
};

static void shown_init(struct shown *s, int looks)
{
	top_model_init(&s->model);
	top_ui_init(&s->ui, 2);
	for (int i = 0; i < looks; i++) {
		json_t *status = fleet_status(i);

		top_model_take(&s->model, status, 100 + 2 * i);
		json_decref(status);
	}
	top_list_init(&s->list, &s->model, &s->ui);
	s->scene = (struct top_scene){ .model = &s->model, .list = &s->list, .now = FLEET_NOW };
}

static void shown_deinit(struct shown *s)
{
	top_list_deinit(&s->list);
	top_ui_deinit(&s->ui);
	top_model_deinit(&s->model);
}

static void list_again(struct shown *s)
{
	top_list_deinit(&s->list);
	top_list_init(&s->list, &s->model, &s->ui);
}

/* What a key does may depend on what is on the screen, so it is drawn before each. */
static void press(struct shown *s, const char *keys, size_t rows, size_t cols)
{
	for (; *keys; keys++) {
		struct top_canvas c;
		int key = *keys == 'v' ? KEY_OF_DOWN : *keys == 'V' ? KEY_OF_PAGE_DOWN : *keys;

		top_canvas_init(&c, rows, cols, true);
		top_draw(&c, &s->scene, &s->ui);
		top_canvas_deinit(&c);
		top_ui_key(&s->ui, &s->list, key);
		list_again(s);
	}
}

static json_t *explained(void)
{
	return fleet_text(
		"{\"name\":\"ticker\",\"state\":\"open\",\"history\":[{\"at\":1795279000,\"event\":"
		"\"attempt\",\"url\":\"wss://example.net/ticker\"},{\"at\":1795279001,\"event\":"
		"\"ended\",\"message\":\"connect to 192.0.2.7:443: Connection refused\",\"kind\":"
		"\"connect\",\"retry_in\":1.5},{\"at\":1795279003,\"event\":\"opened\",\"message\":"
		"\"192.0.2.7:443\",\"took\":0.25},{\"at\":1795279003,\"event\":\"state\",\"state\":"
		"\"open\",\"message\":\"opened\"}]}");
}

static const struct {
	const char *name;
	size_t rows, cols;
	bool ascii;
	const char *keys;
	const char *trouble;
} screens[] = {
	{ .name = "list-80x24", .rows = 24, .cols = 80 },
	{ .name = "list-40x10", .rows = 10, .cols = 40 },
	{ .name = "list-200x50", .rows = 50, .cols = 200 },
	{ .name = "list-ascii", .rows = 24, .cols = 120, .ascii = true },
	{ .name = "list-tiny", .rows = 4, .cols = 17, .keys = "vvv" },
	{ .name = "list-selected", .rows = 24, .cols = 80, .keys = "vvvvv" },
	{ .name = "list-by-rate", .rows = 24, .cols = 80, .keys = "M" },
	{ .name = "list-scrolled", .rows = 10, .cols = 60, .keys = "SVp" },
	{ .name = "list-typing", .rows = 24, .cols = 80, .keys = "/REFUSED" },
	{ .name = "list-filtered", .rows = 24, .cols = 80, .keys = "/en\r" },
	{ .name = "list-nothing", .rows = 24, .cols = 80, .keys = "/nothing has this\r" },
	{ .name = "list-lost",
	  .rows = 24,
	  .cols = 80,
	  .trouble = "/run/wsbridge/control.sock: Connection refused: is wsbridged running?" },
	{ .name = "detail-80x24", .rows = 24, .cols = 80, .keys = "/ticker\r\r" },
	{ .name = "detail-80x24-below", .rows = 24, .cols = 80, .keys = "/ticker\r\rG" },
	{ .name = "detail-40x10", .rows = 10, .cols = 40, .keys = "/ticker\r\rV" },
	{ .name = "detail-200x50", .rows = 50, .cols = 200, .keys = "/ticker\r\r" },
	{ .name = "detail-waiting", .rows = 16, .cols = 80, .keys = "/quotes\r\r" },
	{ .name = "help-80x24", .rows = 24, .cols = 80, .keys = "?" },
	{ .name = "help-40x10", .rows = 10, .cols = 40, .keys = "?V" },
};

static void test_screens(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(screens) / sizeof(*screens); i++) {
		size_t rows = screens[i].rows, cols = screens[i].cols;
		struct top_canvas c;
		struct shown s;

		shown_init(&s, LOOKS);
		s.scene.trouble = screens[i].trouble;
		s.scene.explained = explained();
		press(&s, screens[i].keys ? screens[i].keys : "", rows, cols);
		top_canvas_init(&c, rows, cols, !screens[i].ascii);
		top_draw(&c, &s.scene, &s.ui);
		compare(screens[i].name, &c);
		top_canvas_deinit(&c);
		json_decref((json_t *)(uintptr_t)s.scene.explained);
		shown_deinit(&s);
	}
}

/* Before there is an answer, at the first one, without bridges, and of a bridge that is gone. */
static void test_little_to_show(void **state)
{
	static const char *const names[] = { "early-none", "early-one" };
	json_t *empty = fleet_daemon(100, json_array());
	struct top_canvas c;
	struct shown s;

	(void)state;
	for (int looks = 0; looks < 2; looks++) {
		shown_init(&s, looks);
		top_canvas_init(&c, 16, 80, true);
		top_draw(&c, &s.scene, &s.ui);
		compare(names[looks], &c);
		top_canvas_deinit(&c);
		shown_deinit(&s);
	}
	shown_init(&s, 2);
	press(&s, "\r", 16, 80);
	top_model_take(&s.model, empty, 104);
	list_again(&s);
	top_canvas_init(&c, 16, 80, true);
	top_draw(&c, &s.scene, &s.ui);
	compare("gone", &c);
	top_canvas_deinit(&c);
	press(&s, "q", 16, 80);
	top_canvas_init(&c, 16, 80, true);
	top_draw(&c, &s.scene, &s.ui);
	compare("no-bridges", &c);
	top_canvas_deinit(&c);
	json_decref(empty);
	shown_deinit(&s);
}

/* Nothing is drawn outside, whatever the size; the sanitizers would tell. */
static void test_every_size(void **state)
{
	static const char *const keys[] = { "", "vvvvvv", "\r", "\rG", "?", "?G", "/t", "p" };

	(void)state;
	for (size_t k = 0; k < sizeof(keys) / sizeof(*keys); k++)
		for (size_t rows = 0; rows < 22; rows++) {
			struct top_canvas c;
			struct shown s;

			shown_init(&s, 3);
			press(&s, keys[k], rows, 50);
			for (size_t cols = 0; cols < 130; cols += cols < 20 ? 1 : 7) {
				top_canvas_init(&c, rows, cols, true);
				top_draw(&c, &s.scene, &s.ui);
				assert_true(c.rows == rows && c.cols == cols);
				top_canvas_deinit(&c);
			}
			shown_deinit(&s);
		}
}

static int prepare(void **state)
{
	(void)state;
	setenv("TZ", "UTC", 1);
	return setlocale(LC_CTYPE, "C.UTF-8") ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_screens),
		cmocka_unit_test(test_little_to_show),
		cmocka_unit_test(test_every_size),
	};

	return cmocka_run_group_tests(tests, prepare, NULL);
}
