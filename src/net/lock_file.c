/* SPDX-License-Identifier: Apache-2.0 */
/* See lock_file.h. */
#include "net/lock_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/mem.h"

int lock_file_take(const char *name, struct error *err)
{
	mem_auto_str path = mem_printf("%s.lock", name);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);

	if (fd < 0) {
		error_set_os(err, ERR_ENDPOINT, errno, "open %s", path);
		return -1;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	error_set(err, ERR_ENDPOINT, "%s is served by another process, which holds %s", name, path);
	err->os = EADDRINUSE;
	close(fd);
	return -1;
}
