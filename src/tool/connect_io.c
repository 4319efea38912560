/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our side of a `connect`: standard input becomes messages, and what is to be
 * seen goes to standard output, and of a trace to standard error. Nothing here
 * blocks: see connect_pump.h. The trap: standard input is not touched before
 * the connection is open, for after a failure it belongs to whoever is next.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/url.h"
#include "base/utf8.h"
#include "conf/bridge_conf.h"
#include "net/stream.h"
#include "tool/connect_int.h"
#include "tool/connect_json.h"
#include "tool/connect_pump.h"
#include "tool/connect_term.h"

/* Beyond this nobody can be stopped any more: the server answers our Close with what it has. */
#define QUEUE_MAX ((size_t)256 << 20)

static void on_output(void *arg)
{
	connect_on_output(arg);
}

static void sink_init(struct connect *c, struct connect_sink *k, int fd)
{
	k->changed = on_output;
	k->arg = c;
	connect_sink_init(k, c->loop, fd, QUEUE_MAX + 4 * c->params->conf->common->max_message);
}

static void open_output(struct connect *c)
{
	int shown;

	c->typed = -1;
	if (!c->params->raw && !c->params->stream && !c->params->json && connect_term_possible())
		c->term = connect_term_new(&c->typed, &shown);
	else
		c->out_pump = connect_pump_new(STDOUT_FILENO, PUMP_OUT, &shown);
	sink_init(c, &c->out, shown);
	if (c->term || c->params->verbose < 2)
		return;
	c->log_pump = connect_pump_new(STDERR_FILENO, PUMP_OUT, &shown);
	sink_init(c, &c->log, shown);
}

/* What has no room is lost: the session is in the middle of something. */
static void put_trace(void *arg, struct span lines)
{
	struct connect *c = arg;

	(void)connect_sink_put(c->term ? &c->out : &c->log, lines);
}

static void begin_trace(struct connect *c)
{
	const struct link_tracer to = {
		.budget = &c->trace,
		.plain = true,
		.lines = put_trace,
		.arg = c,
	};

	c->trace.room = SIZE_MAX;
	link_trace(c->link, &to);
}

void connect_io_init(struct connect *c)
{
	const struct connect_params *p = c->params;

	open_output(c);
	if (p->verbose >= 2)
		begin_trace(c);
	connect_records_init(&c->records, p->stream);
	c->style = (struct connect_style){
		.stream = p->stream,
		.visible = !p->raw && !p->stream && isatty(STDOUT_FILENO),
		.marked = c->term != NULL,
		.types = p->verbose > 0,
		.timings = p->timings,
	};
}

void connect_io_deinit(struct connect *c)
{
	int os;

	connect_io_stop_input(c);
	if (c->typed >= 0)
		close(c->typed);
	connect_sink_deinit(&c->out);
	connect_sink_deinit(&c->log);
	connect_pump_free(c->in_pump);
	connect_pump_free(c->log_pump);
	os = connect_pump_free(c->out_pump);
	c->unread = os == EPIPE;
	if (os)
		error_set_os(&c->err, ERR_INTERNAL, os, "standard output");
	connect_term_free(c->term);
	connect_records_deinit(&c->records);
}

/* good: `line` is whole. It is taken. */
static void put_line(struct connect *c, struct buf *line, bool good)
{
	if (!good)
		connect_fail(c, ERR_INTERNAL, "no memory for a message");
	else if (!connect_sink_put(&c->out, buf_bytes(line)))
		connect_fail(c, ERR_OVERFLOW, "standard output is too slow");
	buf_deinit(line);
}

