/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An endpoint that is a listening Unix socket with a set of clients. What is
 * sent is encoded once for all of them and handed out at the end of the turn.
 * It decides nothing about messages: its bridge does. Owned by a bridge. The
 * trap: calls from the bridge never lead back into its callback; drops and
 * departures are reported at the end of the turn.
 */
#include "endpoint/endpoint.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "endpoint/client.h"
#include "net/listen.h"
#include "net/loop.h"

/* How often paused clients are looked at for having closed. */
#define CHECK_INTERVAL 1000000

struct endpoint {
	struct loop *loop;
	const struct endpoint_conf *conf;
	struct bridge_conf *owner;
	struct endpoint_quota *quota;
	endpoint_cb cb;
	void *arg;
	struct framing framing;
	struct listener *listener;
	struct list clients;
	size_t n_clients; /* on the list */
	size_t n_hearing;
	struct batch batch;
	struct deferred turn_end;
	struct timer check;
	bool paused, resuming;
	unsigned calling; /* depth of calls to cb */
	struct endpoint_totals totals;
};

static struct client *client_of(struct list *node)
{
	return list_entry(node, struct client, node);
}

static void emit(struct endpoint *e, const struct endpoint_event *event)
{
	e->calling++;
	e->cb(e->arg, event);
	e->calling--;
}

static void emit_client(struct endpoint *e, const char *name, const struct error *err)
{
	struct endpoint_event event = { .type = ENDPOINT_CLIENT, .err = err, .client = name };

	emit(e, &event);
}

static void count_hearing(struct endpoint *e)
{
	e->n_hearing = 0;
	list_each(it, next, &e->clients)
		e->n_hearing += client_of(it)->state == CLIENT_HEARING;
}

static void on_message(struct endpoint *e, struct client *c, const struct msg *msg)
{
	struct endpoint_event event = { .type = ENDPOINT_MESSAGE, .msg = *msg, .client = c->name };

	emit(e, &event);
	if (!e->paused)
		return;
	/* It comes last when reading goes on, or it could starve the others. */
	list_remove(&c->node);
	list_append(&e->clients, &c->node);
}

static void on_client(void *arg, struct client *c, enum client_event type, const struct msg *msg,
		      const struct error *err)
{
	struct endpoint *e = arg;
	struct endpoint_event bad = { ENDPOINT_BAD_RECORD, .err = err, .client = c->name };

	switch (type) {
	case CLIENT_MESSAGE:
		on_message(e, c, msg);
		break;
	case CLIENT_BAD_RECORD:
		e->totals.refused++;
		emit(e, &bad);
		break;
	case CLIENT_CHANGED:
		count_hearing(e);
		loop_defer(e->loop, &e->turn_end);
		break;
	}
}

static void flush(struct endpoint *e)
{
	if (e->batch.records == 0)
		return;
	list_each(it, next, &e->clients) {
		struct client *c = client_of(it);

		e->totals.dropped += client_send(c, &e->batch);
		if (c->drop_unreported)
			loop_defer(e->loop, &e->turn_end);
	}
	batch_clear(&e->batch);
}

static bool refuse_client(struct endpoint *e, struct error *err)
{
	if (e->n_clients >= (size_t)e->conf->max_clients)
		return !error_set(err, ERR_OVERFLOW, "refused: max_clients is %zu",
				  (size_t)e->conf->max_clients);
	if (e->quota->clients >= e->quota->max_clients)
		return !error_set(err, ERR_OVERFLOW, "refused: limits.clients is %zu",
				  e->quota->max_clients);
	return false;
}

static void add_client(struct endpoint *e, int fd, const struct peer_cred *peer)
{
	struct client_params params = {
		.framing = &e->framing,
		.conf = e->conf,
		.quota = e->quota,
		.cb = on_client,
		.arg = e,
	};
	struct client *c;

	flush(e); /* what came before it is not for it */
	c = client_new(e->loop, fd, &params);
	client_set_peer(c, peer->pid, peer->uid);
	if (e->paused || e->resuming)
		client_pause(c);
	list_append(&e->clients, &c->node);
	e->n_clients++;
	e->n_hearing++;
	e->quota->clients++;
	emit_client(e, c->name, NULL);
}

static void on_accept(void *arg, int fd, const struct peer_cred *peer)
{
	struct endpoint *e = arg;
	struct error err;
	char name[CLIENT_NAME_SIZE];

	if (!refuse_client(e, &err)) {
		add_client(e, fd, peer);
		return;
	}
	close(fd);
	e->totals.refused_clients++;
	client_format_name(name, peer->pid, peer->uid);
	emit_client(e, name, &err);
}

/* One whose callback pauses again holds back the rest, its own and that of those behind it. */
static void resume_clients(struct endpoint *e)
{
	if (!e->resuming)
		return;
	e->resuming = false;
	list_each(it, next, &e->clients) {
		client_resume(client_of(it));
		if (e->paused)
			return;
	}
}

static void report_drop(struct endpoint *e, struct client *c)
{
	struct endpoint_event event = { .type = ENDPOINT_DROPPED, .client = c->name };
	struct error err;

	c->drop_unreported = false;
	if (c->state == CLIENT_GONE)
		error_set(&err, ERR_OVERFLOW, "does not read fast enough: disconnected");
	else
		error_set(&err, ERR_OVERFLOW, "does not read fast enough: messages are dropped");
	event.err = &err;
	emit(e, &event);
}

