/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The data path of a session: bytes from the stream through ws_conn to the
 * owner, and ws_conn's output to the stream. What ends a session is told to
 * session.c. Its trap: while messages are delivered the owner may close the
 * session, so the state is looked at again after every callback.
 */
#include "base/escape.h"
#include "base/mem.h"
#include "link/session_int.h"
#include "net/stream.h"
#include "ws/conn.h"

/* For the server to take our Close after it has broken the protocol. */
#define FAILED_LINGER ((int64_t)1000000)
#define RUN_MAX 128 /* messages that go up together */

void session_emit(struct session *s, struct session_event ev)
{
	if (!s->freed)
		s->cb(s->arg, &ev);
}

void session_flush_later(struct session *s)
{
	if (s->state != DONE) /* its end is not told twice */
		loop_defer(s->loop, &s->turn_end);
}

static void tap_sent(const struct session_tap *tap, const struct iovec *iov, size_t n)
{
	for (; n > 0; iov++) {
		size_t part = iov->iov_len < n ? iov->iov_len : n;

		if (part > 0)
			tap->pass(tap->arg, true, span_of(iov->iov_base, part));
		n -= part;
	}
}

void session_flush(struct session *s)
{
	struct iovec iov[WS_OUTPUT_IOV];
	size_t wrote, offered = 0;
	int n;

	if (!s->stream || s->state == DONE || s->stalled)
		return;
	n = ws_conn_output(s->conn, iov);
	for (int i = 0; i < n; i++)
		offered += iov[i].iov_len;
	if (offered == 0)
		return;
	loop_passed(s->loop, offered);
	wrote = stream_offer(s->stream, iov, n);
	s->stalled = wrote < offered;
	if (s->tap)
		tap_sent(s->tap, iov, wrote);
	ws_conn_wrote(s->conn, wrote);
	if (wrote == offered && (ws_conn_wants(s->conn) & WS_WANT_WRITE))
		session_flush_later(s); /* a Pong had to wait for those before it to leave */
	if (wrote == 0)
		return;
	s->starved = s->starved && ws_conn_output_len(s->conn) >= OUTPUT_HIGH / 2;
	s->written = true;
	session_watch_memory(s);
	session_flush_later(
		s); /* the owner hears of it from the loop, not from inside its own call */
}

static void on_release(void *arg)
{
	struct session *s = arg;

	if (ws_conn_memory_uses(s->conn) == s->release->packed) {
		ws_conn_release(s->conn);
		s->release->released = s->release->packed;
	}
	session_watch_memory(s);
}

static struct session_release *new_release(struct session *s)
{
	struct session_release *r = mem_zalloc(sizeof(*r));

	timer_init(&r->timer, s->loop, on_release, s);
	return r;
}

void session_watch_memory(struct session *s)
{
	struct session_release *r = s->release;
	uint64_t uses = ws_conn_memory_uses(s->conn);

	if (s->conf->common->compression.release_after == 0 || uses == (r ? r->released : 0))
		return;
	if (!r)
		r = s->release = new_release(s);
	if (timer_is_armed(&r->timer))
		return;
	r->packed = uses;
	timer_arm(&r->timer, s->conf->common->compression.release_after);
}

void session_write_out(struct session *s)
{
	session_flush(s);
	if (!s->written)
		return;
	s->written = false;
	session_emit(s, (struct session_event){ .type = SESSION_WRITTEN, .room = !s->starved });
}

/*
 * What remains is to wait for the server, which is the one to close TCP first
 * (RFC 6455, 7.1.1), for a bounded time.
 */
void session_enter_closing(struct session *s, int64_t wait)
{
	if (s->state == CLOSING)
		return;
	if (s->paused && s->state == OPEN)
		stream_resume(s->stream); /* or the server's Close would not be seen */
	s->state = CLOSING;
	session_leave_way(s);
	timer_arm(&s->deadline, wait);
}

/* Before it is open, a Close is the answer to a step of on_open. */
static void note_early_close(struct session *s)
{
	struct error *err = &session_end(s)->err;

	error_set(err, ERR_NOT_OPEN,
		  "the server closed the connection before the steps of on_open were done (%d "
		  "\"%s\")",
		  session_end(s)->close_code, session_end(s)->reason);
	err->stage = STAGE_OPEN;
	err->close_code = session_end(s)->close_code;
}

static void on_close_frame(struct session *s, const struct ws_event *ev)
{
	session_end(s)->close_code = ev->close_code;
	session_end(s)->clean = true;
	escape_text(session_end(s)->reason, sizeof(session_end(s)->reason), ev->payload);
	if (s->state == SCRIPT)
		note_early_close(s);
	session_enter_closing(s, s->conf->common->timeouts.close);
}

/*
 * The Close frame with our verdict is in the output (RFC 6455, 7.1.7). What the
 * server still sends is read and thrown away for a moment: closing at once
 * would make the kernel reset the connection, and the frame could be lost.
 */
