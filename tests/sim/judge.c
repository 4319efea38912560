/* SPDX-License-Identifier: Apache-2.0 */
/* See judge.h: states, and how they follow one another. */
#include "sim/judge.h"

#include "link/link_fsm.h"
#include "sim/server.h"
#include "sim/sim_fd.h"
#include "sim/trace.h"

/* More than the clock of a message on its way, the look into the buffers, and a turn. */
#define SLACK (4 * SECOND)

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static bool can_follow(enum link_state a, enum link_state b)
{
	for (int in = 0; in < LINK_N_INPUTS; in++) {
		struct link_step step = link_fsm_step(a, (enum link_input)in);

		if (step.possible && step.next == b)
			return true;
	}
	return false;
}

void judge_excuse(struct feed *f)
{
	f->excused = world_now(f->sim);
	f->excuse_at = f->excused;
	f->dirty = true;
	pace_excuse(&f->pace);
}

static bool is_in(const int *list, size_t n, int value)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == value)
			return true;
	return false;
}

static bool may_give_up(const struct feed *f, const struct session_end *end)
{
	const struct bridge_conf *conf = f->conf;
	int64_t attempts = conf->common->reconnect.attempts;

	return conf->common->reconnect.when == WHEN_NEVER ||
	       (conf->common->reconnect.when == WHEN_ABNORMAL && end->clean &&
		end->close_code == 1000) ||
	       (attempts > 0 && f->pace.most + 1 >= attempts) ||
	       is_in(conf->common->reconnect.fatal_status, conf->common->reconnect.n_fatal_status,
		     end->err.status) ||
	       is_in(conf->common->reconnect.fatal_close, conf->common->reconnect.n_fatal_close,
		     end->close_code);
}

/* The server had nothing to do with it, nobody asked for it, and it was not too quiet. */
static bool has_reason(const struct feed *f)
{
	const struct conn *c = f->conn;
	int64_t now = world_now(f->sim), quiet;

	if (!c || c->blame || f->excused > c->born || c->close_seen)
		return true;
	quiet = now - c->said > 2 * SECOND ? now - c->said : now - c->said_before;
	return f->conf->common->idle_timeout > 0 && quiet + SLACK >= f->conf->common->idle_timeout;
}

/* A date has whole seconds, and some of the time until then may be over. */
static int64_t asked_to_wait(const struct feed *f)
{
	int64_t left = f->refusal.date - world_now(f->sim) - SECOND;

	if (!f->refusal.date)
		return f->refusal.retry_after;
	return left > SECOND ? left : -1;
}

static void judge_truth(struct feed *f, const struct session_end *end)
{
	struct sim *s = f->sim;

	if (end->err.status && end->err.status != f->refusal.status)
		trace_fail(s, "%s: refused with %d, the server said %d", f->name, end->err.status,
			   f->refusal.status);
	if (end->close_code != 1006 && end->close_code != f->close_code && !f->excused)
		trace_fail(s, "%s: closed with %d, the server said %d", f->name, end->close_code,
			   f->close_code);
	if (end->was_open && !has_reason(f))
		trace_fail(s, "%s: ended for no reason: %s", f->name, end->err.text);
}

void judge_end(struct feed *f, const struct session_end *end, int64_t delay)
{
	struct pace_end e = {
		.was_open = end->was_open,
		.open_for = end->open_for,
		.status = end->err.status,
		.close_code = end->err.close_code ? end->err.close_code : end->close_code,
		.tls_failed = end->err.code == ERR_TLS,
		.retry_after = end->err.status ? asked_to_wait(f) : -1,
		.retry_most = end->err.status ? f->refusal.retry_after : -1,
	};
	bool leaving = f->seen.state == LINK_STOPPING || f->seen.state == LINK_RESTARTING;
	const char *wrong;

	trace(f->sim, "%s ended: %s, %d, %s, next in %lld", f->name,
	      end->was_open ? "was open" : "was not open", end->close_code, end->err.text,
	      (long long)delay);
	if (leaving)
		return;
	judge_truth(f, end);
	if (delay < 0) {
		if (!may_give_up(f, end))
			trace_fail(f->sim, "%s: gives up after %s", f->name, end->err.text);
		return;
	}
	wrong = pace_ended(&f->pace, f->conf, &e, delay, world_now(f->sim));
	if (wrong)
		trace_fail(f->sim, "%s: %s (%s)", f->name, wrong, end->err.text);
}

