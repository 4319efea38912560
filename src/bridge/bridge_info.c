/* SPDX-License-Identifier: Apache-2.0 */
/* What there is to tell of a bridge. It changes nothing but what has expired. */
#include "bridge/bridge_int.h"

size_t bridge_pending(const struct bridge *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n_endpoints; i++)
		if (b->endpoints[i])
			n += endpoint_pending(b->endpoints[i]);
	return n;
}

bool bridge_has_endpoint_error(const struct bridge *b)
{
	return b->endpoint_error != NULL;
}

bool bridge_is_stopped(const struct bridge *b)
{
	return link_state(b->link) == LINK_STOPPED && list_empty(&b->pairs);
}

bool bridge_has_session(const struct bridge *b)
{
	return link_has_session(b->link) || pairs_have_session(b);
}

static bool is_at_rest(enum link_state state)
{
	return state == LINK_STOPPED || state == LINK_GAVE_UP;
}

static const char *private_state(const struct bridge *b)
{
	const struct link *k = pairs_link(b);

	if (k && !is_at_rest(link_state(k)))
		return link_state_shown(link_state(k));
	return b->wanted ? BRIDGE_IDLE : link_state_shown(LINK_STOPPED);
}

const char *bridge_state(const struct bridge *b)
{
	enum link_state state = link_state(b->link);

	if (b->endpoint_error)
		return link_state_shown(LINK_GAVE_UP);
	if (bridge_is_private(b))
		return private_state(b);
	if (state == LINK_STOPPED && b->wanted && b->conf->common->start == START_ON_DEMAND)
		return BRIDGE_IDLE;
	return link_state_shown(state);
}

const char *bridge_name(const struct bridge *b)
{
	return b->conf->name;
}

const struct bridge_conf *bridge_configuration(const struct bridge *b)
{
	return b->conf;
}

static void add_endpoint_totals(const struct bridge *b, struct bridge_info *info)
{
	for (size_t i = 0; i < b->n_endpoints; i++) {
		struct endpoint_totals t;

		if (!b->endpoints[i])
			continue;
		endpoint_totals(b->endpoints[i], &t);
		info->dropped += t.dropped + t.unfit;
		info->refused += t.refused;
	}
}

void bridge_info(struct bridge *b, struct bridge_info *info)
{
	struct link *shown = pairs_link(b);

	*info = (struct bridge_info){ 0 };
	link_info(shown ? shown : b->link, &info->link);
	outbox_expire(&b->lane.outbox, loop_now(b->env->loop));
	info->seq = b->seq;
	info->paused = b->paused;
	info->unheard = b->unheard;
	info->outbox_messages = b->lane.outbox.messages;
	info->outbox_bytes = b->lane.outbox.bytes;
	info->outbox_expired = b->lane.outbox.expired;
	info->outbox_dropped = b->lane.outbox.dropped;
	info->outbox_rejected = b->lane.outbox.rejected;
	pairs_add_info(b, info);
	if (bridge_is_private(b))
		info->link.since = b->since;
	if (b->endpoint_error)
		info->link.last_error = *b->endpoint_error;
	info->dropped = info->outbox_expired + info->outbox_dropped + info->outbox_rejected;
	add_endpoint_totals(b, info);
}

const struct history *bridge_history(const struct bridge *b)
{
	const struct history *h = pairs_history(b);

	return h ? h : link_history(b->link);
}

size_t bridge_n_endpoints(const struct bridge *b)
{
	return b->n_endpoints;
}

struct endpoint *bridge_endpoint(const struct bridge *b, size_t i)
{
	return b->endpoints[i];
}

const char *bridge_client_state(const struct bridge *b, client_id client)
{
	const struct link *k = pair_link(b, client);

	return k ? link_state_shown(link_state(k)) : NULL;
}
