/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `send`: one message upstream, answered when its bytes are with the kernel.
 * It keeps no message: the session or the outbox has it. The trap: a JSON
 * value is sent as it stands in the request, never through the library, which
 * would round its numbers.
 */
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/json_cut.h"
#include "base/mem.h"
#include "control/m_send.h"
#include "control/methods.h"
#include "control/names.h"

#define CONTROL_PAYLOAD_MAX 125 /* RFC 6455, 5.5 */

static struct reply reply_sent(struct call *c, size_t bytes, bool queued)
{
	return reply_ok(
		c, json_pack("{s:I,s:b}", FIELD_BYTES, (json_int_t)bytes, FIELD_QUEUED, queued));
}

bool send_check(const struct params *p, const char *ways_in_words, struct error *err)
{
	const struct {
		const char *name;
		bool given;
	} ways[] = {
		{ PARAM_TEXT, p->text }, { PARAM_JSON, p->json }, { PARAM_BINARY, p->binary },
		{ PARAM_PING, p->ping }, { PARAM_PONG, p->pong },
	};
	const char *first = NULL;

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (!ways[i].given)
			continue;
		if (first)
			return error_set_option(
				err, ways[i].name,
				"\"%s\" and \"%s\" are given; one of them is needed", first,
				ways[i].name);
		first = ways[i].name;
	}
	if (first)
		return true;
	return error_set_option(err, PARAM_TEXT, "one of %s is needed", ways_in_words);
}

static bool check_control(const struct params *p, struct error *err)
{
	const char *name = p->ping ? PARAM_PING : PARAM_PONG,
		   *payload = p->ping ? p->ping : p->pong;

	if (!payload)
		return true;
	if (strlen(payload) > CONTROL_PAYLOAD_MAX)
		return error_set_option(err, name, "%s: at most %d bytes", name,
					CONTROL_PAYLOAD_MAX);
	if (p->queue)
		return error_set_option(err, PARAM_QUEUE, "queue: a %s is never queued", name);
	return true;
}

static bool no_memory(struct error *err, size_t n)
{
	return error_set(err, ERR_OVERFLOW, "no memory for a message of %zu bytes", n);
}

static bool take_binary(struct outgoing *out, const char *text, struct error *err)
{
	size_t n = strlen(text);

	out->own = mem_try_alloc(BASE64_DECODED_MAX(n) + 1);
	if (!out->own)
		return no_memory(err, n);
	out->msg = (struct msg){ .type = MSG_BINARY, .data = span_of(out->own, 0) };
	if (base64_decode(out->own, &out->msg.data.n, span_str(text)))
		return true;
	return error_set_option(err, PARAM_BINARY, "binary: not valid Base64");
}

static bool take_json(struct outgoing *out, const struct rpc_request *rq, struct error *err)
{
	struct span raw;

	if (!rpc_param_text(rq, PARAM_JSON, &raw))
		return error_set(err, ERR_INTERNAL, "the value of \"json\" was not found");
	out->own = mem_try_alloc(raw.n + 1);
	if (!out->own)
		return no_memory(err, raw.n);
	out->msg.data = span_of(out->own, json_cut_compact(out->own, raw));
	return true;
}

bool send_take(struct outgoing *out, struct call *c, struct error *err)
{
	*out = (struct outgoing){ .msg = { .type = MSG_TEXT } };
	if (c->params.binary)
		return take_binary(out, c->params.binary, err);
	if (c->params.json)
		return take_json(out, c->request, err);
	out->msg.data = span_str(c->params.text);
	return true;
}

/* Not open, and why. */
static struct reply reply_not_open(struct call *c, struct bridge *b)
{
	struct bridge_info info;
	struct error err;
	const struct error *last = &info.link.last_error;

	bridge_info(b, &info);
	error_set(&err, ERR_NOT_OPEN, "bridge \"%s\" is %s%s%s", bridge_name(b), bridge_state(b),
		  last->code == ERR_NONE ? "" : "; last error: ", last->text);
	return reply_error(c, &err);
}

static bool has_session(enum link_state state)
{
	return state == LINK_OPEN || state == LINK_STOPPING || state == LINK_RESTARTING;
}

