/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random numbers from a seed (xoshiro256++): the only source of chance in the simulator, for
 * the scenario, the network and, as a rand_source, the code under test. Streams of one seed
 * are independent, so that more draws in one of them leave the others alone.
 */
#ifndef SIM_SIM_RAND_H
#define SIM_SIM_RAND_H

#include <stdbool.h>

#include "base/rand.h"

struct sim_rand {
	struct rand_source source; /* must stay the first */
	uint64_t state[4];
	uint64_t calls;
};

void sim_rand_init(struct sim_rand *r, uint64_t seed, uint64_t stream);
uint64_t sim_u64(struct sim_rand *r);
uint64_t sim_below(struct sim_rand *r, uint64_t n);		    /* 0...n - 1, n > 0 */
int64_t sim_between(struct sim_rand *r, int64_t low, int64_t high); /* both included */
bool sim_chance(struct sim_rand *r, unsigned percent);

/* Between low and high (low > 0), each order of magnitude as likely as the next. */
int64_t sim_spread(struct sim_rand *r, int64_t low, int64_t high);

#endif
