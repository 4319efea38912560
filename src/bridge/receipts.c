/* SPDX-License-Identifier: Apache-2.0 */
/* See receipts.h. The trap: the public receipt is the first member of the private item. */
#include "bridge/receipts.h"

#include <stdlib.h>

#include "base/mem.h"

struct item {
	struct receipt shown; /* its id points into data */
	struct list node;
	uint8_t data[];
};

void receipts_init(struct receipts *r)
{
	*r = (struct receipts){ 0 };
	list_init(&r->data);
	list_init(&r->control);
}

void receipts_deinit(struct receipts *r)
{
	const struct receipt *one;

	while ((one = receipts_due(r, UINT64_MAX, UINT64_MAX)))
		receipts_pop(r, one);
}

bool receipts_add(struct receipts *r, const struct receipt *one)
{
	struct item *it = mem_try_alloc(sizeof(*it) + one->id.n);

	if (!it)
		return false;
	it->shown = *one;
	it->shown.id = span_of(it->data, one->id.n);
	if (one->id.n)
		memcpy(it->data, one->id.p, one->id.n);
	list_append(one->control ? &r->control : &r->data, &it->node);
	r->n++;
	return true;
}

static const struct receipt *first(const struct list *queue, uint64_t written)
{
	const struct item *it;

	if (list_empty(queue))
		return NULL;
	it = list_entry(queue->next, struct item, node);
	return it->shown.mark <= written ? &it->shown : NULL;
}

const struct receipt *receipts_due(const struct receipts *r, uint64_t data, uint64_t control)
{
	const struct receipt *one = first(&r->data, data);

	return one ? one : first(&r->control, control);
}

void receipts_pop(struct receipts *r, const struct receipt *one)
{
	struct item *it = (struct item *)(uintptr_t)one;

	list_remove(&it->node);
	r->n--;
	free(it);
}
