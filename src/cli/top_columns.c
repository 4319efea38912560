/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See top_columns.h. The trap: a title needs one column more than its letters, for the arrow of
 * the sorted one.
 */
#include "cli/top_columns.h"

#include <string.h>

#include "base/mem.h"
#include "cli/print_status.h"
#include "cli/top_text.h"
#include "control/names.h"

#define GAP 1

const struct top_column top_columns[N_COLUMNS] = {
	[COLUMN_NAME] = { "NAME", "name", 'N', 12, 24, 0, .left = true },
	[COLUMN_STATE] = { "STATE", "state; waiting: until the next attempt", 'S', 11, 11, 1,
			   .left = true },
	[COLUMN_RX] = { "RX/s", "messages received per second", 'R', 6, 6, 2,
			.largest_first = true },
	[COLUMN_RX_BYTES] = { "RX B/s", "bytes received per second", 'B', 7, 7, 6,
			      .largest_first = true },
	[COLUMN_TX] = { "TX/s", "messages sent per second", 'T', 6, 6, 3, .largest_first = true },
	[COLUMN_TX_BYTES] = { "TX B/s", "bytes sent per second", 'Y', 7, 7, 7,
			      .largest_first = true },
	[COLUMN_GRAPH] = { "MSG/s", "messages per second, both ways, lately", 'M', 8, 32, 4,
			   .left = true, .largest_first = true },
	[COLUMN_QUEUED] = { "QUEUED", "bytes that wait in the outbox and for clients", 'Q', 7, 7, 8,
			    .largest_first = true },
	[COLUMN_RTT] = { "RTT", "round trip time of the last ping", 'L', 6, 6, 5,
			 .largest_first = true },
	[COLUMN_RECONNECTS] = { "RECON", "how often it was connected again", 'C', 6, 6, 12,
				.largest_first = true },
	[COLUMN_CLIENTS] = { "CLIENTS", "local clients", 'U', 8, 8, 10, .largest_first = true },
	[COLUMN_DROPPED] = { "DROPPED", "messages that were lost", 'D', 8, 8, 11,
			     .largest_first = true },
	[COLUMN_ERROR] = { "LAST ERROR", "the last error", 'E', 16, 0, 9, .left = true },
};

/* A column of words behind one of numbers needs more air. */
static size_t gap_before(enum top_column_id id)
{
	if (id == COLUMN_NAME)
		return 0;
	return top_columns[id].left && !top_columns[id - 1].left ? 2 * GAP : GAP;
}

/* Takes as many as fit, the most important ones first. Returns what is left. */
static size_t choose(struct top_places *p, size_t cols)
{
	size_t left = cols;

	for (unsigned rank = 0; rank < N_COLUMNS; rank++)
		for (int id = 0; id < N_COLUMNS; id++) {
			size_t need = top_columns[id].width + gap_before((enum top_column_id)id);

			if (top_columns[id].rank != rank || need > left)
				continue;
			p->width[id] = top_columns[id].width;
			left -= need;
		}
	return left;
}

/* Returns what is left. */
static size_t widen(struct top_places *p, enum top_column_id id, size_t most, size_t left)
{
	size_t more;

	if (p->width[id] == 0 || most <= p->width[id])
		return left;
	more = most - p->width[id] < left ? most - p->width[id] : left;
	p->width[id] += more;
	return left - more;
}

void top_columns_fit(struct top_places *p, size_t cols, size_t longest)
{
	const size_t widest = top_columns[COLUMN_NAME].most;
	size_t left, col = 0;

	*p = (struct top_places){ 0 };
	if (cols < top_columns[COLUMN_NAME].width) {
		p->width[COLUMN_NAME] = cols;
		return;
	}
	left = choose(p, cols);
	left = widen(p, COLUMN_NAME, longest < widest ? longest : widest, left);
	/* An error wants half of what is left. */
	widen(p, COLUMN_GRAPH, top_columns[COLUMN_GRAPH].most,
	      p->width[COLUMN_ERROR] ? left / 2 : left);
	for (int id = 0; id < N_COLUMNS; id++) {
		if (p->width[id] == 0)
			continue;
		col += gap_before((enum top_column_id)id);
		p->col[id] = col;
		col += p->width[id];
	}
	if (p->width[COLUMN_ERROR])
		p->width[COLUMN_ERROR] = cols - p->col[COLUMN_ERROR];
}

