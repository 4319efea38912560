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
#include "ws/close.h"
#include "ws/conn_int.h"
#include "ws/limits.h"

struct ws_conn *ws_conn_new(const struct ws_params *params)
{
	struct ws_conn *c = mem_zalloc(sizeof(*c));

	c->max_output = params->max_output;
	frame_decoder_init(&c->decoder, FRAME_FROM_SERVER);
	assemble_init(&c->assemble, params->max_message, params->validate_utf8);
	c->assemble.deliver = params->deliver_fragments;
	c->head = mem_alloc(sizeof(*c->head));
	http_head_init(c->head);
	output_init(&c->out, params->mask_zero ? NULL : params->rand);
	c->upgrade = mem_alloc(sizeof(*c->upgrade));
	upgrade_init(c->upgrade, params, &c->out.data);
	output_request(&c->out, c->max_output);
	if (params->deflate.on) {
		c->packing = mem_zalloc(sizeof(*c->packing));
		deflater_init(&c->packing->deflate, params);
	}
	return c;
}

static void drop_head(struct ws_conn *c)
{
	if (c->head)
		http_head_deinit(c->head);
	free(c->head);
	c->head = NULL;
}

void conn_drop_upgrade(struct ws_conn *c)
{
	if (c->upgrade)
		upgrade_deinit(c->upgrade);
	free(c->upgrade);
	c->upgrade = NULL;
}

static void retire_packing(struct ws_conn *c)
{
	if (!c->packing)
		return;
	inflater_deinit(&c->packing->inflate);
	deflater_deinit(&c->packing->deflate);
}

void conn_drop_packing(struct ws_conn *c)
{
	retire_packing(c);
	free(c->packing);
	c->packing = NULL;
}

void ws_conn_free(struct ws_conn *c)
{
	if (!c)
		return;
	conn_drop_upgrade(c);
	drop_head(c);
	free(c->answer);
	free(c->held);
	free(c->err);
	assemble_deinit(&c->assemble);
	output_deinit(&c->out);
	conn_drop_packing(c);
	free(c);
}

bool conn_is_receiving(const struct ws_conn *c)
{
	return c->state == CONN_HANDSHAKE || c->state == CONN_OPEN || c->state == CONN_CLOSING;
}

void ws_conn_feed(struct ws_conn *c, struct span bytes)
{
	assert(c->in.n == 0);
	if (conn_is_receiving(c))
		c->in = bytes;
}

struct conn_control *conn_held(struct ws_conn *c)
{
	if (!c->held)
		c->held = mem_alloc(sizeof(*c->held));
	return c->held;
}

static bool queue_pong(struct ws_conn *c, struct span payload)
{
	if (c->out.urgent_written >= c->pong_end)
		c->pongs = 0; /* the last one has been written */
	if (c->pongs == WS_PONGS_MAX || !output_control(&c->out, FRAME_PONG, payload, SIZE_MAX))
		return false;
	c->pongs++;
	c->pong_end = c->out.urgent_queued;
	return true;
}

void conn_put_pong(struct ws_conn *c)
{
	if (c->pong_pending)
		c->pong_pending = !queue_pong(c, span_of(c->held->pong, c->held->pong_len));
}

void conn_pong(struct ws_conn *c, struct span payload)
{
	c->pong_pending = !queue_pong(c, payload);
	if (!c->pong_pending)
		return;
	memmove(conn_held(c)->pong, payload.p,
		payload.n); /* RFC 6455, 5.5.3: the newest is enough */
	c->held->pong_len = payload.n;
}

bool conn_put_close(struct ws_conn *c, int code, struct span reason)
{
	uint8_t body[WS_CONTROL_MAX];
	size_t n = close_encode(body, code, reason);

	return output_control(&c->out, FRAME_CLOSE, span_of(body, n), SIZE_MAX);
}

/* False: limit or memory, and nothing was taken; or *plain, it is to go out as it is. */
static bool send_packed(struct ws_conn *c, enum frame_opcode opcode, struct msg msg, bool *plain)
{
	struct deflater *deflate = &c->packing->deflate;
	struct msg packed = msg;

	if (!deflater_pack(deflate, msg, &packed.data)) {
		*plain = !c->in_message;
		return false;
	}
	if (!output_packed(&c->out, opcode, packed, c->max_output)) {
		deflater_forget(deflate);
		return false;
	}
	deflater_sent(deflate, msg, packed.data);
	return true;
}

static bool is_to_pack(const struct ws_conn *c, struct msg msg)
{
	const struct conn_packing *p = c->packing;

	if (!p)
		return false;
	return c->in_message ? p->deflate.in_message : deflater_wants(&p->deflate, msg);
}

static bool send_message(struct ws_conn *c, enum frame_opcode opcode, struct msg msg)
{
	bool packs = is_to_pack(c, msg), plain = !packs;

	if (packs && send_packed(c, opcode, msg, &plain))
		return true;
	return plain && output_message(&c->out, opcode, msg, c->max_output);
}

enum ws_send_result ws_conn_send(struct ws_conn *c, struct msg msg)
{
	enum frame_opcode opcode = msg.type == MSG_TEXT ? FRAME_TEXT : FRAME_BINARY;

