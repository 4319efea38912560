/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A listening socket: Unix, or TCP at an address of this machine. One at a path
 * is as safe as its mode says at every instant: lock file, bind under a
 * temporary name, owner and mode set, listening, then renamed into place. A
 * dead socket in the place is replaced; one that somebody serves, or a file
 * that is no socket, is an error and stays. Owned by an endpoint or by the
 * control server.
 */
#ifndef WSB_NET_LISTEN_H
#define WSB_NET_LISTEN_H

#include <stdbool.h>
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

/* Strings and lists are copied. */
struct listener_params {
	const char *path; /* at most 100 bytes; "@name" = abstract; "systemd:NAME" = inherited */
	bool tcp;	  /* path is ADDRESS:PORT, and nothing below is looked at */
	bool seqpacket;
	mode_t mode;		   /* not for abstract and inherited ones */
	const char *owner, *group; /* of the file; name or number; NULL = as it comes */
	/* Names or numbers; both empty: everybody whom the mode lets in. */
	char *const *allow_users, *const *allow_groups;
	size_t n_allow_users, n_allow_groups;
};

/*
 * NULL: *err is ERR_ENDPOINT; err->os is EADDRINUSE if another process serves the path. Names
 * are looked up now. Peers that allow_* does not name (SO_PEERCRED; of their groups the primary
 * one and those of SO_PEERGROUPS) are closed before a byte is read, and told to the
 * listener_refused_cb.
 */
struct listener *listener_new(struct loop *l, const struct listener_params *params,
			      struct error *err);
typedef void (*listener_refused_cb)(void *arg, const struct peer_cred *peer);
void listener_on_refused(struct listener *ln, listener_refused_cb cb, void *arg);

/*
 * The sockets that the service manager has handed down (sd_listen_fds(3)), to
 * be called once at start. Each is given out once at a time, by its name.
 */
void listener_inherit(const char *name, int fd);

void listener_start(struct listener *ln, listener_cb cb, void *arg); /* accepts from now on */
void listener_stop(
	struct listener *ln); /* no more accepts, and the name is removed if it is still ours */
void listener_free(struct listener *ln); /* stops too; NULL is fine */

#endif
