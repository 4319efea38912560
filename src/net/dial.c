/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One attempt to reach a server: name → addresses → a connected descriptor.
 * Addresses are tried in the resolver's order, each with its own bound, at
 * most ADDRESSES_MAX of them; the error that is reported is the last one and
 * says how many were tried.
 */
#include "net/dial.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/loop.h"
#include "net/resolve.h"
#include "net/stream.h"

/* A name may have a thousand addresses; an attempt is bounded all the same. */
#define ADDRESSES_MAX 8

struct dialer {
	struct loop *loop;
	struct resolver *resolver;
};

struct dial {
	struct dialer *dialer;
	struct dial_params params;
	char *host;
	dial_cb cb;
	void *arg;
	struct resolve *resolve;
	struct addrinfo *list, *current;
	unsigned tried;
	int fd;
	struct watch watch;
	struct timer timeout;
	struct error last;
	char peer[80];
};

struct dialer *dialer_new(struct loop *l)
{
	struct dialer *d = mem_zalloc(sizeof(*d));

	d->loop = l;
	d->resolver = resolver_new(l);
	return d;
}

void dialer_free(struct dialer *d)
{
	if (!d)
		return;
	resolver_free(d->resolver);
	free(d);
}

static void drop_fd(struct dial *d)
{
	watch_deinit(&d->watch);
	timer_disarm(&d->timeout);
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
}

void dial_cancel(struct dial *d)
{
	if (!d)
		return;
	drop_fd(d);
	timer_deinit(&d->timeout);
	resolve_cancel(d->resolve);
	if (d->list)
		freeaddrinfo(d->list);
	free(d->host);
	free(d);
}

static void finish(struct dial *d, struct stream *stream)
{
	d->cb(d->arg, stream, d->peer, stream ? NULL : &d->last);
	dial_cancel(d);
}

static void format_peer(char *out, size_t size, const struct addrinfo *ai)
{
	char host[64] = "?", port[8] = "?";

	getnameinfo(ai->ai_addr, ai->ai_addrlen, host, sizeof(host), port, sizeof(port),
		    NI_NUMERICHOST | NI_NUMERICSERV);
	snprintf(out, size, ai->ai_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

static void note_failure(struct dial *d, int os)
{
	error_set_os(&d->last, ERR_CONNECT, os, "connect to %s", d->peer);
	d->last.stage = STAGE_CONNECT;
	drop_fd(d);
	d->current = d->current->ai_next;
}

static void connected(struct dial *d)
{
	int on = 1;
	unsigned ms = (unsigned)(d->params.user_timeout / 1000);
	int fd = d->fd;

	if (d->params.nodelay)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
	d->fd = -1;
	drop_fd(d);
	finish(d, fd_stream_new(d->dialer->loop, fd));
}

static void try_next(struct dial *d);

static void on_writable(void *arg, unsigned events)
{
	struct dial *d = arg;
	int os = 0;
	socklen_t len = sizeof(os);

	(void)events;
	if (getsockopt(d->fd, SOL_SOCKET, SO_ERROR, &os, &len) < 0)
		os = errno;
	if (os == 0) {
		connected(d);
		return;
	}
	note_failure(d, os);
	try_next(d);
}

static void on_timeout(void *arg)
{
	struct dial *d = arg;

	note_failure(d, ETIMEDOUT);
	try_next(d);
}

/* True: under way. False: *os says why this address is out. */
static bool begin_connect(struct dial *d, int *os)
{
	const struct addrinfo *ai = d->current;

	d->fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (d->fd < 0 ||
	    (connect(d->fd, ai->ai_addr, ai->ai_addrlen) < 0 && errno != EINPROGRESS)) {
		*os = errno;
		return false;
	}
	watch_init(&d->watch, d->dialer->loop, d->fd, on_writable, d);
	watch_set(&d->watch, WATCH_WRITE);
	if (d->params.connect_timeout)
		timer_arm(&d->timeout, d->params.connect_timeout);
	return true;
}

static void try_next(struct dial *d)
{
	while (d->current && d->tried < ADDRESSES_MAX) {
		int os;

		d->tried++;
		format_peer(d->peer, sizeof(d->peer), d->current);
		if (begin_connect(d, &os))
			return;
		note_failure(d, os);
	}
	if (d->tried > 1) {
		size_t n = strlen(d->last.text);

		snprintf(d->last.text + n, sizeof(d->last.text) - n, " (the last of %u addresses)",
			 d->tried);
	}
	finish(d, NULL);
}

static void on_resolved(void *arg, struct addrinfo *list, const struct error *err)
{
	struct dial *d = arg;

	d->resolve = NULL;
	if (!list) {
		d->last = *err;
		finish(d, NULL);
		return;
	}
	d->list = d->current = list;
	try_next(d);
}

struct dial *dial_start(struct dialer *dialer, const struct dial_params *params, dial_cb cb,
			void *arg)
{
	struct dial *d = mem_zalloc(sizeof(*d));

	d->dialer = dialer;
	d->params = *params;
	d->host = mem_strdup(params->host);
	d->params.host = d->host;
	d->cb = cb;
	d->arg = arg;
	d->fd = -1;
	timer_init(&d->timeout, dialer->loop, on_timeout, d);
	d->resolve = resolve_start(dialer->resolver, d->host, params->port, on_resolved, d);
	return d;
}
