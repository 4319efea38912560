/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See lane.h; what concerns messages of several fragments stands in
 * lane_parts.c. The trap: link_reconnect comes back in here through the bridge
 * as lane_closed, so it is always the last thing that is done.
 */
#include "bridge/lane.h"

#include <stdio.h>

#include "base/log.h"
#include "bridge/lane_int.h"

/* At so short a distance what expires is dropped at once, not one by one. */
#define EXPIRE_STEP ((int64_t)20000)

/* What the link, or the rules of the lane, say to a message. */
enum pass {
	PASS_SENT,
	PASS_WAIT, /* the rate is used up, or another's message must end first */
	PASS_FULL, /* the upstream is slower than the local side */
	PASS_NOT_OPEN,
};

static struct outbox_policy policy_of(const struct lane *l)
{
	return (struct outbox_policy){
		.size = l->env.conf->common->outbox.size,
		.ttl = l->env.sole ? 0 : l->env.conf->common->outbox.ttl, /* no holes in a stream */
		.drop_oldest = l->env.conf->common->outbox.on_full == ON_FULL_DROP_OLDEST,
	};
}

static int64_t now_of(const struct lane *l)
{
	return loop_now(l->env.loop);
}

static void hold(struct lane *l, bool held)
{
	if (l->held == held)
		return;
	l->held = held;
	l->env.hold(l->env.arg, held);
}

static const char *state_of(const struct lane *l)
{
	return link_state_shown(link_state(l->env.link));
}

void lane_refuse(struct lane *l, const struct outbox_item *item, enum err code, const char *why)
{
	struct error err;
	struct record r = { .type = RECORD_ERROR, .err = &err, .id = item->id };

	if (!item->client || !item->id.n)
		return;
	error_set(&err, code, "bridge \"%s\": %s", l->env.conf->name, why);
	l->env.tell(l->env.arg, item->client, &r);
}

static void refuse_not_open(struct lane *l, const struct outbox_item *item, const char *more)
{
	char why[160];

	snprintf(why, sizeof(why), "%s%s", state_of(l), more);
	lane_refuse(l, item, ERR_NOT_OPEN, why);
}

static void on_lost(void *arg, const struct outbox_item *item, enum outbox_loss why)
{
	struct lane *l = arg;

	switch (why) {
	case OUTBOX_EXPIRED:
		lane_refuse(l, item, ERR_TIMEOUT, "not sent within outbox.ttl");
		break;
	case OUTBOX_DROPPED:
		lane_refuse(l, item, ERR_OVERFLOW, "dropped from the outbox for a newer message");
		break;
	case OUTBOX_PURGED:
		lane_refuse(l, item, ERR_NOT_OPEN,
			    "the rest of a message in fragments is not sent");
		break;
	}
}

/* The next moment at which there is something to do without an event. */
static void arm_timer(struct lane *l)
{
	int64_t now = now_of(l), due = outbox_due(&l->outbox);
	int64_t delay = due == INT64_MAX ? INT64_MAX : due - now;

	if (delay < EXPIRE_STEP)
		delay = EXPIRE_STEP;
	if (l->outbox.messages && l->bucket && link_is_open(l->env.link)) {
		int64_t wait = bucket_wait(l->bucket, now);

		delay = wait > 0 && wait < delay ? wait : delay;
	}
	if (delay == INT64_MAX)
		timer_disarm(&l->timer);
	else if (!timer_is_armed(&l->timer) || l->timer.due > now + delay)
		timer_arm(&l->timer, delay);
}

/* The mark is where its last byte stands among all that was ever queued. */
static void await(struct lane *l, const struct outbox_item *item, bool control)
{
	struct session_progress p;
	struct receipt one = { .client = item->client, .id = item->id, .control = control };

	if (!item->client || !item->id.n)
		return;
	p = link_progress(l->env.link);
	one.mark = control ? p.control_queued : p.data_queued;
	if (!receipts_add(&l->receipts, &one))
		lane_refuse(l, item, ERR_OVERFLOW, "sent, but there is no memory to watch it");
}

static bool has_token(const struct lane *l)
{
	return !l->bucket || bucket_wait(l->bucket, now_of(l)) == 0;
}

static enum pass pass(struct lane *l, const struct outbox_item *item)
{
	bool continues = l->wire && l->wire == item->client;

	if (!link_is_open(l->env.link))
		return PASS_NOT_OPEN;
	if (l->wire && !continues)
		return PASS_WAIT;
	if (!continues && !has_token(l))
		return PASS_WAIT;
	if (item->id.n && l->receipts.n >= RECEIPTS_MAX)
		return PASS_FULL;
	switch (link_send(l->env.link, item->msg)) {
	case LINK_FULL:
		return PASS_FULL;
	case LINK_NOT_OPEN:
		return PASS_NOT_OPEN;
	case LINK_SENT:
		break;
	}
	if (!continues && l->bucket)
		bucket_take(l->bucket, now_of(l));
	l->wire = item->msg.more ? item->client : 0;
	if (l->wire)
		lane_part_passed(l);
	l->refusing = false;
	await(l, item, false);
	return PASS_SENT;
}

