/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One bridge: messages from the link to every endpoint, from the endpoints to
 * the link or, while that has no room or is not open, to the outbox. Order is
 * kept by one rule: nothing passes the outbox while something is in it.
 */
#include "bridge/bridge.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "bridge/outbox.h"
#include "conf/conf_diff.h"
#include "net/loop.h"

struct bridge {
	struct bridge_env env;
	struct bridge_conf *conf;
	char object[BRIDGE_NAME_MAX + 8];
	struct link *link;
	struct endpoint **endpoints; /* as many as conf has; NULL = could not be made */
	size_t n_endpoints;
	struct error endpoint_error; /* ERR_NONE: all were made */
	struct outbox outbox;
	uint64_t unheard;
	bool held;     /* local input is paused: the upstream has no room */
	bool refusing; /* the outbox has refused a message since it last was open: said once */
};

static struct outbox_policy policy_of(const struct bridge *b)
{
	return (struct outbox_policy){
		.size = b->conf->outbox.size,
		.ttl = b->conf->outbox.ttl,
		.drop_oldest = b->conf->outbox.on_full == ON_FULL_DROP_OLDEST,
	};
}

static void hold(struct bridge *b)
{
	b->held = true;
	for (size_t i = 0; i < b->n_endpoints; i++)
		if (b->endpoints[i])
			endpoint_pause(b->endpoints[i]);
}

static void release(struct bridge *b)
{
	if (!b->held)
		return;
	b->held = false;
	for (size_t i = 0; i < b->n_endpoints; i++)
		if (b->endpoints[i])
			endpoint_resume(b->endpoints[i]);
}

static void drain_outbox(struct bridge *b)
{
	struct msg msg;

	outbox_expire(&b->outbox, loop_now(b->env.loop));
	while (outbox_peek(&b->outbox, &msg)) {
		if (link_send(b->link, msg) != LINK_SENT)
			return;
		outbox_pop(&b->outbox);
	}
	release(b);
}

static bool keep(struct bridge *b, struct msg msg)
{
	struct outbox_policy policy = policy_of(b);
	bool kept = outbox_push(&b->outbox, msg, &policy, loop_now(b->env.loop));

	if (!kept && !b->refusing)
		log_warning(b->object,
			    "not open and the outbox is full: local messages are refused");
	b->refusing = !kept;
	return kept;
}

/* From a local client: to the link if it may, else into the outbox. */
static void outbound(struct bridge *b, struct msg msg)
{
	enum link_send_result r = LINK_FULL;
	struct outbox_policy policy = policy_of(b);

	if (b->outbox.messages == 0)
		r = link_send(b->link, msg);
	switch (r) {
	case LINK_SENT:
		b->refusing = false;
		break;
	case LINK_NOT_OPEN:
		keep(b, msg);
		break;
	case LINK_FULL:
		if (!link_is_open(b->link)) {
			keep(b, msg);
			break;
		}
		outbox_push_always(&b->outbox, msg, &policy, loop_now(b->env.loop));
		hold(b);
		break;
	}
}

static void log_client(struct bridge *b, const struct endpoint_event *ev)
{
	const char *client = ev->client ? ev->client : "a client";

	if (ev->err)
		log_warning(b->object, "%s: %s", client, ev->err->text);
	else
		log_debug(b->object, "%s came or went", client);
}

static void on_endpoint(void *arg, const struct endpoint_event *ev)
{
	struct bridge *b = arg;

	switch (ev->type) {
	case ENDPOINT_MESSAGE:
		outbound(b, ev->msg);
		break;
	case ENDPOINT_BAD_RECORD:
	case ENDPOINT_CLIENT:
	case ENDPOINT_DROPPED:
		log_client(b, ev);
		break;
	}
}

static void inbound(struct bridge *b, struct msg msg)
{
	bool heard = false;

	for (size_t i = 0; i < b->n_endpoints; i++)
		if (b->endpoints[i] && endpoint_send(b->endpoints[i], msg) != ENDPOINT_NOBODY)
			heard = true;
	if (!heard)
		b->unheard++;
}

/* Not open any more: what local clients send is the outbox's affair again. */
static void on_link_state(struct bridge *b)
{
	if (link_is_open(b->link)) {
		b->refusing = false;
		drain_outbox(b);
	} else {
		release(b);
	}
	b->env.cb(b->env.arg, b, BRIDGE_STATE);
}

