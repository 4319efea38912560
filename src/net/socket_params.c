/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One socket with its options. Whatever the kernel refuses ends the attempt:
 * a connection without the mark or the device that was asked for may take a
 * way it must not. Its trap: the kernel counts in seconds or milliseconds, and
 * 0 means something else there, so times are rounded up.
 */
#include "net/socket_params.h"

#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct option {
	const char *name; /* below "socket." */
	int level, number;
	int64_t value;
	bool wanted;
};

int socket_params_family(const struct socket_params *params)
{
	switch (params->family) {
	case SOCKET_IPV4:
		return AF_INET;
	case SOCKET_IPV6:
		return AF_INET6;
	case SOCKET_ANY:
		break;
	}
	if (params->bind_address[0])
		return strchr(params->bind_address, ':') ? AF_INET6 : AF_INET;
	return AF_UNSPEC;
}

static bool refused(struct error *err, const char *option, int os)
{
	error_set_os(err, ERR_CONNECT, os, "option socket.%s", option);
	err->stage = STAGE_CONNECT;
	snprintf(err->option, sizeof(err->option), "socket.%s", option);
	return false;
}

static bool set_option(int fd, const struct option *o, struct error *err)
{
	int value = (int)o->value;

	if (!o->wanted)
		return true;
	if (o->value > INT_MAX)
		return refused(err, o->name, ERANGE);
	if (setsockopt(fd, o->level, o->number, &value, sizeof(value)) < 0)
		return refused(err, o->name, errno);
	return true;
}

static int64_t in_units(int64_t us, int64_t unit)
{
	return us / unit + (us % unit != 0);
}

static bool set_options(int fd, const struct socket_params *p, struct error *err)
{
	const struct option options[] = {
		{ "nodelay", IPPROTO_TCP, TCP_NODELAY, 1, p->nodelay },
		{ "user_timeout", IPPROTO_TCP, TCP_USER_TIMEOUT, in_units(p->user_timeout, 1000),
		  p->user_timeout != 0 },
		{ "keepalive", SOL_SOCKET, SO_KEEPALIVE, 1, p->keepalive },
		{ "keepalive.idle", IPPROTO_TCP, TCP_KEEPIDLE, in_units(p->keepalive_idle, 1000000),
		  p->keepalive && p->keepalive_idle },
		{ "keepalive.interval", IPPROTO_TCP, TCP_KEEPINTVL,
		  in_units(p->keepalive_interval, 1000000), p->keepalive && p->keepalive_interval },
		{ "keepalive.count", IPPROTO_TCP, TCP_KEEPCNT, p->keepalive_count,
		  p->keepalive && p->keepalive_count },
		{ "mark", SOL_SOCKET, SO_MARK, (int32_t)p->mark, p->mark != 0 },
		{ "rcvbuf", SOL_SOCKET, SO_RCVBUF, p->rcvbuf, p->rcvbuf != 0 },
		{ "sndbuf", SOL_SOCKET, SO_SNDBUF, p->sndbuf, p->sndbuf != 0 },
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (!set_option(fd, &options[i], err))
			return false;
	return true;
}

static bool bind_device(int fd, const char *device, struct error *err)
{
	size_t n = strlen(device);

	if (n == 0 || setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)n) == 0)
		return true;
	return refused(err, "bind_device", errno);
}

static bool bind_to(int fd, const struct addrinfo *ai, struct error *err)
{
	int on = 1;

	/* Else the port is taken for all destinations alike, and they run out. */
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	return bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 || refused(err, "bind_address", errno);
}

static bool bind_address(int fd, int family, const char *address, struct error *err)
{
	struct addrinfo hints = {
		.ai_family = family,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST,
	};
	struct addrinfo *list;
	bool ok;

	if (!address[0])
		return true;
	if (getaddrinfo(address, NULL, &hints, &list) != 0) {
		refused(err, "bind_address", EAFNOSUPPORT);
		return error_context(err, "%s is no %s address", address,
				     family == AF_INET6 ? "IPv6" : "IPv4");
	}
	ok = bind_to(fd, list, err);
	freeaddrinfo(list);
	return ok;
}

/*
 * What the kernel holds is past overtaking: more than this waits with us, where control frames
 * pass it (tcp(7), TCP_NOTSENT_LOWAT). A kernel without it works as well, only later.
 */
static void bound_unsent(int fd)
{
	int bytes = 128 * 1024;

	setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &bytes, sizeof(bytes));
}

int socket_open(int family, const struct socket_params *params, struct error *err)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0) {
		error_set_os(err, ERR_CONNECT, errno, "socket");
		err->stage = STAGE_CONNECT;
		return -1;
	}
	bound_unsent(fd);
	if (set_options(fd, params, err) && bind_device(fd, params->bind_device, err) &&
	    bind_address(fd, family, params->bind_address, err))
		return fd;
	close(fd);
	return -1;
}
