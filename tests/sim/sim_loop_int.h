/* SPDX-License-Identifier: Apache-2.0 */
/* The one definition of what loop.h, and hangup.h, only point to. */
#ifndef SIM_SIM_LOOP_INT_H
#define SIM_SIM_LOOP_INT_H

#include "sim/sim_loop.h"

struct sim_sock;

struct event {
	struct sim_item item; /* of a timer */
	struct timer *timer;
	struct sim_source source; /* of a watch, or a hangup */
	struct sim_sock *sock;
	struct list of_sock;
	void *owner;
};

/* For what has no loop at hand: there is one at a time. NULL = none. */
struct loop *sim_loop_current(void);

#endif
