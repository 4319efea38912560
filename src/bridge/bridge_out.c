/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Outbound: what endpoints report. Orders go to the lane of the bridge, or of
 * the client's own pair; who came and left decides about a connection on
 * demand. The trap: a freed endpoint reports nothing of the clients it had.
 */
#include "base/log.h"
#include "bridge/bridge_int.h"

void bridge_hold(void *arg, bool hold)
{
	struct bridge *b = arg;

	for (size_t i = 0; i < b->n_endpoints; i++) {
		struct endpoint *e = b->endpoints[i];

		if (e && hold)
			endpoint_pause(e);
		else if (e)
			endpoint_resume(e);
	}
}

/* Clients have numbers that no other endpoint has given out. */
void bridge_tell(void *arg, client_id client, const struct record *r)
{
	struct bridge *b = arg;
	struct record stamped = *r;

	stamped.time = bridge_now();

	for (size_t i = 0; i < b->n_endpoints; i++) {
		struct endpoint *e = b->endpoints[i];

		if (e && endpoint_has_client(e, client))
			endpoint_send_to(e, client, &stamped);
	}
}

static void on_order(struct bridge *b, const struct endpoint_event *ev)
{
	if (bridge_is_private(b)) {
		pair_order(b, ev->client, ev->order);
		return;
	}
	bridge_demand(b);
	lane_order(&b->lane, ev->client, ev->order);
}

static const char *name_of(const struct endpoint_event *ev)
{
	return ev->name ? ev->name : "a client";
}

/* A client that understands it is told; of the others the log speaks. */
static void on_bad_record(struct bridge *b, struct endpoint *e, const struct endpoint_event *ev)
{
	struct record r = { .type = RECORD_ERROR, .err = ev->err, .time = bridge_now() };

	if (ev->order)
		r.id = ev->order->id;
	if (endpoint_send_to(e, ev->client, &r) == ENDPOINT_SENT)
		log_debug(b->object, "%s: %s", name_of(ev), ev->err->text);
	else
		log_warning(b->object, "%s: %s", name_of(ev), ev->err->text);
}

static void on_came(struct bridge *b, struct endpoint *e, const struct endpoint_event *ev)
{
	log_debug(b->object, "%s came", name_of(ev));
	if (bridge_is_private(b))
		pair_came(b, e, ev->client);
	else if (bridge_attached(b) == 1)
		bridge_demand_anew(b);
	else
		bridge_demand(b);
}

static void on_left(struct bridge *b, const struct endpoint_event *ev)
{
	log_debug(b->object, "%s left", name_of(ev));
	if (bridge_is_private(b)) {
		pair_left(b, ev->client);
		return;
	}
	if (bridge_attached(b) == 0)
		bridge_linger(b);
	lane_left(&b->lane, ev->client);
}

/* It may still read, but ends no message that it has begun. */
static void on_input_ended(struct bridge *b, client_id client)
{
	if (bridge_is_private(b))
		pair_ended(b, client);
	else
		lane_left(&b->lane, client);
}

static void on_room(struct bridge *b)
{
	if (bridge_is_private(b))
		pairs_check_room(b);
	else
		bridge_check_room(b);
}

void bridge_on_endpoint(void *arg, struct endpoint *e, const struct endpoint_event *ev)
{
	struct bridge *b = arg;

	switch (ev->type) {
	case ENDPOINT_ORDER:
		on_order(b, ev);
		break;
	case ENDPOINT_BAD_RECORD:
		on_bad_record(b, e, ev);
		break;
	case ENDPOINT_CAME:
		on_came(b, e, ev);
		break;
	case ENDPOINT_ENDED:
		on_input_ended(b, ev->client);
		break;
	case ENDPOINT_LEFT:
		on_left(b, ev);
		break;
	case ENDPOINT_REFUSED:
	case ENDPOINT_DROPPED:
		log_warning(b->object, "%s: %s", name_of(ev), ev->err->text);
		break;
	case ENDPOINT_ROOM:
		on_room(b);
		break;
	case ENDPOINT_BROKEN:
		log_error(b->object, "%s", ev->err->text);
		break;
	}
}

enum bridge_send_result bridge_send(struct bridge *b, struct msg msg, bool queue)
{
	if (bridge_is_private(b))
		return BRIDGE_PRIVATE;
	if (queue)
		bridge_demand(b);
	return lane_send(&b->lane, msg, queue);
}

enum bridge_send_result bridge_send_control(struct bridge *b, bool pong, struct span payload)
{
	if (bridge_is_private(b))
		return BRIDGE_PRIVATE;
	switch (pong ? link_pong(b->link, payload) : link_ping(b->link, payload)) {
	case LINK_SENT:
		link_flush(b->link);
		return BRIDGE_SENT;
	case LINK_FULL:
		return BRIDGE_FULL;
	case LINK_NOT_OPEN:
		return BRIDGE_NOT_OPEN;
	}
	return BRIDGE_NOT_OPEN;
}
