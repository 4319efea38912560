/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scenario, from the seed: how many bridges to how many servers, and a
 * configuration for each, as JSON through the same door as a user's file.
 */
#ifndef SIM_PLAN_H
#define SIM_PLAN_H

#include "sim/world.h"

void plan_world(struct sim *s);				       /* fills the feeds, and s->conf */
struct main_conf *plan_again(struct sim *s, unsigned percent); /* so many of them changed */

#endif
