/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See connect_trace.h. The trap: a redirect leads to another connection, and
 * all that shows it is that a second request is sent.
 */
#include "tool/connect_trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/escape.h"
#include "base/mem.h"
#include "conf/json_head.h"

#define LINES_MAX ((size_t)16 << 20)
#define RULE "-----------------------\n"

static void begin(struct connect_trace *t)
{
	t->sent.phase = t->received.phase = TRACE_HEAD;
	t->sent.payload = t->received.payload = 0;
	http_head_init_request(&t->sent.head);
	http_head_init(&t->received.head);
	frame_decoder_init(&t->sent.frames, FRAME_FROM_CLIENT);
	frame_decoder_init(&t->received.frames, FRAME_FROM_SERVER);
}

static void drop(struct connect_trace *t)
{
	http_head_deinit(&t->sent.head);
	http_head_deinit(&t->received.head);
}

void connect_trace_init(struct connect_trace *t, const char *const *hidden)
{
	t->hidden = hidden;
	buf_init(&t->lines, LINES_MAX);
	begin(t);
}

void connect_trace_deinit(struct connect_trace *t)
{
	drop(t);
	buf_deinit(&t->lines);
}

/* What has no room is not shown: a trace is no reason to end. */
static void put(struct connect_trace *t, const char *text)
{
	(void)buf_append(&t->lines, span_str(text));
}

static void put_escaped(struct connect_trace *t, struct span s)
{
	size_t size = 4 * s.n + 8;
	mem_auto_str shown = mem_alloc(size);

	put(t, escape_text(shown, size, s));
}

static bool is_hidden(const struct connect_trace *t, struct http_field field)
{
	for (const char *const *name = t->hidden; *name; name++)
		if (strlen(*name) == field.name.n &&
		    strncasecmp(*name, (const char *)field.name.p, field.name.n) == 0)
			return true;
	return json_head_hides(field);
}

static void put_fields(struct connect_trace *t, const struct http_head *head)
{
	for (size_t i = 0; i < head->n_lines; i++) {
		struct http_field field = http_head_field(head, i);

		put_escaped(t, field.name);
		put(t, ": ");
		if (is_hidden(t, field))
			put(t, JSON_HEAD_HIDDEN);
		else
			put_escaped(t, field.value);
		put(t, "\n");
	}
	put(t, RULE);
}

/* A query may hold a token. */
static void put_request(struct connect_trace *t)
{
	struct span target = http_head_target(&t->sent.head);
	const uint8_t *query = memchr(target.p, '?', target.n);

	put(t, "--- request header ---\n");
	put_escaped(t, http_head_method(&t->sent.head));
	put(t, " ");
	put_escaped(t, query ? span_of(target.p, (size_t)(query - target.p)) : target);
	put(t, query ? "?" JSON_HEAD_HIDDEN " HTTP/1.1\n" : " HTTP/1.1\n");
	put_fields(t, &t->sent.head);
	t->sent.phase = TRACE_FRAMES;
}

static void put_response(struct connect_trace *t)
{
	const struct http_head *head = &t->received.head;
	struct span all = buf_bytes(&head->bytes);
	const uint8_t *end = memchr(all.p, '\r', all.n);

	put(t, "--- response header ---\n");
	put_escaped(t, span_of(all.p, end ? (size_t)(end - all.p) : 0));
	put(t, "\n");
	put_fields(t, head);
	t->received.phase = head->status == 101 ? TRACE_FRAMES : TRACE_NOTHING;
}

static void give_up(struct connect_trace *t, struct connect_trace_side *side, const char *why)
{
	put(t, side == &t->sent ? "++Sent: " : "++Rcv: ");
	put_escaped(t, span_str(why));
	put(t, "\n");
	side->phase = TRACE_NOTHING;
}

static void pass_head(struct connect_trace *t, struct connect_trace_side *side, struct span *bytes)
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

static void put_frame(struct connect_trace *t, bool sent, const struct frame_header *h)
{
	char line[96];

	snprintf(line, sizeof(line), "++%s: fin=%d opcode=%s length=%" PRIu64 "\n",
		 sent ? "Sent" : "Rcv", h->fin, opcode_name(h->opcode), h->len);
	put(t, line);
}

static void pass_frames(struct connect_trace *t, struct connect_trace_side *side,
			struct span *bytes)
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

static bool is_over(const struct connect_trace *t)
{
	return t->received.phase == TRACE_NOTHING && t->received.head.status != 0 &&
	       t->received.head.status != 101;
}

void connect_trace_pass(struct connect_trace *t, bool sent, struct span bytes)
{
	struct connect_trace_side *side = sent ? &t->sent : &t->received;

	if (sent && is_over(t)) {
		drop(t);
		begin(t);
	}
	while (bytes.n > 0 && side->phase != TRACE_NOTHING) {
		if (side->phase == TRACE_HEAD)
			pass_head(t, side, &bytes);
		else
			pass_frames(t, side, &bytes);
	}
}
