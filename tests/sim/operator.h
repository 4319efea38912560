/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Those who interfere: an operator, who starts, stops, reconnects and
 * configures; the machine, which is suspended; the system, which gives the
 * process no time. Part of the world.
 */
#ifndef SIM_OPERATOR_H
#define SIM_OPERATOR_H

#include "sim/world.h"

void operator_init(struct sim *s);
void operator_deinit(struct sim *s);
void operator_calm(struct sim *s); /* acts no more; what was stopped by hand stays so */
void operator_stall(struct sim *s, int64_t how_long); /* the process gets no time */
/* Acts on f in a moment, without knowing what is on its way. */
void operator_hurry(struct feed *f, int64_t delay);
void operator_stop_all(struct sim *s); /* the end */

#endif
