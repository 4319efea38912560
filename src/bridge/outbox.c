/* SPDX-License-Identifier: Apache-2.0 */
/* See outbox.h. The trap: the public item is the first member of the private one. */
#include "bridge/outbox.h"

#include <stdlib.h>

#include "base/mem.h"

struct item {
	struct outbox_item shown; /* its spans point into data */
	struct list node;
	int64_t expires; /* INT64_MAX = never */
	uint8_t data[];	 /* the payload, the id */
};

static struct item *item_at(struct list *node)
{
	return list_entry(node, struct item, node);
}

void outbox_init(struct outbox *o, outbox_cb lost, void *arg)
{
	*o = (struct outbox){ .lost = lost, .arg = arg };
	list_init(&o->queue);
}

static void drop(struct outbox *o, struct item *it)
{
	list_remove(&it->node);
	o->messages--;
	o->bytes -= it->shown.msg.data.n;
	o->ids -= it->shown.id.n;
	free(it);
}

void outbox_deinit(struct outbox *o)
{
	list_each(it, next, &o->queue)
		drop(o, item_at(it));
}

static void lose(struct outbox *o, struct item *it, enum outbox_loss why)
{
	o->lost(o->arg, &it->shown, why);
	drop(o, it);
}

static size_t charge(const struct outbox *o)
{
	return o->bytes + o->ids + o->messages * OUTBOX_OVERHEAD;
}

static void copy(uint8_t *to, struct span from)
{
	if (from.n)
		memcpy(to, from.p, from.n);
}

bool outbox_push_always(struct outbox *o, const struct outbox_item *item,
			const struct outbox_policy *policy, int64_t now)
{
	size_t payload = item->msg.data.n, id = item->id.n;
	struct item *it = mem_try_alloc(sizeof(*it) + payload + id);

	if (!it) {
		o->rejected++;
		return false;
	}
	it->shown = *item;
	it->shown.msg.data = span_of(it->data, payload);
	it->shown.id = span_of(it->data + payload, id);
	it->expires = policy->ttl && !item->part ? now + policy->ttl : INT64_MAX;
	copy(it->data, item->msg.data);
	copy(it->data + payload, item->id);
	list_append(&o->queue, &it->node);
	o->messages++;
	o->bytes += payload;
	o->ids += id;
	return true;
}

static struct item *oldest_whole(const struct outbox *o)
{
	list_each(it, next, &o->queue)
		if (!item_at(it)->shown.part)
			return item_at(it);
	return NULL;
}

/* False: even so there is no room. */
static bool make_room(struct outbox *o, size_t room)
{
	while (charge(o) > room) {
		struct item *oldest = oldest_whole(o);

		if (!oldest)
			return false;
		o->dropped++;
		lose(o, oldest, OUTBOX_DROPPED);
	}
	return true;
}

static bool has_room(struct outbox *o, size_t n, const struct outbox_policy *policy)
{
	size_t room;

	if (policy->size < OUTBOX_OVERHEAD || n > policy->size - OUTBOX_OVERHEAD)
		return false;
	room = policy->size - OUTBOX_OVERHEAD - n;
	return policy->drop_oldest ? make_room(o, room) : charge(o) <= room;
}

bool outbox_push(struct outbox *o, const struct outbox_item *item,
		 const struct outbox_policy *policy, int64_t now)
{
	outbox_expire(o, now);
	if (!has_room(o, item->msg.data.n + item->id.n, policy)) {
		o->rejected++;
		return false;
	}
	return outbox_push_always(o, item, policy, now);
}

const struct outbox_item *outbox_first(const struct outbox *o, uint64_t client)
{
	list_each(it, next, &o->queue)
		if (!client || item_at(it)->shown.client == client)
			return &item_at(it)->shown;
	return NULL;
}

void outbox_pop(struct outbox *o, const struct outbox_item *item)
{
	drop(o, (struct item *)(uintptr_t)item);
}

/* They stand in the order in which they expire, but for the parts, which never do. */
size_t outbox_expire(struct outbox *o, int64_t now)
{
	size_t n = 0;

	list_each(it, next, &o->queue) {
		if (item_at(it)->shown.part)
			continue;
		if (item_at(it)->expires > now)
			break;
		lose(o, item_at(it), OUTBOX_EXPIRED);
		n++;
	}
	o->expired += n;
	return n;
}

int64_t outbox_due(const struct outbox *o)
{
	const struct item *oldest = oldest_whole(o);

	return oldest ? oldest->expires : INT64_MAX;
}

static bool is_part_of(const struct item *i, uint64_t client)
{
	return i->shown.part && (!client || i->shown.client == client);
}

/* Where the parts begin that no last one follows; NULL = there are none. */
static const struct item *first_unended(const struct outbox *o, uint64_t client)
{
	const struct item *first = NULL;

	list_each(it, next, &o->queue) {
		const struct item *i = item_at(it);

		if (!is_part_of(i, client))
			continue;
		if (!i->shown.msg.more)
			first = NULL;
		else if (!first)
			first = i;
	}
	return first;
}

void outbox_purge_parts(struct outbox *o, uint64_t client)
{
	const struct item *from = client ? first_unended(o, client) : NULL;
	bool reached = !client;

	list_each(it, next, &o->queue) {
		struct item *i = item_at(it);

		reached = reached || i == from;
		if (!reached || !is_part_of(i, client))
			continue;
		o->rejected++;
		lose(o, i, OUTBOX_PURGED);
	}
}
