/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See world.h. A life: trouble of all kinds; then calm, in which everything
 * that is to be open must get there; then the end, after which nothing may be
 * left. The judges look after every turn of the process.
 */
#include "sim/world.h"

#include <stdlib.h>

#include "sim/inbox.h"
#include "sim/judge.h"
#include "sim/operator.h"
#include "sim/plan.h"
#include "sim/server.h"
#include "sim/sim_fd.h"
#include "sim/trace.h"

/* Turns without the clock going on: nothing that happens takes as many. */
#define TURNS_MAX 100000

/* The worst wait of all; and how long everything must stay as it is to be. */
#define CALM (600 * SECOND)
#define STEADY (45 * SECOND)
#define END (60 * SECOND)

static void init(struct sim *s, uint64_t seed, bool verbose)
{
	*s = (struct sim){ .seed = seed, .verbose = verbose };
	sim_rand_init(&s->plan, seed, 1);
	sim_rand_init(&s->chance, seed, 2);
	sim_rand_init(&s->net, seed, 3);
	sim_rand_init(&s->code, seed, 4);
	sim_rand_init(&s->load, seed, 5);
	s->loop = loop_new();
	trace_begin(s);
	s->dialer = dialer_new(s->loop);
	s->n_feeds = (size_t)sim_spread(&s->plan, 1, FEEDS_MAX);
	s->links_alone = seed % 4 == 0;
	s->n_servers = (size_t)sim_between(&s->plan, 1, 8);
	servers_init(s);
	plan_world(s);
	dialer_set_limits(s->dialer, s->conf->limits.dials_per_second,
			  s->conf->limits.tls_handshakes);
	subjects_init(s);
	operator_init(s);
}

static void judge_turn(struct sim *s)
{
	s->turns++;
	for (size_t i = 0; i < s->n_feeds; i++) {
		struct feed *f = &s->feeds[i];

		if (!f->dirty)
			continue;
		f->dirty = false;
		judge_step(f);
	}
}

static void judge_all(struct sim *s)
{
	subjects_judge(s);
	for (size_t i = 0; i < s->n_feeds; i++) {
		judge_second(&s->feeds[i]);
		if (s->calm && s->calm_since)
			judge_calm(&s->feeds[i]);
	}
}

/* In steps of a second, for judge_all. A process that is stalled is not judged. */
static void run_second(struct sim *s)
{
	int64_t until = world_now(s) + SECOND, last = -1;
	unsigned here = 0;
	enum sim_step step;

	while ((step = sim_loop_step(s->loop, until)) != SIM_NONE) {
		s->steps++;
		here = world_now(s) == last ? here + 1 : 0;
		last = world_now(s);
		if (here > TURNS_MAX)
			trace_fail(s, "the clock stands still");
		if (step == SIM_TURN)
			judge_turn(s);
	}
	if (s->stalled_until < world_now(s))
		judge_all(s);
}

static void run_for(struct sim *s, int64_t time)
{
	for (int64_t end = world_now(s) + time; world_now(s) < end;)
		run_second(s);
}

static bool is_steady(const struct sim *s)
{
	for (size_t i = 0; i < s->n_feeds; i++) {
		const struct feed *f = &s->feeds[i];
		bool moves = f->seen.state == LINK_CONNECTING || f->seen.state == LINK_WAITING;

		if (moves || world_now(s) - f->seen.since < STEADY)
			return false;
	}
	return true;
}

static void calm_down(struct sim *s)
{
	trace(s, "calm");
	s->calm = true;
	operator_calm(s);
	servers_calm(s);
	run_for(s, s->stalled_until > world_now(s) ? s->stalled_until - world_now(s) + SECOND :
						     SECOND);
	subjects_calm(s);
	s->calm_since = world_now(s);
	run_for(s, STEADY);
	while (!is_steady(s) && world_now(s) - s->calm_since < CALM)
		run_second(s);
}

static void end(struct sim *s)
{
	struct sim_left left;

	s->calm_since = 0;
	subjects_judge_end(s);
	operator_stop_all(s);
	run_for(s, END);
	for (size_t i = 0; i < s->n_feeds; i++)
		if (!subject_is_over(&s->feeds[i]))
			trace_fail(s, "%s is not over", s->feeds[i].name);
	subjects_deinit(s);
	operator_deinit(s);
	loop_drain(s->loop);
	dialer_free(s->dialer);
	servers_deinit(s);
	while (sim_loop_step(s->loop, world_now(s) + 10 * SECOND) != SIM_NONE)
		;
	sim_loop_left(s->loop, &left);
	if (left.timers || left.sources || left.deferred || sim_fd_live() || sim_sock_live() ||
	    sim_dials_live())
		trace_fail(s,
			   "left: %zu timers, %zu watches, %zu calls, %zu descriptors, %zu "
			   "connections, %zu dials",
			   left.timers, left.sources, left.deferred, sim_fd_live(), sim_sock_live(),
			   sim_dials_live());
}

int64_t world_run(struct sim *s, uint64_t seed, int64_t minutes, bool verbose)
{
	int64_t lived;

	init(s, seed, verbose);
	run_for(s, minutes * 60 * SECOND);
	calm_down(s);
	end(s);
	lived = world_now(s) - SIM_BEGIN;
	main_conf_free(s->conf);
	for (size_t i = 0; i < s->n_feeds; i++) {
		json_decref(s->feeds[i].json);
		inbox_deinit(&s->feeds[i]);
	}
	loop_free(s->loop);
	return lived;
}
