/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queue of outq.h. It copies nothing as a rule, and does not know who
 * writes. Owned by a client. The trap: with drop-newest a slow reader lets in
 * one record here and one there, and each would keep a chunk of 64 KiB alive.
 * So behind the first hole small runs are copied into chunks of the queue's
 * own, until it has drained.
 */
#include "endpoint/outq.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "endpoint/endpoint.h"
#include "endpoint/outq_int.h"

/* What the gap record of a hole will take, about: it counts against the cap. */
#define HOLE_ROOM 72

static bool can_tell_gaps(const struct framing *f)
{
	const struct record r = { .type = RECORD_GAP, .dropped = 1 };
	struct framing_plan plan;

	return f && f->ops->seq_of && framing_measure(f, &r, &plan);
}

void outq_init(struct outq *q, const struct framing *framing, struct endpoint_quota *quota,
	       size_t cap, enum conf_overflow how)
{
	*q = (struct outq){ .quota = quota,
			    .framing = framing,
			    .has_gaps = can_tell_gaps(framing),
			    .cap = cap,
			    .policy = how };
}

static struct outq_item *back(const struct outq *q)
{
	return outq_item_at(q, q->n_items - 1);
}

void outq_charge(struct outq *q, size_t bytes)
{
	q->bytes += bytes;
	q->quota->queued += bytes;
}

void outq_uncharge(struct outq *q, size_t bytes)
{
	assert(bytes <= q->bytes && bytes <= q->quota->queued);
	q->bytes -= bytes;
	q->quota->queued -= bytes;
}

static void count_out(struct outq *q, size_t records, size_t events)
{
	assert(records <= q->records && events <= q->events);
	q->records -= records;
	q->events -= events;
}

static void pop_front(struct outq *q)
{
	const struct outq_item *item = outq_item_at(q, 0);

	if (!item->run.chunk)
		q->n_holes--;
	chunk_unref(item->run.chunk);
	q->first++;
	q->n_items--;
}

/* Once it is empty it holds no memory but a small array. */
static void settle(struct outq *q)
{
	if (q->n_items > 0)
		return;
	q->first = 0;
	chunk_unref(q->own);
	q->own = NULL;
}

void outq_clear(struct outq *q)
{
	outq_uncharge(q, q->bytes);
	count_out(q, q->records, q->events);
	while (q->n_items > 0)
		pop_front(q);
	settle(q);
}

void outq_deinit(struct outq *q)
{
	outq_clear(q);
	free(q->items);
	q->items = NULL;
	q->size = 0;
}

bool outq_has_begun(const struct outq *q)
{
	const struct chunk_range *r;

	if (q->n_items == 0)
		return false;
	r = &outq_item_at(q, 0)->run;
	return r->chunk && chunk_record_start(r->chunk, r->from) != r->from;
}

/* Records of which nothing has been written. */
static size_t whole_records(const struct outq *q)
{
	bool begun = outq_has_begun(q) && outq_item_at(q, 0)->hole.dropped == 0;

	return q->records - begun;
}

/* What counts against the cap. */
static size_t waiting(const struct outq *q)
{
	size_t all = q->bytes + q->n_holes * HOLE_ROOM, start, end;
	const struct chunk_range *r;

	if (!outq_has_begun(q))
		return all;
	r = &outq_item_at(q, 0)->run;
	start = chunk_record_start(r->chunk, r->from);
	end = chunk_record_end(r->chunk, r->from);
	return end - start <= q->cap ? all : all - (end - r->from);
}

static bool is_too_much_in_all(const struct outq *q)
{
	return q->quota->queued > q->quota->max_queued;
}

static bool is_over(const struct outq *q)
{
	bool too_much_in_all = is_too_much_in_all(q);

	if (!too_much_in_all && q->bytes + q->n_holes * HOLE_ROOM <= q->cap)
		return false;
	return whole_records(q) > 1 ? too_much_in_all || waiting(q) > q->cap :
				      too_much_in_all && whole_records(q) == 1;
}

bool outq_is_full(const struct outq *q)
{
	return q->bytes > 0 && (waiting(q) > q->cap || is_too_much_in_all(q));
}

bool outq_has_room(const struct outq *q)
{
	return q->bytes == 0 || (waiting(q) <= q->cap / 2 && !is_too_much_in_all(q));
}

