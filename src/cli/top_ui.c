/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See top_ui.h. The trap: a page is scrolled beyond its end here, for how long it is only the
 * drawing knows, which takes it back.
 */
#include "cli/top_ui.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define CTRL(letter) ((letter)&0x1F)

static const double intervals[] = { 0.25, 0.5, 1, 2, 5, 10, 30, 60 };

#define N_INTERVALS (sizeof(intervals) / sizeof(*intervals))

void top_ui_init(struct top_ui *ui, double interval)
{
	*ui = (struct top_ui){ .interval = interval, .page_rows = 1 };
}

void top_ui_deinit(struct top_ui *ui)
{
	free(ui->selected);
	free(ui->detail);
	*ui = (struct top_ui){ 0 };
}

static void select_index(struct top_ui *ui, const struct top_list *list, size_t at)
{
	free(ui->selected);
	ui->selected = at > 0 && at < list->n ? mem_strdup(list->bridges[at]->name) : NULL;
}

/* Steps from a place among n, not beyond its ends. */
static size_t moved(size_t at, size_t n, long steps)
{
	if (steps < 0)
		return at > (size_t)-steps ? at - (size_t)-steps : 0;
	return n == 0 ? 0 : at + (size_t)steps < n ? at + (size_t)steps : n - 1;
}

/* How far a key moves; false: it does not. */
static bool steps_of(const struct top_ui *ui, int key, long *steps)
{
	const long far = 1L << 30, page = (long)ui->page_rows;
	const struct {
		int key;
		long steps;
	} moves[] = {
		{ KEY_OF_UP, -1 },	    { 'k', -1 },
		{ KEY_OF_DOWN, 1 },	    { 'j', 1 },
		{ KEY_OF_PAGE_UP, -page },  { CTRL('b'), -page },
		{ KEY_OF_PAGE_DOWN, page }, { CTRL('f'), page },
		{ KEY_OF_HOME, -far },	    { 'g', -far },
		{ KEY_OF_END, far },	    { 'G', far },
	};

	for (size_t i = 0; i < sizeof(moves) / sizeof(*moves); i++)
		if (moves[i].key == key) {
			*steps = moves[i].steps;
			return true;
		}
	return false;
}

static void set_order(struct top_ui *ui, enum top_column_id sort, bool reverse)
{
	static const struct top_list none = { 0 };

	ui->sort = sort;
	ui->reverse = reverse;
	select_index(ui, &none, 0);
}

/* The next column on the screen to the left or the right. */
static void sort_beside(struct top_ui *ui, int step)
{
	int at = (int)ui->sort;

	do
		at = (at + step + N_COLUMNS) % N_COLUMNS;
	while (ui->places.width[at] == 0 && at != (int)ui->sort);
	set_order(ui, (enum top_column_id)at, false);
}

static bool sort_by_letter(struct top_ui *ui, int key)
{
	for (int id = 0; id < N_COLUMNS; id++) {
		bool again = (int)ui->sort == id;

		if (top_columns[id].key != key)
			continue;
		set_order(ui, (enum top_column_id)id, again && !ui->reverse);
		return true;
	}
	return false;
}

static void slower(struct top_ui *ui)
{
	size_t i = 0;

	while (i < N_INTERVALS - 1 && intervals[i] <= ui->interval)
		i++;
	if (intervals[i] > ui->interval)
		ui->interval = intervals[i];
}

static void faster(struct top_ui *ui)
{
	size_t i = N_INTERVALS - 1;

	while (i > 0 && intervals[i] >= ui->interval)
		i--;
	if (intervals[i] < ui->interval)
		ui->interval = intervals[i];
}

static void open_page(struct top_ui *ui, enum top_page page)
{
	ui->page = page;
	ui->scroll = 0;
}

static void open_detail(struct top_ui *ui, const struct top_list *list)
{
	if (list->n == 0)
		return;
	free(ui->detail);
	ui->detail = mem_strdup(list->bridges[top_ui_selected(ui, list)]->name);
	ui->refresh = true;
	open_page(ui, PAGE_DETAIL);
}

