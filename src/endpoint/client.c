/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The peer of client.h: its life and what it writes. It does not know the
 * other clients, and decides nothing: policy for its queue comes with the
 * configuration. Owned by an endpoint, which frees it at the end of a turn.
 * The trap: a peer that has closed can still have left lines to be read, and a
 * write fails before they are seen. So a failed stream is opened once more
 * over the same socket, only to be read to its end.
 */
#include "endpoint/client.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "endpoint/client_int.h"
#include "net/loop.h"
#include "net/stream.h"

#define DISCARDS_MAX 64
#define RUN_MAX 128 /* messages that are reported together */

static void end_what_is_slow(struct client *c)
{
	c->room_unreported |= c->blocked || c->dropping;
	c->blocked = c->dropping = false;
	c->deadline = 0;
}

/* A socket that is closed with input unread is a reset for the peer, not an end. */
static void discard_input(struct client *c)
{
	char buf[4096];

	for (int i = 0; c->fd >= 0 && i < DISCARDS_MAX; i++)
		if (recv(c->fd, buf, sizeof(buf), MSG_DONTWAIT) <= 0)
			return;
}

void client_enter(struct client *c, enum client_state state)
{
	assert(state > c->state);
	c->state = state;
	if (state != CLIENT_CLOSING) {
		outq_clear(&c->queue);
		end_what_is_slow(c);
	}
	if (state == CLIENT_GONE) {
		if (c->discarding)
			discard_input(c);
		stream_free(c->stream);
		c->stream = NULL;
		c->fd = -1;
	}
	c->cb(c->arg, c, CLIENT_CHANGED, NULL, NULL);
}

static void refuse(struct client *c, const struct order *o, enum client_event event,
		   const struct error *err)
{
	struct error denied;

	if (c->rules->access != ACCESS_R) {
		c->cb(c->arg, c, event, o, err);
		return;
	}
	error_set(&denied, ERR_DENIED, "this endpoint takes nothing: its access is \"r\"");
	c->cb(c->arg, c, CLIENT_BAD_RECORD, o, &denied);
}

/* What framing_next or framing_finish made of the input. */
static void report(struct client *c, enum framing_result result, const struct order *o,
		   const struct error *err)
{
	switch (result) {
	case FRAMING_MORE:
		return;
	case FRAMING_BAD:
		loop_tidy_later(c->loop); /* it may have been too long */
		break;
	case FRAMING_BROKEN:
		loop_tidy_later(c->loop);
		c->discarding = true;
		refuse(c, o, CLIENT_BROKEN, err);
		return;
	case FRAMING_ORDER:
		if (c->rules->access == ACCESS_R)
			break;
		c->received += o->type == ORDER_MESSAGE;
		loop_passed(c->loop, o->msg.data.n);
		c->cb(c->arg, c, CLIENT_ORDER, o, NULL);
		return;
	}
	refuse(c, o, CLIENT_BAD_RECORD, err);
}

static bool is_listened_to(const struct client *c)
{
	return c->state != CLIENT_GONE && !c->discarding;
}

enum run { RUN_NONE, RUN_TAKEN, RUN_CUT };

/* Many messages at a time. NONE: the next record is not of that kind; CUT: not all were taken. */
static enum run deliver_run(struct client *c, struct span *input)
{
	struct msg msgs[RUN_MAX] __attribute__((uninitialized)); /* not zeroed for each call */
	size_t taken = 0, n;
	struct span left = *input;
	struct order o = { .type = ORDER_RUN, .msgs = msgs, .taken = &taken };

	n = c->rules->access == ACCESS_R ? 0 : framing_next_run(&c->reader, &left, msgs, RUN_MAX);
	if (n == 0)
		return RUN_NONE;
	o.n_msgs = n;
	c->cb(c->arg, c, CLIENT_ORDER, &o, NULL);
	assert(taken <= n);
	c->received += taken;
	if (taken < n)
		left = span_of(msgs[taken].data.p,
			       (size_t)(input->p + input->n - msgs[taken].data.p));
	*input = left;
	return taken == n ? RUN_TAKEN : RUN_CUT;
}

static bool deliver_one(struct client *c, struct span *input)
{
	struct order o = { .type = ORDER_MESSAGE };
	enum framing_result result;
	struct error err;

	result = framing_next(&c->reader, input, &o, &err);
	if (result == FRAMING_MORE)
		return false;
	report(c, result, &o, &err);
	return true;
}

/* Returns what is left: nothing, or what lies behind the record at which the pause came. */
static struct span deliver(struct client *c, struct span input)
{
	enum run last = RUN_TAKEN;

