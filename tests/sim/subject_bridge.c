/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bridges of a registry under test, as the daemon has them, and local clients
 * that use them. The judges see a bridge through what its status tells.
 */
#include <stdio.h>

#include "bridge/registry.h"
#include "sim/judge.h"
#include "sim/local.h"
#include "sim/sim_listen.h"
#include "sim/subject_int.h"
#include "sim/trace.h"

struct bridge *bridge_subject(const struct feed *f)
{
	struct bridge *b = registry_find(f->sim->registry, f->name);

	if (!b)
		trace_fail(f->sim, "%s is gone", f->name);
	return b;
}

static void on_bridge(void *arg, struct bridge *b, enum bridge_event event)
{
	struct sim *s = arg;
	unsigned i = 0;

	if (sscanf(bridge_name(b), "b%u", &i) != 1 || i >= s->n_feeds)
		trace_fail(s, "a bridge %s, which nobody made", bridge_name(b));
	s->feeds[i].dirty = true;
	if (event == BRIDGE_STATE && s->registry)
		judge_state(&s->feeds[i]);
}

static void apply(struct sim *s)
{
	struct registry_diff diff;

	registry_apply(s->registry, s->conf, false, &diff);
	registry_diff_deinit(&diff);
}

void bridge_subjects_init(struct sim *s)
{
	s->registry = registry_new(s->loop, s->dialer, &s->code.source, on_bridge, s);
	for (size_t i = 0; i < s->n_feeds; i++) {
		s->feeds[i].wanted = s->feeds[i].conf->common->start != START_MANUAL;
		judge_excuse(&s->feeds[i]);
		visits_init(&s->feeds[i]);
	}
	apply(s);
}

void bridge_subjects_deinit(struct sim *s)
{
	for (size_t i = 0; i < s->n_feeds; i++)
		visits_deinit(&s->feeds[i]);
	registry_free(s->registry);
	s->registry = NULL;
}

/* On demand, and nobody was there: made manual it rests until somebody says so. */
static bool rests_from_now_on(const struct feed *f, const struct bridge_conf *fresh)
{
	return f->conf->common->start == START_ON_DEMAND && fresh->common->start == START_MANUAL &&
	       (f->seen.state == LINK_STOPPED || f->seen.state == LINK_STOPPING);
}

void bridge_subjects_configure(struct sim *s, struct main_conf *conf)
{
	struct main_conf *old = s->conf;

	for (size_t i = 0; i < s->n_feeds; i++) {
		struct feed *f = &s->feeds[i];

		if (f->fresh) {
			f->visits->exact = false; /* its endpoints may be others now */
			f->changed = true;
			judge_excuse(f);
			f->wanted = f->wanted || (f->conf->common->start == START_MANUAL &&
						  conf->bridges[i]->common->start != START_MANUAL);
			if (rests_from_now_on(f, conf->bridges[i]))
				f->wanted = false;
		}
		f->conf = conf->bridges[i];
	}
	s->conf = conf;
	apply(s);
	main_conf_free(old);
}

void bridge_subject_start(struct feed *f)
{
	registry_start(f->sim->registry, bridge_subject(f));
}

void bridge_subject_stop(struct feed *f, int code)
{
	registry_close(f->sim->registry, bridge_subject(f), code, "enough");
}

void bridge_subject_reconnect(struct feed *f)
{
	struct error err;

	bridge_reconnect(bridge_subject(f), &err);
}

void bridge_subject_check(struct feed *f)
{
	bridge_check(bridge_subject(f));
}

void bridge_subject_info(const struct feed *f, struct link_info *out)
{
	struct bridge_info info;

	bridge_info(bridge_subject(f), &info);
	*out = info.link;
}

bool bridge_subject_reads(const struct feed *f)
{
	struct bridge_info info;

	bridge_info(bridge_subject(f), &info);
	return !info.paused;
}

bool bridge_subject_is_over(const struct feed *f)
{
	return !bridge_has_session(bridge_subject(f));
}
