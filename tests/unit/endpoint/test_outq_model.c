/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queue of a slow client, all policies on one quota, through a long random
 * run against a model that is nothing but a list of records.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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

/* The model: records are pushed and dropped one at a time. */
#define MODEL_MAX 4096

struct model {
	struct {
		uint32_t id;
		size_t size, left;
	} records[MODEL_MAX];
	size_t n, cap;
	enum conf_overflow policy;
	uint64_t dropped;
};

static size_t model_bytes(const struct model *m)
{
	size_t bytes = 0;

	for (size_t i = 0; i < m->n; i++)
		bytes += m->records[i].left;
	return bytes;
}

static bool model_begun(const struct model *m)
{
	return m->n > 0 && m->records[0].left < m->records[0].size;
}

static bool model_over(const struct model *m, size_t others, size_t max_queued)
{
	size_t whole = m->n - model_begun(m), bytes = model_bytes(m);
	bool total = others + bytes > max_queued;

	if (model_begun(m) && m->records[0].size > m->cap)
		bytes -= m->records[0].left;
	return (whole > 0 && total) || (whole > 1 && bytes > m->cap);
}

static void model_remove(struct model *m, size_t i)
{
	m->n--;
	memmove(&m->records[i], &m->records[i + 1], (m->n - i) * sizeof(m->records[0]));
}

/* False: disconnect. */
static bool model_push(struct model *m, uint32_t id, size_t size, size_t others, size_t max_queued)
{
	assert_true(m->n < MODEL_MAX);
	m->records[m->n].id = id;
	m->records[m->n].size = m->records[m->n].left = size;
	m->n++;
	while (model_over(m, others, max_queued)) {
		if (m->policy == OVERFLOW_DISCONNECT)
			return false;
		m->dropped++;
		model_remove(m, m->policy == OVERFLOW_DROP_OLDEST ? model_begun(m) : m->n - 1);
		if (m->policy == OVERFLOW_DROP_NEWEST)
			break;
	}
	return true;
}

static size_t model_consume(struct model *m, size_t n)
{
	size_t complete = 0;

	while (n > 0) {
		size_t take = m->records[0].left < n ? m->records[0].left : n;

		m->records[0].left -= take;
		n -= take;
		if (m->records[0].left > 0)
			break;
		complete++;
		model_remove(m, 0);
	}
	return complete;
}

/* Every byte of a record is the low byte of its id. */
static void compare(const struct outq *q, const struct model *m)
{
	const struct outq_item *items = q->n_items > 0 ? q->items + q->first : NULL;
	size_t at = 0, in = 0;

	assert_int_equal(q->bytes, model_bytes(m));
	assert_int_equal(q->records, m->n);
	for (size_t i = 0; i < m->n; i++) {
		for (size_t j = 0; j < m->records[i].left; j++, in++) {
			const struct chunk_range *r;

			while (at < q->n_items && in == items[at].run.to - items[at].run.from) {
				in = 0;
				at++;
			}
			assert_true(at < q->n_items);
			r = &items[at].run;
			assert_int_equal(r->chunk->data[r->from + in], (uint8_t)m->records[i].id);
		}
	}
}

static uint32_t seed;

static uint32_t pick(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

enum { N_QUEUES = 3 };

struct world {
	struct endpoint_quota quota;
	struct chunk *chunk;
	struct outq queues[N_QUEUES];
	struct model models[N_QUEUES];
	uint64_t dropped[N_QUEUES];
	uint64_t received[N_QUEUES], lost[N_QUEUES]; /* lost: with the queue at a disconnect */
	uint32_t next_id;
};

static size_t others(const struct world *w, size_t i)
{
	size_t bytes = 0;

	for (size_t j = 0; j < N_QUEUES; j++)
		bytes += j == i ? 0 : model_bytes(&w->models[j]);
	return bytes;
}

static void push_to(struct world *w, size_t i, const struct chunk_range *run, uint32_t first_id)
{
	struct model *m = &w->models[i];
	uint32_t id = first_id;
	bool kept = true;

	for (size_t at = run->from, end; at < run->to; at = end, id++) {
		end = chunk_record_end(run->chunk, at);
		kept = model_push(m, id, end - at, others(w, i), w->quota.max_queued) && kept;
	}
	assert_int_equal(outq_push(&w->queues[i], run, &w->dropped[i]),
			 kept ? OUTQ_KEPT : OUTQ_DISCONNECT);
	if (kept)
		return;
	w->lost[i] += w->queues[i].records;
	outq_clear(&w->queues[i]);
	m->n = 0;
}

/* A run of up to 20 records, to all queues, as a fan-out does it. */
static void push_run(struct world *w)
{
	struct chunk_range run = { .n = 0 };
	size_t n = 1 + pick(20);
	uint32_t first_id = w->next_id;

	if (w->chunk->len > CHUNK_SIZE / 2) {
		chunk_unref(w->chunk);
		w->chunk = chunk_new();
	}
	for (size_t i = 0; i < n; i++) {
		size_t size = 1 + (pick(20) == 0 ? pick(900) : pick(40));
		struct chunk_range r = record(w->chunk, size, (uint8_t)w->next_id++);

		if (run.n++ == 0)
			run.from = r.from;
		run.to = r.to;
	}
	run.chunk = w->chunk;
	for (size_t i = 0; i < N_QUEUES; i++)
		push_to(w, i, &run, first_id);
}

static void consume_some(struct world *w)
{
	size_t i = pick(N_QUEUES), n = w->queues[i].bytes, complete;

	if (n > 0 && pick(4) > 0)
		n = pick((uint32_t)n);
	complete = outq_consume(&w->queues[i], n);
	assert_int_equal(complete, model_consume(&w->models[i], n));
	w->received[i] += complete;
}

static void check_world(const struct world *w)
{
	for (size_t i = 0; i < N_QUEUES; i++) {
		compare(&w->queues[i], &w->models[i]);
		assert_int_equal(w->dropped[i], w->models[i].dropped);
		assert_int_equal(w->received[i] + w->dropped[i] + w->lost[i] + w->queues[i].records,
				 w->next_id);
	}
	assert_int_equal(w->quota.queued, others(w, N_QUEUES));
}

static void run_world(struct world *w, size_t cap, size_t max_queued)
{
	*w = (struct world){ .quota = { .max_queued = max_queued }, .chunk = chunk_new() };
	for (size_t i = 0; i < N_QUEUES; i++) {
		enum conf_overflow policy = (enum conf_overflow)i;

		outq_init(&w->queues[i], NULL, &w->quota, cap, policy);
		w->models[i].cap = cap;
		w->models[i].policy = policy;
	}
	for (int step = 0; step < 3000; step++) {
		if (pick(3) > 0)
			push_run(w);
		else
			consume_some(w);
		check_world(w);
	}
	for (size_t i = 0; i < N_QUEUES; i++)
		outq_deinit(&w->queues[i]);
	assert_int_equal(w->quota.queued, 0);
	assert_int_equal(w->chunk->refs, 1);
	chunk_unref(w->chunk);
}

static void does_what_the_model_does(void **state)
{
	static const struct {
		size_t cap, max_queued;
	} rows[] = {
		{ 1000, PLENTY }, { 100, PLENTY }, { 1, PLENTY },
		{ 3000, 4000 },	  { 500, 700 },	   { 200, 50 },
	};
	static struct world w;

	(void)state;
	for (seed = 1; seed <= 5; seed++) {
		uint32_t start = seed;

		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
			run_world(&w, rows[i].cap, rows[i].max_queued);
		seed = start;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(does_what_the_model_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