/* Of the bytes that were queued with the message, so many have been written. */
static bool is_written(const struct call *c, const struct session_progress *p)
{
	bool control = c->params.ping || c->params.pong;

	return (control ? p->control_written : p->data_written) >= c->mark;
}

static struct reply check_sent(struct call *c, struct bridge *b, enum call_why why)
{
	struct bridge_info info;
	struct error err;

	(void)why;
	if (b) {
		bridge_info(b, &info);
		if (info.link.epoch == c->epoch && is_written(c, &info.link.progress))
			return reply_sent(c, c->bytes, false);
		if (info.link.epoch == c->epoch && has_session(info.link.state))
			return reply_not_yet(c);
	}
	error_set(&err, ERR_NOT_OPEN,
		  "bridge \"%s\": the connection was lost before the message was with the kernel",
		  c->params.name);
	return reply_error(c, &err);
}

/* The session has it: now the kernel must take it. */
static struct reply in_session(struct call *c, struct bridge *b, size_t bytes)
{
	struct bridge_info info;
	struct reply r;

	bridge_info(b, &info);
	c->epoch = info.link.epoch;
	c->mark = c->params.ping || c->params.pong ? info.link.progress.control_queued :
						     info.link.progress.data_queued;
	c->bytes = bytes;
	r = reply_in_turn(c, check_sent, -1);
	check_sent(c, b, CALL_NEWS);
	return r;
}

struct reply send_refused(struct call *c, struct bridge *b, size_t bytes,
			  enum bridge_send_result result)
{
	struct error err;

	switch (result) {
	case BRIDGE_SENT:
	case BRIDGE_QUEUED:
		break;
	case BRIDGE_NOT_OPEN:
		return reply_not_open(c, b);
	case BRIDGE_BUSY:
		error_set(&err, ERR_OVERFLOW,
			  "bridge \"%s\" takes no more at the moment: it is over its rate, or "
			  "others go first (\"" METHOD_SEND "\" can \"" PARAM_QUEUE "\")",
			  bridge_name(b));
		return reply_error(c, &err);
	case BRIDGE_PRIVATE:
		error_set(&err, ERR_NOT_OPEN,
			  "bridge \"%s\" is private: each client has its own connection",
			  bridge_name(b));
		return reply_error(c, &err);
	case BRIDGE_FULL:
		break;
	}
	error_set(&err, ERR_OVERFLOW, "bridge \"%s\": no room for %zu bytes more", bridge_name(b),
		  bytes);
	return reply_error(c, &err);
}

static struct reply reply_result(struct call *c, struct bridge *b, size_t bytes,
				 enum bridge_send_result result)
{
	if (result == BRIDGE_SENT)
		return in_session(c, b, bytes);
	if (result == BRIDGE_QUEUED)
		return reply_sent(c, bytes, true);
	return send_refused(c, b, bytes, result);
}

static struct reply send_control(struct call *c, struct bridge *b)
{
	bool pong = c->params.pong;
	struct span payload = span_str(pong ? c->params.pong : c->params.ping);

	return reply_result(c, b, payload.n, bridge_send_control(b, pong, payload));
}

static struct reply send_message(struct call *c, struct bridge *b)
{
	struct outgoing out;
	struct error err;
	enum bridge_send_result result;
	size_t bytes;

	if (!send_take(&out, c, &err)) {
		free(out.own);
		return reply_error(c, &err);
	}
	bytes = out.msg.data.n;
	result = bridge_send(b, out.msg, c->params.queue);
	free(out.own);
	return reply_result(c, b, bytes, result);
}

struct reply method_send(struct call *c)
{
	static const char ways[] = "\"text\", \"json\", \"binary\", \"ping\" and \"pong\"";
	struct error err;
	struct bridge *b;

	if (!send_check(&c->params, ways, &err) || !check_control(&c->params, &err))
		return reply_error(c, &err);
	b = call_bridge(c, &err);
	if (!b)
		return reply_error(c, &err);
	return c->params.ping || c->params.pong ? send_control(c, b) : send_message(c, b);
}
