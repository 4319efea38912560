/* SPDX-License-Identifier: Apache-2.0 */
/* The list of all bridges, and which page is drawn. See top_view.h. */
#include "cli/top_view.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/print_status.h"
#include "cli/top_view_int.h"
#include "control/names.h"

/* Rows of the list by the height of the screen. */
struct frame {
	size_t head, title, first, n; /* first: of n bridges */
	bool trouble, foot;
};

static struct frame frame_of(size_t rows)
{
	struct frame f = { .head = rows >= 12 ? 3 : rows >= 8 ? 2 : rows >= 5 ? 1 : 0 };
	size_t below;

	f.trouble = rows >= 16;
	f.foot = rows >= 4;
	f.title = f.head + (rows >= 16);
	f.first = f.title + (rows >= 2);
	below = (size_t)f.trouble + f.foot;
	f.n = rows > f.first + below ? rows - f.first - below : 0;
	return f;
}

static size_t longest_name(const struct top_scene *s, const struct top_canvas *c)
{
	size_t longest = 0;

	for (size_t i = 0; i < s->list->n; i++) {
		size_t width = top_width(c, s->list->bridges[i]->name);

		longest = width > longest ? width : longest;
	}
	return longest;
}

static void draw_titles(struct top_canvas *c, size_t row, const struct top_ui *ui)
{
	for (size_t col = 0; col < c->cols; col++)
		top_put_char(c, row, col, L' ', LOOK_TITLE);
	for (int id = 0; id < N_COLUMNS; id++) {
		const struct top_column *column = &top_columns[id];
		bool sorted = id == (int)ui->sort, down = column->largest_first != ui->reverse;
		const char *arrow = !c->utf8 ? down ? "v" : "^" : down ? "\u25BC" : "\u25B2";
		mem_auto_str title = mem_printf("%s%s", column->title, sorted ? arrow : "");
		struct top_place at = top_at(row, ui->places.col[id], ui->places.width[id]);

		if (column->left)
			top_put(c, at, sorted ? LOOK_SORTED : LOOK_TITLE, title);
		else
			top_put_right(c, at, sorted ? LOOK_SORTED : LOOK_TITLE, title);
	}
}

static void draw_bridge(struct top_canvas *c, size_t row, const struct top_bridge *b,
			const struct top_places *places)
{
	for (int id = 0; id < N_COLUMNS; id++) {
		struct top_place at = top_at(row, places->col[id], places->width[id]);
		enum top_look look = LOOK_PLAIN;
		mem_auto_str text = NULL;

		if (at.width == 0)
			continue;
		if (id == COLUMN_GRAPH) {
			top_graph(c, at, LOOK_RX, &b->past);
			continue;
		}
		text = top_column_text((enum top_column_id)id, b, &look);
		if (top_columns[id].left)
			top_put(c, at, look, text);
		else
			top_put_right(c, at, look, text);
	}
}

/* What was true when there was still somebody to ask. */
static void fade(struct top_canvas *c, size_t row, size_t n)
{
	for (size_t i = row * c->cols; i < (row + n) * c->cols && i < c->rows * c->cols; i++)
		c->cells[i].look = (c->cells[i].look & LOOK_SELECTED) | LOOK_DIM;
}

static void draw_bridges(struct top_canvas *c, const struct frame *f, const struct top_scene *s,
			 const struct top_ui *ui)
{
	size_t selected = top_ui_selected(ui, s->list);

	for (size_t i = 0; i < f->n && ui->first + i < s->list->n; i++) {
		draw_bridge(c, f->first + i, s->list->bridges[ui->first + i], &ui->places);
		if (ui->first + i == selected)
			top_select_row(c, f->first + i);
	}
	if (s->list->n == 0 && s->model->daemon)
		top_put(c, top_at(f->first, 0, c->cols), LOOK_DIM,
			s->model->n ? "no bridge passes the filter" : "no bridges");
	if (!s->trouble)
		return;
	fade(c, f->first, f->n);
	if (f->head > 1)
		fade(c, 1, f->head - 1);
}

/* Why the selected bridge is not open. */
static void draw_trouble(struct top_canvas *c, const struct top_scene *s, const struct top_ui *ui)
{
	size_t selected = top_ui_selected(ui, s->list);
	const struct top_bridge *b = selected < s->list->n ? s->list->bridges[selected] : NULL;
	mem_auto_str trouble = b ? text_trouble(b->view) : NULL;
	mem_auto_str name = b ? text_of(json_object_get(b->view, FIELD_NAME)) : NULL;
	mem_auto_str line = NULL;

	if (!trouble || !name || s->trouble)
		return;
	line = mem_printf("%s: %s", name, trouble);
	top_put(c, top_at(c->rows - 2, 0, c->cols), LOOK_DIM, line);
}

static void say_filter(struct top_pen *pen, const struct top_scene *s, const struct top_ui *ui)
{
	top_say(pen, LOOK_BOLD, "filter:");
	top_gap(pen, 1);
	top_say(pen, LOOK_PLAIN, ui->filter);
	if (ui->typing)
		top_say(pen, LOOK_BOLD, "_");
	top_gap(pen, 3);
	top_say_take(pen, LOOK_DIM, mem_printf("%zu of %zu", s->list->n, s->model->n));
	top_gap(pen, 3);
	if (ui->typing)
		top_say_key(pen, "Enter", "keep");
	top_say_key(pen, "Esc", "clear");
}

static void draw_foot(struct top_canvas *c, const struct top_scene *s, const struct top_ui *ui)
{
	struct top_pen pen = { c, c->rows - 1, 0, c->cols };

	if (s->trouble && !ui->typing) {
		top_put(c, top_at(pen.row, 0, c->cols), LOOK_BAD, s->trouble);
		return;
	}
	if (ui->typing || *ui->filter) {
		say_filter(&pen, s, ui);
		return;
	}
	top_say_key(&pen, "?", "help");
	top_say_key(&pen, "q", "quit");
	top_say_key(&pen, "Enter", "details");
	top_say_key(&pen, "/", "filter");
	top_say_key(&pen, "< >", "sort");
	top_say_key(&pen, "r", "reverse");
	top_say_key(&pen, "p", ui->paused ? "go on" : "pause");
	top_say_key(&pen, "+ -", "interval");
}

static void draw_list(struct top_canvas *c, const struct top_scene *s, struct top_ui *ui)
{
	struct frame f = frame_of(c->rows);

	top_columns_fit(&ui->places, c->cols, longest_name(s, c));
	top_ui_show_selected(ui, s->list, f.n);
	top_draw_head(c, s, ui, f.head);
	if (f.first > f.title)
		draw_titles(c, f.title, ui);
	draw_bridges(c, &f, s, ui);
	if (f.trouble)
		draw_trouble(c, s, ui);
	if (f.foot)
		draw_foot(c, s, ui);
}

void top_draw_scrolled(struct top_canvas *c, const struct top_canvas *text, struct top_ui *ui)
{
	size_t n = c->rows > 2 ? c->rows - 2 : 1;

	ui->page_rows = n;
	if (ui->scroll + n > text->rows)
		ui->scroll = text->rows > n ? text->rows - n : 0;
	top_copy_rows(c, top_at(c->rows > 1, 0, c->cols), text, ui->scroll, n);
}

void top_draw(struct top_canvas *c, const struct top_scene *s, struct top_ui *ui)
{
	switch (ui->page) {
	case PAGE_LIST:
		draw_list(c, s, ui);
		break;
	case PAGE_DETAIL:
		top_draw_detail(c, s, ui);
		break;
	case PAGE_HELP:
		top_draw_help(c, s, ui);
		break;
	}
}
