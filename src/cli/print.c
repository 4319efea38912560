/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The printer and the texts of numbers. It asks the terminal once, at the
 * start; a window that changes its size later is not followed. The trap: what
 * is counted are code points, which is right for what stands in our tables
 * (names and URLs), not for every script.
 */
#include "cli/print.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/mem.h"

#define WIDTH_MAX 10000
#define SECONDS_MAX 1e12 /* beyond this nothing that we print is meant */

static bool wants_colour(void)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return !(no_color && *no_color) && term && *term && strcmp(term, "dumb") != 0;
}

/* COLUMNS comes before what the terminal says of itself, as for ls(1). */
static size_t width_of(int fd)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size = { 0 };
	char *end;
	long n = columns ? strtol(columns, &end, 10) : 0;

	if (n > 0 && n <= WIDTH_MAX && *end == '\0')
		return (size_t)n;
	return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

void printer_init(struct printer *p, FILE *out)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	*p = (struct printer){ .out = out };
	p->now = (double)now.tv_sec + (double)now.tv_nsec / 1e9;
	if (!isatty(fileno(out)))
		return;
	p->colour = wants_colour();
	p->width = width_of(fileno(out));
}

void print_mark(struct printer *p, enum table_mark mark)
{
	static const char *const codes[] = {
		[MARK_NONE] = "",  [MARK_GOOD] = "32", [MARK_BUSY] = "33",
		[MARK_BAD] = "31", [MARK_DIM] = "2",
	};

	if (p->colour && mark != MARK_NONE)
		fprintf(p->out, "\033[%sm", codes[mark]);
}

void print_mark_end(struct printer *p, enum table_mark mark)
{
	if (p->colour && mark != MARK_NONE)
		fputs("\033[0m", p->out);
}

size_t text_width(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xC0) != 0x80;
	return n;
}

void print_wrapped(struct printer *p, size_t indent, const char *text)
{
	size_t column = 0;

	while (*text) {
		size_t bytes = strcspn(text, " ");
		mem_auto_str word = mem_strndup(text, bytes);
		size_t width = text_width(word);

		if (column > indent && p->width && column + 1 + width > p->width) {
			fputc('\n', p->out);
			column = 0;
		}
		if (column == 0)
			column = (size_t)fprintf(p->out, "%*s", (int)indent, "");
		else
			column += (size_t)fprintf(p->out, " ");
		fputs(word, p->out);
		column += width;
		text += bytes + (text[bytes] == ' ');
	}
	fputc('\n', p->out);
}

/* An escaped byte takes four; the rest is for "..." that never comes. */
static char *escaped(const json_t *string, char *(*escape)(char *, size_t, struct span))
{
	struct span s;
	char *out;

	if (!json_is_string(string))
		return NULL;
	s = span_of(json_string_value(string), json_string_length(string));
	out = mem_array(s.n + 2, 4);
	return escape(out, 4 * (s.n + 2), s);
}

char *text_of(const json_t *string)
{
	return escaped(string, escape_control);
}

char *text_raw(const json_t *string)
{
	return escaped(string, escape_text);
}

/* Two units at most: nobody wants the seconds of something that took days. */
static char *text_long_duration(int64_t seconds)
{
	static const struct {
		int64_t size;
		const char *name;
	} units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "m" }, { 1, "s" } };
	size_t i = 0;
	int64_t whole, rest;

	while (seconds < units[i].size && units[i].size > 1)
		i++;
	whole = seconds / units[i].size;
	rest = units[i].size > 1 ? seconds % units[i].size / units[i + 1].size : 0;
	if (rest == 0)
		return mem_printf("%" PRId64 "%s", whole, units[i].name);
	return mem_printf("%" PRId64 "%s %" PRId64 "%s", whole, units[i].name, rest,
			  units[i + 1].name);
}

static int64_t whole_seconds(double seconds)
{
	return seconds < SECONDS_MAX ? (int64_t)(seconds + 0.5) : (int64_t)SECONDS_MAX;
}

char *text_duration(double seconds)
{
	if (!(seconds > 0))
		return mem_strdup("0s");
	if (seconds < 0.0009995)
		return mem_printf("%.0fus", seconds * 1e6);
	if (seconds < 0.00995)
		return mem_printf("%.1fms", seconds * 1e3);
	if (seconds < 0.9995)
		return mem_printf("%.0fms", seconds * 1e3);
	if (seconds < 9.95)
		return mem_printf("%.1fs", seconds);
	return text_long_duration(whole_seconds(seconds));
}

char *text_size(double bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	size_t i = 0;

	for (; bytes >= 1024 && i < 4; i++)
		bytes /= 1024;
	return mem_printf(i == 0 || bytes >= 99.95 ? "%.0f %s" : "%.1f %s", bytes, units[i]);
}

char *text_number(const json_t *number)
{
	if (json_is_integer(number))
		return mem_printf("%" JSON_INTEGER_FORMAT, json_integer_value(number));
	if (json_is_real(number))
		return mem_printf("%g", json_real_value(number));
	return NULL;
}

char *text_age(const struct printer *p, const json_t *since)
{
	double age;

	if (!json_is_number(since))
		return NULL;
	age = p->now - json_number_value(since);
	return text_long_duration(age > 0 ? whole_seconds(age) : 0);
}

char *text_moment(const json_t *at)
{
	time_t t = (time_t)json_integer_value(at);
	char text[32];
	struct tm tm;

	if (!json_is_integer(at) || !localtime_r(&t, &tm) ||
	    strftime(text, sizeof(text), "%F %T", &tm) == 0)
		return NULL;
	return mem_strdup(text);
}
