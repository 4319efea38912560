/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What waits for standard output, or error: a queue before a stream. Whoever
 * fills it looks at connect_sink_is_full and stops in time. Owned by connect.c.
 */
#ifndef WSB_TOOL_CONNECT_SINK_H
#define WSB_TOOL_CONNECT_SINK_H

#include <stdbool.h>

#include "base/buf.h"

struct loop;
struct stream;

struct connect_sink {
	struct stream *stream; /* NULL: over */
	struct buf queue;
	bool finishing, ended;
	/* The queue has become shorter, or the other side has ended; from the loop. */
	void (*changed)(void *arg);
	void *arg;
};

/* Takes the descriptor. cap: see struct buf. */
void connect_sink_init(struct connect_sink *k, struct loop *l, int fd, size_t cap);
void connect_sink_deinit(struct connect_sink *k); /* twice is fine, as on a zeroed one */

/* False: over the cap, and nothing was taken. What comes after the end is dropped. */
bool connect_sink_put(struct connect_sink *k, struct span bytes);
bool connect_sink_is_full(const struct connect_sink *k);

/* Nothing more will come: `ended` when the other side has it all, or has given up. */
void connect_sink_finish(struct connect_sink *k);

#endif
