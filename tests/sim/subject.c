/* SPDX-License-Identifier: Apache-2.0 */
/* See subject.h. */
#include "sim/subject.h"

#include "sim/judge.h"
#include "sim/local.h"
#include "sim/subject_int.h"
#include "sim/trace.h"

static bool is_link(const struct feed *f)
{
	return f->subject.link != NULL;
}

void subject_info(struct feed *f, struct link_info *info)
{
	if (is_link(f))
		link_info(f->subject.link, info);
	else
		bridge_subject_info(f, info);
}

void subject_start(struct feed *f)
{
	trace(f->sim, "%s: start", f->name);
	judge_excuse(f);
	f->wanted = true;
	if (is_link(f))
		link_start(f->subject.link);
	else
		bridge_subject_start(f);
}

void subject_stop(struct feed *f, int code)
{
	trace(f->sim, "%s: stop %d", f->name, code);
	judge_excuse(f);
	f->wanted = false;
	if (is_link(f))
		link_stop(f->subject.link, code, "enough");
	else
		bridge_subject_stop(f, code);
}

void subject_reconnect(struct feed *f)
{
	trace(f->sim, "%s: reconnect", f->name);
	judge_excuse(f);
	if (is_link(f))
		link_reconnect(f->subject.link);
	else
		bridge_subject_reconnect(f);
}

void subject_check(struct feed *f)
{
	judge_excuse(f);
	if (is_link(f))
		link_check(f->subject.link);
	else
		bridge_subject_check(f);
}

void subjects_init(struct sim *s)
{
	if (!s->links_alone) {
		bridge_subjects_init(s);
		return;
	}
	for (size_t i = 0; i < s->n_feeds; i++) {
		link_subject_init(&s->feeds[i]);
		if (s->feeds[i].conf->common->start != START_MANUAL)
			subject_start(&s->feeds[i]);
	}
}

void subjects_deinit(struct sim *s)
{
	if (!s->links_alone) {
		bridge_subjects_deinit(s);
		return;
	}
	for (size_t i = 0; i < s->n_feeds; i++)
		link_subject_deinit(&s->feeds[i]);
}

static void configure_links(struct sim *s, struct main_conf *conf)
{
	for (size_t i = 0; i < s->n_feeds; i++)
		link_subject_configure(&s->feeds[i], conf->bridges[i]);
	main_conf_free(s->conf);
	s->conf = conf;
}

void subjects_configure(struct sim *s, struct main_conf *conf)
{
	trace(s, "configured anew");
	if (s->links_alone)
		configure_links(s, conf);
	else
		bridge_subjects_configure(s, conf);
	dialer_set_limits(s->dialer, conf->limits.dials_per_second, conf->limits.tls_handshakes);
	s->dial_window[0] = 0;
	s->limits_at = world_now(s);
}

bool subject_reads(struct feed *f)
{
	return is_link(f) ? link_subject_reads(f) : bridge_subject_reads(f);
}

bool subject_is_over(struct feed *f)
{
	return is_link(f) ? !link_has_session(f->subject.link) : bridge_subject_is_over(f);
}

void subjects_calm(struct sim *s)
{
	for (size_t i = 0; i < s->n_feeds; i++)
		if (is_link(&s->feeds[i]))
			link_subject_calm(&s->feeds[i]);
		else
			visits_calm(&s->feeds[i]);
}

void subject_judge(struct feed *f)
{
	if (is_link(f))
		link_subject_judge(f);
	else
		bridge_subject_judge(f);
}

void subjects_judge(struct sim *s)
{
	if (!s->links_alone)
		bridge_subjects_judge(s);
}

void subjects_judge_end(struct sim *s)
{
	for (size_t i = 0; i < s->n_feeds; i++)
		if (!is_link(&s->feeds[i]))
			bridge_subject_judge_end(&s->feeds[i]);
}
