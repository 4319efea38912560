/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `wsbridge top` knows: the last `status`, and what follows from it and those before: rates
 * and their past. Pure: answers and times come in. A daemon that has been started anew counts from
 * 0, and so does a bridge of the same name that was made anew.
 */
#ifndef WSB_CLI_TOP_MODEL_H
#define WSB_CLI_TOP_MODEL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/top_graph.h"

/* Each second; below 0: not known yet. */
struct top_rate {
	double messages, bytes;
};

/* One way of a bridge, or of all. */
struct top_flow {
	double messages, bytes; /* counted so far */
	struct top_rate rate;
	struct top_series past; /* messages per second */
};

struct top_bridge {
	char *name;
	json_t *view; /* as `status` had it */
	struct top_flow rx, tx;
	struct top_series past; /* messages per second, both ways */
	double queued;		/* bytes: outbox and clients */
	double rtt, retry_in;	/* seconds, below 0: none */
	double reconnects, clients, dropped;
	size_t state; /* index in top_states */
	bool seen;    /* in this answer */
};

/* What should be looked at comes first. The last one is for what we do not know. */
enum {
	TOP_FAILED,
	TOP_WAITING,
	TOP_CONNECTING,
	TOP_CLOSING,
	TOP_OPEN,
	TOP_IDLE,
	TOP_CLOSED,
	N_TOP_STATES
};
extern const char *const top_states[N_TOP_STATES + 1]; /* names; "" behind them */

struct top_model {
	struct top_bridge **bridges; /* by name */
	size_t n;
	json_t *daemon;		/* as `status` had it; NULL before the first answer */
	struct top_rate rx, tx; /* of all */
	struct top_series past;
	size_t by_state[N_TOP_STATES + 1];
	double at; /* when the last answer came */
	size_t samples;
};

void top_model_init(struct top_model *m);
void top_model_deinit(struct top_model *m);

/* An answer of `status`, at a time in seconds on a clock that only goes forward. */
void top_model_take(struct top_model *m, const json_t *status, double now);

/* Nobody answers: a gap in what will be the past. */
void top_model_lost(struct top_model *m);

const struct top_bridge *top_model_find(const struct top_model *m, const char *name);

double top_rate_of(const struct top_bridge *b); /* messages per second, both ways */

#endif
