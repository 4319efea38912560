/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `wsbridge connect`: one connection, without a daemon, between a server and
 * standard input and output. It never connects again.
 */
#ifndef WSB_TOOL_CONNECT_H
#define WSB_TOOL_CONNECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct bridge_conf;

#define CONNECT_FOREVER INT64_MAX
/* Without eof_wait and messages, and no terminal: for the answers that are still on their way. */
#define CONNECT_EOF_WAIT ((int64_t)1000000)

struct connect_params {
	struct bridge_conf *conf; /* its first URL */
	bool binary;		  /* what is read goes out as binary messages */
	bool raw;		  /* on a terminal, too: no editor, nothing made visible */
	bool stream;		  /* bytes in binary messages, and bytes out; no lines */
	bool json;		  /* a JSON value for each thing that happens, and no editor */
	bool timings;
	unsigned verbose;	  /* 1: types, pings, pongs, Close; 2: handshake and frames, too */
	const char *const *texts; /* messages to begin with; UTF-8 */
	size_t n_texts;
	uint64_t messages; /* that is enough; 0 = there is no enough */
	bool has_eof_wait;
	int64_t eof_wait; /* microseconds from the end of input to our Close; CONNECT_FOREVER */
};

/*
 * With a line editor if standard input and output are both a terminal. SIGINT and SIGTERM close
 * with 1000, a second one ends it at once. False: *err says why it did not end as it should.
 */
bool connect_run(const struct connect_params *params, struct error *err);

#endif
