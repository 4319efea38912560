/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compressed messages from a server. The input: one byte of options, one with
 * the size of fragments (0 = whole messages), one with that of pieces (0 =
 * whole), and then messages: two bytes with a length, and so many of payload.
 *
 * Oracle: message by message what zlib makes of the whole payload in one call
 * into room for the limit and one byte, its window carried on by the calls that
 * zlib documents for it; the same verdict, the same bytes, and any split of the
 * stream gives them; memory is bounded by the limit. With a window of 9 bits the
 * verdict may be a failure where zlib's, with 15, is none: whether it sees a
 * distance that leaves the window depends on how the stream is cut.
 */
#include "fuzz.h"

#include <zlib.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "ws/conn.h"

enum {
	OPT_ALONE = 1, /* server_no_context_takeover */
	OPT_SMALL = 2, /* messages of 64 bytes at most */
	OPT_TEXT = 4,
	OPT_RELEASE = 8, /* memory is given back behind each message */
	OPT_BITS = 16,	 /* a window of 9 bits, else 15 */
	LIMIT = 65536,
	LIMIT_SMALL = 64,
	MEMORY = 2 * LIMIT + (256 << 10),
	WINDOW = 32768,
};

struct input {
	unsigned options;
	size_t fragment, piece;
	struct span messages;
};

static size_t limit_of(const struct input *in)
{
	return in->options & OPT_SMALL ? LIMIT_SMALL : LIMIT;
}

/* The payload of the next message; false: there is none. */
static bool take(struct span *s, struct span *payload)
{
	size_t n;

	if (s->n < 2)
		return false;
	n = (size_t)s->p[0] << 8 | s->p[1];
	*s = span_skip(*s, 2);
	*payload = span_of(s->p, n < s->n ? n : s->n);
	*s = span_skip(*s, payload->n);
	return true;
}

/* What there is to expect of one message. */
enum outcome { GOOD, BAD, TOO_LONG };

struct reference {
	z_stream z;
	uint8_t out[LIMIT + 1];
	size_t n; /* of the message */
};

/* A stream has ended inside a message: another begins, with the window of the first. */
static void go_on(z_stream *z)
{
	uint8_t window[WINDOW];
	uInt n = sizeof(window);

	CHECK(inflateGetDictionary(z, window, &n) == Z_OK);
	CHECK(inflateReset(z) == Z_OK);
	CHECK(inflateSetDictionary(z, window, n) == Z_OK);
}

static int inflate_all(struct reference *r, struct span in, size_t limit)
{
	int result = Z_STREAM_END;

	r->z.next_in = (uint8_t *)(uintptr_t)in.p;
	r->z.avail_in = (uInt)in.n;
	while (result == Z_STREAM_END && r->z.avail_in > 0 && r->n <= limit) {
		r->z.next_out = r->out + r->n;
		r->z.avail_out = (uInt)(limit + 1 - r->n);
		result = inflate(&r->z, Z_SYNC_FLUSH);
		r->n = limit + 1 - r->z.avail_out;
		if (result == Z_STREAM_END)
			go_on(&r->z);
	}
	return result;
}

static enum outcome judge(struct reference *r, const struct input *in, struct span payload)
{
	size_t limit = limit_of(in);
	int result;

	r->n = 0;
	if (in->options & OPT_ALONE)
		inflateReset(&r->z);
	if (payload.n == 0)
		return GOOD;
	result = inflate_all(r, payload, limit);
	if (r->n <= limit && (result == Z_OK || result == Z_BUF_ERROR))
		result = inflate_all(r, span_of("\0\0\xFF\xFF", 4), limit);
	if (r->n > limit)
		return TOO_LONG;
	if (result == Z_STREAM_END)
		return GOOD;
	if (result != Z_OK && result != Z_BUF_ERROR)
		return BAD;
	return (r->z.data_type & 191) == 128 ? GOOD : BAD;
}

static void put_frame(struct buf *out, unsigned first, struct span payload)
{
	uint8_t head[4] = { (uint8_t)first, (uint8_t)payload.n };
	size_t n = 2;

	if (payload.n > 125) {
		head[1] = 126;
		head[2] = (uint8_t)(payload.n >> 8);
		head[3] = (uint8_t)payload.n;
		n = 4;
	}
	CHECK(buf_append(out, span_of(head, n)) && buf_append(out, payload));
}

