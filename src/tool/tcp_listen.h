/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A listening TCP socket, for the servers among the tools. The daemon has no
 * such thing: it listens on Unix sockets only (net/listen.h).
 */
#ifndef WSB_TOOL_TCP_LISTEN_H
#define WSB_TOOL_TCP_LISTEN_H

#include <stdbool.h>

#include "base/error.h"

struct loop;
struct tcp_listener;

/* fd: connected, non-blocking, close-on-exec, now the callee's. */
typedef void (*tcp_listener_cb)(void *arg, int fd);

/*
 * address: "HOST:PORT", "[V6]:PORT" or "PORT" (of 127.0.0.1); port 0: any free one. The name is
 * looked up at once, blocking. NULL: *err is ERR_INVALID_OPTION or ERR_ENDPOINT.
 */
struct tcp_listener *tcp_listener_new(struct loop *l, const char *address, struct error *err);
void tcp_listener_start(struct tcp_listener *ln, tcp_listener_cb cb,
			void *arg); /* accepts from now on */
void tcp_listener_pause(
	struct tcp_listener *ln); /* until started again; the kernel lets clients wait */
void tcp_listener_free(struct tcp_listener *ln); /* NULL is fine */

char *tcp_listener_address(
	const struct tcp_listener *ln); /* "127.0.0.1:9001", as bound; caller frees */

/* The parts of an address; the caller frees *host and *port. False: *err says what is wrong. */
bool tcp_address_parse(const char *address, char **host, char **port, struct error *err);

#endif
