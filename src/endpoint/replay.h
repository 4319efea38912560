/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last messages of an endpoint, encoded, for a client that attaches. They
 * are copies, but for big ones: one small record would keep a whole chunk
 * alive. At least the last one is kept, whatever its size. Owned by an
 * endpoint. Pure: no I/O.
 */
#ifndef WSB_ENDPOINT_REPLAY_H
#define WSB_ENDPOINT_REPLAY_H

#include "endpoint/endpoint.h"
#include "endpoint/outq.h"

struct replay {
	struct endpoint_quota quota; /* of its own: it waits for nobody */
	struct outq kept;
	const struct framing *framing;
	size_t max; /* messages; 0 = off */
};

void replay_init(struct replay *r, const struct framing *framing, size_t max, size_t max_bytes);
void replay_deinit(struct replay *r); /* twice is fine */

void replay_add(struct replay *r, const struct chunk_range *run); /* events in it are left out */

size_t replay_n_runs(const struct replay *r);
const struct chunk_range *replay_run(const struct replay *r, size_t i); /* until the next change */

#endif
