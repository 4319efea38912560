/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See connect.h: the one connection of a `connect`, why it ends, and what that
 * means. It is a link that is used once, so it pings and waits as a bridge
 * does. The trap: after the connection has ended, what it has brought may
 * still be on its way to standard output.
 */
#include "tool/connect.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/url.h"
#include "conf/bridge_conf.h"
#include "net/dial.h"
#include "tool/connect_int.h"
#include "tool/connect_term.h"
#include "ws/close.h"

#define SIGNALS_APART ((int64_t)300000)

static void note(struct connect *c, const char *text)
{
	connect_io_show(c, CONNECT_NOTE, (struct msg){ .data = span_str(text) });
}

void connect_close(struct connect *c)
{
	if (c->closing)
		return;
	c->closing = true;
	timer_disarm(&c->eof_wait);
	connect_io_stop_input(c);
	link_stop(c->link, CLOSE_NORMAL, "");
}

void connect_fail(struct connect *c, enum err code, const char *sentence)
{
	if (!c->err.code)
		error_set(&c->err, code, "%s", sentence);
	connect_close(c);
}

static bool has_enough(const struct connect *c)
{
	return c->received >= c->params->messages;
}

/* False, with the error set: fewer messages have come than were asked for. */
static bool check_enough(struct connect *c, enum err code, const char *why)
{
	if (has_enough(c) || c->err.code)
		return true;
	return error_set(&c->err, code, "%s after %" PRIu64 " of %" PRIu64 " messages", why,
			 c->received, c->params->messages);
}

/*
 * What was handed to the link has time to leave: only then the Close, for which timeouts.close
 * counts.
 */
static void close_when_written(struct connect *c)
{
	struct session_progress p = link_progress(c->link);

	c->to_close = true;
	if (p.data_written >= p.data_queued)
		connect_close(c);
}

static void on_eof_wait(void *arg)
{
	struct connect *c = arg;

	check_enough(c, ERR_TIMEOUT, "--eof-wait was over");
	close_when_written(c);
}

void connect_on_input_end(struct connect *c)
{
	const struct connect_params *p = c->params;

	if (c->input_over)
		return;
	c->input_over = true;
	if (p->has_eof_wait && p->eof_wait != CONNECT_FOREVER)
		timer_arm(&c->eof_wait, p->eof_wait);
	else if (!p->has_eof_wait && !p->messages)
		timer_arm(&c->eof_wait, c->term ? 0 : CONNECT_EOF_WAIT);
}

static void end_if_over(struct connect *c)
{
	if (c->ended && connect_io_is_over(c))
		loop_stop(c->loop);
}

void connect_on_output(struct connect *c)
{
	if (!c->ended && connect_io_is_broken(c))
		connect_close(c);
	if (!c->ended)
		link_pause(c->link, connect_io_is_full(c));
	end_if_over(c);
}

static void on_state(struct connect *c)
{
	mem_auto_str url = NULL;
	mem_auto_str text = NULL;
	struct link_info info;

	if (!link_is_open(c->link))
		return;
	link_info(c->link, &info);
	url = url_format(info.details.url);
	text = mem_printf("connected to %s; Ctrl-D closes", url);
	note(c, text);
	connect_io_tell_open(c, &info);
	connect_io_send(c);
}

static void on_message(struct connect *c, struct msg msg)
{
	if (c->params->messages && has_enough(c))
		return;
	connect_io_show(c, msg.type == MSG_TEXT ? CONNECT_TEXT : CONNECT_BINARY, msg);
	c->received += !msg.more;
	if (c->params->messages && has_enough(c))
		connect_close(c);
	else if (connect_io_is_full(c))
		link_pause(c->link, true);
}

static void show_control(struct connect *c, enum connect_kind kind, struct span payload)
{
	connect_io_show(c, kind, (struct msg){ .data = payload });
}

static void on_drained(struct connect *c)
{
	if (c->to_close)
		close_when_written(c);
	else if (link_is_open(c->link)) /* the handshake is written, too */
		connect_io_send(c);
}

/* Did the server end it in a way that nobody has to hear of? */
static bool is_normal(const struct session_end *end)
{
	return end->close_code == CLOSE_NORMAL || end->close_code == CLOSE_NONE;
}