/* The keys of every page. */
static bool key_everywhere(struct top_ui *ui, int key)
{
	switch (key) {
	case 'p':
		ui->paused = !ui->paused;
		ui->refresh = !ui->paused;
		return true;
	case '+':
	case '=':
		slower(ui);
		return true;
	case '-':
	case '_':
		faster(ui);
		return true;
	case ' ':
		ui->refresh = true;
		return true;
	case CTRL('l'):
		ui->redraw = true;
		return true;
	default:
		return false;
	}
}

static void ask_for_help(struct top_ui *ui)
{
	ui->before_help = ui->page;
	open_page(ui, PAGE_HELP);
}

static bool is_help(int key)
{
	return key == '?' || key == 'h' || key == KEY_OF_HELP;
}

static void key_of_list(struct top_ui *ui, const struct top_list *list, int key)
{
	long steps;

	if (steps_of(ui, key, &steps))
		select_index(ui, list, moved(top_ui_selected(ui, list), list->n, steps));
	else if (is_help(key))
		ask_for_help(ui);
	else if (key == KEY_OF_ENTER || key == '\n')
		open_detail(ui, list);
	else if (key == 'q')
		ui->quit = true;
	else if (key == '/')
		ui->typing = true;
	else if (key == KEY_OF_ESCAPE)
		ui->filter[0] = '\0';
	else if (key == 'r')
		set_order(ui, ui->sort, !ui->reverse);
	else if (key == '<' || key == ',' || key == KEY_OF_LEFT)
		sort_beside(ui, -1);
	else if (key == '>' || key == '.' || key == KEY_OF_RIGHT)
		sort_beside(ui, 1);
	else
		sort_by_letter(ui, key);
}

/* Detail and help: texts to be scrolled. */
static void key_of_text(struct top_ui *ui, int key)
{
	long steps;

	if (steps_of(ui, key, &steps))
		ui->scroll = moved(ui->scroll, SIZE_MAX, steps);
	else if (is_help(key) && ui->page == PAGE_DETAIL)
		ask_for_help(ui);
	else if (key == KEY_OF_ESCAPE || key == 'q' || key == KEY_OF_LEFT || key == KEY_OF_ERASE ||
		 is_help(key))
		open_page(ui, ui->page == PAGE_HELP ? ui->before_help : PAGE_LIST);
}

/* Without its last character. */
static void erase(char *text)
{
	size_t n = strlen(text);

	while (n > 0 && ((unsigned char)text[n - 1] & 0xC0) == 0x80)
		n--;
	text[n > 0 ? n - 1 : 0] = '\0';
}

static void append(char text[TOP_FILTER], int ch)
{
	size_t n = strlen(text), more = ch < 0x80 ? 1 : ch < 0x800 ? 2 : ch < 0x10000 ? 3 : 4;
	static const unsigned char first[] = { 0, 0, 0xC0, 0xE0, 0xF0 };

	if (n + more >= TOP_FILTER)
		return;
	for (size_t i = more; i > 1; i--, ch >>= 6)
		text[n + i - 1] = (char)(0x80 | (ch & 0x3F));
	text[n] = (char)(first[more] | ch);
	text[n + more] = '\0';
}

/* While the filter is typed it holds already, and the list can be walked. */
static void key_of_filter(struct top_ui *ui, const struct top_list *list, int key)
{
	long steps;

	if (key == KEY_OF_ENTER || key == '\n') {
		ui->typing = false;
	} else if (key == KEY_OF_ESCAPE) {
		ui->typing = false;
		ui->filter[0] = '\0';
	} else if (key == KEY_OF_ERASE || key == CTRL('h')) {
		erase(ui->filter);
	} else if (key == CTRL('u')) {
		ui->filter[0] = '\0';
	} else if (key >= ' ' && key < KEY_OF_UP) {
		append(ui->filter, key);
	} else if (key >= KEY_OF_UP && steps_of(ui, key, &steps)) {
		select_index(ui, list, moved(top_ui_selected(ui, list), list->n, steps));
	}
}

void top_ui_key(struct top_ui *ui, const struct top_list *list, int key)
{
	if (ui->typing)
		key_of_filter(ui, list, key);
	else if (key_everywhere(ui, key))
		return;
	else if (ui->page == PAGE_LIST)
		key_of_list(ui, list, key);
	else
		key_of_text(ui, key);
}
