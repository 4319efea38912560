/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `request`: sends a message and answers with the first one that matches, on
 * the same connection. A message that answers one request is not looked at by
 * another, nor by `recv`; endpoints and subscriptions have it in any case. The
 * trap: what was sent is nobody's question any more once the connection is lost.
 */
#include <stdlib.h>

#include "control/m_send.h"
#include "control/methods.h"
#include "control/names.h"
#include "control/view.h"

static bool on_record(struct call *c, const struct record *r)
{
	json_t *message;

	if (r->type != RECORD_MESSAGE || !conf_match_is(&c->params.match, r->msg.data))
		return false;
	message = json_object();
	view_record(message, r);
	reply_ok(c, message);
	return true;
}

static struct reply check(struct call *c, struct bridge *b, enum call_why why)
{
	char waited[SCHEMA_VALUE_TEXT];
	struct bridge_info info = { 0 };
	struct error err;

	if (b)
		bridge_info(b, &info);
	if (!b || info.link.epoch != c->epoch || info.link.state != LINK_OPEN) {
		error_set(&err, ERR_NOT_OPEN,
			  "bridge \"%s\": the connection was lost before the answer came",
			  c->params.name);
		return reply_error(c, &err);
	}
	if (why != CALL_TIMEOUT)
		return reply_not_yet(c);
	schema_format_duration(waited, c->params.timeout);
	error_set(&err, ERR_TIMEOUT, "bridge \"%s\": no message that matches within %s",
		  c->params.name, waited);
	return reply_error(c, &err);
}

static struct reply sent(struct call *c, struct bridge *b)
{
	struct bridge_info info;
	struct reply r;

	bridge_info(b, &info);
	c->epoch = info.link.epoch;
	call_listen(c, on_record, true);
	r = reply_later(c, check, call_patience(c));
	check(c, b, CALL_NEWS);
	return r;
}

struct reply method_request(struct call *c)
{
	static const char ways[] = "\"text\", \"json\" and \"binary\"";
	struct outgoing out = { 0 };
	struct error err;
	struct bridge *b = send_check(&c->params, ways, &err) ? call_bridge(c, &err) : NULL;
	enum bridge_send_result result;
	size_t bytes;

	if (!b || !send_take(&out, c, &err)) {
		free(out.own);
		return reply_error(c, &err);
	}
	bytes = out.msg.data.n;
	result = bridge_send(b, out.msg, false);
	free(out.own);
	return result == BRIDGE_SENT ? sent(c, b) : send_refused(c, b, bytes, result);
}
