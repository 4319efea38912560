/* SPDX-License-Identifier: Apache-2.0 */
/* See trace.h. */
#include "sim/trace.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sim/world.h"

#define RING 60
#define LINE 200

static char ring[RING][LINE];
static unsigned ring_at;

/* FNV-1a, by words where there are any: payloads are long. */
static void mix(struct sim *s, struct span bytes)
{
	uint64_t h = s->hash, word;

	for (; bytes.n >= sizeof(word); bytes = span_skip(bytes, sizeof(word))) {
		memcpy(&word, bytes.p, sizeof(word));
		h = (h ^ word) * 0x100000001b3U;
		h ^= h >> 32;
	}
	for (size_t i = 0; i < bytes.n; i++)
		h = (h ^ bytes.p[i]) * 0x100000001b3U;
	s->hash = h;
}

void trace_begin(struct sim *s)
{
	s->hash = 0xcbf29ce484222325U;
	memset(ring, 0, sizeof(ring));
	ring_at = 0;
}

void trace(struct sim *s, const char *fmt, ...)
{
	char *line = ring[ring_at++ % RING];
	int64_t t = world_now(s) - SIM_BEGIN;
	va_list ap;
	int n = snprintf(line, LINE, "%10.6f ", (double)t / 1e6);

	va_start(ap, fmt);
	vsnprintf(line + n, LINE - (size_t)n, fmt, ap);
	va_end(ap);
	mix(s, span_str(line));
	if (s->verbose)
		puts(line);
}

void trace_bytes(struct sim *s, struct span bytes)
{
	mix(s, bytes);
}

void trace_ring(void)
{
	for (unsigned i = 0; i < RING; i++) {
		const char *line = ring[(ring_at + i) % RING];

		if (*line)
			fprintf(stderr, "# %s\n", line);
	}
}

void trace_fail(struct sim *s, const char *fmt, ...)
{
	va_list ap;

	if (!s->verbose)
		trace_ring();
	fflush(stdout);
	fprintf(stderr, "# seed %llu at %.6f: ", (unsigned long long)s->seed,
		(double)(world_now(s) - SIM_BEGIN) / 1e6);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	_exit(TRACE_FAILED);
}
