/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One input, cut in every way that matters: whole, byte by byte, and at every
 * split in two. Each piece lies against an unreadable page (guard.h), and the
 * one before it is gone when the next is taken.
 *
 *	static void run(struct chunks *c, void *arg)
 *	{
 *		struct span piece;
 *		struct parser p;
 *
 *		parser_init(&p);
 *		while (chunks_next(c, &piece))
 *			parser_feed(&p, piece);
 *		...check the result...
 *	}
 *
 *	chunks_each(span_str("input"), run, &expected);
 */
#ifndef WSB_UNIT_SUPPORT_CHUNKS_H
#define WSB_UNIT_SUPPORT_CHUNKS_H

#include "support/guard.h"

struct chunks {
	struct span input;
	size_t first; /* bytes of the first piece */
	size_t other; /* most bytes of every other piece */
	size_t at;
	bool begun;
	struct guard guard;
};

typedef void chunks_run(struct chunks *c, void *arg);

/* The next piece; false at the end. An empty input is one empty piece. */
static inline bool chunks_next(struct chunks *c, struct span *piece)
{
	size_t n = c->begun ? c->other : c->first, left = c->input.n - c->at;

	if (c->begun && left == 0)
		return false;
	c->begun = true;
	if (n > left)
		n = left;
	*piece = guard_place(&c->guard, span_of(c->input.p ? c->input.p + c->at : NULL, n));
	c->at += n;
	return true;
}

static inline void chunks_once(struct chunks *c, size_t first, size_t other, chunks_run *run,
			       void *arg)
{
	c->first = first;
	c->other = other;
	c->at = 0;
	c->begun = false;
	run(c, arg);
}

/* Whole and byte by byte: for inputs too long to be cut at every byte. */
static inline void chunks_each_coarse(struct span input, chunks_run *run, void *arg)
{
	struct chunks c = { .input = input };

	guard_init(&c.guard, input.n);
	chunks_once(&c, input.n, 1, run, arg);
	chunks_once(&c, 1, 1, run, arg);
	guard_deinit(&c.guard);
}

/* Whole, byte by byte, and in two pieces cut at every byte. */
static inline void chunks_each(struct span input, chunks_run *run, void *arg)
{
	struct chunks c = { .input = input };

	chunks_each_coarse(input, run, arg);
	guard_init(&c.guard, input.n);
	for (size_t i = 1; i < input.n; i++)
		chunks_once(&c, i, input.n, run, arg);
	guard_deinit(&c.guard);
}

#endif
