/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of private sharing share: the life of pairs, and the books of them. */
#ifndef WSB_BRIDGE_PAIR_INT_H
#define WSB_BRIDGE_PAIR_INT_H

#include "bridge/bridge_int.h"

struct pair {
	struct list node; /* of the bridge, the newest last */
	struct bridge *b;
	client_id client;	   /* 0 = it has left */
	struct endpoint *endpoint; /* the client's */
	uint64_t number;	   /* of the bridge, from 1: names it in a trace */
	struct link *link;
	struct lane lane;
	bool input_ended; /* the client will write nothing more */
	bool paused;	  /* reading waits for the client */
	bool over;	  /* the link is at rest and will stay so */
	uint64_t seq;
	struct timer linger;
};

static inline struct pair *pair_at(struct list *node)
{
	return list_entry(node, struct pair, node);
}

struct pair *pair_find(const struct bridge *b, client_id client); /* NULL = it has none */
void pair_keep_past(struct pair *p);				  /* before it is freed */
void bridge_trace_pair(struct pair *p); /* if the bridge is traced, or no more */

#endif
