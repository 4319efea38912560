/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A listening TCP socket at ADDRESS:PORT or [ADDRESS]:PORT, in numbers: nothing
 * is looked up. Who connects is not known, so whoever may reach the address may
 * connect.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "net/listen_int.h"

static bool fail(struct error *err, int os, const char *what, const char *address)
{
	return error_set_os(err, ERR_ENDPOINT, os, "%s %s", what, address);
}

static bool parse(const char *text, struct sockaddr_storage *addr, socklen_t *len)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)addr;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)addr;
	const char *colon = strrchr(text, ':');
	mem_auto_str host = colon ? mem_strndup(text, (size_t)(colon - text)) : mem_strdup("");
	size_t n = strlen(host);
	unsigned long given = colon ? strtoul(colon + 1, NULL, 10) : 0;
	in_port_t port = htons((uint16_t)given);

	memset(addr, 0, sizeof(*addr));
	if (given == 0 || given > UINT16_MAX)
		return false;
	if (n > 2 && host[0] == '[' && host[n - 1] == ']') {
		host[n - 1] = '\0';
		v6->sin6_family = AF_INET6;
		v6->sin6_port = port;
		*len = sizeof(*v6);
		return inet_pton(AF_INET6, host + 1, &v6->sin6_addr) == 1;
	}
	v4->sin_family = AF_INET;
	v4->sin_port = port;
	*len = sizeof(*v4);
	return inet_pton(AF_INET, host, &v4->sin_addr) == 1;
}

bool listen_tcp(struct listener *ln, struct error *err)
{
	struct sockaddr_storage addr;
	socklen_t len;
	int on = 1;

	if (!parse(ln->path, &addr, &len))
		return error_set(err, ERR_ENDPOINT, "%s is not ADDRESS:PORT", ln->path);
	ln->fd = socket(addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (ln->fd < 0)
		return fail(err, errno, "socket for", ln->path);
	/* Connections of a daemon that has ended must not keep the next one from the port. */
	setsockopt(ln->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(ln->fd, (struct sockaddr *)&addr, len) < 0)
		return fail(err, errno, "bind", ln->path);
	return listen(ln->fd, LISTEN_BACKLOG) == 0 ? true : fail(err, errno, "listen on", ln->path);
}
