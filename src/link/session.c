/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One attempt, from birth to end: see session.h. All that happens to it comes
 * through the dial, the stream (session_io.c) or the one timer, and every way
 * out leads through session_finish.
 */
#include "link/session.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "link/session_int.h"
#include "link/upgrade_params.h"
#include "net/dial.h"
#include "ws/conn.h"

/* TCP_USER_TIMEOUT: what was sent and not acknowledged for so long ends the connection. */
#define USER_TIMEOUT ((int64_t)30 * 1000000)

static void drop_transport(struct session *s)
{
	dial_cancel(s->dial);
	s->dial = NULL;
	stream_free(s->stream);
	s->stream = NULL;
	timer_disarm(&s->deadline);
	deferred_cancel(&s->flush);
}

void session_finish(struct session *s, const struct error *err)
{
	if (s->state == DONE)
		return;
	if (err && !s->end.err.code)
		s->end.err = *err;
	if (!s->end.close_code)
		s->end.close_code = 1006; /* RFC 6455, 7.1.5 */
	if (s->end.was_open)
		s->end.open_for = loop_now(s->loop) - s->opened;
	s->end.partial = s->conn ? ws_conn_partial(s->conn) : 0;
	s->state = DONE;
	drop_transport(s);
	loop_defer(s->loop, &s->gone);
}

void session_fail_at(struct session *s, enum err code, enum stage stage, const char *sentence)
{
	struct error err = ERROR_INIT;

	error_set(&err, code, "%s", sentence);
	err.stage = stage;
	session_finish(s, &err);
}

static void on_gone(void *arg)
{
	struct session *s = arg;

	if (!s->freed) {
		session_emit(s, (struct session_event){ .type = SESSION_ENDED, .end = &s->end });
		return;
	}
	ws_conn_free(s->conn);
	bridge_conf_unref(s->conf);
	timer_deinit(&s->deadline);
	free(s);
}

static int64_t shorter(int64_t a, int64_t b)
{
	if (a == 0 || b == 0)
		return a ? a : b;
	return a < b ? a : b;
}

static void enter_upgrading(struct session *s, struct stream *stream)
{
	struct upgrade_params up;
	int64_t left = 0;

	s->state = UPGRADING;
	s->stream = stream;
	upgrade_params_init(&up, s->conf, s->rand);
	up.ws.max_output = OUTPUT_MAX;
	s->conn = ws_conn_new(&up.ws);
	upgrade_params_deinit(&up);
	if (s->conf->timeouts.open)
		left = s->conf->timeouts.open - (loop_now(s->loop) - s->began);
	if (s->conf->timeouts.open && left <= 0)
		left = 1;
	left = shorter(left, s->conf->timeouts.handshake);
	if (left)
		timer_arm(&s->deadline, left);
	else
		timer_disarm(&s->deadline);
	stream_attach(stream, session_on_stream, s);
	session_flush(s);
}

static void on_dialed(void *arg, struct stream *stream, const char *peer, const struct error *err)
{
	struct session *s = arg;

	s->dial = NULL;
	if (!stream) {
		session_finish(s, err);
		return;
	}
	snprintf(s->peer, sizeof(s->peer), "%s", peer);
	enter_upgrading(s, stream);
}

static void on_deadline(void *arg)
{
	struct session *s = arg;

	switch (s->state) {
	case DIALING:
		session_fail_at(s, ERR_TIMEOUT, STAGE_CONNECT,
				"no connection within timeouts.open");
		break;
	case UPGRADING:
		session_fail_at(s, ERR_TIMEOUT, STAGE_HANDSHAKE,
				"no answer to the handshake in time");
		break;
	case CLOSING:
		if (s->end.clean) /* only the server's end of TCP is missing */
			session_finish(s, NULL);
		else
			session_fail_at(s, ERR_TIMEOUT, STAGE_NONE,
					"no answer to the Close frame within timeouts.close");
		break;
	case OPEN:
	case DONE:
		break;
	}
}

