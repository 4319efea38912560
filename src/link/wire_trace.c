/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See wire_trace.h. The heads go through the reader of HTTP heads, the frames
 * through the decoder of headers, and payloads are counted down, not looked
 * at. The trap: one read may bring thousands of frames, so a line that has no
 * room is never made, only counted.
 */
#include "link/wire_trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/escape.h"
#include "base/mem.h"
#include "conf/json_head.h"

#define LINES_MAX ((size_t)16 << 20)
#define RULE "-----------------------\n"

static void drop(struct wire_trace *t)
{
	http_head_deinit(&t->sent.head);
	http_head_deinit(&t->received.head);
	bridge_conf_unref(t->conf);
	t->conf = NULL;
	t->sent.phase = t->received.phase = TRACE_NOTHING;
}

void wire_trace_init(struct wire_trace *t, struct trace_budget *budget, bool plain)
{
	*t = (struct wire_trace){ .budget = budget, .plain = plain };
	buf_init(&t->lines, LINES_MAX);
}

void wire_trace_deinit(struct wire_trace *t)
{
	drop(t);
	buf_deinit(&t->lines);
}

void wire_trace_begin(struct wire_trace *t, struct bridge_conf *conf)
{
	bridge_conf_ref(conf); /* it may be the one that is dropped */
	drop(t);
	t->conf = conf;
	t->sent.phase = t->received.phase = TRACE_HEAD;
	t->sent.payload = t->received.payload = 0;
	http_head_init_request(&t->sent.head);
	http_head_init(&t->received.head);
	frame_decoder_init(&t->sent.frames, FRAME_FROM_CLIENT);
	frame_decoder_init(&t->received.frames, FRAME_FROM_SERVER);
}

/* Is there room for one more line? */
static bool take_line(struct wire_trace *t)
{
	bool room = t->budget->room > 0;

	t->budget->room -= room;
	t->budget->left_out += !room;
	return room;
}

/* What there is no memory for is not shown: a trace is no reason to end. */
static void put(struct wire_trace *t, const char *text)
{
	(void)buf_append(&t->lines, span_str(text));
}

static void put_escaped(struct wire_trace *t, struct span s)
{
	size_t size = 4 * s.n + 8;
	mem_auto_str shown = mem_alloc(size);

	put(t, escape_text(shown, size, s));
}

static void put_line(struct wire_trace *t, const char *line)
{
	if (take_line(t))
		put(t, line);
}

static bool is_named(struct http_field field, const char *name)
{
	return strlen(name) == field.name.n &&
	       strncasecmp(name, (const char *)field.name.p, field.name.n) == 0;
}

/* By the name: a header may come back in the answer. */
static bool is_hidden(const struct wire_trace *t, struct http_field field)
{
	for (size_t i = 0; i < t->conf->handshake->n_headers; i++) {
		const struct conf_header *h = &t->conf->handshake->headers[i];

		if (is_named(field, h->name) && !(t->plain && h->value.kind == SECRET_TEXT))
			return true;
	}
	return json_head_hides(field);
}

static void put_field(struct wire_trace *t, struct http_field field)
{
	if (!take_line(t))
		return;
	put_escaped(t, field.name);
	put(t, ": ");
	if (is_hidden(t, field))
		put(t, JSON_HEAD_HIDDEN);
	else
		put_escaped(t, field.value);
	put(t, "\n");
}

static void put_fields(struct wire_trace *t, const struct http_head *head)
{
	for (size_t i = 0; i < head->n_lines; i++)
		put_field(t, http_head_field(head, i));
	put_line(t, RULE);
}

/* A query may hold a token. */
static void put_request_line(struct wire_trace *t)
{
	struct span target = http_head_target(&t->sent.head);
	const uint8_t *query = memchr(target.p, '?', target.n);

	if (!take_line(t))
		return;
	put_escaped(t, http_head_method(&t->sent.head));
	put(t, " ");
	put_escaped(t, query ? span_of(target.p, (size_t)(query - target.p)) : target);
	put(t, query ? "?" JSON_HEAD_HIDDEN " HTTP/1.1\n" : " HTTP/1.1\n");
}

static void put_request(struct wire_trace *t)
{
	put_line(t, "--- request header ---\n");
	put_request_line(t);
	put_fields(t, &t->sent.head);
	t->sent.phase = TRACE_FRAMES;
}

static void put_status_line(struct wire_trace *t)
{
	struct span all = buf_bytes(&t->received.head.bytes);
	const uint8_t *end = memchr(all.p, '\r', all.n);

	if (!take_line(t))
		return;
	put_escaped(t, span_of(all.p, end ? (size_t)(end - all.p) : 0));
	put(t, "\n");
}

