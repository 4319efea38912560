/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which vector instructions this machine has, found out once, before main().
 * Code that exists in several forms takes the one of cpu_level(), which is the
 * best there is unless a test or a benchmark has limited it.
 */
#ifndef WSB_BASE_CPU_H
#define WSB_BASE_CPU_H

#include <stdbool.h>
#include <stddef.h>

/* Of one family of processors each has what those before it have. */
enum cpu_level {
	CPU_PORTABLE, /* plain C */
	CPU_SSE2,     /* every x86-64 */
	CPU_SSSE3,
	CPU_AVX2, /* with BMI 1, BMI 2 and PCLMUL, which came with it or before */
	CPU_NEON, /* every arm64 */
	CPU_LEVELS,
};

extern enum cpu_level cpu_level_now; /* cpu_limit's alone to change */

static inline enum cpu_level cpu_level(void)
{
	return cpu_level_now;
}

/*
 * By name, "portable", "sse2" and so on; NULL: the best again. False: this
 * machine has no such level, and nothing changes. For tests and benchmarks;
 * no other thread may be running vector code.
 */
bool cpu_limit(const char *name);

const char *cpu_level_name(enum cpu_level level);
bool cpu_has(enum cpu_level level);

#endif
