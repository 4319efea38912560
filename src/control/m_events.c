/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `subscribe` and `unsubscribe`: the answers. Events are for the connection that
 * has asked, and end with it.
 */
#include <string.h>

#include "control/events.h"
#include "control/methods.h"
#include "control/names.h"

struct reply method_subscribe(struct call *c)
{
	const struct params *p = &c->params;
	const struct event_choice choice = {
		.name = p->name, .events = p->events, .n_events = p->n_events, .since = p->since
	};
	struct error err;
	json_t *result;

	if (strcmp(p->name, EVENTS_OF_ALL) != 0 && !call_bridge(c, &err))
		return reply_error(c, &err);
	result = event_reader_subscribe(c->exchange->reader, &choice, &err);
	return result ? reply_ok(c, result) : reply_error(c, &err);
}

struct reply method_unsubscribe(struct call *c)
{
	const struct params *p = &c->params;
	struct error err;
	size_t n;

	if (!p->name == !p->subscription) {
		error_set_option(&err, PARAM_SUBSCRIPTION,
				 "one of \"" PARAM_NAME "\" and \"" PARAM_SUBSCRIPTION
				 "\" is needed");
		return reply_error(c, &err);
	}
	n = event_reader_unsubscribe(c->exchange->reader, p->subscription, p->name);
	if (n > 0)
		return reply_ok(c, json_pack("{s:I}", FIELD_REMOVED, (json_int_t)n));
	error_set_option(&err, p->name ? PARAM_NAME : PARAM_SUBSCRIPTION,
			 "this connection has no such subscription");
	return reply_error(c, &err);
}
