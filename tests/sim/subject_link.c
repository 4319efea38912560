/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A link alone under test. Its owner stands where a bridge would: it sends
 * numbered messages, stops reading now and then, and checks that what comes in
 * is what the server sent, in order, once, and nothing missing.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "conf/conf_diff.h"
#include "sim/judge.h"
#include "sim/server.h"
#include "sim/stamp.h"
#include "sim/subject_int.h"
#include "sim/trace.h"

struct link_owner {
	struct feed *feed;
	struct timer send, pause;
	int64_t every_min, every_max;
	size_t size_max;
	uint64_t sent;	   /* messages the link has taken */
	struct stamp last; /* of what came in */
	bool paused, full;
};

static void on_message(struct link_owner *o, struct msg msg)
{
	struct feed *f = o->feed;
	struct stamp st;

	trace_bytes(f->sim, msg.data);
	if (!stamp_read(msg.data, 'c', &st)) {
		trace_fail(f->sim, "%s: a message that nobody sent: %.*s", f->name,
			   (int)(msg.data.n < 60 ? msg.data.n : 60), (const char *)msg.data.p);
		return;
	}
	if (st.who == o->last.who ? st.n != o->last.n + 1 : st.who < o->last.who || st.n != 1)
		trace_fail(f->sim, "%s: message %llu/%llu after %llu/%llu", f->name,
			   (unsigned long long)st.who, (unsigned long long)st.n,
			   (unsigned long long)o->last.who, (unsigned long long)o->last.n);
	o->last = st;
}

static void on_link(void *arg, const struct link_event *ev)
{
	struct link_owner *o = arg;

	o->feed->dirty = true;
	switch (ev->type) {
	case LINK_STATE:
		o->full = o->full && link_is_open(o->feed->subject.link);
		judge_state(o->feed);
		break;
	case LINK_MESSAGES:
		for (size_t i = 0; i < ev->n_msgs; i++)
			on_message(o, ev->msgs[i]);
		break;
	case LINK_DRAINED:
		o->full = false;
		break;
	case LINK_ENDED:
		judge_end(o->feed, ev->end, ev->delay);
		break;
	case LINK_PING:
	case LINK_PONG:
	case LINK_TURN:
		break;
	}
}

static void plan_send(struct link_owner *o)
{
	timer_arm(&o->send, sim_spread(&o->feed->sim->load, o->every_min, o->every_max));
}

static void send_one(struct link_owner *o)
{
	struct feed *f = o->feed;
	struct stamp st = { 0, o->sent + 1 };
	mem_auto_str text = stamp_write('k', st, "", sim_below(&f->sim->load, o->size_max));
	bool open = link_is_open(f->subject.link);

	switch (link_send(f->subject.link, (struct msg){ .data = span_str(text) })) {
	case LINK_SENT:
		o->sent++;
		if (!open)
			trace_fail(f->sim, "%s: takes a message, but is not open", f->name);
		break;
	case LINK_FULL:
		o->full = true;
		break;
	case LINK_NOT_OPEN: /* also while the server's Close is being answered */
		break;
	}
}

static void on_send(void *arg)
{
	struct link_owner *o = arg;
	struct sim *s = o->feed->sim;

	for (uint64_t n = sim_chance(&s->load, 10) ? 1 + sim_below(&s->load, 30) : 1; n > 0; n--)
		if (!o->full)
			send_one(o);
	plan_send(o);
}

static void on_pause(void *arg)
{
	struct link_owner *o = arg;
	struct sim *s = o->feed->sim;
	bool pause = !o->paused && !s->calm;

	if (pause != o->paused)
		link_pause(o->feed->subject.link, pause);
	o->paused = pause;
	o->feed->excuse_at = world_now(s);
	timer_arm(&o->pause, sim_spread(&s->load, SECOND, pause ? 40 * SECOND : 400 * SECOND));
}

void link_subject_init(struct feed *f)
{
	struct sim *s = f->sim;
	struct link_owner *o = mem_zalloc(sizeof(*o));
	struct link_params params = {
		.loop = s->loop,
		.dialer = s->dialer,
		.rand = &s->code.source,
		.conf = (struct bridge_conf *)(uintptr_t)f->conf,
		.object = f->conf->name,
		.cb = on_link,
		.arg = o,
	};
	bool heavy;

	o->feed = f;
	heavy = sim_chance(&s->load, 5);
	o->every_min = sim_spread(&s->load, heavy ? 20000 : SECOND / 2,
				  heavy ? 100000 : 20 * SECOND);
	o->every_max = o->every_min * 10;
	o->size_max = (size_t)sim_spread(&s->load, 10, heavy ? 150000 : 3000);
	timer_init(&o->send, s->loop, on_send, o);
	timer_init(&o->pause, s->loop, on_pause, o);
	f->subject.owner = o;
	f->subject.link = link_new(&params);
	plan_send(o);
	timer_arm(&o->pause, sim_spread(&s->load, SECOND, 400 * SECOND));
}

void link_subject_deinit(struct feed *f)
{
	struct link_owner *o = f->subject.owner;

	link_free(f->subject.link);
	timer_deinit(&o->send);
	timer_deinit(&o->pause);
	free(o);
}

bool link_subject_reads(const struct feed *f)
{
	return !f->subject.owner->paused;
}

void link_subject_calm(struct feed *f)
{
	struct link_owner *o = f->subject.owner;

	if (o->paused)
		on_pause(o);
}

void link_subject_configure(struct feed *f, struct bridge_conf *conf)
{
	struct conf_change change = conf_diff_bridge(f->conf, conf);

	f->conf = conf;
	if (!conf_diff_any(change))
		return;
	judge_excuse(f);
	link_configure(f->subject.link, conf, change.upstream == SCHEMA_CHANGED_RECONNECT);
}

void link_subject_judge(struct feed *f)
{
	enum link_state state = link_state(f->subject.link);

	if (link_has_session(f->subject.link) != link_state_has_session(state))
		trace_fail(f->sim, "%s: %s, and yet", f->name, link_state_name(state));
	if (state != f->seen.state)
		trace_fail(f->sim, "%s: is %s, and nobody was told", f->name,
			   link_state_name(state));
}
