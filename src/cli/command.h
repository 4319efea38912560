/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one table of commands: what they are called, what they take, how they
 * are explained, which method of the daemon they call, and who prints the
 * answer. A new command is a row, and the functions it names.
 */
#ifndef WSB_CLI_COMMAND_H
#define WSB_CLI_COMMAND_H

#include <jansson.h>

#include "cli/args.h"
#include "cli/print.h"

struct call_request;

enum command_group { GROUP_BRIDGES, GROUP_DAEMON, GROUP_ALONE, N_GROUPS };

/* One run of the program. */
struct cli {
	const char *socket; /* of the daemon */
	bool json;	    /* print answers as they are */
	struct printer out;
	const struct command *command;
};

struct command {
	const char *name; /* NULL ends the table */
	enum command_group group;
	const char *words; /* what follows the name, in the usage line */
	size_t min_words, max_words;
	const char *summary;	 /* for the list, without a full stop */
	const char *details;	 /* for `--help` */
	const char *examples[2]; /* without "wsbridge" */
	const struct cli_switch *switches;
	bool plain; /* has no answer that --json could print */

	/*
	 * Either one call: `method`, its parameters, the printer of its result…
	 * `request` comes with method, an empty object and the usual timeout filled in.
	 */
	const char *method;
	bool (*request)(const struct args *a, struct call_request *r, struct error *err);
	void (*print)(struct printer *p, const json_t *result);
	/* …or a function that does it all and returns the exit status. */
	int (*run)(struct cli *cli, const struct args *a);
};

extern const struct command commands[];
extern const struct cli_switch daemon_switches[]; /* of every command that talks to the daemon */
extern const struct cli_switch alone_switches[];  /* of the others */
extern const struct cli_switch global_switches[]; /* before the command */

const struct command *command_find(const char *name); /* NULL = none */
const char *command_nearest(const char *name);	      /* NULL = none is near */
const struct cli_switch *command_common(
	const struct command *c); /* its daemon_ or alone_switches */
bool command_is_alone(const struct command *c);

#endif
