/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The books of pairs: what there is to tell of all of them together, and what
 * those that are over leave behind. It changes no pair.
 */
#include "base/mem.h"
#include "bridge/pair_int.h"
#include "link/history.h"

static void add_counters(struct link_counters *sum, const struct link_counters *n)
{
	sum->messages += n->messages;
	sum->bytes += n->bytes;
}

static void add_packed(struct ws_packed *sum, const struct ws_packed *n)
{
	sum->messages += n->messages;
	sum->packed += n->packed;
	sum->bytes += n->bytes;
}

static void keep_reasons(struct bridge_past *past, const struct link_info *info)
{
	if (info->last_error.code) {
		past->last_error = info->last_error;
		past->last_error_at = info->last_error_at;
	}
	if (info->last_close.code) {
		past->close_code = info->last_close.code;
		past->close_clean = info->last_close.clean;
		memcpy(past->close_reason, info->last_close.reason, sizeof(past->close_reason));
	}
}

/* What `status` and `explain` still want to know of it. */
void pair_keep_past(struct pair *p)
{
	struct bridge_past *past = p->b->pairing->past;
	struct link_info info;

	if (!past)
		past = p->b->pairing->past = mem_zalloc(sizeof(*past));
	link_info(p->link, &info);
	add_counters(&past->rx, &info.rx);
	add_counters(&past->tx, &info.tx);
	add_packed(&past->packed_rx, &info.packed_rx);
	add_packed(&past->packed_tx, &info.packed_tx);
	past->epoch += info.epoch;
	past->unacked += info.unacked;
	past->unsent += info.unsent;
	past->expired += p->lane.outbox.expired;
	past->dropped += p->lane.outbox.dropped;
	past->rejected += p->lane.outbox.rejected;
	keep_reasons(past, &info);
	history_copy(&past->history, link_history(p->link));
}

bool pairs_have_session(const struct bridge *b)
{
	list_each(it, next, &b->pairs)
		if (link_has_session(pair_at(it)->link))
			return true;
	return false;
}

struct link *pairs_link(const struct bridge *b)
{
	struct link *found = NULL;

	list_each(it, next, &b->pairs) {
		struct link *k = pair_at(it)->link;

		if (!found || link_is_open(k) || !link_is_open(found))
			found = k;
	}
	return found;
}

struct link *pair_link(const struct bridge *b, client_id client)
{
	struct pair *p = pair_find(b, client);

	return p ? p->link : NULL;
}

const struct history *pairs_history(const struct bridge *b)
{
	if (!list_empty(&b->pairs))
		return link_history(pair_at(b->pairs.prev)->link);
	return b->pairing && b->pairing->past ? &b->pairing->past->history : NULL;
}

static void add_outbox(struct bridge_info *info, const struct outbox *o)
{
	info->outbox_messages += o->messages;
	info->outbox_bytes += o->bytes;
	info->outbox_expired += o->expired;
	info->outbox_dropped += o->dropped;
	info->outbox_rejected += o->rejected;
}

static void add_past(const struct bridge_past *past, struct bridge_info *info)
{
	struct link_info *k = &info->link;

	add_counters(&k->rx, &past->rx);
	add_counters(&k->tx, &past->tx);
	add_packed(&k->packed_rx, &past->packed_rx);
	add_packed(&k->packed_tx, &past->packed_tx);
	k->epoch += past->epoch;
	k->unacked += past->unacked;
	k->unsent += past->unsent;
	info->outbox_expired += past->expired;
	info->outbox_dropped += past->dropped;
	info->outbox_rejected += past->rejected;
	if (!k->last_error.code) {
		k->last_error = past->last_error;
		k->last_error_at = past->last_error_at;
	}
	if (k->last_close.code)
		return;
	k->last_close.code = past->close_code;
	k->last_close.clean = past->close_clean;
	memcpy(k->last_close.reason, past->close_reason, sizeof(past->close_reason));
}

/* info->link is that of pairs_link: the others are added. */
void pairs_add_info(struct bridge *b, struct bridge_info *info)
{
	const struct link *shown = pairs_link(b);

	list_each(it, next, &b->pairs) {
		struct pair *p = pair_at(it);
		struct link_info one;

		info->seq += p->seq;
		info->paused = info->paused || p->paused;
		add_outbox(info, &p->lane.outbox);
		if (p->link == shown)
			continue;
		link_info(p->link, &one);
		add_counters(&info->link.rx, &one.rx);
		add_counters(&info->link.tx, &one.tx);
		add_packed(&info->link.packed_rx, &one.packed_rx);
		add_packed(&info->link.packed_tx, &one.packed_tx);
		info->link.epoch += one.epoch;
		info->link.unacked += one.unacked;
		info->link.unsent += one.unsent;
	}
	if (b->pairing && b->pairing->past)
		add_past(b->pairing->past, info);
}
