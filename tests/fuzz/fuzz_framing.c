/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The framings of the local side. The input: one byte with the framing and
 * whether a socket is seqpacket, one byte of options, one byte with the size of
 * pieces (0 = whole), and then bytes, which are taken twice: as what a client
 * writes, and as a message from upstream.
 *
 * Oracle: whole, byte by byte and in those pieces the same orders come out (not
 * in packets, and of raw only the bytes are the same); each of them keeps the
 * limits of WebSocket; memory is bounded by what has arrived. A message fills
 * its record to the byte, has one end, and comes back as it was.
 */
#include "fuzz.h"

#include "base/buf.h"
#include "base/close_code.h"
#include "base/json_cut.h"
#include "base/utf8.h"
#include "endpoint/framing.h"

enum {
	OPT_SMALL = 1, /* messages of 64 bytes at most */
	OPT_NUL = 2,
	OPT_INLINE = 4,
	MAX_BIG = 65536,
	ID_MAX = 256,
	CONTROL_MAX = 125,
	SLACK = 4096, /* what an allocator and a buffer's first block may take */
};

struct input {
	struct endpoint_rules conf;
	size_t max, step;
	struct span bytes;
};

static bool read_input(struct input *in, const uint8_t *data, size_t size)
{
	if (size < 3)
		return false;
	*in = (struct input){ .max = data[1] & OPT_SMALL ? 64 : MAX_BIG };
	in->conf.framing = (enum conf_framing)(data[0] & 3);
	in->conf.type = data[0] & 4 ? SOCKET_SEQPACKET : SOCKET_STREAM;
	if (in->conf.framing == FRAMING_LENGTH)
		in->conf.type = SOCKET_STREAM;
	in->conf.delimiter = data[1] & OPT_NUL ? 0 : '\n';
	in->conf.data = data[1] & OPT_INLINE ? JSON_DATA_INLINE : JSON_DATA_STRING;
	in->conf.newlines = (enum conf_newlines)((data[1] >> 3) % 3);
	in->conf.send_as = (enum conf_send_as)((data[1] >> 5) % 3);
	in->conf.binary = data[1] & 0x80 ? BINARY_HEX : BINARY_BASE64;
	in->conf.events = EVENTS_ALL;
	in->step = data[2] ? data[2] : SIZE_MAX;
	in->bytes = span_of(data + 3, size - 3);
	return true;
}

static void put(struct buf *out, const void *p, size_t n)
{
	CHECK(buf_append(out, span_of(p, n)));
}

static void put_span(struct buf *out, struct span s)
{
	put(out, &s.n, sizeof(s.n));
	put(out, s.p, s.n);
}

static void check_order(const struct input *in, const struct order *o)
{
	CHECK(o->id.n <= ID_MAX && (o->id.n == 0 || json_cut_valid(o->id, 600)));
	switch (o->type) {
	case ORDER_MESSAGE:
		CHECK(o->msg.data.n <= in->max);
		CHECK(o->msg.type == MSG_BINARY || utf8_valid(o->msg.data));
		break;
	case ORDER_RUN:
		CHECK(false);
		break;
	case ORDER_PING:
	case ORDER_PONG:
		CHECK(o->payload.n <= CONTROL_MAX);
		break;
	case ORDER_CLOSE:
		CHECK(close_code_is_for_clients(o->code));
		CHECK(o->reason.n <= CLOSE_REASON_MAX && utf8_valid(o->reason));
		break;
	}
}

/* The order as bytes, to be compared. */
static void put_order(struct buf *out, const struct input *in, const struct order *o)
{
	if (in->conf.framing == FRAMING_RAW) {
		put(out, o->msg.data.p, o->msg.data.n);
		return;
	}
	put(out, &o->type, sizeof(o->type));
	put(out, &o->msg.type, sizeof(o->msg.type));
	put(out, &o->msg.more, sizeof(o->msg.more));
	put(out, &o->code, sizeof(o->code));
	put_span(out, o->msg.data);
	put_span(out, o->payload);
	put_span(out, o->reason);
	put_span(out, o->id);
}

static void put_result(struct buf *out, const struct input *in, enum framing_result result,
		       const struct order *o, const struct error *err)
{
	if (result == FRAMING_ORDER) {
		check_order(in, o);
		put_order(out, in, o);
		return;
	}
	CHECK(result == FRAMING_BAD || result == FRAMING_BROKEN);
	CHECK(err->code != ERR_NONE && *err->text);
	CHECK(o->id.n <= ID_MAX);
	put(out, err->text, strlen(err->text));
	put_span(out, o->id);
}

static size_t allocated(void)
{
	return __sanitizer_get_current_allocated_bytes ? __sanitizer_get_current_allocated_bytes() :
							 0;
}

static void run(const struct input *in, size_t step, struct buf *out)
{
	struct framing f;
	struct framing_reader r;
	enum framing_result result;
	struct error err;
	struct order o;
	size_t before = allocated() - out->size, fed = 0;

	framing_init(&f, &in->conf, in->max);
	framing_reader_init(&r, &f);
	while (fed < in->bytes.n) {
		size_t left = in->bytes.n - fed, n = step < left ? step : left;
		struct span piece = span_of(in->bytes.p + fed, n);

		fed += n;
		while ((result = framing_next(&r, &piece, &o, &err)) != FRAMING_MORE)
			put_result(out, in, result, &o, &err);
		CHECK(piece.n == 0);
		CHECK(framing_pending(&r) <= fed);
		CHECK(allocated() <= before + out->size + 8 * fed + SLACK);
	}
	while ((result = framing_finish(&r, &o, &err)) != FRAMING_MORE)
		put_result(out, in, result, &o, &err);
	framing_reader_deinit(&r);
}

