/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of replay.h: a queue that nobody reads and that drops its oldest.
 * It does not know clients. Owned by an endpoint. The trap: room is made
 * before a record comes, because a queue that is over its cap does not copy.
 */
#include "endpoint/replay.h"

#include "endpoint/outq_int.h"

void replay_init(struct replay *r, const struct framing *framing, size_t max, size_t max_bytes)
{
	*r = (struct replay){ .quota = { .max_queued = SIZE_MAX }, .framing = framing, .max = max };
	outq_init(&r->kept, NULL, &r->quota, max_bytes, OVERFLOW_DROP_OLDEST);
}

void replay_deinit(struct replay *r)
{
	outq_deinit(&r->kept);
}

static void add_one(struct replay *r, const struct chunk_range *one)
{
	struct outq *q = &r->kept;
	size_t bytes = one->to - one->from;
	uint64_t dropped = 0;

	while (q->records > 0 && (q->records >= r->max || q->bytes + bytes > q->cap))
		outq_drop_oldest(q);
	if (!q->own)
		q->own = chunk_new();
	outq_push(q, one, &dropped);
}

void replay_add(struct replay *r, const struct chunk_range *run)
{
	struct chunk_range one = { .chunk = run->chunk, .n = 1 };
	uint64_t seq;

	if (r->max == 0 || run->events == run->n)
		return;
	for (one.from = run->from; one.from < run->to; one.from = one.to) {
		struct span record;

		one.to = chunk_record_end(run->chunk, one.from);
		record = span_of(run->chunk->data + one.from, one.to - one.from);
		if (run->events == 0 || framing_seq_of(r->framing, record, &seq))
			add_one(r, &one);
	}
}

size_t replay_n_runs(const struct replay *r)
{
	return r->kept.n_items;
}

const struct chunk_range *replay_run(const struct replay *r, size_t i)
{
	return &outq_item_at(&r->kept, i)->run;
}
