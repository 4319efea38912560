/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One client of a control socket: lines in, answers out, in their order.
 * Owned by the server, which is told when it is over.
 */
#ifndef WSB_CONTROL_CONTROL_CLIENT_H
#define WSB_CONTROL_CONTROL_CLIENT_H

#include "control/call.h"
#include "net/listen.h"

struct control_client;

struct control_client_params {
	struct call_env *env;
	enum conf_level level;
	int fd; /* connected, taken */
	struct peer_cred peer;
	/* It is over: the last call, made at the end of a turn; free it there. */
	void (*over)(void *arg, struct control_client *c);
	void *arg;
};

struct control_client *control_client_new(const struct control_client_params *p);
void control_client_free(struct control_client *c); /* calls that still wait go unanswered */
/*
 * Its rights are no longer what they were: it gets the answers that are still due, for half a
 * minute at most, then it is over. Nothing more is taken from it.
 */
void control_client_dismiss(struct control_client *c);
void control_client_flush(
	struct control_client *c); /* what is done goes to the kernel, as far as it takes it */

#endif
