/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conversation: it holds the order of things (handshake, frames, the two
 * Closes) and leaves each form of bytes to the file that knows it. It does not
 * know time, so it does not decide when a silent peer is dead. Owned by the
 * session. The trap: a peer that sends Pings and reads nothing must not make
 * the output grow, so only a few Pongs stand there at a time and of the others
 * the newest is kept.
 */
#include "ws/conn.h"

#include <assert.h>
#include <stdlib.h>

#include "base/http_head.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/utf8.h"
#include "ws/assemble.h"
#include "ws/close.h"
#include "ws/frame.h"
#include "ws/limits.h"
#include "ws/output.h"
#include "ws/upgrade.h"

enum conn_state {
	CONN_HANDSHAKE,
	CONN_OPEN,
	CONN_CLOSING, /* our Close is queued, the peer's has not come */
	CONN_CLOSED,  /* the peer's Close has come, and ours is queued */
	CONN_FAILED,
	CONN_RETIRED,
};

struct ws_conn {
	enum conn_state state;
	bool in_frame;	   /* `frame` is known and `left` bytes of its payload are not */
	bool pong_pending; /* `pong` waits to be queued */
	bool in_message;   /* the last message sent was a fragment, and not the last one */
	struct span in;	   /* of the fed bytes, what is not used up */
	struct frame_decoder decoder;
	struct frame_header frame;
	uint64_t left;
	uint64_t frames; /* complete ones */
	struct assemble assemble;
	struct output out;
	size_t max_output;
	uint64_t pong_end; /* out.urgent_queued behind our last automatic Pong */
	size_t pongs;	   /* automatic ones queued since the output held none */
	size_t partial;	   /* when it was retired */
	size_t control_len, pong_len;
	uint8_t control[WS_CONTROL_MAX]; /* a control payload that came in pieces */
	uint8_t pong[WS_CONTROL_MAX];
	struct upgrade upgrade;
	struct http_head head;
	struct error err;
};

struct ws_conn *ws_conn_new(const struct ws_params *params)
{
	struct ws_conn *c = mem_zalloc(sizeof(*c));

	c->max_output = params->max_output;
	frame_decoder_init(&c->decoder, FRAME_FROM_SERVER);
	assemble_init(&c->assemble, params->max_message, params->validate_utf8);
	c->assemble.deliver = params->deliver_fragments;
	http_head_init(&c->head);
	output_init(&c->out, params->mask_zero ? NULL : params->rand);
	upgrade_init(&c->upgrade, params, &c->out.data);
	output_request(&c->out, c->max_output);
	return c;
}

void ws_conn_free(struct ws_conn *c)
{
	if (!c)
		return;
	upgrade_deinit(&c->upgrade);
	http_head_deinit(&c->head);
	assemble_deinit(&c->assemble);
	output_deinit(&c->out);
	free(c);
}

static bool is_receiving(const struct ws_conn *c)
{
	return c->state == CONN_HANDSHAKE || c->state == CONN_OPEN || c->state == CONN_CLOSING;
}

void ws_conn_feed(struct ws_conn *c, struct span bytes)
{
	assert(c->in.n == 0);
	if (is_receiving(c))
		c->in = bytes;
}

/* Queues the Pong that waits, unless many stand in the output: a newer one may take its place. */
static void put_pong(struct ws_conn *c)
{
	if (!c->pong_pending)
		return;
	if (c->out.urgent_written >= c->pong_end)
		c->pongs = 0; /* the last one has been written */
	if (c->pongs == WS_PONGS_MAX ||
	    !output_control(&c->out, FRAME_PONG, span_of(c->pong, c->pong_len), SIZE_MAX))
		return;
	c->pong_pending = false;
	c->pongs++;
	c->pong_end = c->out.urgent_queued;
}

