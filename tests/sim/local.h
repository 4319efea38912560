/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Local clients: they come, write numbered records, read at some pace or not
 * at all for a time, end their half, die. What they read is checked: order,
 * nothing twice, and with json framing every gap told exactly.
 */
#ifndef SIM_LOCAL_H
#define SIM_LOCAL_H

#include "base/list.h"
#include "sim/seen.h"
#include "sim/stamp.h"
#include "sim/world.h"

#define SERIALS_KEPT 64

/* The clients of one feed. */
struct visits {
	struct feed *feed;
	struct list locals;
	struct sim_event next;
	uint64_t born;
	int64_t every;
	uint64_t written; /* whole records that the process must take, of all clients */
	bool exact;	  /* no client was cut off, so that all of these count */
	struct {
		uint64_t serial, epoch, base; /* base: seq less number, of the messages */
	} serials[SERIALS_KEPT];
};

struct local {
	struct list node;
	struct visits *visits;
	char path[32];
	bool json;
	struct sim_sock *sock;
	pid_t pid;
	uint64_t k, n; /* its number, and of its latest record */
	struct buf out, in;
	struct sim_event write, read, life;
	int64_t every;	 /* between two records */
	size_t size_max; /* of them */
	size_t rate;	 /* bytes at a time, 0 = all there is */
	bool stopped;	 /* reads nothing for a while */
	bool steady;	 /* reads always, and at once */
	bool slowed;	 /* was slow, or owed too many, at some time: answers to it may be lost */
	size_t queue;	 /* of its endpoint, bytes */
	bool finished;	 /* its half is at its end */
	bool silent;	 /* writes no more */
	/* what has come */
	struct stamp last;
	uint64_t answers;
	uint64_t got, seq, gaps, epoch; /* seq 0 = no message yet; gaps: messages they told of */
	struct seen answered;
};

void visits_init(struct feed *f);
void visits_deinit(struct feed *f);
void visits_calm(struct feed *f);	      /* all read, nobody comes, goes or writes any more */
bool visits_are_read(const struct visits *v); /* the process has all that they wrote */
const struct local *visits_find(const struct visits *v, pid_t pid); /* NULL = is gone */
bool local_has_lost(const struct local *c);   /* messages: so answers, too, may be lost */
bool local_is_settled(const struct local *c); /* nothing is under way to it or from it */

/* local_read.c */
void local_line(struct local *c, struct span line);

#endif
