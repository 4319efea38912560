/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of wsbridged (wsbridged(8)). */
#ifndef WSB_DAEMON_ARGS_H
#define WSB_DAEMON_ARGS_H

#include <stdbool.h>

#include "base/log.h"

/* Exit statuses besides 0: those of sysexits(3) where they fit. */
enum { EXIT_USAGE = 2, EXIT_ALREADY_RUNS = 75, EXIT_BAD_CONFIG = 78 };

struct args {
	char *config;	  /* the file that was named, or the default one */
	char *control;	  /* for a control socket without a path: the one named, or the default */
	bool has_control; /* it was named */
	bool check, print_schema;
	bool has_log_level;
	enum log_level log_level;
};

/*
 * False: *status is the exit status to end with (help and version have been printed, or
 * what is wrong).
 */
bool args_parse(struct args *a, int argc, char **argv, int *status);
void args_deinit(struct args *a);

#endif
