/* SPDX-License-Identifier: Apache-2.0 */
/* Compressed messages that come in, however they are cut, up to the limits. */
#include "ws/conn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/chunks.h"
#include "ws/peer_deflate.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BYTES(text) span_of(text, sizeof(text) - 1)

/* What a server has to say behind its answer, and the messages that are in it. */
struct lesson {
	struct ws_deflate agreed;
	struct span wire;
	const struct span *messages;
	size_t n;
	bool validate, deliver;
	size_t release; /* between two messages, each time that many have come; 0 = never */
};

static void run_lesson(struct chunks *chunks, void *arg)
{
	const struct lesson *l = arg;
	struct fixed_rand r;
	struct ws_params params = peer_params(&r);
	struct ws_conn *c;
	struct span piece;
	struct ws_event ev;
	size_t at = 0;

	params.validate_utf8 = l->validate;
	params.deliver_fragments = l->deliver;
	c = peer_deflate_open(&params, &l->agreed);
	while (chunks_next(chunks, &piece)) {
		ws_conn_feed(c, piece);
		while (ws_conn_next(c, &ev) != WS_NONE) {
			if (ev.type != WS_MESSAGE)
				fail_msg("%s", ws_conn_error(c)->text);
			assert_true(at < l->n && span_equal(ev.msg.data, l->messages[at]));
			at++;
		}
		if (l->release && at % l->release == 0)
			ws_conn_release(c);
	}
	assert_int_equal(at, l->n);
	ws_conn_free(c);
}

