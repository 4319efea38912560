/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of the lines that repeat are shown: the 1st, 2nd, 4th, 8th... of each
 * run. Pure: the time comes from the caller. A small table of the lines seen
 * last, so that two that alternate are both recognised.
 */
#ifndef WSB_BASE_LOG_REPEAT_H
#define WSB_BASE_LOG_REPEAT_H

#include <stdint.h>

#define LOG_REPEAT_LINES 32
#define LOG_REPEAT_QUIET_MS 60000 /* a line that stayed away this long is new again */

/* Zero-initialised = nothing seen. */
struct log_repeat {
	struct {
		uint64_t hash, count, last_ms;
	} seen[LOG_REPEAT_LINES];
};

/* FNV-1a over s and its NUL; start with 0. */
uint64_t log_repeat_hash(uint64_t hash, const char *s);

/* How often this line has come in its run if it is to be shown now, else 0. */
uint64_t log_repeat_count(struct log_repeat *r, uint64_t hash, uint64_t now_ms);

#endif