static void judge_waiting(struct feed *f, const struct link_info *info)
{
	double most = (double)f->conf->common->reconnect.max,
	       slow = (double)f->conf->common->reconnect.slow;

	most = (most > slow ? most : slow) / 1e6;
	most = most > 300 * 2 ? most : 300 * 2;
	if (info->retry_in < 0 || info->retry_in > most)
		trace_fail(f->sim, "%s: waits, and the next attempt is in %.3f s", f->name,
			   info->retry_in);
}

/*
 * Of a bridge it is not told how its session ended, only what its status says afterwards, which
 * may be about an earlier end. So each way that it may have ended is tried.
 */
static void judge_seen_end(struct feed *f, const struct link_info *info)
{
	int64_t now = world_now(f->sim), delay = (int64_t)(info->retry_in * 1e6 + 0.5);
	bool was_open = f->seen.state == LINK_OPEN;
	bool refused = !was_open && info->last_error.status == f->refusal.status;
	struct pace_end end = {
		.was_open = was_open,
		.open_for = was_open ? now - f->seen.opened : 0,
		.status = refused ? f->refusal.status : 0,
		.tls_failed = !was_open && info->last_error.code == ERR_TLS,
		.retry_after = refused && f->refusal.status ? asked_to_wait(f) : -1,
		.retry_most = refused && f->refusal.status ? f->refusal.retry_after : -1,
	};
	struct pace before = f->pace;
	const char *wrong = pace_ended(&f->pace, f->conf, &end, delay, now);

	if (was_open && !has_reason(f))
		trace_fail(f->sim, "%s: ended for no reason: %s", f->name, info->last_error.text);
	for (size_t i = 0; wrong && i < 2; i++) {
		f->pace = before;
		end.close_code = i == 0 ? f->close_code : f->fault_code;
		wrong = pace_ended(&f->pace, f->conf, &end, delay, now);
	}
	if (wrong)
		trace_fail(f->sim, "%s: %s (%s)", f->name, wrong, info->last_error.text);
}

void judge_state(struct feed *f)
{
	struct sim *s = f->sim;
	struct link_info info;

	subject_info(f, &info);
	if (info.state == f->seen.state)
		return;
	trace(s, "%s %s -> %s", f->name, link_state_name(f->seen.state),
	      link_state_name(info.state));
	if (!can_follow(f->seen.state, info.state))
		trace_fail(s, "%s: from %s to %s", f->name, link_state_name(f->seen.state),
			   link_state_name(info.state));
	if (info.state == LINK_OPEN && info.epoch <= f->seen.epoch)
		trace_fail(s, "%s: open, and the epoch is still %llu", f->name,
			   (unsigned long long)info.epoch);
	if (info.state == LINK_WAITING)
		judge_waiting(f, &info);
	if (info.state == LINK_WAITING && !f->subject.link)
		judge_seen_end(f, &info);
	if (info.state == LINK_STOPPED ||
	    info.state == LINK_GAVE_UP) /* who starts it then need not wait */
		pace_excuse(&f->pace);
	if (info.state == LINK_OPEN)
		f->seen.epoch = info.epoch;
	if (info.state != LINK_OPEN)
		f->lost_at = 0;
	f->seen.opened = info.state == LINK_OPEN ? world_now(s) : 0;
	f->seen.since = world_now(s);
	f->seen.state = info.state;
	f->dirty = true;
}

/* A state with a bound on it, and the bound; 0 = none. */
static int64_t longest(const struct feed *f)
{
	int64_t scripted = 60 * SECOND; /* what on_open may wait for, and the turn of the dial */

	switch (f->seen.state) {
	case LINK_CONNECTING:
		return f->conf->common->timeouts.open + f->begun.open + scripted;
	case LINK_STOPPING:
	case LINK_RESTARTING:
		return f->begun.close + SLACK;
	case LINK_STOPPED:
	case LINK_OPEN:
	case LINK_WAITING:
	case LINK_GAVE_UP:
	case LINK_N_STATES:
		return 0;
	}
	return 0;
}

