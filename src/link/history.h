/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happened to a link lately, for `explain`: the last HISTORY_MAX entries,
 * oldest first. Memory is taken for what there is. Pure. Part of the link.
 */
#ifndef WSB_LINK_HISTORY_H
#define WSB_LINK_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "link/link_fsm.h"

#define HISTORY_MAX 64
#define HISTORY_TEXT_MAX 159 /* bytes; what is longer is cut */

enum history_kind {
	HISTORY_STATE,	 /* state; text: why */
	HISTORY_ATTEMPT, /* an attempt begins; text: the URL without secrets */
	HISTORY_OPENED,	 /* text: peer and TLS version; took */
	HISTORY_ENDED,	 /* err, close_code, text: the sentence; delay */
};

struct history_entry {
	int64_t at; /* seconds since 1970 */
	enum history_kind kind : 8;
	enum link_state state : 8;
	enum err code : 8;	     /* ENDED: ERR_NONE = a Close in order */
	enum stage stage : 8;	     /* ENDED */
	uint16_t status, close_code; /* ENDED: 0 = none */
	/* Microseconds. OPENED: the attempt; ENDED: the connection, 0 = was not open. */
	int64_t took;
	int64_t delay;	  /* ENDED: until the next attempt, -1 = there is none; microseconds */
	const char *text; /* escaped, without secrets */
};

/* Zeroed memory is an empty one. */
struct history {
	uint8_t *records; /* one behind the other */
	uint32_t len, n;
};

void history_deinit(struct history *h); /* it is empty then */

/* Copies the entry with its text, in place of the oldest if there is no room. */
void history_add(struct history *h, const struct history_entry *entry);
struct history_entry history_at(const struct history *h, size_t i); /* i < n; until the next one */

/* `to` gets what `from` has; what it had goes. */
void history_copy(struct history *to, const struct history *from);

#endif
