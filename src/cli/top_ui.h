/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the user is and what was asked for: the page, the order, the filter, the selected bridge,
 * how far it is scrolled. Keys go in; it draws nothing. Pure. The selection follows the bridge,
 * not the place, but for the first place, where it stays.
 */
#ifndef WSB_CLI_TOP_UI_H
#define WSB_CLI_TOP_UI_H

#include "cli/top_columns.h"

#define TOP_FILTER 64
#define TOP_INTERVAL 2.0 /* seconds, if nobody says otherwise */

/* Keys that are no characters; those are themselves. */
enum top_key {
	KEY_OF_NOTHING = 0,
	KEY_OF_ENTER = '\r',
	KEY_OF_ESCAPE = 27,
	KEY_OF_ERASE = 127,
	KEY_OF_UP = 0x110000, /* above all characters */
	KEY_OF_DOWN,
	KEY_OF_LEFT,
	KEY_OF_RIGHT,
	KEY_OF_PAGE_UP,
	KEY_OF_PAGE_DOWN,
	KEY_OF_HOME,
	KEY_OF_END,
	KEY_OF_HELP,
	KEY_OF_RESIZE,
};

enum top_page { PAGE_LIST, PAGE_DETAIL, PAGE_HELP };

/* The bridges that pass the filter, in order. */
struct top_list {
	const struct top_bridge **bridges;
	size_t n;
};

struct top_ui {
	enum top_page page, before_help;
	enum top_column_id sort;
	bool reverse;
	bool typing; /* the filter */
	char filter[TOP_FILTER];
	char *selected; /* NULL: the first one */
	char *detail;	/* the bridge of PAGE_DETAIL */
	size_t first;	/* row of the list at the top */
	size_t scroll;	/* row of another page at the top */
	double interval;
	bool paused, refresh, redraw,
		quit; /* refresh, redraw: at once; whoever does it clears it */

	/* What the last drawing has told. */
	size_t page_rows; /* bridges, or lines, on a page */
	struct top_places places;
};

void top_ui_init(struct top_ui *ui, double interval);
void top_ui_deinit(struct top_ui *ui);

/* Deinit frees. The bridges stay the model's. */
void top_list_init(struct top_list *list, const struct top_model *m, const struct top_ui *ui);
void top_list_deinit(struct top_list *list);

size_t top_ui_selected(const struct top_ui *ui, const struct top_list *list); /* its index */

/* A key; the list is the one that is on the screen. */
void top_ui_key(struct top_ui *ui, const struct top_list *list, int key);

/* Before it is drawn: so many rows for the list; the selected one must be among them. */
void top_ui_show_selected(struct top_ui *ui, const struct top_list *list, size_t rows);

#endif
