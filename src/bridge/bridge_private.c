/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private sharing: each local client has an upstream connection of its own; a
 * pair is the two of them. One attempt: when the connection ends, or cannot be
 * made, its client is told and closed; when the client leaves, the connection
 * is. The trap: a pair is freed at the end of the turn, for its link reports
 * from inside.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "base/url.h"
#include "bridge/pair_int.h"

struct pair *pair_find(const struct bridge *b, client_id client)
{
	list_each(it, next, &b->pairs)
		if (pair_at(it)->client == client)
			return pair_at(it);
	return NULL;
}

static enum endpoint_outcome tell(struct pair *p, const struct record *r)
{
	return p->client ? endpoint_send_to(p->endpoint, p->client, r) : ENDPOINT_NOBODY;
}

static void lane_tell(void *arg, client_id client, const struct record *r)
{
	struct record stamped = *r;

	(void)client;
	stamped.time = bridge_now();
	tell(arg, &stamped);
}

static void lane_hold(void *arg, bool hold)
{
	struct pair *p = arg;

	if (!p->client)
		return;
	if (hold)
		endpoint_pause_client(p->endpoint, p->client);
	else
		endpoint_resume_client(p->endpoint, p->client);
}

static void pair_free(struct pair *p)
{
	list_remove(&p->node);
	link_free(p->link);
	lane_deinit(&p->lane);
	timer_deinit(&p->linger);
	free(p);
}

static void sweep(void *arg)
{
	struct bridge *b = arg;

	list_each(it, next, &b->pairs) {
		struct pair *p = pair_at(it);

		if (!p->over)
			continue;
		pair_keep_past(p);
		pair_free(p);
	}
	bridge_changed(b);
}

void pairs_init(struct bridge *b)
{
	list_init(&b->pairs);
}

static struct pairing *pairing_of(struct bridge *b)
{
	if (b->pairing)
		return b->pairing;
	b->pairing = mem_zalloc(sizeof(*b->pairing));
	deferred_init(&b->pairing->sweep, sweep, b);
	return b->pairing;
}

void pairs_free(struct bridge *b)
{
	list_each(it, next, &b->pairs)
		pair_free(pair_at(it));
	if (!b->pairing)
		return;
	deferred_cancel(&b->pairing->sweep);
	if (b->pairing->past)
		history_deinit(&b->pairing->past->history);
	free(b->pairing->past);
	free(b->pairing);
	b->pairing = NULL;
}

static void check_room(struct pair *p)
{
	struct endpoint *e = p->client ? p->endpoint : NULL;
	bool full = e && endpoint_configuration(e)->rules->overflow == OVERFLOW_BLOCK &&
		    endpoint_client_is_full(e, p->client);

	if (full == p->paused)
		return;
	p->paused = full;
	link_pause(p->link, full);
}

void pairs_check_room(struct bridge *b)
{
	list_each(it, next, &b->pairs)
		if (pair_at(it)->paused)
			check_room(pair_at(it));
}

/* Everything the client wrote is with the kernel: the time for answers begins. */
static void check_end(struct pair *p)
{
	if (!link_is_open(p->link) || !lane_is_through(&p->lane))
		return;
	if (!p->client)
		link_stop(p->link, 1000, "");
	else if (p->input_ended && !timer_is_armed(&p->linger))
		timer_arm(&p->linger, p->b->conf->common->linger);
}

static void on_linger(void *arg)
{
	link_stop(((struct pair *)arg)->link, 1000, "");
}

static void on_message(struct pair *p, struct msg msg, bool continued)
{
	struct record r = {
		.type = RECORD_MESSAGE,
		.msg = msg,
		.continued = continued,
		.seq = ++p->seq,
		.epoch = link_epoch(p->link),
		.time = bridge_turn_time(p->b),
	};

	if (tell(p, &r) == ENDPOINT_NOBODY)
		p->b->unheard++;
	bridge_show(p->b, &r);
	if (msg.data.n >= BRIDGE_BIG_MESSAGE)
		check_room(p);
}

static void on_control(struct pair *p, enum record_type type, struct span payload)
{
	struct record r = { .type = type, .payload = payload, .time = bridge_turn_time(p->b) };

	tell(p, &r);
	bridge_show(p->b, &r);
}

static void on_ended(struct pair *p, const struct link_event *ev)
{
	struct record r;

	lane_ended(&p->lane);
	if (!ev->end->was_open && link_state(p->link) != LINK_CONNECTING)
		return;
	r = bridge_end_record(ev);
	tell(p, &r);
	bridge_show(p->b, &r);
}

static void on_opened(struct pair *p)
{
	struct link_info info;
	mem_auto_str url = NULL;
	struct record r;

	link_info(p->link, &info);
	url = url_format(info.details.url);
	r = bridge_open_record(&info, url);
	tell(p, &r);
	bridge_show(p->b, &r);
	lane_opened(&p->lane);
	check_end(p);
}

