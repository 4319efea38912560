/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a bridge: made, started, stopped, reconfigured. What passes
 * through it is the affair of bridge_in.c and bridge_out.c. The trap: a link
 * that is started or stopped reports its new state from inside the call.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "bridge/bridge_int.h"
#include "conf/conf_diff.h"

bool bridge_is_private(const struct bridge *b)
{
	return b->conf->common->sharing == SHARING_PRIVATE;
}

size_t bridge_attached(const struct bridge *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n_endpoints; i++)
		n += b->endpoints[i] ? endpoint_n_clients(b->endpoints[i]) : 0;
	return n;
}

void bridge_changed(struct bridge *b)
{
	const char *state = bridge_state(b);
	bool other = state != b->shown;

	if (other)
		b->since = time(NULL);
	b->shown = state;
	if (other)
		bridge_show(b, NULL);
	b->env->cb(b->env->arg, b, BRIDGE_STATE);
}

static bool is_on_demand(const struct bridge *b)
{
	return b->wanted && b->conf->common->start == START_ON_DEMAND && !bridge_is_private(b) &&
	       !b->endpoint_error;
}

void bridge_linger(struct bridge *b)
{
	if (is_on_demand(b))
		timer_arm(&b->linger, b->conf->common->linger);
}

void bridge_demand(struct bridge *b)
{
	enum link_state state = link_state(b->link);

	if (!is_on_demand(b))
		return;
	if (bridge_attached(b) > 0)
		timer_disarm(&b->linger);
	else
		bridge_linger(b);
	if (state == LINK_STOPPED || state == LINK_STOPPING)
		link_start(b->link);
}

void bridge_demand_anew(struct bridge *b)
{
	bridge_demand(b);
	if (is_on_demand(b) && link_state(b->link) == LINK_GAVE_UP)
		link_start(b->link);
}

/* With `linger` 0, too, what waits in the outbox is not looked at in every turn. */
#define LINGER_STEP 100000

/* What still waits in the outbox wants the connection, too; it does not stay there for ever. */
static void on_linger(void *arg)
{
	struct bridge *b = arg;
	int64_t again = b->conf->common->linger > LINGER_STEP ? b->conf->common->linger :
								LINGER_STEP;

	if (!is_on_demand(b) || bridge_attached(b) > 0)
		return;
	outbox_expire(&b->lane.outbox, loop_now(b->env->loop));
	if (b->lane.outbox.messages > 0 && link_state(b->link) != LINK_GAVE_UP)
		timer_arm(&b->linger, again);
	else
		link_stop(b->link, 1000, "");
}

static struct endpoint *make_endpoint(struct bridge *b, const struct endpoint_conf *conf,
				      struct error *err)
{
	struct endpoint_params params = {
		.conf = conf,
		.owner = b->conf,
		.quota = b->env->quota,
		.cb = bridge_on_endpoint,
		.arg = b,
	};
	struct endpoint *e = endpoint_new(b->env->loop, &params, err);

	if (e && b->lane.held)
		endpoint_pause(e);
	return e;
}

/* Those that are missing. The first failure is kept; the rest is tried all the same. */
static bool make_endpoints(struct bridge *b, struct error *err)
{
	free(b->endpoint_error);
	b->endpoint_error = NULL;
	for (size_t i = 0; i < b->n_endpoints; i++) {
		struct error one = ERROR_INIT;

		if (b->endpoints[i])
			continue;
		b->endpoints[i] = make_endpoint(b, &b->conf->endpoints[i], &one);
		if (b->endpoints[i])
			continue;
		log_error(b->object, "%s", one.text);
		error_context(&one, "bridge \"%s\"", b->conf->name);
		if (!b->endpoint_error)
			error_keep(&b->endpoint_error, &one);
	}
	if (b->endpoint_error)
		*err = *b->endpoint_error;
	return !b->endpoint_error;
}

static void init_link(struct bridge *b)
{
	struct link_params link = {
		.loop = b->env->loop,
		.dialer = b->env->dialer,
		.rand = b->env->rand,
		.conf = b->conf,
		.object = b->object,
		.cb = bridge_on_link,
		.arg = b,
	};
	struct lane_params lane = {
		.loop = b->env->loop,
		.object = b->object,
		.conf = b->conf,
		.hold = bridge_hold,
		.tell = bridge_tell,
		.arg = b,
	};

	b->link = link_new(&link);
	lane.link = b->link;
	lane_init(&b->lane, &lane);
}

struct bridge *bridge_new(const struct bridge_env *env, struct bridge_conf *conf, struct error *err)
{
	size_t size = sizeof("bridge ") + strlen(conf->name);
	struct bridge *b = mem_zalloc(sizeof(*b) + size);

