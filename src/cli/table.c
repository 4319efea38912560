/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables. Everything is kept until table_print, for only then the widths are
 * known. The owner is whoever made it. The trap: a cell is cut between
 * characters, never inside one.
 */
#include "cli/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/print.h"

#define GAP 2
#define SHRINK_MIN 12
#define CUT_MIN 4 /* one character and "..." */
#define NOTE_INDENT 2

struct cell {
	char *text;
	enum table_mark mark;
};

struct row {
	struct cell *cells;
	size_t n; /* filled so far */
	struct cell *notes;
	size_t n_notes;
};

struct table {
	const struct table_column *columns;
	size_t n_columns;
	struct row *rows;
	size_t n_rows;
};

struct table *table_new(const struct table_column *columns, size_t n)
{
	struct table *t = mem_zalloc(sizeof(*t));

	t->columns = columns;
	t->n_columns = n;
	return t;
}

static void free_cells(struct cell *cells, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(cells[i].text);
	free(cells);
}

void table_free(struct table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n_rows; i++) {
		free_cells(t->rows[i].cells, t->rows[i].n);
		free_cells(t->rows[i].notes, t->rows[i].n_notes);
	}
	free(t->rows);
	free(t);
}

static struct row *begin_row(struct table *t)
{
	struct row *row;

	t->rows = mem_grow(t->rows, t->n_rows + 1, sizeof(*t->rows));
	row = &t->rows[t->n_rows++];
	*row = (struct row){ .cells = mem_array(t->n_columns, sizeof(*row->cells)) };
	return row;
}

void table_add_take(struct table *t, char *text, enum table_mark mark)
{
	struct row *row = t->n_rows ? &t->rows[t->n_rows - 1] : NULL;

	if (!row || row->n == t->n_columns)
		row = begin_row(t);
	row->cells[row->n++] = (struct cell){ text ? text : mem_strdup("-"), mark };
}

void table_note_take(struct table *t, char *text, enum table_mark mark)
{
	struct row *row = &t->rows[t->n_rows - 1];

	row->notes = mem_grow(row->notes, row->n_notes + 1, sizeof(*row->notes));
	row->notes[row->n_notes++] = (struct cell){ text, mark };
}

static size_t column_width(const struct table *t, size_t column)
{
	size_t widest = text_width(t->columns[column].title);

	for (size_t i = 0; i < t->n_rows; i++) {
		size_t w = column < t->rows[i].n ? text_width(t->rows[i].cells[column].text) : 0;

		if (w > widest)
			widest = w;
	}
	return widest;
}

/* On a narrow terminal all give way, the widest first; unless not even that helps. */
static void squeeze(size_t *widths, size_t n, size_t excess)
{
	size_t spare = 0;

	for (size_t i = 0; i < n; i++)
		spare += widths[i] > CUT_MIN ? widths[i] - CUT_MIN : 0;
	if (spare < excess)
		return;
	for (; excess > 0; excess--) {
		size_t widest = 0;

		for (size_t i = 1; i < n; i++)
			if (widths[i] > widths[widest])
				widest = i;
		widths[widest]--;
	}
}

/* The widths that fit: first those columns give way that are meant to. Caller frees. */
static size_t *fit(const struct table *t, size_t limit)
{
	size_t *widths = mem_array(t->n_columns, sizeof(*widths));
	size_t all = GAP * (t->n_columns - 1);

	for (size_t i = 0; i < t->n_columns; i++)
		all += widths[i] = column_width(t, i);
	for (size_t i = 0; i < t->n_columns && limit && all > limit; i++) {
		size_t spare = widths[i] > SHRINK_MIN ? widths[i] - SHRINK_MIN : 0;

		if (!t->columns[i].shrink)
			continue;
		if (spare > all - limit)
			spare = all - limit;
		widths[i] -= spare;
		all -= spare;
	}
	if (limit && all > limit && !t->columns[t->n_columns - 1].whole)
		squeeze(widths, t->n_columns, all - limit);
	return widths;
}

/* As many bytes as the first n characters take. */
static size_t bytes_of(const char *text, size_t n)
{
	size_t i = 0;

	for (; text[i]; i++)
		if (((unsigned char)text[i] & 0xC0) != 0x80 && n-- == 0)
			break;
	return i;
}

struct place {
	size_t width;
	bool right, last;
};

static void print_cell(struct printer *p, const char *text, enum table_mark mark,
		       struct place place)
{
	size_t width = text_width(text);
	bool cut = width > place.width;
	size_t keep = cut ? bytes_of(text, place.width - 3) : strlen(text);
	int pad = cut ? 0 : (int)(place.width - width);

	if (place.right)
		fprintf(p->out, "%*s", pad, "");
	print_mark(p, mark);
	fprintf(p->out, "%.*s%s", (int)keep, text, cut ? "..." : "");
	print_mark_end(p, mark);
	if (place.last)
		return;
	fprintf(p->out, "%*s", place.right ? GAP : pad + GAP, "");
}

static struct place place_of(const struct table *t, const size_t *widths, size_t column)
{
	return (struct place){ .width = widths[column],
			       .right = t->columns[column].right,
			       .last = column + 1 == t->n_columns };
}

static void print_row(const struct row *row, const struct table *t, const size_t *widths,
		      struct printer *p)
{
	for (size_t i = 0; i < row->n; i++)
		print_cell(p, row->cells[i].text, row->cells[i].mark, place_of(t, widths, i));
	fputc('\n', p->out);
	for (size_t i = 0; i < row->n_notes; i++) {
		print_mark(p, row->notes[i].mark);
		print_wrapped(p, NOTE_INDENT, row->notes[i].text);
		print_mark_end(p, row->notes[i].mark);
	}
}

void table_print(const struct table *t, struct printer *p)
{
	size_t *widths = fit(t, p->width);

	for (size_t i = 0; i < t->n_columns; i++)
		print_cell(p, t->columns[i].title, MARK_DIM, place_of(t, widths, i));
	fputc('\n', p->out);
	for (size_t i = 0; i < t->n_rows; i++)
		print_row(&t->rows[i], t, widths, p);
	free(widths);
}
