/* SPDX-License-Identifier: Apache-2.0 */
/* Switches of the commands that wait for what a bridge does or gets; part of the table. */
#include "cli/command_int.h"

#define END                  \
	{                    \
		.name = NULL \
	}
#define TIMEOUT(help)                                    \
	{                                                \
		't', "timeout", TAKES_VALUE, "T", (help) \
	}
#define MATCH(help)                                        \
	{                                                  \
		'm', "match", TAKES_VALUE, "MATCH", (help) \
	}

const struct cli_switch wait_switches[] = { TIMEOUT("at most so long; without it for ever"), END };
const struct cli_switch ping_switches[] = { TIMEOUT("for the pong, 10s by default"), END };
const struct cli_switch recv_switches[] = {
	{ 'n', "number", TAKES_VALUE, "N", "so many messages, 1 by default" },
	MATCH("only messages that match"),
	TIMEOUT("at most so long; without it for ever"),
	END,
};
const struct cli_switch request_switches[] = {
	MATCH("what the answer is like: /id=1, ~^ok, some text"),
	TIMEOUT("for the answer, 10s by default"),
	END,
};
const struct cli_switch monitor_switches[] = {
	{ 'e', "events", TAKES_VALUE, "EVENTS", "only these: state,message,open,close,..." },
	END,
};
