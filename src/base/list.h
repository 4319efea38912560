/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intrusive doubly linked list. A node that is on no list points to itself,
 * so list_remove may be called twice.
 */
#ifndef WSB_BASE_LIST_H
#define WSB_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *prev, *next;
};

static inline void list_init(struct list *l)
{
	l->prev = l->next = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

static inline void list_append(struct list *head, struct list *node)
{
	node->prev = head->prev;
	node->next = head;
	head->prev->next = node;
	head->prev = node;
}

static inline void list_remove(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

#define list_entry(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

/* `next` is read before the body runs: the body may remove `it`, and only `it`. */
#define list_each(it, nextvar, head)                                            \
	for (struct list *it = (head)->next, *nextvar = it->next; it != (head); \
	     it = nextvar, nextvar = it->next)

#endif
