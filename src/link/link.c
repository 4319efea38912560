/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The long-lived side of an upstream: performs the actions of link_fsm, keeps
 * the books, and logs what has been decided. It never touches bytes. Its trap:
 * the owner may call back into it from the LINK_STATE event, so telling the
 * owner is always the last thing that is done.
 */
#include "link/link.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "link/backoff.h"
#include "link/cookies.h"
#include "link/keepalive.h"
#include "link/session.h"
#include "net/loop.h"
#include "net/tls.h"

struct link {
	struct link_params env;
	struct bridge_conf *conf;
	char object[BRIDGE_NAME_MAX + 8]; /* "bridge NAME", for the log */
	enum link_state state;
	struct session *session;
	struct session *ended; /* the last one, for what its server answered; NULL = none */
	struct cookies cookies;
	size_t url_at;	  /* of conf->urls: where the next attempt goes */
	unsigned attempt; /* counted over all of them */
	struct timer retry;
	int64_t delay; /* of the next attempt, once an end has been judged */
	struct backoff backoff;
	struct keepalive keepalive;
	struct timer tick;
	uint64_t ping_mark; /* the ping has left when so much is written */
	int64_t heard_at;   /* monotonic; 0 = never */
	int stop_code;
	char stop_reason[124];
	struct link_info info; /* the lasting part of it */
};

static double seconds(int64_t us)
{
	return (double)us / 1e6;
}

static void on_session(void *arg, const struct session_event *event);

static void begin(struct link *k)
{
	struct session_params params = {
		.loop = k->env.loop,
		.dialer = k->env.dialer,
		.rand = k->env.rand,
		.cookies = &k->cookies,
		.conf = k->conf,
		.url = &k->conf->urls[k->url_at % k->conf->n_urls],
		.attempt = k->attempt++,
		.cb = on_session,
		.arg = k,
	};

	session_free(k->ended);
	k->ended = NULL;
	k->info.attempts++;
	k->session = session_new(&params);
}

static void perform(struct link *k, enum link_action action)
{
	switch (action) {
	case LINK_DO_NOTHING:
		break;
	case LINK_DO_BEGIN:
		begin(k);
		break;
	case LINK_DO_CLOSE:
		session_close(k->session, k->stop_code, k->stop_reason);
		break;
	case LINK_DO_ARM:
		timer_arm(&k->retry, k->delay);
		break;
	case LINK_DO_DISARM:
		timer_disarm(&k->retry);
		break;
	case LINK_DO_DISARM_BEGIN:
		timer_disarm(&k->retry);
		begin(k);
		break;
	}
}

static void check(const struct link *k)
{
	assert((k->session != NULL) == link_state_has_session(k->state));
	assert(timer_is_armed(&k->retry) == (k->state == LINK_WAITING));
}

/* The single writer of the state. */
static void enter(struct link *k, enum link_input input)
{
	struct link_step step = link_fsm_step(k->state, input);
	enum link_state old = k->state;

	assert(step.possible);
	k->state = step.next;
	perform(k, step.action);
	check(k);
	if (old == k->state)
		return;
	log_debug(k->object, "%s -> %s (%s)", link_state_name(old), link_state_name(k->state),
		  link_input_name(input));
	k->info.since = time(NULL);
	k->env.cb(k->env.arg, &(struct link_event){ .type = LINK_STATE });
}

static void on_retry(void *arg)
{
	enter(arg, LINK_IN_TIMER);
}

static void arm_tick(struct link *k)
{
	int64_t due = keepalive_due(&k->keepalive);

	if (due == INT64_MAX)
		timer_disarm(&k->tick);
	else if (!timer_is_armed(&k->tick) || k->tick.due > due)
		timer_arm(&k->tick, due - loop_now(k->env.loop));
}

static void check_ping_left(struct link *k)
{
	if (k->keepalive.state == KEEPALIVE_LEAVING &&
	    session_tx_done(k->session) >= k->ping_mark) {
		keepalive_left(&k->keepalive, loop_now(k->env.loop));
		arm_tick(k);
	}
}

static void ping_now(struct link *k)
{
	session_ping(k->session, span_str(k->conf->ping.payload));
	session_flush(k->session);
	k->ping_mark = session_tx_queued(k->session);
	check_ping_left(k);
}

static void declare_dead(struct link *k)
{
	struct error err = ERROR_INIT;

	error_set(&err, ERR_TIMEOUT, "no answer to a ping within %.3gs",
		  seconds(k->conf->ping.timeout));
	session_abort(k->session, &err);
}

static void on_tick(void *arg)
{
	struct link *k = arg;

	switch (keepalive_tick(&k->keepalive, loop_now(k->env.loop))) {
	case KEEPALIVE_NOTHING:
		break;
	case KEEPALIVE_PING:
		ping_now(k);
		break;
	case KEEPALIVE_DEAD:
		declare_dead(k);
		break;
	}
	arm_tick(k);
}

