/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The columns of the list: what they are called, the key that sorts by them, how wide they are,
 * which go first when the terminal is narrow, what stands in them, and in which order. Pure.
 */
#ifndef WSB_CLI_TOP_COLUMNS_H
#define WSB_CLI_TOP_COLUMNS_H

#include "cli/top_model.h"

enum top_column_id {
	COLUMN_NAME,
	COLUMN_STATE,
	COLUMN_RX,
	COLUMN_RX_BYTES,
	COLUMN_TX,
	COLUMN_TX_BYTES,
	COLUMN_GRAPH,
	COLUMN_QUEUED,
	COLUMN_RTT,
	COLUMN_RECONNECTS,
	COLUMN_CLIENTS,
	COLUMN_DROPPED,
	COLUMN_ERROR,
	N_COLUMNS,
};

struct top_column {
	const char *title;
	const char *about;   /* for the help */
	char key;	     /* sorts by it */
	unsigned char width; /* at least */
	unsigned char most;  /* may grow so far; 0: takes what is left */
	unsigned char rank;  /* the higher, the sooner it is left out */
	bool left;	     /* no numbers */
	bool largest_first;  /* unless it is reversed */
};

extern const struct top_column top_columns[N_COLUMNS];

/* Where each column stands. */
struct top_places {
	size_t col[N_COLUMNS], width[N_COLUMNS]; /* width 0: left out */
};

/* longest: of the names that are shown. */
void top_columns_fit(struct top_places *p, size_t cols, size_t longest);

/* What stands in a column (not the graph), and how it looks. Caller frees. */
char *top_column_text(enum top_column_id id, const struct top_bridge *b, enum top_look *look);

/* < 0: a stands above b. Never 0: where all else is the same, names decide. */
int top_column_order(enum top_column_id id, bool reverse, const struct top_bridge *a,
		     const struct top_bridge *b);

#endif
