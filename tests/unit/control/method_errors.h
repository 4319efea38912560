/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that are refused before anything happens, and the whole sentence,
 * with the bridges "feed" and "other" there and closed.
 */
#ifndef WSB_TESTS_CONTROL_METHOD_ERRORS_H
#define WSB_TESTS_CONTROL_METHOD_ERRORS_H

#include <stddef.h>

/* Nobody listens on the discard port of this machine. */
#define NOWHERE "ws://127.0.0.1:9/"

struct method_error {
	const char *line;
	int code;
	const char *kind, *option, *message;
};

#define BAD_OPTION -32602, "invalid_option"

static const struct method_error method_errors[] = {
	{ "status name=feed nam=x", BAD_OPTION, "nam",
	  "unknown parameter \"nam\"; did you mean \"name\"?" },
	{ "status zzzzzz=1", BAD_OPTION, "zzzzzz", "unknown parameter \"zzzzzz\"" },
	{ "{\"id\":1,\"method\":\"status\",\"params\":{\"Name\":\"x\"}}", BAD_OPTION, "Name",
	  "unknown parameter \"Name\"; did you mean \"name\"?" },
	{ "{\"id\":1,\"method\":\"status\",\"params\":{\"name\":1}}", BAD_OPTION, "name",
	  "name: expected a string, found a number" },
	{ "{\"id\":1,\"method\":\"status\",\"params\":{\"name\":null}}", BAD_OPTION, "name",
	  "name: expected a string, found null" },
	{ "status a/b", BAD_OPTION, "name",
	  "name: a bridge's name has 1 to 64 of A-Z a-z 0-9 _ . @ -" },
	{ "status \"\"", BAD_OPTION, "name",
	  "name: a bridge's name has 1 to 64 of A-Z a-z 0-9 _ . @ -" },
	{ "version x", BAD_OPTION, "name", "unknown parameter \"name\"" },
	{ "status fed", -32001, "no_such_bridge", NULL,
	  "no bridge \"fed\"; did you mean \"feed\"?" },
	{ "status nowhere", -32001, "no_such_bridge", NULL, "no bridge \"nowhere\"" },
	{ "stauts", -32601, "no_such_method", NULL,
	  "no method \"stauts\"; did you mean \"status\"?" },
	{ "STATUS", -32601, "no_such_method", NULL, "no method \"STATUS\"" },
	{ "{\"id\":1,\"method\":\"\"}", -32601, "no_such_method", NULL, "no method \"\"" },
	{ "{\"id\":1,\"method\":\"\\u001b[2J\"}", -32601, "no_such_method", NULL,
	  "no method \"\\x1b[2J\"" },
	{ "open", BAD_OPTION, "name", "\"name\" is missing" },
	{ "open new", -32001, "no_such_bridge", NULL,
	  "no bridge \"new\" (give a \"url\" to make one)" },
	{ "open new url=http://h/", BAD_OPTION, "url",
	  "url: the URL begins with http://; write ws://" },
	{ "open new urk=ws://h/", BAD_OPTION, "urk",
	  "unknown parameter \"urk\"; did you mean \"url\"?" },
	{ "open new url=" NOWHERE " wiat=true", BAD_OPTION, "wiat",
	  "unknown parameter \"wiat\"; did you mean \"wait\"?" },
	{ "open new url=" NOWHERE " ping.intervall=5s", BAD_OPTION, "ping.intervall",
	  "ping.intervall: unknown key; did you mean \"ping.interval\"?" },
	{ "open new url=" NOWHERE " ping.interval=soon", BAD_OPTION, "ping.interval",
	  "ping.interval: \"soon\" is not a duration: a number is missing" },
	{ "open new url=" NOWHERE " wait=soon", BAD_OPTION, "wait",
	  "wait: \"soon\" is not a duration: a number is missing" },
	{ "{\"id\":1,\"method\":\"open\",\"params\":{\"name\":\"new\",\"url\":\"" NOWHERE
	  "\",\"wait\":[1]}}",
	  BAD_OPTION, "wait", "wait: expected a duration such as 20 or \"20s\", found a list" },
	{ "{\"id\":1,\"method\":\"open\",\"params\":{\"name\":\"new\",\"url\":\"" NOWHERE
	  "\",\"ping\":{\"intervall\":1}}}",
	  BAD_OPTION, "ping.intervall", "ping.intervall: unknown key; did you mean \"interval\"?" },
	{ "open feed url=" NOWHERE, -32002, "already_exists", NULL,
	  "there is a bridge \"feed\" already (closed)" },
	{ "close", BAD_OPTION, "name", "\"name\" is missing" },
	{ "close feed code=1005", BAD_OPTION, "code",
	  "code: must be 1000...1003, 1007...1011 or 3000...4999" },
	{ "close feed code=999", BAD_OPTION, "code",
	  "code: must be 1000...1003, 1007...1011 or 3000...4999" },
	{ "close feed code=5000", BAD_OPTION, "code",
	  "code: must be 1000...1003, 1007...1011 or 3000...4999" },
	{ "close feed code=1e3", BAD_OPTION, "code",
	  "code: expected a whole number, found a number with a fraction" },
	{ "close feed code=going", BAD_OPTION, "code",
	  "code: expected a whole number, found a string" },
	{ "close feed reason="
	  "1234567890123456789012345678901234567890123456789012345678901234567890"
	  "123456789012345678901234567890123456789012345678901234",
	  BAD_OPTION, "reason", "reason: at most 123 bytes" },
	{ "close fed", -32001, "no_such_bridge", NULL,
	  "no bridge \"fed\"; did you mean \"feed\"?" },
	{ "send feed", BAD_OPTION, "text",
	  "one of \"text\", \"json\", \"binary\", \"ping\" and \"pong\" is needed" },
	{ "send feed text=a binary=YQ==", BAD_OPTION, "binary",
	  "\"text\" and \"binary\" are given; one of them is needed" },
	{ "send feed json=null pong=a", BAD_OPTION, "pong",
	  "\"json\" and \"pong\" are given; one of them is needed" },
	{ "send feed json=nul", BAD_OPTION, "json", "json: not a JSON text" },
	{ "send feed json=", BAD_OPTION, "json", "json: not a JSON text" },
	{ "{\"id\":1,\"method\":\"send\",\"params\":{\"name\":\"feed\",\"text\":{}}}", BAD_OPTION,
	  "text", "text: expected a string, found an object" },
	{ "send feed text=a queue=yes", BAD_OPTION, "queue",
	  "queue: expected true or false, found a string" },
	{ "send feed binary=YQ", BAD_OPTION, "binary", "binary: not valid Base64" },
	{ "send feed ping=a queue=true", BAD_OPTION, "queue", "queue: a ping is never queued" },
	{ "send feed pong=a queue=true", BAD_OPTION, "queue", "queue: a pong is never queued" },
	{ "send feed ping="
	  "1234567890123456789012345678901234567890123456789012345678901234567890"
	  "12345678901234567890123456789012345678901234567890123456",
	  BAD_OPTION, "ping", "ping: at most 125 bytes" },
	{ "send fed text=a", -32001, "no_such_bridge", NULL,
	  "no bridge \"fed\"; did you mean \"feed\"?" },
	{ "send feed text=a", -32004, "not_open", NULL, "bridge \"feed\" is closed" },
	{ "send feed json={} ", -32004, "not_open", NULL, "bridge \"feed\" is closed" },
	{ "send feed ping=", -32004, "not_open", NULL, "bridge \"feed\" is closed" },
	{ "explain fed", -32001, "no_such_bridge", NULL,
	  "no bridge \"fed\"; did you mean \"feed\"?" },
	{ "explain", BAD_OPTION, "name", "\"name\" is missing" },
	{ "reconnect feed", -32004, "not_open", NULL, "bridge \"feed\" is closed: use \"open\"" },
	{ "reconnect fed", -32001, "no_such_bridge", NULL,
	  "no bridge \"fed\"; did you mean \"feed\"?" },
	{ "reload dry_run=perhaps", BAD_OPTION, "dry_run",
	  "dry_run: expected true or false, found a string" },
	{ "reload dryrun=true", BAD_OPTION, "dryrun",
	  "unknown parameter \"dryrun\"; did you mean \"dry_run\"?" },
	{ "shutdown timeout=never", BAD_OPTION, "timeout",
	  "timeout: \"never\" is not a duration: a number is missing" },
	{ "shutdown timeout=2h", BAD_OPTION, "timeout",
	  "timeout: must be 0 (\"off\") or between 0s and 1h" },
};

#define N_METHOD_ERRORS (sizeof(method_errors) / sizeof(method_errors[0]))

#endif
