/* SPDX-License-Identifier: Apache-2.0 */
/* `wsbridge check [FILE]`: is this configuration good? As `wsbridged --check`, without a daemon. */
#ifndef WSB_TOOL_CHECK_H
#define WSB_TOOL_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Every error goes to on_error as one finished sentence; false if there was
 * one. *n_bridges: how many bridges the configuration has.
 */
bool check_run(const char *path, void (*on_error)(void *arg, const char *sentence), void *arg,
	       size_t *n_bridges);

#endif
