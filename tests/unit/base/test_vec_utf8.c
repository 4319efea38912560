/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UTF-8 at every level of vector code against the definition, byte by byte: the
 * same verdict at the end of every feed, wherever a fault lies among blocks and
 * however the text is cut.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "base/vec_int.h"
#include "support/guard.h"
#include "support/levels.h"

enum { LONGEST = 400, CUTS = 6 };

/* RFC 3629, 4: UTF8-octets, the ranges as they stand there. */
static const struct range {
	uint8_t lead_low, lead_high, next_low, next_high, len;
} ranges[] = {
	{ 0x00, 0x7F, 0, 0, 1 },       { 0xC2, 0xDF, 0x80, 0xBF, 2 }, { 0xE0, 0xE0, 0xA0, 0xBF, 3 },
	{ 0xE1, 0xEC, 0x80, 0xBF, 3 }, { 0xED, 0xED, 0x80, 0x9F, 3 }, { 0xEE, 0xEF, 0x80, 0xBF, 3 },
	{ 0xF0, 0xF0, 0x90, 0xBF, 4 }, { 0xF1, 0xF3, 0x80, 0xBF, 4 }, { 0xF4, 0xF4, 0x80, 0x8F, 4 },
};

/* What the definition says of a text. */
struct verdict {
	size_t fails_at; /* the first impossible byte; n if there is none */
	size_t whole;	 /* bytes of whole characters in front of it */
};

static const struct range *range_of(uint8_t lead)
{
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (lead >= ranges[i].lead_low && lead <= ranges[i].lead_high)
			return &ranges[i];
	return NULL;
}

/* Bytes of the character at the front that are possible, at most all of it. */
static size_t possible(struct span s, const struct range *r)
{
	size_t n = 1;

	if (r->len > 1 && s.n > 1 && s.p[1] >= r->next_low && s.p[1] <= r->next_high)
		n++;
	else
		return n;
	while (n < r->len && n < s.n && s.p[n] >= 0x80 && s.p[n] <= 0xBF)
		n++;
	return n;
}

static struct verdict judge(struct span s)
{
	struct verdict v = { 0, 0 };

	while (v.whole < s.n) {
		const struct range *r = range_of(s.p[v.whole]);
		size_t n = r ? possible(span_skip(s, v.whole), r) : 0;

		v.fails_at = v.whole + n;
		if (!r || n < r->len)
			return v;
		v.whole += n;
	}
	v.fails_at = s.n;
	return v;
}

static void check_pieces(struct span s, const size_t cuts[CUTS], struct verdict want)
{
	struct utf8 u = { 0 };
	size_t at = 0;
	bool good = true;

	for (size_t i = 0; i <= CUTS && good; i++) {
		size_t next = i < CUTS && cuts[i] < s.n ? cuts[i] : s.n;
		uint8_t *piece = levels_copy(span_of(s.p + at, next - at));

		good = utf8_feed(&u, span_of(piece, next - at));
		free(piece);
		/* Not later than the piece with the impossible byte, and not sooner. */
		assert_int_equal(good, next <= want.fails_at);
		if (good)
			assert_int_equal(utf8_complete(&u),
					 judge(span_of(s.p, next)).whole == next);
		at = next;
	}
}

/* Whole, and cut where the numbers say. */
static void check(struct guard *g, struct span text, uint32_t *random)
{
	struct span s = guard_place(g, text);
	struct verdict want = judge(text);
	size_t cuts[CUTS];

	assert_int_equal(utf8_valid(s), want.whole == s.n);
	assert_int_equal(utf8_valid_len(s), want.whole);
	for (size_t i = 0; i < CUTS; i++)
		cuts[i] = (i > 0 ? cuts[i - 1] : 0) + levels_random(random) % (s.n / 3 + 1);
	check_pieces(text, cuts, want);
}

#define ROW(s)                     \
	{                          \
		(s), sizeof(s) - 1 \
	}
