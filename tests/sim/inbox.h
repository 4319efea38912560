/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the server of a feed has from its local clients: in their order, no
 * message twice, none that its client was told is not sent, none above the rate.
 */
#ifndef SIM_INBOX_H
#define SIM_INBOX_H

#include "sim/seen.h"
#include "sim/stamp.h"

struct conn;
struct feed;

/* Of one client. */
struct letters {
	struct seen come, refused;
};

struct inbox {
	struct letters *of; /* by client */
	size_t n;
	uint64_t received;
};

void inbox_message(struct conn *c, struct span payload);
void inbox_refused(struct feed *f, struct stamp st); /* its client was told so */
void inbox_deinit(struct feed *f);

#endif
