/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log: one line per event to standard error, as text or JSON, with the
 * journal's priority prefix under systemd. Only the layers that decide log
 * (link and above); pure code does not get this header. A log that cannot be
 * written at once is dropped and counted: it never blocks the loop.
 * A line that repeats is shown at its 1st, 2nd, 4th, 8th... time, with the
 * count, whatever stands between; after a minute without it, it counts as new.
 * Debug lines are always shown: there each one counts.
 *
 *   text          2024-05-01T12:34:56.789Z bridge feed: sentence (8 times)
 *   text, journal <5>bridge feed: sentence
 *   JSON          {"time":"...","level":"notice","object":"bridge feed","message":"...","times":8}
 */
#ifndef WSB_BASE_LOG_H
#define WSB_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_NOTICE,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

/*
 * Starts afresh, counts included; the level stays (notice at first). Without
 * it the log is text on descriptor 2. fd: where to write; it is not owned.
 * journal: put "<N>" in front (sd-daemon(3)), and no time in a text line.
 */
void log_init(int fd, enum log_format format, bool journal);
void log_set_level(enum log_level level);
enum log_level log_level(void);
void log_set_format(enum log_format format);
uint64_t log_dropped(void);

const char *log_level_name(enum log_level level);	       /* "notice" */
bool log_level_parse(const char *name, enum log_level *level); /* false: no such level */

/*
 * object: who speaks ("bridge feed"), or NULL. Bytes from a peer must have
 * gone through escape_text; as a last guard control characters are escaped here.
 */
void log_write(enum log_level level, const char *object, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

extern enum log_level log_current_level; /* for the macro only */
#define log_enabled(level) ((level) <= log_current_level)
#define log_at(level, object, ...)                                 \
	do {                                                       \
		if (log_enabled(level))                            \
			log_write((level), (object), __VA_ARGS__); \
	} while (0)
#define log_error(object, ...) log_at(LOG_LEVEL_ERROR, object, __VA_ARGS__)
#define log_warning(object, ...) log_at(LOG_LEVEL_WARNING, object, __VA_ARGS__)
#define log_notice(object, ...) log_at(LOG_LEVEL_NOTICE, object, __VA_ARGS__)
#define log_info(object, ...) log_at(LOG_LEVEL_INFO, object, __VA_ARGS__)
#define log_debug(object, ...) log_at(LOG_LEVEL_DEBUG, object, __VA_ARGS__)

#endif
