/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See connect_screen.h. The editor is told to draw anew, and believes that the
 * cursor stands at the beginning of an empty line: we see to that. The trap: a
 * line may take several rows, and the cursor be in any of them.
 */
#include "tool/connect_screen.h"

#include <errno.h>
#include <histedit.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#define PROMPT_WIDTH (sizeof(CONNECT_PROMPT) - 1)
#define PIECE 65536
#define LINE_SIZE_MAX ((size_t)1 << 30)

void connect_screen_init(struct connect_screen *s)
{
	*s = (struct connect_screen){ .editor = NULL };
	buf_init(&s->line, LINE_SIZE_MAX);
}

void connect_screen_deinit(struct connect_screen *s)
{
	buf_deinit(&s->line);
}

void connect_screen_look(struct connect_screen *s)
{
	struct winsize now;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &now) != 0 ||
	    (now.ws_col == s->size.ws_col && now.ws_row == s->size.ws_row))
		return;
	s->size = now;
	if (s->editor)
		el_resize(s->editor);
}

/* A character that takes two columns begins a new row where only one is left. */
static void advance(const struct connect_screen *s, int width, size_t *row, size_t *column)
{
	if (*column + (size_t)width > s->size.ws_col) {
		(*row)++;
		*column = 0;
	}
	*column += (size_t)width;
}

/* How far the cursor goes at once: the editor draws a control character as ^X, which is two. */
static int width_of(wchar_t c)
{
	int n = wcwidth(c);

	return n < 0 ? 1 : n;
}

/* In which row of the line the cursor stands: before a character, where that begins. */
static size_t row_of_cursor(const struct connect_screen *s)
{
	const LineInfoW *line = el_wline(s->editor);
	size_t row = 0, column = PROMPT_WIDTH;

	if (s->size.ws_col == 0)
		return 0;
	for (const wchar_t *c = line->buffer; c < line->cursor; c++) {
		advance(s, width_of(*c), &row, &column);
		if (wcwidth(*c) < 0)
			advance(s, 1, &row, &column);
	}
	advance(s, line->cursor < line->lastchar ? width_of(*line->cursor) : 1, &row, &column);
	return row;
}

/* The cursor goes to where the prompt begins, and all behind it is wiped. */
static void wipe(struct connect_screen *s)
{
	size_t row = row_of_cursor(s);

	if (row)
		printf("\033[%zuA", row);
	fputs("\r\033[J", stdout);
}

/* All complete lines at once, for there may be many. */
static void print_lines(struct connect_screen *s)
{
	struct span all = buf_bytes(&s->line);
	const uint8_t *last = all.n ? memrchr(all.p, '\n', all.n) : NULL;
	size_t n = last ? (size_t)(last - all.p) + 1 : 0;

	if (n == 0)
		return;
	if (s->editor)
		wipe(s);
	fwrite(all.p, 1, n, stdout);
	buf_consume(&s->line, n);
	if (s->editor)
		el_set(s->editor, EL_REFRESH);
	fflush(stdout);
}

bool connect_screen_read(struct connect_screen *s, int fd)
{
	uint8_t *room = buf_reserve(&s->line, PIECE);
	ssize_t n = room ? read(fd, room, PIECE) : 0;

	if (n < 0)
		return errno == EINTR;
	if (n == 0)
		return false;
	buf_commit(&s->line, (size_t)n);
	print_lines(s);
	return true;
}

void connect_screen_end_editing(struct connect_screen *s)
{
	wipe(s);
	fflush(stdout);
	s->editor = NULL;
}
