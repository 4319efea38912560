/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A test at every level of vector code that this machine has (base/cpu.h), and
 * numbers without order for it. The level is the best one again afterwards.
 */
#ifndef WSB_UNIT_SUPPORT_LEVELS_H
#define WSB_UNIT_SUPPORT_LEVELS_H

#include <stdint.h>
#include <stdlib.h>

#include "base/cpu.h"
#include "base/span.h"

/* Calls run once for each level; its name is in `cpu_level_name(cpu_level())`. */
static inline void levels_each(void (*run)(void *arg), void *arg)
{
	for (unsigned i = 0; i < CPU_LEVELS; i++)
		if (cpu_has((enum cpu_level)i) && cpu_limit(cpu_level_name((enum cpu_level)i)))
			run(arg);
	cpu_limit(NULL);
}

/* Marsaglia's xorshift: the same numbers in every run. */
static inline uint32_t levels_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/*
 * A copy in a block of its own and exact size, where sanitizers and valgrind see a byte too
 * many on either side. Caller frees `p`, which is not constant for that reason.
 */
static inline uint8_t *levels_copy(struct span s)
{
	uint8_t *p = malloc(s.n ? s.n : 1);

	if (!p)
		abort();
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return p;
}

#endif
