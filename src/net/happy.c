/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The race for a connection (RFC 8305, 5): see happy.h. Owned by a dial. Its
 * trap: a connect to a free port of this very host, in the range from which
 * the kernel takes its own ports, may meet itself and look established.
 */
#include "net/happy.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/loop.h"
#include "net/stream.h"

/* RFC 8305, 8: Connection Attempt Delay. */
#define HEAD_START 250000
#define ADDRESS_MAX 128

struct runner {
	struct happy *happy;
	struct happy_try *result;
	int fd; /* -1: not begun, or over */
	struct watch watch;
	struct timer timeout;
	char address[ADDRESS_MAX];
};

struct happy {
	struct loop *loop;
	struct socket_params socket;
	int64_t timeout;
	happy_cb cb;
	void *arg;
	const struct addrinfo *order[HAPPY_MAX];
	size_t n_order, begun, under_way;
	struct timer head_start;
	struct deferred first;	 /* the race begins at the end of the turn */
	struct error *best;	 /* of those who failed; NULL = nobody has */
	struct happy_try *tries; /* n_order, behind the runners */
	struct runner runners[];
};

static void runner_end(struct runner *r, int os)
{
	struct happy *h = r->happy;

	r->result->took = loop_now(h->loop) - r->result->began;
	r->result->os = os;
	watch_deinit(&r->watch);
	timer_deinit(&r->timeout);
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
	h->under_way--;
}

static void drop_runners(struct happy *h)
{
	for (size_t i = 0; i < h->begun; i++)
		if (h->runners[i].fd >= 0)
			runner_end(&h->runners[i], ECANCELED);
}

void happy_cancel(struct happy *h)
{
	if (!h)
		return;
	drop_runners(h);
	timer_deinit(&h->head_start);
	deferred_cancel(&h->first);
	free(h->best);
	free(h);
}

static void finish(struct happy *h, struct stream *stream)
{
	timer_disarm(&h->head_start);
	h->cb(h->arg, stream, h->tries, h->begun, stream ? NULL : h->best);
	happy_cancel(h);
}

static void lose(struct happy *h)
{
	size_t n = strlen(h->best->text);

	if (h->begun > 1)
		snprintf(h->best->text + n, sizeof(h->best->text) - n, " (%zu addresses)",
			 h->begun);
	finish(h, NULL);
}

static void win(struct runner *r)
{
	struct happy *h = r->happy;
	int fd = r->fd;

	watch_deinit(&r->watch);
	r->fd = -1;
	runner_end(r, 0);
	drop_runners(h);
	finish(h, fd_stream_new(h->loop, fd));
}

/* How much a failure says about the server, rather than about this host's network. */
static int usefulness(int os)
{
	switch (os) {
	case 0:
		return -1; /* none yet */
	case ENETUNREACH:
	case EADDRNOTAVAIL:
	case EAFNOSUPPORT:
		return 0;
	case EHOSTUNREACH:
	case ENETDOWN:
		return 1;
	default:
		return 2;
	}
}

/* At equal usefulness the first one stays: that address was the resolver's choice. */
static void note_failure(struct happy *h, const struct error *err)
{
	if (!h->best || usefulness(err->os) > usefulness(h->best->os))
		error_keep(&h->best, err);
}

static void fail(struct runner *r, int os)
{
	struct error err = ERROR_INIT;

	error_set_os(&err, ERR_CONNECT, os, "connect to %s", r->address);
	err.stage = STAGE_CONNECT;
	note_failure(r->happy, &err);
	runner_end(r, os);
}

static bool met_itself(int fd)
{
	struct sockaddr_storage own, peer;
	socklen_t n_own = sizeof(own), n_peer = sizeof(peer);

	return getsockname(fd, (struct sockaddr *)&own, &n_own) == 0 &&
	       getpeername(fd, (struct sockaddr *)&peer, &n_peer) == 0 && n_own == n_peer &&
	       memcmp(&own, &peer, n_own) == 0;
}

static int outcome(int fd)
{
	int os = 0;
	socklen_t len = sizeof(os);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &os, &len) < 0)
		return errno;
	return os == 0 && met_itself(fd) ? ECONNREFUSED : os;
}

