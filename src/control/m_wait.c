/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `wait`: answered when a bridge is in a state. It changes nothing. A bridge
 * that has failed stays so until somebody acts, so it is not waited for.
 */
#include <string.h>

#include "control/methods.h"
#include "control/names.h"
#include "control/view.h"

static bool is_state(const struct bridge *b, const char *state)
{
	return strcmp(bridge_state(b), state) == 0;
}

static struct reply reply_gone(struct call *c)
{
	struct error err;

	if (strcmp(c->params.state, "closed") == 0)
		return reply_ok(c, view_gone(c->params.name));
	error_set(&err, ERR_NOT_OPEN, "bridge \"%s\" was removed before it was %s", c->params.name,
		  c->params.state);
	return reply_error(c, &err);
}

static struct reply reply_failed(struct call *c, struct bridge *b)
{
	struct bridge_info info;
	struct error err;

	bridge_info(b, &info);
	err = info.link.last_error;
	if (err.code == ERR_NONE)
		error_set(&err, ERR_NOT_OPEN, "it has failed");
	error_context(&err, "bridge \"%s\"", bridge_name(b));
	return reply_error(c, &err);
}

static struct reply reply_late(struct call *c, struct bridge *b)
{
	char waited[SCHEMA_VALUE_TEXT];
	struct error err;

	schema_format_duration(waited, c->params.timeout);
	error_set(&err, ERR_TIMEOUT, "bridge \"%s\" is not %s after %s, but %s", bridge_name(b),
		  c->params.state, waited, bridge_state(b));
	return reply_error(c, &err);
}

static struct reply check(struct call *c, struct bridge *b, enum call_why why)
{
	if (!b)
		return reply_gone(c);
	if (is_state(b, c->params.state))
		return reply_ok(c, view_bridge(b));
	if (is_state(b, "failed"))
		return reply_failed(c, b);
	return why == CALL_TIMEOUT ? reply_late(c, b) : reply_not_yet(c);
}

struct reply method_wait(struct call *c)
{
	struct error err;
	struct bridge *b = call_bridge(c, &err);
	struct reply r;

	if (!b)
		return reply_error(c, &err);
	r = reply_later(c, check, call_patience(c));
	check(c, b, CALL_NEWS);
	return r;
}