/* One of each kind: whole, impossible, cut short by what follows. */
static const struct {
	const char *s;
	size_t n;
} rows[] = {
	ROW("\xC2\x80"),
	ROW("\xDF\xBF"),
	ROW("\xE0\xA0\x80"),
	ROW("\xED\x9F\xBF"),
	ROW("\xEE\x80\x80"),
	ROW("\xEF\xBF\xBF"),
	ROW("\xF0\x90\x80\x80"),
	ROW("\xF4\x8F\xBF\xBF"),
	ROW("\0"),
	ROW("\x7F"),
	ROW("\x80"),
	ROW("\xBF"),
	ROW("\xC0\x80"),
	ROW("\xC1\xBF"),
	ROW("\xC0"),
	ROW("\xC1"),
	ROW("\xE0\x80\x80"),
	ROW("\xE0\x9F\xBF"),
	ROW("\xED\xA0\x80"),
	ROW("\xED\xBF\xBF"),
	ROW("\xF0\x80\x80\x80"),
	ROW("\xF0\x8F\xBF\xBF"),
	ROW("\xF4\x90\x80\x80"),
	ROW("\xF4\xBF\xBF\xBF"),
	ROW("\xF5\x80\x80\x80"),
	ROW("\xF5\x8F\xBF\xBF"),
	ROW("\xF7\xBF\xBF\xBF"),
	ROW("\xF8\x88\x80\x80"),
	ROW("\xFC\x84\x80\x80"),
	ROW("\xFE"),
	ROW("\xFF"),
	ROW("\xF5"),
	ROW("\xC2"),
	ROW("\xE1"),
	ROW("\xE1\x80"),
	ROW("\xF1"),
	ROW("\xF1\x80"),
	ROW("\xF1\x80\x80"),
	ROW("\xC2\x80\x80"),
	ROW("\xE1\x80\x80\x80"),
	ROW("\xF1\x80\x80\x80\x80"),
	ROW("\xE1\xE1\x80\x80"),
	ROW("\xF1\x80\x80\xC0"),
	ROW("\xC2\xC2\x80"),
	ROW("\xE0\xA0\xE0\xA0\x80"),
};

static const char *const fillers[] = { "x", "\u00FC", "\u20AC", "\U0001F600", "ab\u00E9" };

/* `n` bytes of whole fillers, up to three of "." behind them. */
static void fill(uint8_t *p, size_t n, const char *filler)
{
	size_t len = strlen(filler), at = 0;

	for (; n - at >= len; at += len)
		memcpy(p + at, filler, len);
	memset(p + at, '.', n - at);
}

/* A row at `place` of a text of n bytes, cut off where that ends. */
static void put_row(uint8_t *text, size_t n, size_t place, size_t row, const char *filler)
{
	size_t len = rows[row].n < n - place ? rows[row].n : n - place;

	fill(text, place, filler);
	memcpy(text + place, rows[row].s, len);
	fill(text + place + len, n - place - len, filler);
}

static const size_t sizes[] = { 17, 33, 35, 64, 67, 100, 131 };

static void rows_at_every_place(void *arg)
{
	uint32_t random = 1;
	struct guard *g = arg;
	uint8_t text[LONGEST];

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++)
			for (size_t place = 0; place < sizes[i]; place++) {
				const char *f = fillers[levels_random(&random) % 5];

				put_row(text, sizes[i], place, row, f);
				check(g, span_of(text, sizes[i]), &random);
			}
}

static void finds_each_fault_at_every_place(void **state)
{
	struct guard g;

	(void)state;
	guard_init(&g, LONGEST);
	levels_each(rows_at_every_place, &g);
	guard_deinit(&g);
}

/* Mostly good text, with a byte here and there that may make it bad. */
static size_t random_text(uint8_t *text, uint32_t *random)
{
	size_t n = levels_random(random) % (LONGEST - 8), at = 0;
	uint32_t kinds = levels_random(random), faults = levels_random(random) % 4;

	while (at < n) {
		uint32_t pick = levels_random(random);
		const char *f = fillers[kinds & 1	 ? pick % 5 :
					(pick & 15) == 0 ? pick / 16 % 5 :
							   0];

		memcpy(text + at, f, strlen(f));
		at += strlen(f);
	}
	for (uint32_t i = 0; i < faults && at > 0; i++)
		text[levels_random(random) % at] = (uint8_t)levels_random(random);
	return at;
}

static void random_texts(void *arg)
{
	uint32_t random = 42;
	uint8_t text[LONGEST];

	for (int i = 0; i < 4000; i++) {
		size_t n = random_text(text, &random);

		check(arg, span_of(text, n), &random);
	}
}

