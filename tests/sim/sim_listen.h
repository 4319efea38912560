/* SPDX-License-Identifier: Apache-2.0 */
/* Listening Unix sockets without a file system: who connects names the path. */
#ifndef SIM_SIM_LISTEN_H
#define SIM_SIM_LISTEN_H

#include "net/listen.h"
#include "sim/sim_sock.h"

/* The client's end, NULL = nobody listens there. Accepted in the process's next turn. */
struct sim_sock *sim_connect(struct loop *l, struct sim_rand *r, const char *path, pid_t pid);
bool sim_is_listening(const char *path);
size_t sim_listeners_live(void);

#endif
