/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From argv to a command of the table: global switches, the command's name,
 * its own switches and words. What a command does is not here. The trap: what
 * is said in vain must be an error, so --json and -s are refused by commands
 * that have no use for them.
 */
#include "cli/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "base/version.h"
#include "cli/help.h"
#include "cli/run.h"
#include "conf/conf_file.h"

#define SHOWN 80

static int fail_usage(const struct error *err)
{
	fprintf(stderr, "wsbridge: %s\nTry `wsbridge --help`.\n", err->text);
	return EXIT_USAGE;
}

static int unknown_command(const char *name)
{
	const char *near = command_nearest(name);
	char shown[SHOWN];
	struct error err;

	escape_text(shown, sizeof(shown), span_str(name));
	error_set(&err, ERR_INVALID_OPTION, "unknown command \"%s\"%s%s%s", shown,
		  near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
	return fail_usage(&err);
}

static bool check_words(const struct command *c, const struct args *a, struct error *err)
{
	if (a->n_words < c->min_words)
		return error_set(err, ERR_INVALID_OPTION, "too few arguments; expected: %s",
				 c->words);
	if (a->n_words > c->max_words && c->max_words == 0)
		return error_set(err, ERR_INVALID_OPTION, "takes no arguments");
	if (a->n_words > c->max_words)
		return error_set(err, ERR_INVALID_OPTION, "too many arguments; expected: %s",
				 c->words);
	return true;
}

static bool check_globals(const struct cli *cli, struct error *err)
{
	if (cli->socket && command_is_alone(cli->command))
		return error_set(err, ERR_INVALID_OPTION,
				 "talks to no daemon: -s means nothing here");
	if (cli->json && cli->command->plain)
		return error_set(err, ERR_INVALID_OPTION,
				 "has no answer: --json means nothing here");
	return true;
}

static void take_common(struct cli *cli, const struct args *a)
{
	const char *socket = args_value(a, "socket");

	cli->json |= args_has(a, "json");
	cli->socket = socket ? socket : cli->socket;
}

/* A result that could not be written is no result: a full disk must not look like success. */
static int finish(const struct cli *cli, int status)
{
	bool failed_before = ferror(cli->out.out);
	int os = fflush(cli->out.out) == 0 ? 0 : errno;

	if (os == 0 && !failed_before)
		return status;
	fprintf(stderr, "wsbridge: standard output: %s\n",
		os ? strerror(os) : "not all could be written");
	return status ? status : EXIT_ERROR;
}

static int run_with_socket(struct cli *cli, const struct args *a)
{
	mem_auto_str fallback = NULL;
	int (*run)(struct cli * cli, const struct args *a) = cli->command->run;

	if (!cli->socket)
		cli->socket = fallback = conf_control_default(RUNSTATEDIR);
	return run ? run(cli, a) : run_request(cli, a);
}

static int run_command(struct cli *cli, int argc, char **argv)
{
	const struct arg_tables tables = { cli->command->switches, command_common(cli->command),
					   true };
	struct error err = ERROR_INIT;
	struct args a;
	int status = EXIT_DONE;

	if (!args_parse(&a, argc, argv, &tables, &err)) {
		status = run_fail_usage(cli, &err);
	} else if (args_has(&a, "help")) {
		help_command(&cli->out, cli->command);
	} else {
		take_common(cli, &a);
		if (check_words(cli->command, &a, &err) && check_globals(cli, &err))
			status = run_with_socket(cli, &a);
		else
			status = run_fail_usage(cli, &err);
	}
	args_deinit(&a);
	return status;
}

/* "help" and "help COMMAND", which nobody has to look up. */
static bool is_help(const struct args *a)
{
	return args_has(a, "help") || (a->n_words > 0 && strcmp(a->words[0], "help") == 0);
}

static int help(struct cli *cli, const struct args *a)
{
	bool word = a->n_words > 0 && strcmp(a->words[0], "help") == 0;
	size_t at = word ? 1 : 0;

	if (a->n_words == at) {
		help_all(&cli->out);
		return EXIT_DONE;
	}
	cli->command = command_find(a->words[at]);
	if (!cli->command)
		return unknown_command(a->words[at]);
	help_command(&cli->out, cli->command);
	return EXIT_DONE;
}

static int dispatch(struct cli *cli, int argc, char **argv, const struct args *a)
{
	struct printer errors;
	int at = argc - (int)a->n_words;

	if (is_help(a))
		return help(cli, a);
	if (args_has(a, "version")) {
		fprintf(cli->out.out, "wsbridge %s\n", wsb_version);
		return EXIT_DONE;
	}
	if (a->n_words == 0) {
		printer_init(&errors, stderr);
		help_usage(&errors);
		return EXIT_USAGE;
	}
	take_common(cli, a);
	cli->command = command_find(a->words[0]);
	return cli->command ? run_command(cli, argc - at, argv + at) : unknown_command(a->words[0]);
}

int cli_run(int argc, char **argv)
{
	static const struct arg_tables globals = { NULL, global_switches, false };
	struct error err = ERROR_INIT;
	struct cli cli = { 0 };
	struct args a;
	int status;

	printer_init(&cli.out, stdout);
	if (args_parse(&a, argc, argv, &globals, &err))
		status = dispatch(&cli, argc, argv, &a);
	else
		status = fail_usage(&err);
	args_deinit(&a);
	return finish(&cli, status);
}
