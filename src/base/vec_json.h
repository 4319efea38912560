/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON by blocks of 64 bytes: masks, one for each kind of byte that the grammar knows, and the
 * walk that asks the rules about them. Which bytes are in strings, quotes tell as in Geoff
 * Langdale and Daniel Lemire, "Parsing Gigabytes of JSON per Second" (2019). The trap: the
 * compiler keeps few masks in registers, so those of numbers are made where they are used.
 */
#ifndef WSB_BASE_VEC_JSON_H
#define WSB_BASE_VEC_JSON_H

#include <stddef.h>

#include "base/json_rules.h"
#include "base/vec.h"
#include "base/vec_int.h"

#if defined(VEC_BYTES) && !defined(VEC_SSSE3)
/* The same byte in each place, from memory, where a comparison takes it from for nothing. */
#define JSON_ALL(name) vec_load(vec_json_bytes.name)

VEC_FN vec json_is_quote(vec v)
{
	return (vec)(v == JSON_ALL(quote));
}

VEC_FN vec json_is_slash(vec v)
{
	return (vec)(v == JSON_ALL(slash));
}

/* Numbers have signs here, so what is not ASCII is as small as the controls. */
VEC_FN vec json_is_odd(vec v)
{
	typedef int8_t numbers __attribute__((vector_size(VEC_BYTES)));

	return (vec)((numbers)v < (numbers)JSON_ALL(space));
}

VEC_FN vec json_is_high(vec v)
{
	return (vec)(v >= vec_all(0x80));
}

/* Braces are brackets with one bit more; no other bytes come to be the same. */
VEC_FN vec json_is_open(vec v)
{
	return (vec)((v | JSON_ALL(space)) == JSON_ALL(open));
}

VEC_FN vec json_is_close(vec v)
{
	return (vec)((v | JSON_ALL(space)) == JSON_ALL(close));
}

VEC_FN vec json_is_comma(vec v)
{
	return (vec)(v == JSON_ALL(comma));
}

VEC_FN vec json_is_colon(vec v)
{
	return (vec)(v == JSON_ALL(colon));
}

VEC_FN vec json_is_white(vec v)
{
	return (vec)((v == JSON_ALL(space)) | (v == JSON_ALL(tab)) | (v == JSON_ALL(newline)) |
		     (v == JSON_ALL(carriage_return)));
}

VEC_FN vec json_is_digit(vec v)
{
	return (vec)(v - JSON_ALL(zero) < JSON_ALL(newline));
}

VEC_FN vec json_is_zero(vec v)
{
	return (vec)(v == JSON_ALL(zero));
}

VEC_FN vec json_is_minus(vec v)
{
	return (vec)(v == JSON_ALL(minus));
}

VEC_FN vec json_is_dot(vec v)
{
	return (vec)(v == JSON_ALL(dot));
}

#if VEC_BYTES == 32
struct json_bytes {
	vec a, b;
};

VEC_FN struct json_bytes json_load(const uint8_t *p)
{
	return (struct json_bytes){ .a = vec_load(p), .b = vec_load(p + 32) };
}

#define JSON_BITS(is) vec_bits(is(bytes->a), is(bytes->b))
#else
struct json_bytes {
	vec a, b, c, d;
};

VEC_FN struct json_bytes json_load(const uint8_t *p)
{
	return (struct json_bytes){ .a = vec_load(p),
				    .b = vec_load(p + 16),
				    .c = vec_load(p + 32),
				    .d = vec_load(p + 48) };
}

#define JSON_BITS(is) vec_bits(is(bytes->a), is(bytes->b), is(bytes->c), is(bytes->d))
#endif

/* From each quote to the byte in front of the next: in each bit the sum of all up to it. */
VEC_FN uint64_t json_between(uint64_t quotes)
{
#if defined(VEC_AVX2)
	__m128i sums = _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)quotes),
					    _mm_set1_epi8((char)0xFF), 0);

	return (uint64_t)_mm_cvtsi128_si64(sums);
#else
	quotes ^= quotes << 1;
	quotes ^= quotes << 2;
	quotes ^= quotes << 4;
	quotes ^= quotes << 8;
	quotes ^= quotes << 16;
	return quotes ^ quotes << 32;
#endif
}

