/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inbound: what the link reports becomes records for every endpoint. It
 * numbers and stamps messages and stops reading for clients that must miss
 * nothing. The trap: messages may come before the bridge is open.
 */
#include <stdio.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/url.h"
#include "bridge/bridge_int.h"

int64_t bridge_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t bridge_turn_time(struct bridge *b)
{
	if (b->time == 0)
		b->time = bridge_now();
	return b->time;
}

static void send_to_all(struct bridge *b, const struct record *r)
{
	for (size_t i = 0; i < b->n_endpoints; i++)
		if (b->endpoints[i])
			endpoint_send(b->endpoints[i], r);
}

/* How many of them, from the first, anybody has heard. */
static size_t send_messages(struct bridge *b, const struct record *first, const struct msg *msgs,
			    size_t n)
{
	size_t most = 0;

	for (size_t i = 0; i < b->n_endpoints; i++) {
		struct endpoint *e = b->endpoints[i];
		size_t heard = e ? endpoint_send_messages(e, first, msgs, n) : 0;

		if (heard > most)
			most = heard;
	}
	return most;
}

static void log_slow(const struct bridge *b, const struct endpoint *e)
{
	const char *label = endpoint_conf_label(endpoint_configuration(e));
	struct endpoint_client c;

	for (size_t i = 0; endpoint_client_at(e, i, &c); i++)
		if (c.slow && c.pid)
			log_warning(b->object, "reading waits for pid %jd uid %jd at %s",
				    (intmax_t)c.pid, (intmax_t)(int32_t)c.uid, label);
		else if (c.slow)
			log_warning(b->object, "reading waits for a client of %s", label);
}

static bool blocks(struct endpoint *e)
{
	return e && endpoint_configuration(e)->rules->overflow == OVERFLOW_BLOCK &&
	       endpoint_is_full(e);
}

void bridge_check_room(struct bridge *b)
{
	bool full = false;

	for (size_t i = 0; i < b->n_endpoints; i++) {
		struct endpoint *e = b->endpoints[i];

		if (!blocks(e))
			continue;
		full = true;
		if (!b->paused)
			log_slow(b, e);
	}
	if (full == b->paused)
		return;
	b->paused = full;
	link_pause(b->link, full);
}

static void show_messages(struct bridge *b, struct record r, const struct msg *msgs, size_t n)
{
	for (size_t i = 0; i < n; i++, r.seq++) {
		r.msg = msgs[i];
		bridge_show(b, &r);
		r.continued = msgs[i].more;
	}
}

static bool has_big(const struct msg *msgs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (msgs[i].data.n >= BRIDGE_BIG_MESSAGE)
			return true;
	return false;
}

static void on_messages(struct bridge *b, const struct link_event *ev)
{
	struct record first = {
		.type = RECORD_MESSAGE,
		.continued = ev->continued,
		.seq = b->seq + 1,
		.epoch = link_epoch(b->link),
		.time = bridge_turn_time(b),
	};

	b->seq += ev->n_msgs;
	b->unheard += ev->n_msgs - send_messages(b, &first, ev->msgs, ev->n_msgs);
	if (bridge_is_shown(b))
		show_messages(b, first, ev->msgs, ev->n_msgs);
	if (has_big(ev->msgs, ev->n_msgs))
		bridge_check_room(b);
}

static void on_turn(struct bridge *b)
{
	b->time = 0;
	bridge_check_room(b);
}

static void on_control(struct bridge *b, enum record_type type, struct span payload)
{
	struct record r = { .type = type, .payload = payload, .time = bridge_turn_time(b) };

	send_to_all(b, &r);
	bridge_show(b, &r);
}

struct record bridge_open_record(const struct link_info *info, const char *url)
{
	return (struct record){
		.type = RECORD_OPEN,
		.url = url,
		.subprotocol = info->details.subprotocol,
		.epoch = info->epoch,
		.time = bridge_now(),
	};
}

/* Where no Close says why, our own sentence does. */
static const char *reason_of(const struct session_end *end)
{
	return end->reason[0] || !end->err.code ? end->reason : end->err.text;
}

struct record bridge_end_record(const struct link_event *ended)
{
	const struct session_end *end = ended->end;

	if (!end->was_open)
		return (struct record){
			.type = RECORD_ERROR,
			.err = &end->err,
			.time = bridge_now(),
		};
	return (struct record){
		.type = RECORD_CLOSE,
		.code = end->close_code,
		.reason = reason_of(end),
		.clean = end->clean,
		.retry_in = ended->delay < 0 ? -1 : (double)ended->delay / 1e6,
		.time = bridge_now(),
	};
}

/* An attempt that we gave up ourselves is no error. */
static void on_ended(struct bridge *b, const struct link_event *ev)
{
	struct record r;

	lane_ended(&b->lane);
	if (!ev->end->was_open && link_state(b->link) != LINK_CONNECTING)
		return;
	r = bridge_end_record(ev);
	send_to_all(b, &r);
	bridge_show(b, &r);
}

static void on_opened(struct bridge *b)
{
	struct link_info info;
	mem_auto_str url = NULL;
	struct record r;

	link_info(b->link, &info);
	url = url_format(info.details.url);
	r = bridge_open_record(&info, url);
	send_to_all(b, &r);
	bridge_show(b, &r);
	lane_opened(&b->lane);
}

static void on_state(struct bridge *b)
{
	if (link_is_open(b->link))
		on_opened(b);
	else
		lane_closed(&b->lane);
	bridge_changed(b);
}

void bridge_on_link(void *arg, const struct link_event *ev)
{
	struct bridge *b = arg;

	switch (ev->type) {
	case LINK_STATE:
		on_state(b);
		break;
	case LINK_MESSAGES:
		on_messages(b, ev);
		break;
	case LINK_PING:
		on_control(b, RECORD_PING, ev->payload);
		break;
	case LINK_PONG:
		on_control(b, RECORD_PONG, ev->payload);
		break;
	case LINK_TURN:
		on_turn(b);
		break;
	case LINK_DRAINED:
		lane_drained(&b->lane);
		b->env->cb(b->env->arg, b, BRIDGE_FLUSHED);
		break;
	case LINK_ENDED:
		on_ended(b, ev);
		break;
	}
}
