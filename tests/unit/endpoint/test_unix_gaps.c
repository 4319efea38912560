/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The accounting of slow clients over real sockets: clients that crawl, stop
 * and die, under each policy. Whoever is left at the end has been given, or
 * told to have missed, exactly what was sent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "account.h"
#include "base/mem.h"
#include "rig.h"

enum { N_PEERS = 32, ROUNDS = 90, BIG = 20000 };

static struct rig rig;
static struct account accounts[N_PEERS];
static bool dead[N_PEERS];
static uint64_t unfit; /* messages that could not even be encoded */
static uint32_t seed;

static uint32_t pick(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

static int setup(void **state)
{
	(void)state;
	rig_init(&rig);
	memset(accounts, 0, sizeof(accounts));
	memset(dead, 0, sizeof(dead));
	rig.rules.framing = FRAMING_JSON;
	rig.rules.queue = 20000;
	unfit = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_close(&rig);
	return 0;
}

static void read_all(void)
{
	for (size_t i = 0; i < rig.n_peers; i++) {
		account_feed(&accounts[i], rig.peers[i].got, rig.peers[i].n);
		rig.peers[i].n = 0;
	}
}

/* Also one that there is no memory for, and an event. */
static void send_some(void)
{
	static char padding[BIG + 1];
	struct record event = { .type = RECORD_CLOSE, .code = 1000, .reason = "", .retry_in = -1 };
	uint32_t n = pick(400);

	memset(padding, 'x', BIG);
	for (uint32_t i = 0; i < n; i++) {
		if (rig.rules.overflow == OVERFLOW_BLOCK && i % 20 == 0 && endpoint_is_full(rig.e))
			break;
		if (pick(200) == 0)
			endpoint_send(rig.e, &event);
		rig_send(&rig, padding + BIG - pick(300));
	}
	if (pick(8) > 0)
		return;
	if (pick(2) > 0) {
		mem_fail_try_after(1);
		unfit++;
	}
	rig_send(&rig, padding);
}

/* A quarter of them each: fast; slow; now and then not at all; as the third, and then it dies. */
static void misbehave(size_t i)
{
	struct peer *p = &rig.peers[i];

	if (i % 4 == 1)
		p->most = 1 + pick(2000);
	if (i % 4 >= 2 && pick(10) == 0)
		p->stalled = !p->stalled;
	if (i % 4 == 3 && pick(60) == 0) {
		dead[i] = true;
		peer_close(p);
	}
}

static void run(enum conf_overflow policy)
{
	rig.rules.overflow = policy;
	rig_open(&rig);
	for (int round = 0; round < ROUNDS; round++) {
		if (rig.n_peers < N_PEERS) {
			rig_send(&rig, "before it came");
			rig_connect_all(&rig, 1);
			accounts[rig.n_peers - 1].next = rig.seq + 1;
		}
		for (size_t i = 0; i < rig.n_peers; i++)
			misbehave(i);
		send_some();
		rig_some_turns(&rig, 2);
		read_all();
	}
	for (size_t i = 0; i < N_PEERS; i++) {
		rig.peers[i].stalled = false;
		rig.peers[i].most = 0;
	}
	rig_wait(&rig, rig_is_drained);
	rig_turns(&rig);
	rig_turns(&rig);
	read_all();
}

/* Those on the list, in the order of their ids, are the peers that have not gone. */
static void check_survivors(size_t n)
{
	struct endpoint_totals totals;
	uint64_t gaps = 0;
	size_t found = 0;

	for (size_t i = 0; i < N_PEERS; i++) {
		const struct account *a = &accounts[i];
		struct endpoint_client c;

		if (dead[i] || rig.peers[i].eof)
			continue;
		c = rig_client(&rig, found++);
		assert_int_equal(a->next, rig.seq + 1);
		assert_int_equal(a->n, 0);
		assert_int_equal(c.sent, a->received);
		assert_int_equal(c.dropped, a->dropped);
		assert_int_equal(c.queued, 0);
		assert_false(c.slow);
		gaps += a->gaps;
	}
	assert_int_equal(found, endpoint_n_clients(rig.e));
	assert_true(found >= n);
	endpoint_totals(rig.e, &totals);
	assert_true(unfit > 2 && totals.dropped >= unfit);
	assert_true(gaps > unfit);
}

static void the_oldest_are_dropped(void **state)
{
	(void)state;
	seed = 1;
	run(OVERFLOW_DROP_OLDEST);
	check_survivors(N_PEERS * 3 / 4);
	assert_true(rig.n_dropped > N_PEERS / 2);
	assert_true(rig.n_room > N_PEERS / 2);
}

static void the_newest_are_dropped(void **state)
{
	(void)state;
	seed = 2;
	run(OVERFLOW_DROP_NEWEST);
	check_survivors(N_PEERS * 3 / 4);
	assert_true(rig.n_dropped > N_PEERS / 2);
}

/* Who is left was never slow; the others were given the beginning of what was sent. */
static void the_slow_are_disconnected(void **state)
{
	(void)state;
	seed = 3;
	run(OVERFLOW_DISCONNECT);
	check_survivors(N_PEERS / 4);
	assert_true(rig.n_left >= N_PEERS / 4);
}

/* Nothing is dropped for slowness. */
static void the_sender_waits(void **state)
{
	(void)state;
	seed = 4;
	run(OVERFLOW_BLOCK);
	check_survivors(N_PEERS * 3 / 4);
	for (size_t i = 0; i < N_PEERS; i++)
		assert_true(accounts[i].dropped <= unfit);
	assert_true(rig.n_room > 0);
}

static void all_together_are_too_much(void **state)
{
	(void)state;
	seed = 5;
	rig.quota.max_queued = 60000;
	run(OVERFLOW_DROP_OLDEST);
	check_survivors(N_PEERS * 3 / 4);
}

static void all_together_are_too_much_for_new_ones(void **state)
{
	(void)state;
	seed = 6;
	rig.quota.max_queued = 60000;
	run(OVERFLOW_DROP_NEWEST);
	check_survivors(N_PEERS * 3 / 4);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_oldest_are_dropped),	 TEST(the_newest_are_dropped),
		TEST(the_slow_are_disconnected), TEST(the_sender_waits),
		TEST(all_together_are_too_much), TEST(all_together_are_too_much_for_new_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
