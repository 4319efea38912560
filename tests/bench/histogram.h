/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often each latency was seen, in the manner of HdrHistogram: buckets that grow with the value,
 * so that each is known to better than one part in 256, from a nanosecond to an hour, in constant
 * memory. Nothing is sampled or averaged away: the maximum is exact.
 */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>
#include <stdio.h>

#define HISTOGRAM_SUB 256  /* buckets for each doubling */
#define HISTOGRAM_STEPS 36 /* doublings */

struct histogram {
	uint64_t seen[HISTOGRAM_STEPS * HISTOGRAM_SUB];
	uint64_t count, most, least;
};

void histogram_add(struct histogram *h, uint64_t nanoseconds);
/* The value below or at which this part of all lies: 0.5 is the median. */
uint64_t histogram_at(const struct histogram *h, double part);
/* As `"rtt_us":{"count":N,"min":...,"p50":...,...,"max":...}`. */
void histogram_print(const struct histogram *h, const char *name, FILE *to);

#endif
