/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A listening Unix stream socket at a path, as safe as its mode says at every
 * instant: lock file, bind under a temporary name, mode set, listening, then
 * renamed into place. A dead socket in the place is replaced; one that somebody
 * serves, or a file that is no socket, is an error and stays. Owned by an
 * endpoint or by the control server.
 */
#ifndef WSB_NET_LISTEN_H
#define WSB_NET_LISTEN_H

#include <sys/types.h>

#include "base/error.h"

struct listener;
struct loop;

struct peer_cred {
	pid_t pid; /* 0 = unknown */
	uid_t uid;
	gid_t gid;
};

/* fd: connected, non-blocking, close-on-exec, now the callee's. */
typedef void (*listener_cb)(void *arg, int fd, const struct peer_cred *peer);

/*
 * NULL: *err is ERR_ENDPOINT; err->os is EADDRINUSE if another process serves
 * the path. The path is at most 100 bytes.
 */
struct listener *listener_new(struct loop *l, const char *path, mode_t mode, struct error *err);
void listener_start(struct listener *ln, listener_cb cb, void *arg); /* accepts from now on */
void listener_stop(
	struct listener *ln); /* no more accepts, and the name is removed if it is still ours */
void listener_free(struct listener *ln); /* stops too; NULL is fine */

#endif
