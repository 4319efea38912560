/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A byte stream over a connected descriptor, TCP or Unix. Reads go into the
 * loop's scratch buffer; writes go out at once and ask for WRITABLE only after
 * the kernel was full. Its trap: the callback may pause or free the stream, so
 * nothing is taken for granted after it.
 */
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/hangup.h"
#include "net/loop.h"
#include "net/stream.h"

/* Reads in one turn: a busy peer may not starve the others. */
#define READS_PER_TURN 4
/* More than any socket buffer holds. */
#define DRAINS_MAX 256

struct fd_stream {
	struct stream base;
	struct loop *loop;
	int fd;
	struct watch watch;
	struct hangup *hangup;	/* NULL: before the end of input */
	struct deferred report; /* FAILED, or the end of our memory */
	fd_receive receive;	/* NULL = recv(2) */
	void *receive_arg;
	struct error *err; /* NULL = sound */
	uint64_t written;  /* given to the kernel */
	bool dead;	   /* freed by its owner */
	bool told;	   /* FAILED was reported */
	bool reading, want_write, eof, shut;
};

static struct fd_stream *of(struct stream *s)
{
	return (struct fd_stream *)(void *)s;
}

static void update_watch(struct fd_stream *f)
{
	unsigned events = 0;

	if (f->dead || f->err)
		return;
	if (f->reading && !f->eof)
		events |= WATCH_READ;
	if (f->want_write)
		events |= WATCH_WRITE;
	watch_set(&f->watch, events);
}

/* The owner hears of it at the end of the turn, never from inside its own call. */
static void fail(struct fd_stream *f, int os, const char *what)
{
	struct error err;

	if (f->err)
		return;
	error_set_os(&err, ERR_CONNECT, os, "%s", what);
	error_keep(&f->err, &err);
	watch_set(&f->watch, 0);
	loop_defer(f->loop, &f->report);
}

static ssize_t fd_read(struct fd_stream *f, void *to, size_t n)
{
	return f->receive ? f->receive(f->receive_arg, to, n) : recv(f->fd, to, n, 0);
}

/*
 * What failed may have been a write: what the peer had sent before is still to
 * be had, perhaps with its last word in it.
 */
static void drain(struct fd_stream *f)
{
	size_t size;
	uint8_t *scratch = loop_scratch(f->loop, &size);
	ssize_t n;

	for (int i = 0; i < DRAINS_MAX && f->reading && !f->eof && !f->dead; i++) {
		n = fd_read(f, scratch, size);
		if (n == 0 || (n < 0 && errno != EINTR))
			return;
		if (n > 0)
			f->base.cb(f->base.arg, STREAM_DATA, span_of(scratch, (size_t)n), NULL);
	}
}

static void on_report(void *arg)
{
	struct fd_stream *f = arg;

	if (f->dead) {
		free(f->err);
		free(f);
		return;
	}
	if (!f->base.cb || f->told)
		return; /* without an owner it waits for the next one */
	drain(f);
	if (f->dead || !f->base.cb)
		return; /* freed while it drained: this call comes once more */
	f->told = true;
	f->base.cb(f->base.arg, STREAM_FAILED, span_of(NULL, 0), f->err);
}

static void on_hangup(void *arg)
{
	fail(arg, EPIPE, "closed by the other end");
}

static void on_eof(struct fd_stream *f)
{
	f->eof = true;
	update_watch(f);
	f->hangup = mem_alloc(sizeof(*f->hangup));
	hangup_init(f->hangup, f->loop, f->fd, on_hangup, f);
	f->base.cb(f->base.arg, STREAM_EOF, span_of(NULL, 0), NULL);
}

/* One read; false: no more of them in this turn. */
static bool read_once(struct fd_stream *f)
{
	size_t size;
	uint8_t *scratch = loop_scratch(f->loop, &size);
	ssize_t n = fd_read(f, scratch, size);

	if (n > 0) {
		f->base.cb(f->base.arg, STREAM_DATA, span_of(scratch, (size_t)n), NULL);
		return (size_t)n == size;
	}
	if (n == 0) {
		on_eof(f);
		return false;
	}
	if (errno != EAGAIN && errno != EINTR)
		fail(f, errno, "read");
	return false;
}