static void on_link(void *arg, const struct link_event *ev)
{
	struct bridge *b = arg;

	switch (ev->type) {
	case LINK_STATE:
		on_link_state(b);
		break;
	case LINK_MESSAGE:
		inbound(b, ev->msg);
		break;
	case LINK_TURN:
		break;
	case LINK_DRAINED:
		drain_outbox(b);
		b->env.cb(b->env.arg, b, BRIDGE_FLUSHED);
		break;
	}
}

static struct endpoint *make_endpoint(struct bridge *b, const struct endpoint_conf *conf,
				      struct error *err)
{
	struct endpoint_params params = {
		.conf = conf,
		.owner = b->conf,
		.quota = b->env.quota,
		.cb = on_endpoint,
		.arg = b,
	};
	struct endpoint *e = endpoint_new(b->env.loop, &params, err);

	if (e && b->held)
		endpoint_pause(e);
	return e;
}

/* Those that are missing. The first failure is kept; the rest is tried all the same. */
static bool make_endpoints(struct bridge *b, struct error *err)
{
	b->endpoint_error = ERROR_INIT;
	for (size_t i = 0; i < b->n_endpoints; i++) {
		struct error one = ERROR_INIT;

		if (b->endpoints[i])
			continue;
		b->endpoints[i] = make_endpoint(b, &b->conf->endpoints[i], &one);
		if (b->endpoints[i])
			continue;
		log_error(b->object, "%s", one.text);
		error_context(&one, "bridge \"%s\"", b->conf->name);
		if (!b->endpoint_error.code)
			b->endpoint_error = one;
	}
	if (b->endpoint_error.code)
		*err = b->endpoint_error;
	return !b->endpoint_error.code;
}

struct bridge *bridge_new(const struct bridge_env *env, struct bridge_conf *conf, struct error *err)
{
	struct bridge *b = mem_zalloc(sizeof(*b));
	struct link_params link = {
		.loop = env->loop,
		.dialer = env->dialer,
		.rand = env->rand,
		.conf = conf,
		.cb = on_link,
		.arg = b,
	};

	b->env = *env;
	b->conf = bridge_conf_ref(conf);
	snprintf(b->object, sizeof(b->object), "bridge %s", conf->name);
	outbox_init(&b->outbox);
	b->link = link_new(&link);
	b->n_endpoints = conf->n_endpoints;
	b->endpoints = mem_array(conf->n_endpoints, sizeof(struct endpoint *));
	make_endpoints(b, err);
	return b;
}

static void free_endpoints(struct bridge *b)
{
	for (size_t i = 0; i < b->n_endpoints; i++)
		endpoint_free(b->endpoints[i]);
	free(b->endpoints);
	b->endpoints = NULL;
	b->n_endpoints = 0;
}

void bridge_free(struct bridge *b)
{
	if (!b)
		return;
	link_free(b->link);
	free_endpoints(b);
	outbox_deinit(&b->outbox);
	bridge_conf_unref(b->conf);
	free(b);
}

void bridge_start(struct bridge *b)
{
	struct error err = ERROR_INIT;

	if (make_endpoints(b, &err))
		link_start(b->link);
}

void bridge_stop(struct bridge *b, int code, const char *reason)
{
	link_stop(b->link, code, reason);
}

void bridge_retire(struct bridge *b)
{
	free_endpoints(b);
	link_stop(b->link, 1000, "");
}

void bridge_reconnect(struct bridge *b)
{
	link_reconnect(b->link);
}

/* An endpoint that stands in both configurations unchanged goes on with its clients. */
static struct endpoint *take_equal(struct bridge *b, const struct endpoint_conf *conf)
{
	for (size_t i = 0; i < b->n_endpoints; i++) {
		struct endpoint *e = b->endpoints[i];

		if (!e || !endpoint_conf_equal(endpoint_configuration(e), conf))
			continue;
		b->endpoints[i] = NULL;
		return e;
	}
	return NULL;
}

/* The longest record is part of what an endpoint is made with. */
static bool stays(const struct bridge *b, const struct endpoint *e, const struct bridge_conf *conf)
{
	if (b->conf->max_message != conf->max_message)
		return false;
	for (size_t i = 0; i < conf->n_endpoints; i++)
		if (endpoint_conf_equal(endpoint_configuration(e), &conf->endpoints[i]))
			return true;
	return false;
}

void bridge_release(struct bridge *b, const struct bridge_conf *conf)
{
	for (size_t i = 0; i < b->n_endpoints; i++) {
		if (!b->endpoints[i] || stays(b, b->endpoints[i], conf))
			continue;
		endpoint_free(b->endpoints[i]);
		b->endpoints[i] = NULL;
	}
}

