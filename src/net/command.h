/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program → the first line it prints, without holding up the loop: how a
 * secret comes out of a password store. Its standard error is ours, its
 * standard input is empty, it has a process group of its own.
 */
#ifndef WSB_NET_COMMAND_H
#define WSB_NET_COMMAND_H

#include <stdint.h>

#include "base/error.h"
#include "base/span.h"

#define COMMAND_LINE_MAX ((size_t)64 * 1024)

struct command;
struct loop;

/*
 * line: without its newline; valid during the call, wiped after it. On failure
 * *err is ERR_INTERNAL and names the program, never what it printed: it could
 * not be started, ended with another status than 0, printed nothing, or took
 * longer than `timeout` (microseconds) and was killed. The command is gone
 * after the call; never called from inside command_start.
 */
typedef void (*command_cb)(void *arg, struct span line, const struct error *err);

/* argv[0] is an absolute path; NULL at the end; not needed after the call. */
struct command *command_start(struct loop *l, char *const argv[], int64_t timeout, command_cb cb,
			      void *arg);
void command_cancel(struct command *c); /* kills it; no callback afterwards; NULL is fine */

#endif
