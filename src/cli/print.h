/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Printing for people: where to, how wide, whether in colour; and numbers with
 * their units. What is printed for programs (--json) does not come this way.
 */
#ifndef WSB_CLI_PRINT_H
#define WSB_CLI_PRINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/table.h"

struct printer {
	FILE *out;
	size_t width; /* characters in a line, 0 = no limit */
	bool colour;
	double now; /* seconds since 1970: ages are counted from here */
};

/* Width and colour only on a terminal, colour never with NO_COLOR or TERM=dumb. */
void printer_init(struct printer *p, FILE *out);

/* Colour on and off again; nothing without colour. */
void print_mark(struct printer *p, enum table_mark mark);
void print_mark_end(struct printer *p, enum table_mark mark);

/* Text broken between words, each line behind `indent` blanks. */
void print_wrapped(struct printer *p, size_t indent, const char *text);

/*
 * Texts; the caller frees. Strings go through escape_control, for the daemon
 * has escaped what comes from peers already; text_raw is for what it has not.
 */
char *text_of(const json_t *string); /* NULL if it is no string */
char *text_raw(const json_t *string);
char *text_duration(double seconds);	 /* "400us", "4.2ms", "12s", "3m 20s", "4d 2h" */
char *text_size(double bytes);		 /* "512 B", "1.5 MiB" */
char *text_number(const json_t *number); /* "12345"; NULL if it is no number */
char *text_age(const struct printer *p, const json_t *since); /* since 1970 → "12s" */
char *text_moment(const json_t *at); /* since 1970 → local date and time; NULL if it is none */
size_t text_width(const char *text); /* characters */

#endif
