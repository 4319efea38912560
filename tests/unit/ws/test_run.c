/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fast ways, in and out, against the ways by one message: two conversations
 * get the same random bytes in the same pieces, and whatever can be told of
 * them must be the same: events, counters, bytes, at every step.
 */
#include "ws/conn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/guard.h"
#include "ws/peer_deflate.h"

#define ROUNDS 400
#define FRAMES 60
#define RUN_MAX 9
#define PAYLOAD_MAX 20000
#define WIRE_MAX ((size_t)1 << 24)

struct side {
	struct ws_conn *c;
	struct fixed_rand r;
	struct buf events, wire;
	size_t refused; /* echoes that did not fit */
	bool fast;
};

struct pair {
	struct side one, other; /* other: the fast one */
	struct peer_deflate peer;
	struct buf in, prose;
	struct guard guard;
	unsigned seed;
	bool packs;
};

static unsigned draw(struct pair *p, unsigned below)
{
	p->seed = p->seed * 1103515245 + 12345;
	return (p->seed >> 8) % below;
}

static void put(struct buf *b, const void *bytes, size_t n)
{
	assert_true(buf_append(b, span_of(bytes, n)));
}

static void put_number(struct buf *b, uint64_t n)
{
	put(b, &n, sizeof(n));
}

static void note_message(struct side *s, const struct msg *msg)
{
	put_number(&s->events, (uint64_t)WS_MESSAGE << 32 | (uint64_t)msg->type << 1 | msg->more);
	put_number(&s->events, msg->data.n);
	put(&s->events, msg->data.p, msg->data.n);
}

static void send_one(struct side *s, struct msg msg)
{
	s->refused += ws_conn_send(s->c, msg) != WS_SENT;
}

/* Only so far as `until`; what is left over goes the other way. */
static void send_run(struct side *s, const struct msg *msgs, size_t n, size_t until)
{
	while (n > 0) {
		size_t done = ws_conn_send_run(s->c, msgs, n, until);

		assert_true(done <= n);
		if (done == 0)
			send_one(s, msgs[done++]);
		msgs += done;
		n -= done;
	}
}

static void note_event(struct side *s, const struct ws_event *ev)
{
	if (ev->type == WS_MESSAGE) {
		note_message(s, &ev->msg);
		send_one(s, ev->msg);
		return;
	}
	put_number(&s->events, (uint64_t)ev->type << 32 | (unsigned)ev->close_code);
	put_number(&s->events, ev->payload.n);
	put(&s->events, ev->payload.p, ev->payload.n);
	if (ev->type == WS_FAILED)
		put(&s->events, ws_conn_error(s->c)->text, strlen(ws_conn_error(s->c)->text));
}

static size_t take_run(struct side *s, size_t max, size_t until)
{
	struct msg msgs[RUN_MAX];
	size_t n = ws_conn_run(s->c, msgs, max);

	assert_true(n <= max);
	for (size_t i = 0; i < n; i++)
		note_message(s, &msgs[i]);
	send_run(s, msgs, n, until);
	return n;
}

static void feed(struct pair *p, struct side *s, struct span piece)
{
	struct ws_event ev;

	ws_conn_feed(s->c, piece);
	for (;;) {
		if (s->fast && take_run(s, 1 + draw(p, RUN_MAX), draw(p, 40000)) > 0)
			continue;
		if (ws_conn_next(s->c, &ev) == WS_NONE)
			break;
		note_event(s, &ev);
	}
}

/* Some of the output leaves. */
static void write_some(struct side *s, size_t n)
{
	struct iovec iov[WS_OUTPUT_IOV];
	int all = ws_conn_output(s->c, iov);
	size_t done = 0;

	for (int i = 0; i < all; i++) {
		size_t part = iov[i].iov_len < n - done ? iov[i].iov_len : n - done;

		put(&s->wire, iov[i].iov_base, part);
		done += part;
	}
	ws_conn_wrote(s->c, done);
}

