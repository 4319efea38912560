/* SPDX-License-Identifier: Apache-2.0 */
/* See operator.h. What an operator does comes from inside the process, as by its control socket. */
#include "sim/operator.h"

#include "sim/judge.h"
#include "sim/plan.h"
#include "sim/server.h"
#include "sim/trace.h"

/* Of the connections some do not survive it: their server has given them up long ago. */
static void suspend(struct sim *s)
{
	trace(s, "suspended");
	for (size_t i = 0; i < s->n_feeds; i++) {
		struct conn *c = s->feeds[i].conn;

		if (!c || sim_chance(&s->chance, 50))
			continue;
		if (!c->sock->peer->stalled && sim_sock_is_writable(c->sock->peer))
			s->feeds[i].lost_at = world_now(
				s); /* a ping comes to where nobody knows of it */
		conn_free(c, SIM_SILENT);
	}
	for (size_t i = 0; i < s->n_feeds; i++)
		subject_check(&s->feeds[i]);
}

static void act_on(struct sim *s, struct feed *f)
{
	static const int codes[] = { 1000, 1001, 4001 };

	switch (sim_below(&s->chance, 4)) {
	case 0:
		subject_stop(f, codes[sim_below(&s->chance, 3)]);
		break;
	case 1:
		subject_reconnect(f);
		break;
	default:
		subject_start(f);
		break;
	}
}

static void on_operator(void *arg)
{
	struct sim *s = arg;
	uint64_t what = sim_below(&s->chance, 100);
	struct feed *hasty = s->hasty;

	s->hasty = NULL;
	if (s->calm)
		return;
	if (hasty)
		subject_reconnect(hasty);
	else if (what < 80)
		act_on(s, &s->feeds[sim_below(&s->chance, s->n_feeds)]);
	else if (what < 90)
		suspend(s);
	else
		subjects_configure(s, plan_again(s, 30));
	timer_arm(&s->operator_timer, sim_spread(&s->chance, SECOND, 300 * SECOND));
}

void operator_hurry(struct feed *f, int64_t delay)
{
	if (f->sim->calm)
		return;
	f->sim->hasty = f;
	timer_arm(&f->sim->operator_timer, delay);
}

/* SIGSTOP, a debugger, a machine that is swapping. */
void operator_stall(struct sim *s, int64_t how_long)
{
	int64_t now = world_now(s);

	if (s->calm || now + how_long < s->stalled_until)
		return;
	trace(s, "stalled for %.3f s", (double)how_long / 1e6);
	s->stalled_until = now + how_long;
	sim_loop_stall(s->loop, how_long);
}

static void on_trouble(void *arg)
{
	struct sim *s = arg;

	operator_stall(s, sim_spread(&s->chance, 10000, 90 * SECOND));
	sim_event_in(&s->trouble, sim_spread(&s->chance, 10 * SECOND, 1000 * SECOND));
}

void operator_init(struct sim *s)
{
	timer_init(&s->operator_timer, s->loop, on_operator, s);
	timer_arm(&s->operator_timer, sim_spread(&s->chance, SECOND, 300 * SECOND));
	sim_event_init(&s->trouble, s->loop, on_trouble, s);
	sim_event_in(&s->trouble, sim_spread(&s->chance, 10 * SECOND, 1000 * SECOND));
}

void operator_deinit(struct sim *s)
{
	timer_deinit(&s->operator_timer);
	sim_event_cancel(&s->trouble);
}

void operator_calm(struct sim *s)
{
	timer_disarm(&s->operator_timer);
	sim_event_cancel(&s->trouble);
}

void operator_stop_all(struct sim *s)
{
	for (size_t i = 0; i < s->n_feeds; i++)
		subject_stop(&s->feeds[i], 1001);
}
