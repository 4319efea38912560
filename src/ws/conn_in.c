/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What comes: the response, then frames, into events. The order of things in
 * one message is frame → (inflate) → assemble. The trap: a frame counts, and a
 * control frame is an event, only when the last byte of its payload is there.
 */
#include <assert.h>

#include "base/http_head.h"
#include "ws/close.h"
#include "ws/conn_int.h"
#include "ws/limits.h"
#include "ws/run.h"

/* The last event. RFC 6455, 7.1.7 */
static enum ws_event_type fail(struct ws_conn *c, const struct error *why)
{
	error_keep(&c->err, why);
	if (c->state != CONN_OPEN || !conn_put_close(c, why->close_code, span_of(NULL, 0)))
		c->err->close_code = 0;
	c->state = CONN_FAILED;
	c->pong_pending = false;
	c->in = span_of(NULL, 0);
	return WS_FAILED;
}

static void open_conn(struct ws_conn *c)
{
	const struct ws_deflate *agreed = &c->upgrade->deflate;

	c->state = CONN_OPEN;
	buf_trim(&c->out.data);
	c->decoder.deflate = agreed->on;
	if (agreed->on) {
		inflater_init(&c->packing->inflate, agreed);
		deflater_start(&c->packing->deflate, agreed);
		return;
	}
	conn_drop_packing(c);
	if (!c->upgrade->chosen)
		conn_drop_upgrade(c);
}

static enum ws_event_type next_in_handshake(struct ws_conn *c, struct ws_event *ev)
{
	struct error err = ERROR_INIT;

	while (c->in.n > 0) {
		enum http_head_result got = http_head_feed(c->head, &c->in, &err);

		if (got == HTTP_HEAD_MORE)
			return WS_NONE;
		if (got == HTTP_HEAD_BAD) {
			err.stage = STAGE_HANDSHAKE;
			return fail(c, &err);
		}
		switch (upgrade_judge(c->upgrade, c->head, &err)) {
		case UPGRADE_ACCEPTED:
			open_conn(c);
			return WS_UPGRADED;
		case UPGRADE_INTERIM:
			http_head_deinit(c->head);
			http_head_init(c->head);
			break;
		case UPGRADE_REFUSED:
			ev->payload = c->in; /* what follows the head: the beginning of the body */
			return fail(c, &err);
		}
	}
	return WS_NONE;
}

static enum ws_event_type on_close(struct ws_conn *c, struct span body, struct ws_event *ev)
{
	struct error err;

	if (!close_decode(body, &ev->close_code, &ev->payload, &err))
		return fail(c, &err);
	if (c->state == CONN_OPEN) /* RFC 6455, 5.5.1: the same code back */
		conn_put_close(c, ev->close_code == CLOSE_NONE ? 0 : ev->close_code,
			       span_of(NULL, 0));
	c->state = CONN_CLOSED;
	c->pong_pending = false;
	c->in = span_of(NULL, 0);
	return WS_CLOSE;
}

static enum ws_event_type on_control(struct ws_conn *c, struct span payload, struct ws_event *ev)
{
	if (c->frame.opcode == FRAME_CLOSE)
		return on_close(c, payload, ev);
	ev->payload = payload;
	if (c->frame.opcode == FRAME_PONG)
		return WS_PONG;
	conn_pong(c, payload);
	return WS_PING;
}

/* A piece of a control frame's payload; the frame counts when it is whole. */
static enum ws_event_type take_control(struct ws_conn *c, struct span piece, struct ws_event *ev)
{
	if (c->in_frame || c->control_len > 0) {
		uint8_t *held = conn_held(c)->piece;

		if (piece.n > 0)
			memcpy(held + c->control_len, piece.p, piece.n);
		c->control_len += piece.n;
		piece = span_of(held, c->control_len);
	}
	if (c->in_frame)
		return WS_NONE;
	c->control_len = 0;
	return on_control(c, piece, ev);
}

static enum assemble_result feed_data(struct ws_conn *c, struct span piece, struct msg *msg,
				      struct error *err)
{
	if (!c->assemble.compressed)
		return assemble_feed(&c->assemble, piece, !c->in_frame, msg, err);
	return inflater_feed(&c->packing->inflate, &c->assemble,
			     (struct inflate_piece){ piece, !c->in_frame }, msg, err);
}

static enum ws_event_type take_data(struct ws_conn *c, struct span piece, struct ws_event *ev)
{
	struct error err;

	switch (feed_data(c, piece, &ev->msg, &err)) {
	case ASSEMBLE_MORE:
		return WS_NONE;
	case ASSEMBLE_MESSAGE:
		return WS_MESSAGE;
	case ASSEMBLE_BAD:
		break;
	}
	return fail(c, &err);
}

/* False: the header is not complete, or *type is WS_FAILED. */
static bool take_header(struct ws_conn *c, enum ws_event_type *type)
{
	const char *why = NULL;
	struct error err;

	switch (frame_decode(&c->decoder, &c->in, &c->frame, &why)) {
	case FRAME_MORE:
		return false;
	case FRAME_BAD:
		error_set(&err, ERR_PROTOCOL, "%s", why);
		err.close_code = CLOSE_PROTOCOL;
		*type = fail(c, &err);
		return false;
	case FRAME_DONE:
		break;
	}
	if (!frame_is_control(c->frame.opcode) && !assemble_begin(&c->assemble, &c->frame, &err)) {
		*type = fail(c, &err);
		return false;
	}
	c->left = c->frame.len;
	c->in_frame = true;
	return true;
}

static struct span take_payload(struct ws_conn *c)
{
	size_t n = c->left < c->in.n ? (size_t)c->left : c->in.n;
	struct span piece = span_of(c->in.p, n);

	c->in = span_skip(c->in, n);
	c->left -= n;
	c->in_frame = c->left > 0;
	return piece;
}

static enum ws_event_type next_frame(struct ws_conn *c, struct ws_event *ev)
{
	enum ws_event_type type = WS_NONE;

	while (type == WS_NONE && c->in.n > 0) {
		struct span piece;

		if (!c->in_frame && !take_header(c, &type))
			break;
		piece = take_payload(c);
		c->frames += !c->in_frame;
		if (frame_is_control(c->frame.opcode))
			type = take_control(c, piece, ev);
		else
			type = take_data(c, piece, ev);
	}
	return type;
}

enum ws_event_type ws_conn_next(struct ws_conn *c, struct ws_event *ev)
{
	*ev = (struct ws_event){ .type = WS_NONE };
	assemble_release(&c->assemble);
	switch (c->state) {
	case CONN_HANDSHAKE:
		ev->type = next_in_handshake(c, ev);
		break;
	case CONN_OPEN:
	case CONN_CLOSING:
		ev->type = next_frame(c, ev);
		break;
	case CONN_CLOSED:
	case CONN_FAILED:
	case CONN_RETIRED:
		break;
	}
	return ev->type;
}

size_t ws_conn_run(struct ws_conn *c, struct msg *msgs, size_t max)
{
	struct run_rules rules = { .max_message = c->assemble.bytes.cap,
				   .validate_utf8 = c->assemble.validate_utf8 };
	bool between = !c->in_frame && c->decoder.have == 0 && c->assemble.fragments == 0;
	size_t n;

	if (!between || (c->state != CONN_OPEN && c->state != CONN_CLOSING))
		return 0;
	assemble_release(&c->assemble);
	n = run_take(&rules, &c->in, msgs, max);
	c->frames += n;
	return n;
}