enum json_strings { JSON_STRINGS_GOOD, JSON_STRINGS_BAD, JSON_STRINGS_ALL };

/* RFC 8259, 7. ALL: the block is within one of them, and more is not known. A backslash outside
 * of strings does no harm here: no number and no word has one. */
VEC_FN enum json_strings json_cut_strings(struct json_index *x, struct json_carries *c,
					  const struct json_bytes *bytes, const uint8_t *p,
					  struct json_tokens *t)
{
	uint64_t slashes = JSON_BITS(json_is_slash), odd = JSON_BITS(json_is_odd), high;
	uint64_t escaped = c->escaped;

	x->odd |= odd;
	t->quotes = JSON_BITS(json_is_quote);
	if (c->inside && !(t->quotes | slashes | escaped))
		return JSON_STRINGS_ALL;
	if (slashes | escaped) {
		escaped = json_escaped(&c->escaped, slashes);
		if (!json_index_escapes(x, p, escaped))
			return JSON_STRINGS_BAD;
		t->quotes &= ~escaped;
	}
	t->inside = json_between(t->quotes) ^ c->inside;
	c->inside = 0 - (t->inside >> 63);
	if (odd & t->inside) {
		high = JSON_BITS(json_is_high);
		if ((odd & t->inside & ~high) || !json_index_utf8(x, p))
			return JSON_STRINGS_BAD;
	}
	return JSON_STRINGS_GOOD;
}

VEC_FN void json_cut_tokens(struct json_carries *c, const struct json_bytes *bytes,
			    struct json_tokens *t)
{
	uint64_t outside = ~(t->inside | t->quotes);

	t->white = JSON_BITS(json_is_white) & outside;
	t->colons = JSON_BITS(json_is_colon) & outside;
	t->commas = JSON_BITS(json_is_comma) & outside;
	t->closes = JSON_BITS(json_is_close) & outside;
	t->opens = JSON_BITS(json_is_open) & outside;
	t->plain = outside & ~(t->opens | t->closes | t->commas | t->colons | t->white);
	t->starts = t->plain & ~(t->plain << 1 | c->plain);
}

/* Numbers and words. */
VEC_FN bool json_plain_is_good(struct json_index *x, struct json_carries *c,
			       const struct json_bytes *bytes, const uint8_t *p,
			       const struct json_tokens *t)
{
	struct json_figures f = { .digits = JSON_BITS(json_is_digit),
				  .zeros = JSON_BITS(json_is_zero),
				  .minuses = JSON_BITS(json_is_minus),
				  .dots = JSON_BITS(json_is_dot) };
	uint64_t rest, words = t->starts & ~(f.digits | f.minuses);

	c->plain = t->plain >> 63;
	return !json_bad_numbers(c, t, &f, &rest) && (!words || json_index_words(x, p, words)) &&
	       (!rest || json_index_exponents(x, p, rest));
}

VEC_FN bool json_block_is_good(struct json_index *x, struct json_carries *c,
			       const struct json_bytes *bytes, const uint8_t *p,
			       struct json_tokens *t)
{
	uint64_t members, objects, bad;

	json_cut_tokens(c, bytes, t);
	bad = json_bad_values(c, t, &members);
	if (bad || ((t->plain | c->plain) && !json_plain_is_good(x, c, bytes, p, t)))
		return false;
	return json_walk_brackets(x, c, t, p, &objects) && !json_bad_names(c, t, members & objects);
}

VEC_TARGET bool VEC_NAME(json_blocks)(struct json_index *x, const uint8_t *p)
{
	struct json_carries c = { .kinds = 1, .after_colon = 1 }; /* a value must come */

	while (p < x->end) {
		struct json_tokens t;
		struct json_bytes bytes;
		enum json_strings strings;

		if (x->end - p < JSON_BLOCK)
			p = json_index_last(x, p);
		bytes = json_load(p);
		strings = json_cut_strings(x, &c, &bytes, p, &t);
		if (strings == JSON_STRINGS_ALL) {
			p = json_index_skip(x, p);
			continue;
		}
		if (strings == JSON_STRINGS_BAD || !json_block_is_good(x, &c, &bytes, p, &t))
			return false;
		p += JSON_BLOCK;
		if (c.kinds == 1)
			return json_index_ends(x, p);
	}
	return false;
}
#endif

#endif
