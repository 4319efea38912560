/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Server bytes behind the upgrade. The input: one byte of options, one byte
 * with the number of pieces, their sizes, and then the bytes.
 *
 * Oracle: whole, byte by byte and in those pieces the same events and the same
 * output come out; the output is a sequence of masked frames with nothing but
 * Pongs behind a Close; memory is bounded by what has arrived.
 */
#include "fuzz.h"

#include "base/buf.h"
#include "ws/conn.h"
#include "ws/limits.h"

enum {
	OPT_NO_UTF8 = 1,
	OPT_CLOSE_FIRST = 2, /* our Close is under way */
	OPT_SMALL = 4,	     /* messages of 64 bytes at most */
	OPT_ECHO = 8,
	PIECES_MAX = 15,
	MAX_OUTPUT = 8192,
};

struct input {
	unsigned options;
	struct span pieces; /* sizes */
	struct span bytes;
};

static bool read_input(struct input *in, const uint8_t *data, size_t size)
{
	size_t n;

	if (size < 2)
		return false;
	n = data[1] & PIECES_MAX;
	if (size < 2 + n)
		return false;
	in->options = data[0];
	in->pieces = span_of(data + 2, n);
	in->bytes = span_of(data + 2 + n, size - 2 - n);
	return true;
}

static struct ws_conn *open_conn(const struct input *in)
{
	static const char response[] =
		"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Accept: " FUZZ_ACCEPT "\r\n\r\n";
	static struct rand_source source = { fuzz_rand_fill };
	const struct ws_params params = {
		.target = "/",
		.max_message = in->options & OPT_SMALL ? 64 : 65536,
		.max_output = MAX_OUTPUT,
		.validate_utf8 = !(in->options & OPT_NO_UTF8),
		.rand = &source,
	};
	struct ws_conn *c = ws_conn_new(&params);
	struct ws_event ev;

	ws_conn_feed(c, span_str(response));
	CHECK(ws_conn_next(c, &ev) == WS_UPGRADED);
	buf_clear(ws_conn_output(c));
	if (in->options & OPT_CLOSE_FIRST)
		CHECK(ws_conn_close(c, 1000, span_str("bye")) == WS_SENT);
	return c;
}

static void put(struct buf *out, const void *p, size_t n)
{
	CHECK(buf_append(out, span_of(p, n)));
}

/* The event as bytes, to be compared. */
static void put_event(struct buf *events, const struct ws_conn *c, const struct ws_event *ev)
{
	const struct error *err = ws_conn_error(c);
	const uint32_t head[] = { ev->type, ev->msg.type, (uint32_t)ev->msg.data.n,
				  (uint32_t)ev->payload.n, (uint32_t)ev->close_code };

	put(events, head, sizeof(head));
	put(events, ev->msg.data.p, ev->msg.data.n);
	put(events, ev->payload.p, ev->payload.n);
	if (ev->type != WS_FAILED)
		return;
	put(events, &err->code, sizeof(err->code));
	put(events, &err->close_code, sizeof(err->close_code));
	put(events, err->text, strlen(err->text));
}

static size_t allocated(void)
{
	return __sanitizer_get_current_allocated_bytes ? __sanitizer_get_current_allocated_bytes() :
							 0;
}

static void take_events(struct ws_conn *c, const struct input *in, struct buf *events, bool *over)
{
	struct ws_event ev;

	while (ws_conn_next(c, &ev) != WS_NONE) {
		CHECK(!*over);
		put_event(events, c, &ev);
		*over = ev.type == WS_FAILED || ev.type == WS_CLOSE;
		CHECK(*over == !(ws_conn_wants(c) & WS_WANT_READ));
		if (ev.type == WS_MESSAGE && (in->options & OPT_ECHO))
			ws_conn_send(c, ev.msg);
	}
	CHECK(ws_conn_output(c)->len <= MAX_OUTPUT + WS_OUTPUT_RESERVE);
}

/* Size of the next piece; step 0 = as the input says. */
static size_t piece_size(const struct input *in, size_t step, size_t i, size_t left)
{
	size_t n = step;

	if (step == 0)
		n = i < in->pieces.n ? in->pieces.p[i] : left;
	return n < left ? n : left;
}

static void run(const struct input *in, size_t step, struct buf *events, struct buf *output)
{
	struct ws_conn *c = open_conn(in);
	size_t before = allocated() - events->size, fed = 0;
	struct span rest = in->bytes;
	bool over = false;

	for (size_t i = 0; rest.n > 0; i++) {
		size_t n = piece_size(in, step, i, rest.n);

		ws_conn_feed(c, span_of(rest.p, n));
		take_events(c, in, events, &over);
		rest = span_skip(rest, n);
		fed += n;
		CHECK(ws_conn_partial(c) <= fed);
		CHECK(allocated() <= before + events->size + 2 * fed + 4 * MAX_OUTPUT);
	}
	put(output, buf_bytes(ws_conn_output(c)).p, ws_conn_output(c)->len);
	ws_conn_free(c);
}

/* One masked frame from the front; its opcode. */
static unsigned take_frame(struct span *s)
{
	unsigned first;
	size_t n, extended;

	CHECK(s->n >= 6);
	first = s->p[0];
	n = s->p[1] & 127;
	CHECK((first & 0xF0) == 0x80 && (s->p[1] & 128));
	extended = n == 126 ? 2 : 0;
	CHECK(n < 127); /* MAX_OUTPUT is below 64 KiB */
	if (extended) {
		n = (size_t)s->p[2] << 8 | s->p[3];
		CHECK(n > 125);
	}
	CHECK(s->n >= 2 + extended + 4 + n);
	CHECK(!(first & 8) || n <= 125);
	*s = span_skip(*s, 2 + extended + 4 + n);
	return first & 15;
}

static void check_output(struct span output)
{
	bool closed = false;

	while (output.n > 0) {
		unsigned opcode = take_frame(&output);

		CHECK(!closed || opcode == 10);
		CHECK(opcode == 1 || opcode == 2 || opcode == 8 || opcode == 10);
		closed = closed || opcode == 8;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf events[3], output[3];
	struct input in;

	if (!read_input(&in, data, size))
		return 0;
	for (size_t i = 0; i < 3; i++) {
		const size_t steps[] = { SIZE_MAX, 1, 0 };

		buf_init(&events[i], SIZE_MAX / 4);
		buf_init(&output[i], SIZE_MAX / 4);
		run(&in, steps[i], &events[i], &output[i]);
		CHECK(span_equal(buf_bytes(&events[i]), buf_bytes(&events[0])));
		CHECK(span_equal(buf_bytes(&output[i]), buf_bytes(&output[0])));
	}
	check_output(buf_bytes(&output[0]));
	for (size_t i = 0; i < 3; i++) {
		buf_deinit(&events[i]);
		buf_deinit(&output[i]);
	}
	return 0;
}
