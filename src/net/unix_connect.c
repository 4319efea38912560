/* SPDX-License-Identifier: Apache-2.0 */
/* See unix_connect.h. It does not wait and does not try again: who dials decides that. */
#include "net/unix_connect.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int fail(struct error *err, int os, const char *path)
{
	if (os == EAGAIN) {
		error_set(err, ERR_CONNECT, "connect to unix:%s: busy, its backlog is full", path);
		err->os = os;
	} else {
		error_set_os(err, ERR_CONNECT, os, "connect to unix:%s", path);
	}
	err->stage = STAGE_CONNECT;
	return -1;
}

int unix_connect(const char *path, struct error *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	size_t n = strlen(path);
	int fd;

	if (n == 0 || n >= sizeof(addr.sun_path))
		return fail(err, n ? ENAMETOOLONG : EINVAL, path);
	memcpy(addr.sun_path, path, n + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(err, errno, path);
	if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0) {
		fail(err, errno, path);
		close(fd);
		return -1;
	}
	return fd;
}
