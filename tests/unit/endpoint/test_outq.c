/* SPDX-License-Identifier: Apache-2.0 */
/* The queue of a slow client: each policy by hand. test_outq_model.c has the long random run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "endpoint/endpoint.h"
#include "endpoint/outq.h"

#define PLENTY ((size_t)1 << 40)

/* Appends a record of `size` bytes, each with the value `id`. */
static struct chunk_range record(struct chunk *c, size_t size, uint8_t id)
{
	uint8_t *room = chunk_room(c, size);

	assert_non_null(room);
	memset(room, id, size);
	chunk_commit(c, size);
	return (struct chunk_range){ .chunk = c, .from = c->len - size, .to = c->len, .n = 1 };
}

/* Pushes one record from a chunk of its own kind and gives back the reference. */
static enum outq_result push(struct outq *q, size_t size, uint8_t id, uint64_t *dropped)
{
	struct chunk *c = size > CHUNK_RECORD_MAX ? chunk_try_new(size) : chunk_new();
	struct chunk_range r = record(c, size, id);
	enum outq_result result = outq_push(q, &r, dropped);

	chunk_unref(c);
	return result;
}

/* What waits, as "id*bytes " for each run of equal bytes. */
static const char *content(struct outq *q)
{
	static char text[256];
	struct iovec iov[64];
	size_t run = 0, at = 0;
	int n = outq_front(q, iov, 64, false), last = -1;

	text[0] = '\0';
	for (int i = 0; i <= n; i++) {
		const uint8_t *p = i < n ? iov[i].iov_base : NULL;

		for (size_t j = 0; i == n ? j < 1 : j < iov[i].iov_len; j++, run++) {
			int id = i < n ? p[j] : -1;

			if (id == last)
				continue;
			if (last >= 0)
				at += (size_t)snprintf(text + at, sizeof(text) - at, "%d*%zu ",
						       last, run);
			run = 0;
			last = id;
		}
	}
	return text;
}

struct queue {
	struct endpoint_quota quota;
	struct outq q;
	uint64_t dropped;
};

static void queue_init(struct queue *u, size_t cap, enum conf_overflow policy)
{
	*u = (struct queue){ .quota = { .max_queued = PLENTY } };
	outq_init(&u->q, NULL, &u->quota, cap, policy);
}

static void queue_deinit(struct queue *u)
{
	outq_deinit(&u->q);
	outq_deinit(&u->q);
	assert_int_equal(u->quota.queued, 0);
}

static void expect(struct queue *u, const char *text, size_t bytes, size_t records,
		   uint64_t dropped)
{
	assert_string_equal(content(&u->q), text);
	assert_int_equal(u->q.bytes, bytes);
	assert_int_equal(u->quota.queued, bytes);
	assert_int_equal(u->q.records, records);
	assert_int_equal(u->dropped, dropped);
}

static void drops_the_oldest(void **state)
{
	struct queue u;

	(void)state;
	queue_init(&u, 100, OVERFLOW_DROP_OLDEST);
	for (uint8_t id = 1; id <= 4; id++)
		push(&u.q, 30, id, &u.dropped);
	expect(&u, "2*30 3*30 4*30 ", 90, 3, 1);
	push(&u.q, 10, 5, &u.dropped);
	expect(&u, "2*30 3*30 4*30 5*10 ", 100, 4, 1);
	assert_int_equal(outq_consume(&u.q, 10), 0); /* 2 has begun */
	push(&u.q, 40, 6, &u.dropped);
	expect(&u, "2*20 4*30 5*10 6*40 ", 100, 4, 2);
	assert_int_equal(outq_consume(&u.q, 60), 3);
	expect(&u, "6*40 ", 40, 1, 2);
	queue_deinit(&u);
}

static void drops_the_newest(void **state)
{
	struct queue u;

	(void)state;
	queue_init(&u, 100, OVERFLOW_DROP_NEWEST);
	for (uint8_t id = 1; id <= 4; id++)
		push(&u.q, 30, id, &u.dropped);
	expect(&u, "1*30 2*30 3*30 ", 90, 3, 1);
	push(&u.q, 11, 5, &u.dropped);
	push(&u.q, 10, 6, &u.dropped);
	expect(&u, "1*30 2*30 3*30 6*10 ", 100, 4, 2);
	assert_int_equal(outq_consume(&u.q, 35), 1);
	push(&u.q, 36, 7, &u.dropped);
	push(&u.q, 35, 8, &u.dropped);
	expect(&u, "2*25 3*30 6*10 8*35 ", 100, 4, 3);
	queue_deinit(&u);
}

