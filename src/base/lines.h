/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stream → delimited records. Records that lie whole in the input are handed
 * out where they lie; only an unfinished rest is kept. A record above the
 * maximum is reported once and skipped to its delimiter; the next one is read
 * afresh. Pure: no I/O.
 */
#ifndef WSB_BASE_LINES_H
#define WSB_BASE_LINES_H

#include "base/buf.h"

enum lines_result {
	LINES_RECORD,	/* *record is one record, without its delimiter */
	LINES_MORE,	/* the input is used up */
	LINES_TOO_LONG, /* a record passed the maximum (or memory); the rest will be skipped */
};

struct lines {
	struct buf rest; /* the unfinished record */
	uint8_t delimiter;
	bool skipping; /* inside a record that was too long */
	bool handed;   /* `rest` is the record handed out last */
};

void lines_init(struct lines *l, uint8_t delimiter, size_t max);
void lines_deinit(struct lines *l);

/*
 * Takes the next record off *input, which is advanced. *record is valid until
 * the next call on l and no longer than the input's bytes. Call until
 * LINES_MORE.
 */
enum lines_result lines_next(struct lines *l, struct span *input, struct span *record);

/* At the end of input: LINES_RECORD if the last record lacked its delimiter, else LINES_MORE. */
enum lines_result lines_finish(struct lines *l, struct span *record);

/* The next record begins with the next byte of input. What was handed out is forgotten. */
bool lines_is_between(struct lines *l);

/* Bytes of the unfinished record. */
size_t lines_pending(const struct lines *l);

#endif
