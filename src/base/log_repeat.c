/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Repeat suppression for the log. It keeps hashes, not lines: two lines with
 * the same 64 bits would be taken for one, which costs a log line at worst.
 * Owned by the log. The trap: a table that is full forgets the line that came
 * longest ago, and its next one counts as the first again.
 */
#include "base/log_repeat.h"

#include <stddef.h>

uint64_t log_repeat_hash(uint64_t hash, const char *s)
{
	if (hash == 0)
		hash = UINT64_C(0xcbf29ce484222325);
	do {
		hash = (hash ^ (uint8_t)*s) * UINT64_C(0x100000001b3);
	} while (*s++);
	return hash;
}

/* The line's own place, or the one to be given to it. */
static size_t place_of(const struct log_repeat *r, uint64_t hash)
{
	size_t oldest = 0;

	for (size_t i = 0; i < LOG_REPEAT_LINES; i++) {
		if (r->seen[i].count > 0 && r->seen[i].hash == hash)
			return i;
		if (r->seen[i].count == 0 ||
		    (r->seen[oldest].count > 0 && r->seen[i].last_ms < r->seen[oldest].last_ms))
			oldest = i;
	}
	return oldest;
}

uint64_t log_repeat_count(struct log_repeat *r, uint64_t hash, uint64_t now_ms)
{
	size_t i = place_of(r, hash);
	uint64_t count;

	if (r->seen[i].hash != hash || now_ms - r->seen[i].last_ms > LOG_REPEAT_QUIET_MS)
		r->seen[i].count = 0;
	count = ++r->seen[i].count;
	r->seen[i].hash = hash;
	r->seen[i].last_ms = now_ms;
	return (count & (count - 1)) == 0 ? count : 0;
}
