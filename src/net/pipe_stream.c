/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See pipe_stream.h. The same manners as fd_stream.c, with read and write,
 * since a pipe is no socket. The trap: a writing end without readers is always
 * "ready", so it must not be watched once that has been seen.
 */
#include "net/pipe_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/loop.h"
#include "net/stream.h"

/* Reads in one turn: a busy peer may not starve the others. */
#define READS_PER_TURN 4

struct pipe_stream {
	struct stream base;
	struct loop *loop;
	int fd;
	struct watch watch;
	struct deferred report; /* FAILED, or the end of our memory */
	struct error err;	/* ERR_NONE = sound */
	bool writes;		/* it is a writing end */
	bool dead;		/* freed by its owner */
	bool told;		/* FAILED was reported */
	bool reading, want_write, eof;
};

static struct pipe_stream *of(struct stream *s)
{
	return (struct pipe_stream *)(void *)s;
}

static void update_watch(struct pipe_stream *p)
{
	unsigned events = 0;

	if (p->dead || p->err.code)
		return;
	/* Of a writing end only that nobody reads any more counts as readable. */
	if (p->writes ? p->base.cb != NULL : p->reading && !p->eof)
		events |= WATCH_READ;
	if (p->want_write)
		events |= WATCH_WRITE;
	watch_set(&p->watch, events);
}

/* The owner hears of it at the end of the turn, never from inside its own call. */
static void fail(struct pipe_stream *p, int os, const char *what)
{
	if (p->err.code)
		return;
	error_set_os(&p->err, ERR_ENDPOINT, os, "%s", what);
	watch_set(&p->watch, 0);
	loop_defer(p->loop, &p->report);
}

static void on_report(void *arg)
{
	struct pipe_stream *p = arg;

	if (p->dead) {
		free(p);
		return;
	}
	if (!p->base.cb || p->told)
		return; /* without an owner it waits for the next one */
	p->told = true;
	p->base.cb(p->base.arg, STREAM_FAILED, span_of(NULL, 0), &p->err);
}

/* One read; false: no more of them in this turn. */
static bool read_once(struct pipe_stream *p)
{
	size_t size;
	uint8_t *scratch = loop_scratch(p->loop, &size);
	ssize_t n = read(p->fd, scratch, size);

	if (n > 0) {
		p->base.cb(p->base.arg, STREAM_DATA, span_of(scratch, (size_t)n), NULL);
		return (size_t)n == size;
	}
	if (n == 0) {
		p->eof = true;
		update_watch(p);
		p->base.cb(p->base.arg, STREAM_EOF, span_of(NULL, 0), NULL);
	} else if (errno != EAGAIN && errno != EINTR) {
		fail(p, errno, "read");
	}
	return false;
}

static bool has_reader(const struct pipe_stream *p)
{
	struct pollfd look = { .fd = p->fd, .events = POLLOUT };

	return poll(&look, 1, 0) < 0 || !(look.revents & POLLERR);
}

static void on_write_ready(struct pipe_stream *p, unsigned events)
{
	if (!p->base.cb) {
		watch_set(&p->watch, 0);
		return;
	}
	if (!has_reader(p)) {
		fail(p, EPIPE, "write");
		return;
	}
	if (!(events & WATCH_WRITE))
		return;
	p->want_write = false;
	update_watch(p);
	p->base.cb(p->base.arg, STREAM_WRITABLE, span_of(NULL, 0), NULL);
}

static void on_ready(void *arg, unsigned events)
{
	struct pipe_stream *p = arg;

	if (p->writes) {
		on_write_ready(p, events);
		return;
	}
	for (int i = 0; i < READS_PER_TURN; i++)
		if (p->dead || p->err.code || !p->reading || p->eof || !read_once(p))
			return;
}

static size_t pipe_offer(struct stream *s, const struct iovec *iov, int n)
{
	struct pipe_stream *p = of(s);
	size_t all = 0, done = 0;
	ssize_t rc;

	if (p->dead || p->err.code || !p->writes)
		return 0;
	for (int i = 0; i < n; i++)
		all += iov[i].iov_len;
	if (all == 0)
		return 0;
	do
		rc = writev(p->fd, iov, n);
	while (rc < 0 && errno == EINTR);
	if (rc < 0 && errno != EAGAIN) {
		fail(p, errno, "write");
		return 0;
	}
	if (rc > 0)
		done = (size_t)rc;
	p->want_write = done < all;
	update_watch(p);
	return done;
}

static void pipe_read_enable(struct stream *s, bool on)
{
	struct pipe_stream *p = of(s);

	p->reading = on;
	update_watch(p);
	if (on && p->err.code && !p->told && !p->dead)
		loop_defer(p->loop, &p->report);
}

/* The other end sees the end of input when the stream is freed: a pipe has no half. */
static void pipe_shutdown(struct stream *s)
{
	(void)s;
}

static void pipe_free(struct stream *s)
{
	struct pipe_stream *p = of(s);

	if (p->dead)
		return;
	p->dead = true;
	watch_deinit(&p->watch);
	close(p->fd);
	p->fd = -1;
	loop_defer(p->loop, &p->report);
}

static const struct stream_ops pipe_ops = {
	.offer = pipe_offer,
	.read_enable = pipe_read_enable,
	.shutdown = pipe_shutdown,
	.free = pipe_free,
};

struct stream *pipe_stream_new(struct loop *l, int fd)
{
	struct pipe_stream *p = mem_zalloc(sizeof(*p));

	p->base.ops = &pipe_ops;
	p->loop = l;
	p->fd = fd;
	p->writes = (fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY;
	watch_init(&p->watch, l, fd, on_ready, p);
	deferred_init(&p->report, on_report, p);
	return &p->base;
}
