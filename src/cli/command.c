/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of commands. Order within a group is the order of the help. The
 * trap: `details` is printed as it is, so its lines end before column 80.
 */
#include "cli/command.h"

#include <stdint.h>
#include <string.h>

#include "cli/command_int.h"
#include "cli/print_explain.h"
#include "cli/print_results.h"
#include "cli/print_talk.h"
#include "cli/request.h"
#include "cli/request_talk.h"
#include "cli/run.h"
#include "conf/schema.h"
#include "control/names.h"

#define ANY SIZE_MAX

const struct command commands[] = {
	{
		.name = "status",
		.group = GROUP_BRIDGES,
		.words = "[NAME...]",
		.min_words = 0,
		.max_words = ANY,
		.summary = "show all bridges, or one in detail",
		.details = "Shows the bridges as a table: state and for how long, URL, local\n"
			   "clients, messages received and sent, round trip time. Below a\n"
			   "bridge that is not open stands why, and when the next attempt is.\n"
			   "One NAME gives all details.",
		.examples = { "status", "--json status feed" },
		.method = METHOD_STATUS,
		.run = run_status,
	},
	{
		.name = "open",
		.group = GROUP_BRIDGES,
		.words = "NAME [URL]",
		.min_words = 1,
		.max_words = 2,
		.switches = open_switches,
		.summary = "make a bridge, or start a closed one",
		.details = "Makes the bridge NAME to the WebSocket server at URL. Options come\n"
			   "from -f, then from -o, by the names of wsbridge.json(5); a list is\n"
			   "split at commas, and what begins with [, { or \" is JSON. With\n"
			   "nothing but the NAME of a bridge that is closed, starts it again.\n"
			   "Command lines are no place for secrets: use -f.",
		.examples = { "open feed ws://127.0.0.1:9001/ -o endpoint=/run/user/1000/feed.sock "
			      "--wait",
			      "open feed -f feed.json --wait=10s" },
		.method = METHOD_OPEN,
		.request = request_open,
		.print = print_opened,
	},
	{
		.name = "close",
		.group = GROUP_BRIDGES,
		.words = "NAME",
		.min_words = 1,
		.max_words = 1,
		.switches = close_switches,
		.summary = "close a bridge and do not connect again",
		.details =
			"Closes the upstream connection with a close handshake. A bridge made by\n"
			"`open` is gone then; one from the configuration stays, in state closed.",
		.examples = { "close feed", "close feed --code 4000 --reason 'end of day' --wait" },
		.method = METHOD_CLOSE,
		.request = request_close,
		.print = print_opened,
	},
	{
		.name = "send",
		.group = GROUP_BRIDGES,
		.words = "NAME [TEXT...|-]",
		.min_words = 1,
		.max_words = ANY,
		.switches = send_switches,
		.summary = "send messages to the upstream",
		.details = "Sends TEXT (words are joined with a blank) as one message. With -,\n"
			   "and without TEXT when standard input is no terminal, every line of\n"
			   "standard input is one message. Done means that the system has\n"
			   "taken it for the connection.",
		.examples = { "send feed '{\"op\":\"subscribe\"}'",
			      "send feed --binary --file image.png" },
		.method = METHOD_SEND,
		.run = run_send,
	},
	{
		.name = "recv",
		.group = GROUP_BRIDGES,
		.words = "NAME",
		.min_words = 1,
		.max_words = 1,
		.switches = recv_switches,
		.summary = "print the next messages from the upstream",
		.details = "Waits for messages and prints each on a line, a binary one as Base64.\n"
			   "Local clients get them, too.",
		.examples = { "recv feed -n 10 -t 1min", "--json recv feed --match ticker" },
		.method = METHOD_RECV,
		.run = run_recv,
	},
	{
		.name = "request",
		.group = GROUP_BRIDGES,
		.words = "NAME JSON",
		.min_words = 2,
		.max_words = 2,
		.switches = request_switches,
		.summary = "send a message and print its answer",
		.details =
			"Sends JSON as it stands as a text message and prints the first message\n"
			"that matches. MATCH is /POINTER=VALUE or /POINTER (RFC 6901) of a JSON\n"
			"message, ~REGEX, a JSON object as in wsbridge-rpc(7), or a piece of the\n"
			"message. Requests of others do not get this answer, nor this one theirs.",
		.examples = { "request chat '{\"id\":1,\"method\":\"version\"}' --match /id=1",
			      "request chat hello --match '~^hello' -t 2s" },
		.method = METHOD_REQUEST,
		.request = request_ask,
		.print = print_received,
	},
	{
		.name = "wait",
		.group = GROUP_BRIDGES,
		.words = "NAME [STATE]",
		.min_words = 1,
		.max_words = 2,
		.switches = wait_switches,
		.summary = "wait until a bridge is open, or in another state",
		.details =
			"Returns when the bridge is in STATE: open if it is not given, or idle,\n"
			"connecting, closing, waiting, closed, failed.",
		.examples = { "wait feed", "wait feed closed -t 10s" },
		.method = METHOD_WAIT,
		.request = request_wait,
		.print = print_opened,
	},
	{
		.name = "ping",
		.group = GROUP_BRIDGES,
		.words = "NAME",
		.min_words = 1,
		.max_words = 1,
		.switches = ping_switches,
		.summary = "measure the round trip time",
		.details = "Sends a WebSocket ping and prints how long its pong took.",
		.examples = { "ping feed", "--json ping feed -t 1s" },
		.method = METHOD_PING,
		.request = request_ping,
		.print = print_rtt,
	},
	{
		.name = "monitor",
		.group = GROUP_BRIDGES,
		.words = "[NAME...]",
		.min_words = 0,
		.max_words = 16,
		.switches = monitor_switches,
		.summary = "follow what happens, an event on a line",
		.details =
			"Prints changes of state, connections and how they end, messages, pings\n"
			"and pongs of the bridges, or of all, until it is interrupted. Times are\n"
			"local. EVENTS is a list of state, message, open, close, ping, pong and\n"
			"error.",
		.examples = { "monitor --events state,error", "--json monitor feed" },
		.method = METHOD_SUBSCRIBE,
		.run = run_monitor,
	},
	{
		.name = "top",
		.group = GROUP_BRIDGES,
		.words = "",
		.switches = top_switches,
		.summary = "watch all bridges on a full screen",
		.details = "Shows what flows through every bridge, what waits, and what is wrong,\n"
			   "and follows it: ? shows the keys, Enter one bridge in detail, q ends.\n"
			   "With --json, prints what `status` answers again and again.",
		.examples = { "top -d 500ms", "--json top -n 10" },
		.method = METHOD_STATUS,
		.run = run_top,
	},
	{
		.name = "reconnect",
		.group = GROUP_BRIDGES,
		.words = "NAME",
		.min_words = 1,
		.max_words = 1,
		.summary = "drop the connection of a bridge and dial now",
		.details = "Drops what is there, also a waiting time or a failure, and\n"
			   "connects at once. Local clients stay.",
		.examples = { "reconnect feed", "--json reconnect feed" },
		.method = METHOD_RECONNECT,
		.request = request_reconnect,
		.print = print_opened,
	},
	{
		.name = "explain",
		.group = GROUP_BRIDGES,
		.words = "NAME",
		.min_words = 1,
		.max_words = 1,
		.summary = "what happened to a bridge lately, and why",
		.details = "Shows the last changes of state, attempts and ends of connections of\n"
			   "a bridge: when, what, and the reason. Times are local.",
		.examples = { "explain feed", "--json explain feed" },
		.method = METHOD_EXPLAIN,
		.request = request_explain,
		.print = print_explained,
	},
	{
		.name = "reload",
		.group = GROUP_DAEMON,
		.words = "",
		.switches = reload_switches,
		.summary = "read the configuration anew",
		.details = "Makes the daemon read its configuration again. Only bridges that\n"
			   "differ are touched. A configuration with errors changes nothing,\n"
			   "and every error is shown.",
		.examples = { "reload", "reload --dry-run" },
		.method = METHOD_RELOAD,
		.request = request_reload,
		.print = print_reloaded,
	},
	{
		.name = "log",
		.group = GROUP_DAEMON,
		.words = "[LEVEL]",
		.min_words = 0,
		.max_words = 1,
		.summary = "show or set what the daemon logs",
		.details =
			"Sets the level of the log to error, warning, notice, info or debug: it\n"
			"takes effect at once, and a reload sets again what the configuration\n"
			"says. Without LEVEL, shows it.",
		.examples = { "log debug", "log" },
		.method = METHOD_LOG,
		.request = request_log,
		.print = print_log_level,
	},
	{
		.name = "trace",
		.group = GROUP_DAEMON,
		.words = "[NAME|off]",
		.min_words = 0,
		.max_words = 1,
		.switches = trace_switches,
		.summary = "log handshakes and frames of a bridge for a while",
		.details =
			"From now on the log of the daemon has the handshakes and the header of\n"
			"every frame of the bridge NAME, at most 200 lines a second. Payloads and\n"
			"secrets are left out. It ends by itself; --for 0 ends it now, and the\n"
			"word off every trace. Without NAME, shows what is traced.",
		.examples = { "trace feed --for 30s", "trace off" },
		.method = METHOD_TRACE,
		.request = request_trace,
		.print = print_traces,
	},
	{
		.name = "metrics",
		.group = GROUP_DAEMON,
		.words = "",
		.summary = "counters and gauges as OpenMetrics text",
		.details = "Prints what is counted, of the daemon and of every bridge, as\n"
			   "OpenMetrics text for Prometheus and the like.",
		.examples = { "metrics", "--json metrics" },
		.method = METHOD_METRICS,
		.request = request_metrics,
		.print = print_metrics,
	},
	{
		.name = "shutdown",
		.group = GROUP_DAEMON,
		.words = "",
		.switches = shutdown_switches,
		.summary = "end the daemon in an orderly way",
		.details = "Ends the daemon: no new clients, queues written, close 1001 to\n"
			   "every upstream. Returns when it is done.",
		.examples = { "shutdown", "shutdown --timeout 2s" },
		.method = METHOD_SHUTDOWN,
		.request = request_shutdown,
		.print = print_shut_down,
	},
	{
		.name = "version",
		.group = GROUP_DAEMON,
		.words = "",
		.summary = "version of the daemon that runs",
		.details =
			"Shows the version of the daemon that runs, and what it was built with.\n"
			"`wsbridge --version` is about this program.",
		.examples = { "version", "--json version" },
		.method = METHOD_VERSION,
		.request = request_version,
		.print = print_version,
	},
	{
		.name = "rpc",
		.group = GROUP_DAEMON,
		.words = "METHOD [PARAMS]",
		.min_words = 1,
		.max_words = 2,
		.summary = "call any method of the control socket",
		.details = "Calls METHOD with the JSON object PARAMS and prints its result.\n"
			   "The methods are in wsbridge-rpc(7).",
		.examples = { "rpc status '{\"name\":\"feed\"}'", "--json rpc version" },
		.method = "",
		.request = request_rpc,
		.print = print_json,
	},
	{
		.name = "connect",
		.group = GROUP_ALONE,
		.words = "URL",
		.min_words = 1,
		.max_words = 1,
		.switches = connect_switches,
		.summary = "talk to a WebSocket server",
		.details =
			"On a terminal it is a line editor with history; what is received stands\n"
			"above the line being typed, and Ctrl-D closes. In a pipe every line of\n"
			"standard input is one message, and every message that is received is\n"
			"written byte for byte, with a newline. One second after the end of input\n"
			"it closes with 1000; with --messages N it waits for these instead. It\n"
			"never connects again. The exit status says what has ended it. With\n"
			"--json, every line of the output is a JSON object about one event.\n"
			"Command lines are no place for secrets: -o headers='{\"NAME\":\n"
			"{\"file\": PATH}}' takes one from a file.",
		.examples = { "connect wss://example.net/chat",
			      "connect ws://127.0.0.1:9001/ --text hello --messages 1" },
		.run = run_connect_url,
	},
	{
		.name = "probe",
		.group = GROUP_ALONE,
		.words = "URL",
		.min_words = 1,
		.max_words = 1,
		.switches = probe_switches,
		.summary = "connect once, and show every stage of it",
		.details =
			"Connects to URL as a bridge would, closes again, and shows how long each\n"
			"stage took, every address that was tried, the certificates and when they\n"
			"expire, and what the server has answered. Options of a bridge come from\n"
			"-o, by the names of wsbridge.json(5). What is secret is not shown. The\n"
			"exit status says what has failed.",
		.examples = { "probe wss://example.net/feed",
			      "probe wss://example.net/ -o proxy=http://127.0.0.1:3128 --json" },
		.run = run_probe,
	},
	{
		.name = "echo",
		.group = GROUP_ALONE,
		.words = "",
		.switches = echo_switches,
		.summary = "a WebSocket server for trying things out",
		.details =
			"Serves until it is interrupted:\n"
			"  /                            sends messages back\n"
			"  /ticker?interval=1           sends {\"n\":1,\"time\":...} every second\n"
			"  /close?code=4000&reason=bye  closes after the first message\n"
			"  /silent                      as /, but never answers a ping\n"
			"ADDRESS is HOST:PORT, or PORT alone for 127.0.0.1; port 0: any that\n"
			"is free.",
		.examples = { "echo", "echo --listen 127.0.0.1:0" },
		.plain = true,
		.run = run_echo,
	},
	{
		.name = "check",
		.group = GROUP_ALONE,
		.words = "[FILE]",
		.min_words = 0,
		.max_words = 1,
		.summary = "is a configuration good? Shows every error",
		.details = "Checks FILE, or the configuration that the daemon would read. Exit\n"
			   "status 1 if there is an error. It touches nothing that the\n"
			   "configuration names.",
		.examples = { "check", "check ./wsbridge.json" },
		.run = run_check,
	},
	{ .name = NULL },
};

const struct command *command_find(const char *name)
{
	for (const struct command *c = commands; c->name; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

const char *command_nearest(const char *name)
{
	const char *names[sizeof(commands) / sizeof(*commands)];
	size_t n = 0;

	for (const struct command *c = commands; c->name; c++)
		names[n++] = c->name;
	names[n] = NULL;
	return schema_nearest(name, names);
}

bool command_is_alone(const struct command *c)
{
	return c->group == GROUP_ALONE;
}

const struct cli_switch *command_common(const struct command *c)
{
	if (!command_is_alone(c))
		return daemon_switches;
	return c->plain ? alone_switches : alone_json_switches;
}
