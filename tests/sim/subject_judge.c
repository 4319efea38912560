/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must hold for a bridge beside its link: the caps of its queues, the
 * sums of the process, a connection on demand exactly when it is wanted, and
 * at the end each message and each record accounted for.
 */
#include "bridge/registry.h"
#include "sim/judge.h"
#include "sim/local.h"
#include "sim/subject_int.h"
#include "sim/trace.h"

/* A whole record may always wait; those here are below this. */
#define RECORD_MOST 140000
#define TURN_MOST (1024 * 1024) /* "block" loses nothing of what one turn brings */
#define OVERHEAD 64		/* of a message in the outbox (wsbridge.json(5)) */
#define SLACK (5 * SECOND)

/*
 * While it is open one message that found no room may be above the cap (the client that wrote it
 * waits). While it is not, nothing that comes may pass the cap.
 */
static void judge_outbox(struct feed *f, const struct bridge_info *info)
{
	size_t used = info->outbox_bytes + info->outbox_messages * OVERHEAD;
	bool open = info->link.state == LINK_OPEN, was_open = f->outbox.open;
	size_t cap = f->conf->common->outbox.size,
	       most = open || was_open ? cap + RECORD_MOST : cap;

	if (used > most && used > f->outbox.used && !f->changed)
		trace_fail(f->sim, "%s: %zu bytes in an outbox of %zu", f->name, used, cap);
	f->outbox.used = used;
	f->outbox.open = open;
}

void bridge_subject_judge(struct feed *f)
{
	struct bridge *b = bridge_subject(f);
	struct bridge_info info;
	bool has = bridge_has_session(b);

	bridge_info(b, &info);
	if (has != link_state_has_session(info.link.state))
		trace_fail(f->sim, "%s: %s, and yet", f->name, link_state_name(info.link.state));
	if (info.link.state != f->seen.state)
		trace_fail(f->sim, "%s: is %s, and nobody was told", f->name,
			   link_state_name(info.link.state));
	judge_outbox(f, &info);
}

static size_t attached(struct bridge *b)
{
	size_t n = 0;

	for (size_t e = 0; e < bridge_n_endpoints(b); e++)
		if (bridge_endpoint(b, e))
			n += endpoint_n_clients(bridge_endpoint(b, e));
	return n;
}

/* For how long has it been wanted, or not wanted, in one go? */
static void judge_demand(struct feed *f, struct bridge *b)
{
	int64_t now = world_now(f->sim), since, most;
	bool rests = f->seen.state == LINK_STOPPED, wanted = attached(b) > 0;
	struct bridge_info info;

	bridge_info(b, &info);
	if (wanted != f->demand.wanted || info.outbox_messages > 0 ||
	    f->conf->common->start != START_ON_DEMAND)
		f->demand.since = now;
	f->demand.wanted = wanted;
	since = f->demand.since > f->excused ? f->demand.since : f->excused;
	since = since > f->sim->stalled_until ? since : f->sim->stalled_until;
	most = wanted ? SLACK :
			2 * f->conf->common->linger + f->begun.close + f->begun.open + SLACK;
	if (!f->wanted || f->seen.state == LINK_GAVE_UP || wanted != rests || now - since <= most)
		return;
	trace_fail(f->sim, "%s: on demand, %s for %.3f s, and it is %s", f->name,
		   wanted ? "wanted" : "not wanted", (double)(now - since) / 1e6,
		   link_state_name(f->seen.state));
}

static void judge_clients(struct feed *f, struct endpoint *e, size_t *queued)
{
	const struct endpoint_conf *conf = endpoint_configuration(e);
	bool block = conf->rules->overflow == OVERFLOW_BLOCK;
	size_t most = conf->rules->queue + (block ? TURN_MOST : RECORD_MOST);
	struct endpoint_client c;

	for (size_t i = 0; endpoint_client_at(e, i, &c); i++) {
		*queued += c.queued;
		if (c.queued > most)
			trace_fail(f->sim, "%s: %zu bytes wait for a client, queue is %zu", f->name,
				   c.queued, conf->rules->queue);
	}
}

