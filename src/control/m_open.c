/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `open`, `close` and `reconnect`. What becomes of a bridge is the registry's
 * affair; here it is asked and, with `wait`, watched. The trap: a bridge made
 * by `open` is gone soon after its close, so it is always looked up by name.
 */
#include <string.h>

#include "base/close_code.h"
#include "control/methods.h"
#include "control/names.h"
#include "control/view.h"

static bool is_state(const struct bridge *b, const char *state)
{
	return strcmp(bridge_state(b), state) == 0;
}

/* How a call that only looked says so. */
static struct reply reply_dry(struct call *c)
{
	return reply_ok(c, json_pack("{s:s,s:b}", FIELD_NAME, c->params.name, FIELD_DRY_RUN, 1));
}

static struct reply reply_bridge(struct call *c, struct bridge *b)
{
	return reply_ok(c, b ? view_bridge(b) : view_gone(c->params.name));
}

/* The reason why it is not open is the last attempt's. */
static struct reply reply_failed(struct call *c, struct bridge *b)
{
	struct bridge_info info;
	struct error err;

	bridge_info(b, &info);
	err = info.link.last_error;
	if (err.code == ERR_NONE)
		error_set(&err, ERR_NOT_OPEN, "%s", bridge_state(b));
	error_context(&err, "bridge \"%s\"", bridge_name(b));
	if (err.code != ERR_BAD_STATUS || info.link.details.head.n == 0)
		return reply_error(c, &err);
	return reply_error_with(c, &err, view_refusal(&info.link.details));
}

static struct reply reply_not_in_time(struct call *c, struct bridge *b)
{
	char waited[SCHEMA_VALUE_TEXT];
	struct bridge_info info;
	struct error err;
	const struct error *last = &info.link.last_error;

	bridge_info(b, &info);
	schema_format_duration(waited, c->params.wait);
	error_set(&err, ERR_TIMEOUT, "bridge \"%s\" is not open after %s%s%s", bridge_name(b),
		  waited, last->code == ERR_NONE ? "" : ": ", last->text);
	err.stage = last->stage;
	err.status = last->status;
	err.close_code = last->close_code;
	return reply_error_with(c, &err,
				json_pack("{s:o}", FIELD_LAST_ERROR, view_last_error(&info.link)));
}

static struct reply check_open(struct call *c, struct bridge *b, enum call_why why)
{
	struct error err;

	if (!b) {
		error_set(&err, ERR_NOT_OPEN, "bridge \"%s\" was removed before it was open",
			  c->params.name);
		return reply_error(c, &err);
	}
	if (is_state(b, "open") || (bridge_is_private(b) && is_state(b, BRIDGE_IDLE)))
		return reply_bridge(c, b);
	if (is_state(b, "failed") || is_state(b, "closed"))
		return reply_failed(c, b);
	if (c->params.wait_once && is_state(b, "waiting"))
		return reply_failed(c, b);
	return why == CALL_TIMEOUT ? reply_not_in_time(c, b) : reply_not_yet(c);
}

/* Answers at once if there is nothing to wait for. */
static struct reply wait_for(struct call *c, call_check *check)
{
	struct reply r = reply_later(c, check, c->params.wait);

	check(c, registry_find(c->env->host.registry, c->params.name), CALL_NEWS);
	return r;
}

static struct reply opened(struct call *c, struct bridge *b)
{
	return c->params.wait > 0 ? wait_for(c, check_open) : reply_bridge(c, b);
}

static bool can_start(struct bridge *b, struct error *err)
{
	if (is_state(b, "closed") || is_state(b, "failed") || is_state(b, "closing") ||
	    is_state(b, BRIDGE_IDLE))
		return true;
	return error_set(err, ERR_ALREADY_EXISTS, "bridge \"%s\" is %s already", bridge_name(b),
			 bridge_state(b));
}

/* A name and no key of a bridge. */
static struct reply start(struct call *c)
{
	struct error err;
	struct bridge *b = call_bridge(c, &err);

	if (!b) {
		error_set(&err, ERR_NO_SUCH_BRIDGE, "%s (give a \"url\" to make one)", err.text);
		return reply_error(c, &err);
	}
	if (!can_start(b, &err))
		return reply_error(c, &err);
	if (c->params.dry_run)
		return reply_dry(c);
	registry_start(c->env->host.registry, b);
	return opened(c, b);
}

