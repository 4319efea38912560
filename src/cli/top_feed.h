/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where `wsbridge top` has its answers from: one connection to the daemon, one question after the
 * other, nothing that waits. When the daemon is away it says why, and connects anew when it is
 * asked the next time. It reads no clock.
 */
#ifndef WSB_CLI_TOP_FEED_H
#define WSB_CLI_TOP_FEED_H

#include <jansson.h>

#include "cli/call.h"

#define TOP_PATIENCE 5.0 /* seconds without an answer, before the user is told */

struct top_feed {
	const char *path;
	struct call *call; /* NULL: there is no connection */
	enum { FEED_IDLE, FEED_STATUS, FEED_EXPLAIN } asked;
	double since;		    /* when it was asked */
	char *name;		    /* what to explain behind the status; NULL: nothing */
	json_t *status, *explained; /* the last answers; explained: NULL if there is none */
	char *trouble;		    /* why there are no answers; NULL: there are */
};

enum feed_news {
	FEED_NOTHING,
	FEED_ANSWER, /* status is new, and explained, if a name was given */
	FEED_LOST,   /* trouble says why */
};

/* The connection is taken. */
void top_feed_init(struct top_feed *f, const char *path, struct call *call_taken);
void top_feed_deinit(struct top_feed *f);

/* Asks, unless it waits for an answer. name: NULL = only for the status. */
enum feed_news top_feed_ask(struct top_feed *f, const char *name, double now);

/* When top_feed_fd is readable. */
enum feed_news top_feed_look(struct top_feed *f);
int top_feed_fd(const struct top_feed *f); /* -1: none */

/* If an answer takes long, says so: true when the user knows something new. */
bool top_feed_grumble(struct top_feed *f, double now);

#endif
