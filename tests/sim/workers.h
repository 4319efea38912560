/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many seeds in a few processes, so that one that dies takes only its own seed
 * with it and can be named. What a worker prints goes through.
 */
#ifndef SIM_WORKERS_H
#define SIM_WORKERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct work {
	uint64_t from, n;
	int64_t minutes; /* virtual, of each */
	unsigned jobs;
	unsigned stop_after; /* failures; 0 = none */
	unsigned limit;	     /* seconds of processors, after which no seed is begun; 0 = none */
	bool progress;	     /* on standard error */
};

enum outcome { NOT_RUN, RUNNING, PASSED, FAILED };

struct result {
	enum outcome outcome;
	uint64_t hash;
	double hours, seconds; /* link-hours, processor time */
};

/* One for each seed, to be unmapped with the process. */
const struct result *workers_run(const struct work *w);

#endif
