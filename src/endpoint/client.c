/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The peer of client.h. It does not know the other clients, and decides
 * nothing: policy for its queue comes with the configuration. Owned by an
 * endpoint, which frees it at the end of a turn. The trap: a peer that has
 * closed can still have left lines to be read, and a write fails before they
 * are seen. So a failed stream is opened once more over the same socket, only
 * to be read to its end.
 */
#include "endpoint/client.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "endpoint/endpoint.h"
#include "net/stream.h"

#define IOV_MAX_AT_ONCE 16

static void enter(struct client *c, enum client_state state)
{
	assert(state > c->state);
	c->state = state;
	outq_clear(&c->queue);
	if (state == CLIENT_GONE) {
		stream_free(c->stream);
		c->stream = NULL;
		c->fd = -1;
	}
	c->cb(c->arg, c, CLIENT_CHANGED, NULL, NULL);
}

static void report(struct client *c, enum framing_result result, const struct msg *msg,
		   const struct error *err)
{
	if (result == FRAMING_MESSAGE) {
		c->received++;
		c->cb(c->arg, c, CLIENT_MESSAGE, msg, NULL);
	} else {
		c->cb(c->arg, c, CLIENT_BAD_RECORD, NULL, err);
	}
}

/* Returns what is left: nothing, or what lies behind the record at which the pause came. */
static struct span deliver(struct client *c, struct span input)
{
	while (!c->paused && c->state != CLIENT_GONE) {
		enum framing_result result;
		struct error err;
		struct msg msg;

		result = framing_next(&c->reader, &input, &msg, &err);
		if (result == FRAMING_MORE)
			return span_of(NULL, 0);
		report(c, result, &msg, &err);
	}
	return c->state == CLIENT_GONE ? span_of(NULL, 0) : input;
}

static void on_data(struct client *c, struct span data)
{
	struct span rest = deliver(c, data);

	if (rest.n == 0)
		return;
	assert(!c->held);
	c->held = mem_alloc(rest.n);
	memcpy(c->held, rest.p, rest.n);
	c->held_from = 0;
	c->held_to = rest.n;
}

static void end_input(struct client *c)
{
	enum framing_result result;
	struct error err;
	struct msg msg;

	c->eof = true;
	result = framing_finish(&c->reader, &msg, &err);
	if (result != FRAMING_MORE)
		report(c, result, &msg, &err);
}

static void on_eof(struct client *c)
{
	end_input(c);
	if (c->state == CLIENT_DEAF)
		enter(c, CLIENT_GONE);
}

static void on_writable(struct client *c)
{
	struct iovec iov[IOV_MAX_AT_ONCE];

	while (c->queue.bytes > 0) {
		int n = outq_front(&c->queue, iov, IOV_MAX_AT_ONCE);
		size_t all = 0, written;

		for (int i = 0; i < n; i++)
			all += iov[i].iov_len;
		written = stream_offer(c->stream, iov, n);
		c->sent += outq_consume(&c->queue, written);
		if (written < all)
			return;
	}
	c->dropping = false;
}

static void on_stream(void *arg, enum stream_event event, struct span data,
		      const struct error *err);

/* Reads on over a second descriptor; false: there is none to be had. */
static bool read_to_the_end(struct client *c)
{
	int fd = fcntl(c->fd, F_DUPFD_CLOEXEC, 3);

	if (fd < 0)
		return false;
	stream_free(c->stream);
	c->fd = fd;
	c->stream = fd_stream_new(c->loop, fd);
	stream_attach(c->stream, on_stream, c);
	if (c->paused)
		stream_pause(c->stream);
	return true;
}

/* A peer that closes with bytes unread looks like a reset: an end of input like any other. */
static void on_failed(struct client *c)
{
	if (c->state == CLIENT_HEARING && !c->eof && read_to_the_end(c)) {
		enter(c, CLIENT_DEAF);
		return;
	}
	if (!c->eof && !c->paused)
		end_input(c);
	if (c->state != CLIENT_GONE)
		enter(c, CLIENT_GONE);
}

static void on_stream(void *arg, enum stream_event event, struct span data, const struct error *err)
{
	struct client *c = arg;

	(void)err;
	switch (event) {
	case STREAM_DATA:
		on_data(c, data);
		break;
	case STREAM_WRITABLE:
		on_writable(c);
		break;
	case STREAM_EOF:
		on_eof(c);
		break;
	case STREAM_FAILED:
		on_failed(c);
		break;
	}
}

struct client *client_new(struct loop *l, int fd, const struct client_params *params)
{
	struct client *c = mem_zalloc(sizeof(*c));

