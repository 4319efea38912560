/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must hold for a link, whatever happens, as the world can see it from
 * outside. Each breach ends the run with its sentence (trace_fail).
 */
#ifndef SIM_JUDGE_H
#define SIM_JUDGE_H

#include "sim/world.h"

void judge_state(struct feed *f); /* it has just changed its state */
/* A session is over; delay until the next, -1 = there is none. Before judge_state. */
void judge_end(struct feed *f, const struct session_end *end, int64_t delay);
void judge_step(struct feed *f);   /* after a turn in which something happened to it */
void judge_second(struct feed *f); /* now and then */
void judge_calm(struct feed *f);   /* the same, at the end, when nothing goes wrong any more */

/* An operator, or the machine, has interfered: what comes next is not by the rules. */
void judge_excuse(struct feed *f);

#endif
