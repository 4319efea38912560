/* SPDX-License-Identifier: Apache-2.0 */
/* The holes of a queue: what a reader gets and what it is told to have missed is what was sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "account.h"
#include "endpoint/batch.h"
#include "endpoint/endpoint.h"
#include "endpoint/outq.h"

#define PLENTY ((size_t)1 << 40)

static const struct endpoint_rules conf = { .framing = FRAMING_JSON,
					    .delimiter = '\n',
					    .events = EVENTS_ALL };

struct world {
	struct endpoint_quota quota;
	struct framing framing;
	struct batch batch;
	struct outq q;
	uint64_t seq, dropped, sent, lost; /* lost: by outq_lose */
	struct account account;
};

static void world_init(struct world *w, size_t cap, size_t max_queued, enum conf_overflow policy)
{
	*w = (struct world){ .quota = { .max_queued = max_queued }, .account = { .next = 1 } };
	framing_init(&w->framing, &conf, 1 << 24);
	batch_init(&w->batch);
	outq_init(&w->q, &w->framing, &w->quota, cap, policy);
	assert_true(w->q.has_gaps);
}

static void add(struct world *w, struct record r)
{
	struct framing_plan plan;

	assert_true(framing_measure(&w->framing, &r, &plan));
	assert_true(batch_add(&w->batch, &w->framing, &r, &plan));
}

static void add_message(struct world *w, const char *text)
{
	add(w, (struct record){ .type = RECORD_MESSAGE,
				.msg = { .type = MSG_TEXT, .data = span_str(text) },
				.seq = ++w->seq });
}

static void add_event(struct world *w)
{
	add(w, (struct record){ .type = RECORD_CLOSE, .code = 1000, .reason = "", .retry_in = -1 });
}

static void push(struct world *w)
{
	for (size_t i = 0; i < w->batch.n_ranges; i++)
		assert_int_equal(outq_push(&w->q, &w->batch.ranges[i], &w->dropped), OUTQ_KEPT);
	batch_clear(&w->batch);
}

static void message(struct world *w, const char *text)
{
	add_message(w, text);
	push(w);
}

static void lose(struct world *w)
{
	outq_lose(&w->q, ++w->seq);
	w->lost++;
}

/* As a socket that takes n bytes. */
static void consume(struct world *w, size_t n, bool by_record)
{
	struct iovec iov[8];
	int elements;

	while (n > 0 && (elements = outq_front(&w->q, iov, 8, by_record)) > 0) {
		size_t take = iov[0].iov_len < n ? iov[0].iov_len : n;

		assert_true(elements <= 8);
		account_feed(&w->account, iov[0].iov_base, take);
		w->sent += outq_consume(&w->q, take);
		n -= take;
	}
}

static void world_deinit(struct world *w)
{
	consume(w, PLENTY, false);
	assert_true(outq_is_empty(&w->q));
	assert_int_equal(w->q.bytes + w->q.records + w->q.events + w->q.n_holes, 0);
	assert_int_equal(w->account.next, w->seq + 1);
	assert_int_equal(w->account.received, w->sent);
	assert_int_equal(w->account.dropped, w->dropped + w->lost);
	batch_deinit(&w->batch);
	outq_deinit(&w->q);
	assert_int_equal(w->quota.queued, 0);
}

/* Each has 64 bytes with its newline, for one digit of seq. */
#define TEXT "123456"

static void one_run_is_one_gap(void **state)
{
	static const enum conf_overflow rows[] = { OVERFLOW_DROP_OLDEST, OVERFLOW_DROP_NEWEST };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct world w;

		world_init(&w, 300, PLENTY, rows[i]);
		for (int n = 0; n < 500; n++)
			message(&w, TEXT);
		consume(&w, PLENTY, false);
		assert_int_equal(w.account.gaps, 1);
		assert_true(w.account.received >= 2);
		message(&w, TEXT);
		world_deinit(&w);
	}
}

/* What had begun is finished, then comes the gap; when that has begun, too, there is another. */
static void a_gap_that_has_begun_stays(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, 300, PLENTY, OVERFLOW_DROP_OLDEST);
	for (int n = 0; n < 20; n++)
		message(&w, TEXT);
	consume(&w, 5, false);
	assert_int_equal(w.account.n, 5); /* of the gap */
	for (int n = 0; n < 20; n++)
		message(&w, TEXT);
	consume(&w, PLENTY, false);
	assert_int_equal(w.account.gaps, 2);
	message(&w, TEXT);
	consume(&w, 5, false); /* of a message */
	for (int n = 0; n < 20; n++)
		message(&w, TEXT);
	consume(&w, PLENTY, false);
	assert_int_equal(w.account.gaps, 3);
	world_deinit(&w);
}

/* A hole that was made a record for a write that took nothing goes on growing. */
static void a_gap_that_was_not_written_grows(void **state)
{
	struct iovec iov[8];
	struct world w;

	(void)state;
	world_init(&w, 300, PLENTY, OVERFLOW_DROP_OLDEST);
	for (int n = 0; n < 20; n++) {
		message(&w, TEXT);
		outq_front(&w.q, iov, 8, n % 2 == 0);
	}
	consume(&w, PLENTY, false);
	assert_int_equal(w.account.gaps, 1);
	world_deinit(&w);
}

static void several_runs_are_several_gaps(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, 100000, PLENTY, OVERFLOW_DROP_NEWEST);
	for (int n = 0; n < 10; n++) {
		message(&w, TEXT);
		lose(&w);
		lose(&w);
		add_event(&w);
		push(&w);
		lose(&w);
	}
	consume(&w, PLENTY, true);
	assert_int_equal(w.account.gaps, 20);
	assert_int_equal(w.account.events, 10);
	world_deinit(&w);
}

