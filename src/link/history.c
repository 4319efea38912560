/* SPDX-License-Identifier: Apache-2.0 */
/* See history.h. A ring; what is dropped from it is gone. */
#include "link/history.h"

#include <assert.h>

struct history_entry *history_add(struct history *h, enum history_kind kind, int64_t at)
{
	struct history_entry *e = &h->entries[(h->first + h->n) % HISTORY_MAX];

	if (h->n < HISTORY_MAX)
		h->n++;
	else
		h->first = (h->first + 1) % HISTORY_MAX;
	*e = (struct history_entry){ .at = at, .kind = kind, .delay = -1 };
	return e;
}

const struct history_entry *history_at(const struct history *h, size_t i)
{
	assert(i < h->n);
	return &h->entries[(h->first + i) % HISTORY_MAX];
}