struct session *session_new(const struct session_params *params)
{
	struct session *s = mem_zalloc(sizeof(*s));
	struct dial_params dial = {
		.host = params->conf->url.host,
		.port = params->conf->url.port,
		.connect_timeout = params->conf->timeouts.connect,
		.user_timeout = USER_TIMEOUT,
		.nodelay = params->conf->socket.nodelay,
	};

	s->loop = params->loop;
	s->rand = params->rand;
	s->conf = bridge_conf_ref(params->conf);
	s->cb = params->cb;
	s->arg = params->arg;
	s->began = loop_now(s->loop);
	timer_init(&s->deadline, s->loop, on_deadline, s);
	deferred_init(&s->flush, session_on_end_of_turn, s);
	deferred_init(&s->gone, on_gone, s);
	if (s->conf->timeouts.open)
		timer_arm(&s->deadline, s->conf->timeouts.open);
	s->state = DIALING;
	s->dial = dial_start(params->dialer, &dial, on_dialed, s);
	return s;
}

void session_free(struct session *s)
{
	if (!s || s->freed)
		return;
	s->freed = true;
	s->state = DONE;
	drop_transport(s);
	loop_defer(s->loop, &s->gone);
}

void session_close(struct session *s, int code, const char *reason)
{
	switch (s->state) {
	case DIALING:
	case UPGRADING:
		session_fail_at(s, ERR_NOT_OPEN, STAGE_NONE, "closed before it was open");
		break;
	case OPEN:
		ws_conn_close(s->conn, code, span_str(reason));
		session_enter_closing(s, s->conf->timeouts.close);
		session_flush_later(s);
		break;
	case CLOSING:
	case DONE:
		break;
	}
}

void session_abort(struct session *s, const struct error *why)
{
	session_finish(s, why);
}

/* Full and yet empty: there is no memory for this message, and no write would make room. */
static enum session_send_result full(struct session *s)
{
	if (ws_conn_output(s->conn)->len == 0)
		session_fail_at(s, ERR_INTERNAL, STAGE_NONE, "no memory for a message to send");
	s->starved = true;
	return SESSION_FULL;
}

static enum session_send_result sent(struct session *s, enum ws_send_result r)
{
	const struct buf *out;

	switch (r) {
	case WS_NOT_OPEN:
		return SESSION_NOT_OPEN;
	case WS_FULL:
		return full(s);
	case WS_SENT:
		break;
	}
	out = ws_conn_output(s->conn);
	s->tx_queued = s->tx_done + out->len;
	if (out->len >= FLUSH_AT && !s->starved)
		session_flush(s);
	else
		session_flush_later(s);
	return SESSION_SENT;
}

bool session_is_full(const struct session *s)
{
	return s->conn && ws_conn_output(s->conn)->len >= OUTPUT_HIGH;
}

enum session_send_result session_send(struct session *s, struct msg msg)
{
	if (s->state != OPEN)
		return SESSION_NOT_OPEN;
	if (session_is_full(s))
		return sent(s, WS_FULL);
	return sent(s, ws_conn_send(s->conn, msg));
}

enum session_send_result session_ping(struct session *s, struct span payload)
{
	return s->state == OPEN ? sent(s, ws_conn_ping(s->conn, payload)) : SESSION_NOT_OPEN;
}

enum session_send_result session_pong(struct session *s, struct span payload)
{
	return s->state == OPEN ? sent(s, ws_conn_pong(s->conn, payload)) : SESSION_NOT_OPEN;
}

uint64_t session_tx_queued(const struct session *s)
{
	return s->tx_queued;
}

uint64_t session_tx_done(const struct session *s)
{
	return s->tx_done;
}

const char *session_peer(const struct session *s)
{
	return s->peer[0] ? s->peer : NULL;
}

const char *session_subprotocol(const struct session *s)
{
	return s->conn ? ws_conn_subprotocol(s->conn) : NULL;
}

const struct http_head *session_head(const struct session *s)
{
	return s->conn ? ws_conn_head(s->conn) : NULL;
}