static void put_message(struct buf *out, const struct input *in, struct span payload)
{
	size_t step = in->fragment ? in->fragment : payload.n;
	unsigned first = in->options & OPT_TEXT ? 0x41 : 0x42;

	for (; payload.n > step; payload = span_skip(payload, step)) {
		put_frame(out, first, span_of(payload.p, step));
		first = 0;
	}
	put_frame(out, first | 0x80, payload);
}

static struct ws_conn *open_conn(const struct input *in)
{
	static const char response[] =
		"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Accept: " FUZZ_ACCEPT "\r\nSec-WebSocket-Extensions: "
		"permessage-deflate; server_max_window_bits=";
	static struct rand_source source = { fuzz_rand_fill };
	const struct ws_params params = {
		.target = "/",
		.max_message = limit_of(in),
		.max_output = LIMIT,
		.validate_utf8 = in->options & OPT_TEXT,
		.rand = &source,
		.deflate = { .on = true,
			     .client_max_window_bits = 15,
			     .server_max_window_bits = 15 },
		.deflate_level = 1,
	};
	struct ws_conn *c = ws_conn_new(&params);
	struct ws_event ev;

	ws_conn_feed(c, span_str(response));
	CHECK(ws_conn_next(c, &ev) == WS_NONE);
	ws_conn_feed(c, span_str(in->options & OPT_BITS ? "9" : "15"));
	CHECK(ws_conn_next(c, &ev) == WS_NONE);
	ws_conn_feed(c, span_str(in->options & OPT_ALONE ? "; server_no_context_takeover\r\n\r\n" :
							   "\r\n\r\n"));
	CHECK(ws_conn_next(c, &ev) == WS_UPGRADED);
	ws_conn_wrote(c, ws_conn_output_len(c));
	return c;
}

/* Feeds one message; the event that comes of it. Its spans are valid until the next call. */
static struct ws_event pass(struct ws_conn *c, struct span wire, size_t step)
{
	struct ws_event ev = { .type = WS_NONE };

	while (wire.n > 0) {
		size_t n = step < wire.n ? step : wire.n;

		CHECK(ev.type == WS_NONE);
		ws_conn_feed(c, span_of(wire.p, n));
		ws_conn_next(c, &ev);
		wire = span_skip(wire, n);
		if (ev.type == WS_FAILED)
			break;
	}
	return ev;
}

static void check(const struct input *in, const struct ws_conn *c, const struct ws_event *ev,
		  enum outcome expected, const struct reference *r)
{
	struct span out = span_of(r->out, r->n);
	bool is_text = !(in->options & OPT_TEXT) || utf8_valid(out);

	if (ev->type == WS_MESSAGE) {
		CHECK(expected == GOOD && is_text && span_equal(ev->msg.data, out));
		return;
	}
	CHECK(ev->type == WS_FAILED);
	if (in->options & OPT_BITS || (in->options & OPT_TEXT && expected != GOOD))
		return; /* the text may have been wrong before that */
	CHECK(expected != GOOD || !is_text);
	CHECK(ws_conn_error(c)->close_code == (expected == TOO_LONG ? 1009 : 1007));
}

static size_t allocated(void)
{
	return __sanitizer_get_current_allocated_bytes ? __sanitizer_get_current_allocated_bytes() :
							 0;
}

static void run(const struct input *in, size_t step)
{
	static struct reference r;
	struct span rest = in->messages, payload;
	struct ws_event ev = { .type = WS_MESSAGE };
	struct ws_conn *c = open_conn(in);
	size_t before = allocated();
	struct buf wire;

	r = (struct reference){ 0 };
	CHECK(inflateInit2(&r.z, -15) == Z_OK);
	buf_init(&wire, 1 << 20);
	while (ev.type == WS_MESSAGE && take(&rest, &payload)) {
		enum outcome expected = judge(&r, in, payload);

		buf_clear(&wire);
		put_message(&wire, in, payload);
		ev = pass(c, buf_bytes(&wire), step);
		check(in, c, &ev, expected, &r);
		CHECK(allocated() < before + MEMORY + wire.size);
		if (ev.type == WS_MESSAGE)
			CHECK(ws_conn_next(c, &(struct ws_event){ 0 }) == WS_NONE);
		if (in->options & OPT_RELEASE)
			ws_conn_release(c);
	}
	inflateEnd(&r.z);
	buf_deinit(&wire);
	ws_conn_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in;

	if (size < 3)
		return 0;
	in = (struct input){ data[0], data[1], data[2], span_of(data + 3, size - 3) };
	run(&in, SIZE_MAX);
	run(&in, 1);
	if (in.piece)
		run(&in, in.piece);
	return 0;
}
