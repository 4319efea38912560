/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the upgrade to the open connection: the steps of on_open, performed
 * (script.h is the thinking). timeouts.open goes on over them; a step that
 * fails closes the connection, and the attempt has failed.
 */
#include "link/script.h"
#include "link/secrets.h"
#include "link/session_int.h"
#include "ws/conn.h"

/* The server did nothing that RFC 6455 has a code for: it is a Close in order (7.4.1). */
static void end_with(struct session *s, const struct error *err)
{
	session_end(s)->err = *err;
	session_end(s)->ours = true;
	ws_conn_close(s->conn, 1000, span_str(""));
	session_enter_closing(s, s->conf->common->timeouts.close);
	session_flush_later(s);
}

static void fail(struct session *s, enum err code, const char *sentence)
{
	struct error err = ERROR_INIT;

	error_set(&err, code, "%s", sentence);
	err.stage = STAGE_OPEN;
	end_with(s, &err);
}

static void enter_open(struct session *s)
{
	s->state = OPEN;
	s->opened = loop_now(s->loop);
	s->was_open = true;
	timer_disarm(&s->deadline);
	session_leave_way(s);
	if (s->paused)
		stream_pause(s->stream);
	session_emit(s, (struct session_event){ .type = SESSION_OPENED });
}

static void wait(struct session *s)
{
	int64_t due = script_due(s->way->script), left = due - loop_now(s->loop);

	session_arm_deadline(s, left > 0 ? left : 1);
}

void session_script_run(struct session *s)
{
	struct error err = ERROR_INIT;
	enum script_do what;
	struct msg msg;

	while ((what = script_next(s->way->script, loop_now(s->loop), &msg, &err)) == SCRIPT_SEND) {
		if (ws_conn_send(s->conn, msg) == WS_SENT)
			continue;
		fail(s, ERR_OVERFLOW, "on_open: the messages do not fit the output queue");
		return;
	}
	session_flush_later(s);
	switch (what) {
	case SCRIPT_SEND:
		break;
	case SCRIPT_WAIT:
		if (session_open_left(s) > 0)
			wait(s);
		else
			fail(s, ERR_TIMEOUT,
			     "on_open: the steps were not done within timeouts.open");
		break;
	case SCRIPT_DONE:
		enter_open(s);
		break;
	case SCRIPT_FAILED:
		end_with(s, &err);
		break;
	}
}

bool session_script_hear(struct session *s, struct msg msg)
{
	return script_hear(s->way->script, loop_now(s->loop), msg);
}

void session_script_begin(struct session *s)
{
	s->state = SCRIPT;
	s->upgraded = true;
	timer_disarm(&s->deadline);
	session_on_answer(s);
	ws_conn_settle(s->conn);
	s->way->script = script_new(s->conf, secrets_values(s->way->secrets)->steps);
	session_emit(s, (struct session_event){ .type = SESSION_UPGRADED });
	if (s->state == SCRIPT)
		session_script_run(s);
}