static void start_keepalive(struct link *k)
{
	k->keepalive.interval = k->conf->ping.interval;
	k->keepalive.timeout = k->conf->ping.timeout;
	k->keepalive.any = k->conf->ping.proof == PROOF_ANY;
	keepalive_start(&k->keepalive, loop_now(k->env.loop));
	timer_disarm(&k->tick);
	arm_tick(k);
}

static void stop_keepalive(struct link *k)
{
	keepalive_stop(&k->keepalive);
	timer_disarm(&k->tick);
}

static void log_opened(struct link *k)
{
	struct session_details d;

	session_details(k->session, &d);
	log_notice(k->object, "open (%s%s%s%s%s)", d.peer, d.tls ? ", " : "",
		   d.tls ? d.tls->version : "", d.subprotocol ? ", subprotocol " : "",
		   d.subprotocol ? d.subprotocol : "");
	if (d.tls && !d.tls->verified)
		log_warning(k->object, "tls.verify is off: anybody could be at the other end");
}

static void on_opened(struct link *k)
{
	if (k->info.epoch++ > 0)
		k->info.reconnects++;
	k->info.attempts = 0;
	log_opened(k);
	if (k->conf->mask == MASK_ZERO)
		log_warning(k->object, "mask is \"zero\": what is sent can be predicted; for "
				       "packet captures only");
	start_keepalive(k);
	enter(k, LINK_IN_OPENED);
}

static void on_turn(struct link *k, bool heard)
{
	if (heard) {
		k->heard_at = loop_now(k->env.loop);
		keepalive_heard(&k->keepalive, k->heard_at);
		arm_tick(k);
	}
	k->env.cb(k->env.arg, &(struct link_event){ .type = LINK_TURN });
}

static void on_pong(struct link *k, struct span payload)
{
	if (!span_equal(payload, span_str(k->conf->ping.payload)))
		return;
	keepalive_pong(&k->keepalive, loop_now(k->env.loop));
	arm_tick(k);
}

static void note_end(struct link *k, const struct session_end *end)
{
	if (end->was_open) {
		k->info.last_close.code = end->close_code;
		k->info.last_close.clean = end->clean;
		memcpy(k->info.last_close.reason, end->reason, sizeof(end->reason));
	}
	if (!end->err.code)
		return;
	k->info.last_error = end->err;
	k->info.last_error_at = time(NULL);
}

static void log_end(struct link *k, const struct session_end *end, enum backoff_verdict verdict)
{
	char next[64] = "giving up";

	if (verdict == BACKOFF_RETRY)
		snprintf(next, sizeof(next), "%s in %.1fs",
			 end->was_open ? "reconnect" : "next attempt", seconds(k->delay));
	if (end->err.code)
		log_at(end->was_open ? LOG_LEVEL_NOTICE : LOG_LEVEL_WARNING, k->object, "%s, %s",
		       end->err.text, next);
	else
		log_notice(k->object, "closed by peer (%d \"%s\"), %s", end->close_code,
			   end->reason, next);
	if (end->partial)
		log_notice(k->object, "%zu bytes of an incomplete message are lost", end->partial);
}

/* An end that we asked for says nothing about the server: it is not judged. */
static void on_ended(struct link *k, const struct session_end *end)
{
	bool asked = k->state == LINK_STOPPING || k->state == LINK_RESTARTING;
	enum backoff_verdict verdict = BACKOFF_RETRY;

	stop_keepalive(k);
	k->ended = k->session;
	k->session = NULL;
	if (asked) {
		if (end->was_open)
			note_end(k, end);
		log_notice(k->object, "closed (%d \"%s\")", k->stop_code, k->stop_reason);
	} else {
		note_end(k, end);
		if (!end->was_open) /* the next of the list, in turn */
			k->url_at = (k->url_at + 1) % k->conf->n_urls;
		verdict = backoff_ended(&k->backoff, k->conf, end, k->env.rand, &k->delay);
		log_end(k, end, verdict);
	}
	enter(k, verdict == BACKOFF_RETRY ? LINK_IN_ENDED : LINK_IN_ENDED_FATAL);
}

static void on_message(struct link *k, struct msg msg)
{
	k->info.rx.messages++;
	k->info.rx.bytes += msg.data.n;
	k->env.cb(k->env.arg, &(struct link_event){ .type = LINK_MESSAGE, .msg = msg });
}