static void begin_next(struct happy *h);

static void on_writable(void *arg, unsigned events)
{
	struct runner *r = arg;
	int os = outcome(r->fd);

	(void)events;
	if (os == 0) {
		win(r);
		return;
	}
	fail(r, os);
	begin_next(r->happy);
}

static void on_timeout(void *arg)
{
	struct runner *r = arg;

	fail(r, ETIMEDOUT);
	begin_next(r->happy);
}

static void format_address(char *out, size_t size, const struct addrinfo *ai)
{
	char host[64] = "?", port[8] = "?";

	getnameinfo(ai->ai_addr, ai->ai_addrlen, host, sizeof(host), port, sizeof(port),
		    NI_NUMERICHOST | NI_NUMERICSERV);
	snprintf(out, size, ai->ai_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

/* True: under way. False: it failed at once. */
static bool runner_begin(struct runner *r, const struct addrinfo *ai)
{
	struct happy *h = r->happy;
	struct error err = ERROR_INIT;

	r->result->began = loop_now(h->loop);
	format_address(r->address, sizeof(r->address), ai);
	r->result->address = r->address;
	h->under_way++;
	r->fd = socket_open(ai->ai_family, &h->socket, &err);
	if (r->fd < 0) {
		error_context(&err, "connect to %s", r->address);
		note_failure(h, &err);
		runner_end(r, err.os);
		return false;
	}
	if (connect(r->fd, ai->ai_addr, ai->ai_addrlen) < 0 && errno != EINPROGRESS) {
		fail(r, errno);
		return false;
	}
	watch_init(&r->watch, h->loop, r->fd, on_writable, r);
	watch_set(&r->watch, WATCH_WRITE);
	timer_init(&r->timeout, h->loop, on_timeout, r);
	if (h->timeout)
		timer_arm(&r->timeout, h->timeout);
	return true;
}

static void begin_next(struct happy *h)
{
	while (h->begun < h->n_order) {
		size_t i = h->begun++;

		h->runners[i] = (struct runner){ .happy = h, .result = &h->tries[i], .fd = -1 };
		if (!runner_begin(&h->runners[i], h->order[i]))
			continue;
		if (h->begun < h->n_order)
			timer_arm(&h->head_start, HEAD_START);
		return;
	}
	timer_disarm(&h->head_start);
	if (h->under_way == 0)
		lose(h);
}

static void on_begin(void *arg)
{
	begin_next(arg);
}

static void note_no_address(struct happy *h)
{
	struct error err = ERROR_INIT;

	error_set(&err, ERR_CONNECT, "no address of the family that is asked for");
	err.stage = STAGE_CONNECT;
	error_keep(&h->best, &err);
}

struct happy *happy_start(struct loop *l, const struct happy_params *params, happy_cb cb, void *arg)
{
	const struct addrinfo *order[HAPPY_MAX];
	size_t n = happy_order(params->list, socket_params_family(params->socket), params->rotate,
			       order);
	size_t runners = n * sizeof(struct runner), tries = n * sizeof(struct happy_try);
	struct happy *h = mem_zalloc(sizeof(*h) + runners + tries);

	h->loop = l;
	h->socket = *params->socket;
	h->timeout = params->timeout;
	h->cb = cb;
	h->arg = arg;
	h->n_order = n;
	memcpy(h->order, order, n * sizeof(order[0]));
	h->tries = (struct happy_try *)(void *)(h->runners + n);
	if (n == 0)
		note_no_address(h);
	timer_init(&h->head_start, l, on_begin, h);
	deferred_init(&h->first, on_begin, h);
	loop_defer(l, &h->first);
	return h;
}

const struct happy_try *happy_tries(struct happy *h, size_t *n)
{
	for (size_t i = 0; i < h->begun; i++) {
		struct happy_try *t = &h->tries[i];

		if (h->runners[i].fd < 0)
			continue;
		t->took = loop_now(h->loop) - t->began;
		t->os = EINPROGRESS;
	}
	*n = h->begun;
	return h->tries;
}
