/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages that local clients send in fragments. While one is on the wire no
 * other may begin (RFC 6455, 5.4), and one that was cut off is never ended in
 * some other way: the rest of it is refused up to its last fragment. Who stops
 * in the middle keeps all others waiting, so that has a limit: the time that
 * their messages may wait, outbox.ttl. The trap: clients without a fragment
 * under way have no talker.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "bridge/lane_int.h"

struct talker {
	client_id client;
	enum msg_type type; /* the first fragment's holds for all */
	bool refusing;	    /* the rest of the message is not taken */
};

struct lane_parts {
	struct talker *talkers; /* who is in the middle of a message */
	size_t n_talkers;
	int64_t wire_at;	/* when the last fragment was passed on */
	struct timer wire_idle; /* it may not stop in the middle for ever */
};

static struct talker *find(const struct lane *l, client_id client)
{
	const struct lane_parts *p = l->parts;

	for (size_t i = 0; p && i < p->n_talkers; i++)
		if (p->talkers[i].client == client)
			return &p->talkers[i];
	return NULL;
}

static void take_out(struct lane *l, struct talker *t)
{
	*t = l->parts->talkers[--l->parts->n_talkers];
}

/* A fragment that waits for the upstream is not its client's fault. */
static void on_wire_idle(void *arg)
{
	struct lane *l = arg;
	struct lane_parts *p = l->parts;
	int64_t ttl = l->env.conf->common->outbox.ttl, idle = loop_now(l->env.loop) - p->wire_at;

	if (!l->wire || ttl == 0)
		return;
	if (outbox_first(&l->outbox, l->wire))
		timer_arm(&p->wire_idle, ttl);
	else if (idle < ttl)
		timer_arm(&p->wire_idle, ttl - idle);
	else
		lane_remake(l, "a client stopped in the middle of a message for outbox.ttl");
}

static struct lane_parts *parts_of(struct lane *l)
{
	if (l->parts)
		return l->parts;
	l->parts = mem_zalloc(sizeof(*l->parts));
	timer_init(&l->parts->wire_idle, l->env.loop, on_wire_idle, l);
	return l->parts;
}

static void add(struct lane *l, client_id client, enum msg_type type)
{
	struct lane_parts *p = parts_of(l);

	p->talkers = mem_grow(p->talkers, p->n_talkers + 1, sizeof(*p->talkers));
	p->talkers[p->n_talkers++] = (struct talker){ .client = client, .type = type };
}

void lane_parts_deinit(struct lane *l)
{
	if (!l->parts)
		return;
	timer_deinit(&l->parts->wire_idle);
	free(l->parts->talkers);
	free(l->parts);
	l->parts = NULL;
}

/* The timer looks at the stamp when it fires: it is not set for each fragment. */
void lane_part_passed(struct lane *l)
{
	struct lane_parts *p = parts_of(l);
	int64_t ttl = l->env.conf->common->outbox.ttl;

	p->wire_at = loop_now(l->env.loop);
	if (!l->env.sole && ttl > 0 && !timer_is_armed(&p->wire_idle))
		timer_arm(&p->wire_idle, ttl);
}

enum lane_part_kind lane_part(struct lane *l, struct outbox_item *item)
{
	struct talker *t = find(l, item->client);
	bool last = !item->msg.more, refusing;

	if (!t && last)
		return LANE_WHOLE;
	item->part = true;
	if (!t) {
		add(l, item->client, item->msg.type);
		return LANE_PART;
	}
	refusing = t->refusing;
	if (!refusing && t->type != item->msg.type) {
		lane_refuse(l, item, ERR_PAYLOAD, "all fragments of a message have one type");
		return LANE_REFUSED;
	}
	if (last)
		take_out(l, t);
	if (!refusing)
		return LANE_PART;
	lane_refuse(l, item, ERR_NOT_OPEN, "the beginning of this message was lost");
	return LANE_REFUSED;
}

void lane_part_refused(struct lane *l, const struct outbox_item *item)
{
	struct talker *t = find(l, item->client);

	if (t)
		t->refusing = true;
	outbox_purge_parts(&l->outbox, item->client);
}

void lane_parts_lost(struct lane *l)
{
	struct lane_parts *p = l->parts;

	l->wire = 0;
	for (size_t i = 0; p && i < p->n_talkers; i++)
		p->talkers[i].refusing = true;
	outbox_purge_parts(&l->outbox, 0);
	if (p && p->n_talkers == 0)
		lane_parts_deinit(l);
}

client_id lane_part_talker(const struct lane *l, size_t i)
{
	return l->parts && i < l->parts->n_talkers ? l->parts->talkers[i].client : 0;
}

bool lane_part_left(struct lane *l, client_id client)
{
	struct talker *t = find(l, client);
	bool cut;

	if (!t)
		return false;
	cut = !t->refusing && l->wire == client;
	take_out(l, t);
	outbox_purge_parts(&l->outbox, client);
	return cut && !l->env.sole && !outbox_first(&l->outbox, client); /* else its end waits */
}

size_t lane_run(struct lane *l, const struct msg *msgs, size_t n)
{
	bool talking = l->parts && l->parts->n_talkers;
	bool clear = !l->wire && !talking && !l->outbox.messages && !l->held && !l->bucket;

	if (!clear || !link_is_open(l->env.link))
		return 0;
	n = link_send_run(l->env.link, msgs, n);
	l->refusing = l->refusing && n == 0;
	return n;
}