/* Whether it may is for the client to judge: here its frames are only to be read. */
static bool has_extension(const struct http_head *head)
{
	struct span value;
	size_t i = 0;

	return http_head_find(head, "Sec-WebSocket-Extensions", &i, &value);
}

static void put_response(struct wire_trace *t)
{
	struct http_head *head = &t->received.head;
	int status = head->status;

	put_line(t, "--- response header ---\n");
	put_status_line(t);
	put_fields(t, head);
	if (status >= 200) {
		t->received.phase = TRACE_NOTHING;
	} else if (status == 101) {
		t->received.phase = TRACE_FRAMES;
		t->received.frames.deflate = t->sent.frames.deflate = has_extension(head);
	} else { /* RFC 9110, 15.2: the answer is still to come */
		http_head_deinit(head);
		http_head_init(head);
	}
}

static void give_up(struct wire_trace *t, struct trace_side *side, const char *why)
{
	side->phase = TRACE_NOTHING;
	if (!take_line(t))
		return;
	put(t, side == &t->sent ? "++Sent: " : "++Rcv: ");
	put_escaped(t, span_str(why));
	put(t, "\n");
}

static void pass_head(struct wire_trace *t, struct trace_side *side, struct span *bytes)
{
	struct error err = ERROR_INIT;

	switch (http_head_feed(&side->head, bytes, &err)) {
	case HTTP_HEAD_MORE:
		break;
	case HTTP_HEAD_DONE:
		if (side == &t->sent)
			put_request(t);
		else
			put_response(t);
		break;
	case HTTP_HEAD_BAD:
		give_up(t, side, err.text);
		break;
	}
}

static const char *opcode_name(enum frame_opcode opcode)
{
	switch (opcode) {
	case FRAME_CONTINUATION:
		return "cont";
	case FRAME_TEXT:
		return "text";
	case FRAME_BINARY:
		return "binary";
	case FRAME_CLOSE:
		return "close";
	case FRAME_PING:
		return "ping";
	case FRAME_PONG:
		return "pong";
	}
	return "?";
}

static void put_frame(struct wire_trace *t, bool sent, const struct frame_header *h)
{
	char line[96];

	if (!take_line(t))
		return;
	snprintf(line, sizeof(line), "++%s: fin=%d opcode=%s length=%" PRIu64 "%s\n",
		 sent ? "Sent" : "Rcv", h->fin, opcode_name(h->opcode), h->len,
		 h->rsv1 ? " compressed" : "");
	put(t, line);
}

static void pass_frames(struct wire_trace *t, struct trace_side *side, struct span *bytes)
{
	size_t skip = bytes->n < side->payload ? bytes->n : (size_t)side->payload;
	struct frame_header h;
	const char *why;

	*bytes = span_skip(*bytes, skip);
	side->payload -= skip;
	if (bytes->n == 0)
		return;
	switch (frame_decode(&side->frames, bytes, &h, &why)) {
	case FRAME_MORE:
		break;
	case FRAME_DONE:
		put_frame(t, side == &t->sent, &h);
		side->payload = h.len;
		break;
	case FRAME_BAD:
		give_up(t, side, why);
		break;
	}
}

static void pass(struct wire_trace *t, struct trace_side *side, struct span bytes)
{
	while (bytes.n > 0 && side->phase != TRACE_NOTHING) {
		if (side->phase == TRACE_HEAD)
			pass_head(t, side, &bytes);
		else
			pass_frames(t, side, &bytes);
	}
}

void wire_trace_pass(struct wire_trace *t, bool sent, struct span bytes)
{
	pass(t, sent ? &t->sent : &t->received, bytes);
}

/* What of the request has left cannot be shown any more; what waits is skipped like a payload. */
void wire_trace_join(struct wire_trace *t, struct bridge_conf *conf, const struct ws_wire *wire)
{
	wire_trace_begin(t, conf);
	t->sent.phase = TRACE_FRAMES;
	t->sent.frames.deflate = wire->decoder.deflate;
	t->sent.payload = wire->begun;
	switch (wire->in) {
	case WIRE_ANSWER:
		pass(t, &t->received, wire->answer);
		break;
	case WIRE_FRAMES:
		t->received.phase = TRACE_FRAMES;
		t->received.frames = wire->decoder;
		t->received.payload = wire->left;
		break;
	case WIRE_OVER:
		t->received.phase = TRACE_NOTHING;
		break;
	}
}