static void on_conn_failed(struct session *s, struct span body)
{
	if (!session_end(s)->err.code) /* a step that failed before stays the reason */
		session_end(s)->err = *ws_conn_error(s->conn);
	session_flush(s);
	if (!s->upgraded) {
		session_on_refused(s, body);
		return;
	}
	if (s->state == SCRIPT)
		session_end(s)->err.stage = STAGE_OPEN;
	if (ws_conn_output_len(s->conn) == 0)
		stream_shutdown(s->stream);
	session_enter_closing(s, FAILED_LINGER);
	timer_arm(&s->deadline, FAILED_LINGER); /* also of a close handshake that was under way */
}

/* The owner may have closed it, or given it up, when the call returns. */
static void on_message(struct session *s, struct msg msg)
{
	loop_passed(s->loop, msg.data.n);
	if (s->state == SCRIPT ? session_script_hear(s, msg) : s->was_open)
		session_emit(s, (struct session_event){
					.type = SESSION_MESSAGES, .msgs = &msg, .n_msgs = 1 });
	if (s->state == SCRIPT)
		session_script_run(s);
}

static void on_event(struct session *s, const struct ws_event *ev)
{
	switch (ev->type) {
	case WS_NONE:
		break;
	case WS_UPGRADED:
		session_script_begin(s);
		break;
	case WS_MESSAGE:
		on_message(s, ev->msg);
		break;
	case WS_PING:
		session_emit(
			s, (struct session_event){ .type = SESSION_PING, .payload = ev->payload });
		break;
	case WS_PONG:
		session_emit(
			s, (struct session_event){ .type = SESSION_PONG, .payload = ev->payload });
		break;
	case WS_CLOSE:
		on_close_frame(s, ev);
		break;
	case WS_FAILED:
		on_conn_failed(s, ev->payload);
		break;
	}
}

/* While it is open, messages go up as many at a time as there are. */
static bool on_run(struct session *s)
{
	struct msg msgs[RUN_MAX] __attribute__((uninitialized)); /* not zeroed for each call */
	size_t n = s->state == OPEN ? ws_conn_run(s->conn, msgs, RUN_MAX) : 0;

	if (n > 0)
		session_emit(s, (struct session_event){
					.type = SESSION_MESSAGES, .msgs = msgs, .n_msgs = n });
	return n > 0;
}

static void deliver(struct session *s, struct ws_conn *conn)
{
	struct ws_event ev;

	while (s->state != DONE && s->conn == conn) {
		if (on_run(s))
			continue;
		if (ws_conn_next(conn, &ev) == WS_NONE)
			break;
		on_event(s, &ev);
	}
}

static void on_data(struct session *s, struct span data)
{
	struct ws_conn *conn = s->conn;
	uint64_t frames = ws_conn_frames(conn);

	if (s->tap)
		s->tap->pass(s->tap->arg, false, data);
	if (s->state == REFUSED) {
		session_on_body(s, data);
		return;
	}
	ws_conn_feed(conn, data);
	deliver(s, conn);
	if (s->state == DONE || s->state == REFUSED || s->conn != conn)
		return; /* over, or as good as over, or on the way to where a redirect leads */
	session_emit(s, (struct session_event){ .type = SESSION_TURN,
						.heard = ws_conn_frames(conn) != frames });
	if (s->state == DONE)
		return;
	session_watch_memory(s);
	if (ws_conn_wants(s->conn) & WS_WANT_WRITE)
		session_flush_later(s);
}

static void on_eof(struct session *s)
{
	switch (s->state) {
	case WAITING_TURN:
	case READING_SECRETS:
	case DIALING:
	case DONE:
		break;
	case REFUSED:
		session_finish(s, NULL);
		break;
	case UPGRADING:
		session_fail_at(
			s, ERR_CONNECT, STAGE_HANDSHAKE,
			"the server closed the connection before it answered the handshake");
		break;
	case SCRIPT:
	case OPEN:
		session_fail_at(s, ERR_NOT_OPEN, s->state == SCRIPT ? STAGE_OPEN : STAGE_NONE,
				"the server ended the connection without a Close frame");
		break;
	case CLOSING:
		if (session_end(s)->clean)
			session_finish(s, NULL);
		else
			session_fail_at(s, ERR_NOT_OPEN, STAGE_NONE,
					"the server ended the connection without answering the "
					"Close frame");
		break;
	}
}

static void on_stream_failed(struct session *s, const struct error *cause)
{
	struct error err = *cause;

	if (s->state == REFUSED || (s->state == CLOSING && session_end(s)->clean)) {
		session_finish(s, NULL); /* some servers reset instead of closing */
		return;
	}
	if (s->state == UPGRADING) {
		err.stage = STAGE_HANDSHAKE;
	} else {
		err.code = ERR_NOT_OPEN;
		if (s->state == SCRIPT)
			err.stage = STAGE_OPEN;
		error_context(&err, "connection lost");
	}
	session_finish(s, &err);
}

void session_on_stream(void *arg, enum stream_event event, struct span data,
		       const struct error *err)
{
	struct session *s = arg;

	switch (event) {
	case STREAM_DATA:
		on_data(s, data);
		break;
	case STREAM_WRITABLE:
		s->stalled = false;
		session_write_out(s);
		break;
	case STREAM_EOF:
		on_eof(s);
		break;
	case STREAM_FAILED:
		on_stream_failed(s, err);
		break;
	}
}
