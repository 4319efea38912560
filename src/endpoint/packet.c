/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stream of packet.h. It does not know what a packet says. Owned by a
 * client. The trap: recv gives 0 for an empty packet as well as at the end of
 * input. A packet carries credentials, once they are asked for; the end does
 * not (unix(7), SO_PASSCRED).
 */
#include "endpoint/packet.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/hangup.h"
#include "net/loop.h"
#include "net/stream.h"

/* In one turn: a busy peer may not starve the others. */
#define PACKETS_PER_TURN 64
/* What the kernel has for its own needs in a send buffer (af_unix: 32 bytes). */
#define SOCKET_OVERHEAD 32
#define ROOM_MAX (1024 * 1024)
/* The kernel has no block big enough for a packet; it does not tell when it has. */
#define RETRY_AFTER 50000

struct packet_stream {
	struct stream base;
	struct loop *loop;
	int fd;
	struct watch watch;
	struct hangup hangup;	/* after the end of input */
	struct deferred report; /* FAILED, or the end of our memory */
	struct timer retry;
	struct error err; /* ERR_NONE = sound */
	bool dead;	  /* freed by its owner */
	bool told;	  /* FAILED was reported */
	bool reading, want_write, eof;
};

static struct packet_stream *of(struct stream *s)
{
	return (struct packet_stream *)(void *)s;
}

static void update_watch(struct packet_stream *p)
{
	unsigned events = 0;

	if (p->dead || p->err.code)
		return;
	if (p->reading && !p->eof)
		events |= WATCH_READ;
	if (p->want_write && !timer_is_armed(&p->retry))
		events |= WATCH_WRITE;
	watch_set(&p->watch, events);
}

static void fail(struct packet_stream *p, int os, const char *what)
{
	if (p->err.code)
		return;
	error_set_os(&p->err, ERR_CONNECT, os, "%s", what);
	watch_set(&p->watch, 0);
	loop_defer(p->loop, &p->report);
}

static void on_hangup(void *arg)
{
	fail(arg, EPIPE, "closed by the other end");
}

static void on_eof(struct packet_stream *p)
{
	p->eof = true;
	update_watch(p);
	hangup_init(&p->hangup, p->loop, p->fd, on_hangup, p);
	p->base.cb(p->base.arg, STREAM_EOF, span_of(NULL, 0), NULL);
}

