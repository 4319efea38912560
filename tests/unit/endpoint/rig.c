/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See rig.h. The configuration snapshot is a plain struct whose references are
 * counted here: that they come to nothing in the end is one of the checks.
 */
#include "rig.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"

/* More than a packet may have here. */
#define PUMP_ROOM (3 * 1024 * 1024)

struct bridge_conf *bridge_conf_ref(struct bridge_conf *c)
{
	c->refs++;
	return c;
}

void bridge_conf_unref(struct bridge_conf *c)
{
	assert_true(c->refs > 0);
	c->refs--;
}

static void take_message(struct rig *r, struct span text, client_id client)
{
	size_t need = r->messages_n + text.n + 2;

	if (need > r->messages_size)
		r->messages = mem_grow(r->messages, r->messages_size = 2 * need, 1);
	if (text.n > 0)
		memcpy(r->messages + r->messages_n, text.p, text.n);
	memcpy(r->messages + r->messages_n + text.n, "|", 2);
	r->messages_n += text.n + 1;
	r->n_messages++;
	if (r->n_messages == r->pause_at && r->pause_client)
		endpoint_pause_client(r->e, client);
	else if (r->n_messages == r->pause_at)
		endpoint_pause(r->e);
	if (r->n_messages == r->close_at)
		endpoint_close_client(r->e, client);
}

/* Of a run as many as come before a pause, or a close; the others must come again. */
static void take_order(struct rig *r, const struct order *o, client_id client)
{
	bool more = true;

	if (o->type == ORDER_MESSAGE)
		take_message(r, o->msg.data, client);
	if (o->type != ORDER_RUN)
		return;
	for (; more && *o->taken < o->n_msgs; ++*o->taken) {
		take_message(r, o->msgs[*o->taken].data, client);
		more = r->n_messages != r->pause_at && r->n_messages != r->close_at;
	}
}

static void answer(struct rig *r, const struct endpoint_event *event)
{
	struct record record = { .type = RECORD_ERROR, .err = event->err, .id = event->order->id };

	r->n_bad++;
	if (r->answers && record.id.n > 0)
		endpoint_send_to(r->e, event->client, &record);
}

static void note(struct rig *r, const struct endpoint_event *event)
{
	if (event->err)
		r->last_error = *event->err;
	if (event->name)
		snprintf(r->last_name, sizeof(r->last_name), "%s", event->name);
	if (event->client)
		r->last_client = event->client;
	if (event->order)
		snprintf(r->last_id, sizeof(r->last_id), "%.*s", (int)event->order->id.n,
			 event->order->id.n > 0 ? (const char *)event->order->id.p : "");
}

static void on_event(void *arg, struct endpoint *e, const struct endpoint_event *event)
{
	struct rig *r = arg;

	assert_ptr_equal(e, r->e);
	note(r, event);
	switch (event->type) {
	case ENDPOINT_ORDER:
		take_order(r, event->order, event->client);
		break;
	case ENDPOINT_BAD_RECORD:
		answer(r, event);
		break;
	case ENDPOINT_CAME:
	case ENDPOINT_LEFT:
		r->n_came += event->type == ENDPOINT_CAME;
		r->n_left += event->type == ENDPOINT_LEFT;
		if (r->greeting)
			rig_send(r, r->greeting);
		if (r->resumes && event->type == ENDPOINT_LEFT)
			endpoint_resume(e);
		break;
	case ENDPOINT_ENDED:
		r->n_ended++;
		break;
	case ENDPOINT_REFUSED:
		r->n_refused++;
		break;
	case ENDPOINT_DROPPED:
		r->n_dropped++;
		break;
	case ENDPOINT_ROOM:
		r->n_room++;
		break;
	case ENDPOINT_BROKEN:
		if (r->conf.unix_path)
			fail_msg("a socket cannot be broken");
		r->n_broken++;
		break;
	}
}

static void pump(struct peer *p)
{
	while (!p->stalled && !p->eof && p->fd >= 0) {
		ssize_t n;

		if (p->size - p->n < PUMP_ROOM)
			p->got = mem_grow(p->got, p->size = 2 * p->size + PUMP_ROOM, 1);
		n = recv(p->fd, p->got + p->n, p->most ? p->most : p->size - p->n - 1,
			 MSG_DONTWAIT);
		p->n += n > 0 ? (size_t)n : 0;
		p->got[p->n] = '\0';
		if (n > 0 && !p->most)
			continue;
		if (n == 0 || (n < 0 && errno != EAGAIN))
			p->eof = true;
		p->reset = n < 0 && errno != EAGAIN;
		return;
	}
}

static void on_tick(void *arg)
{
	struct rig *r = arg;

	for (size_t i = 0; i < r->n_peers; i++)
		pump(&r->peers[i]);
	if (r->quota.queued > r->most_queued)
		r->most_queued = r->quota.queued;
	if (r->condition(r) || loop_now(r->loop) > r->deadline)
		loop_stop(r->loop);
	else
		timer_arm(&r->tick, 500);
}

void rig_wait(struct rig *r, bool (*condition)(struct rig *r))
{
	r->condition = condition;
	r->deadline = loop_now(r->loop) + 10000000;
	timer_arm(&r->tick, 0);
	loop_run(r->loop);
	assert_true(condition(r));
}

