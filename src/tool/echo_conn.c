/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server's half of a conversation, on the same parts as the client's
 * (frame, mask, assemble, close). Owned by echo.c. The trap is memory: output
 * grows with what is fed, so one read may make the queue pass its high mark by
 * that much and one message; the caller stops reading there, and the cap
 * is above both.
 */
#include "tool/echo_conn.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "tool/echo_request.h"
#include "ws/assemble.h"
#include "ws/close.h"
#include "ws/deflate.h"
#include "ws/frame.h"
#include "ws/inflate.h"
#include "ws/mask.h"

#define OUTPUT_HIGH 65536
#define OUTPUT_CAP (ECHO_MESSAGE_MAX + ((size_t)2 << 20))
#define PIECE 16384 /* unmasked at a time */

struct echo_conn {
	enum echo_phase phase;
	struct http_head head;
	struct echo_request request;
	struct frame_decoder decoder;
	struct frame_header frame;
	bool in_frame;
	uint64_t at; /* bytes of the frame's payload that are done */
	struct assemble assemble;
	struct inflater inflate;
	struct deflater deflate;
	uint8_t control[WS_CONTROL_MAX]; /* payload of the control frame under way */
	struct buf output;
	uint64_t ticks;
};

struct echo_conn *echo_conn_new(void)
{
	struct echo_conn *c = mem_zalloc(sizeof(*c));

	http_head_init_request(&c->head);
	frame_decoder_init(&c->decoder, FRAME_FROM_CLIENT);
	assemble_init(&c->assemble, ECHO_MESSAGE_MAX, true);
	buf_init(&c->output, OUTPUT_CAP);
	return c;
}

void echo_conn_free(struct echo_conn *c)
{
	if (!c)
		return;
	http_head_deinit(&c->head);
	assemble_deinit(&c->assemble);
	inflater_deinit(&c->inflate);
	deflater_deinit(&c->deflate);
	buf_deinit(&c->output);
	free(c);
}

bool echo_conn_is_full(const struct echo_conn *c)
{
	return c->output.len >= OUTPUT_HIGH;
}

struct buf *echo_conn_output(struct echo_conn *c)
{
	return &c->output;
}

enum echo_phase echo_conn_phase(const struct echo_conn *c)
{
	return c->phase;
}

int64_t echo_conn_interval(const struct echo_conn *c)
{
	return c->phase == ECHO_OPEN && c->request.mode == ECHO_TICKER ? c->request.interval : 0;
}

/* Out of memory, or a client that made the queue pass its cap: it ends without a Close. */
static void put_frame(struct echo_conn *c, struct frame_header *h, struct span payload)
{
	size_t head = frame_header_size(payload.n, false);
	uint8_t *out = buf_reserve(&c->output, head + payload.n);

	if (!out) {
		c->phase = ECHO_OVER;
		return;
	}
	h->len = payload.n;
	frame_encode(out, h);
	if (payload.n > 0)
		memcpy(out + head, payload.p, payload.n);
	buf_commit(&c->output, head + payload.n);
}

static void send_frame(struct echo_conn *c, enum frame_opcode opcode, struct span payload)
{
	struct frame_header h = { .fin = true, .opcode = opcode };

	put_frame(c, &h, payload);
}

static void send_message(struct echo_conn *c, struct msg msg)
{
	struct frame_header h = { .fin = true,
				  .opcode = msg.type == MSG_TEXT ? FRAME_TEXT : FRAME_BINARY };
	struct span packed = msg.data;

	h.rsv1 = deflater_wants(&c->deflate, msg) && deflater_pack(&c->deflate, msg, &packed);
	put_frame(c, &h, packed);
	if (h.rsv1)
		deflater_sent(&c->deflate, msg, packed);
}

void echo_conn_close(struct echo_conn *c, int code, struct span reason)
{
	uint8_t body[WS_CONTROL_MAX];

	if (c->phase == ECHO_HANDSHAKE)
		c->phase = ECHO_OVER;
	if (c->phase != ECHO_OPEN)
		return;
	c->phase = ECHO_CLOSING;
	send_frame(c, FRAME_CLOSE, span_of(body, close_encode(body, code, reason)));
}

/* RFC 6455, 7.1.7: tell why, and take nothing more in. */
static void fail(struct echo_conn *c, int code, const char *why)
{
	echo_conn_close(c, code, span_of(why, strnlen(why, WS_CLOSE_REASON_MAX)));
	c->phase = ECHO_OVER;
}

static void on_message(struct echo_conn *c, struct msg msg)
{
	if (c->phase != ECHO_OPEN)
		return;
	switch (c->request.mode) {
	case ECHO_BACK:
	case ECHO_SILENT:
		send_message(c, msg);
		break;
	case ECHO_CLOSE:
		echo_conn_close(c, c->request.code,
				span_of(c->request.reason, c->request.reason_len));
		break;
	case ECHO_TICKER:
		break;
	}
}

/* RFC 6455, 5.5.1: a Close is answered with its own code. */
static void on_close(struct echo_conn *c, struct span body)
{
	struct error err = ERROR_INIT;
	struct span reason;
	int code;

	if (!close_decode(body, &code, &reason, &err)) {
		fail(c, err.close_code, err.text);
		return;
	}
	echo_conn_close(c, code == CLOSE_NONE ? 0 : code, span_of(NULL, 0));
	c->phase = ECHO_OVER;
}