static void on_session(void *arg, const struct session_event *event)
{
	struct link *k = arg;

	switch (event->type) {
	case SESSION_OPENED:
		on_opened(k);
		break;
	case SESSION_MESSAGE:
		on_message(k, event->msg);
		break;
	case SESSION_PONG:
		on_pong(k, event->payload);
		break;
	case SESSION_TURN:
		on_turn(k, event->heard);
		break;
	case SESSION_WRITTEN:
		check_ping_left(k);
		k->env.cb(k->env.arg, &(struct link_event){ .type = LINK_DRAINED });
		break;
	case SESSION_ENDED:
		on_ended(k, event->end);
		break;
	}
}

struct link *link_new(const struct link_params *params)
{
	struct link *k = mem_zalloc(sizeof(*k));

	k->env = *params;
	k->conf = bridge_conf_ref(params->conf);
	snprintf(k->object, sizeof(k->object), "bridge %s", k->conf->name);
	k->info.since = time(NULL);
	k->keepalive.rtt = -1;
	k->stop_code = 1000;
	cookies_init(&k->cookies);
	timer_init(&k->retry, params->loop, on_retry, k);
	timer_init(&k->tick, params->loop, on_tick, k);
	return k;
}

void link_free(struct link *k)
{
	if (!k)
		return;
	session_free(k->session);
	session_free(k->ended);
	cookies_deinit(&k->cookies);
	timer_deinit(&k->retry);
	timer_deinit(&k->tick);
	bridge_conf_unref(k->conf);
	free(k);
}

void link_start(struct link *k)
{
	if (k->state == LINK_STOPPED || k->state == LINK_GAVE_UP)
		k->backoff.failures = 0;
	enter(k, LINK_IN_START);
}

void link_stop(struct link *k, int code, const char *reason)
{
	k->stop_code = code;
	snprintf(k->stop_reason, sizeof(k->stop_reason), "%s", reason);
	enter(k, LINK_IN_STOP);
}

void link_reconnect(struct link *k)
{
	k->stop_code = 1000;
	k->stop_reason[0] = '\0';
	k->backoff.failures = 0;
	enter(k, LINK_IN_RECONNECT);
}

void link_configure(struct link *k, struct bridge_conf *conf, bool reconnect)
{
	struct bridge_conf *old = k->conf;

	k->conf = bridge_conf_ref(conf);
	bridge_conf_unref(old);
	if (reconnect)
		k->url_at = 0;
	if (reconnect)
		link_reconnect(k);
	else if (k->state == LINK_OPEN)
		start_keepalive(k);
}

static enum link_send_result sent(enum session_send_result r)
{
	switch (r) {
	case SESSION_SENT:
		return LINK_SENT;
	case SESSION_FULL:
		return LINK_FULL;
	case SESSION_NOT_OPEN:
		return LINK_NOT_OPEN;
	}
	return LINK_NOT_OPEN;
}

enum link_send_result link_send(struct link *k, struct msg msg)
{
	enum link_send_result r;

	if (k->state != LINK_OPEN)
		return LINK_NOT_OPEN;
	r = sent(session_send(k->session, msg));
	if (r == LINK_SENT) {
		k->info.tx.messages++;
		k->info.tx.bytes += msg.data.n;
	}
	return r;
}

/* What others order has no place above the mark; our own ping has: it must not be judged unsent. */
static bool may_order(const struct link *k, enum link_send_result *refusal)
{
	*refusal = k->state == LINK_OPEN ? LINK_FULL : LINK_NOT_OPEN;
	return k->state == LINK_OPEN && !session_is_full(k->session);
}

enum link_send_result link_ping(struct link *k, struct span payload)
{
	enum link_send_result refusal;

	return may_order(k, &refusal) ? sent(session_ping(k->session, payload)) : refusal;
}

enum link_send_result link_pong(struct link *k, struct span payload)
{
	enum link_send_result refusal;

	return may_order(k, &refusal) ? sent(session_pong(k->session, payload)) : refusal;
}

void link_flush(struct link *k)
{
	if (k->session)
		session_flush(k->session);
}

enum link_state link_state(const struct link *k)
{
	return k->state;
}

bool link_is_open(const struct link *k)
{
	return k->state == LINK_OPEN;
}

bool link_has_session(const struct link *k)
{
	return k->session != NULL;
}

void link_info(struct link *k, struct link_info *info)
{
	int64_t now = loop_now(k->env.loop);
	const struct session *session;

	*info = k->info;
	info->details.url = &k->conf->urls[k->url_at % k->conf->n_urls];
	info->details.handshake = -1;
	info->state = k->state;
	info->retry_in = timer_is_armed(&k->retry) ?
				 seconds(k->retry.due > now ? k->retry.due - now : 0) :
				 -1;
	info->rtt = k->keepalive.rtt;
	info->last_rx = k->heard_at ? seconds(now - k->heard_at) : -1;
	session = k->session ? k->session : k->ended;
	if (session)
		session_details(session, &info->details);
	if (!k->session)
		return;
	info->tx_queued = session_tx_queued(k->session);
	info->tx_done = session_tx_done(k->session);
}
