/* SPDX-License-Identifier: Apache-2.0 */
/* The server's half for tests, see peer.h. Nothing here is used by the program. */
#include "ws/peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/chunks.h"
#include "ws/upgrade.h"

enum { EVERY_SPLIT_UP_TO = 700 };

static void put_byte(struct buf *out, unsigned byte)
{
	uint8_t b = (uint8_t)byte;

	assert_true(buf_append(out, span_of(&b, 1)));
}

static void put_length(struct buf *out, uint64_t n, unsigned mask_bit)
{
	if (n < 126) {
		put_byte(out, mask_bit | (unsigned)n);
		return;
	}
	put_byte(out, mask_bit | (n < 65536 ? 126u : 127u));
	for (int shift = n < 65536 ? 8 : 56; shift >= 0; shift -= 8)
		put_byte(out, (unsigned)(n >> shift) & 0xFF);
}

static void put_payload(struct buf *out, const struct fr *f, size_t from, size_t n)
{
	for (size_t i = from; i < from + n; i++)
		put_byte(out, (uint8_t)f->p[i % f->n]);
}

static void put_masked(struct buf *out, const struct fr *f, size_t from, size_t n)
{
	assert_true(buf_append(out, span_of(PEER_KEY, 4)));
	for (size_t i = 0; i < n; i++)
		put_byte(out, (uint8_t)(f->p[(from + i) % f->n] ^ PEER_KEY[i % 4]));
}

/* The frame, or its fragments. */
static void put_fr(struct buf *out, const struct fr *f, bool masked)
{
	size_t step = f->fragment ? f->fragment : f->total, at = 0;

	do {
		size_t n = f->total - at < step ? f->total - at : step;
		unsigned fin = at + n == f->total ? (unsigned)f->first & 0x80 : 0;
		unsigned opcode = at == 0 ? (unsigned)f->first & 0x7F : 0;

		put_byte(out, fin | opcode);
		put_length(out, n, masked ? 0x80 : 0);
		(masked ? put_masked : put_payload)(out, f, at, n);
		at += n;
	} while (at < f->total);
}

void peer_put_server(struct buf *out, const struct fr *f)
{
	put_fr(out, f, false);
}

void peer_put_client(struct buf *out, const struct fr *f)
{
	put_fr(out, f, true);
}

void peer_write(struct ws_conn *c, struct buf *wire)
{
	struct iovec iov[WS_OUTPUT_IOV];
	int n;

	while ((n = ws_conn_output(c, iov)) > 0) {
		size_t all = 0;

		assert_in_range(n, 1, WS_OUTPUT_IOV);
		for (int i = 0; i < n; i++) {
			assert_true(buf_append(wire, span_of(iov[i].iov_base, iov[i].iov_len)));
			all += iov[i].iov_len;
		}
		assert_int_equal(ws_conn_output_len(c), all);
		ws_conn_wrote(c, all);
	}
	assert_int_equal(ws_conn_output_len(c), 0);
}

void peer_drop_output(struct ws_conn *c)
{
	struct buf wire;

	buf_init(&wire, 16 * PEER_MAX_MESSAGE);
	peer_write(c, &wire);
	buf_deinit(&wire);
}

void peer_put_response_with(struct buf *out, struct ws_conn *c, const char *fields)
{
	static const char name[] = "Sec-WebSocket-Key: ";
	struct iovec iov[WS_OUTPUT_IOV];
	int n = ws_conn_output(c, iov);
	struct span request = span_of(iov[0].iov_base, iov[0].iov_len);
	const uint8_t *key = memmem(request.p, request.n, name, sizeof(name) - 1);
	char accept[UPGRADE_ACCEPT_LEN + 1], head[512];

	assert_int_equal(n, 1);
	assert_non_null(key);
	upgrade_accept(accept, span_of(key + sizeof(name) - 1, UPGRADE_KEY_LEN));
	snprintf(head, sizeof(head),
		 "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		 "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n%s\r\n",
		 accept, fields);
	assert_true(buf_append(out, span_str(head)));
}

void peer_put_response(struct buf *out, struct ws_conn *c)
{
	peer_put_response_with(out, c, "");
}

