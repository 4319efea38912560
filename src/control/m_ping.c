/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `ping`: a Ping with a payload that no other has, and the time until its Pong
 * (RFC 6455, 5.5.3). The time begins when the frame has left, as that of the
 * daemon's own pings does. The trap: the server may answer within the same
 * turn of the loop in which the frame is noticed to have left.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/rand.h"
#include "control/m_send.h"
#include "control/methods.h"
#include "control/names.h"

static bool on_record(struct call *c, const struct record *r)
{
	int64_t now = loop_now(c->env->host.loop);

	if (r->type != RECORD_PONG || !span_equal(r->payload, span_str(c->payload)))
		return false;
	reply_ok(c, json_pack("{s:f}", FIELD_RTT, (double)(now - c->left) / 1e6));
	return false;
}

static struct reply reply_late(struct call *c)
{
	char waited[SCHEMA_VALUE_TEXT];
	struct error err;

	schema_format_duration(waited, c->params.timeout);
	error_set(&err, ERR_TIMEOUT, "bridge \"%s\": no pong within %s", c->params.name, waited);
	return reply_error(c, &err);
}

static struct reply check(struct call *c, struct bridge *b, enum call_why why)
{
	struct bridge_info info = { 0 };
	struct error err;

	if (b)
		bridge_info(b, &info);
	if (!b || info.link.epoch != c->epoch || info.link.state != LINK_OPEN) {
		error_set(&err, ERR_NOT_OPEN,
			  "bridge \"%s\": the connection was lost before the pong came",
			  c->params.name);
		return reply_error(c, &err);
	}
	if (c->mark > 0 && info.link.progress.control_written >= c->mark) {
		c->left = loop_now(c->env->host.loop);
		c->mark = 0;
	}
	return why == CALL_TIMEOUT ? reply_late(c) : reply_not_yet(c);
}

static struct reply sent(struct call *c, struct bridge *b)
{
	struct bridge_info info;
	struct reply r;

	bridge_info(b, &info);
	c->epoch = info.link.epoch;
	c->mark = info.link.progress.control_queued;
	c->left = loop_now(c->env->host.loop);
	call_listen(c, on_record, false);
	r = reply_later(c, check, call_patience(c));
	check(c, b, CALL_NEWS);
	return r;
}

struct reply method_ping(struct call *c)
{
	struct error err;
	struct bridge *b = call_bridge(c, &err);
	struct rand_source *rand = rand_system();
	enum bridge_send_result result;

	if (!b)
		return reply_error(c, &err);
	snprintf(c->payload, sizeof(c->payload), "wsbridge %08" PRIx32 "%08" PRIx32, rand_u32(rand),
		 rand_u32(rand));
	result = bridge_send_control(b, false, span_str(c->payload));
	return result == BRIDGE_SENT ? sent(c, b) : send_refused(c, b, 0, result);
}
