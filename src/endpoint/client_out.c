/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way out to a client: direct writes, its queue, what is dropped and what
 * is told of that. It does not know the other clients. Owned by client.c's
 * owner. The trap: only messages are counted, and a run may hold events, too.
 */
#include <assert.h>

#include "endpoint/batch.h"
#include "endpoint/client_int.h"
#include "net/loop.h"
#include "net/stream.h"

#define IOV_MAX_AT_ONCE 16

static void tell(struct client *c)
{
	c->cb(c->arg, c, CLIENT_CHANGED, NULL, NULL);
}

static void note_dropped(struct client *c, uint64_t n, enum client_drop why)
{
	c->dropped += n;
	if (n == 0 || c->dropping)
		return;
	c->dropping = c->drop_unreported = true;
	c->why = why;
	tell(c);
}

/* Offers them; false: not all was taken, and the stream tells when it goes on. */
static bool offer(struct client *c, const struct iovec *iov, int n, size_t *written)
{
	size_t all = 0;

	for (int i = 0; i < n; i++)
		all += iov[i].iov_len;
	loop_passed(c->loop, all);
	*written = stream_offer(c->stream, iov, n);
	c->stalled = *written < all;
	return !c->stalled;
}

/* After a write, or a change of the queue. */
static void look_for_room(struct client *c)
{
	bool drained = outq_is_empty(&c->queue);

	if (c->blocked && outq_has_room(&c->queue)) {
		c->blocked = false;
		c->deadline = 0;
		c->room_unreported = true;
	}
	if (c->dropping && drained) {
		c->dropping = false;
		c->room_unreported = true;
	}
	if (c->room_unreported)
		tell(c);
	if (drained && c->state == CLIENT_CLOSING)
		client_enter(c, CLIENT_GONE);
}

void client_write(struct client *c)
{
	struct iovec iov[IOV_MAX_AT_ONCE];
	size_t written;
	bool all = true;

	while (all && !outq_is_empty(&c->queue)) {
		int n = outq_front(&c->queue, iov, IOV_MAX_AT_ONCE, c->by_record);

		all = offer(c, iov, n, &written);
		c->sent += outq_consume(&c->queue, written);
	}
	look_for_room(c);
}

static uint64_t messages_in(const struct chunk_range *runs, size_t n)
{
	uint64_t messages = 0;

	for (size_t i = 0; i < n; i++)
		messages += runs[i].n - runs[i].events;
	return messages;
}

static size_t offer_runs(struct client *c, const struct chunk_range *runs, size_t n)
{
	struct iovec iov[BATCH_RANGES];
	size_t written;

	assert(n <= BATCH_RANGES);
	for (size_t i = 0; i < n; i++) {
		iov[i].iov_base = runs[i].chunk->data + runs[i].from;
		iov[i].iov_len = runs[i].to - runs[i].from;
	}
	offer(c, iov, (int)n, &written);
	return written;
}

static bool is_too_big(const struct client *c, size_t size)
{
	return c->max_record > 0 && size > c->max_record;
}

/* Some records of a run from *at on; false: it goes no further. */
static bool offer_some(struct client *c, const struct chunk_range *run, size_t *at)
{
	struct iovec iov[IOV_MAX_AT_ONCE];
	size_t from = *at, end, written;
	bool fits = true;
	int n = 0;

	while (from < run->to && n < IOV_MAX_AT_ONCE && fits) {
		end = chunk_record_end(run->chunk, from);
		fits = !is_too_big(c, end - from);
		if (!fits)
			break;
		iov[n].iov_base = run->chunk->data + from;
		iov[n++].iov_len = end - from;
		from = end;
	}
	if (n > 0)
		fits = offer(c, iov, n, &written) && fits;
	*at += n > 0 ? written : 0;
	return fits;
}

static size_t offer_records(struct client *c, const struct chunk_range *runs, size_t n)
{
	size_t all = 0;

	for (size_t i = 0; i < n; i++) {
		size_t at = runs[i].from;
		bool on = true;

		while (on && at < runs[i].to)
			on = offer_some(c, &runs[i], &at);
		all += at - runs[i].from;
		if (!on)
			break;
	}
	return all;
}