	while (!c->paused && is_listened_to(c)) {
		if (input.n > 0 && last != RUN_CUT && (last = deliver_run(c, &input)) != RUN_NONE)
			continue;
		if (!deliver_one(c, &input))
			return span_of(NULL, 0);
	}
	return is_listened_to(c) ? input : span_of(NULL, 0);
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
	struct order o = { .type = ORDER_MESSAGE };
	struct error err;

	c->eof = true;
	if (is_listened_to(c))
		report(c, framing_finish(&c->reader, &o, &err), &o, &err);
	if (c->state != CLIENT_GONE)
		c->cb(c->arg, c, CLIENT_ENDED, NULL, NULL);
}

static void on_eof(struct client *c)
{
	end_input(c);
	if (c->state == CLIENT_DEAF)
		client_enter(c, CLIENT_GONE);
}

static void on_stream(void *arg, enum stream_event event, struct span data,
		      const struct error *err);

/* Reads on over a second descriptor; false: there is none to be had. */
static bool read_to_the_end(struct client *c)
{
	int fd = c->reopen ? fcntl(c->fd, F_DUPFD_CLOEXEC, 3) : -1;

	if (fd < 0)
		return false;
	stream_free(c->stream);
	c->fd = fd;
	c->stream = c->reopen(c->loop, fd);
	stream_attach(c->stream, on_stream, c);
	if (c->paused)
		stream_pause(c->stream);
	return true;
}

/* A peer that closes with bytes unread looks like a reset: an end of input like any other. */
static void on_failed(struct client *c)
{
	if (c->state == CLIENT_HEARING && !c->eof && read_to_the_end(c)) {
		client_enter(c, CLIENT_DEAF);
		return;
	}
	if (!c->reopen)
		c->lost = outq_messages(&c->queue);
	if (!c->eof && !c->paused)
		end_input(c);
	if (c->state != CLIENT_GONE)
		client_enter(c, CLIENT_GONE);
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
		c->stalled = false;
		client_write(c);
		break;
	case STREAM_EOF:
		on_eof(c);
		break;
	case STREAM_FAILED:
		on_failed(c);
		break;
	}
}

struct client *client_new(struct loop *l, const struct client_params *params)
{
	const struct client_peer *peer = params->peer;
	struct client *c = mem_zalloc(sizeof(*c));

	list_init(&c->node);
	c->cb = params->cb;
	c->arg = params->arg;
	c->loop = l;
	c->rules = params->rules;
	c->id = ++params->quota->last_client;
	c->stream = peer->stream;
	c->reopen = peer->reopen;
	c->fd = peer->fd;
	c->name = mem_strdup(peer->name);
	c->pid = peer->pid;
	c->uid = peer->uid;
	c->state = peer->deaf ? CLIENT_DEAF : CLIENT_HEARING;
	c->by_record = peer->by_record;
	c->unlisted = peer->unlisted;
	c->max_record = peer->max_record;
	framing_reader_init(&c->reader, params->framing);
	outq_init(&c->queue, params->framing, params->quota, c->rules->queue, c->rules->overflow);
	stream_attach(c->stream, on_stream, c);
	return c;
}

void client_format_name(char out[CLIENT_NAME_SIZE], pid_t pid, uid_t uid)
{
	snprintf(out, CLIENT_NAME_SIZE, "pid %ld uid %lu", (long)pid, (unsigned long)uid);
}

static void release_held(struct client *c)
{
	free(c->held);
	c->held = NULL;
}

void client_free(struct client *c)
{
	if (!c)
		return;
	list_remove(&c->node);
	loop_passed(c->loop, framing_pending(&c->reader));
	stream_free(c->stream);
	outq_deinit(&c->queue);
	framing_reader_deinit(&c->reader);
	release_held(c);
	free(c->name);
	free(c);
}

void client_pause(struct client *c)
{
	if (c->paused || c->state == CLIENT_CLOSING || c->state == CLIENT_GONE)
		return;
	c->paused = true;
	stream_pause(c->stream);
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

/* What it writes from now on is discarded, also if it was paused. */
void client_close(struct client *c, int64_t deadline)
{
	if (c->state == CLIENT_CLOSING || c->state == CLIENT_GONE)
		return;
	c->discarding = true;
	if (c->state == CLIENT_DEAF || outq_is_empty(&c->queue)) {
		client_enter(c, CLIENT_GONE);
		return;
	}
	end_what_is_slow(c);
	c->deadline = deadline;
	client_resume(c);
	client_enter(c, CLIENT_CLOSING);
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

	if (c->fd < 0 || !c->paused || c->eof)
		return;
	if (poll(&p, 1, 0) != 1 || !(p.revents & (POLLHUP | POLLERR)))
		return;
	if (is_exhausted(c))
		client_enter(c, CLIENT_GONE);
	else if (c->state == CLIENT_HEARING)
		client_enter(c, CLIENT_DEAF);
}
