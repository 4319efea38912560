/* SPDX-License-Identifier: Apache-2.0 */
/* wsbridged as a function, so that main.c is a call. */
#ifndef WSB_DAEMON_DAEMON_H
#define WSB_DAEMON_DAEMON_H

int daemon_run(int argc, char **argv); /* the exit status */

#endif
