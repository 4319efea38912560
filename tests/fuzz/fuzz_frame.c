/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Server bytes behind the upgrade. The input: one byte of options, one byte
 * with the number of pieces, their sizes, and then the bytes.
 *
 * Oracle: whole, byte by byte and in those pieces the same events and the same
 * output come out; the output is a sequence of masked frames, their fragments
 * in order, with nothing but Pongs behind a Close, however it is written; each
 * text that is handed out is UTF-8; memory is bounded by what has arrived.
 */
#include "fuzz.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "ws/conn.h"
#include "ws/limits.h"

enum {
	OPT_NO_UTF8 = 1,
	OPT_CLOSE_FIRST = 2, /* our Close is under way */
	OPT_SMALL = 4,	     /* messages of 64 bytes at most */
	OPT_ECHO = 8,
	OPT_DELIVER = 16, /* fragments one by one */
	OPT_WRITE = 32,	  /* after each event some bytes of the output leave */
	PIECES_MAX = 15,
	MAX_OUTPUT = 8192,
};

struct input {
	unsigned options;
	struct span pieces; /* sizes */
	struct span bytes;
};

/* What a conversation has said to its user and to the wire. */
struct result {
	struct buf events, output;
	size_t n_events;
	bool over;
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
		.deliver_fragments = in->options & OPT_DELIVER,
		.rand = &source,
	};
	struct ws_conn *c = ws_conn_new(&params);
	struct ws_event ev;

	ws_conn_feed(c, span_str(response));
	CHECK(ws_conn_next(c, &ev) == WS_UPGRADED);
	ws_conn_wrote(c, ws_conn_output_len(c));
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
	const uint32_t head[] = { ev->type,
				  ev->msg.type,
				  ev->msg.more,
				  (uint32_t)ev->msg.data.n,
				  (uint32_t)ev->payload.n,
				  (uint32_t)ev->close_code };

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

/* The first n bytes of the output leave. */
static void write_some(struct ws_conn *c, size_t n, struct buf *output)
{
	struct iovec iov[WS_OUTPUT_IOV];
	int filled = ws_conn_output(c, iov);
	size_t left = n;

	for (int i = 0; i < filled; i++) {
		size_t some = iov[i].iov_len < left ? iov[i].iov_len : left;

		put(output, iov[i].iov_base, some);
		left -= some;
	}
	CHECK(left == 0);
	ws_conn_wrote(c, n);
}

static void check_message(const struct input *in, struct msg msg)
{
	if (msg.type == MSG_TEXT && !(in->options & OPT_NO_UTF8))
		CHECK(utf8_valid(msg.data));
	CHECK(!msg.more || (msg.data.n > 0 && (in->options & OPT_DELIVER)));
}

/* How much leaves follows from the events alone, so that all splits have the same output. */
static void on_event(struct ws_conn *c, const struct input *in, const struct ws_event *ev,
		     struct result *result)
{
	size_t n = ++result->n_events % 23, len;

	if (ev->type == WS_MESSAGE)
		check_message(in, ev->msg);
	if (ev->type == WS_MESSAGE && (in->options & OPT_ECHO))
		ws_conn_send(c, ev->msg);
	len = ws_conn_output_len(c);
	if (in->options & OPT_WRITE)
		write_some(c, n < len ? n : len, &result->output);
}

static void take_events(struct ws_conn *c, const struct input *in, struct result *result)
{
	struct ws_event ev;

	while (ws_conn_next(c, &ev) != WS_NONE) {
		CHECK(!result->over);
		put_event(&result->events, c, &ev);
		result->over = ev.type == WS_FAILED || ev.type == WS_CLOSE;
		CHECK(result->over == !(ws_conn_wants(c) & WS_WANT_READ));
		on_event(c, in, &ev, result);
	}
	CHECK(ws_conn_output_len(c) <= MAX_OUTPUT + WS_OUTPUT_RESERVE);
}

/* Size of the next piece; step 0 = as the input says. */
static size_t piece_size(const struct input *in, size_t step, size_t i, size_t left)
{
	size_t n = step;

	if (step == 0)
		n = i < in->pieces.n ? in->pieces.p[i] : left;
	return n < left ? n : left;
}

static size_t allocated_for(const struct result *result)
{
	return result->events.size + result->output.size;
}

static void run(const struct input *in, size_t step, struct result *result)
{
	struct ws_conn *c = open_conn(in);
	size_t before = allocated() - allocated_for(result), fed = 0;
	struct span rest = in->bytes;

	for (size_t i = 0; rest.n > 0; i++) {
		size_t n = piece_size(in, step, i, rest.n);

		ws_conn_feed(c, span_of(rest.p, n));
		take_events(c, in, result);
		rest = span_skip(rest, n);
		fed += n;
		CHECK(ws_conn_partial(c) <= fed);
		CHECK(allocated() <= before + allocated_for(result) + 2 * fed + 8 * MAX_OUTPUT);
	}
	while (ws_conn_output_len(c) > 0)
		write_some(c, ws_conn_output_len(c), &result->output);
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
	CHECK((first & 0x70) == 0 && (s->p[1] & 128));
	extended = n == 126 ? 2 : 0;
	CHECK(n < 127); /* MAX_OUTPUT is below 64 KiB */
	if (extended) {
		n = (size_t)s->p[2] << 8 | s->p[3];
		CHECK(n > 125);
	}
	CHECK(s->n >= 2 + extended + 4 + n);
	CHECK(!(first & 8) || (n <= 125 && (first & 128)));
	*s = span_skip(*s, 2 + extended + 4 + n);
	return first;
}

static void check_output(struct span output)
{
	bool closed = false, in_message = false;

	while (output.n > 0) {
		unsigned first = take_frame(&output), opcode = first & 15;

		CHECK(!closed || opcode == 10);
		CHECK(opcode <= 2 || opcode == 8 || opcode == 10);
		closed = closed || opcode == 8;
		if (opcode > 2)
			continue;
		CHECK(in_message == (opcode == 0));
		in_message = !(first & 128);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct result results[3] = { 0 };
	struct input in;

	if (!read_input(&in, data, size))
		return 0;
	for (size_t i = 0; i < 3; i++) {
		const size_t steps[] = { SIZE_MAX, 1, 0 };

		buf_init(&results[i].events, SIZE_MAX / 4);
		buf_init(&results[i].output, SIZE_MAX / 4);
		run(&in, steps[i], &results[i]);
		CHECK(span_equal(buf_bytes(&results[i].events), buf_bytes(&results[0].events)));
		CHECK(span_equal(buf_bytes(&results[i].output), buf_bytes(&results[0].output)));
	}
	check_output(buf_bytes(&results[0].output));
	for (size_t i = 0; i < 3; i++) {
		buf_deinit(&results[i].events);
		buf_deinit(&results[i].output);
	}
	return 0;
}
