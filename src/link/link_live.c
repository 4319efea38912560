/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether an open link is alive: performs what keepalive.c and heartbeat.c
 * decide, with one timer for both, the link's, and tells them what has left and what has
 * come. Its trap: a heartbeat is a message, so it must not stand between the
 * fragments of another one (RFC 6455, 5.4), nor above the mark of a full output.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "link/link_int.h"
#include "net/loop.h"

static void arm_tick(struct link *k)
{
	int64_t ping = keepalive_due(&k->keepalive);
	int64_t beat = k->heartbeat ? heartbeat_due(k->heartbeat) : INT64_MAX;
	int64_t due = ping < beat ? ping : beat;

	if (due == INT64_MAX)
		timer_disarm(&k->timer);
	else if (!timer_is_armed(&k->timer) || k->timer.due > due)
		timer_arm(&k->timer, due - loop_now(k->env.loop));
}

static void note_ping_left(struct link *k)
{
	uint64_t written, acked;

	keepalive_left(&k->keepalive, loop_now(k->env.loop));
	if (!session_acked(k->session, &written, &acked))
		return;
	k->keepalive.mark = written;
	k->keepalive.acked = acked;
}

static void check_left(struct link *k)
{
	struct session_progress p = session_progress(k->session);

	if (k->keepalive.state == KEEPALIVE_LEAVING && p.control_written >= k->ping_mark)
		note_ping_left(k);
	if (k->heartbeat && k->heartbeat->state == HEARTBEAT_LEAVING && !k->beat_held &&
	    p.data_written >= k->beat_mark)
		heartbeat_left(k->heartbeat, loop_now(k->env.loop));
}

static void ping_now(struct link *k)
{
	session_ping(k->session, span_str(k->conf->common->ping.payload));
	k->ping_mark = session_progress(k->session).control_queued;
	session_flush(k->session);
	check_left(k);
}

static void beat_now(struct link *k)
{
	const struct conf_message *m = &k->conf->common->heartbeat.message;
	struct msg msg = { .type = m->type, .data = span_of(m->data, m->n) };

	k->beat_held = k->tx_fragment || session_send(k->session, msg) != SESSION_SENT;
	if (k->beat_held)
		return;
	k->beat_mark = session_progress(k->session).data_queued;
	session_flush(k->session);
	check_left(k);
}

static void give_up(struct link *k, const char *what, int64_t limit)
{
	struct error err = ERROR_INIT;

	error_set(&err, ERR_TIMEOUT, "%s %.3gs", what, link_seconds(limit));
	link_live_stop(k);
	session_abort(k->session, &err);
}

static void tick_ping(struct link *k, int64_t now)
{
	uint64_t written, acked;

	if (session_acked(k->session, &written, &acked))
		keepalive_acked(&k->keepalive, acked, now);
	switch (keepalive_tick(&k->keepalive, now)) {
	case KEEPALIVE_NOTHING:
		break;
	case KEEPALIVE_PING:
		ping_now(k);
		break;
	case KEEPALIVE_DEAD:
		give_up(k, "no answer to a ping within", keepalive_patience(&k->keepalive));
		break;
	}
}

static void tick_beat(struct link *k, int64_t now)
{
	if (!k->heartbeat)
		return;
	switch (heartbeat_tick(k->heartbeat, now)) {
	case HEARTBEAT_NOTHING:
		break;
	case HEARTBEAT_SEND:
		beat_now(k);
		break;
	case HEARTBEAT_DEAD:
		give_up(k, "no answer to a heartbeat within", k->conf->common->heartbeat.timeout);
		break;
	case HEARTBEAT_SILENT:
		give_up(k, "no message for", k->conf->common->idle_timeout);
		break;
	}
}

void link_live_tick(struct link *k)
{
	int64_t now = loop_now(k->env.loop);

	tick_ping(k, now);
	tick_beat(k, now);
	arm_tick(k);
}

void link_live_init(struct link *k)
{
	k->keepalive.rtt = k->keepalive.srtt = -1;
}

void link_live_deinit(struct link *k)
{
	free(k->heartbeat);
}

void link_live_paused(struct link *k)
{
	int64_t now = loop_now(k->env.loop);

	keepalive_pause(&k->keepalive, k->paused, now);
	if (k->heartbeat)
		heartbeat_pause(k->heartbeat, k->paused, now);
	arm_tick(k);
}

static void start_heartbeat(struct link *k, int64_t now)
{
	bool wanted = k->conf->common->heartbeat.interval > 0 || k->conf->common->idle_timeout > 0;

	if (wanted && !k->heartbeat)
		k->heartbeat = mem_zalloc(sizeof(*k->heartbeat));
	if (wanted) {
		heartbeat_start(k->heartbeat, k->conf, now);
		return;
	}
	free(k->heartbeat);
	k->heartbeat = NULL;
}

void link_live_start(struct link *k)
{
	int64_t now = loop_now(k->env.loop);

	k->keepalive.interval = k->conf->common->ping.interval;
	k->keepalive.timeout = k->conf->common->ping.timeout;
	k->keepalive.any = k->conf->common->ping.proof == PROOF_ANY;
	k->beat_held = false;
	keepalive_start(&k->keepalive, now);
	start_heartbeat(k, now);
	timer_disarm(&k->timer);
	link_live_paused(k);
}

void link_live_stop(struct link *k)
{
	keepalive_stop(&k->keepalive);
	if (k->heartbeat)
		heartbeat_stop(k->heartbeat);
	k->beat_held = false;
	timer_disarm(&k->timer);
}

void link_live_check(struct link *k)
{
	keepalive_check(&k->keepalive, loop_now(k->env.loop));
	arm_tick(k);
}

static bool expects(const struct link *k)
{
	return k->heartbeat && heartbeat_expects(k->heartbeat);
}

/* A fragment ends the silence, but is no answer: it is not the whole message. */
static void hear(struct link *k, struct msg msg)
{
	bool whole = !msg.more && !k->rx_fragment;

	if (whole && expects(k))
		heartbeat_message(k->heartbeat, msg, loop_now(k->env.loop));
}

void link_live_messages(struct link *k, const struct msg *msgs, size_t n)
{
	for (size_t i = 0; i < n && expects(k); i++)
		hear(k, msgs[i]);
	k->rx_fragment = msgs[n - 1].more;
	k->rx_in_turn = true;
}

void link_live_turn(struct link *k, bool heard)
{
	int64_t now;

	if (!heard)
		return;
	now = loop_now(k->env.loop);
	k->heard_at = now;
	keepalive_heard(&k->keepalive, now);
	if (k->rx_in_turn && k->heartbeat)
		heartbeat_heard(k->heartbeat, now);
	k->rx_in_turn = false;
	arm_tick(k);
}

void link_live_pong(struct link *k, struct span payload)
{
	if (!span_equal(payload, span_str(k->conf->common->ping.payload)))
		return;
	keepalive_pong(&k->keepalive, loop_now(k->env.loop));
	arm_tick(k);
}

void link_live_written(struct link *k)
{
	if (k->state != LINK_OPEN)
		return;
	if (k->beat_held)
		beat_now(k);
	check_left(k);
	arm_tick(k);
}
