/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each vector routine gains over its portable twin, as a document in
 * Markdown on standard output (docs/bench/VECTOR.md). The levels take turns and
 * the best time of many counts, so that a machine that is slow for a while is
 * slow for all of them. The trap: short inputs measure the call, too; so they
 * should.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/base64.h"
#include "base/cpu.h"
#include "base/json_cut.h"
#include "base/search.h"
#include "base/utf8.h"
#include "base/xor.h"

enum {
	MOST = 1 << 20,
	ROUNDS = 80,
	BATCH = 1 << 17, /* bytes that are timed at once, or one call */
};

static uint8_t input[MOST], output[2 * MOST];
static volatile size_t sink; /* keeps results alive */

static void run_utf8(struct span s)
{
	sink += utf8_valid(s);
}

static void run_xor(struct span s)
{
	static const uint8_t key[4] = { 0x37, 0xFA, 0x21, 0x3D };

	xor_copy(output, s, key, 0);
}

static void run_search(struct span s)
{
	sink += (size_t)(search_json(s.p, s.p + s.n) - s.p);
}

static void run_json(struct span s)
{
	sink += json_cut_valid(s, 512);
}

static void run_encode(struct span s)
{
	base64_encode((char *)output, s);
}

static void run_decode(struct span s)
{
	size_t n;

	sink += base64_decode(output, &n, s) ? n : 0;
}

static void run_memchr(struct span s)
{
	sink += memchr(s.p, '\n', s.n) != NULL;
}

#define OF(level) (1u << (level))
#define COMPARED (OF(CPU_SSE2) | OF(CPU_AVX2) | OF(CPU_NEON))
#define LOOKED_UP (OF(CPU_SSSE3) | OF(CPU_AVX2) | OF(CPU_NEON))

static const struct routine {
	const char *name, *text; /* repeated; cut where a repetition ends */
	void (*run)(struct span s);
	unsigned levels; /* that have code of their own for it */
} routines[] = {
	{ "UTF-8, ASCII", "The quick brown fox jumps over. ", run_utf8, LOOKED_UP },
	{ "UTF-8, German", "\u00DCber Stra\u00DFen flie\u00DFt der K\u00E4se. ", run_utf8,
	  LOOKED_UP },
	{ "UTF-8, Japanese", "\u65E5\u672C\u8A9E", run_utf8, LOOKED_UP },
	{ "Masking while copying", "any byte", run_xor, COMPARED },
	{ "End of a run in a JSON string", "any text", run_search, COMPARED },
	{ "JSON, objects in a list",
	  "{\"price\":20123.45,\"qty\":1.2345,\"side\":\"buy\",\"open\":true},", run_json,
	  COMPARED },
	{ "JSON, a long string", "any text", run_json, COMPARED },
	{ "Base64, encoding", "any byte", run_encode, LOOKED_UP },
	{ "Base64, decoding", "QUJDREVG", run_decode, LOOKED_UP },
	{ "Newline: memchr(3) of the C library, for comparison", "any text", run_memchr, 0 },
};

static const size_t sizes[] = { 8, 16, 64, 256, 4096, MOST };

#define N_ROUTINES (sizeof(routines) / sizeof(routines[0]))
#define N_SIZES (sizeof(sizes) / sizeof(sizes[0]))

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* A list of what is repeated, or a string of it in a list; spaces behind it. */
static size_t fill_json(const struct routine *r, size_t size)
{
	bool objects = r->text[0] == '{';
	const char *tail = objects ? "0]" : "\"]";
	size_t len = strlen(r->text), n = 0;

	input[n++] = '[';
	if (!objects)
		input[n++] = '"';
	for (; size - n >= len + 2; n += len)
		memcpy(input + n, r->text, len);
	memcpy(input + n, tail, 2);
	memset(input + n + 2, ' ', size - n - 2);
	return size;
}

/* The size, or less: whole characters, and groups of four letters. */
static size_t fill(const struct routine *r, size_t size)
{
	size_t len = strlen(r->text), n = 0;

	if (r->run == run_json)
		return fill_json(r, size);
	if (len > size) /* the beginning of it, where it is cut at a character */
		len = utf8_valid_len(span_of(r->text, size));
	for (; size - n >= len; n += len)
		memcpy(input + n, r->text, len);
	len = utf8_valid_len(span_of(r->text, size - n < len ? size - n : len));
	memcpy(input + n, r->text, r->run == run_utf8 ? len : 0);
	return r->run == run_utf8 ? n + len : n;
}

/* Nanoseconds of one call. */
static double time_once(const struct routine *r, struct span s)
{
	size_t calls = BATCH / (s.n + 32) + 1;
	double start = now();

	for (size_t i = 0; i < calls; i++)
		r->run(s);
	return (now() - start) / (double)calls;
}

static bool is_measured(const struct routine *r, unsigned level)
{
	return (level == CPU_PORTABLE || (r->levels & OF(level))) && cpu_has((enum cpu_level)level);
}

/* By level; they take turns. */
static void time_levels(const struct routine *r, struct span s, double best[CPU_LEVELS])
{
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned level = 0; level < CPU_LEVELS; level++) {
			double t;

			if (!is_measured(r, level))
				continue;
			cpu_limit(cpu_level_name((enum cpu_level)level));
			t = time_once(r, s);
			if (round == 0 || t < best[level])
				best[level] = t;
		}
	}
	cpu_limit(NULL);
}

static void print_row(const struct routine *r, size_t size)
{
	struct span s = span_of(input, fill(r, size));
	double best[CPU_LEVELS], bytes = (double)s.n;

	time_levels(r, s, best);
	if (size == MOST)
		printf("| 1 MiB ");
	else
		printf("| %zu B ", size);
	printf("| %.1f | %.2f ", best[CPU_PORTABLE], bytes / best[CPU_PORTABLE]);
	for (unsigned i = CPU_PORTABLE + 1; i < CPU_LEVELS; i++)
		if (is_measured(r, i))
			printf("| %.2f (%.2f) ", bytes / best[i], best[CPU_PORTABLE] / best[i]);
	printf("|\n");
	fflush(stdout);
}

static void print_table(const struct routine *r)
{
	printf("\n## %s\n\n| size | ns | %s ", r->name, r->levels ? "portable" : "GB/s");
	for (unsigned i = CPU_PORTABLE + 1; i < CPU_LEVELS; i++)
		if (is_measured(r, i))
			printf("| %s ", cpu_level_name((enum cpu_level)i));
	printf("|\n|---|---|---");
	for (unsigned i = CPU_PORTABLE + 1; i < CPU_LEVELS; i++)
		if (is_measured(r, i))
			printf("|---");
	printf("|\n");
	for (size_t i = 0; i < N_SIZES; i++)
		print_row(r, sizes[i]);
}

int main(void)
{
	printf("# What vector code gains\n\n"
	       "Bytes in a nanosecond (GB/s) of each routine at each level of `src/base/cpu.h` "
	       "that\n"
	       "has code of its own for it, and in brackets how many times as fast as its "
	       "portable\n"
	       "twin it is; `ns` is the time of one call of the twin. One core, input and output "
	       "in\n"
	       "its caches as far as they fit. Made by `./dev bench vector`; figures belong to "
	       "the\n"
	       "machine, ratios travel.\n");
	for (size_t i = 0; i < N_ROUTINES; i++)
		print_table(&routines[i]);
	return 0;
}