static void on_ready(void *arg, unsigned events)
{
	struct fd_stream *f = arg;

	if (events & WATCH_WRITE) {
		f->want_write = false;
		if (f->base.cb) /* who was promised it may have let go of the stream */
			f->base.cb(f->base.arg, STREAM_WRITABLE, span_of(NULL, 0), NULL);
		update_watch(f); /* not before: the next offer may fall short, too */
	}
	if (!(events & WATCH_READ))
		return;
	for (int i = 0; i < READS_PER_TURN; i++)
		if (f->dead || f->err || !f->reading || f->eof || !read_once(f))
			return;
}

static size_t fd_offer(struct stream *s, const struct iovec *iov, int n)
{
	struct fd_stream *f = of(s);
	struct msghdr mh = { .msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = (size_t)n };
	size_t all = 0;
	ssize_t sent;

	if (f->dead || f->err)
		return 0;
	for (int i = 0; i < n; i++)
		all += iov[i].iov_len;
	if (all == 0)
		return 0;
	do
		sent = sendmsg(f->fd, &mh, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent < 0 && errno != EAGAIN) {
		fail(f, errno, "write");
		return 0;
	}
	if (sent < 0)
		sent = 0;
	f->written += (size_t)sent;
	f->want_write = (size_t)sent < all;
	update_watch(f);
	return (size_t)sent;
}

static void fd_read_enable(struct stream *s, bool on)
{
	struct fd_stream *f = of(s);

	f->reading = on;
	update_watch(f);
	if (on && f->err && !f->told && !f->dead)
		loop_defer(f->loop, &f->report);
}

static void fd_shutdown(struct stream *s)
{
	struct fd_stream *f = of(s);

	if (f->dead)
		return;
	shutdown(f->fd, SHUT_WR);
	f->shut = true;
}

/* The kernel's numbers stay there after a reset, until the descriptor is closed (tcp(7)). */
static bool fd_acked(struct stream *s, struct stream_acked *out)
{
	struct fd_stream *f = of(s);
	int protocol = 0, unacked = 0;
	socklen_t len = sizeof(protocol);

	if (f->dead || getsockopt(f->fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) != 0 ||
	    protocol != IPPROTO_TCP || ioctl(f->fd, SIOCOUTQ, &unacked) != 0)
		return false;
	if (f->shut && unacked > 0)
		unacked--; /* our FIN counts for one byte, and is the last to be acknowledged */
	*out = (struct stream_acked){ .written = f->written, .unacked = (uint64_t)unacked };
	return true;
}

static void fd_free(struct stream *s)
{
	struct fd_stream *f = of(s);

	if (f->dead)
		return;
	f->dead = true;
	if (f->hangup)
		hangup_deinit(f->hangup);
	free(f->hangup);
	watch_deinit(&f->watch);
	close(f->fd);
	f->fd = -1;
	loop_defer(f->loop, &f->report);
}

static const struct stream_ops fd_ops = {
	.offer = fd_offer,
	.read_enable = fd_read_enable,
	.shutdown = fd_shutdown,
	.free = fd_free,
	.acked = fd_acked,
};

struct stream *fd_stream_new(struct loop *l, int fd)
{
	struct fd_stream *f = mem_zalloc(sizeof(*f));

	f->base.ops = &fd_ops;
	f->loop = l;
	f->fd = fd;
	watch_init(&f->watch, l, fd, on_ready, f);
	deferred_init(&f->report, on_report, f);
	return &f->base;
}

int fd_stream_set_receive(struct stream *s, fd_receive receive, void *arg)
{
	struct fd_stream *f = of(s);

	if (s->ops != &fd_ops)
		return -1;
	f->receive = receive;
	f->receive_arg = arg;
	return f->fd;
}

void fd_stream_ask_writable(struct stream *s)
{
	struct fd_stream *f = of(s);

	f->want_write = true;
	update_watch(f);
}
