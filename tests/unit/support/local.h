/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A local client of a bridge for tests: a Unix socket in the loop of the one
 * who uses it. What it writes waits here while the bridge does not read.
 */
#ifndef WSB_UNIT_SUPPORT_LOCAL_H
#define WSB_UNIT_SUPPORT_LOCAL_H

#include "base/buf.h"

struct loop;
struct stream;

struct local {
	struct stream *stream; /* NULL once the other side is gone */
	struct buf out;
	char *got;	/* everything that was read */
	unsigned lines; /* in it */
	bool ended;	/* by the other side */
};

/* False: nobody listens there. */
bool local_connect(struct local *c, struct loop *l, const char *path);
void local_write(struct local *c, const char *text);
void local_close(struct local *c); /* frees everything; twice is fine */

#endif