/* Our Close; nothing of ours follows but Pongs (RFC 6455, 5.5.1 and 5.5.2). */
static bool put_close(struct ws_conn *c, int code, struct span reason)
{
	uint8_t body[WS_CONTROL_MAX];
	size_t n = close_encode(body, code, reason);

	return output_control(&c->out, FRAME_CLOSE, span_of(body, n), SIZE_MAX);
}

/* The last event: c->err says why. RFC 6455, 7.1.7 */
static enum ws_event_type fail(struct ws_conn *c)
{
	if (c->state != CONN_OPEN || !put_close(c, c->err.close_code, span_of(NULL, 0)))
		c->err.close_code = 0;
	c->state = CONN_FAILED;
	c->pong_pending = false;
	c->in = span_of(NULL, 0);
	return WS_FAILED;
}

static enum ws_event_type next_in_handshake(struct ws_conn *c, struct ws_event *ev)
{
	while (c->in.n > 0) {
		enum http_head_result got = http_head_feed(&c->head, &c->in, &c->err);

		if (got == HTTP_HEAD_MORE)
			return WS_NONE;
		if (got == HTTP_HEAD_BAD) {
			c->err.stage = STAGE_HANDSHAKE;
			return fail(c);
		}
		switch (upgrade_judge(&c->upgrade, &c->head, &c->err)) {
		case UPGRADE_ACCEPTED:
			c->state = CONN_OPEN;
			return WS_UPGRADED;
		case UPGRADE_INTERIM:
			http_head_deinit(&c->head);
			http_head_init(&c->head);
			break;
		case UPGRADE_REFUSED:
			ev->payload = c->in; /* what follows the head: the beginning of the body */
			return fail(c);
		}
	}
	return WS_NONE;
}

static enum ws_event_type on_close(struct ws_conn *c, struct span body, struct ws_event *ev)
{
	if (!close_decode(body, &ev->close_code, &ev->payload, &c->err))
		return fail(c);
	if (c->state == CONN_OPEN) /* RFC 6455, 5.5.1: the same code back */
		put_close(c, ev->close_code == CLOSE_NONE ? 0 : ev->close_code, span_of(NULL, 0));
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
	if (payload.n > 0)
		memcpy(c->pong, payload.p, payload.n); /* RFC 6455, 5.5.3: the newest is enough */
	c->pong_len = payload.n;
	c->pong_pending = true;
	put_pong(c);
	return WS_PING;
}

/* A piece of a control frame's payload; the frame counts when it is whole. */
static enum ws_event_type take_control(struct ws_conn *c, struct span piece, struct ws_event *ev)
{
	if (c->in_frame || c->control_len > 0) {
		if (piece.n > 0)
			memcpy(c->control + c->control_len, piece.p, piece.n);
		c->control_len += piece.n;
		piece = span_of(c->control, c->control_len);
	}
	if (c->in_frame)
		return WS_NONE;
	c->control_len = 0;
	return on_control(c, piece, ev);
}

static enum ws_event_type take_data(struct ws_conn *c, struct span piece, struct ws_event *ev)
{
	switch (assemble_feed(&c->assemble, piece, !c->in_frame, &ev->msg, &c->err)) {
	case ASSEMBLE_MORE:
		return WS_NONE;
	case ASSEMBLE_MESSAGE:
		return WS_MESSAGE;
	case ASSEMBLE_BAD:
		break;
	}
	return fail(c);
}

