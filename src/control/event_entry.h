/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One event as the ring keeps it: a copy of what its bridge has told, in one
 * piece of memory. Pure but for reading the bridge and the clock.
 */
#ifndef WSB_CONTROL_EVENT_ENTRY_H
#define WSB_CONTROL_EVENT_ENTRY_H

#include "bridge/bridge.h"

#define EVENT_KINDS_MAX 7 /* as many as there are event_names */

/* An index into event_names, -1: this is no event of a bridge. r as in struct bridge_tap. */
int event_kind(const struct record *r);

struct event_entry {
	unsigned kind;
	char bridge[BRIDGE_NAME_MAX + 1];
	const char *state;    /* a constant */
	struct record record; /* borrows from below */
	struct error err;
	size_t size; /* of all of it */
	uint8_t data[];
};

/* NULL: it would be larger than max, or there is no memory. From malloc. */
struct event_entry *event_entry_new(struct bridge *b, const struct record *r, size_t max);
json_t *event_entry_view(const struct event_entry *entry); /* new reference */

#endif