static void random_bytes(void *arg)
{
	static const uint8_t likely[] = { 0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0,
					  0xC2, 0xDF, 0xE0, 0xE1, 0xED, 0xEF, 0xF0, 0xF4, 0xF5 };
	uint32_t random = 7;
	uint8_t text[LONGEST];

	for (int i = 0; i < 4000; i++) {
		size_t n = levels_random(&random) % 80, start = levels_random(&random) % 70;

		memset(text, 'a', start);
		for (size_t at = start; at < start + n; at++)
			text[at] = likely[levels_random(&random) % sizeof(likely)];
		check(arg, span_of(text, start + n), &random);
	}
}

static void agrees_on_random_texts(void **state)
{
	struct guard g;

	(void)state;
	guard_init(&g, LONGEST);
	levels_each(random_texts, &g);
	levels_each(random_bytes, &g);
	guard_deinit(&g);
}

/* All pairs of bytes, where two blocks meet and elsewhere. */
static void every_pair(void *arg)
{
	static const size_t places[] = { 15, 31 };
	uint8_t text[50];

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		for (unsigned pair = 0x7F00; pair < 65536; pair++) { /* two of ASCII are no news */
			fill(text, sizeof(text), "z");
			text[places[i]] = (uint8_t)(pair >> 8);
			text[places[i] + 1] = (uint8_t)pair;
			if (utf8_valid_len(span_of(text, sizeof(text))) !=
			    judge(span_of(text, sizeof(text))).whole)
				fail_msg("pair %04X at %zu, %s", pair, places[i],
					 cpu_level_name(cpu_level()));
		}
	(void)arg;
}

static void agrees_on_every_pair(void **state)
{
	(void)state;
	levels_each(every_pair, NULL);
}

static void every_alignment(void *arg)
{
	uint8_t text[LONGEST];

	(void)arg;
	for (size_t start = 0; start < 64; start++)
		for (size_t n = 0; n < 200; n += 7) {
			fill(text + start, n, "\u20AC");
			assert_true(utf8_valid(span_of(text + start, n)));
			if (n < 3)
				continue;
			text[start + n / 2] = 0xFF;
			assert_int_equal(utf8_valid_len(span_of(text + start, n)), n / 2 / 3 * 3);
		}
}

static void works_at_every_alignment(void **state)
{
	(void)state;
	levels_each(every_alignment, NULL);
}

typedef size_t good_fn(const uint8_t *p, size_t n);

static const struct kernel {
	enum cpu_level level;
	good_fn *good;
} kernels[] = {
#if defined(__x86_64__)
	{ CPU_SSSE3, utf8_good_ssse3 },
	{ CPU_AVX2, utf8_good_avx2 },
#elif defined(__aarch64__)
	{ CPU_NEON, utf8_good_neon },
#endif
	{ CPU_LEVELS, NULL },
};

/* The twin would make up for doubts, and be slow. */
static void good_text_raises_no_doubt(void **state)
{
	uint8_t text[LONGEST];

	(void)state;
	for (const struct kernel *k = kernels; k->good; k++)
		for (size_t i = 0; cpu_has(k->level) && i < 5; i++)
			for (size_t n = VEC_LEAST; n < 200; n++) {
				size_t done;

				fill(text, n, fillers[i]);
				done = k->good(text, n);
				assert_true(done <= n && done + 2 >= n);
			}
}

static void a_fault_stops_it_within_a_step(void **state)
{
	uint8_t text[LONGEST];

	(void)state;
	for (const struct kernel *k = kernels; k->good; k++)
		for (size_t at = 0; cpu_has(k->level) && at < LONGEST - 1; at++) {
			size_t done;

			memset(text, 'a', sizeof(text));
			text[at] = 0x80;
			done = k->good(text, sizeof(text));
			assert_true(done <= at && done + 64 > at);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_each_fault_at_every_place),
		cmocka_unit_test(agrees_on_random_texts),
		cmocka_unit_test(agrees_on_every_pair),
		cmocka_unit_test(works_at_every_alignment),
		cmocka_unit_test(good_text_raises_no_doubt),
		cmocka_unit_test(a_fault_stops_it_within_a_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
