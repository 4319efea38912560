/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many messages at once against one at a time: the same random messages go
 * through two endpoints, and clients read the same bytes and are told the same
 * numbers. And what is counted when clients go in the middle of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rig.h"

#define MESSAGES 700
#define RUN_MAX 128
#define MATERIAL 90000

/* What one way has led to. */
struct result {
	char *got[3]; /* by each peer; the last came late: of it, the replay */
	size_t n[3];
	struct endpoint_totals totals;
	uint64_t heard, sent[2], dropped[2];
};

static char material[MATERIAL + 1];
static unsigned seed;

static unsigned draw(unsigned below)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 8) % below;
}

static void make_material(void)
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz0123456789{}\":, \\\t\n";

	seed = 11;
	for (size_t i = 0; i < MATERIAL; i++)
		material[i] = draw(40) ? (char)('a' + draw(26)) :
					 alphabet[draw(sizeof(alphabet) - 1)];
}

static struct msg make_message(void)
{
	static const unsigned most[] = { 1, 30, 100, 300, 20000, MATERIAL };
	unsigned kind = draw(64);
	unsigned n = draw(most[kind < 2 ? 5 : kind < 5 ? 4 : kind % 4]), at = draw(MATERIAL - n);

	return (struct msg){ .type = draw(12) ? MSG_TEXT : MSG_BINARY,
			     .data = span_of((const uint8_t *)material + at, n) };
}

static size_t send_each(struct rig *r, struct record rec, const struct msg *msgs, size_t n)
{
	size_t heard = 0;

	for (size_t i = 0; i < n; i++, rec.seq++) {
		rec.msg = msgs[i];
		heard += endpoint_send(r->e, &rec) != ENDPOINT_NOBODY;
	}
	return heard;
}

static void send_some(struct rig *r, struct result *out, const struct msg *msgs, size_t n,
		      bool at_once)
{
	struct record first = { .type = RECORD_MESSAGE, .seq = r->seq + 1, .epoch = 1, .time = 1 };

	r->seq += n;
	out->heard += at_once ? endpoint_send_messages(r->e, &first, msgs, n) :
				send_each(r, first, msgs, n);
}

static void send_pong(struct rig *r)
{
	struct record pong = { .type = RECORD_PONG, .payload = span_str("p"), .time = 1 };

	endpoint_send(r->e, &pong);
}

static void send_all(struct rig *r, struct result *out, bool at_once)
{
	struct msg msgs[RUN_MAX];

	seed = 3;
	for (size_t left = MESSAGES, n; left > 0; left -= n) {
		n = 1 + draw(draw(2) ? RUN_MAX : 4);
		n = n < left ? n : left;
		for (size_t i = 0; i < n; i++)
			msgs[i] = make_message();
		send_some(r, out, msgs, n, at_once);
		switch (draw(4)) {
		case 0:
			rig_some_turns(r, 2);
			break;
		case 1:
			send_pong(r);
			break;
		case 2:
			rig_send_to(r, rig_client(r, draw(2)).id, "to one");
			break;
		}
	}
}

static void take_result(struct rig *r, struct result *out)
{
	endpoint_totals(r->e, &out->totals);
	for (size_t i = 0; i < 3; i++) {
		out->got[i] = r->peers[i].got;
		out->n[i] = r->peers[i].n;
		r->peers[i].got = NULL;
		r->peers[i].n = r->peers[i].size = 0;
	}
	for (size_t i = 0; i < 2; i++) {
		out->sent[i] = rig_client(r, i).sent;
		out->dropped[i] = rig_client(r, i).dropped;
	}
}

static void go(const struct endpoint_rules *conf, struct result *out, bool at_once)
{
	static struct rig r;

	rig_init(&r);
	r.rules.framing = conf->framing;
	r.rules.newlines = conf->newlines;
	r.rules.binary = conf->binary;
	r.rules.replay = 20;
	r.rules.queue = 64 << 20;
	rig_open(&r);
	rig_connect_all(&r, 2);
	send_all(&r, out, at_once);
	rig_wait(&r, rig_is_drained);
	rig_connect_all(&r, 1);
	rig_wait(&r, rig_is_drained);
	rig_turns(&r);
	take_result(&r, out);
	rig_close(&r);
}

static void compare(const struct result *a, const struct result *b)
{
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(a->n[i], b->n[i]);
		assert_true(a->n[i] > 0);
		assert_memory_equal(a->got[i], b->got[i], a->n[i]);
		free(a->got[i]);
		free(b->got[i]);
	}
	assert_memory_equal(&a->totals, &b->totals, sizeof(a->totals));
	assert_int_equal(a->heard, MESSAGES);
	assert_int_equal(b->heard, MESSAGES);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(a->sent[i], b->sent[i]);
		assert_int_equal(a->dropped[i] + b->dropped[i], 0);
	}
}

static void both_ways_are_the_same(void **state)
{
	static const struct endpoint_rules rows[] = {
		{ .framing = FRAMING_LINES, .newlines = NEWLINES_SPACE, .binary = BINARY_BASE64 },
		{ .framing = FRAMING_LINES, .newlines = NEWLINES_REJECT, .binary = BINARY_DROP },
		{ .framing = FRAMING_LINES, .newlines = NEWLINES_ESCAPE, .binary = BINARY_HEX },
		{ .framing = FRAMING_LENGTH },
		{ .framing = FRAMING_JSON },
	};

	(void)state;
	make_material();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct result one = { .heard = 0 }, other = { .heard = 0 };

		go(&rows[i], &one, false);
		go(&rows[i], &other, true);
		compare(&one, &other);
	}
}

/* A client that is cut off in the middle of a run has not heard the rest of it. */
static void who_is_gone_hears_no_more(void **state)
{
	static struct msg msgs[RUN_MAX];
	static struct rig r;
	struct result result = { .heard = 0 };
	size_t all = 0, last = 0;

	(void)state;
	make_material();
	for (size_t i = 0; i < RUN_MAX; i++)
		msgs[i] = (struct msg){ .type = MSG_TEXT, .data = span_str("") };
	for (size_t i = 0; i < RUN_MAX; i++)
		msgs[i].data = span_of((const uint8_t *)material, 4000);
	rig_init(&r);
	r.rules.overflow = OVERFLOW_DISCONNECT;
	r.rules.queue = 20000;
	rig_open(&r);
	rig_connect_all(&r, 1)->stalled = true;
	while (last == result.heard) {
		send_some(&r, &result, msgs, RUN_MAX, true);
		last += RUN_MAX;
	}
	all = (size_t)(rig_client(&r, 0).sent + rig_client(&r, 0).dropped);
	assert_true(result.heard > last - RUN_MAX);
	assert_int_equal(result.heard, all);
	send_some(&r, &result, msgs, RUN_MAX, true);
	assert_int_equal(result.heard, all);
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ways_are_the_same),
		cmocka_unit_test(who_is_gone_hears_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