/* False: the header is not complete, or *type is WS_FAILED. */
static bool take_header(struct ws_conn *c, enum ws_event_type *type)
{
	const char *why = NULL;

	switch (frame_decode(&c->decoder, &c->in, &c->frame, &why)) {
	case FRAME_MORE:
		return false;
	case FRAME_BAD:
		error_set(&c->err, ERR_PROTOCOL, "%s", why);
		c->err.close_code = CLOSE_PROTOCOL;
		*type = fail(c);
		return false;
	case FRAME_DONE:
		break;
	}
	if (!frame_is_control(c->frame.opcode) &&
	    !assemble_begin(&c->assemble, &c->frame, &c->err)) {
		*type = fail(c);
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

enum ws_send_result ws_conn_send(struct ws_conn *c, struct msg msg)
{
	enum frame_opcode opcode = msg.type == MSG_TEXT ? FRAME_TEXT : FRAME_BINARY;

	if (c->state != CONN_OPEN)
		return WS_NOT_OPEN;
	if (c->in_message)
		opcode = FRAME_CONTINUATION;
	if (!output_message(&c->out, opcode, msg, c->max_output))
		return WS_FULL;
	c->in_message = msg.more;
	return WS_SENT;
}

static enum ws_send_result send_control(struct ws_conn *c, enum frame_opcode opcode,
					struct span payload)
{
	assert(payload.n <= WS_CONTROL_MAX);
	if (c->state != CONN_OPEN)
		return WS_NOT_OPEN;
	return output_control(&c->out, opcode, payload, c->max_output) ? WS_SENT : WS_FULL;
}

enum ws_send_result ws_conn_ping(struct ws_conn *c, struct span payload)
{
	return send_control(c, FRAME_PING, payload);
}

enum ws_send_result ws_conn_pong(struct ws_conn *c, struct span payload)
{
	return send_control(c, FRAME_PONG, payload);
}

enum ws_send_result ws_conn_close(struct ws_conn *c, int code, struct span reason)
{
	assert(code == 0 || close_code_sendable(code));
	assert(reason.n <= WS_CLOSE_REASON_MAX && (code != 0 || reason.n == 0));
	assert(utf8_valid(reason));
	if (c->state != CONN_OPEN)
		return WS_NOT_OPEN;
	if (!put_close(c, code, reason))
		return WS_FULL;
	c->state = CONN_CLOSING;
	return WS_SENT;
}

int ws_conn_output(struct ws_conn *c, struct iovec iov[WS_OUTPUT_IOV])
{
	put_pong(c); /* it still waits if memory was short */
	return output_iov(&c->out, iov);
}

void ws_conn_wrote(struct ws_conn *c, size_t n)
{
	output_wrote(&c->out, n);
	put_pong(c);
}

size_t ws_conn_output_len(const struct ws_conn *c)
{
	return output_len(&c->out);
}

struct ws_progress ws_conn_progress(const struct ws_conn *c)
{
	return (struct ws_progress){
		.data_queued = c->out.data_queued,
		.data_written = c->out.data_written,
		.control_queued = c->out.urgent_queued,
		.control_written = c->out.urgent_written,
	};
}

uint64_t ws_conn_frames(const struct ws_conn *c)
{
	return c->frames;
}

void ws_conn_retire(struct ws_conn *c)
{
	if (c->state == CONN_RETIRED)
		return;
	c->partial = assemble_partial(&c->assemble);
	c->state = CONN_RETIRED;
	c->pong_pending = false;
	c->in = span_of(NULL, 0);
	assemble_deinit(&c->assemble);
	output_deinit(&c->out);
}

int ws_conn_wants(struct ws_conn *c)
{
	int wants = output_len(&c->out) > 0 || c->pong_pending ? WS_WANT_WRITE : 0;

	if (is_receiving(c))
		wants |= WS_WANT_READ;
	return wants;
}

bool ws_conn_is_open(const struct ws_conn *c)
{
	return c->state == CONN_OPEN;
}

const struct error *ws_conn_error(const struct ws_conn *c)
{
	return &c->err;
}

const struct http_head *ws_conn_head(const struct ws_conn *c)
{
	return &c->head;
}

const char *ws_conn_subprotocol(const struct ws_conn *c)
{
	return c->upgrade.chosen;
}

size_t ws_conn_partial(const struct ws_conn *c)
{
	return c->state == CONN_RETIRED ? c->partial : assemble_partial(&c->assemble);
}
