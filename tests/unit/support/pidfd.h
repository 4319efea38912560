/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs cannot be run under valgrind: 3.19 knows neither pidfd_open(2) nor the shared
 * memory of vfork(2), through which posix_spawn(3) says that there is no such program.
 */
#ifndef WSB_UNIT_SUPPORT_PIDFD_H
#define WSB_UNIT_SUPPORT_PIDFD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/pidfd.h>
#include <unistd.h>

/* Skips the test that calls it. */
static inline void need_pidfd(void)
{
	int fd = pidfd_open(getpid(), 0);

	if (fd < 0)
		skip();
	close(fd);
}

#endif
