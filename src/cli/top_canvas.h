/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A screen as values: rows of cells, each one character and how it looks. Everything that
 * `wsbridge top` shows is drawn here first, so that it can be compared without a terminal. What
 * lies outside is cut off, without a word. Pure. The trap: how wide a character is depends on the
 * locale (wcwidth), so LC_CTYPE must be UTF-8 where `utf8` is set.
 */
#ifndef WSB_CLI_TOP_CANVAS_H
#define WSB_CLI_TOP_CANVAS_H

#include <stdbool.h>
#include <stddef.h>
#include <wchar.h>

#include "cli/table.h"

enum top_look {
	LOOK_PLAIN,
	LOOK_DIM,
	LOOK_BOLD,
	LOOK_TITLE,  /* of a column */
	LOOK_SORTED, /* the title of the one that is sorted by */
	LOOK_GOOD,
	LOOK_BUSY,
	LOOK_BAD,
	LOOK_RX, /* graphs */
	LOOK_TX,
	N_LOOKS,
	LOOK_SELECTED = 0x80, /* added to one of the above */
};

struct top_cell {
	wchar_t ch; /* 0: the right half of the character before */
	unsigned char look;
};

struct top_canvas {
	size_t rows, cols;
	bool utf8; /* else only ASCII is drawn */
	struct top_cell *cells;
};

void top_canvas_init(struct top_canvas *c, size_t rows, size_t cols, bool utf8); /* blank */
void top_canvas_deinit(struct top_canvas *c);
void top_canvas_add_rows(struct top_canvas *c, size_t n); /* blank ones, below */

/* Where something goes: not beyond width. */
struct top_place {
	size_t row, col, width;
};

static inline struct top_place top_at(size_t row, size_t col, size_t width)
{
	return (struct top_place){ row, col, width };
}

void top_put_char(struct top_canvas *c, size_t row, size_t col, wchar_t ch, enum top_look look);

/*
 * UTF-8 without control characters. What is too wide ends in an ellipsis. Returns the columns
 * used. The other one puts it at the right end of the place.
 */
size_t top_put(struct top_canvas *c, struct top_place at, enum top_look look, const char *text);
void top_put_right(struct top_canvas *c, struct top_place at, enum top_look look, const char *text);

/*
 * A line as the printers make it, with their colours in it (print_mark), broken where it is too
 * wide; what follows is indented. Adds the rows that it needs.
 */
void top_add_line(struct top_canvas *c, const char *line, size_t indent);

size_t top_width(const struct top_canvas *c, const char *text); /* columns of the text */

enum top_look top_look_of(enum table_mark mark);

void top_select_row(struct top_canvas *c, size_t row);

/* n rows of src from src_row on, as far as there are any. */
void top_copy_rows(struct top_canvas *dst, struct top_place at, const struct top_canvas *src,
		   size_t src_row, size_t n);

#endif