static void check_same(const struct pair *p)
{
	const struct side *a = &p->one, *b = &p->other;
	struct ws_progress pa = ws_conn_progress(a->c), pb = ws_conn_progress(b->c);
	struct ws_compression ca, cb;

	ws_conn_compression(a->c, &ca);
	ws_conn_compression(b->c, &cb);
	assert_true(span_equal(buf_bytes(&a->events), buf_bytes(&b->events)));
	assert_true(span_equal(buf_bytes(&a->wire), buf_bytes(&b->wire)));
	assert_int_equal(a->refused, b->refused);
	assert_int_equal(a->r.drawn, b->r.drawn);
	assert_int_equal(ws_conn_frames(a->c), ws_conn_frames(b->c));
	assert_int_equal(ws_conn_partial(a->c), ws_conn_partial(b->c));
	assert_int_equal(ws_conn_wants(a->c), ws_conn_wants(b->c));
	assert_memory_equal(&pa, &pb, sizeof(pa));
	assert_memory_equal(&ca.rx, &cb.rx, sizeof(ca.rx));
	assert_memory_equal(&ca.tx, &cb.tx, sizeof(ca.tx));
}

static struct span payload(struct pair *p, size_t most)
{
	size_t n = draw(p, 4) ? draw(p, 200) : draw(p, PAYLOAD_MAX);

	return span_of(p->prose.data + draw(p, 5000), n < most ? n : most);
}

/* Frames as they may come; now and then one that may not. */
static void put_frame(struct pair *p)
{
	static const int odd[] = { 0x80, 0x93, 0xC1, 0xA2, 0x00, 0x88 };
	struct msg msg = { .type = draw(p, 2) ? MSG_TEXT : MSG_BINARY };
	int first = msg.type == MSG_TEXT ? 1 : 2;

	switch (draw(p, 16)) {
	case 0:
		peer_put_frame(&p->in, draw(p, 2) ? 0x89 : 0x8A, payload(p, 125));
		break;
	case 1:
		peer_put_frame(&p->in, first, payload(p, SIZE_MAX));
		peer_put_frame(&p->in, 0x89, payload(p, 9));
		peer_put_frame(&p->in, 0x80, payload(p, SIZE_MAX));
		break;
	case 2:
		if (draw(p, 40) == 0)
			peer_put_frame(&p->in, odd[draw(p, 6)], payload(p, 20));
		break;
	case 3:
	case 4:
	case 5:
		msg.data = payload(p, SIZE_MAX);
		if (p->packs)
			peer_deflate_put(&p->peer, &p->in, msg, draw(p, 2) ? 0 : 1 + draw(p, 500));
		break;
	default:
		peer_put_frame(&p->in, 0x80 | first, payload(p, draw(p, 3) ? 130 : SIZE_MAX));
		break;
	}
}

static void open_side(struct pair *p, struct side *s, struct ws_params params,
		      const struct ws_deflate *agreed)
{
	struct ws_params own = peer_params(&s->r);

	params.rand = own.rand;
	s->c = p->packs ? peer_deflate_open(&params, agreed) : peer_open(&params);
	fixed_rand_init(&s->r, span_of(p->prose.data, 997));
	buf_init(&s->events, WIRE_MAX);
	buf_init(&s->wire, WIRE_MAX);
}

static void begin(struct pair *p, unsigned round)
{
	struct fixed_rand r;
	struct ws_params params = peer_params(&r);
	struct ws_deflate agreed = peer_deflate_full;

	*p = (struct pair){ .other = { .fast = true }, .seed = round };
	p->packs = draw(p, 2);
	agreed.client_no_context_takeover = draw(p, 2);
	agreed.server_no_context_takeover = draw(p, 2);
	agreed.client_max_window_bits = (uint8_t)(9 + draw(p, 7));
	params.deflate_threshold = draw(p, 2) * 100;
	params.deflate_level = 1 + (int)draw(p, 3);
	params.deliver_fragments = draw(p, 2);
	params.validate_utf8 = draw(p, 4) == 0; /* payloads begin and end anywhere */
	params.max_output = draw(p, 2) ? 3000 + draw(p, 40000) : 1 << 22;
	params.max_message = draw(p, 4) ? 1 << 20 : PAYLOAD_MAX / 2 + draw(p, PAYLOAD_MAX);
	buf_init(&p->prose, WIRE_MAX);
	buf_init(&p->in, WIRE_MAX);
	peer_prose(&p->prose, 5000 + PAYLOAD_MAX, round);
	peer_deflate_init(&p->peer, &agreed, 1);
	open_side(p, &p->one, params, &agreed);
	open_side(p, &p->other, params, &agreed);
}

