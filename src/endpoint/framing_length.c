/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One message: four bytes with the length of its payload, the highest first,
 * one byte with its type, the payload. Nothing else is lost or added; events
 * have no form here. Owned by nobody (a table of functions). The trap: a
 * record that is refused is skipped by its length, so a length that is a lie
 * eats what follows; where the type is a lie as well, reading ends instead.
 */
#include <assert.h>

#include "base/cursor.h"
#include "base/utf8.h"
#include "endpoint/framing.h"

enum {
	HEAD = 5,
	TYPE_TEXT = 1,
	TYPE_BINARY = 2,
};

struct head {
	size_t n; /* of the payload */
	uint8_t type;
};

static void length_begin(struct framing_reader *r)
{
	size_t max = r->framing->max_message;

	buf_init(&r->work, max <= SIZE_MAX - HEAD ? max + HEAD : SIZE_MAX);
}

static bool length_measure(const struct framing *f, const struct record *r,
			   struct framing_plan *plan)
{
	(void)f;
	if (r->type != RECORD_MESSAGE || r->msg.data.n > UINT32_MAX - HEAD)
		return false;
	*plan = (struct framing_plan){ .size = HEAD + r->msg.data.n };
	return true;
}

static void length_encode(const struct framing *f, const struct record *r,
			  const struct framing_plan *plan, uint8_t *out)
{
	struct span data = r->msg.data;

	(void)f;
	assert(plan->size == HEAD + data.n);
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(data.n >> (24 - 8 * i));
	out[4] = r->msg.type == MSG_TEXT ? TYPE_TEXT : TYPE_BINARY;
	if (data.n > 0)
		memcpy(out + HEAD, data.p, data.n);
}

static struct head read_head(struct span s)
{
	uint64_t n = 0;
	uint8_t type = 0;
	bool whole = cursor_be(&s, 4, &n) && cursor_u8(&s, &type);

	assert(whole);
	return (struct head){ .n = (size_t)n, .type = type };
}

/* FRAMING_MORE: nothing is wrong with it. */
static enum framing_result judge(const struct framing_reader *r, struct head h, struct error *err)
{
	size_t max = r->framing->max_message;
	bool known = h.type == TYPE_TEXT || h.type == TYPE_BINARY;

	if (known && h.n <= max)
		return FRAMING_MORE;
	if (known) {
		error_set(err, ERR_OVERFLOW, "record is longer than max_message (%zu bytes)", max);
		return FRAMING_BAD;
	}
	if (h.n <= max) {
		error_set(err, ERR_PAYLOAD, "record has the type %u (1 is text, 2 is binary)",
			  h.type);
		return FRAMING_BAD;
	}
	error_set(err, ERR_PROTOCOL,
		  "input is not in the framing \"length\": a record of type %u with %zu bytes",
		  h.type, h.n);
	return FRAMING_BROKEN;
}

static void skip_input(struct framing_reader *r, struct span *input)
{
	size_t n = r->skip < input->n ? (size_t)r->skip : input->n;

	*input = span_skip(*input, n);
	r->skip -= n;
}

static enum framing_result refuse(struct framing_reader *r, enum framing_result how, uint64_t skip,
				  struct span *input)
{
	buf_clear(&r->work);
	r->skip = skip;
	r->broken = how == FRAMING_BROKEN;
	skip_input(r, input);
	return how;
}

static enum framing_result hand_out(uint8_t type, struct span payload, struct order *o,
				    struct error *err)
{
	if (type == TYPE_TEXT && !utf8_valid(payload)) {
		error_set(err, ERR_PAYLOAD, "text is not valid UTF-8");
		return FRAMING_BAD;
	}
	o->msg.type = type == TYPE_TEXT ? MSG_TEXT : MSG_BINARY;
	o->msg.data = payload;
	return FRAMING_ORDER;
}

/* A record that begins in the input; MORE: it does not end there, and nothing was taken. */
static enum framing_result next_in_place(struct framing_reader *r, struct span *input,
					 struct order *o, struct error *err)
{
	struct head h = read_head(*input);
	enum framing_result result = judge(r, h, err);
	struct span rest = span_skip(*input, HEAD), payload;

	if (result != FRAMING_MORE) {
		*input = rest;
		return refuse(r, result, h.n, input);
	}
	if (!cursor_bytes(&rest, h.n, &payload))
		return FRAMING_MORE;
	*input = rest;
	return hand_out(h.type, payload, o, err);
}

/* Collects until there are n bytes. False: there are not; *result says what to return. */
static bool fill(struct framing_reader *r, struct span *input, size_t n,
		 enum framing_result *result, struct error *err)
{
	size_t left = n - r->work.len, now = left < input->n ? left : input->n;

	*result = FRAMING_MORE;
	if (!buf_append(&r->work, span_of(input->p, now))) {
		error_set(err, ERR_OVERFLOW, "no memory for a record of %zu bytes", n);
		*result = refuse(r, FRAMING_BAD, left, input);
		return false;
	}
	*input = span_skip(*input, now);
	return now == left;
}

static enum framing_result next_collected(struct framing_reader *r, struct span *input,
					  struct order *o, struct error *err)
{
	enum framing_result result;
	struct head h;

	if (r->work.len < HEAD && !fill(r, input, HEAD, &result, err))
		return result;
	h = read_head(buf_bytes(&r->work));
	result = judge(r, h, err);
	if (result != FRAMING_MORE)
		return refuse(r, result, h.n, input);
	if (!fill(r, input, HEAD + h.n, &result, err))
		return result;
	r->handed = HEAD + h.n;
	return hand_out(h.type, span_skip(buf_bytes(&r->work), HEAD), o, err);
}

static enum framing_result length_next(struct framing_reader *r, struct span *input,
				       struct order *o, struct error *err)
{
	enum framing_result result = FRAMING_MORE;

	buf_consume(&r->work, r->handed);
	r->handed = 0;
	if (r->broken)
		*input = span_skip(*input, input->n);
	skip_input(r, input);
	if (input->n == 0)
		return FRAMING_MORE;
	if (r->work.len == 0 && input->n >= HEAD)
		result = next_in_place(r, input, o, err);
	if (result != FRAMING_MORE)
		return result;
	return next_collected(r, input, o, err);
}

/* What was skipped has been reported. */
static enum framing_result length_finish(struct framing_reader *r, struct order *o,
					 struct error *err)
{
	size_t pending = r->work.len - r->handed;

	(void)o;
	buf_clear(&r->work);
	r->handed = 0;
	r->skip = 0;
	if (pending == 0)
		return FRAMING_MORE;
	error_set(err, ERR_PAYLOAD, "input ended inside a record");
	return FRAMING_BAD;
}

const struct framing_ops framing_length = {
	.begin = length_begin,
	.measure = length_measure,
	.encode = length_encode,
	.next = length_next,
	.finish = length_finish,
};
