/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The long-lived side of an upstream: performs the actions of link_fsm and
 * keeps the books. It never touches bytes. Its trap: the owner may call back
 * into it from the LINK_STATE event, so telling the owner is always the last
 * thing that is done.
 */
#include "link/link.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "link/link_int.h"
#include "net/loop.h"

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
		.tap = link_tap(k),
		.cb = on_session,
		.arg = k,
	};

	session_free(k->ended);
	k->ended = NULL;
	k->info.attempts++;
	k->began = loop_now(k->env.loop);
	k->tx_fragment = k->rx_fragment = false;
	link_tell_attempt(k, params.url);
	k->session = session_new(&params);
	session_pause(k->session, k->paused);
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
		session_close(k->session, k->stop_code, link_stop_reason(k));
		break;
	case LINK_DO_ARM:
		timer_arm(&k->timer, k->delay);
		break;
	case LINK_DO_DISARM:
		timer_disarm(&k->timer);
		break;
	case LINK_DO_DISARM_BEGIN:
		timer_disarm(&k->timer);
		begin(k);
		break;
	}
}

static void check(const struct link *k)
{
	assert((k->session != NULL) == link_state_has_session(k->state));
	assert(k->state == LINK_OPEN || timer_is_armed(&k->timer) == (k->state == LINK_WAITING));
}

/* The single writer of the state. */
static void enter(struct link *k, enum link_input input)
{
	struct link_step step = link_fsm_step(k->state, input);
	enum link_state old = k->state;

	assert(step.possible);
	k->state = step.next;
	if (old == LINK_OPEN && k->state != LINK_OPEN)
		link_live_stop(k);
	perform(k, step.action);
	check(k);
	if (old == k->state)
		return;
	link_tell_state(k, old, input);
	k->info.since = time(NULL);
	k->env.cb(k->env.arg, &(struct link_event){ .type = LINK_STATE });
}

static void on_timer(void *arg)
{
	struct link *k = arg;

	if (k->state == LINK_OPEN)
		link_live_tick(k);
	else
		enter(k, LINK_IN_TIMER);
}

static void emit(struct link *k, struct link_event event)
{
	k->env.cb(k->env.arg, &event);
}

static void on_opened(struct link *k)
{
	k->n_opened++;
	k->info.attempts = 0;
	k->opened = loop_now(k->env.loop);
	link_tell_opened(k);
	link_live_start(k);
	enter(k, LINK_IN_OPENED);
}

static struct link_past *past_of(struct link *k)
{
	if (!k->past)
		k->past = mem_zalloc(sizeof(*k->past));
	return k->past;
}

static void keep_close(struct link_last_close *last, const struct session_end *end)
{
	*last = (struct link_last_close){ .code = end->close_code, .clean = end->clean };
	memcpy(last->reason, end->reason, sizeof(end->reason));
}

static void note_end(struct link *k, const struct session_end *end)
{
	struct link_past *past = past_of(k);

	if (end->was_open || end->clean)
		keep_close(&past->last_close, end);
	if (!end->err.code)
		return;
	past->last_error = end->err;
	past->last_error_at = time(NULL);
}

/* Returns the delay of the next attempt, -1 = none. */
static int64_t judge(struct link *k, const struct session_end *end)
{
	enum backoff_verdict verdict;

	note_end(k, end);
	if (!end->was_open) /* the next of the list, in turn */
		k->url_at = (k->url_at + 1) % k->conf->n_urls;
	verdict = backoff_ended(&k->backoff, k->conf, end, k->env.rand, &k->delay);
	if (k->env.once)
		verdict = BACKOFF_STOP;
	link_tell_end(k, end, verdict == BACKOFF_RETRY ? k->delay : -1);
	return verdict == BACKOFF_RETRY ? k->delay : -1;
}

/* An end that we asked for says nothing about the server: it is not judged. */
static int64_t accept_asked(struct link *k, const struct session_end *end)
{
	if (end->was_open)
		note_end(k, end);
	link_tell_asked_end(k, end);
	return k->state == LINK_RESTARTING ? 0 : -1;
}

/*
 * While the owner is told, the session is still there: an order that he gives
 * then finds it closed, and the step below goes on from the state it led to.
 */
static void on_ended(struct link *k, const struct session_end *end)
{
	bool asked = k->state == LINK_STOPPING || k->state == LINK_RESTARTING;
	struct link_past *past = past_of(k);
	int64_t delay = asked ? accept_asked(k, end) : judge(k, end);

	link_live_stop(k);
	past->unacked += end->unacked;
	past->unsent += end->unsent;
	emit(k, (struct link_event){ .type = LINK_ENDED, .end = end, .delay = delay });
	link_add_packed(k->session, &past->packed_rx, &past->packed_tx);
	k->ended = k->session;
	k->session = NULL;
	enter(k, asked || delay >= 0 ? LINK_IN_ENDED : LINK_IN_ENDED_FATAL);
}

