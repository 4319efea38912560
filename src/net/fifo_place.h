/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names of one FIFO in the file system, and which FIFOs stand there: the
 * one at the path, in front, and for one that we write to a second one at
 * PATH.next, in the back, to change places with. Everything else that may be
 * found at these names is left alone. Nothing is watched here, and no bytes
 * are moved. Owned by a fifo.
 */
#ifndef WSB_NET_FIFO_PLACE_H
#define WSB_NET_FIFO_PLACE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

struct fifo_params;

struct fifo_id {
	dev_t dev;
	ino_t ino; /* 0 = none */
	bool made; /* by us: it goes when we go */
};

struct fifo_place {
	char *path, *next;
	mode_t mode;
	uid_t owner; /* these two: -1 = as it comes */
	gid_t group;
	int lock;
	struct fifo_id front, back;
	bool was_ours; /* what was in front last: it may be made again */
};

/* Takes the lock; touches nothing else. False: *err is ERR_ENDPOINT; nothing to deinit. */
bool fifo_place_init(struct fifo_place *p, const struct fifo_params *params, struct error *err);
void fifo_place_deinit(struct fifo_place *p); /* twice is fine; the names stay */

/*
 * Sees to it that there is a FIFO in front: the one we know, else one that stands there now,
 * else a new one. False: *err says what stands there, or why none could be made.
 */
bool fifo_place_enter(struct fifo_place *p, struct error *err);
bool fifo_place_is_entered(const struct fifo_place *p); /* what is in front stands there still */

/* Puts a FIFO like the one in front in the back. False: it cannot be had. */
bool fifo_place_prepare(struct fifo_place *p);
/* Front and back change places. False: they cannot; nothing has changed. */
bool fifo_place_swap(struct fifo_place *p);

/* Removes the one in the back; what is in front stands in for it from now on. */
void fifo_place_forget_back(struct fifo_place *p);

/* Opens it without blocking if it is the very one; else -1, err->os says why. */
int fifo_place_open(const char *name, const struct fifo_id *id, int flags, struct error *err);

/* Takes away what we made; what was found stands at the path again. */
void fifo_place_leave(struct fifo_place *p);

#endif
