/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See history.h. A ring; what is dropped from it is gone. The trap: the ring
 * grows only until it has its last size, so before that it begins at 0.
 */
#include "link/history.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define SIZE_FIRST 4

void history_deinit(struct history *h)
{
	for (size_t i = 0; i < h->n; i++)
		free(h->entries[i]);
	free(h->entries);
	*h = (struct history){ 0 };
}

/* One block, with the text behind it. */
static struct history_entry *copy_of(const struct history_entry *entry)
{
	size_t n = entry->text ? strnlen(entry->text, HISTORY_TEXT_MAX) : 0;
	struct history_entry *e = mem_alloc(sizeof(*e) + n + 1);
	char *text = (char *)(e + 1);

	*e = *entry;
	if (n > 0)
		memcpy(text, entry->text, n);
	text[n] = '\0';
	e->text = text;
	return e;
}

static void grow(struct history *h)
{
	h->size = h->size ? 2 * h->size : SIZE_FIRST;
	h->entries = mem_grow(h->entries, h->size, sizeof(*h->entries));
}

void history_add(struct history *h, const struct history_entry *entry)
{
	struct history_entry *e = copy_of(entry);

	if (h->n < HISTORY_MAX) {
		if (h->n == h->size)
			grow(h);
		h->entries[h->n++] = e;
		return;
	}
	free(h->entries[h->first]);
	h->entries[h->first] = e;
	h->first = (h->first + 1) % HISTORY_MAX;
}

const struct history_entry *history_at(const struct history *h, size_t i)
{
	assert(i < h->n);
	return h->entries[(h->first + i) % h->size];
}

void history_copy(struct history *to, const struct history *from)
{
	history_deinit(to);
	for (size_t i = 0; i < from->n; i++)
		history_add(to, history_at(from, i));
}
