/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See connect_pump.h. The thread takes no signal, so a write to a pipe that
 * nobody reads is an error and no death. The trap: it is cancelled while it
 * waits, so between its system calls it must hold nothing.
 */
#include "tool/connect_pump.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

#define PIECE 65536

struct connect_pump {
	pthread_t thread;
	enum connect_pump_way way;
	int fd;
	int socket; /* the thread's end */
	int os;	    /* to be read when the thread is over */
	uint8_t bytes[PIECE];
};

static bool write_all(struct connect_pump *p, int to, size_t n)
{
	size_t done = 0;

	while (done < n) {
		ssize_t wrote = write(to, p->bytes + done, n - done);

		if (wrote < 0 && errno != EINTR)
			return false;
		if (wrote > 0)
			done += (size_t)wrote;
	}
	return true;
}

/* What goes wrong on the loop's side is no error: it has seen enough. */
static void copy(struct connect_pump *p)
{
	int from = p->way == PUMP_IN ? p->fd : p->socket;
	int to = p->way == PUMP_IN ? p->socket : p->fd;
	ssize_t n;

	for (;;) {
		n = read(from, p->bytes, PIECE);
		if (n == 0 || (n < 0 && errno != EINTR))
			break;
		if (n > 0 && !write_all(p, to, (size_t)n))
			break;
	}
	if (n < 0 ? p->way == PUMP_IN : n > 0 && p->way == PUMP_OUT)
		p->os = errno;
}

static void *run(void *arg)
{
	struct connect_pump *p = arg;

	copy(p);
	shutdown(p->socket, SHUT_RDWR);
	return NULL;
}

static void start_thread(struct connect_pump *p)
{
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	errno = pthread_create(&p->thread, NULL, run, p);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (errno == 0)
		return;
	perror("wsbridge: a thread for standard input or output");
	abort();
}

struct connect_pump *connect_pump_new(int fd, enum connect_pump_way way, int *end)
{
	struct connect_pump *p = mem_zalloc(sizeof(*p));
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0 ||
	    fcntl(pair[0], F_SETFL, O_NONBLOCK) < 0) {
		perror("wsbridge: a socket for standard input or output");
		abort();
	}
	*end = pair[0];
	p->fd = fd;
	p->way = way;
	p->socket = pair[1];
	start_thread(p);
	return p;
}

int connect_pump_free(struct connect_pump *p)
{
	int os;

	if (!p)
		return 0;
	pthread_cancel(p->thread);
	pthread_join(p->thread, NULL);
	os = p->os;
	close(p->socket);
	free(p);
	return os;
}