static void asks_to_disconnect(void **state)
{
	struct queue u;

	(void)state;
	queue_init(&u, 100, OVERFLOW_DISCONNECT);
	assert_int_equal(push(&u.q, 60, 1, &u.dropped), OUTQ_KEPT);
	assert_int_equal(push(&u.q, 40, 2, &u.dropped), OUTQ_KEPT);
	assert_int_equal(push(&u.q, 1, 3, &u.dropped), OUTQ_DISCONNECT);
	assert_int_equal(u.q.records, 3);
	outq_clear(&u.q);
	assert_int_equal(u.quota.queued, 0);
	assert_int_equal(push(&u.q, 500, 4, &u.dropped), OUTQ_KEPT);
	assert_int_equal(push(&u.q, 1, 5, &u.dropped), OUTQ_DISCONNECT);
	assert_int_equal(u.dropped, 0);
	queue_deinit(&u);
}

/* One record above the cap gets through, and does not cost what follows it. */
static void lets_a_big_one_through(void **state)
{
	struct queue u;

	(void)state;
	for (int policy = OVERFLOW_DROP_OLDEST; policy <= OVERFLOW_DISCONNECT; policy++) {
		queue_init(&u, 100, (enum conf_overflow)policy);
		assert_int_equal(push(&u.q, 70000, 1, &u.dropped), OUTQ_KEPT);
		expect(&u, "1*70000 ", 70000, 1, 0);
		assert_int_equal(outq_consume(&u.q, 1000), 0);
		assert_int_equal(push(&u.q, 60, 2, &u.dropped), OUTQ_KEPT);
		assert_int_equal(push(&u.q, 40, 3, &u.dropped), OUTQ_KEPT);
		expect(&u, "1*69000 2*60 3*40 ", 69100, 3, 0);
		assert_int_equal(outq_consume(&u.q, 69001), 1);
		expect(&u, "2*59 3*40 ", 99, 2, 0);
		queue_deinit(&u);
	}
}

static void a_big_one_yields_to_what_waits(void **state)
{
	struct queue u;

	(void)state;
	queue_init(&u, 100, OVERFLOW_DROP_NEWEST);
	push(&u.q, 10, 1, &u.dropped);
	push(&u.q, 101, 2, &u.dropped);
	expect(&u, "1*10 ", 10, 1, 1);
	queue_deinit(&u);
	queue_init(&u, 100, OVERFLOW_DROP_OLDEST);
	push(&u.q, 10, 1, &u.dropped);
	push(&u.q, 101, 2, &u.dropped);
	expect(&u, "2*101 ", 101, 1, 1);
	push(&u.q, 10, 3, &u.dropped);
	expect(&u, "3*10 ", 10, 1, 2);
	queue_deinit(&u);
}

static void the_total_counts_like_the_cap(void **state)
{
	struct queue u;
	struct outq other;

	(void)state;
	queue_init(&u, 1000, OVERFLOW_DROP_OLDEST);
	outq_init(&other, NULL, &u.quota, 1000, OVERFLOW_DROP_NEWEST);
	u.quota.max_queued = 100;
	push(&other, 70, 1, &u.dropped);
	push(&u.q, 20, 2, &u.dropped);
	push(&u.q, 15, 3, &u.dropped);
	assert_string_equal(content(&u.q), "3*15 ");
	assert_int_equal(u.quota.queued, 85);
	push(&u.q, 31, 4, &u.dropped); /* nothing waits, but there is no room in all */
	assert_string_equal(content(&u.q), "");
	push(&other, 31, 5, &u.dropped);
	push(&other, 30, 6, &u.dropped);
	assert_string_equal(content(&other), "1*70 6*30 ");
	assert_int_equal(u.dropped, 4);
	outq_deinit(&other);
	queue_deinit(&u);
}

static void neighbours_join(void **state)
{
	struct queue u;
	struct chunk *c = chunk_new();
	struct chunk_range r;
	struct iovec iov[4];

	(void)state;
	queue_init(&u, 1000, OVERFLOW_DROP_OLDEST);
	for (uint8_t id = 1; id <= 3; id++) {
		r = record(c, 10, id);
		outq_push(&u.q, &r, &u.dropped);
	}
	assert_int_equal(outq_front(&u.q, iov, 4, false), 1);
	assert_int_equal(iov[0].iov_len, 30);
	assert_ptr_equal(iov[0].iov_base, c->data);
	record(c, 10, 4);
	r = record(c, 10, 5);
	outq_push(&u.q, &r, &u.dropped);
	assert_int_equal(outq_front(&u.q, iov, 4, false), 2);
	assert_int_equal(outq_front(&u.q, iov, 1, false), 1);
	queue_deinit(&u);
	chunk_unref(c);
}

/* Bytes of all chunks that the queue keeps alive. */
static size_t pinned(const struct outq *q)
{
	const struct outq_item *item = q->items + q->first;
	size_t bytes = 0;

	for (size_t i = 0; i < q->n_items; i++)
		if (i == 0 || item[i].run.chunk != item[i - 1].run.chunk)
			bytes += item[i].run.chunk->size;
	return bytes;
}

/* A trickle of records from ever new chunks must not keep them all. */
static void a_trickle_does_not_keep_the_river(void **state)
{
	struct queue u;
	size_t most = 0;

	(void)state;
	queue_init(&u, 256 * 1024, OVERFLOW_DROP_NEWEST);
	for (int round = 0; round < 6000; round++) {
		struct chunk *c = chunk_new();
		struct chunk_range r = { .chunk = c, .n = 1024 };

		for (int i = 0; i < 1024; i++)
			record(c, 64, (uint8_t)round);
		r.to = c->len;
		outq_push(&u.q, &r, &u.dropped);
		chunk_unref(c);
		if (round > 4)
			outq_consume(&u.q, 64);
		if (pinned(&u.q) > most)
			most = pinned(&u.q);
	}
	assert_int_equal(u.q.bytes, 256 * 1024 - 64);
	assert_true(most <= (256 + 3 * 64) * 1024);
	outq_consume(&u.q, u.q.bytes);
	assert_null(u.q.own);
	queue_deinit(&u);
}

/* A run whose first record was written in part already, with the kernel full behind that. */
static void the_rest_of_a_direct_write_is_kept(void **state)
{
	struct queue u;
	struct chunk *c = chunk_new();
	struct chunk_range first = record(c, 500, 1), rest;

	(void)state;
	for (int policy = OVERFLOW_DROP_OLDEST; policy <= OVERFLOW_DROP_NEWEST; policy++) {
		queue_init(&u, 100, (enum conf_overflow)policy);
		u.quota.max_queued = 300;
		rest = first;
		rest.from += 1;
		assert_int_equal(outq_push(&u.q, &rest, &u.dropped), OUTQ_KEPT);
		expect(&u, "1*499 ", 499, 1, 0); /* beyond both limits: it has begun */
		push(&u.q, 1, 2, &u.dropped);
		expect(&u, "1*499 ", 499, 1, 1);
		outq_consume(&u.q, 300);
		push(&u.q, 100, 3, &u.dropped);
		expect(&u, "1*199 3*100 ", 299, 2, 1);
		queue_deinit(&u);
	}
	queue_init(&u, 100, OVERFLOW_DISCONNECT);
	u.quota.max_queued = 300;
	rest = first;
	rest.from += 1;
	assert_int_equal(outq_push(&u.q, &rest, &u.dropped), OUTQ_KEPT);
	assert_int_equal(push(&u.q, 1, 2, &u.dropped), OUTQ_DISCONNECT);
	queue_deinit(&u);
	chunk_unref(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(drops_the_oldest),
		cmocka_unit_test(drops_the_newest),
		cmocka_unit_test(asks_to_disconnect),
		cmocka_unit_test(lets_a_big_one_through),
		cmocka_unit_test(a_big_one_yields_to_what_waits),
		cmocka_unit_test(the_total_counts_like_the_cap),
		cmocka_unit_test(neighbours_join),
		cmocka_unit_test(a_trickle_does_not_keep_the_river),
		cmocka_unit_test(the_rest_of_a_direct_write_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