static void judge(struct connect *c, const struct session_end *end)
{
	bool done = c->params->messages && has_enough(c);

	if (c->err.code || (done && end->was_open))
		return;
	c->err = end->err;
	if (c->interrupted && !end->was_open)
		error_set(&c->err, ERR_NOT_OPEN, "interrupted before it was open");
	if (c->err.code)
		return;
	if (c->interrupted) {
		check_enough(c, ERR_NOT_OPEN, "interrupted");
	} else if (!c->closing && !is_normal(end)) {
		error_set(&c->err, ERR_NOT_OPEN, "the server closed the connection: %d%s%s",
			  end->close_code, *end->reason ? " " : "", end->reason);
		c->err.close_code = end->close_code;
	} else {
		check_enough(c, ERR_NOT_OPEN, "the server closed the connection");
	}
}

static void on_ended(struct connect *c, const struct session_end *end)
{
	mem_auto_str text = mem_printf("%d%s%s", end->close_code, *end->reason ? " " : "",
				       end->reason);

	judge(c, end);
	c->closing = c->ended = true;
	if (end->clean)
		show_control(c, CONNECT_CLOSE, span_str(text));
	connect_io_tell_end(c, end);
	timer_disarm(&c->eof_wait);
	connect_io_stop_input(c);
	connect_io_finish(c);
	end_if_over(c);
}

static void on_link(void *arg, const struct link_event *event)
{
	struct connect *c = arg;

	switch (event->type) {
	case LINK_STATE:
		on_state(c);
		break;
	case LINK_MESSAGES:
		for (size_t i = 0; i < event->n_msgs; i++)
			on_message(c, event->msgs[i]);
		break;
	case LINK_PING:
		show_control(c, CONNECT_PING, event->payload);
		break;
	case LINK_PONG:
		show_control(c, CONNECT_PONG, event->payload);
		break;
	case LINK_TURN:
		break;
	case LINK_DRAINED:
		on_drained(c);
		break;
	case LINK_ENDED:
		on_ended(c, event->end);
		break;
	}
}

/*
 * The first one asks; whoever sends a second one does not want to wait. timeout(1) sends two at
 * once, and means one.
 */
static void on_signal(void *arg)
{
	struct connect *c = arg;
	int64_t now = loop_now(c->loop);

	if (c->interrupted && now - c->interrupted_at < SIGNALS_APART)
		return;
	if (!c->interrupted && !c->ended) {
		c->interrupted = true;
		c->interrupted_at = now;
		connect_close(c);
		return;
	}
	if (!c->err.code)
		error_set(&c->err, ERR_NOT_OPEN, "interrupted");
	loop_stop(c->loop);
}

static void on_continue(void *arg)
{
	struct connect *c = arg;

	if (c->term)
		connect_term_go_on(c->term);
}

static void run(struct connect *c, struct dialer *dialer)
{
	struct link_params params = {
		.loop = c->loop,
		.dialer = dialer,
		.rand = rand_system(),
		.conf = c->params->conf,
		.object = "connection",
		.once = true,
		.cb = on_link,
		.arg = c,
	};

	loop_on_signal(c->loop, SIGINT, on_signal, c);
	loop_on_signal(c->loop, SIGTERM, on_signal, c);
	loop_on_signal(c->loop, SIGCONT, on_continue, c);
	timer_init(&c->eof_wait, c->loop, on_eof_wait, c);
	c->began = loop_now(c->loop);
	c->link = link_new(&params);
	connect_io_init(c);
	link_start(c->link);
	loop_run(c->loop);
	link_free(c->link);
	connect_io_deinit(c);
	timer_deinit(&c->eof_wait);
	loop_drain(c->loop);
}

bool connect_run(const struct connect_params *params, struct error *err)
{
	struct connect c = { .params = params };
	struct dialer *dialer;

	c.loop = loop_new();
	dialer = dialer_new(c.loop);
	log_set_level(LOG_LEVEL_ERROR); /* what a link logs, the exit tells */
	run(&c, dialer);
	dialer_free(dialer);
	loop_free(c.loop);
	if (c.unread)
		raise(SIGPIPE); /* as every filter ends; if that is ignored, *err says it */
	if (c.err.code)
		*err = c.err;
	return c.err.code == ERR_NONE;
}
