/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of link/ and bridge/ stand in: the real loop, a dialer, a
 * server (ws_peer.h), a directory for sockets, configurations from text. Single
 * quotes in that text become double quotes; $PORT is the server's port and
 * $DIR the directory.
 */
#ifndef WSB_UNIT_SUPPORT_WORLD_H
#define WSB_UNIT_SUPPORT_WORLD_H

#include "conf/main_conf.h"
#include "net/dial.h"
#include "net/loop.h"
#include "support/ws_peer.h"

struct world {
	struct loop *loop;
	struct dialer *dialer;
	struct ws_peer peer;
	char dir[40];
};

void world_init(struct world *w);
void world_deinit(struct world *w); /* what the test made must be gone, sockets included */

struct bridge_conf *world_bridge_conf(struct world *w, const char *name, const char *text);
struct main_conf *world_main_conf(struct world *w, const char *text);

/* Turns the loop until it holds; the test fails if it does not for 20 seconds. */
void world_wait(struct world *w, bool (*holds)(void *arg), void *arg);
void world_wait_count(struct world *w, const unsigned *count, unsigned at_least);
void world_wait_flag(struct world *w, const bool *flag);
void world_wait_seen(struct world *w, const char *part); /* by the server */
void world_turn_for(struct world *w, int64_t us); /* where the point is that nothing happens */

int world_status_of(struct span head); /* that of a response; 0: it has not come */

#endif