	b->env = env;
	b->conf = bridge_conf_ref(conf);
	snprintf(b->object, size, "bridge %s", conf->name);
	timer_init(&b->linger, env->loop, on_linger, b);
	pairs_init(b);
	init_link(b);
	b->n_endpoints = conf->n_endpoints;
	b->endpoints = mem_array(conf->n_endpoints, sizeof(struct endpoint *));
	make_endpoints(b, err);
	b->since = time(NULL);
	b->shown = bridge_state(b);
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
	pairs_free(b);
	link_free(b->link);
	bridge_trace_free(b);
	lane_deinit(&b->lane);
	free_endpoints(b);
	timer_deinit(&b->linger);
	bridge_conf_unref(b->conf);
	free(b->endpoint_error);
	free(b);
}

void bridge_start(struct bridge *b)
{
	struct error err = ERROR_INIT;

	b->wanted = true;
	if (!make_endpoints(b, &err)) {
		bridge_changed(b);
		return;
	}
	if (bridge_is_private(b)) {
		bridge_changed(b);
		return;
	}
	link_start(b->link);
	if (bridge_attached(b) == 0)
		bridge_linger(b);
}

void bridge_begin(struct bridge *b)
{
	switch (b->conf->common->start) {
	case START_AUTO:
		bridge_start(b);
		break;
	case START_ON_DEMAND:
		b->wanted = true;
		if (bridge_attached(b) > 0)
			bridge_demand_anew(b);
		else
			bridge_linger(b); /* it may be open: it was started by hand before */
		bridge_changed(b);
		break;
	case START_MANUAL:
		break;
	}
}

void bridge_stop(struct bridge *b, int code, const char *reason)
{
	b->wanted = false;
	timer_disarm(&b->linger);
	link_stop(b->link, code, reason);
	pairs_stop(b, code, reason);
	bridge_changed(b);
}

void bridge_retire(struct bridge *b)
{
	b->wanted = false;
	timer_disarm(&b->linger);
	free_endpoints(b);
	pairs_forget_gone(b);
	link_stop(b->link, 1000, "");
}

bool bridge_reconnect(struct bridge *b, struct error *err)
{
	if (bridge_is_private(b))
		return error_set(err, ERR_NOT_OPEN,
				 "bridge \"%s\" is private: each client has its own connection",
				 b->conf->name);
	if (link_state(b->link) != LINK_STOPPED)
		link_reconnect(b->link);
	bridge_demand(b);
	return true;
}

void bridge_check(struct bridge *b)
{
	link_check(b->link);
	pairs_check(b);
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
	if (b->conf->common->max_message != conf->common->max_message ||
	    b->conf->common->sharing != conf->common->sharing)
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

bool bridge_has_client(void *arg, client_id client)
{
	const struct bridge *b = arg;

	for (size_t i = 0; i < b->n_endpoints; i++)
		if (b->endpoints[i] && endpoint_has_client(b->endpoints[i], client))
			return true;
	return false;
}

/* Of a bridge that runs: the link follows `start`, `linger` and `sharing`. */
static void follow(struct bridge *b)
{
	if (bridge_is_private(b)) {
		timer_disarm(&b->linger);
		link_stop(b->link, 1000, "");
	} else if (!is_on_demand(b)) {
		timer_disarm(&b->linger);
		if (b->conf->common->start == START_AUTO && link_state(b->link) == LINK_STOPPED)
			link_start(b->link); /* it was idle */
	} else if (bridge_attached(b) > 0) {
		bridge_demand(b);
	} else {
		bridge_linger(b);
	}
}

static void take_over(struct bridge *b, struct bridge_conf *conf)
{
	struct bridge_conf *old = b->conf;
	struct conf_change change = conf_diff_bridge(old, conf);

	bridge_release(b, conf); /* before new ones are made: one may want the same path */
	rearrange_endpoints(b, conf);
	b->conf = bridge_conf_ref(conf);
	lane_configure(&b->lane, conf);
	link_configure(b->link, conf, change.upstream == SCHEMA_CHANGED_RECONNECT);
	bridge_conf_unref(old);
	pairs_forget_gone(b);
	pairs_configure(b);
	lane_forget_gone(&b->lane, bridge_has_client, b);
	bridge_check_room(b);
}

void bridge_configure(struct bridge *b, struct bridge_conf *conf, struct error *err)
{
	bool waited = b->conf->common->start == START_MANUAL || b->endpoint_error;

	take_over(b, conf);
	if (!make_endpoints(b, err)) {
		bridge_changed(b);
		return;
	}
	if (waited)
		bridge_begin(b);
	if (b->wanted)
		follow(b);
}

void bridge_stop_accepting(struct bridge *b)
{
	for (size_t i = 0; i < b->n_endpoints; i++)
		if (b->endpoints[i])
			endpoint_stop_accepting(b->endpoints[i]);
}
