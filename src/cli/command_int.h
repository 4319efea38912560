/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of switches that do not stand beside the table of commands. */
#ifndef WSB_CLI_COMMAND_INT_H
#define WSB_CLI_COMMAND_INT_H

#include "cli/args.h"

extern const struct cli_switch wait_switches[], ping_switches[], recv_switches[],
	request_switches[], monitor_switches[];

#endif
