/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See peer_check.h. Nobody is let in who is not on the list, root included.
 * Where the kernel does not tell the supplementary groups (before 4.13), only
 * the primary one counts.
 */
#include "net/peer_check.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "net/ids.h"
#include "net/listen.h"

/* More than a process can have (NGROUPS_MAX, getgroups(2)). */
#define GROUPS_MAX 65536
#define GROUPS_USUAL 64

bool peer_check_init(struct peer_check *c, const struct peer_names *names, struct error *err)
{
	*c = (struct peer_check){ .n_users = names->n_users, .n_groups = names->n_groups };
	if (c->n_users > 0)
		c->users = mem_array(c->n_users, sizeof(*c->users));
	if (c->n_groups > 0)
		c->groups = mem_array(c->n_groups, sizeof(*c->groups));
	for (size_t i = 0; i < names->n_users; i++)
		if (!ids_user(names->users[i], &c->users[i], err))
			goto unknown;
	for (size_t i = 0; i < names->n_groups; i++)
		if (!ids_group(names->groups[i], &c->groups[i], err))
			goto unknown;
	return true;
unknown:
	peer_check_deinit(c);
	return false;
}

void peer_check_deinit(struct peer_check *c)
{
	free(c->users);
	free(c->groups);
	*c = (struct peer_check){ 0 };
}

static bool has_group(const struct peer_check *c, gid_t group)
{
	for (size_t i = 0; i < c->n_groups; i++)
		if (c->groups[i] == group)
			return true;
	return false;
}

static bool has_one_of(const struct peer_check *c, const gid_t *groups, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (has_group(c, groups[i]))
			return true;
	return false;
}

static bool has_supplementary(const struct peer_check *c, int fd)
{
	gid_t few[GROUPS_USUAL], *many;
	socklen_t len = sizeof(few);
	bool found;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, few, &len) == 0)
		return has_one_of(c, few, len / sizeof(*few));
	if (errno != ERANGE || len > GROUPS_MAX * sizeof(*many))
		return false;
	many = mem_alloc(len);
	found = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, many, &len) == 0 &&
		has_one_of(c, many, len / sizeof(*many));
	free(many);
	return found;
}

bool peer_check_allows(const struct peer_check *c, const struct peer_cred *peer, int fd)
{
	if (c->n_users == 0 && c->n_groups == 0)
		return true;
	for (size_t i = 0; i < c->n_users; i++)
		if (c->users[i] == peer->uid)
			return true;
	if (c->n_groups == 0)
		return false;
	return has_group(c, peer->gid) || has_supplementary(c, fd);
}
