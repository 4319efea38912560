/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pages that are texts: one bridge in detail, and the help. What the detail page says of a
 * bridge is what `status NAME` and `explain NAME` print, by the same functions.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/print_explain.h"
#include "cli/print_status.h"
#include "cli/top_text.h"
#include "cli/top_view_int.h"
#include "control/names.h"

#define FACT_INDENT 15	      /* behind the labels of print_bridge */
#define EVENT_INDENT 33	      /* behind time and event of print_explained */
#define END_OF_MARK "\033[0m" /* alone behind a line that was marked as a whole */
#define GRAPH_HEIGHT 4

/* What a printer makes of a value, line by line but for the first one. */
struct printed {
	void (*print)(struct printer *p, const json_t *value);
	const json_t *value;
	size_t indent; /* where a long line goes on */
};

static void add_printed(struct top_canvas *text, const struct printed *what, time_t now)
{
	char *all = NULL, *line;
	size_t n;
	struct printer p = { .width = text->cols, .colour = true, .now = (double)now };

	p.out = open_memstream(&all, &n);
	if (!p.out)
		return;
	what->print(&p, what->value);
	if (fclose(p.out) != 0 || !all) {
		free(all);
		return;
	}
	line = strchr(all, '\n');
	while (line && *++line) {
		char *end = strchrnul(line, '\n');
		char *next = *end ? end : NULL;

		*end = '\0';
		if (strcmp(line, END_OF_MARK) != 0)
			top_add_line(text, line, what->indent);
		line = next;
	}
	free(all);
}

/* How it flows one way, and how it did. */
static void add_flow(struct top_canvas *text, const char *label, const struct top_flow *flow,
		     enum top_look look)
{
	struct top_pen pen = { text, text->rows, 0, text->cols };
	char messages[TOP_NUMBER], bytes[TOP_NUMBER], most[TOP_NUMBER], scale[TOP_NUMBER];
	double peak = top_series_peak(&flow->past, text->cols);

	top_canvas_add_rows(text, 1 + GRAPH_HEIGHT);
	top_say(&pen, look, label);
	top_gap(&pen, 1);
	top_say_take(&pen, LOOK_PLAIN,
		     mem_printf("%s msg/s, %s/s", top_count(messages, flow->rate.messages),
				top_bytes(bytes, flow->rate.bytes)));
	top_gap(&pen, 2);
	top_say_take(&pen, LOOK_DIM,
		     mem_printf("peak %s, graph to %s msg/s", top_count(most, peak),
				top_whole(scale, top_graph_scale(peak))));
	top_graph_high(text, top_at(pen.row + 1, 0, text->cols), GRAPH_HEIGHT, look, &flow->past);
}

/* The newest first: the screen is small. */
static json_t *newest_first(const json_t *explained)
{
	const json_t *history = json_object_get(explained, FIELD_HISTORY);
	json_t *turned = json_array();

	for (size_t i = json_array_size(history); i > 0; i--)
		json_array_append(turned, json_array_get(history, i - 1));
	return json_pack("{s:s,s:s,s:o}", FIELD_NAME, "", FIELD_STATE, "", FIELD_HISTORY, turned);
}

static void add_history(struct top_canvas *text, const struct top_scene *s)
{
	json_t *turned;

	if (!s->explained)
		return;
	turned = newest_first(s->explained);
	top_canvas_add_rows(text, 1);
	add_printed(text, &(struct printed){ print_explained, turned, EVENT_INDENT }, s->now);
	json_decref(turned);
}

