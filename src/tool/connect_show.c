/* SPDX-License-Identifier: Apache-2.0 */
/* See connect_show.h. On a terminal a line stays a line, whatever the server sends. */
#include "tool/connect_show.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/escape.h"
#include "base/mem.h"

#define SECOND 1e6
/* An escaped byte takes four; the rest is for "..." that never comes. */
#define ESCAPED_SIZE(n) (4 * (n) + 8)

static const char *const names[] = {
	[CONNECT_TEXT] = "text", [CONNECT_BINARY] = "binary", [CONNECT_PING] = "ping",
	[CONNECT_PONG] = "pong", [CONNECT_CLOSE] = "close",
};

bool connect_show_wants(const struct connect_style *style, enum connect_kind kind)
{
	switch (kind) {
	case CONNECT_TEXT:
	case CONNECT_BINARY:
		return true;
	case CONNECT_PING:
	case CONNECT_PONG:
	case CONNECT_CLOSE:
		return style->types && !style->stream;
	case CONNECT_NOTE:
		return style->marked;
	}
	return false;
}

static bool put(struct buf *out, const char *text)
{
	return buf_append(out, span_str(text));
}

static bool put_front(const struct connect_style *style, const struct connect_item *item,
		      struct buf *out)
{
	char time[48];

	if (item->kind == CONNECT_NOTE)
		return put(out, "* ");
	if (style->marked && !put(out, "< "))
		return false;
	snprintf(time, sizeof(time), "%.3f: ", (double)item->at / SECOND);
	if (style->timings && !put(out, time))
		return false;
	return !style->types || (put(out, names[item->kind]) && put(out, ": "));
}

static bool put_visible(struct span data, struct buf *out)
{
	size_t size = ESCAPED_SIZE(data.n);
	char *shown = mem_try_alloc(size);
	bool good = shown && put(out, escape_control(shown, size, data));

	free(shown);
	return good;
}

bool connect_show(const struct connect_style *style, const struct connect_item *item,
		  struct buf *out)
{
	if (style->stream)
		return buf_append(out, item->data);
	if (!item->goes_on && !put_front(style, item, out))
		return false;
	if (style->visible ? !put_visible(item->data, out) : !buf_append(out, item->data))
		return false;
	return item->more || put(out, "\n");
}
