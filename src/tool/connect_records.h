/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Standard input → what is sent: lines, or bytes as they come. A record stays
 * until it is done with, for the connection may have no room for it. Pure.
 */
#ifndef WSB_TOOL_CONNECT_RECORDS_H
#define WSB_TOOL_CONNECT_RECORDS_H

#include "base/buf.h"

#define CONNECT_LINE_MAX ((size_t)64 << 20)

struct connect_records {
	struct buf bytes;
	size_t scanned; /* so much of them has no newline */
	size_t taken;	/* of the record that is out, with its newline */
	size_t number;	/* of that record, from 1 */
	bool whole;	/* no lines */
	bool ended;	/* no more bytes will come */
};

enum connect_record { RECORD_NONE, RECORD_READY, RECORD_TOO_LONG };

void connect_records_init(struct connect_records *r, bool whole);
void connect_records_deinit(struct connect_records *r);

/* False: no memory. To be called when RECORD_NONE was the last answer. */
bool connect_records_feed(struct connect_records *r, struct span bytes);
void connect_records_end(struct connect_records *r); /* an unfinished line is a record */

/* The same record until connect_records_done; valid as long. After TOO_LONG it is no more use. */
enum connect_record connect_records_next(struct connect_records *r, struct span *record);
void connect_records_done(struct connect_records *r);

#endif
