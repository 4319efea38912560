/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record splitter of lines.h. It does not look at what is in a record and
 * does not strip a CR. The struct belongs to whoever embeds it. The trap: a
 * record that was put together in `rest` stays there until the next call,
 * which is what `handed` remembers.
 */
#include "base/lines.h"

#include <string.h>

void lines_init(struct lines *l, uint8_t delimiter, size_t max)
{
	*l = (struct lines){ .delimiter = delimiter };
	buf_init(&l->rest, max);
}

void lines_deinit(struct lines *l)
{
	buf_deinit(&l->rest);
	l->handed = l->skipping = false;
}

static void forget_handed(struct lines *l)
{
	if (l->handed)
		buf_clear(&l->rest);
	l->handed = false;
}

/* Takes what is there up to the delimiter, and the delimiter too; false: it is not there. */
static bool take_piece(struct lines *l, struct span *input, struct span *piece)
{
	const uint8_t *end = input->n ? memchr(input->p, l->delimiter, input->n) : NULL;

	*piece = *input;
	if (end)
		piece->n = (size_t)(end - input->p);
	*input = span_skip(*input, piece->n + (end ? 1 : 0));
	return end != NULL;
}

/* One piece of a record, the last one if `whole`. */
static enum lines_result take_record(struct lines *l, struct span piece, bool whole,
				     struct span *record)
{
	if (whole && l->rest.len == 0 && piece.n <= l->rest.cap) {
		*record = piece;
		return LINES_RECORD;
	}
	if (!buf_append(&l->rest, piece)) {
		buf_clear(&l->rest);
		l->skipping = !whole;
		return LINES_TOO_LONG;
	}
	if (!whole)
		return LINES_MORE;
	l->handed = true;
	*record = buf_bytes(&l->rest);
	return LINES_RECORD;
}

enum lines_result lines_next(struct lines *l, struct span *input, struct span *record)
{
	forget_handed(l);
	while (input->n > 0) {
		struct span piece;
		bool whole = take_piece(l, input, &piece);

		if (!l->skipping)
			return take_record(l, piece, whole, record);
		l->skipping = !whole;
	}
	return LINES_MORE;
}

enum lines_result lines_finish(struct lines *l, struct span *record)
{
	forget_handed(l);
	l->skipping = false;
	if (l->rest.len == 0)
		return LINES_MORE;
	l->handed = true;
	*record = buf_bytes(&l->rest);
	return LINES_RECORD;
}

bool lines_is_between(struct lines *l)
{
	forget_handed(l);
	return l->rest.len == 0 && !l->skipping;
}

size_t lines_pending(const struct lines *l)
{
	return l->handed ? 0 : l->rest.len;
}
