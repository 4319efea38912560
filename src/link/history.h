/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happened to a link lately, for `explain`: the last HISTORY_MAX entries,
 * oldest first. Pure. Part of the link.
 */
#ifndef WSB_LINK_HISTORY_H
#define WSB_LINK_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "link/link_fsm.h"

#define HISTORY_MAX 64

struct history_entry {
	int64_t at; /* seconds since 1970 */
	enum history_kind {
		HISTORY_STATE,	 /* state; text: why */
		HISTORY_ATTEMPT, /* an attempt begins; text: the URL without secrets */
		HISTORY_OPENED,	 /* text: peer and TLS version; took */
		HISTORY_ENDED,	 /* err, close_code, text: the sentence; delay */
	} kind;
	enum link_state state;
	enum err code;		/* ENDED: ERR_NONE = a Close in order */
	enum stage stage;	/* ENDED */
	int status, close_code; /* ENDED: 0 = none */
	/* Microseconds. OPENED: the attempt; ENDED: the connection, 0 = was not open. */
	int64_t took;
	int64_t delay;	/* ENDED: until the next attempt, -1 = there is none; microseconds */
	char text[160]; /* escaped, without secrets */
};

struct history {
	struct history_entry entries[HISTORY_MAX];
	size_t first, n;
};

/* A fresh entry, zeroed, in place of the oldest if there is no room. */
struct history_entry *history_add(struct history *h, enum history_kind kind, int64_t at);
const struct history_entry *history_at(const struct history *h, size_t i); /* i < n */

#endif