static const char *string_of(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

static const json_t *error_of(const struct top_bridge *b)
{
	return json_object_get(json_object_get(b->view, FIELD_LAST_ERROR), FIELD_MESSAGE);
}

/* What is ordered by numbers. */
static double value_of(enum top_column_id id, const struct top_bridge *b)
{
	switch (id) {
	case COLUMN_STATE:
		return (double)b->state;
	case COLUMN_RX:
		return b->rx.rate.messages;
	case COLUMN_RX_BYTES:
		return b->rx.rate.bytes;
	case COLUMN_TX:
		return b->tx.rate.messages;
	case COLUMN_TX_BYTES:
		return b->tx.rate.bytes;
	case COLUMN_GRAPH:
		return top_rate_of(b);
	case COLUMN_QUEUED:
		return b->queued;
	case COLUMN_RTT:
		return b->rtt;
	case COLUMN_RECONNECTS:
		return b->reconnects;
	case COLUMN_CLIENTS:
		return b->clients;
	case COLUMN_DROPPED:
		return b->dropped;
	case COLUMN_NAME:
	case COLUMN_ERROR:
	case N_COLUMNS:
		break;
	}
	return 0;
}

static char *text_state(const struct top_bridge *b, enum top_look *look)
{
	mem_auto_str state = text_of(json_object_get(b->view, FIELD_STATE));
	char in[TOP_NUMBER];

	*look = top_look_of(mark_of_state(string_of(b->view, FIELD_STATE)));
	if (!state)
		return mem_strdup("-");
	if (b->retry_in < 0)
		return mem_strdup(state);
	if (b->retry_in < 59) /* tenths would only flicker */
		return mem_printf("%s %ds", state, (int)(b->retry_in + 0.5));
	return mem_printf("%s %s", state, top_time(in, b->retry_in));
}

static char *text_error(const struct top_bridge *b, enum top_look *look)
{
	char *text = text_of(error_of(b));

	*look = b->state == TOP_OPEN ? LOOK_DIM : LOOK_PLAIN;
	return text ? text : mem_strdup("");
}

static char *text_value(enum top_column_id id, double value, enum top_look *look)
{
	char out[TOP_NUMBER];

	*look = value > 0 ? LOOK_PLAIN : LOOK_DIM;
	if (id == COLUMN_DROPPED && value > 0)
		*look = LOOK_BUSY;
	if (id == COLUMN_RTT)
		return mem_strdup(top_time(out, value));
	if (id == COLUMN_RX_BYTES || id == COLUMN_TX_BYTES || id == COLUMN_QUEUED)
		return mem_strdup(top_bytes(out, value));
	if (id == COLUMN_RX || id == COLUMN_TX)
		return mem_strdup(top_count(out, value));
	return mem_strdup(top_whole(out, value));
}

char *top_column_text(enum top_column_id id, const struct top_bridge *b, enum top_look *look)
{
	char *text;

	if (id == COLUMN_STATE)
		return text_state(b, look);
	if (id == COLUMN_ERROR)
		return text_error(b, look);
	if (id != COLUMN_NAME)
		return text_value(id, value_of(id, b), look);
	*look = LOOK_PLAIN;
	text = text_of(json_object_get(b->view, FIELD_NAME));
	return text ? text : mem_strdup("-");
}

static int order(double a, double b)
{
	return (a > b) - (a < b);
}

/* No error is below every error. */
static int order_errors(const struct top_bridge *a, const struct top_bridge *b)
{
	const char *one = json_string_value(error_of(a)), *other = json_string_value(error_of(b));

	if (!one || !other)
		return !one - !other;
	return strcmp(one, other);
}

int top_column_order(enum top_column_id id, bool reverse, const struct top_bridge *a,
		     const struct top_bridge *b)
{
	int names = strcmp(a->name, b->name), sign;

	if (id == COLUMN_NAME)
		return reverse ? -names : names;
	sign = id == COLUMN_ERROR ? order_errors(a, b) : order(value_of(id, a), value_of(id, b));
	if (top_columns[id].largest_first != reverse)
		sign = -sign;
	return sign ? sign : names;
}
