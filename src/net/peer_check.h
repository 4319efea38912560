/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may connect: the users and groups of a list, looked up once, against the
 * credentials the kernel noted when the peer connected (unix(7), SO_PEERCRED
 * and SO_PEERGROUPS). Owned by a listener.
 */
#ifndef WSB_NET_PEER_CHECK_H
#define WSB_NET_PEER_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

struct peer_cred;

struct peer_check {
	uid_t *users;
	gid_t *groups;
	size_t n_users, n_groups; /* both 0: everybody */
};

struct peer_names {
	char *const *users, *const *groups; /* names or numbers */
	size_t n_users, n_groups;
};

/* False: *err is ERR_ENDPOINT, and there is nothing to deinit. */
bool peer_check_init(struct peer_check *c, const struct peer_names *names, struct error *err);
void peer_check_deinit(struct peer_check *c); /* twice is fine */

/* fd: the connected socket, for the peer's supplementary groups. */
bool peer_check_allows(const struct peer_check *c, const struct peer_cred *peer, int fd);

#endif
