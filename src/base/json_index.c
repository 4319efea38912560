/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the index does now and then: the choice of the vector code, which walks the text in
 * vec_json.h by the rules of json_rules.h, and all that these leave to be done byte by byte. Owns
 * nothing. The trap: the last block lies in a copy, so no place of it is one of the text.
 */
#include "base/json_index.h"

#include <assert.h>

#include "base/cpu.h"
#include "base/json_token.h"
#include "base/search.h"
#include "base/utf8.h"
#include "base/vec_int.h"

typedef bool blocks_fn(struct json_index *x, const uint8_t *p);

static blocks_fn *const blocks[CPU_LEVELS] = {
#if defined(__x86_64__)
	[CPU_SSE2] = json_blocks_sse2,
	[CPU_SSSE3] = json_blocks_sse2,
	[CPU_AVX2] = json_blocks_avx2,
#elif defined(__aarch64__) && defined(__ARM_NEON)
	[CPU_NEON] = json_blocks_neon,
#endif
};

bool json_index_is_there(void)
{
	return blocks[cpu_level()] != NULL;
}

/* Where the word is full or the depth reached if it begins with n words of brackets. */
static uint64_t limit_of(unsigned max_depth, unsigned n)
{
	unsigned left = max_depth - n * JSON_KINDS;

	return left < JSON_KINDS ? UINT64_C(1) << left : JSON_KINDS_FULL;
}

uint64_t json_index_deeper(struct json_index *x, uint64_t kinds)
{
	if (kinds < JSON_KINDS_FULL || (x->n_deeper + 1) * JSON_KINDS == x->max_depth)
		return 0;
	x->deeper[x->n_deeper++] = kinds;
	x->limit = limit_of(x->max_depth, x->n_deeper);
	return 1;
}

uint64_t json_index_shallower(struct json_index *x)
{
	x->limit = JSON_KINDS_FULL;
	return x->deeper[--x->n_deeper];
}

bool json_index_escapes(const struct json_index *x, const uint8_t *p, uint64_t escaped)
{
	for (; escaped; escaped &= escaped - 1)
		if (!json_take_escape(p + __builtin_ctzll(escaped), x->end))
			return false;
	return true;
}

static bool ends_well(const uint8_t *p, const uint8_t *end)
{
	return p && (p == end || json_is_delimiter(*p));
}

bool json_index_words(const struct json_index *x, const uint8_t *p, uint64_t starts)
{
	for (; starts; starts &= starts - 1)
		if (!ends_well(json_take_plain(p + __builtin_ctzll(starts), x->end), x->end))
			return false;
	return true;
}

bool json_index_exponents(const struct json_index *x, const uint8_t *p, uint64_t starts)
{
	for (; starts; starts &= starts - 1)
		if (!ends_well(json_take_exponent(p + __builtin_ctzll(starts), x->end), x->end))
			return false;
	return true;
}

bool json_index_utf8(struct json_index *x, const uint8_t *p)
{
	x->is_utf8 = x->is_utf8 || utf8_valid(span_of(p, (size_t)(x->end - p)));
	return x->is_utf8;
}

/* Less than a block: there is a control in it, or the end of the text. */
const uint8_t *json_index_skip(struct json_index *x, const uint8_t *p)
{
	size_t n = (size_t)(search_json(p, x->end) - p) / JSON_BLOCK * JSON_BLOCK;

	return n > 0 && json_index_utf8(x, p) ? p + n : x->end;
}

const uint8_t *json_index_last(struct json_index *x, const uint8_t *p)
{
	size_t n = (size_t)(x->end - p);

	memset(x->last, ' ', sizeof(x->last));
	memcpy(x->last, p, n);
	x->end = x->last + n;
	return x->last;
}

bool json_index_ends(struct json_index *x, const uint8_t *p)
{
	if (p >= x->end)
		return true;
	x->odd = 1; /* or not: nobody has looked */
	return json_skip_space(p, x->end) == x->end;
}

bool json_index_valid(struct span text, unsigned max_depth, bool *one_line)
{
	struct json_index x = { .end = text.p + text.n,
				.max_depth = max_depth,
				.limit = limit_of(max_depth, 0) };

	assert(max_depth <= JSON_CUT_DEPTH_MAX);
	if (!blocks[cpu_level()](&x, text.p))
		return false;
	*one_line = x.odd == 0;
	return true;
}
