/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event loop: the only wrapper over libevent. Readiness, timers, signals,
 * and calls at the end of the turn; bytes are none of its business. One per
 * process, single-threaded; everything below is owned by its user, and must be
 * gone before loop_free.
 */
#ifndef WSB_NET_LOOP_H
#define WSB_NET_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

#define LOOP_LARGE ((size_t)256 * 1024) /* memory of so much is not kept for what comes next */

struct event;
struct loop;

struct loop *loop_new(void); /* aborts when the kernel has no descriptors left */
void loop_free(struct loop *l);
void loop_run(struct loop *l);	  /* until loop_stop; end-of-turn calls included */
void loop_stop(struct loop *l);	  /* at the end of this turn */
void loop_drain(struct loop *l);  /* the end-of-turn calls that are left, before loop_free */
int64_t loop_now(struct loop *l); /* CLOCK_MONOTONIC, microseconds */

/* The read buffer that all streams share; what it holds is gone at the next read. */
uint8_t *loop_scratch(struct loop *l, size_t *size);

/*
 * Much memory was needed for a moment: what is free by then goes back to the system, a little
 * later and once for all who ask.
 */
void loop_tidy_later(struct loop *l);

/* The same, if these are the bytes of something large that has passed. */
static inline void loop_passed(struct loop *l, size_t n)
{
	if (n >= LOOP_LARGE)
		loop_tidy_later(l);
}

/* A second one, for what a filter makes of the first (TLS: ciphertext there, plaintext here). */
uint8_t *loop_scratch_plain(struct loop *l, size_t *size);

/* A timer is part of its user's object. It never fires early. */
struct timer {
	struct loop *loop;
	union {		     /* the loop's */
		size_t slot; /* among those that are armed, 0 = it is not */
		struct event *event;
	};
	void (*fire)(void *arg);
	void *arg;
	int64_t due; /* on the loop's clock, -1 = not armed */
};

void timer_init(struct timer *t, struct loop *l, void (*fire)(void *arg), void *arg);
void timer_deinit(struct timer *t);		/* twice is fine */
void timer_arm(struct timer *t, int64_t delay); /* microseconds from now; re-arms if armed */
void timer_disarm(struct timer *t);
bool timer_is_armed(const struct timer *t);

enum { WATCH_READ = 1, WATCH_WRITE = 2 };

/* A watch on a descriptor, level-triggered. It does not own the descriptor. */
struct watch {
	struct loop *loop;
	struct event *read, *write; /* made when they are first wanted */
	int fd;
	unsigned wanted;
	void (*ready)(void *arg, unsigned events);
	void *arg;
};

void watch_init(struct watch *w, struct loop *l, int fd, void (*ready)(void *arg, unsigned events),
		void *arg);
void watch_deinit(struct watch *w); /* before the descriptor is closed; twice is fine */
void watch_set(struct watch *w, unsigned events);

/*
 * A call at the end of this turn. Objects are freed this way, so that none is
 * gone while one of its events is under way.
 */
struct deferred {
	struct list node;
	void (*run)(void *arg);
	void *arg;
};

void deferred_init(struct deferred *d, void (*run)(void *arg), void *arg);
void loop_defer(struct loop *l, struct deferred *d); /* once, even if asked twice */
void deferred_cancel(struct deferred *d);	     /* fine if not pending */

/* A signal as an ordinary event. Owned by the loop, for its lifetime. */
void loop_on_signal(struct loop *l, int signo, void (*fire)(void *arg), void *arg);

#endif