static struct bridge_conf *make_conf(struct call *c, struct error *err)
{
	const struct control_host *host = &c->env->host;
	const struct main_conf *daemon = host->conf(host->arg);
	struct bridge_conf *conf;
	struct schema_first first;

	schema_first_init(&first);
	conf = bridge_conf_new(c->params.name, daemon->defaults, c->params.bridge, &first.report);
	if (conf)
		bridge_conf_share(conf, daemon->shared);
	else
		*err = first.err;
	return conf;
}

static struct reply make(struct call *c)
{
	struct error err;
	struct bridge_conf *conf;
	struct bridge *b = registry_find(c->env->host.registry, c->params.name);

	if (b) {
		error_set(&err, ERR_ALREADY_EXISTS, "there is a bridge \"%s\" already (%s)",
			  bridge_name(b), bridge_state(b));
		return reply_error(c, &err);
	}
	conf = make_conf(c, &err);
	if (!conf)
		return reply_error(c, &err);
	if (c->params.wait > 0 && conf->common->start == START_MANUAL) {
		bridge_conf_unref(conf);
		error_set_option(&err, PARAM_WAIT,
				 "wait: with \"start\": \"manual\" nothing is dialed");
		return reply_error(c, &err);
	}
	if (c->params.dry_run) {
		bridge_conf_unref(conf);
		return reply_dry(c);
	}
	b = registry_open(c->env->host.registry, conf, &err);
	bridge_conf_unref(conf);
	if (!b)
		return reply_error(c, &err);
	if (c->params.wait > 0 && is_state(b, BRIDGE_IDLE))
		registry_start(c->env->host.registry, b); /* on demand, and this is one */
	return opened(c, b);
}

struct reply method_open(struct call *c)
{
	struct error err;

	if (!call_may_begin(c, &err))
		return reply_error(c, &err);
	return json_object_size(c->params.bridge) > 0 ? make(c) : start(c);
}

static bool check_close_params(const struct params *p, struct error *err)
{
	if (!close_code_is_for_clients(p->code))
		return error_set_option(err, PARAM_CODE, "code: must be " CLOSE_CODES_TEXT);
	if (p->reason && strlen(p->reason) > CLOSE_REASON_MAX)
		return error_set_option(err, PARAM_REASON, "reason: at most %d bytes",
					CLOSE_REASON_MAX);
	return true;
}

static struct reply check_closed(struct call *c, struct bridge *b, enum call_why why)
{
	char waited[SCHEMA_VALUE_TEXT];
	struct error err;

	if (!b || is_state(b, "closed") || is_state(b, "failed"))
		return reply_bridge(c, b);
	if (why != CALL_TIMEOUT)
		return reply_not_yet(c);
	schema_format_duration(waited, c->params.wait);
	error_set(&err, ERR_TIMEOUT, "bridge \"%s\" is not closed after %s", c->params.name,
		  waited);
	return reply_error(c, &err);
}

struct reply method_close(struct call *c)
{
	struct error err;
	struct registry *all = c->env->host.registry;
	struct bridge *b = call_bridge(c, &err);
	const char *reason = c->params.reason ? c->params.reason : "";

	if (!b || !check_close_params(&c->params, &err))
		return reply_error(c, &err);
	if (c->params.dry_run)
		return reply_dry(c);
	registry_close(all, b, (int)c->params.code, reason);
	if (c->params.wait > 0)
		return wait_for(c, check_closed);
	return reply_bridge(c, registry_find(all, c->params.name));
}

struct reply method_reconnect(struct call *c)
{
	struct error err;
	struct bridge *b = call_may_begin(c, &err) ? call_bridge(c, &err) : NULL;

	if (!b)
		return reply_error(c, &err);
	if (is_state(b, "closed")) {
		error_set(&err, ERR_NOT_OPEN, "bridge \"%s\" is closed: use \"%s\"", bridge_name(b),
			  METHOD_OPEN);
		return reply_error(c, &err);
	}
	if (c->params.dry_run)
		return reply_dry(c);
	if (!bridge_reconnect(b, &err))
		return reply_error(c, &err);
	return reply_bridge(c, b);
}
