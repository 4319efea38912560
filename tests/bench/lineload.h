/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of lineload, a local client of a bridge: lines on a Unix socket; lineload.c has main().
 */
#ifndef BENCH_LINELOAD_H
#define BENCH_LINELOAD_H

#include "bench/load.h"

struct lineload {
	const char *unix_path;
	uint64_t recv, send, pingpong; /* one of them */
	uint64_t size, clients, warmup;
	enum load_text text;
	const char *go, *after, *ready_file;
	bool no_check, wait_ack;
	double timeout;
};

extern struct lineload lineload; /* the options */

/* Each prints a line of JSON and tells whether all was there, in order. */
bool lineload_recv(void);
bool lineload_send(void);
bool lineload_pingpong(void);

#endif
