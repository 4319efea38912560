/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One attempt, from birth to end: see session.h. All that happens to it comes
 * through the dial, the stream (session_io.c) or the one timer, and every way
 * out leads through session_finish.
 */
#include "link/session.h"

#include <stdlib.h>

#include "base/http_head.h"
#include "base/mem.h"
#include "link/script.h"
#include "link/secrets.h"
#include "link/session_int.h"
#include "ws/conn.h"

struct session_end *session_end(struct session *s)
{
	if (!s->end)
		s->end = mem_zalloc(sizeof(*s->end));
	return s->end;
}

void session_keep_report(struct session *s, const struct dial_report *report)
{
	free(s->report);
	s->report = dial_report_copy(report);
}

void session_leave_way(struct session *s)
{
	struct session_way *way = s->way;

	if (!way)
		return;
	s->way = NULL;
	dialer_leave(&way->turn);
	dial_cancel(way->dial);
	script_free(way->script);
	secrets_free(way->secrets);
	free(way);
}

static void drop_stream(struct session *s)
{
	stream_free(s->stream);
	s->stream = NULL;
	if (s->report)
		s->report->tls = s->report->proxy_tls = NULL;
}

/* The stream is heard of no more, but stays: what it knows of TLS is told with the end. */
static void stop_transport(struct session *s)
{
	if (s->way && s->way->dial) {
		session_keep_report(s, dial_report(s->way->dial));
		s->report->proxy_tls = NULL; /* it goes with the dial */
	}
	session_leave_way(s);
	if (s->stream)
		stream_detach(s->stream);
	timer_disarm(&s->deadline);
	if (s->release)
		timer_disarm(&s->release->timer);
	deferred_cancel(&s->turn_end);
}

/* What of ours the other machine may never have got. */
static void count_lost(struct session *s)
{
	struct stream_acked acked;

	if (!s->upgraded)
		return;
	session_end(s)->unsent = ws_conn_output_len(s->conn);
	if (s->stream && stream_get_acked(s->stream, &acked))
		session_end(s)->unacked = acked.unacked;
}

void session_finish(struct session *s, const struct error *err)
{
	if (s->state == DONE)
		return;
	if (err && !session_end(s)->err.code)
		session_end(s)->err = *err;
	if (!session_end(s)->close_code)
		session_end(s)->close_code = 1006; /* RFC 6455, 7.1.5 */
	session_end(s)->was_open = s->was_open;
	if (s->was_open)
		session_end(s)->open_for = loop_now(s->loop) - s->opened;
	session_end(s)->partial = s->conn ? ws_conn_partial(s->conn) : 0;
	count_lost(s);
	loop_passed(s->loop, session_end(s)->partial);
	s->state = DONE;
	stop_transport(s);
	loop_defer(s->loop, &s->turn_end);
}

void session_fail_at(struct session *s, enum err code, enum stage stage, const char *sentence)
{
	struct error err = ERROR_INIT;

	error_set(&err, code, "%s", sentence);
	err.stage = stage;
	session_finish(s, &err);
}

static void on_gone(struct session *s)
{
	if (!s->freed) {
		session_emit(
			s, (struct session_event){ .type = SESSION_ENDED, .end = session_end(s) });
		drop_stream(s);
		if (s->conn)
			ws_conn_retire(s->conn);
		return;
	}
	ws_conn_free(s->conn);
	if (s->redirected)
		url_deinit(s->redirected);
	free(s->redirected);
	if (s->refusal)
		buf_deinit(&s->refusal->body);
	free(s->refusal);
	bridge_conf_unref(s->conf);
	free(s->end);
	free(s->report);
	timer_deinit(&s->deadline);
	if (s->release)
		timer_deinit(&s->release->timer);
	free(s->release);
	free(s);
}

static void on_turn_end(void *arg)
{
	struct session *s = arg;

	if (s->state == DONE)
		on_gone(s);
	else
		session_write_out(s);
}

static void on_turn(void *arg)
{
	struct session *s = arg;

	s->way->began = loop_now(s->loop);
	session_begin(s);
}

struct session *session_new(const struct session_params *params)
{
	struct session *s = mem_zalloc(sizeof(*s));

	s->way = mem_zalloc(sizeof(*s->way));
	s->way->params = *params;
	s->cb = params->cb;
	s->arg = params->arg;
	s->tap = params->tap;
	s->handshake = -1;
	s->loop = params->loop;
	s->conf = bridge_conf_ref(params->conf);
	s->url = params->url;
	timer_init(&s->deadline, s->loop, session_on_deadline, s);
	deferred_init(&s->turn_end, on_turn_end, s);
	dialer_wait_turn(params->dialer, &s->way->turn, on_turn, s);
	return s;
}

void session_free(struct session *s)
{
	if (!s || s->freed)
		return;
	s->freed = true;
	s->state = DONE;
	stop_transport(s);
	drop_stream(s);
	loop_defer(s->loop, &s->turn_end);
}

void session_set_tap(struct session *s, const struct session_tap *tap)
{
	s->tap = tap;
}

bool session_wire(const struct session *s, struct ws_wire *wire)
{
	if (!s->conn || s->state == DONE)
		return false;
	ws_conn_wire(s->conn, wire);
	return true;
}

struct bridge_conf *session_conf(const struct session *s)
{
	return s->conf;
}