	list_init(&c->node);
	c->cb = params->cb;
	c->arg = params->arg;
	c->loop = l;
	c->fd = fd;
	framing_reader_init(&c->reader, params->framing);
	outq_init(&c->queue, params->quota, params->conf->queue, params->conf->overflow);
	c->stream = fd_stream_new(l, fd);
	stream_attach(c->stream, on_stream, c);
	return c;
}

void client_format_name(char out[CLIENT_NAME_SIZE], pid_t pid, uid_t uid)
{
	snprintf(out, CLIENT_NAME_SIZE, "pid %ld uid %lu", (long)pid, (unsigned long)uid);
}

void client_set_peer(struct client *c, pid_t pid, uid_t uid)
{
	c->pid = pid;
	c->uid = uid;
	client_format_name(c->name, pid, uid);
}

void client_free(struct client *c)
{
	if (!c)
		return;
	list_remove(&c->node);
	stream_free(c->stream);
	outq_deinit(&c->queue);
	framing_reader_deinit(&c->reader);
	free(c->held);
	free(c);
}

void client_note_dropped(struct client *c, uint64_t n)
{
	c->dropped += n;
	if (n > 0 && !c->dropping)
		c->dropping = c->drop_unreported = true;
}

/* The whole queue and what did not get into it is lost with the client. */
static uint64_t disconnect(struct client *c, uint64_t unqueued)
{
	uint64_t lost = c->queue.records + unqueued;

	client_note_dropped(c, lost);
	enter(c, CLIENT_GONE);
	return lost;
}

/* Queues what is behind the first `written` bytes of the batch. */
static uint64_t queue_rest(struct client *c, const struct batch *b, size_t written)
{
	size_t left = b->records;
	uint64_t dropped = 0;

	for (size_t i = 0; i < b->n_ranges; i++) {
		struct chunk_range r = b->ranges[i];
		size_t skip = r.to - r.from < written ? r.to - r.from : written;
		size_t done = skip ? chunk_count(r.chunk, r.from, r.from + skip) : 0;

		written -= skip;
		c->sent += done;
		left -= r.n;
		r.from += skip;
		r.n -= done;
		if (r.from == r.to)
			continue;
		if (outq_push(&c->queue, &r, &dropped) == OUTQ_DISCONNECT)
			return disconnect(c, left);
	}
	client_note_dropped(c, dropped);
	return dropped;
}

uint64_t client_send(struct client *c, const struct batch *b)
{
	struct iovec iov[BATCH_RANGES];
	size_t written = 0;

	if (c->state != CLIENT_HEARING)
		return 0;
	if (c->queue.bytes == 0) {
		for (size_t i = 0; i < b->n_ranges; i++) {
			const struct chunk_range *r = &b->ranges[i];

			iov[i].iov_base = r->chunk->data + r->from;
			iov[i].iov_len = r->to - r->from;
		}
		written = stream_offer(c->stream, iov, (int)b->n_ranges);
	}
	if (written < b->bytes)
		return queue_rest(c, b, written);
	c->sent += b->records;
	return 0;
}

void client_pause(struct client *c)
{
	if (c->paused || c->state == CLIENT_GONE)
		return;
	c->paused = true;
	stream_pause(c->stream);
}

static void release_held(struct client *c)
{
	free(c->held);
	c->held = NULL;
}

void client_resume(struct client *c)
{
	if (!c->paused || c->state == CLIENT_GONE)
		return;
	c->paused = false;
	if (c->held) {
		struct span held = span_of(c->held + c->held_from, c->held_to - c->held_from);
		struct span rest = deliver(c, held);

		c->held_from = c->held_to - rest.n;
		if (rest.n == 0)
			release_held(c);
	}
	if (!c->paused && c->state != CLIENT_GONE)
		stream_resume(c->stream);
}

/* Has it left neither bytes in the socket nor here? */
static bool is_exhausted(const struct client *c)
{
	uint8_t byte;
	ssize_t n;

	if (c->held || framing_pending(&c->reader) > 0)
		return false;
	n = recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

void client_check(struct client *c)
{
	struct pollfd p = { .fd = c->fd };

	if (c->state == CLIENT_GONE || c->eof)
		return;
	if (poll(&p, 1, 0) != 1 || !(p.revents & (POLLHUP | POLLERR)))
		return;
	if (is_exhausted(c))
		enter(c, CLIENT_GONE);
	else if (c->state == CLIENT_HEARING)
		enter(c, CLIENT_DEAF);
}
