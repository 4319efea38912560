/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `recv`: the next messages, as they come. Nothing is taken from anybody: local
 * clients and other calls get them, too. It does not end with a connection, for
 * the next one goes on.
 */
#include <string.h>

#include "control/methods.h"
#include "control/names.h"
#include "control/view.h"

#define BYTES_MAX ((size_t)2 << 20) /* with so many it does not wait for more */
#define MESSAGE_COST 1024	    /* of the smallest one, while it is kept */

static json_t *taken(struct call *c)
{
	json_t *messages = c->messages ? c->messages : json_array();

	c->messages = NULL;
	return json_pack("{s:o}", FIELD_MESSAGES, messages);
}

static bool is_wanted(const struct call *c, const struct record *r)
{
	return r->type == RECORD_MESSAGE &&
	       (c->params.match.kind == MATCH_NONE || conf_match_is(&c->params.match, r->msg.data));
}

static bool on_record(struct call *c, const struct record *r)
{
	json_t *message;
	bool room;

	if (!is_wanted(c, r))
		return false;
	message = json_object();
	view_record(message, r);
	if (!c->messages)
		c->messages = json_array();
	json_array_append_new(c->messages, message);
	c->bytes += r->msg.data.n;
	room = call_hold(c, r->msg.data.n + MESSAGE_COST) && c->bytes < BYTES_MAX;
	if (!room || json_array_size(c->messages) >= (size_t)c->params.count)
		reply_ok(c, taken(c));
	return false;
}

/* What came is not lost with the error. */
static struct reply reply_short(struct call *c, const struct error *err)
{
	return reply_error_with(c, err, taken(c));
}

static struct reply check(struct call *c, struct bridge *b, enum call_why why)
{
	char waited[SCHEMA_VALUE_TEXT];
	const char *state = b ? bridge_state(b) : "closed";
	size_t n = json_array_size(c->messages);
	struct error err;

	if (strcmp(state, "closed") == 0 || strcmp(state, "failed") == 0) {
		error_set(&err, ERR_NOT_OPEN, "bridge \"%s\" is %s; %zu of %jd messages came",
			  c->params.name, state, n, (intmax_t)c->params.count);
		return reply_short(c, &err);
	}
	if (why != CALL_TIMEOUT)
		return reply_not_yet(c);
	schema_format_duration(waited, c->params.timeout);
	error_set(&err, ERR_TIMEOUT, "bridge \"%s\": %zu of %jd messages within %s", c->params.name,
		  n, (intmax_t)c->params.count, waited);
	return reply_short(c, &err);
}

struct reply method_recv(struct call *c)
{
	struct error err;
	struct bridge *b = call_bridge(c, &err);
	struct reply r;

	if (!b)
		return reply_error(c, &err);
	call_listen(c, on_record, false);
	r = reply_later(c, check, call_patience(c));
	check(c, b, CALL_NEWS);
	return r;
}