static bool has_turned(struct rig *r)
{
	return r->want-- == 0;
}

void rig_turns(struct rig *r)
{
	rig_some_turns(r, 20);
}

void rig_some_turns(struct rig *r, size_t n)
{
	size_t want = r->want;

	r->want = n;
	r->condition = has_turned;
	r->deadline = loop_now(r->loop) + 10000000;
	timer_arm(&r->tick, 0);
	loop_run(r->loop);
	r->want = want;
}

void rig_init(struct rig *r)
{
	*r = (struct rig){ .quota = { .max_clients = 64, .max_queued = 64 << 20 } };
	memcpy(r->dir, "/tmp/endpoint.XXXXXX", 21);
	assert_non_null(mkdtemp(r->dir));
	snprintf(r->path, sizeof(r->path), "%s/x.sock", r->dir);
	r->common.max_message = 16 << 20;
	r->owner.common = &r->common;
	r->conf.unix_path = r->path;
	r->conf.rules = &r->rules;
	r->rules.delimiter = '\n';
	r->rules.mode = 0600;
	r->rules.max_clients = 64;
	r->rules.queue = 1 << 20;
	r->rules.events = EVENTS_ALL;
	r->rules.block_timeout = 30000000;
	r->loop = loop_new();
	timer_init(&r->tick, r->loop, on_tick, r);
}

void rig_open(struct rig *r)
{
	struct endpoint_params params = {
		.conf = &r->conf, .owner = &r->owner, .quota = &r->quota, .cb = on_event, .arg = r
	};
	struct error err;

	r->e = endpoint_new(r->loop, &params, &err);
	assert_non_null(r->e);
	assert_int_equal(r->owner.refs, 1);
}

void rig_close(struct rig *r)
{
	char lock[80];

	endpoint_free(r->e);
	assert_int_equal(r->quota.queued, 0);
	assert_int_equal(r->quota.clients, 0);
	assert_int_equal(r->owner.refs, 0);
	rig_turns(r);
	for (size_t i = 0; i < r->n_peers; i++) {
		peer_close(&r->peers[i]);
		free(r->peers[i].got);
	}
	free(r->messages);
	timer_deinit(&r->tick);
	loop_free(r->loop);
	assert_int_equal(access(r->path, F_OK), -1);
	snprintf(lock, sizeof(lock), "%s.lock", r->path);
	unlink(lock);
	assert_int_equal(rmdir(r->dir), 0);
}

struct peer *rig_connect(struct rig *r)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct peer *p = &r->peers[r->n_peers];

	assert_true(r->n_peers < RIG_PEERS);
	memcpy(addr.sun_path, r->path, sizeof(r->path));
	p->fd = socket(AF_UNIX,
		       (r->rules.type == SOCKET_SEQPACKET ? SOCK_SEQPACKET : SOCK_STREAM) |
			       SOCK_CLOEXEC,
		       0);
	assert_true(p->fd >= 0);
	assert_int_equal(connect(p->fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	r->n_peers++;
	return p;
}

struct peer *rig_connect_all(struct rig *r, size_t n)
{
	size_t first = r->n_peers;

	r->want = endpoint_n_clients(r->e) + n;
	for (size_t i = 0; i < n; i++)
		rig_connect(r);
	rig_wait(r, rig_has_clients);
	return &r->peers[first];
}

void peer_write(struct peer *p, const char *text)
{
	size_t n = strlen(text);

	assert_int_equal(send(p->fd, text, n, MSG_NOSIGNAL), (ssize_t)n);
}

void peer_close(struct peer *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

bool rig_has_messages(struct rig *r)
{
	return r->n_messages + r->n_bad >= r->want;
}

bool rig_has_clients(struct rig *r)
{
	return endpoint_n_clients(r->e) == r->want;
}

bool rig_all_got(struct rig *r)
{
	for (size_t i = 0; i < r->n_peers; i++) {
		const struct peer *p = &r->peers[i];

		if (p->fd >= 0 && !p->stalled && !p->eof && p->n < r->want)
			return false;
	}
	return true;
}

bool rig_is_drained(struct rig *r)
{
	return endpoint_pending(r->e) == 0;
}

struct record rig_record(struct rig *r, const char *text)
{
	return (struct record){ .type = RECORD_MESSAGE,
				.msg = { .type = MSG_TEXT, .data = span_str(text) },
				.seq = ++r->seq,
				.epoch = 1 };
}

enum endpoint_outcome rig_send(struct rig *r, const char *text)
{
	struct record record = rig_record(r, text);

	return endpoint_send(r->e, &record);
}

enum endpoint_outcome rig_send_to(struct rig *r, client_id client, const char *text)
{
	struct record record = rig_record(r, text);

	return endpoint_send_to(r->e, client, &record);
}

static int by_id(const void *a, const void *b)
{
	client_id x = ((const struct endpoint_client *)a)->id;
	client_id y = ((const struct endpoint_client *)b)->id;

	return (x > y) - (x < y);
}

struct endpoint_client rig_client(struct rig *r, size_t i)
{
	struct endpoint_client all[RIG_PEERS];
	size_t n = 0;

	while (n < RIG_PEERS && endpoint_client_at(r->e, n, &all[n]))
		n++;
	assert_true(i < n);
	qsort(all, n, sizeof(all[0]), by_id);
	return all[i];
}

int rig_open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}
