/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The holes of a queue: which messages were dropped between two that are not,
 * exactly. It does not know why they were dropped. Owned by the queue. The
 * trap: a hole that became a record and then was not written may still grow:
 * it becomes a hole again; one that has begun to be written may not. Records
 * of one number that lie in one hole count once.
 */
#include <assert.h>

#include "endpoint/outq_int.h"

static bool may_grow(const struct outq *q, size_t i)
{
	return i < q->n_items && outq_item_at(q, i)->hole.dropped > 0 &&
	       !(i == 0 && outq_has_begun(q));
}

/* Back from a record to a hole. */
static void reopen(struct outq *q, struct outq_item *item)
{
	if (!item->run.chunk)
		return;
	outq_uncharge(q, item->run.to - item->run.from);
	chunk_unref(item->run.chunk);
	item->run = (struct chunk_range){ .chunk = NULL };
	q->n_holes++;
}

static void remove_hole(struct outq *q, size_t i)
{
	outq_remove(q, i);
	q->n_holes--;
}

void outq_join_holes(struct outq *q, size_t i)
{
	struct outq_item *before, *behind;

	if (i == 0 || !may_grow(q, i - 1) || !may_grow(q, i))
		return;
	before = outq_item_at(q, i - 1);
	behind = outq_item_at(q, i);
	reopen(q, before);
	reopen(q, behind);
	before->hole.dropped += behind->hole.dropped - (before->hole.to == behind->hole.from);
	before->hole.to = behind->hole.to;
	remove_hole(q, i);
}

void outq_dig(struct outq *q, size_t i, uint64_t seq)
{
	struct outq_item *item;

	if (i > 0 && may_grow(q, i - 1)) {
		item = outq_item_at(q, i - 1);
		reopen(q, item);
		item->hole.dropped += item->hole.to != seq;
		item->hole.to = seq;
		outq_join_holes(q, i);
		return;
	}
	if (may_grow(q, i)) {
		item = outq_item_at(q, i);
		reopen(q, item);
		item->hole.dropped += item->hole.from != seq;
		item->hole.from = seq;
		return;
	}
	item = outq_insert(q, i);
	item->hole = (struct outq_hole){ .dropped = 1, .from = seq, .to = seq };
	q->n_holes++;
}

void outq_encode_hole(struct outq *q, struct outq_item *item)
{
	struct record r = { .type = RECORD_GAP,
			    .dropped = item->hole.dropped,
			    .from = item->hole.from,
			    .to = item->hole.to };
	struct framing_plan plan;
	bool fits = framing_measure(q->framing, &r, &plan);
	struct chunk *c;

	assert(fits && plan.size > 0);
	c = chunk_new_small(plan.size);
	framing_encode(q->framing, &r, &plan, chunk_room(c, plan.size));
	chunk_commit(c, plan.size);
	item->run = (struct chunk_range){ .chunk = c, .to = plan.size };
	outq_charge(q, plan.size);
	q->n_holes--;
}

void outq_lose(struct outq *q, uint64_t seq)
{
	if (q->has_gaps)
		outq_dig(q, q->n_items, seq);
}

uint64_t outq_lose_run(struct outq *q, const struct chunk_range *run)
{
	uint64_t n = 0, seq;

	for (size_t at = run->from, end; at < run->to; at = end) {
		end = chunk_record_end(run->chunk, at);
		if (!outq_is_message(q, run, at, end, &seq))
			continue;
		outq_lose(q, seq);
		n++;
	}
	return n;
}
