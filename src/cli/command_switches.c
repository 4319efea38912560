/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The switches of all commands: the part of the table that a command names by
 * its row in command.c. The trap: a help text and its switch share one line of
 * the help, which ends before column 80.
 */
#include "cli/command_int.h"

#include "cli/command.h"

#define END                  \
	{                    \
		.name = NULL \
	}
#define HELP                                                  \
	{                                                     \
		'h', "help", TAKES_NOTHING, NULL, "this text" \
	}
#define SOCKET                                                                       \
	{                                                                            \
		's', "socket", TAKES_VALUE, "SOCKET", "control socket of the daemon" \
	}
#define JSON                                                                \
	{                                                                   \
		0, "json", TAKES_NOTHING, NULL,                             \
			"print the answer as JSON, one value for each line" \
	}
#define TIMEOUT(help)                                    \
	{                                                \
		't', "timeout", TAKES_VALUE, "T", (help) \
	}
#define MATCH(help)                                        \
	{                                                  \
		'm', "match", TAKES_VALUE, "MATCH", (help) \
	}

const struct cli_switch daemon_switches[] = { SOCKET, JSON, HELP, END };
const struct cli_switch alone_switches[] = { HELP, END };
const struct cli_switch global_switches[] = {
	SOCKET, JSON, { 'V', "version", TAKES_NOTHING, NULL, "version of this program" }, HELP, END,
};
const struct cli_switch alone_json_switches[] = { JSON, HELP, END };

const struct cli_switch open_switches[] = {
	{ 'o', "option", TAKES_VALUE, "KEY=VALUE", "an option of the bridge: -o ping.interval=5s" },
	{ 'f', "file", TAKES_VALUE, "FILE", "options as a JSON object; - is standard input" },
	{ 0, "wait", TAKES_OPTIONAL, "T", "until it is open or has failed, at most T" },
	END,
};

const struct cli_switch close_switches[] = {
	{ 0, "code", TAKES_VALUE, "N", "close code, 1000 by default" },
	{ 0, "reason", TAKES_VALUE, "TEXT", "reason, at most 123 bytes" },
	{ 0, "wait", TAKES_OPTIONAL, "T", "until it is closed, at most T" },
	END,
};

const struct cli_switch send_switches[] = {
	{ 'b', "binary", TAKES_NOTHING, NULL, "a binary message instead of text" },
	{ 'F', "file", TAKES_VALUE, "FILE", "the whole file is the message; - is standard input" },
	{ 'q', "queue", TAKES_NOTHING, NULL, "into the outbox while the bridge is not open" },
	END,
};

const struct cli_switch trace_switches[] = {
	{ 0, "for", TAKES_VALUE, "T", "so long, 10min by default; 0: no more" },
	END,
};

const struct cli_switch reload_switches[] = {
	{ 'n', "dry-run", TAKES_NOTHING, NULL, "only tell what would change" },
	END,
};

const struct cli_switch shutdown_switches[] = {
	{ 't', "timeout", TAKES_VALUE, "T", "for closing politely" },
	END,
};

const struct cli_switch connect_switches[] = {
	{ 'b', "binary", TAKES_NOTHING, NULL, "binary messages instead of text" },
	{ 'r', "raw", TAKES_NOTHING, NULL, "as in a pipe, also on a terminal" },
	{ 0, "stream", TAKES_NOTHING, NULL, "bytes in and out, no lines; in binary messages" },
	{ 't', "text", TAKES_VALUE, "TEXT", "send this message first; may come more than once" },
	{ 0, "messages", TAKES_VALUE, "N", "close after N received messages" },
	{ 0, "eof-wait", TAKES_VALUE, "T",
	  "close T after the end of input, 1s by default; or: forever" },
	{ 'v', "verbose", TAKES_NOTHING, NULL, "types, pings, Close; -vv: handshake, frames" },
	{ 0, "timings", TAKES_NOTHING, NULL, "seconds since the start before every message" },
	{ 'n', "nocert", TAKES_NOTHING, NULL, "any certificate will do: -o tls.verify=false" },
	{ 'p', "proxy", TAKES_VALUE, "URL", "-o proxy=URL" },
	{ 's', "subprotocol", TAKES_VALUE, "NAME", "ask for it; may come more than once" },
	{ 0, "origin", TAKES_VALUE, "ORIGIN", "-o origin=ORIGIN" },
	{ 'H', "header", TAKES_VALUE, "NAME:VALUE", "send it; may come more than once" },
	{ 'o', "option", TAKES_VALUE, "KEY=VALUE", "an option of a bridge: -o timeouts.open=5s" },
	END,
};

const struct cli_switch probe_switches[] = {
	{ 'o', "option", TAKES_VALUE, "KEY=VALUE", "an option of a bridge: -o tls.verify=false" },
	END,
};

const struct cli_switch echo_switches[] = {
	{ 'l', "listen", TAKES_VALUE, "ADDRESS", "where to listen, 127.0.0.1:9001 by default" },
	END,
};

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
const struct cli_switch top_switches[] = {
	{ 'd', "delay", TAKES_VALUE, "T", "between two looks, 2s by default" },
	{ 'n', "number", TAKES_VALUE, "N", "end after so many looks" },
	END,
};

const struct cli_switch monitor_switches[] = {
	{ 'e', "events", TAKES_VALUE, "EVENTS", "only these: state,message,open,close,..." },
	END,
};