static void rearrange_endpoints(struct bridge *b, const struct bridge_conf *conf)
{
	struct endpoint **fresh = mem_array(conf->n_endpoints, sizeof(struct endpoint *));

	for (size_t i = 0; i < conf->n_endpoints; i++)
		fresh[i] = take_equal(b, &conf->endpoints[i]);
	free_endpoints(b);
	b->endpoints = fresh;
	b->n_endpoints = conf->n_endpoints;
}

void bridge_configure(struct bridge *b, struct bridge_conf *conf, struct error *err)
{
	struct conf_change change = conf_diff_bridge(b->conf, conf);
	bool waited = b->conf->start == START_MANUAL || b->endpoint_error.code;
	struct bridge_conf *old = b->conf;

	bridge_release(b, conf); /* before new ones are made: one may want the same path */
	rearrange_endpoints(b, conf);
	b->conf = bridge_conf_ref(conf);
	bridge_conf_unref(old);
	link_configure(b->link, conf, change.upstream == SCHEMA_CHANGED_RECONNECT);
	if (make_endpoints(b, err) && waited && conf->start == START_AUTO)
		link_start(b->link);
}

void bridge_stop_accepting(struct bridge *b)
{
	for (size_t i = 0; i < b->n_endpoints; i++)
		if (b->endpoints[i])
			endpoint_stop_accepting(b->endpoints[i]);
}

size_t bridge_pending(const struct bridge *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n_endpoints; i++)
		if (b->endpoints[i])
			n += endpoint_pending(b->endpoints[i]);
	return n;
}

bool bridge_has_endpoint_error(const struct bridge *b)
{
	return b->endpoint_error.code != ERR_NONE;
}

bool bridge_is_stopped(const struct bridge *b)
{
	return link_state(b->link) == LINK_STOPPED;
}

bool bridge_has_session(const struct bridge *b)
{
	return link_has_session(b->link);
}

enum bridge_send_result bridge_send(struct bridge *b, struct msg msg, bool queue)
{
	enum link_send_result r = link_is_open(b->link) ? LINK_FULL : LINK_NOT_OPEN;

	if (b->outbox.messages == 0)
		r = link_send(b->link, msg);
	if (r == LINK_SENT) {
		link_flush(b->link);
		return BRIDGE_SENT;
	}
	if (queue)
		return keep(b, msg) ? BRIDGE_QUEUED : BRIDGE_FULL;
	return r == LINK_FULL ? BRIDGE_FULL : BRIDGE_NOT_OPEN;
}

enum bridge_send_result bridge_send_control(struct bridge *b, bool pong, struct span payload)
{
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

const char *bridge_state(const struct bridge *b)
{
	return link_state_shown(b->endpoint_error.code ? LINK_GAVE_UP : link_state(b->link));
}

const char *bridge_name(const struct bridge *b)
{
	return b->conf->name;
}

const struct bridge_conf *bridge_configuration(const struct bridge *b)
{
	return b->conf;
}

static void add_endpoint_totals(const struct bridge *b, struct bridge_info *info)
{
	for (size_t i = 0; i < b->n_endpoints; i++) {
		struct endpoint_totals t;

		if (!b->endpoints[i])
			continue;
		endpoint_totals(b->endpoints[i], &t);
		info->dropped += t.dropped + t.unfit;
		info->refused += t.refused;
	}
}

void bridge_info(struct bridge *b, struct bridge_info *info)
{
	*info = (struct bridge_info){ 0 };
	link_info(b->link, &info->link);
	if (b->endpoint_error.code)
		info->link.last_error = b->endpoint_error;
	outbox_expire(&b->outbox, loop_now(b->env.loop));
	info->unheard = b->unheard;
	info->outbox_messages = b->outbox.messages;
	info->outbox_bytes = b->outbox.bytes;
	info->outbox_expired = b->outbox.expired;
	info->outbox_dropped = b->outbox.dropped;
	info->outbox_rejected = b->outbox.rejected;
	info->dropped = b->outbox.expired + b->outbox.dropped + b->outbox.rejected;
	add_endpoint_totals(b, info);
}

size_t bridge_n_endpoints(const struct bridge *b)
{
	return b->n_endpoints;
}

struct endpoint *bridge_endpoint(const struct bridge *b, size_t i)
{
	return b->endpoints[i];
}
