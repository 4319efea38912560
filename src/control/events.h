/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happened to all bridges lately, and who reads it: one ring for the
 * daemon, and for each client of a control socket a reader with its
 * subscriptions. Readers pull; one that is slow is overtaken by the ring and
 * told how much it has missed. Nothing is recorded while nobody asks for it,
 * but for a while after the last one has gone, who may come back.
 */
#ifndef WSB_CONTROL_EVENTS_H
#define WSB_CONTROL_EVENTS_H

#include <jansson.h>

#include "base/error.h"

struct bridge;
struct event_reader;
struct events;
struct loop;
struct rand_source;
struct record;

#define EVENTS_OF_ALL "*" /* a name: all bridges */
#define EVENTS_MAX 4096	  /* that are kept */
#define EVENTS_BYTES_MAX ((size_t)16 << 20)
#define EVENTS_KEEP ((int64_t)60 * 1000000) /* recorded for nobody: for one that comes back */
#define SUBSCRIPTIONS_MAX 16		    /* of one reader */

extern const char *const event_names[]; /* what can be subscribed to; NULL at the end */

/* changed is called when events_wanted is another. */
struct events *events_new(struct loop *l, struct rand_source *rand, void (*changed)(void *arg),
			  void *arg);
void events_free(struct events *e); /* after its readers */
bool events_wanted(const struct events *e);
size_t events_subscriptions(const struct events *e);
/* r as in struct bridge_tap. */
void events_add(struct events *e, struct bridge *b, const struct record *r);

/* wake: there is something to read; from inside events_add. */
struct event_reader *event_reader_new(struct events *e, void (*wake)(void *arg), void *arg);
void event_reader_free(struct event_reader *r);

struct event_choice {
	const char *name; /* of a bridge, or EVENTS_OF_ALL */
	char *const *events;
	size_t n_events;   /* 0 = all */
	const char *since; /* a cursor; NULL = from now on */
};
/* The result of `subscribe`, a new reference. NULL: *err. */
json_t *event_reader_subscribe(struct event_reader *r, const struct event_choice *choice,
			       struct error *err);
/* By number, or by name where that is not NULL. How many there were. */
size_t event_reader_unsubscribe(struct event_reader *r, int64_t number, const char *name);
bool event_reader_is_subscribed(const struct event_reader *r);

/* The next notification as a line; free() by the caller. NULL = nothing is there now. */
char *event_reader_next(struct event_reader *r, size_t *n);
bool event_reader_is_behind(const struct event_reader *r); /* there may be something */
void event_reader_lost(struct event_reader *r); /* what came last could not be passed on */

#endif
