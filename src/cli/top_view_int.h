/* SPDX-License-Identifier: Apache-2.0 */
/* What the pages share: parts that stand in a row, one behind the other, if they fit. */
#ifndef WSB_CLI_TOP_VIEW_INT_H
#define WSB_CLI_TOP_VIEW_INT_H

#include "cli/top_view.h"

struct top_pen {
	struct top_canvas *canvas;
	size_t row, col, end;
};

/* Takes text (from malloc). What does not fit whole is left out. */
bool top_say_take(struct top_pen *pen, enum top_look look, char *text);
bool top_say(struct top_pen *pen, enum top_look look, const char *text);
void top_gap(struct top_pen *pen, size_t n);

/* One key and what it does, for the last row. */
void top_say_key(struct top_pen *pen, const char *key, const char *what);

/* At the right end of a row: the interval and the time, or that it is paused. */
void top_say_clock(struct top_pen *pen, const struct top_scene *s, const struct top_ui *ui);

/* The head of the list, so many rows of it. */
void top_draw_head(struct top_canvas *c, const struct top_scene *s, const struct top_ui *ui,
		   size_t rows);

void top_draw_detail(struct top_canvas *c, const struct top_scene *s, struct top_ui *ui);
void top_draw_help(struct top_canvas *c, const struct top_scene *s, struct top_ui *ui);

/* The part of a text that is on the screen, between its first row and the last one. */
void top_draw_scrolled(struct top_canvas *c, const struct top_canvas *text, struct top_ui *ui);

#endif