void bridge_subjects_judge(struct sim *s)
{
	const struct endpoint_quota *quota = registry_quota(s->registry);
	size_t queued = 0, clients = 0;

	for (size_t i = 0; i < s->n_feeds; i++) {
		struct bridge *b = bridge_subject(&s->feeds[i]);

		judge_demand(&s->feeds[i], b);
		for (size_t e = 0; e < bridge_n_endpoints(b); e++) {
			if (!bridge_endpoint(b, e))
				continue;
			judge_clients(&s->feeds[i], bridge_endpoint(b, e), &queued);
			clients += endpoint_n_clients(bridge_endpoint(b, e));
		}
	}
	if (queued != quota->queued || clients != quota->clients)
		trace_fail(s, "%zu bytes and %zu clients, the quota has %zu and %zu", queued,
			   clients, quota->queued, quota->clients);
	if (queued > quota->max_queued + TURN_MOST)
		trace_fail(s, "%zu bytes queued, limits.queues is %zu", queued, quota->max_queued);
}

/* What local clients wrote has gone out, or waits, or is counted as lost. */
static void judge_outbound(struct feed *f, const struct bridge_info *info)
{
	uint64_t out = info->link.tx.messages + info->outbox_messages + info->outbox_expired +
		       info->outbox_dropped + info->outbox_rejected + info->refused;

	if (out == f->visits->written)
		return;
	trace_fail(f->sim,
		   "%s: clients wrote %llu records, and %llu went out, %zu wait, %llu "
		   "expired, %llu dropped, %llu rejected, %llu refused",
		   f->name, (unsigned long long)f->visits->written,
		   (unsigned long long)info->link.tx.messages, info->outbox_messages,
		   (unsigned long long)info->outbox_expired,
		   (unsigned long long)info->outbox_dropped,
		   (unsigned long long)info->outbox_rejected, (unsigned long long)info->refused);
}

/* What one client has, and what the bridge says it was given. Its gaps are told with a message. */
static void judge_client(struct feed *f, const struct local *c, const struct endpoint_client *told,
			 const struct bridge_info *info)
{
	bool settled = info->outbox_messages == 0 && info->link.state == LINK_OPEN;

	if (c->got != told->sent)
		trace_fail(f->sim, "%s: client %llu has %llu messages, and was sent %llu", f->name,
			   (unsigned long long)c->k, (unsigned long long)c->got,
			   (unsigned long long)told->sent);
	if (!c->json)
		return;
	if (c->seq == info->seq && c->gaps != told->dropped)
		trace_fail(f->sim, "%s: client %llu was told of %llu lost messages, and lost %llu",
			   f->name, (unsigned long long)c->k, (unsigned long long)c->gaps,
			   (unsigned long long)told->dropped);
	if (settled && !c->slowed && told->dropped == 0 && c->answers != c->n)
		trace_fail(f->sim, "%s: client %llu wrote %llu records, and has %llu answers",
			   f->name, (unsigned long long)c->k, (unsigned long long)c->n,
			   (unsigned long long)c->answers);
}

void bridge_subject_judge_end(struct feed *f)
{
	struct bridge *b = bridge_subject(f);
	struct endpoint_client told;
	struct bridge_info info;
	const struct local *c;

	bridge_info(b, &info);
	if (f->visits->exact && visits_are_read(f->visits))
		judge_outbound(f, &info);
	for (size_t e = 0; e < bridge_n_endpoints(b); e++)
		for (size_t i = 0; endpoint_client_at(bridge_endpoint(b, e), i, &told); i++) {
			c = visits_find(f->visits, told.pid);
			if (c && local_is_settled(c) && told.queued == 0)
				judge_client(f, c, &told, &info);
		}
}
