/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of text for people: columns as wide as their widest cell, one of them
 * cut when the line would pass the width of the terminal, notes below a row.
 * Widths count characters, not bytes; cells must be free of control characters.
 */
#ifndef WSB_CLI_TABLE_H
#define WSB_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>

struct printer;

struct table_column {
	const char *title;
	bool right;  /* numbers */
	bool shrink; /* is cut first; one column at most */
	bool whole;  /* the last one: never cut, the terminal breaks it */
};

/* How a cell is coloured, if at all. */
enum table_mark { MARK_NONE, MARK_GOOD, MARK_BUSY, MARK_BAD, MARK_DIM };

struct table;

struct table *table_new(const struct table_column *columns, size_t n); /* columns must outlive it */
void table_free(struct table *t);

/* Takes the text (from malloc; NULL = "-") as the next cell; after n cells the next row begins. */
void table_add_take(struct table *t, char *text, enum table_mark mark);

/* A line of its own below the last row, indented and broken between words. Takes text. */
void table_note_take(struct table *t, char *text, enum table_mark mark);

void table_print(const struct table *t, struct printer *p);

#endif
