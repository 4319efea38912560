/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See load.h: the sockets of the load tools, which block.
 */
#include "bench/load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct sockaddr_un unix_address(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t length = strlen(path);

	if (length >= sizeof address.sun_path)
		load_die("%s: the path is too long", path);
	memcpy(address.sun_path, path, length);
	return address;
}

int load_unix_connect(const char *path)
{
	struct sockaddr_un address = unix_address(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	load_wait_for_file(path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
		load_die_errno(path);
	return fd;
}

/* One that is not yet listened on would refuse: it gets its name when it is ready. */
int load_unix_listen(const char *path, int backlog)
{
	struct sockaddr_un address;
	char other[sizeof address.sun_path];
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t length = strlen(path);

	if (length + 2 > sizeof other)
		load_die("%s: the path is too long", path);
	memcpy(other, path, length);
	memcpy(other + length, "~", 2);
	address = unix_address(other);
	unlink(other);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
	    listen(fd, backlog) != 0 || rename(other, path) != 0)
		load_die_errno(path);
	return fd;
}

int load_tcp_connect(const char *spec)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	const char *colon = strrchr(spec, ':');
	char host[INET_ADDRSTRLEN];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int one = 1;

	if (!colon || (size_t)(colon - spec) >= sizeof host)
		load_die("%s: not ADDRESS:PORT", spec);
	memcpy(host, spec, (size_t)(colon - spec));
	host[colon - spec] = '\0';
	address.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
	if (inet_pton(AF_INET, host, &address.sin_addr) != 1)
		load_die("%s: not ADDRESS:PORT", spec);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
		load_die_errno(spec);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	return fd;
}

bool load_write_all(int fd, const void *data, size_t size)
{
	struct pollfd room = { .fd = fd, .events = POLLOUT };
	const unsigned char *at = data;

	while (size > 0) {
		ssize_t written = write(fd, at, size);

		if (written < 0 && errno == EAGAIN) /* a library made it non-blocking */
			poll(&room, 1, -1);
		else if (written < 0 && errno != EINTR)
			return false;
		if (written < 0)
			continue;
		at += written;
		size -= (size_t)written;
	}
	return true;
}
