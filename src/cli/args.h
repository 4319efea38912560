/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command line, read by a table of switches: getopt_long underneath, but with
 * sentences of our own that name the nearest switch. It knows no command; it
 * checks that switches exist and have their values, not what the values mean.
 */
#ifndef WSB_CLI_ARGS_H
#define WSB_CLI_ARGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum switch_takes { TAKES_NOTHING, TAKES_VALUE, TAKES_OPTIONAL };

struct cli_switch {
	char letter;	  /* 0 = none */
	const char *name; /* without the dashes; NULL ends a table */
	enum switch_takes takes;
	const char *value; /* what the help calls the value: "FILE" */
	const char *help;  /* for one line */
};

struct given_switch {
	const struct cli_switch *what;
	const char *value; /* NULL = none; points into argv */
};

struct args {
	struct given_switch *given; /* in the order of the command line */
	size_t n_given;
	char **words; /* what is no switch; points into argv, whose order is changed */
	size_t n_words;
};

/*
 * Reads argv[1] on. Both tables are searched, the first one first. whole: switches may stand
 * behind words; otherwise the first word ends the reading. False: *err is
 * ERR_INVALID_OPTION. Deinit either way.
 */
struct arg_tables {
	const struct cli_switch *own, *common; /* either may be NULL */
	bool whole;
};
bool args_parse(struct args *a, int argc, char **argv, const struct arg_tables *tables,
		struct error *err);
void args_deinit(struct args *a);

bool args_has(const struct args *a, const char *name);
const char *args_value(const struct args *a,
		       const char *name); /* the last one; NULL = not given, or without value */

/* A whole decimal number and nothing else. */
bool args_number(const char *text, long min, long max, long *out);

#endif