/* Of what waits, that which may go next. */
static const struct outbox_item *next_item(const struct lane *l)
{
	return outbox_first(&l->outbox, l->wire);
}

static void drain(struct lane *l)
{
	const struct outbox_item *item;
	enum pass last = PASS_SENT;

	outbox_expire(&l->outbox, now_of(l));
	while (last == PASS_SENT && (item = next_item(l))) {
		last = pass(l, item);
		if (last == PASS_SENT)
			outbox_pop(&l->outbox, item);
	}
	if (last == PASS_FULL)
		hold(l, true); /* who writes now waits, instead of losing it to a full outbox */
	else if (link_is_open(l->env.link) && !(l->env.sole && l->outbox.messages))
		hold(l, false);
	arm_timer(l);
}

static void on_timer(void *arg)
{
	drain(arg);
}

static void say_refusing(struct lane *l, const char *what)
{
	if (!l->refusing)
		log_warning(l->env.object, "%s", what);
	l->refusing = true;
}

static bool keep(struct lane *l, const struct outbox_item *item)
{
	struct outbox_policy policy = policy_of(l);
	bool kept = outbox_push(&l->outbox, item, &policy, now_of(l));

	if (kept)
		l->refusing = false;
	else
		say_refusing(
			l, link_is_open(l->env.link) ?
				   "over its rate, and the outbox is full: local messages are "
				   "refused" :
				   "not open, and the outbox is full: local messages are refused");
	arm_timer(l);
	return kept;
}

/* The upstream is open: the client that wrote it waits instead of losing it. */
static bool keep_and_hold(struct lane *l, const struct outbox_item *item)
{
	struct outbox_policy policy = policy_of(l);
	bool kept = outbox_push_always(&l->outbox, item, &policy, now_of(l));

	hold(l, true);
	arm_timer(l);
	return kept;
}

static bool must_wait(const struct lane *l, client_id client)
{
	if (l->wire && l->wire == client)
		return outbox_first(&l->outbox, client) != NULL;
	return l->wire || l->outbox.messages > 0;
}

static enum pass pass_in_turn(struct lane *l, const struct outbox_item *item)
{
	if (!link_is_open(l->env.link))
		return PASS_NOT_OPEN;
	if (must_wait(l, item->client))
		return l->held ? PASS_FULL : PASS_WAIT;
	return pass(l, item);
}

static bool keep_or_refuse(struct lane *l, const struct outbox_item *item)
{
	bool kept = l->env.sole && link_is_open(l->env.link) ? keep_and_hold(l, item) :
							       keep(l, item);

	if (!kept && link_is_open(l->env.link))
		lane_refuse(l, item, ERR_OVERFLOW, "the outbox is full");
	else if (!kept)
		refuse_not_open(l, item,
				l->env.conf->common->outbox.size ? ", and the outbox is full" : "");
	return kept;
}

/* False: refused. */
static bool message(struct lane *l, const struct outbox_item *item)
{
	switch (pass_in_turn(l, item)) {
	case PASS_SENT:
		return true;
	case PASS_FULL:
		if (keep_and_hold(l, item))
			return true;
		lane_refuse(l, item, ERR_OVERFLOW, "no memory");
		l->torn = l->wire && l->wire == item->client;
		return false;
	case PASS_WAIT:
		return keep_or_refuse(l, item);
	case PASS_NOT_OPEN:
		if (!item->part)
			return keep_or_refuse(l, item);
		say_refusing(l, "not open: fragments of messages are refused");
		l->outbox.rejected++;
		refuse_not_open(l, item, ": fragments are not kept");
		return false;
	}
	return false;
}

void lane_remake(struct lane *l, const char *why)
{
	l->torn = false;
	log_notice(l->env.object, "%s: the connection is made anew", why);
	link_reconnect(l->env.link);
}

static void order_message(struct lane *l, struct outbox_item *item)
{
	switch (lane_part(l, item)) {
	case LANE_WHOLE:
		message(l, item);
		break;
	case LANE_PART:
		if (message(l, item))
			break;
		lane_part_refused(l, item);
		if (l->torn)
			lane_remake(l, "there is no memory for the rest of a message");
		break;
	case LANE_REFUSED:
		l->outbox.rejected++;
		break;
	}
}

static void order_control(struct lane *l, const struct outbox_item *item, bool pong,
			  struct span payload)
{
	if (item->id.n && l->receipts.n >= RECEIPTS_MAX) {
		lane_refuse(l, item, ERR_OVERFLOW, "too many acks are out");
		return;
	}
	switch (pong ? link_pong(l->env.link, payload) : link_ping(l->env.link, payload)) {
	case LINK_SENT:
		await(l, item, true);
		break;
	case LINK_FULL:
		lane_refuse(l, item, ERR_OVERFLOW, "the upstream takes nothing at the moment");
		break;
	case LINK_NOT_OPEN:
		refuse_not_open(l, item, "");
		break;
	}
}