/* The size of the next packet; -1: there is none, or there never will be another. */
static ssize_t look(struct packet_stream *p)
{
	char control[CMSG_SPACE(sizeof(struct ucred))];
	struct msghdr mh = { .msg_control = control, .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(p->fd, &mh, MSG_PEEK | MSG_TRUNC);

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		fail(p, errno, "read");
	if (n != 0 || mh.msg_controllen > 0)
		return n;
	if (!p->eof && p->reading)
		on_eof(p);
	return -1;
}

/* One that is beyond the scratch buffer is in the kernel already: our own memory does not grow by
 * what somebody announces. */
static bool read_packet(struct packet_stream *p, size_t size)
{
	size_t scratch_size;
	uint8_t *scratch = loop_scratch(p->loop, &scratch_size);
	uint8_t *big = size > scratch_size ? mem_try_alloc(size) : NULL;
	ssize_t n;

	if (size > scratch_size && !big) {
		fail(p, ENOMEM, "read");
		return false;
	}
	n = recv(p->fd, big ? big : scratch, big ? size : scratch_size, 0);
	if (n > 0)
		p->base.cb(p->base.arg, STREAM_DATA, span_of(big ? big : scratch, (size_t)n), NULL);
	free(big);
	return n >= 0;
}

static void read_some(struct packet_stream *p, int most)
{
	ssize_t size;

	for (int i = 0; i < most; i++) {
		if (p->dead || !p->reading || p->eof)
			return;
		size = look(p);
		if (size < 0 || !read_packet(p, (size_t)size))
			return;
	}
}

/* Frees it, or tells; what the peer had sent before a write failed is still to be had. */
static void on_report(void *arg)
{
	struct packet_stream *p = arg;

	if (p->dead) {
		free(p);
		return;
	}
	if (!p->base.cb || p->told)
		return;
	read_some(p, 4 * PACKETS_PER_TURN);
	if (p->dead || !p->base.cb)
		return;
	p->told = true;
	p->base.cb(p->base.arg, STREAM_FAILED, span_of(NULL, 0), &p->err);
}

static void tell_writable(struct packet_stream *p)
{
	p->want_write = false;
	update_watch(p);
	if (p->base.cb)
		p->base.cb(p->base.arg, STREAM_WRITABLE, span_of(NULL, 0), NULL);
}

static void on_retry(void *arg)
{
	struct packet_stream *p = arg;

	if (!p->err.code)
		tell_writable(p);
}

static void on_ready(void *arg, unsigned events)
{
	struct packet_stream *p = arg;

	if (events & WATCH_WRITE)
		tell_writable(p);
	if ((events & WATCH_READ) && !p->err.code)
		read_some(p, PACKETS_PER_TURN);
}

/* False: not now, or never. */
static bool send_one(struct packet_stream *p, const struct iovec *packet)
{
	ssize_t sent;

	do
		sent = send(p->fd, packet->iov_base, packet->iov_len, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent >= 0)
		return true;
	p->want_write = true;
	if (errno == ENOBUFS || errno == ENOMEM)
		timer_arm(&p->retry, RETRY_AFTER);
	else if (errno != EAGAIN)
		fail(p, errno, "write");
	return false;
}

static size_t packet_offer(struct stream *s, const struct iovec *iov, int n)
{
	struct packet_stream *p = of(s);
	size_t written = 0;

	if (p->dead || p->err.code)
		return 0;
	for (int i = 0; i < n && send_one(p, &iov[i]); i++)
		written += iov[i].iov_len;
	update_watch(p);
	return written;
}

static void packet_read_enable(struct stream *s, bool on)
{
	struct packet_stream *p = of(s);

	p->reading = on;
	update_watch(p);
	if (on && p->err.code && !p->told && !p->dead)
		loop_defer(p->loop, &p->report);
}

static void packet_shutdown(struct stream *s)
{
	struct packet_stream *p = of(s);

	if (!p->dead)
		shutdown(p->fd, SHUT_WR);
}

static void packet_free(struct stream *s)
{
	struct packet_stream *p = of(s);

	if (p->dead)
		return;
	p->dead = true;
	timer_deinit(&p->retry);
	hangup_deinit(&p->hangup);
	watch_deinit(&p->watch);
	close(p->fd);
	p->fd = -1;
	loop_defer(p->loop, &p->report);
}

static const struct stream_ops packet_ops = {
	.offer = packet_offer,
	.read_enable = packet_read_enable,
	.shutdown = packet_shutdown,
	.free = packet_free,
};

struct stream *packet_stream_new(struct loop *l, int fd)
{
	struct packet_stream *p = mem_zalloc(sizeof(*p));

	p->base.ops = &packet_ops;
	p->loop = l;
	p->fd = fd;
	setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &(int){ 1 }, sizeof(int));
	watch_init(&p->watch, l, fd, on_ready, p);
	timer_init(&p->retry, l, on_retry, p);
	deferred_init(&p->report, on_report, p);
	return &p->base;
}

size_t packet_make_room(int fd, size_t want)
{
	int size = (int)(want < ROOM_MAX ? want : ROOM_MAX), now = 0;
	socklen_t len = sizeof(now);

	getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &now, &len);
	if (size > now)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	len = sizeof(now);
	if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &now, &len) < 0 || now <= SOCKET_OVERHEAD)
		return 0;
	return (size_t)now - SOCKET_OVERHEAD;
}
