/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A random source as a value, so that a test passes a fixed one and compares
 * bytes. The system's source draws from getrandom(2) in 4 KiB pools, wipes
 * what it has handed out, and starts afresh in a forked child.
 */
#ifndef WSB_BASE_RAND_H
#define WSB_BASE_RAND_H

#include <stddef.h>
#include <stdint.h>

struct rand_source {
	void (*fill)(struct rand_source *r, void *out, size_t n); /* cannot fail: aborts instead */
};

struct rand_source *rand_system(void); /* one per process, not thread-safe */

uint32_t rand_u32(struct rand_source *r);
double rand_unit(struct rand_source *r); /* uniform in [0, 1) */

#endif
