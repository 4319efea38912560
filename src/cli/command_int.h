/* SPDX-License-Identifier: Apache-2.0 */
/* The switches that the rows of the table of commands name; they are in command_switches.c. */
#ifndef WSB_CLI_COMMAND_INT_H
#define WSB_CLI_COMMAND_INT_H

#include "cli/args.h"

extern const struct cli_switch open_switches[], close_switches[], send_switches[], recv_switches[],
	request_switches[], wait_switches[], ping_switches[], monitor_switches[], top_switches[];
extern const struct cli_switch reload_switches[], shutdown_switches[], trace_switches[];
extern const struct cli_switch connect_switches[], probe_switches[], echo_switches[];
extern const struct cli_switch alone_json_switches[]; /* in place of alone_switches */

#endif
