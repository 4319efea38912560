/* SPDX-License-Identifier: Apache-2.0 */
/* Help, made from the table of commands. */
#ifndef WSB_CLI_HELP_H
#define WSB_CLI_HELP_H

#include "cli/command.h"

void help_all(struct printer *p);
void help_usage(struct printer *p); /* the shortest: for somebody who typed nothing */
void help_command(struct printer *p, const struct command *c);

#endif