/* An event between two holes goes, and they are one. Events are not counted as dropped. */
static void holes_join(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, 100000, PLENTY, OVERFLOW_DROP_OLDEST);
	message(&w, TEXT);
	lose(&w);
	add_event(&w);
	push(&w);
	lose(&w);
	message(&w, TEXT);
	assert_int_equal(w.q.n_holes, 2);
	w.q.cap = 200;
	message(&w, TEXT);
	message(&w, TEXT);
	assert_int_equal(w.q.n_holes, 1);
	consume(&w, PLENTY, false);
	assert_int_equal(w.account.gaps, 1);
	assert_int_equal(w.account.events, 0);
	assert_int_equal(w.dropped + w.lost, w.account.dropped);
	world_deinit(&w);
}

/* Should fragments have one number: from and to are exact, and so must the count be. */
static void fragments_of_a_message_count_once(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, 1000, PLENTY, OVERFLOW_DROP_NEWEST);
	outq_lose(&w.q, 1);
	outq_lose(&w.q, 1);
	outq_lose(&w.q, 2);
	consume(&w, PLENTY, false);
	assert_int_equal(w.account.gaps, 1);
	assert_int_equal(w.account.dropped, 2);
	outq_deinit(&w.q);
	batch_deinit(&w.batch);
}

static void a_framing_without_numbers_has_no_holes(void **state)
{
	struct endpoint_rules quiet = conf;
	struct world w;

	(void)state;
	world_init(&w, 1000, PLENTY, OVERFLOW_DROP_NEWEST);
	quiet.events = EVENTS_ALL & ~(unsigned)EVENTS_GAP;
	framing_init(&w.framing, &quiet, 1 << 24);
	outq_init(&w.q, &w.framing, &w.quota, 1000, OVERFLOW_DROP_NEWEST);
	outq_lose(&w.q, 1);
	assert_true(outq_is_empty(&w.q));
	quiet.events = EVENTS_ALL;
	quiet.framing = FRAMING_LINES;
	framing_init(&w.framing, &quiet, 1 << 24);
	outq_init(&w.q, &w.framing, &w.quota, 1000, OVERFLOW_DROP_NEWEST);
	outq_lose(&w.q, 1);
	assert_true(outq_is_empty(&w.q));
}

static void block_keeps_all_and_says_when_it_is_full(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, 1000, PLENTY, OVERFLOW_BLOCK);
	assert_false(outq_is_full(&w.q));
	assert_true(outq_has_room(&w.q));
	while (w.q.bytes <= 1000)
		message(&w, TEXT);
	assert_true(outq_is_full(&w.q));
	message(&w, TEXT);
	consume(&w, w.q.bytes - 900, false);
	assert_false(outq_is_full(&w.q));
	assert_false(outq_has_room(&w.q));
	consume(&w, 400, false);
	assert_true(outq_has_room(&w.q));
	w.quota.max_queued = w.q.bytes - 1; /* too much in all */
	assert_true(outq_is_full(&w.q));
	assert_false(outq_has_room(&w.q));
	consume(&w, PLENTY, false);
	assert_false(outq_is_full(&w.q));
	assert_int_equal(w.account.gaps, 0);
	world_deinit(&w);
}

static uint32_t seed;

static uint32_t pick(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

static void random_step(struct world *w)
{
	static const char padding[301] = { [0 ... 299] = 'x' };
	size_t n = 1 + pick(12);

	switch (pick(8)) {
	case 0:
		lose(w);
		return;
	case 1:
		consume(w, 1 + pick(20), false);
		return;
	case 2:
	case 3:
		consume(w, 1 + pick((uint32_t)w->q.bytes + 100), pick(2) == 0);
		return;
	default:
		for (size_t i = 0; i < n; i++)
			if (pick(10) == 0)
				add_event(w);
			else
				add_message(w, padding + (pick(20) == 0 ? 0 : 260 + pick(40)));
		push(w);
	}
}

static void what_came_and_what_is_missed_is_what_was_sent(void **state)
{
	static const struct {
		size_t cap, max_queued;
	} rows[] = {
		{ 1000, PLENTY }, { 100, PLENTY }, { 1, PLENTY },
		{ 5000, PLENTY }, { 3000, 1000 },  { 200, 50 },
	};
	static const enum conf_overflow policies[] = { OVERFLOW_DROP_OLDEST, OVERFLOW_DROP_NEWEST,
						       OVERFLOW_BLOCK };
	uint64_t gaps = 0;

	(void)state;
	for (uint32_t i = 0; i < 6 * 3 * 4; i++) {
		struct world w;

		seed = i;
		world_init(&w, rows[i % 6].cap, rows[i % 6].max_queued, policies[i / 6 % 3]);
		for (int step = 0; step < 3000; step++)
			random_step(&w);
		if (policies[i / 6 % 3] == OVERFLOW_BLOCK)
			assert_int_equal(w.dropped, 0);
		world_deinit(&w);
		gaps += w.account.gaps;
	}
	assert_true(gaps > 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_run_is_one_gap),
		cmocka_unit_test(a_gap_that_has_begun_stays),
		cmocka_unit_test(a_gap_that_was_not_written_grows),
		cmocka_unit_test(several_runs_are_several_gaps),
		cmocka_unit_test(holes_join),
		cmocka_unit_test(fragments_of_a_message_count_once),
		cmocka_unit_test(a_framing_without_numbers_has_no_holes),
		cmocka_unit_test(block_keeps_all_and_says_when_it_is_full),
		cmocka_unit_test(what_came_and_what_is_missed_is_what_was_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