static void check_splits(const struct input *in)
{
	const size_t steps[] = { 1, SIZE_MAX, in->step };
	bool is_text = in->conf.framing == FRAMING_RAW && in->conf.send_as == SEND_AS_TEXT;
	bool same = in->conf.type == SOCKET_STREAM && (!is_text || utf8_valid(in->bytes));
	struct buf out[3];

	for (size_t i = 0; i < 3; i++) {
		buf_init(&out[i], SIZE_MAX / 4);
		run(in, steps[i], &out[i]);
		CHECK(!same || span_equal(buf_bytes(&out[i]), buf_bytes(&out[0])));
	}
	for (size_t i = 0; i < 3; i++)
		buf_deinit(&out[i]);
}

/* One record, in memory of its size. NULL: the framing does not carry it. */
static uint8_t *encode(const struct input *in, const struct record *r, struct framing_plan *plan)
{
	struct framing f;
	uint8_t *out;

	framing_init(&f, &in->conf, in->max);
	if (!framing_measure(&f, r, plan))
		return NULL;
	CHECK(plan->size > 0 || in->conf.framing == FRAMING_RAW);
	out = malloc(plan->size + 1);
	CHECK(out);
	out[plan->size] = 0xAA;
	framing_encode(&f, r, plan, out);
	CHECK(out[plan->size] == 0xAA);
	return out;
}

/* A stream of lines: the only delimiter is the last byte. */
static void check_one_end(const struct input *in, const uint8_t *record, size_t n)
{
	int end = in->conf.framing == FRAMING_JSON ? '\n' : (int)in->conf.delimiter;
	const uint8_t *at = memchr(record, end, n);

	if (in->conf.framing != FRAMING_JSON && in->conf.framing != FRAMING_LINES)
		return;
	if (in->conf.type == SOCKET_STREAM)
		CHECK(at == record + n - 1);
	else if (in->conf.framing == FRAMING_JSON)
		CHECK(!at);
	if (in->conf.framing == FRAMING_JSON)
		CHECK(json_cut_valid(span_of(record, n), 600));
}

/* Is it one of those that come back as they were? */
static bool is_lossless(const struct input *in, const struct record *r,
			const struct framing_plan *plan)
{
	if (r->msg.data.n > in->max)
		return false;
	switch (in->conf.framing) {
	case FRAMING_JSON:
		return !plan->replaced && !plan->as_value;
	case FRAMING_LENGTH:
		return r->msg.type == MSG_BINARY || utf8_valid(r->msg.data);
	case FRAMING_LINES:
	case FRAMING_RAW:
		break;
	}
	return false;
}

static void check_back(const struct input *in, const struct record *r, struct span record)
{
	struct framing f;
	struct framing_reader reader;
	struct error err;
	struct order o;

	framing_init(&f, &in->conf, in->max);
	framing_reader_init(&reader, &f);
	CHECK(framing_next(&reader, &record, &o, &err) == FRAMING_ORDER);
	CHECK(o.type == ORDER_MESSAGE && o.msg.type == r->msg.type);
	CHECK(o.msg.more == (r->msg.more && in->conf.framing == FRAMING_JSON));
	CHECK(span_equal(o.msg.data, r->msg.data));
	CHECK(framing_next(&reader, &record, &o, &err) == FRAMING_MORE);
	framing_reader_deinit(&reader);
}

static void check_record(const struct input *in, const struct record *r)
{
	struct framing_plan plan;
	uint8_t *out = encode(in, r, &plan);
	struct framing f;
	uint64_t seq;
	bool has_seq;

	if (!out)
		return;
	framing_init(&f, &in->conf, in->max);
	check_one_end(in, out, plan.size);
	has_seq = framing_seq_of(&f, span_of(out, plan.size), &seq);
	CHECK(has_seq == (in->conf.framing == FRAMING_JSON && r->type == RECORD_MESSAGE));
	CHECK(!has_seq || seq == r->seq);
	if (r->type == RECORD_MESSAGE && is_lossless(in, r, &plan))
		check_back(in, r, span_of(out, plan.size));
	free(out);
}

static void check_records(const struct input *in)
{
	struct record r = { .type = RECORD_MESSAGE, .seq = in->bytes.n * 77, .epoch = in->step };
	char text[64] = "";

	r.msg.data = in->bytes;
	for (int i = 0; i < 4; i++) {
		r.msg.type = i & 1 ? MSG_BINARY : MSG_TEXT;
		r.msg.more = i & 2;
		check_record(in, &r);
	}
	memcpy(text, in->bytes.p, in->bytes.n < 63 ? in->bytes.n : 63);
	r.url = r.subprotocol = r.reason = text;
	r.payload = span_of(in->bytes.p, in->bytes.n < CONTROL_MAX ? in->bytes.n : CONTROL_MAX);
	for (int type = RECORD_OPEN; type <= RECORD_GAP; type++) {
		r.type = (enum record_type)type;
		check_record(in, &r);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in;

	if (!read_input(&in, data, size))
		return 0;
	check_splits(&in);
	check_records(&in);
	return 0;
}