static void on_messages(struct link *k, const struct msg *msgs, size_t n)
{
	struct link_event event = {
		.type = LINK_MESSAGES, .msgs = msgs, .n_msgs = n, .continued = k->rx_fragment
	};

	for (size_t i = 0; i < n; i++)
		k->info.rx.bytes += msgs[i].data.n;
	k->info.rx.messages += msgs[n - 1].more ? n - 1 : n; /* no other one is a fragment */
	link_live_messages(k, msgs, n);
	emit(k, event);
}

static void on_session(void *arg, const struct session_event *event)
{
	struct link *k = arg;

	switch (event->type) {
	case SESSION_UPGRADED:
		k->info.epoch++;
		break;
	case SESSION_OPENED:
		on_opened(k);
		break;
	case SESSION_MESSAGES:
		on_messages(k, event->msgs, event->n_msgs);
		break;
	case SESSION_PING:
		emit(k, (struct link_event){ .type = LINK_PING, .payload = event->payload });
		break;
	case SESSION_PONG:
		link_live_pong(k, event->payload);
		emit(k, (struct link_event){ .type = LINK_PONG, .payload = event->payload });
		break;
	case SESSION_TURN:
		link_live_turn(k, event->heard);
		emit(k, (struct link_event){ .type = LINK_TURN });
		break;
	case SESSION_WRITTEN:
		link_live_written(k);
		if (event->room)
			emit(k, (struct link_event){ .type = LINK_DRAINED });
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
	k->info.since = time(NULL);
	k->stop_code = 1000;
	cookies_init(&k->cookies);
	timer_init(&k->timer, params->loop, on_timer, k);
	link_live_init(k);
	return k;
}

void link_free(struct link *k)
{
	if (!k)
		return;
	link_trace(k, NULL);
	session_free(k->session);
	session_free(k->ended);
	cookies_deinit(&k->cookies);
	timer_deinit(&k->timer);
	link_live_deinit(k);
	bridge_conf_unref(k->conf);
	history_deinit(&k->history);
	free(k->past);
	free(k->stop_reason);
	free(k);
}

void link_start(struct link *k)
{
	if (k->state == LINK_STOPPED || k->state == LINK_GAVE_UP)
		k->backoff = (struct backoff){ 0 };
	enter(k, LINK_IN_START);
}

static void set_stop(struct link *k, int code, const char *reason)
{
	char *old = k->stop_reason;

	k->stop_code = code;
	k->stop_reason = *reason ? mem_strdup(reason) : NULL;
	free(old);
}

void link_stop(struct link *k, int code, const char *reason)
{
	set_stop(k, code, reason);
	enter(k, LINK_IN_STOP);
}

void link_reconnect(struct link *k)
{
	set_stop(k, 1000, "");
	k->backoff.failures = 0;
	enter(k, LINK_IN_RECONNECT);
}

void link_close(struct link *k, int code, const char *reason)
{
	if (k->state != LINK_OPEN)
		return;
	link_live_stop(k); /* no more pings leave: timeouts.close judges the silence */
	session_close(k->session, code, reason);
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
		link_live_start(k);
}

void link_pause(struct link *k, bool paused)
{
	if (k->paused == paused)
		return;
	k->paused = paused;
	if (k->session)
		session_pause(k->session, paused);
	if (k->state == LINK_OPEN)
		link_live_paused(k);
}

void link_check(struct link *k)
{
	if (k->state == LINK_OPEN)
		link_live_check(k);
	else if (k->state == LINK_WAITING)
		timer_arm(&k->timer, 0);
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
	if (r != LINK_SENT)
		return r;
	k->info.tx.messages += !msg.more;
	k->info.tx.bytes += msg.data.n;
	k->tx_fragment = msg.more;
	if (k->beat_held && !msg.more)
		link_live_written(k);
	return r;
}

size_t link_send_run(struct link *k, const struct msg *msgs, size_t n)
{
	if (k->state != LINK_OPEN || k->tx_fragment)
		return 0;
	n = session_send_run(k->session, msgs, n);
	for (size_t i = 0; i < n; i++)
		k->info.tx.bytes += msgs[i].data.n;
	k->info.tx.messages += n;
	if (k->beat_held && n > 0)
		link_live_written(k);
	return n;
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

uint64_t link_epoch(const struct link *k)
{
	return k->info.epoch;
}

struct session_progress link_progress(const struct link *k)
{
	bool was_open = k->state == LINK_OPEN || k->state == LINK_STOPPING ||
			k->state == LINK_RESTARTING;

	return was_open ? session_progress(k->session) : (struct session_progress){ 0 };
}

const struct history *link_history(const struct link *k)
{
	return &k->history;
}