static void remove_client(struct endpoint *e, struct client *c)
{
	list_remove(&c->node);
	e->n_clients--;
	e->quota->clients--;
	if (e->n_clients == 0)
		batch_deinit(&e->batch);
	emit_client(e, c->name, NULL);
	client_free(c);
}

static void on_turn_end(void *arg)
{
	struct endpoint *e = arg;

	flush(e);
	resume_clients(e);
	list_each(it, next, &e->clients)
		if (client_of(it)->drop_unreported)
			report_drop(e, client_of(it));
	list_each(it, next, &e->clients)
		if (client_of(it)->state == CLIENT_GONE)
			remove_client(e, client_of(it));
}

static void on_check(void *arg)
{
	struct endpoint *e = arg;

	if (!e->paused)
		return;
	list_each(it, next, &e->clients)
		client_check(client_of(it));
	timer_arm(&e->check, CHECK_INTERVAL);
}

struct endpoint *endpoint_new(struct loop *l, const struct endpoint_params *params,
			      struct error *err)
{
	const struct endpoint_conf *conf = params->conf;
	struct listener *listener = listener_new(l, conf->unix_path, conf->mode, err);
	struct endpoint *e;

	if (!listener)
		return NULL;
	e = mem_zalloc(sizeof(*e));
	e->loop = l;
	e->conf = conf;
	e->owner = bridge_conf_ref(params->owner);
	e->quota = params->quota;
	e->cb = params->cb;
	e->arg = params->arg;
	e->listener = listener;
	framing_init(&e->framing, conf, e->owner->max_message);
	list_init(&e->clients);
	batch_init(&e->batch);
	deferred_init(&e->turn_end, on_turn_end, e);
	timer_init(&e->check, l, on_check, e);
	listener_start(listener, on_accept, e);
	return e;
}

void endpoint_free(struct endpoint *e)
{
	if (!e)
		return;
	assert(e->calling == 0);
	listener_free(e->listener);
	list_each(it, next, &e->clients) {
		client_free(client_of(it));
		e->quota->clients--;
	}
	batch_deinit(&e->batch);
	deferred_cancel(&e->turn_end);
	timer_deinit(&e->check);
	bridge_conf_unref(e->owner);
	free(e);
}

static void drop_for_all(struct endpoint *e)
{
	list_each(it, next, &e->clients) {
		struct client *c = client_of(it);

		if (c->state != CLIENT_HEARING)
			continue;
		client_note_dropped(c, 1);
		e->totals.dropped++;
	}
	loop_defer(e->loop, &e->turn_end);
}

enum endpoint_outcome endpoint_send(struct endpoint *e, struct msg msg)
{
	struct framing_plan plan;

	if (e->n_hearing == 0)
		return ENDPOINT_NOBODY;
	if (!framing_measure(&e->framing, msg, &plan)) {
		e->totals.unfit++;
		return ENDPOINT_UNFIT;
	}
	if (!batch_add(&e->batch, &e->framing, msg, &plan)) {
		drop_for_all(e);
		return ENDPOINT_SENT;
	}
	e->totals.replaced += plan.replaced;
	if (batch_is_full(&e->batch))
		flush(e);
	else
		loop_defer(e->loop, &e->turn_end);
	return ENDPOINT_SENT;
}

void endpoint_flush(struct endpoint *e)
{
	flush(e);
}

void endpoint_pause(struct endpoint *e)
{
	if (e->paused)
		return;
	e->paused = true;
	e->resuming = false;
	list_each(it, next, &e->clients)
		client_pause(client_of(it));
	if (!timer_is_armed(&e->check))
		timer_arm(&e->check, CHECK_INTERVAL);
}

void endpoint_resume(struct endpoint *e)
{
	if (!e->paused)
		return;
	e->paused = false;
	e->resuming = true;
	loop_defer(e->loop, &e->turn_end);
}

void endpoint_stop_accepting(struct endpoint *e)
{
	listener_stop(e->listener);
}

size_t endpoint_pending(const struct endpoint *e)
{
	size_t bytes = e->batch.bytes * e->n_hearing;

	list_each(it, next, &e->clients)
		bytes += client_of(it)->queue.bytes;
	return bytes;
}

const struct endpoint_conf *endpoint_configuration(const struct endpoint *e)
{
	return e->conf;
}

size_t endpoint_n_clients(const struct endpoint *e)
{
	return e->n_clients;
}

bool endpoint_client_at(const struct endpoint *e, size_t i, struct endpoint_client *out)
{
	list_each(it, next, &e->clients) {
		const struct client *c = client_of(it);

		if (i-- > 0)
			continue;
		*out = (struct endpoint_client){
			.pid = c->pid,
			.uid = c->uid,
			.queued = c->queue.bytes,
			.dropped = c->dropped,
			.sent = c->sent,
			.received = c->received,
		};
		return true;
	}
	return false;
}

void endpoint_totals(const struct endpoint *e, struct endpoint_totals *out)
{
	*out = e->totals;
}
