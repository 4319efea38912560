/* SPDX-License-Identifier: Apache-2.0 */
/* See outbox.h. */
#include "bridge/outbox.h"

#include <stdlib.h>

#include "base/mem.h"

struct item {
	struct list node;
	int64_t expires; /* INT64_MAX = never */
	enum msg_type type;
	size_t n;
	uint8_t data[];
};

static struct item *first(const struct outbox *o)
{
	return list_entry(o->queue.next, struct item, node);
}

void outbox_init(struct outbox *o)
{
	*o = (struct outbox){ 0 };
	list_init(&o->queue);
}

void outbox_deinit(struct outbox *o)
{
	while (!list_empty(&o->queue))
		outbox_pop(o);
}

static size_t charge(const struct outbox *o)
{
	return o->bytes + o->messages * OUTBOX_OVERHEAD;
}

bool outbox_push_always(struct outbox *o, struct msg msg, const struct outbox_policy *policy,
			int64_t now)
{
	struct item *it = mem_try_alloc(sizeof(*it) + msg.data.n);

	if (!it) {
		o->rejected++;
		return false;
	}
	it->expires = policy->ttl ? now + policy->ttl : INT64_MAX;
	it->type = msg.type;
	it->n = msg.data.n;
	if (msg.data.n)
		memcpy(it->data, msg.data.p, msg.data.n);
	list_append(&o->queue, &it->node);
	o->messages++;
	o->bytes += it->n;
	return true;
}

bool outbox_push(struct outbox *o, struct msg msg, const struct outbox_policy *policy, int64_t now)
{
	size_t room;

	outbox_expire(o, now);
	if (policy->size < OUTBOX_OVERHEAD || msg.data.n > policy->size - OUTBOX_OVERHEAD) {
		o->rejected++;
		return false;
	}
	room = policy->size - OUTBOX_OVERHEAD - msg.data.n;
	if (!policy->drop_oldest && charge(o) > room) {
		o->rejected++;
		return false;
	}
	while (charge(o) > room) {
		outbox_pop(o);
		o->dropped++;
	}
	return outbox_push_always(o, msg, policy, now);
}

bool outbox_peek(const struct outbox *o, struct msg *msg)
{
	if (list_empty(&o->queue))
		return false;
	*msg = (struct msg){ first(o)->type, span_of(first(o)->data, first(o)->n) };
	return true;
}

void outbox_pop(struct outbox *o)
{
	struct item *it = first(o);

	list_remove(&it->node);
	o->messages--;
	o->bytes -= it->n;
	free(it);
}

size_t outbox_expire(struct outbox *o, int64_t now)
{
	size_t n = 0;

	while (!list_empty(&o->queue) && first(o)->expires <= now) {
		outbox_pop(o);
		n++;
	}
	o->expired += n;
	return n;
}
