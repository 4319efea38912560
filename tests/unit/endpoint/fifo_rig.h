/* SPDX-License-Identifier: Apache-2.0 */
/* The rig with FIFOs instead of a socket; whoever reads or writes them is in the same process. */
#ifndef WSB_UNIT_ENDPOINT_FIFO_RIG_H
#define WSB_UNIT_ENDPOINT_FIFO_RIG_H

#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct rig rig;
static char out_path[64], in_path[64];

static inline int set_up(void **state)
{
	rig_init(&rig);
	snprintf(out_path, sizeof(out_path), "%s/out", rig.dir);
	snprintf(in_path, sizeof(in_path), "%s/in", rig.dir);
	rig.conf.unix_path = NULL;
	rig.conf.fifo_out = out_path;
	rig.conf.fifo_in = in_path;
	*state = &rig;
	return 0;
}

static inline void remove_lock(const char *path)
{
	char lock[80];

	snprintf(lock, sizeof(lock), "%s.lock", path);
	unlink(lock);
}

static inline int tear_down(void **state)
{
	(void)state;
	remove_lock(out_path);
	remove_lock(in_path);
	rig_close(&rig); /* the directory is empty then: no FIFO is left */
	return 0;
}

static inline int open_reader(void)
{
	int fd = open(out_path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

/* A reader that has come. */
static inline int attach_reader(void)
{
	int fd = open_reader();

	rig.want = 1;
	rig_wait(&rig, rig_has_clients);
	return fd;
}

static inline void leave(int fd)
{
	close(fd);
	rig.want = 0;
	rig_wait(&rig, rig_has_clients);
}

static inline void assert_reads(int fd, const char *text)
{
	char got[256];
	ssize_t n = read(fd, got, sizeof(got) - 1);

	assert_true(n >= 0);
	got[n] = '\0';
	assert_string_equal(got, text);
}

/* Nobody may die of writing to a pipe that nobody reads. */
static inline void ignore_sigpipe(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGPIPE, &ignore, NULL);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif
