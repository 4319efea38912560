/* SPDX-License-Identifier: Apache-2.0 */
/* See std_fds.h. The trap: open takes the lowest number that is free, so they go in their order. */
#include "base/std_fds.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

void std_fds_fill(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) < 0)
			abort();
}
