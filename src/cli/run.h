/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running a command: what all of them share, and those that are more than one
 * call. Everything returns the exit status.
 */
#ifndef WSB_CLI_RUN_H
#define WSB_CLI_RUN_H

#include "cli/call.h"
#include "cli/command.h"

enum { EXIT_DONE = 0, EXIT_ERROR = 1, EXIT_USAGE = 2, EXIT_UNREACHABLE = 3 };

/* `wsbridge: COMMAND: WHY` on stderr. Return the exit status that belongs to it. */
int run_fail(const struct cli *cli, const struct error *err);
int run_fail_usage(const struct cli *cli, const struct error *err); /* with a hint at --help */

/* The same for what the daemon has refused; run_hint tells what to try, on a terminal only. */
int run_refused(const struct cli *cli, const struct rpc_answer *a);
void run_hint(const struct cli *cli, const struct rpc_answer *a);

/* The same for a connection that did not come to be. */
void run_hint_probe(const struct error *err);

struct call *run_connect(const struct cli *cli, int *status); /* NULL: reported, *status is set */

/* One call; params is taken. NULL: the error was reported, *status is set. Else run_answer_free. */
struct rpc_answer *run_call(const struct cli *cli, struct call *c,
			    const struct call_request *request, int *status);
void run_answer_free(struct rpc_answer *a); /* NULL is fine */

void run_print_json(const struct cli *cli, const json_t *value); /* one line */

int run_request(struct cli *cli, const struct args *a); /* the commands that are one call */
int run_status(struct cli *cli, const struct args *a);
int run_send(struct cli *cli, const struct args *a);
int run_connect_url(struct cli *cli, const struct args *a); /* the command "connect" */
int run_monitor(struct cli *cli, const struct args *a);
int run_top(struct cli *cli, const struct args *a);
int run_recv(struct cli *cli, const struct args *a);
int run_probe(struct cli *cli, const struct args *a);
int run_echo(struct cli *cli, const struct args *a);
int run_check(struct cli *cli, const struct args *a);

#endif