/* Takes the first n bytes off a run; returns how many messages are complete by that. */
static size_t cut_written(const struct client *c, struct chunk_range *r, size_t n)
{
	size_t to = r->from + n, done, events;

	if (n == 0)
		return 0;
	done = to == r->to ? r->n : chunk_count(r->chunk, r->from, to);
	events = outq_count_events(c->queue.framing, r, to);
	r->from = to;
	r->n -= done;
	r->events -= events;
	return done - events;
}

/* A run in which there may be a record that cannot be written. */
static enum outq_result push_checked(struct client *c, const struct chunk_range *run,
				     uint64_t *dropped)
{
	struct chunk_range left = *run;
	enum outq_result result = OUTQ_KEPT;

	while (left.from < left.to && result == OUTQ_KEPT) {
		struct chunk_range one = left;
		size_t size = chunk_record_end(left.chunk, left.from) - left.from;

		cut_written(c, &left, size);
		one.to = left.from;
		one.n -= left.n;
		one.events -= left.events;
		if (is_too_big(c, size))
			note_dropped(c, outq_lose_run(&c->queue, &one), DROP_TOO_BIG);
		else
			result = outq_push(&c->queue, &one, dropped);
	}
	return result;
}

/* The whole queue and what did not get into it is lost with the client. */
static void disconnect(struct client *c, uint64_t unqueued)
{
	c->dropped += outq_messages(&c->queue) + unqueued;
	c->drop_unreported = true;
	c->why = DROP_SLOW;
	client_enter(c, CLIENT_GONE);
}

/* Queues what is behind the first `written` bytes. False: the client is gone by that. */
static bool queue_rest(struct client *c, const struct chunk_range *runs, size_t n, size_t written)
{
	uint64_t dropped = 0;

	for (size_t i = 0; i < n; i++) {
		struct chunk_range r = runs[i];
		size_t size = r.to - r.from, skip = size < written ? size : written;
		enum outq_result result = OUTQ_KEPT;

		c->sent += cut_written(c, &r, skip);
		written -= skip;
		if (r.from < r.to)
			result = is_too_big(c, r.to - r.from) ? push_checked(c, &r, &dropped) :
								outq_push(&c->queue, &r, &dropped);
		if (result == OUTQ_DISCONNECT) {
			disconnect(c, messages_in(runs + i + 1, n - i - 1));
			return false;
		}
	}
	note_dropped(c, dropped, DROP_SLOW);
	return true;
}

static void look_whether_full(struct client *c)
{
	if (c->blocked || c->queue.policy != OVERFLOW_BLOCK || !outq_is_full(&c->queue))
		return;
	c->blocked = true;
	c->deadline = loop_now(c->loop) + c->rules->block_timeout;
	tell(c);
}

uint64_t client_send(struct client *c, const struct chunk_range *runs, size_t n)
{
	uint64_t before = c->dropped;
	size_t written = 0, all = 0;

	if (c->state != CLIENT_HEARING)
		return 0;
	for (size_t i = 0; i < n; i++)
		all += runs[i].to - runs[i].from;
	if (outq_is_empty(&c->queue))
		written = c->by_record ? offer_records(c, runs, n) : offer_runs(c, runs, n);
	if (written == all) {
		c->sent += messages_in(runs, n);
		return 0;
	}
	if (!queue_rest(c, runs, n, written))
		return c->dropped - before;
	if (!c->stalled)
		client_write(c);
	look_whether_full(c);
	return c->dropped - before;
}

void client_lose(struct client *c, uint64_t seq, bool counted)
{
	if (c->state != CLIENT_HEARING)
		return;
	outq_lose(&c->queue, seq);
	if (counted)
		note_dropped(c, 1, DROP_NO_MEMORY);
	if (!c->stalled)
		client_write(c);
}

uint64_t client_cut(struct client *c)
{
	uint64_t lost = outq_messages(&c->queue);

	c->dropped += lost;
	if (c->blocked) {
		c->drop_unreported = true;
		c->why = DROP_BLOCKED;
	}
	client_enter(c, CLIENT_GONE);
	return lost;
}