static void make_room(struct outq *q)
{
	if (q->first + q->n_items < q->size)
		return;
	if (q->first > 0) {
		memmove(q->items, outq_item_at(q, 0), q->n_items * sizeof(*q->items));
		q->first = 0;
		return;
	}
	q->size = q->size ? 2 * q->size : 4;
	q->items = mem_grow(q->items, q->size, sizeof(*q->items));
}

struct outq_item *outq_insert(struct outq *q, size_t i)
{
	struct outq_item *item;

	if (i < q->n_items && q->first > 0) {
		q->first--;
		item = outq_item_at(q, i);
		memmove(outq_item_at(q, 0), outq_item_at(q, 1), i * sizeof(*item));
	} else {
		make_room(q);
		item = outq_item_at(q, i);
		memmove(item + 1, item, (q->n_items - i) * sizeof(*item));
	}
	q->n_items++;
	*item = (struct outq_item){ .run = { .chunk = NULL } };
	return item;
}

void outq_remove(struct outq *q, size_t i)
{
	memmove(outq_item_at(q, 1), outq_item_at(q, 0), i * sizeof(*q->items));
	q->first++;
	q->n_items--;
}

bool outq_is_message(const struct outq *q, const struct chunk_range *run, size_t start, size_t end,
		     uint64_t *seq)
{
	bool found = false;

	*seq = 0;
	if (run->events > 0 || q->has_gaps)
		found = framing_seq_of(q->framing, span_of(run->chunk->data + start, end - start),
				       seq);
	return found || run->events == 0;
}

size_t outq_count_events(const struct framing *f, const struct chunk_range *run, size_t to)
{
	size_t n = 0, at, end;
	uint64_t seq;

	if (run->events == 0)
		return 0;
	if (to == run->to)
		return run->events;
	for (at = chunk_record_start(run->chunk, run->from); at < to; at = end) {
		end = chunk_record_end(run->chunk, at);
		n += end <= to &&
		     !framing_seq_of(f, span_of(run->chunk->data + at, end - at), &seq);
	}
	return n;
}

static void append(struct outq *q, const struct chunk_range *run)
{
	outq_charge(q, run->to - run->from);
	q->records += run->n;
	q->events += run->events;
	if (q->n_items > 0 && back(q)->run.chunk == run->chunk && back(q)->run.to == run->from) {
		back(q)->run.to = run->to;
		back(q)->run.n += run->n;
		back(q)->run.events += run->events;
		return;
	}
	outq_insert(q, q->n_items)->run = *run;
	chunk_ref(run->chunk);
}

static void append_copy(struct outq *q, const struct chunk_range *run)
{
	for (size_t at = run->from, end; at < run->to; at = end) {
		struct chunk_range r = { .n = 1 };
		uint8_t *room;
		uint64_t seq;

		end = chunk_record_end(run->chunk, at);
		r.events = run->events > 0 && !outq_is_message(q, run, at, end, &seq);
		room = chunk_room(q->own, end - at);
		if (!room) {
			chunk_unref(q->own);
			q->own = chunk_new();
			room = chunk_room(q->own, end - at);
		}
		memcpy(room, run->chunk->data + at, end - at);
		r.chunk = q->own;
		r.from = q->own->len;
		chunk_commit(q->own, end - at);
		r.to = q->own->len;
		append(q, &r);
	}
}

static void append_run(struct outq *q, const struct chunk_range *run)
{
	if (q->own && run->to - run->from <= CHUNK_RECORD_MAX)
		append_copy(q, run);
	else
		append(q, run);
}

/* Cuts the rest of a record that has begun off the records behind it in the same range. */
static void split_begun(struct outq *q)
{
	struct chunk_range *r = &outq_item_at(q, 0)->run, rest = *r;
	size_t end = chunk_record_end(r->chunk, r->from);

	if (end == r->to)
		return;
	rest.to = end;
	rest.n = 1;
	rest.events = outq_count_events(q->framing, r, end);
	r->from = end;
	r->n--;
	r->events -= rest.events;
	chunk_ref(rest.chunk);
	outq_insert(q, 0)->run = rest;
}

bool outq_drop_oldest(struct outq *q)
{
	size_t i = outq_has_begun(q) ? 1 : 0;
	struct chunk_range *r;
	bool is_message;
	uint64_t seq;
	size_t end;

	if (i == 1)
		split_begun(q);
	assert(i < q->n_items);
	if (outq_item_at(q, i)->hole.dropped > 0)
		i++;
	assert(i < q->n_items);
	r = &outq_item_at(q, i)->run;
	end = chunk_record_end(r->chunk, r->from);
	is_message = outq_is_message(q, r, r->from, end, &seq);
	outq_uncharge(q, end - r->from);
	count_out(q, 1, !is_message);
	r->from = end;
	r->n--;
	r->events -= !is_message;
	if (r->from == r->to) {
		chunk_unref(r->chunk);
		outq_remove(q, i);
	}
	if (is_message && q->has_gaps)
		outq_dig(q, i, seq);
	else
		outq_join_holes(q, i);
	return is_message;
}

