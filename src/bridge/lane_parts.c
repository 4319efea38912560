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

static struct talker *find(const struct lane *l, client_id client)
{
	for (size_t i = 0; i < l->n_talkers; i++)
		if (l->talkers[i].client == client)
			return &l->talkers[i];
	return NULL;
}

static void add(struct lane *l, client_id client, enum msg_type type)
{
	l->talkers = mem_grow(l->talkers, l->n_talkers + 1, sizeof(*l->talkers));
	l->talkers[l->n_talkers++] = (struct talker){ .client = client, .type = type };
}

static void take_out(struct lane *l, struct talker *t)
{
	*t = l->talkers[--l->n_talkers];
}

/* A fragment that waits for the upstream is not its client's fault. */
static void on_wire_idle(void *arg)
{
	struct lane *l = arg;
	int64_t ttl = l->conf->outbox.ttl, idle = loop_now(l->env.loop) - l->wire_at;

	if (!l->wire || ttl == 0)
		return;
	if (outbox_first(&l->outbox, l->wire))
		timer_arm(&l->wire_idle, ttl);
	else if (idle < ttl)
		timer_arm(&l->wire_idle, ttl - idle);
	else
		lane_remake(l, "a client stopped in the middle of a message for outbox.ttl");
}

void lane_parts_init(struct lane *l)
{
	timer_init(&l->wire_idle, l->env.loop, on_wire_idle, l);
}

void lane_parts_deinit(struct lane *l)
{
	timer_deinit(&l->wire_idle);
	free(l->talkers);
	l->talkers = NULL;
	l->n_talkers = 0;
}

/* The timer looks at the stamp when it fires: it is not set for each fragment. */
void lane_part_passed(struct lane *l)
{
	l->wire_at = loop_now(l->env.loop);
	if (!l->env.sole && l->conf->outbox.ttl > 0 && !timer_is_armed(&l->wire_idle))
		timer_arm(&l->wire_idle, l->conf->outbox.ttl);
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
	l->wire = 0;
	for (size_t i = 0; i < l->n_talkers; i++)
		l->talkers[i].refusing = true;
	outbox_purge_parts(&l->outbox, 0);
}

client_id lane_part_talker(const struct lane *l, size_t i)
{
	return i < l->n_talkers ? l->talkers[i].client : 0;
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
	bool clear = !l->wire && !l->n_talkers && !l->outbox.messages && !l->held &&
		     l->bucket.rate <= 0;

	if (!clear || !link_is_open(l->env.link))
		return 0;
	n = link_send_run(l->env.link, msgs, n);
	l->refusing = l->refusing && n == 0;
	return n;
}
