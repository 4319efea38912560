/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grammar of JSON (RFC 8259) as rules on masks, one bit for each byte of a block, the first
 * one in the lowest bit. A rule says which token may stand behind which, and is asked of all
 * tokens at once: adding a mask of tokens to the mask of what is to be passed over behind them
 * finds where the next ones begin. Only brackets are taken one by one.
 *
 * It is plain C, compiled once for each level by vec_json.h. The trap: what a rule knows at the
 * end of a block must be carried to the next one. Carries are 0 or 1, a mark for the first byte.
 */
#ifndef WSB_BASE_JSON_RULES_H
#define WSB_BASE_JSON_RULES_H

#include "base/json_index.h"

#define JSON_RULE static inline __attribute__((always_inline))
#define JSON_ODD_BITS UINT64_C(0xAAAAAAAAAAAAAAAA)

struct json_carries {
	uint64_t kinds;	 /* of the brackets that are open, the last one in bit 0; 1 = an object */
	uint64_t inside; /* a string: all bits or none */
	uint64_t escaped;
	uint64_t after_open, after_comma, after_colon, name, after_name;
	uint64_t plain, after_minus, after_zero, whole, after_dot, fraction;
};

/* Without those in strings, but for quotes. */
struct json_tokens {
	uint64_t quotes, inside; /* inside of a string, with the quote that it begins with */
	uint64_t opens, closes, commas, colons, white;
	uint64_t plain;	 /* all that is left: numbers, words, and what is no JSON */
	uint64_t starts; /* the first bytes of those */
};

/* Bytes of numbers, in strings too. */
struct json_figures {
	uint64_t digits, zeros, minuses, dots;
};

/* The bytes behind these. */
JSON_RULE uint64_t json_behind(uint64_t *carry, uint64_t marks)
{
	uint64_t moved = marks << 1 | *carry;

	*carry = marks >> 63;
	return moved;
}

/* Each mark moves on behind the run it stands at. */
JSON_RULE uint64_t json_beyond(uint64_t *carry, uint64_t marks, uint64_t runs)
{
	uint64_t sum;

	*carry = __builtin_add_overflow(marks | *carry, runs, &sum);
	return sum & ~runs;
}

/* The bytes that the tokens behind these begin with. */
JSON_RULE uint64_t json_next(uint64_t *carry, uint64_t tokens, uint64_t white)
{
	uint64_t sum;
	bool over = __builtin_add_overflow(tokens << 1 | *carry, white, &sum);

	*carry = tokens >> 63 | over;
	return sum & ~white;
}

/* What backslashes escape: their number is odd where a run of them from an odd place ends in
 * front of an even one, or the other way. */
JSON_RULE uint64_t json_escaped(uint64_t *carry, uint64_t slashes)
{
	uint64_t first = *carry, runs = slashes & ~first, starts = runs & ~(runs << 1), none = 0;
	uint64_t from_odd, from_even;

	*carry = 0;
	from_odd = json_beyond(carry, starts & JSON_ODD_BITS, runs);
	from_even = json_beyond(&none, starts & ~JSON_ODD_BITS, runs);
	return first | (from_odd & ~JSON_ODD_BITS) | (from_even & JSON_ODD_BITS);
}

/* RFC 8259, 2-5: behind what stands a value, and nowhere else? *members: where the members of
 * objects begin, or the elements of lists. */
JSON_RULE uint64_t json_bad_values(struct json_carries *c, const struct json_tokens *t,
				   uint64_t *members)
{
	uint64_t after_open = json_next(&c->after_open, t->opens, t->white);
	uint64_t after_comma = json_next(&c->after_comma, t->commas, t->white);
	uint64_t after_colon = json_next(&c->after_colon, t->colons, t->white);
	uint64_t values = t->opens | (t->quotes & t->inside) | t->starts;

	*members = after_open | after_comma;
	return (*members | after_colon) ^ (values | (after_open & t->closes));
}

/* RFC 8259, 4: members of objects have names, and a colon is behind a name and nowhere else. */
JSON_RULE uint64_t json_bad_names(struct json_carries *c, const struct json_tokens *t,
				  uint64_t members)
{
	uint64_t names = json_beyond(&c->name, members & t->quotes, t->inside);

	return (members & ~(t->quotes | t->closes)) |
	       (t->colons ^ json_next(&c->after_name, names, t->white));
}

/* RFC 8259, 6. *rest: where a number goes on, which must be with an exponent. */
JSON_RULE uint64_t json_bad_numbers(struct json_carries *c, const struct json_tokens *t,
				    const struct json_figures *f, uint64_t *rest)
{
	uint64_t signs = t->starts & f->minuses;
	uint64_t after_minus = json_behind(&c->after_minus, signs);
	uint64_t firsts = ((t->starts ^ signs) | after_minus) & f->digits;
	uint64_t after_zero = json_behind(&c->after_zero, firsts & f->zeros);
	uint64_t whole = json_beyond(&c->whole, firsts, f->digits);
	uint64_t after_dot = json_behind(&c->after_dot, whole & f->dots);
	uint64_t fraction = json_beyond(&c->fraction, after_dot & f->digits, f->digits);

	*rest = ((whole & ~f->dots) | fraction) & t->plain;
	return ((after_minus | after_dot) & ~f->digits) | (after_zero & f->digits);
}

/*
 * Brackets are closed by their own kind, behind the last one is white space and no more. *objects:
 * the bytes that stand in an object and not, deeper, in a list; a bracket belongs to what it
 * stands in.
 */
JSON_RULE bool json_walk_brackets(struct json_index *x, struct json_carries *c,
				  const struct json_tokens *t, const uint8_t *p, uint64_t *objects)
{
	uint64_t left = t->opens | t->closes, others = ~left, marks = 0, kinds = c->kinds;

	for (; left; left &= left - 1) {
		unsigned i = (unsigned)__builtin_ctzll(left);
		uint64_t kind = p[i] >> 5 & 1; /* of { and }, and not of [ and ] */

		if (t->opens >> i & 1) {
			if (kinds >= x->limit && !(kinds = json_index_deeper(x, kinds)))
				return false;
			kinds = kinds << 1 | kind;
		} else {
			if ((kinds & 1) != kind)
				return false;
			kinds >>= 1;
			if (kinds == 1 && x->n_deeper > 0)
				kinds = json_index_shallower(x);
			else if (kinds == 1 && ~(t->white | ((UINT64_C(2) << i) - 1)))
				return false;
		}
		marks |= (kinds & 1) << i;
	}
	marks = marks << 1 | (c->kinds & 1);
	*objects = (marks + others) ^ others;
	c->kinds = kinds;
	return true;
}

#endif
