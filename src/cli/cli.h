/* SPDX-License-Identifier: Apache-2.0 */
/* The whole program behind main: so that tests may call it. */
#ifndef WSB_CLI_CLI_H
#define WSB_CLI_CLI_H

int cli_run(int argc, char **argv); /* returns the exit status */

#endif
