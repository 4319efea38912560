/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a bridge cannot do without: the same bytes from a TCP connection to a Unix socket and back
 * with 64 KiB buffers, and nothing else. With several clients each gets all that comes, from the
 * one buffer that was read; what a client sends goes to the server.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/load.h"
#include "bench/load_args.h"

static uint64_t buffer_size = 65536, clients = 1;
static double timeout = 120;

static const struct load_arg args[] = {
	{ "buffer", LOAD_COUNT, &buffer_size, "S: bytes of one read (64k)" },
	{ "clients", LOAD_COUNT, &clients, "K: each gets everything (1)" },
	{ "timeout", LOAD_SECONDS, &timeout, "SEC: give up then (120; 0: never)" },
	{ 0 },
};

/* To each client what it takes; who takes less is waited for when the others have theirs. */
static bool write_to_all(const struct pollfd *to, const unsigned char *data, size_t size)
{
	size_t *taken = load_alloc(clients * sizeof *taken);
	bool ok = true;

	for (uint64_t i = 0; i < clients; i++) {
		ssize_t n = send(to[i].fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);

		taken[i] = n < 0 ? 0 : (size_t)n;
		ok = ok && (n >= 0 || errno == EAGAIN);
	}
	for (uint64_t i = 0; ok && i < clients; i++)
		if (taken[i] < size)
			ok = load_write_all(to[i].fd, data + taken[i], size - taken[i]);
	free(taken);
	return ok;
}

/* fds[0] is the server, the rest are clients. */
static void relay(struct pollfd *fds, unsigned char *buf)
{
	for (;;) {
		if (poll(fds, (nfds_t)clients + 1, -1) < 0)
			load_die_errno("poll");
		for (uint64_t i = 0; i <= clients; i++) {
			ssize_t got;

			if (!(fds[i].revents & (POLLIN | POLLHUP)))
				continue;
			got = read(fds[i].fd, buf, buffer_size);
			if (got <= 0 && i == 0)
				return;
			if (got <= 0) {
				shutdown(fds[0].fd, SHUT_WR);
				fds[i].events = 0;
				fds[i].fd = -1;
				continue;
			}
			if (i > 0 && !load_write_all(fds[0].fd, buf, (size_t)got))
				return;
			if (i == 0 && clients == 1 && !load_write_all(fds[1].fd, buf, (size_t)got))
				return;
			if (i == 0 && clients > 1 && !write_to_all(fds + 1, buf, (size_t)got))
				return;
		}
	}
}

int main(int argc, char **argv)
{
	int listener, first = load_args(argc, argv, args, "relay [OPTION...] ADDRESS:PORT PATH");
	struct pollfd *fds;

	if (argc - first != 2 || clients < 1)
		load_die("--help shows what it wants");
	load_watchdog(timeout);
	fds = load_alloc((clients + 1) * sizeof *fds);
	fds[0] = (struct pollfd){ .fd = load_tcp_connect(argv[first]), .events = POLLIN };
	listener = load_unix_listen(argv[first + 1], 1024);
	for (uint64_t i = 1; i <= clients; i++) {
		fds[i] = (struct pollfd){ .fd = accept(listener, NULL, NULL), .events = POLLIN };
		if (fds[i].fd < 0)
			load_die_errno("accept");
	}
	relay(fds, load_alloc(buffer_size));
	return 0;
}