static void on_control(struct echo_conn *c)
{
	struct span payload = span_of(c->control, (size_t)c->frame.len);

	if (c->frame.opcode == FRAME_CLOSE)
		on_close(c, payload);
	else if (c->frame.opcode == FRAME_PING && c->phase == ECHO_OPEN &&
		 c->request.mode != ECHO_SILENT)
		send_frame(c, FRAME_PONG, payload);
}

static enum assemble_result take_piece(struct echo_conn *c, struct inflate_piece piece,
				       struct msg *msg, struct error *err)
{
	if (c->assemble.compressed)
		return inflater_feed(&c->inflate, &c->assemble, piece, msg, err);
	return assemble_feed(&c->assemble, piece.bytes, piece.frame_end, msg, err);
}

static void feed_data(struct echo_conn *c, struct span piece, bool frame_end)
{
	struct error err = ERROR_INIT;
	struct msg msg;

	switch (take_piece(c, (struct inflate_piece){ piece, frame_end }, &msg, &err)) {
	case ASSEMBLE_MORE:
		break;
	case ASSEMBLE_BAD:
		fail(c, err.close_code, err.text);
		break;
	case ASSEMBLE_MESSAGE:
		on_message(c, msg);
		assemble_release(&c->assemble);
		break;
	}
}

/* One piece of the payload under way, which may be the empty rest of an empty frame. */
static void feed_payload(struct echo_conn *c, struct span *input)
{
	uint8_t plain[PIECE];
	uint64_t left = c->frame.len - c->at;
	size_t n = input->n < sizeof(plain) ? input->n : sizeof(plain);
	bool control = frame_is_control(c->frame.opcode);
	uint8_t *out = control ? c->control + c->at : plain;

	if (n > left)
		n = (size_t)left;
	mask_copy(out, span_of(input->p, n), c->frame.key, c->at);
	*input = span_skip(*input, n);
	c->at += n;
	c->in_frame = c->at < c->frame.len;
	if (!control)
		feed_data(c, span_of(plain, n), !c->in_frame);
	else if (!c->in_frame)
		on_control(c);
}

static bool begin_frame(struct echo_conn *c, struct span *input)
{
	struct error err = ERROR_INIT;
	const char *why;

	switch (frame_decode(&c->decoder, input, &c->frame, &why)) {
	case FRAME_MORE:
		return false;
	case FRAME_BAD:
		fail(c, CLOSE_PROTOCOL, why);
		return false;
	case FRAME_DONE:
		break;
	}
	c->in_frame = true;
	c->at = 0;
	if (frame_is_control(c->frame.opcode) || assemble_begin(&c->assemble, &c->frame, &err))
		return true;
	fail(c, err.close_code, err.text);
	return false;
}

static void feed_frames(struct echo_conn *c, struct span input)
{
	while (c->phase != ECHO_OVER) {
		if (!c->in_frame && !begin_frame(c, &input))
			return;
		if (input.n == 0 && c->at < c->frame.len)
			return;
		feed_payload(c, &input);
	}
}

/* deflate.h and inflate.h are of the client: what goes out is the server's here. */
static void start_compression(struct echo_conn *c)
{
	const struct ws_params params = { .deflate_level = 1, .deflate_threshold = 64 };
	const struct ws_deflate *agreed = &c->request.deflate;
	const struct ws_deflate turned = {
		.on = agreed->on,
		.client_no_context_takeover = agreed->server_no_context_takeover,
		.server_no_context_takeover = agreed->client_no_context_takeover,
		.client_max_window_bits = agreed->server_max_window_bits,
		.server_max_window_bits = agreed->client_max_window_bits,
	};

	c->decoder.deflate = agreed->on;
	inflater_init(&c->inflate, &turned);
	deflater_init(&c->deflate, &params);
	deflater_start(&c->deflate, &turned);
}

static void feed_head(struct echo_conn *c, struct span *input)
{
	struct error err = ERROR_INIT;

	switch (http_head_feed(&c->head, input, &err)) {
	case HTTP_HEAD_MORE:
		return;
	case HTTP_HEAD_BAD:
		c->phase = ECHO_OVER;
		echo_request_refuse(err.text, &c->output);
		return;
	case HTTP_HEAD_DONE:
		break;
	}
	c->phase = echo_request_answer(&c->request, &c->head, &c->output) ? ECHO_OPEN : ECHO_OVER;
	http_head_deinit(&c->head);
	start_compression(c);
}

void echo_conn_feed(struct echo_conn *c, struct span bytes)
{
	assert(!echo_conn_is_full(c));
	if (c->phase == ECHO_HANDSHAKE)
		feed_head(c, &bytes);
	if (c->phase != ECHO_HANDSHAKE && bytes.n > 0)
		feed_frames(c, bytes);
}

void echo_conn_tick(struct echo_conn *c, double now)
{
	mem_auto_str text = NULL;

	if (echo_conn_interval(c) == 0)
		return;
	c->ticks++;
	if (echo_conn_is_full(c))
		return;
	text = mem_printf("{\"n\":%llu,\"time\":%.3f}", (unsigned long long)c->ticks, now);
	send_frame(c, FRAME_TEXT, span_str(text));
}
