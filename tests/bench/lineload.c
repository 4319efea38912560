/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The local end of a bridge: reads lines and looks at their numbers, writes lines as fast as they
 * are taken, or measures the round trips of single ones.
 */
#include "bench/lineload.h"

#include <stddef.h>

#include "bench/load_args.h"

struct lineload lineload = { .size = 64, .clients = 1, .warmup = 100, .timeout = 120 };

static const struct load_arg args[] = {
	{ "unix", LOAD_STRING, &lineload.unix_path,
	  "PATH: where to connect; waits until it is there" },
	{ "recv", LOAD_COUNT, &lineload.recv, "N: read N lines on each client" },
	{ "send", LOAD_COUNT, &lineload.send, "N: write N lines" },
	{ "pingpong", LOAD_COUNT, &lineload.pingpong,
	  "N: so often write a line, wait for its echo" },
	{ "size", LOAD_COUNT, &lineload.size, "S: bytes of a line without its end (64)" },
	{ "text", LOAD_KIND, &lineload.text, "ascii (default), utf8 or json" },
	{ "clients", LOAD_COUNT, &lineload.clients, "K: --recv on K connections (1)" },
	{ "go", LOAD_STRING, &lineload.go, "LINE: --recv: written when all are connected" },
	{ "after", LOAD_STRING, &lineload.after,
	  "TEXT: --recv: a line's number stands behind this" },
	{ "no-check", LOAD_FLAG, &lineload.no_check, "--recv: count lines only" },
	{ "wait-ack", LOAD_FLAG, &lineload.wait_ack, "--send: done when a line comes back" },
	{ "warmup", LOAD_COUNT, &lineload.warmup, "N: round trips that do not count (100)" },
	{ "ready-file", LOAD_STRING, &lineload.ready_file, "FILE: begin when it is there" },
	{ "timeout", LOAD_SECONDS, &lineload.timeout, "SEC: give up then (120; 0: never)" },
	{ 0 },
};

int main(int argc, char **argv)
{
	bool ok;

	if (load_args(argc, argv, args,
		      "lineload --unix PATH --recv N | --send N | --pingpong N") != argc ||
	    (lineload.recv > 0) + (lineload.send > 0) + (lineload.pingpong > 0) != 1 ||
	    !lineload.unix_path || lineload.clients < 1)
		load_die("--help shows what it wants");
	if (lineload.size < (lineload.text == LOAD_JSON ? SIZE_MIN_JSON : SIZE_MIN))
		load_die("--size is too small for what a line holds");
	load_watchdog(lineload.timeout);
	ok = lineload.recv ? lineload_recv() :
	     lineload.send ? lineload_send() :
			     lineload_pingpong();
	return ok ? 0 : 1;
}