static void end_side(struct side *s)
{
	ws_conn_free(s->c);
	buf_deinit(&s->events);
	buf_deinit(&s->wire);
}

static void end(struct pair *p)
{
	end_side(&p->one);
	end_side(&p->other);
	peer_deflate_deinit(&p->peer);
	buf_deinit(&p->prose);
	buf_deinit(&p->in);
	guard_deinit(&p->guard);
}

static void between(struct pair *p)
{
	size_t n = draw(p, 3) ? SIZE_MAX : draw(p, 5000);

	if (draw(p, 5) == 0) {
		ws_conn_ping(p->one.c, span_str("p"));
		ws_conn_ping(p->other.c, span_str("p"));
	}
	if (draw(p, 2)) {
		write_some(&p->one, n);
		write_some(&p->other, n);
	}
	if (draw(p, 4) == 0) {
		ws_conn_release(p->one.c);
		ws_conn_release(p->other.c);
	}
}

static void run(unsigned round)
{
	struct pair p;
	struct span left;

	begin(&p, round);
	for (int i = 0; i < FRAMES; i++)
		put_frame(&p);
	left = buf_bytes(&p.in);
	guard_init(&p.guard, left.n);
	while (left.n > 0) {
		size_t n = draw(&p, 3) ? draw(&p, 400) : draw(&p, 70000);
		struct span piece = guard_place(&p.guard, span_of(left.p, n < left.n ? n : left.n));

		feed(&p, &p.one, piece);
		feed(&p, &p.other, piece);
		between(&p);
		check_same(&p);
		left = span_skip(left, piece.n);
	}
	write_some(&p.one, SIZE_MAX);
	write_some(&p.other, SIZE_MAX);
	check_same(&p);
	end(&p);
}

static void both_ways_are_the_same(void **state)
{
	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++)
		run(round);
}

/* What the fast way must leave to the other: the first n messages are all it takes. */
static void it_stops_where_there_is_something_to_look_at(void **state)
{
#define TWO        \
	"\x81\x01" \
	"a"        \
	"\x82\x00"
	static const struct {
		const char *bytes;
		size_t n, taken;
	} rows[] = {
#define ROW(text, taken)          \
	{                         \
		text,             \
		sizeof(text) - 1, \
		taken,            \
	}
		ROW(TWO "\x81\x01"
			"\xFF"
			"\x81\x01"
			"b",
		    2),
		ROW(TWO "\x89\x00\x81\x01"
			"b",
		    2),
		ROW(TWO "\x01\x01"
			"b\x80\x01"
			"c",
		    2),
		ROW(TWO "\xC1\x01\x00\x81\x01"
			"b",
		    2),
		ROW(TWO "\x81\x81"
			"keyb",
		    2),
		ROW(TWO "\x82\x7E\x00\x05"
			"too long a length",
		    2),
		ROW(TWO "\x82\x7E\x00", 2),
		ROW(TWO "\x82\x05"
			"1234",
		    2),
		ROW(TWO "\x82\x08"
			"12345678"
			"\x82\x09"
			"123456789"
			"\x82\x01"
			"a",
		    3),
	};
	struct fixed_rand r;
	struct msg msgs[RUN_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ws_params params = peer_params(&r);
		struct ws_conn *c;

		params.max_message = 8;
		c = peer_open(&params);
		ws_conn_feed(c, span_of(rows[i].bytes, rows[i].n));
		assert_int_equal(ws_conn_run(c, msgs, RUN_MAX), rows[i].taken);
		assert_int_equal(ws_conn_run(c, msgs, RUN_MAX), 0);
		assert_int_equal(ws_conn_frames(c), rows[i].taken);
		ws_conn_free(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ways_are_the_same),
		cmocka_unit_test(it_stops_where_there_is_something_to_look_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
