/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See histogram.h. A bucket's number is the place of the highest bit and the eight bits below it;
 * the first two rows are exact.
 */
#include "bench/histogram.h"

#include <stddef.h>

static size_t bucket_of(uint64_t value)
{
	unsigned step = 0;
	size_t bucket;

	while (value >> step >= 2 * HISTOGRAM_SUB)
		step++;
	bucket = step * HISTOGRAM_SUB + (size_t)(value >> step);
	return bucket < HISTOGRAM_STEPS * HISTOGRAM_SUB ? bucket :
							  HISTOGRAM_STEPS * HISTOGRAM_SUB - 1;
}

/* The highest value of a bucket. */
static uint64_t value_of(size_t bucket)
{
	size_t step = bucket < 2 * HISTOGRAM_SUB ? 0 : bucket / HISTOGRAM_SUB - 1;

	return ((uint64_t)(bucket - step * HISTOGRAM_SUB) + 1) * ((uint64_t)1 << step) - 1;
}

void histogram_add(struct histogram *h, uint64_t nanoseconds)
{
	h->seen[bucket_of(nanoseconds)]++;
	if (h->count++ == 0 || nanoseconds < h->least)
		h->least = nanoseconds;
	if (nanoseconds > h->most)
		h->most = nanoseconds;
}

uint64_t histogram_at(const struct histogram *h, double part)
{
	uint64_t wanted = (uint64_t)(part * (double)h->count + 0.5), seen = 0;

	for (size_t i = 0; i < HISTOGRAM_STEPS * HISTOGRAM_SUB; i++) {
		seen += h->seen[i];
		if (seen >= wanted && seen > 0)
			return value_of(i) < h->most ? value_of(i) : h->most;
	}
	return h->most;
}

void histogram_print(const struct histogram *h, const char *name, FILE *to)
{
	static const struct {
		const char *name;
		double part;
	} shown[] = { { "p50", 0.5 }, { "p90", 0.9 }, { "p99", 0.99 }, { "p99.9", 0.999 } };

	fprintf(to, "\"%s_us\":{\"count\":%llu,\"min\":%.3f", name, (unsigned long long)h->count,
		(double)h->least / 1e3);
	for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++)
		fprintf(to, ",\"%s\":%.3f", shown[i].name,
			(double)histogram_at(h, shown[i].part) / 1e3);
	fprintf(to, ",\"max\":%.3f}", (double)h->most / 1e3);
}
