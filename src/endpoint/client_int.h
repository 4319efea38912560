/* SPDX-License-Identifier: Apache-2.0 */
/* A client from inside: what client.c and client_out.c share. Owned by nobody. */
#ifndef WSB_ENDPOINT_CLIENT_INT_H
#define WSB_ENDPOINT_CLIENT_INT_H

#include "endpoint/client.h"

/* On to a later state; what waits is forgotten, but in CLOSING. */
void client_enter(struct client *c, enum client_state state);

/* Writes what waits as far as it can be, and sees what follows from that. */
void client_write(struct client *c);

#endif