	if (c->state != CONN_OPEN)
		return WS_NOT_OPEN;
	if (c->in_message)
		opcode = FRAME_CONTINUATION;
	if (!send_message(c, opcode, msg))
		return WS_FULL;
	c->in_message = msg.more;
	return WS_SENT;
}

/* Can a part of it go first? Then there is room for all of it, should only that one leave. */
static bool is_to_cut(struct ws_conn *c, struct msg msg, size_t most)
{
	return msg.data.n > most && output_len(&c->out) == 0 && !is_to_pack(c, msg) &&
	       output_prepare(&c->out, msg.data.n, c->max_output);
}

enum ws_send_result ws_conn_send_part(struct ws_conn *c, struct msg *msg, size_t most)
{
	struct msg part = *msg;
	enum ws_send_result r;

	if (is_to_cut(c, *msg, most)) {
		part.data.n = most;
		part.more = true;
	}
	r = ws_conn_send(c, part);
	if (r == WS_SENT)
		msg->data = span_skip(msg->data, part.data.n);
	return r;
}

/* As many, from the first, as are not worth compressing. */
static size_t plain_run(const struct ws_conn *c, const struct msg *msgs, size_t n)
{
	size_t plain = 0;

	while (plain < n && !deflater_wants(&c->packing->deflate, msgs[plain]))
		plain++;
	return plain;
}

size_t ws_conn_send_run(struct ws_conn *c, const struct msg *msgs, size_t n, size_t until)
{
	if (c->state != CONN_OPEN || c->in_message)
		return 0;
	if (c->packing && c->packing->deflate.on)
		n = plain_run(c, msgs, n);
	return output_run(&c->out, msgs, n, until < c->max_output ? until : c->max_output);
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
	if (!conn_put_close(c, code, reason))
		return WS_FULL;
	c->state = CONN_CLOSING;
	return WS_SENT;
}

int ws_conn_output(struct ws_conn *c, struct iovec iov[WS_OUTPUT_IOV])
{
	conn_put_pong(c); /* it still waits if memory was short */
	return output_iov(&c->out, iov);
}

void ws_conn_wrote(struct ws_conn *c, size_t n)
{
	output_wrote(&c->out, n);
	conn_put_pong(c);
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

void ws_conn_wire(const struct ws_conn *c, struct ws_wire *wire)
{
	assert(c->in.n == 0);
	*wire = (struct ws_wire){
		.in = WIRE_OVER,
		.decoder = c->decoder,
		.begun = c->out.begun + c->out.urgent_begun,
	};
	if (c->state == CONN_HANDSHAKE) {
		wire->in = WIRE_ANSWER;
		wire->answer = ws_conn_answer(c);
	} else if (conn_is_receiving(c)) {
		wire->in = WIRE_FRAMES;
		wire->left = c->in_frame ? c->left : 0;
	}
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
	retire_packing(c);
}

void ws_conn_release(struct ws_conn *c)
{
	if (c->packing) {
		inflater_release(&c->packing->inflate);
		deflater_release(&c->packing->deflate);
	}
	if (c->assemble.bytes.len == 0)
		buf_deinit(&c->assemble.bytes);
}

int ws_conn_wants(struct ws_conn *c)
{
	int wants = output_len(&c->out) > 0 || c->pong_pending ? WS_WANT_WRITE : 0;

	if (conn_is_receiving(c))
		wants |= WS_WANT_READ;
	return wants;
}

bool ws_conn_is_open(const struct ws_conn *c)
{
	return c->state == CONN_OPEN;
}

const struct error *ws_conn_error(const struct ws_conn *c)
{
	static const struct error none;

	return c->err ? c->err : &none;
}

const struct http_head *ws_conn_head(const struct ws_conn *c)
{
	return c->head;
}

struct span ws_conn_answer(const struct ws_conn *c)
{
	return c->head ? buf_bytes(&c->head->bytes) : span_str(c->answer);
}

/* What was read as a response has no NUL in it. */
void ws_conn_settle(struct ws_conn *c)
{
	struct span answer = ws_conn_answer(c);

	assert(c->state != CONN_HANDSHAKE);
	if (!c->head)
		return;
	c->answer = mem_strndup(answer.p, answer.n);
	drop_head(c);
}

const char *ws_conn_subprotocol(const struct ws_conn *c)
{
	return c->upgrade ? c->upgrade->chosen : NULL;
}

size_t ws_conn_partial(const struct ws_conn *c)
{
	return c->state == CONN_RETIRED ? c->partial : assemble_partial(&c->assemble);
}

uint64_t ws_conn_memory_uses(const struct ws_conn *c)
{
	return c->packing ? c->packing->inflate.messages + c->packing->deflate.uses : 0;
}

void ws_conn_compression(const struct ws_conn *c, struct ws_compression *out)
{
	const struct conn_packing *p = c->packing;

	*out = (struct ws_compression){ 0 };
	if (c->upgrade)
		out->agreed = c->upgrade->deflate;
	if (!p)
		return;
	out->rx = (struct ws_packed){ p->inflate.messages, p->inflate.bytes_in,
				      p->inflate.bytes_out };
	out->tx = (struct ws_packed){ p->deflate.messages, p->deflate.bytes_out,
				      p->deflate.bytes_in };
}
