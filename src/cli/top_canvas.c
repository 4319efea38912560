/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See top_canvas.h. A character of no width is left out: marks that combine would need cells of
 * more than one character, and hardly anything here has them.
 */
#include "cli/top_canvas.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"

void top_canvas_add_rows(struct top_canvas *c, size_t n)
{
	size_t before = c->rows * c->cols, all = (c->rows + n) * c->cols;

	c->cells = mem_grow(c->cells, all + 1, sizeof(*c->cells));
	for (size_t i = before; i < all; i++)
		c->cells[i] = (struct top_cell){ L' ', LOOK_PLAIN };
	c->rows += n;
}

void top_canvas_init(struct top_canvas *c, size_t rows, size_t cols, bool utf8)
{
	*c = (struct top_canvas){ .cols = cols, .utf8 = utf8 };
	top_canvas_add_rows(c, rows);
}

void top_canvas_deinit(struct top_canvas *c)
{
	free(c->cells);
	*c = (struct top_canvas){ 0 };
}

void top_put_char(struct top_canvas *c, size_t row, size_t col, wchar_t ch, enum top_look look)
{
	if (row < c->rows && col < c->cols)
		c->cells[row * c->cols + col] = (struct top_cell){ ch, (unsigned char)look };
}

/* One character of the text, and how many columns it takes. */
struct glyph {
	wchar_t ch;
	size_t bytes, width;
};

static wchar_t decode(const unsigned char *p, size_t n)
{
	static const unsigned char first[] = { 0, 0x7F, 0x1F, 0x0F, 0x07 };
	wchar_t ch = p[0] & first[n];

	for (size_t i = 1; i < n; i++)
		ch = (ch << 6) | (p[i] & 0x3F);
	return ch;
}

static struct glyph glyph_at(const struct top_canvas *c, const char *text)
{
	size_t n = utf8_char_len(span_str(text));
	struct glyph g = { L'?', n ? n : 1, 1 };
	int width;

	if (n == 0)
		return g;
	if (n == 1) {
		g.ch = *text >= ' ' && *text != 0x7F ? *text : L'?';
		return g;
	}
	if (!c->utf8)
		return g;
	g.ch = decode((const unsigned char *)text, n);
	width = wcwidth(g.ch);
	if (width < 0)
		g.ch = L'?';
	else
		g.width = (size_t)width;
	return g;
}

size_t top_width(const struct top_canvas *c, const char *text)
{
	size_t width = 0;

	while (*text) {
		struct glyph g = glyph_at(c, text);

		width += g.width;
		text += g.bytes;
	}
	return width;
}

static void put_glyph(struct top_canvas *c, struct top_place at, enum top_look look, struct glyph g)
{
	if (g.width > 0)
		top_put_char(c, at.row, at.col, g.ch, look);
	if (g.width > 1)
		top_put_char(c, at.row, at.col + 1, 0, look);
}

size_t top_put(struct top_canvas *c, struct top_place at, enum top_look look, const char *text)
{
	size_t begin = at.col, end, width = top_width(c, text);
	bool cut;

	if (at.col >= c->cols)
		return 0;
	end = at.width < c->cols - at.col ? at.col + at.width : c->cols;
	cut = width > end - begin;
	if (end == begin)
		return 0;
	while (*text) {
		struct glyph g = glyph_at(c, text);

		if (at.col + g.width + cut > end)
			break;
		put_glyph(c, at, look, g);
		at.col += g.width;
		text += g.bytes;
	}
	if (cut)
		top_put_char(c, at.row, at.col++, c->utf8 ? L'\u2026' : L'~', look);
	return at.col - begin;
}

void top_put_right(struct top_canvas *c, struct top_place at, enum top_look look, const char *text)
{
	size_t width = top_width(c, text);

	if (width < at.width) {
		at.col += at.width - width;
		at.width = width;
	}
	top_put(c, at, look, text);
}

/* `\033[32m`, as print_mark has it; 0: no such thing is here. */
static size_t mark_at(const char *text, enum top_look *look)
{
	static const struct {
		const char *code;
		enum top_look look;
	} codes[] = { { "\033[0m", LOOK_PLAIN },
		      { "\033[2m", LOOK_DIM },
		      { "\033[31m", LOOK_BAD },
		      { "\033[32m", LOOK_GOOD },
		      { "\033[33m", LOOK_BUSY } };

	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
		size_t n = strlen(codes[i].code);

		if (strncmp(text, codes[i].code, n) == 0) {
			*look = codes[i].look;
			return n;
		}
	}
	return 0;
}

/* Columns up to the next blank: a word is broken only where it is wider than a row. */
static size_t word_width(const struct top_canvas *c, const char *text)
{
	enum top_look ignored;
	size_t width = 0;

	while (*text && *text != ' ') {
		size_t mark = mark_at(text, &ignored);
		struct glyph g = glyph_at(c, text);

		width += mark ? 0 : g.width;
		text += mark ? mark : g.bytes;
	}
	return width;
}

static bool must_break(const struct top_canvas *c, const char *text, size_t col, size_t indent)
{
	size_t word = word_width(c, text);

	if (col <= indent)
		return false;
	return col + glyph_at(c, text).width > c->cols ||
	       (text[-1] == ' ' && col + word > c->cols && word <= c->cols - indent);
}

void top_add_line(struct top_canvas *c, const char *line, size_t indent)
{
	enum top_look look = LOOK_PLAIN;
	size_t col = 0;

	indent = indent + 10 < c->cols ? indent : 0;
	top_canvas_add_rows(c, 1);
	while (*line) {
		size_t mark = mark_at(line, &look);
		struct glyph g = glyph_at(c, line);

		line += mark;
		if (mark)
			continue;
		if (must_break(c, line, col, indent)) {
			top_canvas_add_rows(c, 1);
			col = indent;
			if (*line == ' ') {
				line++;
				continue;
			}
		}
		put_glyph(c, top_at(c->rows - 1, col, 0), look, g);
		col += g.width;
		line += g.bytes;
	}
}

enum top_look top_look_of(enum table_mark mark)
{
	switch (mark) {
	case MARK_NONE:
		return LOOK_PLAIN;
	case MARK_GOOD:
		return LOOK_GOOD;
	case MARK_BUSY:
		return LOOK_BUSY;
	case MARK_BAD:
		return LOOK_BAD;
	case MARK_DIM:
		return LOOK_DIM;
	}
	return LOOK_PLAIN;
}

void top_select_row(struct top_canvas *c, size_t row)
{
	for (size_t i = 0; row < c->rows && i < c->cols; i++)
		c->cells[row * c->cols + i].look |= LOOK_SELECTED;
}

void top_copy_rows(struct top_canvas *dst, struct top_place at, const struct top_canvas *src,
		   size_t src_row, size_t n)
{
	for (size_t i = 0; i < n && src_row + i < src->rows; i++)
		for (size_t col = 0; col < at.width && col < src->cols; col++) {
			struct top_cell cell = src->cells[(src_row + i) * src->cols + col];

			top_put_char(dst, at.row + i, at.col + col, cell.ch, cell.look);
		}
}