/* The client gets what still waits for it, and no more. */
static void on_over(struct pair *p)
{
	client_id client = p->client;

	p->over = true;
	p->client = 0;
	timer_disarm(&p->linger);
	loop_defer(p->b->env->loop, &p->b->pairing->sweep);
	if (client)
		endpoint_close_client(p->endpoint, client);
}

static void on_state(struct pair *p)
{
	enum link_state state = link_state(p->link);

	if (state == LINK_OPEN)
		on_opened(p);
	else
		lane_closed(&p->lane);
	if (state == LINK_STOPPED || state == LINK_GAVE_UP)
		on_over(p);
	bridge_changed(p->b);
}

static void on_link(void *arg, const struct link_event *ev)
{
	struct pair *p = arg;

	switch (ev->type) {
	case LINK_STATE:
		on_state(p);
		break;
	case LINK_MESSAGES:
		for (size_t i = 0; i < ev->n_msgs; i++)
			on_message(p, ev->msgs[i], ev->continued && i == 0);
		break;
	case LINK_PING:
		on_control(p, RECORD_PING, ev->payload);
		break;
	case LINK_PONG:
		on_control(p, RECORD_PONG, ev->payload);
		break;
	case LINK_TURN:
		p->b->time = 0;
		check_room(p);
		break;
	case LINK_DRAINED:
		lane_drained(&p->lane);
		check_end(p);
		p->b->env->cb(p->b->env->arg, p->b, BRIDGE_FLUSHED);
		break;
	case LINK_ENDED:
		on_ended(p, ev);
		break;
	}
}

static struct pair *pair_new(struct bridge *b, struct endpoint *e, client_id client)
{
	struct pair *p = mem_zalloc(sizeof(*p));
	struct link_params link = {
		.loop = b->env->loop,
		.dialer = b->env->dialer,
		.rand = b->env->rand,
		.conf = b->conf,
		.object = b->object,
		.once = true,
		.cb = on_link,
		.arg = p,
	};
	struct lane_params lane = {
		.loop = b->env->loop,
		.object = b->object,
		.conf = b->conf,
		.sole = true,
		.hold = lane_hold,
		.tell = lane_tell,
		.arg = p,
	};

	p->b = b;
	p->client = client;
	p->endpoint = e;
	p->number = ++pairing_of(b)->made;
	p->link = link_new(&link);
	bridge_trace_pair(p);
	lane.link = p->link;
	lane_init(&p->lane, &lane);
	timer_init(&p->linger, b->env->loop, on_linger, p);
	list_append(&b->pairs, &p->node);
	return p;
}

static void turn_away(struct bridge *b, struct endpoint *e, client_id client)
{
	struct error err;
	struct record r = { .type = RECORD_ERROR, .err = &err, .time = bridge_now() };

	error_set(&err, ERR_NOT_OPEN, "bridge \"%s\" is %s", b->conf->name, bridge_state(b));
	endpoint_send_to(e, client, &r);
	endpoint_close_client(e, client);
}

void pair_came(struct bridge *b, struct endpoint *e, client_id client)
{
	struct pair *p;

	if (!b->wanted || b->endpoint_error) {
		turn_away(b, e, client);
		return;
	}
	p = pair_new(b, e, client);
	lane_await_open(&p->lane);
	link_start(p->link);
}

void pair_order(struct bridge *b, client_id client, const struct order *o)
{
	struct pair *p = pair_find(b, client);

	if (p)
		lane_order(&p->lane, client, o);
}

void pair_ended(struct bridge *b, client_id client)
{
	struct pair *p = pair_find(b, client);

	if (!p)
		return;
	p->input_ended = true;
	check_end(p);
}

/* What it wrote is still sent, if its connection is there and takes it within `linger`. */
static void left(struct pair *p)
{
	p->client = 0;
	if (!link_is_open(p->link) || lane_is_through(&p->lane))
		link_stop(p->link, 1000, "");
	else
		timer_arm(&p->linger, p->b->conf->common->linger);
	check_room(p);
}

void pair_left(struct bridge *b, client_id client)
{
	struct pair *p = pair_find(b, client);

	if (p)
		left(p);
}

void pairs_forget_gone(struct bridge *b)
{
	list_each(it, next, &b->pairs) {
		struct pair *p = pair_at(it);

		if (p->client && !bridge_has_client(b, p->client))
			left(p);
	}
}

/* A connection that is there goes on as it began; only policies change. */
void pairs_configure(struct bridge *b)
{
	list_each(it, next, &b->pairs) {
		link_configure(pair_at(it)->link, b->conf, false);
		lane_configure(&pair_at(it)->lane, b->conf);
	}
}

void pairs_stop(struct bridge *b, int code, const char *reason)
{
	list_each(it, next, &b->pairs)
		link_stop(pair_at(it)->link, code, reason);
}

void pairs_check(struct bridge *b)
{
	list_each(it, next, &b->pairs)
		link_check(pair_at(it)->link);
}
