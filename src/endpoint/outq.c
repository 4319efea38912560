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

void outq_init(struct outq *q, struct endpoint_quota *quota, size_t cap, enum conf_overflow how)
{
	*q = (struct outq){ .quota = quota, .cap = cap, .policy = how };
}

static struct chunk_range *front(const struct outq *q)
{
	return &q->ranges[q->first];
}

static struct chunk_range *back(const struct outq *q)
{
	return &q->ranges[q->first + q->n_ranges - 1];
}

static void charge(struct outq *q, size_t bytes, size_t records)
{
	q->bytes += bytes;
	q->records += records;
	q->quota->queued += bytes;
}

static void uncharge(struct outq *q, size_t bytes, size_t records)
{
	assert(bytes <= q->bytes && records <= q->records && bytes <= q->quota->queued);
	q->bytes -= bytes;
	q->records -= records;
	q->quota->queued -= bytes;
}

static void pop_front(struct outq *q)
{
	chunk_unref(front(q)->chunk);
	q->first++;
	q->n_ranges--;
}

/* Once it is empty it holds no memory but a small array. */
static void settle(struct outq *q)
{
	if (q->n_ranges > 0)
		return;
	q->first = 0;
	chunk_unref(q->own);
	q->own = NULL;
}

void outq_clear(struct outq *q)
{
	uncharge(q, q->bytes, q->records);
	while (q->n_ranges > 0)
		pop_front(q);
	settle(q);
}

void outq_deinit(struct outq *q)
{
	outq_clear(q);
	free(q->ranges);
	q->ranges = NULL;
	q->size = 0;
}

/* Is the front in the middle of a record? */
static bool has_begun(const struct outq *q)
{
	const struct chunk_range *r;

	if (q->n_ranges == 0)
		return false;
	r = front(q);
	return chunk_record_start(r->chunk, r->from) != r->from;
}

/* Records of which nothing has been written. */
static size_t whole_records(const struct outq *q)
{
	return q->records - (has_begun(q) ? 1 : 0);
}

/* What counts against the cap. */
static size_t waiting(const struct outq *q)
{
	const struct chunk_range *r;
	size_t start, end;

	if (q->n_ranges == 0)
		return 0;
	r = front(q);
	start = chunk_record_start(r->chunk, r->from);
	end = chunk_record_end(r->chunk, r->from);
	if (start == r->from || end - start <= q->cap)
		return q->bytes;
	return q->bytes - (end - r->from);
}

static bool is_over(const struct outq *q)
{
	bool too_much_in_all = q->quota->queued > q->quota->max_queued;

	if (!too_much_in_all && q->bytes <= q->cap)
		return false;
	return whole_records(q) > 1 ? too_much_in_all || waiting(q) > q->cap :
				      too_much_in_all && whole_records(q) == 1;
}

static void make_room(struct outq *q)
{
	if (q->first + q->n_ranges < q->size)
		return;
	if (q->first > 0) {
		memmove(q->ranges, front(q), q->n_ranges * sizeof(*q->ranges));
		q->first = 0;
		return;
	}
	q->size = q->size ? 2 * q->size : 4;
	q->ranges = mem_grow(q->ranges, q->size, sizeof(*q->ranges));
}

static void append(struct outq *q, const struct chunk_range *run)
{
	charge(q, run->to - run->from, run->n);
	if (q->n_ranges > 0 && back(q)->chunk == run->chunk && back(q)->to == run->from) {
		back(q)->to = run->to;
		back(q)->n += run->n;
		return;
	}
	make_room(q);
	q->n_ranges++;
	*back(q) = *run;
	chunk_ref(run->chunk);
}

static void append_copy(struct outq *q, const struct chunk_range *run)
{
	for (size_t at = run->from, end; at < run->to; at = end) {
		struct chunk_range r = { .n = 1 };
		uint8_t *room;

		end = chunk_record_end(run->chunk, at);
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
	struct chunk_range *r = front(q), rest = *r;
	size_t end = chunk_record_end(r->chunk, r->from);

	if (end == r->to)
		return;
	rest.to = end;
	rest.n = 1;
	r->from = end;
	r->n--;
	chunk_ref(rest.chunk);
	make_room(q);
	memmove(front(q) + 1, front(q), q->n_ranges * sizeof(*q->ranges));
	q->n_ranges++;
	*front(q) = rest;
}

static void remove_range(struct outq *q, size_t i)
{
	struct chunk_range *r = front(q) + i;

	chunk_unref(r->chunk);
	memmove(front(q) + 1, front(q), i * sizeof(*r));
	q->first++;
	q->n_ranges--;
}

/* There is a whole record. */
static void drop_oldest(struct outq *q)
{
	size_t i = has_begun(q) ? 1 : 0;
	struct chunk_range *r;
	size_t end;

	if (i == 1)
		split_begun(q);
	assert(i < q->n_ranges);
	r = front(q) + i;
	end = chunk_record_end(r->chunk, r->from);
	uncharge(q, end - r->from, 1);
	r->from = end;
	r->n--;
	if (r->from == r->to)
		remove_range(q, i);
}

static void trim(struct outq *q, uint64_t *dropped)
{
	while (is_over(q)) {
		drop_oldest(q);
		++*dropped;
	}
	settle(q);
}

/* Would `bytes` in `records` more records fit? */
static bool fits(const struct outq *q, size_t bytes, size_t records)
{
	if (q->quota->queued > q->quota->max_queued ||
	    bytes > q->quota->max_queued - q->quota->queued)
		return false;
	if (records == 1 && whole_records(q) == 0)
		return true;
	return waiting(q) <= q->cap && bytes <= q->cap - waiting(q);
}

/* Record by record: one that does not fit does not keep out a smaller one behind it. */
static void push_what_fits(struct outq *q, const struct chunk_range *run, uint64_t *dropped)
{
	struct chunk_range one = { .chunk = run->chunk, .from = run->from, .n = 1 };

	for (; one.from < run->to; one.from = one.to) {
		bool begun = chunk_record_start(run->chunk, one.from) != one.from;

		one.to = chunk_record_end(run->chunk, one.from);
		if (begun || fits(q, one.to - one.from, 1)) {
			append_run(q, &one);
			continue;
		}
		++*dropped;
		if (!q->own && q->n_ranges > 0)
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
	case OVERFLOW_DISCONNECT:
		append(q, run);
		break;
	}
	return is_over(q) ? OUTQ_DISCONNECT : OUTQ_KEPT;
}

int outq_front(const struct outq *q, struct iovec *iov, int max)
{
	int n = 0;

	for (size_t i = 0; i < q->n_ranges && n < max; i++, n++) {
		const struct chunk_range *r = front(q) + i;

		iov[n].iov_base = r->chunk->data + r->from;
		iov[n].iov_len = r->to - r->from;
	}
	return n;
}

size_t outq_consume(struct outq *q, size_t n)
{
	size_t complete = 0;

	assert(n <= q->bytes);
	while (n > 0) {
		struct chunk_range *r = front(q);
		size_t here = r->to - r->from, take = here < n ? here : n;
		size_t ended = take == here ? r->n : chunk_count(r->chunk, r->from, r->from + take);

		r->from += take;
		r->n -= ended;
		uncharge(q, take, ended);
		complete += ended;
		n -= take;
		if (r->from == r->to)
			pop_front(q);
	}
	settle(q);
	return complete;
}
