/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one place that writes to the log. No syslog, no files, no rotation: the
 * service manager does that. One log per process, not thread-safe. The trap:
 * standard error is shared with other processes, so it is never switched to
 * non-blocking; poll(2) is asked instead, and a line of at most PIPE_BUF bytes
 * goes into a pipe that is writable whole and without waiting.
 */
#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/log_repeat.h"
#include "base/utf8.h"

enum {
	LINE_MAX_BYTES = PIPE_BUF,
	LINE_TAIL = 64, /* kept free for what closes a line */
	MESSAGE_MAX = 2048,
	OBJECT_MAX = 160,
};

struct line {
	size_t n;
	char text[LINE_MAX_BYTES];
};

struct record {
	enum log_level level;
	const char *object;  /* escaped, NULL = none */
	const char *message; /* escaped */
	uint64_t times;
};

enum log_level log_current_level = LOG_LEVEL_NOTICE;

static struct {
	int fd;
	enum log_format format;
	bool journal;
	bool torn;		/* the last line went out in part */
	uint64_t dropped, told; /* lines lost, and how many of them a line has told of */
	struct log_repeat repeat;
} log_state = { .fd = STDERR_FILENO };

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error", [LOG_LEVEL_WARNING] = "warning", [LOG_LEVEL_NOTICE] = "notice",
	[LOG_LEVEL_INFO] = "info",   [LOG_LEVEL_DEBUG] = "debug",
};

#define N_LEVELS (sizeof(level_names) / sizeof(level_names[0]))

void log_init(int fd, enum log_format format, bool journal)
{
	memset(&log_state, 0, sizeof(log_state));
	log_state.fd = fd;
	log_state.format = format;
	log_state.journal = journal;
}

void log_set_level(enum log_level level)
{
	log_current_level = level;
}

enum log_level log_level(void)
{
	return log_current_level;
}

void log_set_format(enum log_format format)
{
	log_state.format = format;
}

uint64_t log_dropped(void)
{
	return log_state.dropped;
}

const char *log_level_name(enum log_level level)
{
	return level_names[level];
}

bool log_level_parse(const char *name, enum log_level *level)
{
	for (size_t i = 0; i < N_LEVELS; i++) {
		if (strcmp(level_names[i], name) == 0) {
			*level = (enum log_level)i;
			return true;
		}
	}
	return false;
}

/* What does not fit is left out: only the closing parts are put this way behind a long one. */
__attribute__((format(printf, 2, 3))) static void put(struct line *line, const char *fmt, ...)
{
	size_t room = sizeof(line->text) - line->n;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line->text + line->n, room, fmt, ap);
	va_end(ap);
	assert(n >= 0);
	line->n += (size_t)n < room ? (size_t)n : room - 1;
}

/* s has no control characters left, so the quote and the backslash are all that JSON minds. */
static void put_json_string(struct line *line, const char *s)
{
	struct span rest = span_str(s);
	const size_t limit = sizeof(line->text) - LINE_TAIL;

	put(line, "\"");
	while (rest.n > 0 && line->n < limit) {
		size_t n = utf8_char_len(rest);

		assert(n > 0);
		if (*rest.p == '"' || *rest.p == '\\')
			line->text[line->n++] = '\\';
		memcpy(line->text + line->n, rest.p, n);
		line->n += n;
		rest = span_skip(rest, n);
	}
	put(line, rest.n > 0 ? "...\"" : "\"");
}

static void put_time(struct line *line)
{
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	line->n += strftime(line->text + line->n, LINE_TAIL, "%Y-%m-%dT%H:%M:%S", &tm);
	put(line, ".%03ldZ", now.tv_nsec / 1000000);
}

static void put_text(struct line *line, const struct record *r)
{
	if (!log_state.journal) {
		put_time(line);
		put(line, " ");
	}
	if (r->object)
		put(line, "%s: ", r->object);
	put(line, "%s", r->message);
	if (r->times > 1)
		put(line, " (%" PRIu64 " times)", r->times);
}

static void put_json(struct line *line, const struct record *r)
{
	put(line, "{\"time\":\"");
	put_time(line);
	put(line, "\",\"level\":\"%s\",\"object\":", log_level_name(r->level));
	if (r->object)
		put_json_string(line, r->object);
	else
		put(line, "null");
	put(line, ",\"message\":");
	put_json_string(line, r->message);
	if (r->times > 1)
		put(line, ",\"times\":%" PRIu64, r->times);
	put(line, "}");
}

static int priority(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERROR:
		return 3;
	case LOG_LEVEL_WARNING:
		return 4;
	case LOG_LEVEL_NOTICE:
		return 5;
	case LOG_LEVEL_INFO:
		return 6;
	case LOG_LEVEL_DEBUG:
		return 7;
	}
	return 3;
}

static bool write_line(const struct line *line)
{
	struct pollfd ready = { .fd = log_state.fd, .events = POLLOUT };
	ssize_t n;

	if (poll(&ready, 1, 0) != 1)
		return false;
	do {
		n = write(log_state.fd, line->text, line->n);
	} while (n < 0 && errno == EINTR);
	if (n > 0)
		log_state.torn = (size_t)n < line->n;
	return n > 0 && !log_state.torn;
}

/* False, and counted, if the line was not written whole. */
static bool emit(const struct record *r)
{
	struct line line = { 0 };

	if (log_state.torn)
		put(&line, "\n");
	if (log_state.journal)
		put(&line, "<%d>", priority(r->level));
	if (log_state.format == LOG_FORMAT_JSON)
		put_json(&line, r);
	else
		put_text(&line, r);
	line.text[line.n++] = '\n';
	if (write_line(&line))
		return true;
	log_state.dropped++;
	return false;
}

static void tell_of_dropped(void)
{
	char message[64];
	struct record r = { LOG_LEVEL_WARNING, "log", message, 1 };
	uint64_t lost = log_state.dropped - log_state.told;

	if (lost == 0)
		return;
	snprintf(message, sizeof(message), "%" PRIu64 " line%s could not be written", lost,
		 lost == 1 ? "" : "s");
	if (emit(&r))
		log_state.told += lost;
}

static uint64_t count_repeats(const struct record *r)
{
	struct timespec now;
	uint64_t hash;

	if (r->level == LOG_LEVEL_DEBUG || r->level == LOG_LEVEL_NOTICE)
		return 1;
	clock_gettime(CLOCK_MONOTONIC, &now);
	hash = log_repeat_hash(0, log_level_name(r->level));
	hash = log_repeat_hash(hash, r->object ? r->object : "");
	hash = log_repeat_hash(hash, r->message);
	return log_repeat_count(&log_state.repeat, hash,
				(uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000);
}

void log_write(enum log_level level, const char *object, const char *fmt, ...)
{
	/* Longer than `message` by more than one character: the cut is never made by vsnprintf. */
	char raw[MESSAGE_MAX + 8], message[MESSAGE_MAX], who[OBJECT_MAX];
	struct record r = { .level = level, .message = message };
	int saved_errno = errno;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	escape_control(message, sizeof(message), span_str(raw));
	if (object)
		r.object = escape_control(who, sizeof(who), span_str(object));
	r.times = count_repeats(&r);
	if (r.times > 0 && emit(&r))
		tell_of_dropped();
	errno = saved_errno;
}
