/* SPDX-License-Identifier: Apache-2.0 */
/* What wsbridged does without serving: --check and --print-schema. */
#ifndef WSB_DAEMON_ONCE_H
#define WSB_DAEMON_ONCE_H

int once_check(const char *path); /* every error to standard error; the exit status */
int once_print_schema(void);
void once_print_error(void *arg, const char *sentence); /* for conf_file_load */

#endif
