/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The batch of batch.h. It knows neither clients nor queues. Owned by an
 * endpoint. The trap: the current chunk is used from its start again as soon
 * as nobody else refers to it, so that a fast feed stays in the same few cache
 * lines; a range must therefore hold a reference of its own.
 */
#include "endpoint/batch.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

void batch_init(struct batch *b)
{
	*b = (struct batch){ 0 };
}

void batch_deinit(struct batch *b)
{
	batch_clear(b);
	chunk_unref(b->chunk);
	b->chunk = NULL;
	free(b->ranges);
	b->ranges = NULL;
}

/* What stands in a chunk from `from` on has been added. */
static void note(struct batch *b, struct chunk *c, size_t from, size_t records, size_t events)
{
	struct chunk_range *last = b->n_ranges ? &b->ranges[b->n_ranges - 1] : NULL;

	b->bytes += c->len - from;
	b->records += records;
	b->events += events;
	if (last && last->chunk == c) {
		last->to = c->len;
		last->n += records;
		last->events += events;
		return;
	}
	assert(b->n_ranges < BATCH_RANGES);
	if (!b->ranges)
		b->ranges = mem_array(BATCH_RANGES, sizeof(*b->ranges));
	b->ranges[b->n_ranges++] = (struct chunk_range){
		.chunk = chunk_ref(c), .from = from, .to = c->len, .n = records, .events = events
	};
}

static bool add_big(struct batch *b, const struct framing *f, const struct record *r,
		    const struct framing_plan *plan)
{
	struct chunk *c = chunk_try_new(plan->size);

	if (!c)
		return false;
	framing_encode(f, r, plan, chunk_room(c, plan->size));
	chunk_commit(c, plan->size);
	note(b, c, 0, 1, r->type != RECORD_MESSAGE);
	chunk_unref(c);
	return true;
}

static uint8_t *small_room(struct batch *b, size_t size)
{
	uint8_t *room = b->chunk ? chunk_room(b->chunk, size) : NULL;

	if (room)
		return room;
	chunk_unref(b->chunk);
	b->chunk = chunk_new();
	return chunk_room(b->chunk, size);
}

bool batch_add(struct batch *b, const struct framing *f, const struct record *r,
	       const struct framing_plan *plan)
{
	if (plan->size > CHUNK_RECORD_MAX)
		return add_big(b, f, r, plan);
	framing_encode(f, r, plan, small_room(b, plan->size));
	chunk_commit(b->chunk, plan->size);
	note(b, b->chunk, b->chunk->len - plan->size, 1, r->type != RECORD_MESSAGE);
	return true;
}

size_t batch_add_plain(struct batch *b, const struct framing *f, const struct msg *msgs, size_t n)
{
	size_t done = 0;

	while (done < n && !batch_is_full(b)) {
		struct chunk *c = b->chunk ? b->chunk : (b->chunk = chunk_new());
		size_t from = c->len, some = framing_encode_plain(f, msgs + done, n - done, c);

		if (some > 0)
			note(b, c, from, some, 0);
		else if (from + CHUNK_RECORD_MAX <= CHUNK_SIZE)
			break; /* it is not for want of room */
		else
			small_room(b, CHUNK_RECORD_MAX);
		done += some;
	}
	return done;
}

bool batch_is_full(const struct batch *b)
{
	return b->bytes >= CHUNK_SIZE;
}

void batch_clear(struct batch *b)
{
	for (size_t i = 0; i < b->n_ranges; i++)
		chunk_unref(b->ranges[i].chunk);
	b->n_ranges = b->bytes = b->records = b->events = 0;
	if (b->chunk && b->chunk->refs == 1)
		chunk_reset(b->chunk);
}
