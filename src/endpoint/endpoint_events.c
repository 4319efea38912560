/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an endpoint reports: the orders of its clients at once, drops, room and
 * departures at the end of the turn; and what time brings about. It sends
 * nothing. Owned by endpoint.c. The trap: each call of the bridge may send,
 * pause or close, so nothing but the list itself is taken for granted after
 * it.
 */
#include "endpoint/endpoint_int.h"

void endpoint_emit(struct endpoint *e, const struct endpoint_event *event)
{
	e->calling++;
	e->cb(e->arg, e, event);
	e->calling--;
}

void endpoint_refuse(struct endpoint *e, const char *name, const struct error *err)
{
	struct endpoint_event event = { .type = ENDPOINT_REFUSED, .err = err, .name = name };

	e->totals.refused_clients++;
	endpoint_emit(e, &event);
}

static void emit_of(struct endpoint *e, struct client *c, struct endpoint_event event)
{
	event.client = c->id;
	event.name = c->name;
	endpoint_emit(e, &event);
}

static void count_hearing(struct endpoint *e)
{
	e->n_hearing = 0;
	list_each(it, next, &e->clients)
		e->n_hearing += endpoint_client_of(it)->state == CLIENT_HEARING;
}

static void on_order(struct endpoint *e, struct client *c, const struct order *order)
{
	emit_of(e, c, (struct endpoint_event){ .type = ENDPOINT_ORDER, .order = order });
	if (!e->paused)
		return;
	/* It comes last when reading goes on, or it could starve the others. */
	list_remove(&c->node);
	list_append(&e->clients, &c->node);
}

static void on_bad_record(struct endpoint *e, struct client *c, const struct order *order,
			  const struct error *err)
{
	e->totals.refused++;
	emit_of(e, c,
		(struct endpoint_event){ .type = ENDPOINT_BAD_RECORD, .order = order, .err = err });
}

void endpoint_on_client(void *arg, struct client *c, enum client_event type,
			const struct order *order, const struct error *err)
{
	struct endpoint *e = arg;

	switch (type) {
	case CLIENT_ORDER:
		on_order(e, c, order);
		break;
	case CLIENT_BAD_RECORD:
		on_bad_record(e, c, order, err);
		break;
	case CLIENT_BROKEN:
		on_bad_record(e, c, order, err);
		endpoint_close_client(e, c->id); /* the answer gets there before */
		break;
	case CLIENT_ENDED:
		emit_of(e, c, (struct endpoint_event){ .type = ENDPOINT_ENDED });
		break;
	case CLIENT_CHANGED:
		count_hearing(e);
		loop_defer(e->loop, &e->work->turn_end);
		break;
	}
}

/* One whose callback pauses again holds back the rest, its own and that of those behind it. */
static void resume_clients(struct endpoint *e)
{
	if (!e->resuming)
		return;
	e->resuming = false;
	list_each(it, next, &e->clients) {
		struct client *c = endpoint_client_of(it);

		if (!c->alone)
			client_resume(c);
		if (e->paused)
			return;
	}
}

static void say_why(const struct client *c, struct error *err)
{
	switch (c->why) {
	case DROP_SLOW:
		error_set(err, ERR_OVERFLOW, "does not read fast enough: %s",
			  c->state == CLIENT_GONE ? "disconnected" : "messages are dropped");
		break;
	case DROP_BLOCKED:
		error_set(err, ERR_OVERFLOW,
			  "has not read enough for block_timeout (%g s): disconnected",
			  (double)c->rules->block_timeout / 1e6);
		break;
	case DROP_TOO_BIG:
		error_set(err, ERR_OVERFLOW,
			  "a message is longer than a packet may be (%zu bytes): it is dropped",
			  c->max_record);
		break;
	case DROP_NO_MEMORY:
		error_set(err, ERR_OVERFLOW, "no memory for a message: it is dropped");
		break;
	}
}

static void report(struct endpoint *e, struct client *c)
{
	struct error err;

	if (c->drop_unreported) {
		c->drop_unreported = false;
		say_why(c, &err);
		emit_of(e, c, (struct endpoint_event){ .type = ENDPOINT_DROPPED, .err = &err });
	}
	if (c->room_unreported && !client_is_slow(c)) {
		c->room_unreported = false;
		emit_of(e, c, (struct endpoint_event){ .type = ENDPOINT_ROOM });
	}
}

static void remove_client(struct endpoint *e, struct client *c)
{
	endpoint_flush(e); /* its target may be this one */
	if (e->target == c)
		e->target = NULL;
	list_remove(&c->node);
	if (!c->unlisted) {
		e->n_clients--;
		e->quota->clients--;
		if (e->n_clients == 0)
			batch_deinit(&e->work->batch);
		emit_of(e, c, (struct endpoint_event){ .type = ENDPOINT_LEFT });
	}
	if (e->ops->left)
		e->ops->left(e, c);
	client_free(c);
}

static void arm_deadline(struct endpoint *e)
{
	int64_t first = 0, now = loop_now(e->loop);

	list_each(it, next, &e->clients) {
		int64_t due = endpoint_client_of(it)->deadline;

		if (due > 0 && (first == 0 || due < first))
			first = due;
	}
	if (first > 0)
		timer_arm(&e->work->deadline, first > now ? first - now : 0);
	else
		timer_disarm(&e->work->deadline);
}

void endpoint_on_turn_end(void *arg)
{
	struct endpoint *e = arg;

	endpoint_flush(e);
	resume_clients(e);
	list_each(it, next, &e->clients)
		report(e, endpoint_client_of(it));
	list_each(it, next, &e->clients)
		if (endpoint_client_of(it)->state == CLIENT_GONE)
			remove_client(e, endpoint_client_of(it));
	if (list_empty(&e->clients) && !e->replay)
		endpoint_end_work(e);
	else
		arm_deadline(e);
}

void endpoint_on_check(void *arg)
{
	struct endpoint *e = arg;
	bool again = false;

	list_each(it, next, &e->clients) {
		struct client *c = endpoint_client_of(it);

		client_check(c);
		again = again || c->paused;
	}
	if (again || e->paused)
		timer_arm(&e->work->check, ENDPOINT_CHECK_INTERVAL);
}

void endpoint_on_deadline(void *arg)
{
	struct endpoint *e = arg;
	int64_t now = loop_now(e->loop);

	list_each(it, next, &e->clients) {
		struct client *c = endpoint_client_of(it);

		if (c->deadline > 0 && c->deadline <= now)
			e->totals.dropped += client_cut(c);
	}
	arm_deadline(e);
}