static void order_close(struct lane *l, const struct outbox_item *item, const struct order *o)
{
	char reason[124];

	if (!link_is_open(l->env.link)) {
		refuse_not_open(l, item, "");
		return;
	}
	snprintf(reason, sizeof(reason), "%.*s", (int)o->reason.n, (const char *)o->reason.p);
	link_close(l->env.link, o->code, reason);
	await(l, item, false);
}

void lane_order(struct lane *l, client_id client, const struct order *o)
{
	struct outbox_item item = { .client = client, .id = o->id, .msg = o->msg };

	switch (o->type) {
	case ORDER_MESSAGE:
		order_message(l, &item);
		break;
	case ORDER_RUN:
		*o->taken = lane_run(l, o->msgs, o->n_msgs);
		break;
	case ORDER_PING:
	case ORDER_PONG:
		order_control(l, &item, o->type == ORDER_PONG, o->payload);
		break;
	case ORDER_CLOSE:
		order_close(l, &item, o);
		break;
	}
}

enum bridge_send_result lane_send(struct lane *l, struct msg msg, bool queue)
{
	struct outbox_item item = { .msg = msg };

	switch (pass_in_turn(l, &item)) {
	case PASS_SENT:
		link_flush(l->env.link);
		return BRIDGE_SENT;
	case PASS_NOT_OPEN:
		if (!queue)
			return BRIDGE_NOT_OPEN;
		break;
	case PASS_WAIT:
		if (!queue)
			return BRIDGE_BUSY;
		break;
	case PASS_FULL:
		if (!queue)
			return BRIDGE_FULL;
		break;
	}
	return keep(l, &item) ? BRIDGE_QUEUED : BRIDGE_FULL;
}

void lane_await_open(struct lane *l)
{
	hold(l, true);
}

void lane_opened(struct lane *l)
{
	l->refusing = false;
	drain(l);
}

void lane_settle(struct lane *l)
{
	struct session_progress p = link_progress(l->env.link);
	const struct receipt *one;

	while ((one = receipts_due(&l->receipts, p.data_written, p.control_written))) {
		struct record r = { .type = RECORD_ACK, .id = one->id };

		l->env.tell(l->env.arg, one->client, &r);
		receipts_pop(&l->receipts, one);
	}
}

void lane_drained(struct lane *l)
{
	lane_settle(l);
	if (l->outbox.messages || l->held)
		drain(l);
}

void lane_ended(struct lane *l)
{
	const struct receipt *one;

	lane_settle(l);
	while ((one = receipts_due(&l->receipts, UINT64_MAX, UINT64_MAX))) {
		struct outbox_item item = { .client = one->client, .id = one->id };

		lane_refuse(l, &item, ERR_NOT_OPEN,
			    "the connection was lost before the kernel had it");
		receipts_pop(&l->receipts, one);
	}
}

void lane_closed(struct lane *l)
{
	lane_parts_lost(l);
	if (!l->env.sole)
		hold(l, false); /* what local clients send is the outbox's affair again */
	arm_timer(l);
}

void lane_left(struct lane *l, client_id client)
{
	if (lane_part_left(l, client))
		lane_remake(l, "a client left in the middle of a message");
}

void lane_forget_gone(struct lane *l, bool (*is_there)(void *arg, client_id client), void *arg)
{
	client_id client;

	for (size_t i = 0; (client = lane_part_talker(l, i));)
		if (is_there(arg, client))
			i++;
		else
			lane_left(l, client);
}

bool lane_is_through(const struct lane *l)
{
	struct session_progress p = link_progress(l->env.link);

	return l->outbox.messages == 0 && p.data_written >= p.data_queued &&
	       p.control_written >= p.control_queued;
}

void lane_init(struct lane *l, const struct lane_params *params)
{
	*l = (struct lane){ .env = *params };
	bridge_conf_ref(params->conf);
	outbox_init(&l->outbox, on_lost, l);
	receipts_init(&l->receipts);
	lane_rate_follow(l);
	timer_init(&l->timer, params->loop, on_timer, l);
}

void lane_configure(struct lane *l, struct bridge_conf *conf)
{
	struct bridge_conf *old = l->env.conf;

	l->env.conf = bridge_conf_ref(conf);
	bridge_conf_unref(old);
	lane_rate_follow(l);
	if (link_is_open(l->env.link))
		drain(l);
}

void lane_deinit(struct lane *l)
{
	outbox_deinit(&l->outbox);
	receipts_deinit(&l->receipts);
	lane_rate_deinit(l);
	timer_deinit(&l->timer);
	lane_parts_deinit(l);
	bridge_conf_unref(l->env.conf);
	l->env.conf = NULL;
}