struct ws_params peer_params(struct fixed_rand *r)
{
	fixed_rand_init(r, span_of(PEER_KEY, 4));
	return (struct ws_params){
		.target = "/",
		.host = "server.example",
		.max_message = PEER_MAX_MESSAGE,
		.max_output = 4 * PEER_MAX_MESSAGE,
		.validate_utf8 = true,
		.rand = &r->source,
	};
}

struct ws_conn *peer_open(const struct ws_params *params)
{
	return peer_open_with(params, "");
}

struct ws_conn *peer_open_with(const struct ws_params *params, const char *fields)
{
	struct ws_conn *c = ws_conn_new(params);
	struct ws_event ev;
	struct buf in;

	buf_init(&in, 4096);
	peer_put_response_with(&in, c, fields);
	peer_drop_output(c);
	ws_conn_feed(c, buf_bytes(&in));
	assert_int_equal(ws_conn_next(c, &ev), WS_UPGRADED);
	assert_int_equal(ws_conn_next(c, &ev), WS_NONE);
	buf_deinit(&in);
	return c;
}

static bool is_payload(struct span got, const struct fr *f, size_t skip)
{
	if (got.n != f->total - skip)
		return false;
	for (size_t i = 0; i < got.n; i++) {
		if (got.p[i] != (uint8_t)f->p[(i + skip) % f->n])
			return false;
	}
	return true;
}

static bool is_close(const struct ws_event *ev, const struct fr *f)
{
	int code = f->total == 0 ? 1005 : (uint8_t)f->p[0] << 8 | (uint8_t)f->p[1];

	return ev->close_code == code && is_payload(ev->payload, f, f->total ? 2 : 0);
}

static bool is_event(const struct ws_conn *c, const struct ws_event *ev, const struct fr *f)
{
	switch (ev->type) {
	case WS_NONE:
		return f->p == NULL;
	case WS_UPGRADED:
		return false;
	case WS_MESSAGE:
		return f->first == (ev->msg.type == MSG_TEXT ? 1 : 2) + (ev->msg.more ? 0 : 0x80) &&
		       f->p && is_payload(ev->msg.data, f, 0);
	case WS_PING:
		return f->first == 0x89 && is_payload(ev->payload, f, 0);
	case WS_PONG:
		return f->first == 0x8A && is_payload(ev->payload, f, 0);
	case WS_CLOSE:
		return f->first == 0x88 && is_close(ev, f);
	case WS_FAILED:
		return f->first == FAILED && strcmp(ws_conn_error(c)->text, f->p) == 0;
	}
	return false;
}

void peer_expect(struct ws_conn *c, struct span bytes, const struct fr *event)
{
	struct ws_event ev;

	ws_conn_feed(c, bytes);
	ws_conn_next(c, &ev);
	assert_true(is_event(c, &ev, event));
	if (ev.type != WS_NONE)
		assert_int_equal(ws_conn_next(c, &ev), WS_NONE);
}

static void put_frames(struct buf *out, const struct fr *frames)
{
	for (; frames->p; frames++)
		peer_put_client(out, frames);
}

void peer_expect_output(struct ws_conn *c, const struct fr *frames)
{
	struct buf expected, wire;

	buf_init(&expected, 16 * PEER_MAX_MESSAGE);
	buf_init(&wire, 16 * PEER_MAX_MESSAGE);
	put_frames(&expected, frames);
	peer_write(c, &wire);
	assert_int_equal(wire.len, expected.len);
	assert_true(span_equal(buf_bytes(&wire), buf_bytes(&expected)));
	buf_deinit(&expected);
	buf_deinit(&wire);
}

struct run {
	const struct talk *talk;
	bool deliver;
	bool fast;	     /* by ws_conn_run and ws_conn_send_run wherever they will */
	struct buf expected; /* output */
};

static void check_event(struct ws_conn *c, const struct talk *t, const struct ws_event *ev,
			size_t at)
{
	if (!is_event(c, ev, &t->events[at]))
		fail_msg("%s: event %zu has type %d (%s)", t->name, at, (int)ev->type,
			 ev->type == WS_FAILED ? ws_conn_error(c)->text : "");
}