static void draw_title(struct top_canvas *c, const struct top_scene *s, const struct top_ui *ui,
		       const struct top_bridge *b)
{
	struct top_pen pen = { c, 0, 0, c->cols };
	struct printer p = { .now = (double)s->now };
	mem_auto_str age = b ? text_age(&p, json_object_get(b->view, FIELD_SINCE)) : NULL;
	/* Without the time that is left, which the line "not open" tells. */
	mem_auto_str state = b ? text_of(json_object_get(b->view, FIELD_STATE)) : NULL;
	enum top_look look = state ? top_look_of(mark_of_state(state)) : LOOK_BAD;

	top_say_clock(&pen, s, ui);
	top_say(&pen, LOOK_BOLD, ui->detail);
	top_gap(&pen, 2);
	top_say(&pen, look, b ? state ? state : "-" : "is not there any more");
	top_gap(&pen, 1);
	if (age)
		top_say_take(&pen, LOOK_DIM, mem_printf("for %s", age));
}

static void draw_foot(struct top_canvas *c, const struct top_scene *s)
{
	struct top_pen pen = { c, c->rows - 1, 0, c->cols };

	if (c->rows < 3)
		return;
	if (s->trouble) {
		top_put(c, top_at(pen.row, 0, c->cols), LOOK_BAD, s->trouble);
		return;
	}
	top_say_key(&pen, "Esc", "back");
	top_say_key(&pen, "Up Down PgUp PgDn", "scroll");
	top_say_key(&pen, "p", "pause");
	top_say_key(&pen, "+ -", "interval");
	top_say_key(&pen, "?", "help");
}

void top_draw_detail(struct top_canvas *c, const struct top_scene *s, struct top_ui *ui)
{
	const struct top_bridge *b = top_model_find(s->model, ui->detail);
	struct top_canvas text;

	top_canvas_init(&text, 0, c->cols, c->utf8);
	if (b) {
		top_canvas_add_rows(&text, c->rows >= 16);
		add_flow(&text, "received", &b->rx, LOOK_RX);
		add_flow(&text, "sent", &b->tx, LOOK_TX);
		top_canvas_add_rows(&text, 1);
		add_printed(&text, &(struct printed){ print_bridge, b->view, FACT_INDENT }, s->now);
		add_history(&text, s);
	}
	top_draw_scrolled(c, &text, ui);
	draw_title(c, s, ui, b);
	draw_foot(c, s);
	top_canvas_deinit(&text);
}

static void add_key(struct top_canvas *text, const char *keys, const char *what)
{
	mem_auto_str line = mem_printf("  %-22s %s", keys, what);

	top_add_line(text, line, 25);
}

static void add_keys(struct top_canvas *text)
{
	static const char *const keys[][2] = {
		{ "Up Down k j", "select a bridge, or scroll" },
		{ "PgUp PgDn Home End", "the same, farther" },
		{ "Enter", "all of the selected bridge" },
		{ "Esc q", "back; q on the list: quit" },
		{ "/", "show only bridges with a text in name, state, URL, peer or error" },
		{ "< > Left Right", "sort by the column beside" },
		{ "r", "reverse the order" },
		{ "p", "pause, and go on" },
		{ "Space", "ask at once" },
		{ "+ -", "ask less often, more often" },
		{ "Ctrl-L", "draw the screen anew" },
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		add_key(text, keys[i][0], keys[i][1]);
}

static void add_columns(struct top_canvas *text)
{
	for (int id = 0; id < N_COLUMNS; id++) {
		const struct top_column *column = &top_columns[id];
		mem_auto_str title = mem_printf("%c  %s", column->key, column->title);

		add_key(text, title, column->about);
	}
}

void top_draw_help(struct top_canvas *c, const struct top_scene *s, struct top_ui *ui)
{
	struct top_canvas text;
	struct top_pen pen = { c, 0, 0, c->cols };

	top_canvas_init(&text, 0, c->cols, c->utf8);
	top_canvas_add_rows(&text, c->rows >= 16);
	add_keys(&text);
	top_canvas_add_rows(&text, 1);
	top_add_line(&text, "Letters sort by a column; again, in reverse:", 0);
	add_columns(&text);
	top_draw_scrolled(c, &text, ui);
	top_say(&pen, LOOK_BOLD, "wsbridge top: keys and columns");
	draw_foot(c, s);
	top_canvas_deinit(&text);
}
