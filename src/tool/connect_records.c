/* SPDX-License-Identifier: Apache-2.0 */
/* See connect_records.h. A CR before the newline stays: who wants it away says so elsewhere. */
#include "tool/connect_records.h"

#include <assert.h>
#include <string.h>

#define PIECE_MAX ((size_t)1 << 20)

void connect_records_init(struct connect_records *r, bool whole)
{
	*r = (struct connect_records){ .whole = whole };
	buf_init(&r->bytes, CONNECT_LINE_MAX + PIECE_MAX);
}

void connect_records_deinit(struct connect_records *r)
{
	buf_deinit(&r->bytes);
}

bool connect_records_feed(struct connect_records *r, struct span bytes)
{
	assert(!r->ended && bytes.n <= PIECE_MAX);
	return buf_append(&r->bytes, bytes);
}

void connect_records_end(struct connect_records *r)
{
	r->ended = true;
}

static enum connect_record take(struct connect_records *r, size_t n)
{
	if (!r->taken)
		r->number++;
	r->taken = n;
	return RECORD_READY;
}

static enum connect_record next_line(struct connect_records *r, struct span *record)
{
	struct span all = buf_bytes(&r->bytes), fresh = span_skip(all, r->scanned);
	const uint8_t *newline = fresh.n ? memchr(fresh.p, '\n', fresh.n) : NULL;

	if (newline)
		r->scanned = (size_t)(newline - all.p);
	else
		r->scanned = all.n;
	if (r->scanned > CONNECT_LINE_MAX)
		return RECORD_TOO_LONG;
	*record = span_of(all.p, r->scanned);
	if (newline)
		return take(r, r->scanned + 1);
	return r->ended && all.n > 0 ? take(r, all.n) : RECORD_NONE;
}

enum connect_record connect_records_next(struct connect_records *r, struct span *record)
{
	if (!r->whole)
		return next_line(r, record);
	*record = buf_bytes(&r->bytes);
	return record->n > 0 ? take(r, record->n) : RECORD_NONE;
}

void connect_records_done(struct connect_records *r)
{
	assert(r->taken > 0);
	buf_consume(&r->bytes, r->taken);
	r->taken = r->scanned = 0;
}