/* Two at a time, so that there are several runs. */
static bool take_run(struct ws_conn *c, const struct talk *t, size_t *at)
{
	struct msg msgs[2];
	size_t n = ws_conn_run(c, msgs, 2);

	assert_true(n <= 2);
	for (size_t i = 0; i < n; i++) {
		struct ws_event ev = { .type = WS_MESSAGE, .msg = msgs[i] };

		check_event(c, t, &ev, (*at)++);
	}
	for (size_t i = ws_conn_send_run(c, msgs, n, 100); i < n; i++)
		assert_int_equal(ws_conn_send(c, msgs[i]), WS_SENT);
	return n > 0;
}

/* Takes all events that are there, echoes messages, writes the output to `wire`. */
static void take_events(struct ws_conn *c, const struct run *run, size_t *at, struct buf *wire)
{
	struct ws_event ev;

	for (;;) {
		if (run->fast && take_run(c, run->talk, at))
			continue;
		if (ws_conn_next(c, &ev) == WS_NONE)
			break;
		check_event(c, run->talk, &ev, (*at)++);
		if (ev.type == WS_MESSAGE)
			assert_int_equal(ws_conn_send(c, ev.msg), WS_SENT);
	}
	peer_write(c, wire);
}

static void run_pieces(struct chunks *chunks, void *arg)
{
	const struct run *run = arg;
	struct fixed_rand r;
	struct ws_params params = peer_params(&r);
	struct ws_conn *c;
	struct span piece;
	struct buf wire;
	size_t at = 0;

	params.deliver_fragments = run->deliver;
	c = peer_open(&params);
	buf_init(&wire, 16 * PEER_MAX_MESSAGE);
	while (chunks_next(chunks, &piece)) {
		ws_conn_feed(c, piece);
		take_events(c, run, &at, &wire);
	}
	if (run->talk->events[at].p)
		fail_msg("%s: event %zu has not come", run->talk->name, at);
	if (!span_equal(buf_bytes(&wire), buf_bytes(&run->expected)))
		fail_msg("%s: cut at %zu/%zu: the output differs", run->talk->name, chunks->first,
			 chunks->other);
	buf_deinit(&wire);
	ws_conn_free(c);
}

/* Around `at`, where something ends. */
static void split_around(struct chunks *c, size_t at, struct run *run)
{
	for (size_t i = at > 3 ? at - 3 : 1; i <= at + 3 && i < c->input.n; i++)
		chunks_once(c, i, c->input.n, run_pieces, run);
}

/* A large input: whole, in bytes, in chops, and in two around the ends of frames and of blocks. */
static void run_large(const struct talk *t, struct span input, struct run *run)
{
	static const size_t at[] = { 4, 11, 4096, 16384, 65535, 65536 };
	struct chunks c = { .input = input };
	struct buf prefix;

	chunks_each_coarse(input, run_pieces, run);
	guard_init(&c.guard, input.n);
	chunks_once(&c, 997, 997, run_pieces, run);
	chunks_once(&c, 4096, 4096, run_pieces, run);
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++)
		split_around(&c, at[i], run);
	buf_init(&prefix, input.n);
	for (const struct fr *f = t->in; f->p; f++) {
		peer_put_server(&prefix, f);
		split_around(&c, prefix.len, run);
	}
	buf_deinit(&prefix);
	guard_deinit(&c.guard);
}

static void run_talk(const struct talk *t, bool deliver)
{
	struct run run = { .talk = t, .deliver = deliver };
	struct buf in;

	buf_init(&in, 16 * PEER_MAX_MESSAGE);
	buf_init(&run.expected, 16 * PEER_MAX_MESSAGE);
	for (const struct fr *f = t->in; f->p; f++)
		peer_put_server(&in, f);
	put_frames(&run.expected, t->out);
	for (int i = 0; i < 2; i++) {
		run.fast = i > 0;
		if (in.len <= EVERY_SPLIT_UP_TO)
			chunks_each(buf_bytes(&in), run_pieces, &run);
		else
			run_large(t, buf_bytes(&in), &run);
	}
	buf_deinit(&in);
	buf_deinit(&run.expected);
}

void peer_talk(const struct talk *t)
{
	run_talk(t, false);
}

void peer_talk_in_fragments(const struct talk *t)
{
	run_talk(t, true);
}
