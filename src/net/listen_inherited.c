/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listening sockets that somebody else has made and handed down, by name
 * (sd_listen_fds(3)). They belong to the process, not to a listener: one that
 * ends gives its socket back, open, with the connections that wait in it, and
 * the next one goes on. Their paths are nobody's here and are never removed.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "net/listen_int.h"

struct inherited {
	struct inherited *next;
	char *name;
	int fd;
	bool lent;
};

static struct inherited *all;

void listener_inherit(const char *name, int fd)
{
	struct inherited *h = mem_zalloc(sizeof(*h)), **end = &all;
	int flags = fcntl(fd, F_GETFL);

	fcntl(fd, F_SETFD, FD_CLOEXEC);
	if (flags >= 0)
		fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	h->name = mem_strdup(name);
	h->fd = fd;
	while (*end)
		end = &(*end)->next;
	*end = h;
}

static bool has_option(int fd, int option, int value)
{
	int is;
	socklen_t len = sizeof(is);

	return getsockopt(fd, SOL_SOCKET, option, &is, &len) == 0 && is == value;
}

static const char *fault_of(const struct inherited *h, int type)
{
	if (!has_option(h->fd, SO_DOMAIN, AF_UNIX))
		return "is no Unix socket";
	if (!has_option(h->fd, SO_ACCEPTCONN, 1))
		return "does not listen";
	if (!has_option(h->fd, SO_TYPE, type))
		return type == SOCK_STREAM ? "is not of the type \"stream\"" :
					     "is not of the type \"seqpacket\"";
	return NULL;
}

/* Several may have the same name: the first that will do. */
bool listen_inherited(struct listener *ln, struct error *err)
{
	const char *name = ln->path + strlen(LISTEN_INHERITED), *fault = NULL;
	bool lent = false;

	for (struct inherited *h = all; h; h = h->next) {
		if (strcmp(h->name, name) != 0)
			continue;
		lent = lent || h->lent;
		if (h->lent)
			continue;
		fault = fault_of(h, ln->type);
		if (fault)
			continue;
		h->lent = true;
		ln->inherited = h;
		ln->fd = h->fd;
		return true;
	}
	if (fault)
		return error_set(err, ERR_ENDPOINT, "the inherited socket \"%s\" %s", name, fault);
	if (!lent)
		return error_set(err, ERR_ENDPOINT,
				 "no socket named \"%s\" was handed down by the service manager",
				 name);
	error_set(err, ERR_ENDPOINT, "the inherited socket \"%s\" is in use already", name);
	err->os = EADDRINUSE;
	return false;
}

void listen_give_back(struct listener *ln)
{
	ln->inherited->lent = false;
	ln->inherited = NULL;
}
