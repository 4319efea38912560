/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of wsload, a WebSocket server that loads or measures a client; wsload.c has main().
 */
#ifndef BENCH_WSLOAD_H
#define BENCH_WSLOAD_H

#include "bench/load.h"
#include "bench/ws_conn.h"

struct wsload {
	uint64_t blast, sink, idle; /* one of them, or echo */
	bool echo;
	uint64_t size, batch, conns, rounds;
	enum load_text text;
	bool deflate, wait_go, ack, raw;
	double hold, timeout;
	const char *listen, *port_file, *ready_file, *cert, *key;
};

extern struct wsload wsload; /* the options */

/* Frames that are built before they are sent. */
struct ws_wire {
	unsigned char *bytes;
	size_t len, cap;
};

unsigned char *ws_wire_room(struct ws_wire *w, size_t size);
/* A whole stream of compressed messages. */
struct ws_wire ws_deflate_stream(const struct ws_conn *c, uint64_t count);

/* Each serves one connection to its end, prints a line of JSON and tells whether all was well. */
bool wsload_blast(struct ws_conn *c);
bool wsload_sink(struct ws_conn *c);
bool wsload_echo(struct ws_conn *c);

/* The beginning of that line. */
void wsload_print(const struct ws_conn *c, const char *mode, uint64_t messages, uint64_t start,
		  double cpu);

#endif
