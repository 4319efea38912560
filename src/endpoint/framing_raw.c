/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes and nothing else: what is read is sent as it came, and messages are
 * written without a mark between them. Owned by nobody (a table of functions).
 * The trap: as text (send_as), a read may end inside a character; its bytes
 * wait in `work` for the rest. On a seqpacket socket a packet is a message,
 * and nothing is kept or cut.
 */
#include <assert.h>

#include "base/utf8.h"
#include "endpoint/framing.h"

#define CHARACTER_MAX 4

static void raw_begin(struct framing_reader *r)
{
	assert(r->framing->max_message > 0);
	buf_init(&r->work, r->framing->max_message);
}

static bool raw_measure(const struct framing *f, const struct record *r, struct framing_plan *plan)
{
	(void)f;
	if (r->type != RECORD_MESSAGE)
		return false;
	*plan = (struct framing_plan){ .size = r->msg.data.n };
	return true;
}

static void raw_encode(const struct framing *f, const struct record *r,
		       const struct framing_plan *plan, uint8_t *out)
{
	(void)f;
	if (plan->size > 0)
		memcpy(out, r->msg.data.p, plan->size);
}

static bool is_text(const struct framing_reader *r)
{
	return r->framing->rules->send_as == SEND_AS_TEXT;
}

static enum framing_result hand_out(const struct framing_reader *r, struct span data,
				    struct order *o, struct error *err)
{
	if (is_text(r) && !utf8_valid(data)) {
		error_set(err, ERR_PAYLOAD, "input is not valid UTF-8");
		return FRAMING_BAD;
	}
	o->msg.type = is_text(r) ? MSG_TEXT : MSG_BINARY;
	o->msg.data = data;
	return FRAMING_ORDER;
}

static enum framing_result next_packet(struct framing_reader *r, struct span *input,
				       struct order *o, struct error *err)
{
	size_t max = r->framing->max_message;
	struct span packet = *input;

	*input = span_skip(packet, packet.n);
	if (packet.n <= max)
		return hand_out(r, packet, o, err);
	error_set(err, ERR_OVERFLOW, "packet is longer than max_message (%zu bytes)", max);
	return FRAMING_BAD;
}

/* s without the character that it ends inside of. What is no character stays. */
static struct span whole_characters(struct span s)
{
	for (size_t back = 1; back < CHARACTER_MAX && back <= s.n; back++) {
		struct span tail = span_of(s.p + s.n - back, back);
		struct utf8 u = { 0 };

		if ((tail.p[0] & 0xC0) == 0x80)
			continue;
		if (utf8_feed(&u, tail) && !utf8_complete(&u))
			s.n -= back;
		break;
	}
	return s;
}

/* What was kept, and input behind it as far as it goes. */
static enum framing_result next_joined(struct framing_reader *r, struct span *input,
				       struct order *o, struct error *err)
{
	size_t room = r->work.cap - r->work.len, n = input->n < room ? input->n : room;
	bool added = buf_append(&r->work, span_of(input->p, n));
	struct span whole = whole_characters(buf_bytes(&r->work));

	*input = span_skip(*input, n);
	if (added && whole.n > 0) {
		r->handed = whole.n;
		return hand_out(r, whole, o, err);
	}
	if (added && input->n == 0)
		return FRAMING_MORE;
	buf_clear(&r->work);
	if (added)
		error_set(err, ERR_OVERFLOW, "max_message (%zu bytes) has no room for a character",
			  r->work.cap);
	else
		error_set(err, ERR_OVERFLOW, "no memory for a message of %zu bytes", n);
	return FRAMING_BAD;
}

static enum framing_result next_text(struct framing_reader *r, struct span *input, struct order *o,
				     struct error *err)
{
	size_t max = r->framing->max_message;
	struct span piece = *input;

	if (r->work.len > 0)
		return next_joined(r, input, o, err);
	if (piece.n > max)
		piece.n = max;
	piece = whole_characters(piece);
	if (piece.n == 0)
		return next_joined(r, input, o, err);
	*input = span_skip(*input, piece.n);
	return hand_out(r, piece, o, err);
}

static enum framing_result raw_next(struct framing_reader *r, struct span *input, struct order *o,
				    struct error *err)
{
	size_t max = r->framing->max_message;
	struct span piece = *input;

	buf_consume(&r->work, r->handed);
	r->handed = 0;
	if (input->n == 0)
		return FRAMING_MORE;
	if (r->framing->rules->type == SOCKET_SEQPACKET)
		return next_packet(r, input, o, err);
	if (is_text(r))
		return next_text(r, input, o, err);
	if (piece.n > max)
		piece.n = max;
	*input = span_skip(*input, piece.n);
	return hand_out(r, piece, o, err);
}

static enum framing_result raw_finish(struct framing_reader *r, struct order *o, struct error *err)
{
	size_t pending = r->work.len - r->handed;

	(void)o;
	buf_clear(&r->work);
	r->handed = 0;
	if (pending == 0)
		return FRAMING_MORE;
	error_set(err, ERR_PAYLOAD, "input ended inside a character");
	return FRAMING_BAD;
}

const struct framing_ops framing_raw = {
	.begin = raw_begin,
	.measure = raw_measure,
	.encode = raw_encode,
	.next = raw_next,
	.finish = raw_finish,
};