/* An escaped byte takes six. */
static void put_json(struct connect *c, json_t *v, size_t n)
{
	struct timespec now;
	struct buf line;

	clock_gettime(CLOCK_REALTIME, &now);
	buf_init(&line, QUEUE_MAX + 6 * n);
	put_line(c, &line,
		 connect_json_put(v, (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000,
				  c->style.visible, &line));
}

void connect_io_tell_open(struct connect *c, const struct link_info *info)
{
	mem_auto_str url = url_format(info->details.url);

	if (c->params->json)
		put_json(c, connect_json_open(url, info->details.subprotocol), 0);
}

void connect_io_tell_end(struct connect *c, const struct session_end *end)
{
	if (c->params->json && (end->was_open || end->clean))
		put_json(c, connect_json_close(end), 0);
}

void connect_io_show(struct connect *c, enum connect_kind kind, struct msg msg)
{
	bool is_message = kind == CONNECT_TEXT || kind == CONNECT_BINARY;
	struct connect_item item = {
		.kind = kind,
		.data = msg.data,
		.more = msg.more,
		.goes_on = is_message && c->goes_on,
		.at = loop_now(c->loop) - c->began,
	};
	struct buf line;

	if (c->params->json) {
		if (kind != CONNECT_CLOSE && kind != CONNECT_NOTE)
			put_json(c, connect_json_payload(kind, msg), msg.data.n);
		return;
	}
	if (!connect_show_wants(&c->style, kind))
		return;
	if (is_message)
		c->goes_on = msg.more;
	buf_init(&line, QUEUE_MAX + 4 * msg.data.n);
	put_line(c, &line, connect_show(&c->style, &item, &line));
}

static void refuse(struct connect *c, const char *sentence)
{
	mem_auto_str text = mem_printf("line %zu of standard input %s", c->records.number,
				       sentence);

	if (c->term)
		connect_io_show(c, CONNECT_NOTE, (struct msg){ .data = span_str(text) });
	else
		connect_fail(c, ERR_PAYLOAD, text);
}

/* False: no room for it, or no connection. */
static bool send_record(struct connect *c, struct span record)
{
	bool binary = c->params->binary || c->params->stream;
	struct msg msg = { .type = binary ? MSG_BINARY : MSG_TEXT, .data = record };

	if (!binary && !utf8_valid(record))
		refuse(c, "is not valid UTF-8 (--binary sends bytes as they are)");
	else if (link_send(c->link, msg) != LINK_SENT)
		return false;
	connect_records_done(&c->records);
	return true;
}

static void send_records(struct connect *c)
{
	struct span record;

	while (!c->closing) {
		switch (connect_records_next(&c->records, &record)) {
		case RECORD_NONE:
			if (c->records.ended)
				connect_on_input_end(c);
			else
				stream_resume(c->in);
			return;
		case RECORD_TOO_LONG:
			connect_fail(c, ERR_OVERFLOW, "a line of standard input is too long");
			return;
		case RECORD_READY:
			if (!send_record(c, record))
				return;
			break;
		}
	}
}

static void on_input(void *arg, enum stream_event event, struct span data, const struct error *err)
{
	struct connect *c = arg;

	(void)err;
	switch (event) {
	case STREAM_WRITABLE:
		return;
	case STREAM_DATA:
		stream_pause(c->in); /* until all of it is sent */
		if (!connect_records_feed(&c->records, data)) {
			connect_fail(c, ERR_INTERNAL, "no memory for standard input");
			return;
		}
		break;
	case STREAM_EOF:
	case STREAM_FAILED:
		connect_io_stop_input(c);
		connect_records_end(&c->records);
		break;
	}
	send_records(c);
}

static void start_input(struct connect *c)
{
	int fd = c->typed;

	if (fd < 0)
		c->in_pump = connect_pump_new(STDIN_FILENO, PUMP_IN, &fd);
	c->typed = -1;
	c->in = fd_stream_new(c->loop, fd);
	stream_attach(c->in, on_input, c);
}

static bool send_texts(struct connect *c)
{
	const struct connect_params *p = c->params;

	for (; c->n_texts_sent < p->n_texts; c->n_texts_sent++) {
		struct msg msg = { .data = span_str(p->texts[c->n_texts_sent]) };

		if (link_send(c->link, msg) != LINK_SENT)
			return false;
	}
	return true;
}

void connect_io_send(struct connect *c)
{
	if (c->closing || c->input_over || !send_texts(c))
		return;
	if (!c->in && !c->records.ended)
		start_input(c);
	else
		send_records(c);
}

void connect_io_stop_input(struct connect *c)
{
	stream_free(c->in);
	c->in = NULL;
}

void connect_io_finish(struct connect *c)
{
	connect_sink_finish(&c->out);
	if (c->log_pump)
		connect_sink_finish(&c->log);
}

bool connect_io_is_full(const struct connect *c)
{
	return connect_sink_is_full(&c->out) || connect_sink_is_full(&c->log);
}

bool connect_io_is_over(const struct connect *c)
{
	return c->out.ended && (!c->log_pump || c->log.ended);
}

bool connect_io_is_broken(const struct connect *c)
{
	return c->out.ended && !c->out.finishing;
}
