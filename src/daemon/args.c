/* SPDX-License-Identifier: Apache-2.0 */
/* See args.h. */
#include "daemon/args.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/version.h"
#include "conf/conf_file.h"

static const char help[] =
	"Usage: wsbridged [OPTION...]\n"
	"Keeps configured WebSocket connections up and bridges each to a local socket.\n"
	"\n"
	"  -c, --config FILE    read FILE instead of the default configuration\n"
	"  -s, --control SOCKET serve the control socket at SOCKET\n"
	"      --check          check the configuration, print every error, and exit\n"
	"      --print-schema   print the JSON Schema of the configuration and exit\n"
	"      --log-level L    error, warning, notice, info or debug\n"
	"  -h, --help           show this help and exit\n"
	"  -V, --version        show the version and exit\n"
	"\n"
	"SIGHUP reads the configuration again; SIGTERM and SIGINT end in order, a\n"
	"second one at once. See wsbridged(8), wsbridge.json(5).\n";

enum { OPT_CHECK = 256, OPT_PRINT_SCHEMA, OPT_LOG_LEVEL };

static const struct option options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "control", required_argument, NULL, 's' },
	{ "check", no_argument, NULL, OPT_CHECK },
	{ "print-schema", no_argument, NULL, OPT_PRINT_SCHEMA },
	{ "log-level", required_argument, NULL, OPT_LOG_LEVEL },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static bool usage(int *status)
{
	fputs("Try 'wsbridged --help'.\n", stderr);
	*status = EXIT_USAGE;
	return false;
}

static bool parse_level(struct args *a, const char *name, int *status)
{
	a->has_log_level = true;
	if (log_level_parse(name, &a->log_level))
		return true;
	fprintf(stderr, "wsbridged: --log-level: no such level; it is one of error, warning, "
			"notice, info, debug\n");
	return usage(status);
}

static bool show(const char *text, int *status)
{
	*status = fputs(text, stdout) < 0 || fflush(stdout) != 0;
	return false;
}

static bool show_version(int *status)
{
	char line[64];

	snprintf(line, sizeof(line), "wsbridged %s\n", wsb_version);
	return show(line, status);
}

static void set(char **option, const char *value)
{
	free(*option);
	*option = mem_strdup(value);
}

static bool apply(struct args *a, int opt, const char *value, int *status)
{
	switch (opt) {
	case 'c':
		set(&a->config, value);
		return true;
	case 's':
		set(&a->control, value);
		a->has_control = true;
		return true;
	case OPT_CHECK:
		a->check = true;
		return true;
	case OPT_PRINT_SCHEMA:
		a->print_schema = true;
		return true;
	case OPT_LOG_LEVEL:
		return parse_level(a, value, status);
	case 'h':
		return show(help, status);
	case 'V':
		return show_version(status);
	default:
		return usage(status);
	}
}

bool args_parse(struct args *a, int argc, char **argv, int *status)
{
	int opt;

	*a = (struct args){ 0 };
	while ((opt = getopt_long(argc, argv, "c:s:hV", options, NULL)) != -1)
		if (!apply(a, opt, optarg, status))
			return false;
	if (optind < argc) {
		fprintf(stderr,
			"wsbridged: unexpected argument; a configuration file is given with -c\n");
		return usage(status);
	}
	if (!a->config)
		a->config = conf_file_default(SYSCONFDIR);
	if (!a->control)
		a->control = conf_control_default(RUNSTATEDIR);
	return true;
}

void args_deinit(struct args *a)
{
	set(&a->config, NULL);
	set(&a->control, NULL);
}
