/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of a TCP socket (the `socket` object of a bridge), all of them
 * set before it connects: the buffer sizes decide about window scaling, the
 * mark and the device about the route.
 */
#ifndef WSB_NET_SOCKET_PARAMS_H
#define WSB_NET_SOCKET_PARAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum socket_family { SOCKET_ANY, SOCKET_IPV4, SOCKET_IPV6 };

struct socket_params {
	bool nodelay;
	int64_t user_timeout; /* TCP_USER_TIMEOUT, microseconds, 0 = the system's; SYNs included */
	bool keepalive;
	int64_t keepalive_idle, keepalive_interval; /* microseconds, 0 = the system's */
	int64_t keepalive_count;		    /* 0 = the system's */
	char bind_address[48];			    /* literal, "" = none */
	char bind_device[16];			    /* SO_BINDTODEVICE, "" = none */
	uint32_t mark;				    /* SO_MARK, 0 = none */
	int64_t rcvbuf, sndbuf; /* bytes, 0 = the system's; the kernel caps them silently */
	enum socket_family family;
};

/*
 * The only address family these parameters can connect with, by `family` or
 * by the bind address: AF_INET, AF_INET6, or AF_UNSPEC for both.
 */
int socket_params_family(const struct socket_params *params);

/*
 * A non-blocking, close-on-exec TCP socket of this address family with all of
 * it set, bound if asked. -1: *err is ERR_CONNECT, stage connect, and names
 * the option that the kernel refused, in err->option too ("socket.mark").
 */
int socket_open(int family, const struct socket_params *params, struct error *err);

#endif
