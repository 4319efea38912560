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

static void take_message(struct rig *r, struct span text)
{
	size_t need = r->messages_n + text.n + 2;

	if (need > r->messages_size)
		r->messages = mem_grow(r->messages, r->messages_size = 2 * need, 1);
	if (text.n > 0)
		memcpy(r->messages + r->messages_n, text.p, text.n);
	memcpy(r->messages + r->messages_n + text.n, "|", 2);
	r->messages_n += text.n + 1;
	if (++r->n_messages == r->pause_at)
		endpoint_pause(r->e);
}

static void on_event(void *arg, const struct endpoint_event *event)
{
	struct rig *r = arg;

	if (event->err)
		r->last_error = *event->err;
	if (event->client)
		snprintf(r->last_client, sizeof(r->last_client), "%s", event->client);
	switch (event->type) {
	case ENDPOINT_MESSAGE:
		take_message(r, event->msg.data);
		break;
	case ENDPOINT_BAD_RECORD:
		r->n_bad++;
		break;
	case ENDPOINT_CLIENT:
		r->n_clients += !event->err;
		if (r->greeting)
			rig_send(r, r->greeting);
		r->n_refused += event->err != NULL;
		break;
	case ENDPOINT_DROPPED:
		r->n_dropped++;
		break;
	}
}

static void pump(struct peer *p)
{
	while (!p->stalled && !p->eof && p->fd >= 0) {
		ssize_t n;

		if (p->size - p->n < 65536)
			p->got = mem_grow(p->got, p->size = 2 * p->size + 65536, 1);
		n = recv(p->fd, p->got + p->n, p->size - p->n, MSG_DONTWAIT);
		if (n > 0)
			p->n += (size_t)n;
		else if (n == 0 || errno != EAGAIN)
			p->eof = true;
		else
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
	size_t want = r->want;

	r->want = 20;
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
	r->owner.max_message = 16 << 20;
	r->conf.unix_path = r->path;
	r->conf.delimiter = '\n';
	r->conf.mode = 0600;
	r->conf.max_clients = 64;
	r->conf.queue = 1 << 20;
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
	p->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
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

enum endpoint_outcome rig_send(struct rig *r, const char *text)
{
	return endpoint_send(r->e, (struct msg){ MSG_TEXT, span_str(text) });
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
