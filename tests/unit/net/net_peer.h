/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of this host that listen, refuse, or swallow what is sent to them. */
#ifndef WSB_UNIT_NET_NET_PEER_H
#define WSB_UNIT_NET_NET_PEER_H

#include "net_test.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

struct address {
	struct sockaddr_storage ss;
	socklen_t len;
	char text[80]; /* as happy writes it */
	uint16_t port;
};

static inline void address_set(struct address *a, const char *host, uint16_t port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST };
	struct addrinfo *ai;
	char service[8];

	snprintf(service, sizeof(service), "%u", (unsigned)port);
	assert_int_equal(getaddrinfo(host, service, &hints, &ai), 0);
	memset(a, 0, sizeof(*a));
	memcpy(&a->ss, ai->ai_addr, ai->ai_addrlen);
	a->len = ai->ai_addrlen;
	a->port = port;
	snprintf(a->text, sizeof(a->text), strchr(host, ':') ? "[%s]:%u" : "%s:%u", host,
		 (unsigned)port);
	freeaddrinfo(ai);
}

static inline int socket_for(const struct address *a)
{
	int fd = socket(a->ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	return fd;
}

static inline bool have_ipv6(void)
{
	struct address a;
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool have;

	address_set(&a, "::1", 0);
	have = fd >= 0 && bind(fd, (struct sockaddr *)&a.ss, a.len) == 0;
	if (fd >= 0)
		close(fd);
	return have;
}

/* A port of its own at this address; backlog < 0: bound only, so it refuses. */
static inline int address_open(struct address *a, const char *host, int backlog)
{
	struct sockaddr_storage own;
	socklen_t len = sizeof(own);
	int fd;

	address_set(a, host, 0);
	fd = socket_for(a);
	assert_int_equal(bind(fd, (struct sockaddr *)&a->ss, a->len), 0);
	if (backlog >= 0)
		assert_int_equal(listen(fd, backlog), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&own, &len), 0);
	address_set(a, host,
		    ntohs(own.ss_family == AF_INET6 ?
				  ((struct sockaddr_in6 *)(void *)&own)->sin6_port :
				  ((struct sockaddr_in *)(void *)&own)->sin_port));
	return fd;
}

/* A listener whose queue is full: the kernel drops each further SYN without a word. */
struct blackhole {
	struct address at;
	int listener, fill;
};

static inline void blackhole_open(struct blackhole *b, const char *host)
{
	struct pollfd p = { .events = POLLOUT };

	b->listener = address_open(&b->at, host, 0);
	b->fill = socket_for(&b->at);
	connect(b->fill, (struct sockaddr *)&b->at.ss, b->at.len);
	p.fd = b->fill;
	assert_int_equal(poll(&p, 1, 5000), 1);
}

static inline void blackhole_close(struct blackhole *b)
{
	close(b->fill);
	close(b->listener);
}

/* From now on it is an ordinary listener: what was sent before is sent again by TCP in a while. */
static inline void blackhole_heal(struct blackhole *b)
{
	int fd = accept4(b->listener, NULL, NULL, SOCK_CLOEXEC);

	assert_true(fd >= 0);
	close(fd);
}

static inline size_t count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static inline bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

/* For a forked child: a network with nothing in it but loopback. False: not allowed here. */
static inline bool own_network(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	bool ok;
	int fd;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0 && unshare(CLONE_NEWNET) < 0)
		return false;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ok = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &ifr) == 0;
	if (fd >= 0)
		close(fd);
	return ok;
}

#endif