static void close_politely(struct session *s, int code, const char *reason)
{
	session_end(s)->ours = true;
	ws_conn_close(s->conn, code, span_str(reason));
	session_enter_closing(s, s->conf->common->timeouts.close);
	session_flush_later(s);
}

void session_close(struct session *s, int code, const char *reason)
{
	switch (s->state) {
	case WAITING_TURN:
	case READING_SECRETS:
	case DIALING:
	case UPGRADING:
	case REFUSED:
		session_fail_at(s, ERR_NOT_OPEN, STAGE_NONE, "closed before it was open");
		break;
	case SCRIPT:
		error_set(&session_end(s)->err, ERR_NOT_OPEN, "closed before it was open");
		close_politely(s, code, reason);
		break;
	case OPEN:
		close_politely(s, code, reason);
		break;
	case CLOSING:
	case DONE:
		break;
	}
}

void session_pause(struct session *s, bool paused)
{
	if (s->paused == paused)
		return;
	s->paused = paused;
	if (s->state != OPEN)
		return;
	if (paused)
		stream_pause(s->stream);
	else
		stream_resume(s->stream);
}

void session_abort(struct session *s, const struct error *why)
{
	bool in_order = s->state == CLOSING &&
			session_end(s)->clean; /* only the end of TCP is missing */

	session_finish(s, in_order ? NULL : why);
}

static const char no_memory[] = "no memory for a message to send";

/* Full and yet empty: there is no memory for this message, and no write would make room. */
static enum session_send_result full(struct session *s)
{
	if (ws_conn_output_len(s->conn) == 0)
		session_fail_at(s, ERR_INTERNAL, STAGE_NONE, no_memory);
	s->starved = true;
	return SESSION_FULL;
}

static void flush_soon(struct session *s)
{
	if (ws_conn_output_len(s->conn) >= FLUSH_AT && !s->starved)
		session_flush(s);
	else
		session_flush_later(s);
}

static enum session_send_result sent(struct session *s, enum ws_send_result r)
{
	switch (r) {
	case WS_NOT_OPEN:
		return SESSION_NOT_OPEN;
	case WS_FULL:
		return full(s);
	case WS_SENT:
		break;
	}
	flush_soon(s);
	return SESSION_SENT;
}

bool session_is_full(const struct session *s)
{
	return s->state == OPEN && ws_conn_output_len(s->conn) >= OUTPUT_HIGH;
}

/*
 * What the kernel takes at once is masked a part at a time, so that it is still in the
 * processor's cache when the kernel copies it, and the server can begin.
 */
static enum session_send_result send_in_parts(struct session *s, struct msg msg)
{
	size_t all = msg.data.n;
	enum ws_send_result r;

	while ((r = ws_conn_send_part(s->conn, &msg, PART)) == WS_SENT && msg.data.n > 0)
		session_flush(s);
	if (r == WS_FULL && msg.data.n < all)
		session_fail_at(s, ERR_INTERNAL, STAGE_NONE, no_memory);
	return sent(s, r);
}

enum session_send_result session_send(struct session *s, struct msg msg)
{
	if (s->state != OPEN)
		return SESSION_NOT_OPEN;
	if (session_is_full(s))
		return sent(s, WS_FULL);
	return send_in_parts(s, msg);
}

size_t session_send_run(struct session *s, const struct msg *msgs, size_t n)
{
	size_t done = 0, some = 1;

	while (done < n && some > 0 && s->state == OPEN && !session_is_full(s)) {
		size_t len = ws_conn_output_len(s->conn);

		some = ws_conn_send_run(s->conn, msgs + done, n - done,
					len < FLUSH_AT ? 2 * FLUSH_AT : OUTPUT_HIGH);
		done += some;
		flush_soon(s);
	}
	return done;
}

enum session_send_result session_ping(struct session *s, struct span payload)
{
	return s->state == OPEN ? sent(s, ws_conn_ping(s->conn, payload)) : SESSION_NOT_OPEN;
}

enum session_send_result session_pong(struct session *s, struct span payload)
{
	return s->state == OPEN ? sent(s, ws_conn_pong(s->conn, payload)) : SESSION_NOT_OPEN;
}

struct session_progress session_progress(const struct session *s)
{
	struct ws_progress p;

	if (!s->conn)
		return (struct session_progress){ 0 };
	p = ws_conn_progress(s->conn);
	return (struct session_progress){ .data_queued = p.data_queued,
					  .data_written = p.data_written,
					  .control_queued = p.control_queued,
					  .control_written = p.control_written };
}

bool session_acked(const struct session *s, uint64_t *written, uint64_t *acked)
{
	struct stream_acked a;

	if (!s->stream || !stream_get_acked(s->stream, &a))
		return false;
	*written = a.written;
	*acked = a.written - a.unacked;
	return true;
}

void session_details(const struct session *s, struct session_details *out)
{
	*out = (struct session_details){ .url = s->url, .handshake = s->handshake };
	if (s->refusal)
		out->body = buf_bytes(&s->refusal->body);
	out->report = s->report;
	if (s->stream && s->report)
		out->peer = s->report->peer;
	out->tls = s->report ? s->report->tls : NULL;
	if (!s->conn)
		return;
	out->subprotocol = ws_conn_subprotocol(s->conn);
	ws_conn_compression(s->conn, &out->compression);
	out->head = ws_conn_answer(s->conn);
}