void judge_step(struct feed *f)
{
	unsigned tag = f->index + 1;
	size_t busy = sim_dials_with_tag(tag) + sim_fd_socks(tag);

	if (busy > 1)
		trace_fail(f->sim, "%s has %zu connections", f->name, busy);
	if (busy > 0 && !link_state_has_session(f->seen.state))
		trace_fail(f->sim, "%s is %s and has a connection", f->name,
			   link_state_name(f->seen.state));
	subject_judge(f);
}

/* Is there anything that keeps it from noticing silence? Then it counts from here. */
static bool is_hampered(struct feed *f)
{
	const struct conn *c = f->conn;
	struct sim *s = f->sim;

	return !subject_reads(f) || (c && !sim_sock_is_writable(c->sock->peer)) ||
	       s->stalled_until + SECOND > world_now(s);
}

/* After a suspension: KEEPALIVE_CHECK and KEEPALIVE_LOOK, and then it knows. */
static void judge_lost(struct feed *f)
{
	int64_t since = later(f->lost_at, f->excuse_at);

	if (f->lost_at && f->seen.opened < f->lost_at && world_now(f->sim) - since > 10 * SECOND)
		trace_fail(f->sim, "%s: lost while suspended, and nobody minds", f->name);
}

/* What was said is under way for a while at most; on a way that was blocked nobody knows. */
static void judge_idle(struct feed *f)
{
	const struct conn *c = f->conn;
	int64_t now = world_now(f->sim), limit = f->conf->common->idle_timeout;
	int64_t since = later(later(c->said, f->seen.opened), f->excuse_at);

	if (limit > 0 && c->ready && (!c->blame || c->mute) && now - since > limit + SLACK)
		trace_fail(f->sim, "%s: no message for %.3f s, idle_timeout is %.3f s", f->name,
			   (double)(now - since) / 1e6, (double)limit / 1e6);
}

static void judge_silence(struct feed *f)
{
	const struct bridge_conf *conf = f->conf;
	const struct conn *c = f->conn;
	int64_t now = world_now(f->sim),
		patience = conf->common->ping.interval + conf->common->ping.timeout;
	int64_t from = later(later(c->quiet_since, f->seen.opened), f->excuse_at);

	if (c->quiet_since && conf->common->ping.interval && conf->common->ping.timeout &&
	    now - from > patience + SLACK)
		trace_fail(f->sim, "%s: the server is silent for %.3f s, and nobody minds", f->name,
			   (double)(now - from) / 1e6);
	if (c->pinged && !c->blame && !c->close_sent && now - c->pinged > SLACK &&
	    now - f->excuse_at > SLACK)
		trace_fail(f->sim, "%s: the server's ping has no pong for %.3f s", f->name,
			   (double)(now - c->pinged) / 1e6);
}

void judge_second(struct feed *f)
{
	int64_t now = world_now(f->sim), most = longest(f), since = f->seen.since;

	if (is_hampered(f))
		f->excuse_at = now;
	since = later(later(since, f->excused), f->sim->stalled_until);
	if (most && now - since > most)
		trace_fail(f->sim, "%s is %s for %.3f s", f->name, link_state_name(f->seen.state),
			   (double)(now - since) / 1e6);
	if (f->seen.state == LINK_OPEN && f->conn) {
		judge_silence(f);
		judge_idle(f);
	}
	if (f->seen.state == LINK_OPEN)
		judge_lost(f);
	judge_step(f);
}

/* Its server may rightly be too quiet for it. */
static bool is_idle_by_rights(const struct feed *f)
{
	return f->conf->common->idle_timeout > 0 &&
	       f->talk.every_max + 2 * SECOND > f->conf->common->idle_timeout;
}

void judge_calm(struct feed *f)
{
	const struct bridge_conf *conf = f->conf;
	int64_t most = 300 * SECOND > conf->common->reconnect.slow ? 300 * SECOND :
								     conf->common->reconnect.slow;

	most = most > conf->common->reconnect.max ? most : conf->common->reconnect.max;
	most += conf->common->timeouts.open + 60 * SECOND;
	if (!f->wanted || f->conf->common->start == START_ON_DEMAND || is_idle_by_rights(f) ||
	    f->seen.state == LINK_OPEN || f->seen.state == LINK_GAVE_UP ||
	    world_now(f->sim) - f->sim->calm_since < most)
		return;
	trace_fail(f->sim, "%s: all is well for %.0f s, and it is %s", f->name, (double)most / 1e6,
		   link_state_name(f->seen.state));
}