static void trim(struct outq *q, uint64_t *dropped)
{
	while (is_over(q))
		*dropped += outq_drop_oldest(q);
	settle(q);
}

/* Would `bytes` in `records` more records fit? */
static bool fits(const struct outq *q, size_t bytes, size_t records)
{
	if (is_too_much_in_all(q) || bytes > q->quota->max_queued - q->quota->queued)
		return false;
	if (records == 1 && whole_records(q) == 0)
		return true;
	return waiting(q) <= q->cap && bytes <= q->cap - waiting(q);
}

/* Record by record: one that does not fit does not keep out a smaller one behind it. */
static void push_what_fits(struct outq *q, const struct chunk_range *run, uint64_t *dropped)
{
	struct chunk_range one = { .chunk = run->chunk, .from = run->from, .n = 1 };
	uint64_t seq;

	for (; one.from < run->to; one.from = one.to) {
		size_t start = chunk_record_start(run->chunk, one.from);

		one.to = chunk_record_end(run->chunk, one.from);
		one.events = run->events > 0 && !outq_is_message(q, run, start, one.to, &seq);
		if (start != one.from || fits(q, one.to - one.from, 1)) {
			append_run(q, &one);
			continue;
		}
		*dropped += outq_lose_run(q, &one);
		if (!q->own && q->n_items > 0)
			q->own = chunk_new();
	}
}

enum outq_result outq_push(struct outq *q, const struct chunk_range *run, uint64_t *dropped)
{
	size_t bytes = run->to - run->from;

	assert(bytes > 0 && run->n > 0);
	if (fits(q, bytes, run->n)) {
		append_run(q, run);
		return OUTQ_KEPT;
	}
	switch (q->policy) {
	case OVERFLOW_DROP_OLDEST:
		append(q, run);
		trim(q, dropped);
		return OUTQ_KEPT;
	case OVERFLOW_DROP_NEWEST:
		push_what_fits(q, run, dropped);
		return OUTQ_KEPT;
	case OVERFLOW_BLOCK:
		append(q, run);
		return OUTQ_KEPT;
	case OVERFLOW_DISCONNECT:
		append(q, run);
		break;
	}
	return is_over(q) ? OUTQ_DISCONNECT : OUTQ_KEPT;
}

static size_t element_end(const struct chunk_range *r, size_t at, bool by_record)
{
	return by_record ? chunk_record_end(r->chunk, at) : r->to;
}

int outq_front(struct outq *q, struct iovec *iov, int max, bool by_record)
{
	int n = 0;

	for (size_t i = 0; i < q->n_items && n < max; i++) {
		struct outq_item *item = outq_item_at(q, i);
		const struct chunk_range *r = &item->run;

		if (!r->chunk)
			outq_encode_hole(q, item);
		for (size_t at = r->from, end; at < r->to && n < max; at = end, n++) {
			end = element_end(r, at, by_record);
			iov[n].iov_base = r->chunk->data + at;
			iov[n].iov_len = end - at;
		}
	}
	return n;
}

/* `take` bytes of the front item. Returns how many messages are complete by that. */
static size_t consume_item(struct outq *q, struct outq_item *item, size_t take)
{
	struct chunk_range *r = &item->run;
	size_t to = r->from + take, ended, events;

	outq_uncharge(q, take);
	if (item->hole.dropped > 0) {
		r->from = to;
		return 0;
	}
	ended = to == r->to ? r->n : chunk_count(r->chunk, r->from, to);
	events = outq_count_events(q->framing, r, to);
	count_out(q, ended, events);
	r->from = to;
	r->n -= ended;
	r->events -= events;
	return ended - events;
}

size_t outq_consume(struct outq *q, size_t n)
{
	size_t complete = 0;

	assert(n <= q->bytes);
	while (n > 0) {
		struct outq_item *item = outq_item_at(q, 0);
		size_t here = item->run.to - item->run.from, take = here < n ? here : n;

		assert(item->run.chunk);
		complete += consume_item(q, item, take);
		n -= take;
		if (item->run.from == item->run.to)
			pop_front(q);
	}
	settle(q);
	return complete;
}