/* RFC 7692, 7.2.3: the examples, in its order. */
static void the_examples_of_the_standard(void **state)
{
	static const struct span hello[] = { { (const uint8_t *)"Hello", 5 },
					     { (const uint8_t *)"Hello", 5 },
					     { (const uint8_t *)"Hello", 5 } };
	const struct {
		const char *name;
		struct span wire;
		size_t n;
	} rows[] = {
		{ "7.2.3.1", BYTES("\xC1\x07\xF2\x48\xCD\xC9\xC9\x07\x00"), 1 },
		{ "7.2.3.1, fragments", BYTES("\x41\x03\xF2\x48\xCD\x80\x04\xC9\xC9\x07\x00"), 1 },
		{ "7.2.3.2",
		  BYTES("\xC1\x07\xF2\x48\xCD\xC9\xC9\x07\x00\xC1\x05\xF2\x00\x11\x00\x00"), 2 },
		{ "7.2.3.3", BYTES("\xC1\x0B\x00\x05\x00\xFA\xFF\x48\x65\x6C\x6C\x6F\x00"), 1 },
		{ "7.2.3.4",
		  BYTES("\xC1\x08\xF3\x48\xCD\xC9\xC9\x07\x00\x00\xC1\x05\xF2\x00\x11\x00\x00"),
		  2 },
		{ "7.2.3.5", BYTES("\xC1\x0D\xF2\x48\x05\x00\x00\x00\xFF\xFF\xCA\xC9\xC9\x07\x00"),
		  1 },
		{ "BFINAL, and no byte behind it",
		  BYTES("\xC1\x07\xF3\x48\xCD\xC9\xC9\x07\x00\xC1\x05\xF2\x00\x11\x00\x00"), 2 },
		{ "BFINAL in the empty block at the end",
		  BYTES("\xC1\x0B\x00\x05\x00\xFA\xFF\x48\x65\x6C\x6C\x6F\x01"
			"\xC1\x05\xF2\x00\x11\x00\x00"),
		  2 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct lesson l = { .agreed = peer_deflate_full,
				    .wire = rows[i].wire,
				    .messages = hello,
				    .n = rows[i].n,
				    .validate = true };

		chunks_each(l.wire, run_lesson, &l);
	}
}

/* RFC 7692, 7.2.3.6, and frames without a byte. */
static void empty_messages(void **state)
{
	static const struct span none[3] = { { NULL, 0 }, { NULL, 0 }, { NULL, 0 } };
	const struct span wires[] = {
		BYTES("\xC1\x01\x00\xC1\x01\x00\xC1\x01\x00"),
		BYTES("\xC1\x00\xC2\x00\xC1\x00"),
		BYTES("\x41\x00\x80\x01\x00\x41\x01\x00\x80\x05\x00\x00\xFF\xFF\x00\xC1\x02\x03"
		      "\x00"),
		BYTES("\x41\x00\x00\x00\x80\x00\x42\x00\x80\x00\xC1\x01\x00"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wires); i++) {
		struct lesson l = { .agreed = peer_deflate_full,
				    .wire = wires[i],
				    .messages = none,
				    .n = 3,
				    .validate = true };

		chunks_each(l.wire, run_lesson, &l);
	}
}

struct material {
	struct buf prose, wire;
	struct span messages[64];
	size_t n;
};

static void make_material(struct material *m, const struct lesson *l, const size_t *sizes,
			  size_t fragment)
{
	struct peer_deflate p;
	size_t at = 0;

	peer_deflate_init(&p, &l->agreed, 6);
	buf_init(&m->prose, (size_t)1 << 26);
	buf_init(&m->wire, (size_t)1 << 26);
	peer_prose(&m->prose, 2 * PEER_MAX_MESSAGE, 5);
	for (m->n = 0; sizes[m->n] != SIZE_MAX; m->n++) {
		struct msg msg = { .type = MSG_BINARY,
				   .data = span_of(m->prose.data + at, sizes[m->n]) };

		peer_deflate_put(&p, &m->wire, msg, fragment);
		m->messages[m->n] = msg.data;
		at += msg.data.n / 2; /* they overlap: takeover has something to refer to */
	}
	peer_deflate_deinit(&p);
}

static void run_material(struct lesson l, const size_t *sizes, size_t fragment, bool coarse)
{
	struct material m;

	make_material(&m, &l, sizes, fragment);
	l.wire = buf_bytes(&m.wire);
	l.messages = m.messages;
	l.n = m.n;
	(coarse ? chunks_each_coarse : chunks_each)(l.wire, run_lesson, &l);
	buf_deinit(&m.prose);
	buf_deinit(&m.wire);
}

static void every_agreement_at_every_split(void **state)
{
	static const size_t small[] = { 300, 300, 0, 1, 40, 300, SIZE_MAX };
	static const size_t large[] = { 5000,  16384,  16383, 16385,   100,
					70000, 300000, 40000, SIZE_MAX };

	(void)state;
	for (uint8_t bits = 8; bits <= 15; bits++) {
		for (int alone = 0; alone < 2; alone++) {
			struct lesson l = { .agreed = peer_deflate_full };

			l.agreed.server_max_window_bits = bits;
			l.agreed.server_no_context_takeover = alone;
			run_material(l, small, 0, bits % 3 != 0);
			run_material(l, small, 17, bits % 3 != 0);
			run_material(l, large, 0, true);
			run_material(l, large, 1300, true);
		}
	}
}

/* The window that messages refer to survives, whatever was given back. */
static void memory_may_be_given_back_between_messages(void **state)
{
	static const size_t sizes[] = { 5000, 5000, 40000, 40000, 10, 0, 70000, 70000, SIZE_MAX };

	(void)state;
	for (int alone = 0; alone < 2; alone++) {
		for (uint8_t bits = 8; bits <= 15; bits += 7) {
			struct lesson l = { .agreed = peer_deflate_full, .release = 1 };

			l.agreed.server_max_window_bits = bits;
			l.agreed.server_no_context_takeover = alone;
			run_material(l, sizes, 0, true);
			run_material(l, sizes, 500, true);
		}
	}
}

/* Each fragment is delivered with what it has made of the message, up to a whole character. */
static void fragments_can_be_delivered_one_by_one(void **state)
{
	static const char text[] = "\xE2\x82\xAC and \xE2\x82\xAC";
	static const size_t cuts[] = { 1, 2, 5, 9, sizeof(text) - 1 };
	struct fixed_rand r;
	struct ws_params params = peer_params(&r);
	struct ws_conn *c;
	struct peer_deflate p;
	struct ws_event ev;
	struct buf wire, got;
	size_t at = 0;

	(void)state;
	params.deliver_fragments = true;
	c = peer_deflate_open(&params, &peer_deflate_full);
	peer_deflate_init(&p, &peer_deflate_full, 6);
	buf_init(&wire, 4096);
	buf_init(&got, 4096);
	for (size_t i = 0; i < COUNT(cuts); i++) {
		bool more = i + 1 < COUNT(cuts);
		struct span packed = peer_deflate_pack(&p, span_of(text + at, cuts[i] - at), more);

		buf_clear(&wire);
		peer_put_frame(&wire, (i ? 0 : PACKED_TEXT_MORE) | (more ? 0 : 0x80), packed);
		ws_conn_feed(c, buf_bytes(&wire));
		while (ws_conn_next(c, &ev) != WS_NONE) {
			assert_int_equal(ev.type, WS_MESSAGE);
			assert_int_equal(ev.msg.more, more);
			assert_true(buf_append(&got, ev.msg.data));
		}
		assert_int_equal(got.len, i == 0 ? 0 : i == 1 ? 0 : i == 2 ? 5 : i == 3 ? 8 : 11);
		at = cuts[i];
	}
	assert_memory_equal(got.data, text, got.len);
	buf_deinit(&wire);
	buf_deinit(&got);
	peer_deflate_deinit(&p);
	ws_conn_free(c);
}

/* Control frames stand between the fragments of a compressed message, and are not compressed. */
static void control_frames_come_between(void **state)
{
	static const struct talk t = {
		.name = "control frames",
		.in = { FR(0x41, "\xF2\x48\xCD"), PING("a"), LAST("\xC9\xC9\x07\x00"), CLOSE_1000 },
		.events = { PING("a"), TEXT("Hello"), CLOSE_1000 },
	};
	struct fixed_rand r;
	struct ws_params params = peer_params(&r);
	struct ws_conn *c = peer_deflate_open(&params, &peer_deflate_full);
	struct buf wire;

	(void)state;
	buf_init(&wire, 4096);
	for (size_t i = 0; t.in[i].p; i++) {
		const struct fr nothing = { 0 };
		static const int event_of[] = { -1, 0, 1, 2 };

		buf_clear(&wire);
		peer_put_server(&wire, &t.in[i]);
		peer_expect(c, buf_bytes(&wire),
			    event_of[i] < 0 ? &nothing : &t.events[event_of[i]]);
	}
	buf_deinit(&wire);
	ws_conn_free(c);
}

/* The largest message passes, one byte more does not, and what is made of a bomb is bounded. */
static void the_limit_is_on_what_it_becomes(void **state)
{
	static const size_t sizes[] = { PEER_MAX_MESSAGE, PEER_MAX_MESSAGE + 1,
					8 * PEER_MAX_MESSAGE, 64 * PEER_MAX_MESSAGE };
	uint8_t *zeros = calloc(64, PEER_MAX_MESSAGE);

	(void)state;
	for (size_t i = 0; i < 2 * COUNT(sizes); i++) {
		struct fixed_rand r;
		struct ws_params params = peer_params(&r);
		struct ws_conn *c = peer_deflate_open(&params, &peer_deflate_full);
		struct msg msg = { .type = MSG_BINARY, .data = span_of(zeros, sizes[i / 2]) };
		struct peer_deflate p;
		struct ws_event ev;
		struct buf wire;

		peer_deflate_init(&p, &peer_deflate_full, 9);
		buf_init(&wire, (size_t)1 << 26);
		peer_deflate_put(&p, &wire, msg, i % 2 ? 100 : 0);
		ws_conn_feed(c, buf_bytes(&wire));
		ws_conn_next(c, &ev);
		assert_int_equal(ev.type, i / 2 ? WS_FAILED : WS_MESSAGE);
		if (i / 2 == 0)
			assert_int_equal(ev.msg.data.n, PEER_MAX_MESSAGE);
		else
			assert_int_equal(ws_conn_error(c)->close_code, 1009);
		assert_true(ws_conn_partial(c) <= PEER_MAX_MESSAGE);
		peer_deflate_deinit(&p);
		buf_deinit(&wire);
		ws_conn_free(c);
	}
	free(zeros);
}

/* Nothing is taken before the first compressed message, and plain ones may stand between. */
static void plain_messages_stand_between(void **state)
{
	static const struct span three[] = { { (const uint8_t *)"Hello", 5 },
					     { (const uint8_t *)"plain", 5 },
					     { (const uint8_t *)"Hello", 5 } };
	struct lesson l = {
		.agreed = peer_deflate_full,
		.wire = BYTES("\xC1\x07\xF2\x48\xCD\xC9\xC9\x07\x00\x81\x05plain"
			      "\xC1\x05\xF2\x00\x11\x00\x00"),
		.messages = three,
		.n = 3,
		.validate = true,
	};

	(void)state;
	chunks_each(l.wire, run_lesson, &l);
}

/* What takes plain messages in one go leaves a compressed one to the long way, and goes on then. */
static void a_run_leaves_out_what_is_compressed(void **state)
{
	static const char wire[] = "\x81\x05plain\xC1\x07\xF2\x48\xCD\xC9\xC9\x07\x00\x81\x05later";
	struct fixed_rand r;
	struct ws_params params = peer_params(&r);
	struct ws_conn *c = peer_deflate_open(&params, &peer_deflate_full);
	struct msg msgs[4];
	struct ws_event ev;

	(void)state;
	ws_conn_feed(c, BYTES(wire));
	assert_int_equal(ws_conn_run(c, msgs, 4), 1);
	assert_true(span_equal(msgs[0].data, BYTES("plain")));
	assert_int_equal(ws_conn_run(c, msgs, 4), 0);
	assert_int_equal(ws_conn_next(c, &ev), WS_MESSAGE);
	assert_true(span_equal(ev.msg.data, BYTES("Hello")));
	assert_int_equal(ws_conn_run(c, msgs, 4), 1);
	assert_true(span_equal(msgs[0].data, BYTES("later")));
	assert_int_equal(ws_conn_frames(c), 3);
	ws_conn_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_examples_of_the_standard),
		cmocka_unit_test(empty_messages),
		cmocka_unit_test(every_agreement_at_every_split),
		cmocka_unit_test(memory_may_be_given_back_between_messages),
		cmocka_unit_test(fragments_can_be_delivered_one_by_one),
		cmocka_unit_test(control_frames_come_between),
		cmocka_unit_test(the_limit_is_on_what_it_becomes),
		cmocka_unit_test(plain_messages_stand_between),
		cmocka_unit_test(a_run_leaves_out_what_is_compressed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
