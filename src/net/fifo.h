/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A FIFO at a path, of which we are one end: it gives out a stream for each
 * peer that comes. It is made if it is missing, and gone with us if we made it;
 * who else may be at the path is never touched. Owned by an endpoint.
 *
 * We write (`out`): a stream is a reader; there is one at a time, and each has
 * a pipe of its own, which begins empty. For that a second FIFO waits at
 * PATH.next: when a reader is there, and before a byte is written, the two
 * change places, and the next reader opens the other one. So nobody can find
 * what another one has left behind. Where the two cannot change places (a file
 * system without RENAME_EXCHANGE, a FIFO whose owner we cannot give away, or
 * with an ACL) a reader that opens within the moment in which the last one
 * leaves gets the rest of what was meant for that one.
 *
 * We read (`in`): a stream is the pipe, whoever writes to it. Writers come and
 * go unseen, since an end of ours keeps it open: a record that a writer leaves
 * unfinished goes on with what the next one writes.
 *
 * SIGPIPE must be ignored in the process.
 */
#ifndef WSB_NET_FIFO_H
#define WSB_NET_FIFO_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

struct fifo;
struct loop;
struct stream;

/* Strings are copied. */
struct fifo_params {
	const char *path;
	bool out;		   /* we write to it */
	mode_t mode;		   /* these three: of a FIFO that is made */
	const char *owner, *group; /* name or number; NULL = as it comes */
};

enum fifo_event {
	FIFO_PEER,   /* stream, not attached, now the callee's */
	FIFO_BROKEN, /* err: there is no FIFO of ours at the path; it is tried again and again */
};

/* From the loop only. The fifo may not be freed in it. */
typedef void (*fifo_cb)(void *arg, enum fifo_event event, struct stream *stream,
			const struct error *err);

/* NULL: *err is ERR_ENDPOINT; err->os is EADDRINUSE if another process serves the path. */
struct fifo *fifo_new(struct loop *l, const struct fifo_params *params, struct error *err);
void fifo_start(struct fifo *f, fifo_cb cb, void *arg); /* from the next turn on */

/*
 * The stream that was given out last has been freed. Of `out`: the next reader may come. Of
 * `in`: what it had not read is discarded, and there is a new one. From the loop only.
 */
void fifo_next(struct fifo *f);

void fifo_stop(struct fifo *f); /* no more peers; the name goes if we made it */
void fifo_free(struct fifo *f); /* stops, too; NULL is fine; streams are not its */

#endif
