/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the simulated loop has beside loop.h: a clock that is turned by hand,
 * events of the world outside of the process (network, servers, clients), and
 * sources of readiness for what stands for descriptors.
 *
 * The process can be held up while the world goes on, as by SIGSTOP: bytes
 * arrive, timers become overdue, and one turn finds all of it.
 */
#ifndef SIM_SIM_LOOP_H
#define SIM_SIM_LOOP_H

#include "net/loop.h"
#include "sim/sim_heap.h"

/* Of the world. Part of its user's object; it never calls the code under test. */
struct sim_event {
	struct sim_item item;
	struct loop *loop;
	void (*happen)(void *arg);
	void *arg;
};

void sim_event_init(struct sim_event *e, struct loop *l, void (*happen)(void *arg), void *arg);
void sim_event_in(struct sim_event *e, int64_t delay); /* anew if it was planned */
void sim_event_cancel(struct sim_event *e);	       /* fine if it was not, or not initialised */
bool sim_event_is_planned(const struct sim_event *e);

/* What the process waits for beside timers. Level-triggered; looked at after a poke. */
struct sim_source {
	struct list node;
	struct loop *loop;
	bool (*is_ready)(struct sim_source *s);
	void (*deliver)(struct sim_source *s); /* may free it */
};

void sim_source_init(struct sim_source *s, struct loop *l, bool (*is_ready)(struct sim_source *s),
		     void (*deliver)(struct sim_source *s));
void sim_source_poke(struct sim_source *s);
void sim_source_deinit(struct sim_source *s);

enum sim_step {
	SIM_WORLD, /* an event of the world has happened */
	SIM_TURN,  /* the process has had a turn */
	SIM_NONE,  /* nothing happens until then; it is then now */
};
enum sim_step sim_loop_step(struct loop *l, int64_t until);

/* Until then the process does not run. */
void sim_loop_stall(struct loop *l, int64_t duration);

/* What is left of the process: for the end, when nothing must be. */
struct sim_left {
	size_t timers, armed, sources, deferred;
};
void sim_loop_left(const struct loop *l, struct sim_left *left);
int64_t sim_loop_next_timer(const struct loop *l); /* of the process; INT64_MAX = none */

#define SIM_BEGIN ((int64_t)1000 * 1000000)  /* the clock at the start, as after a boot */
#define SIM_WALL_BEGIN ((int64_t)1700000000) /* seconds since 1970 then */

#endif
