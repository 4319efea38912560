/* SPDX-License-Identifier: Apache-2.0 */
/* What goes out compressed, held against zlib's own inflate, which the peer does with it. */
#include "ws/deflate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "ws/limits.h"
#include "ws/peer_deflate.h"

static struct msg text_of(struct span s, bool more)
{
	return (struct msg){ .type = MSG_TEXT, .data = s, .more = more };
}

struct out {
	struct ws_conn *c;
	struct peer_deflate peer;
	struct fixed_rand r;
	struct buf wire, message;
};

static void begin_with(struct out *o, const struct ws_deflate *agreed, struct ws_params params)
{
	o->c = peer_deflate_open(&params, agreed);
	peer_deflate_init(&o->peer, agreed, 6);
	buf_init(&o->wire, (size_t)1 << 26);
	buf_init(&o->message, (size_t)1 << 26);
}

static void begin(struct out *o, const struct ws_deflate *agreed)
{
	begin_with(o, agreed, peer_params(&o->r));
}

static void end(struct out *o)
{
	ws_conn_free(o->c);
	peer_deflate_deinit(&o->peer);
	buf_deinit(&o->wire);
	buf_deinit(&o->message);
}

/* All that waits is one message with this text; was it compressed? */
static bool expect_message(struct out *o, struct span text)
{
	struct span wire;
	struct msg msg;
	bool packed;

	buf_clear(&o->wire);
	peer_write(o->c, &o->wire);
	wire = buf_bytes(&o->wire);
	msg = peer_deflate_take(&o->peer, &wire, &o->message, &packed);
	assert_int_equal(wire.n, 0);
	assert_int_equal(msg.type, MSG_TEXT);
	assert_true(span_equal(msg.data, text));
	return packed;
}

static void send_prose(struct out *o, size_t n, unsigned seed, bool packed)
{
	struct buf text;

	buf_init(&text, (size_t)1 << 26);
	peer_prose(&text, n, seed);
	assert_int_equal(ws_conn_send(o->c, text_of(buf_bytes(&text), false)), WS_SENT);
	assert_int_equal(expect_message(o, buf_bytes(&text)), packed);
	buf_deinit(&text);
}

static void every_agreement_round_trips(void **state)
{
	static const size_t sizes[] = { 1, 2, 15, 700, 4096, 16384, 16385, 70000, 300000 };

	(void)state;
	for (uint8_t bits = 9; bits <= 15; bits++) {
		for (int alone = 0; alone < 2; alone++) {
			struct ws_deflate agreed = peer_deflate_full;
			struct out o;

			agreed.client_max_window_bits = bits;
			agreed.client_no_context_takeover = alone;
			begin(&o, &agreed);
			for (size_t i = 3; i < sizeof(sizes) / sizeof(sizes[0]); i++)
				send_prose(&o, sizes[i], (unsigned)i, true);
			for (size_t i = 0; i < 40; i++)
				send_prose(&o, 1000 + i, 7, true);
			end(&o);
		}
	}
}

/* With takeover the second of two equal messages is next to nothing. */
static void takeover_is_used(void **state)
{
	struct ws_deflate agreed = peer_deflate_full;
	size_t second[2];
	struct out o;

	(void)state;
	for (int alone = 0; alone < 2; alone++) {
		agreed.client_no_context_takeover = alone;
		begin(&o, &agreed);
		send_prose(&o, 5000, 1, true);
		send_prose(&o, 5000, 1, true);
		second[alone] = o.wire.len;
		end(&o);
	}
	assert_true(second[0] < 100 && second[1] > 500);
}

static void small_messages_go_as_they_are(void **state)
{
	struct fixed_rand r;
	struct ws_params params = peer_params(&r);
	struct out o;

	(void)state;
	params.deflate_threshold = 1024;
	begin_with(&o, &peer_deflate_full, params);
	send_prose(&o, 1023, 1, false);
	send_prose(&o, 1024, 1, true);
	send_prose(&o, 1, 1, false);
	assert_int_equal(ws_conn_send(o.c, text_of(span_of(NULL, 0), false)), WS_SENT);
	assert_false(expect_message(&o, span_of("", 0)));
	end(&o);
}

static void fill_noise(uint8_t *p, size_t n)
{
	uint32_t x = 1;

	for (size_t i = 0; i < n; i++) {
		x = x * 1664525 + 1013904223;
		p[i] = (uint8_t)(x >> 25); /* below 0x80: it is a text */
	}
}

/* What does not get smaller is sent plain, unless the peer's window would miss it. */
static void what_only_grows_is_not_compressed(void **state)
{
	struct ws_deflate agreed = peer_deflate_full;
	uint8_t noise[600];
	struct out o;

	(void)state;
	for (size_t i = 0; i < sizeof(noise);
	     i++) /* 7 bits of chance in 8 are still compressible */
		noise[i] = (uint8_t)(32 + i % 95);
	agreed.client_no_context_takeover = true;
	begin(&o, &agreed);
	assert_int_equal(ws_conn_send(o.c, text_of(span_of(noise, 95), false)), WS_SENT);
	assert_false(expect_message(&o, span_of(noise, 95)));
	send_prose(&o, 3000, 2, true);
	end(&o);
	agreed.client_no_context_takeover = false;
	begin(&o, &agreed);
	assert_int_equal(ws_conn_send(o.c, text_of(span_of(noise, 95), false)), WS_SENT);
	assert_true(expect_message(&o, span_of(noise, 95)));
	assert_int_equal(ws_conn_send(o.c, text_of(span_of(noise, 95), false)), WS_SENT);
	assert_true(expect_message(&o, span_of(noise, 95)));
	end(&o);
}

/* RFC 7692, 7.1.2.2: a window of 8 bits, which zlib cannot have, is honoured by not compressing. */
static void a_window_of_8_bits_is_not_used(void **state)
{
	struct ws_deflate agreed = peer_deflate_full;
	struct out o;

	(void)state;
	agreed.client_max_window_bits = 8;
	begin(&o, &agreed);
	send_prose(&o, 5000, 1, false);
	end(&o);
}

/* RFC 7692, 7.2.1: of a message in fragments only the last one loses its tail. */
static void fragments_are_one_message(void **state)
{
	static const struct {
		size_t sizes[5];
		size_t n;
	} rows[] = {
		{ { 3000, 3000 }, 2 },
		{ { 3000, 0 }, 2 },
		{ { 3000, 0, 0, 5, 0 }, 5 },
		{ { 100, 100000, 1, 70000 }, 4 },
	};
	struct ws_deflate agreed = peer_deflate_full;
	struct buf text;

	(void)state;
	buf_init(&text, (size_t)1 << 26);
	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		size_t at = 0;
		struct out o;

		agreed.client_no_context_takeover = i % 2;
		begin(&o, &agreed);
		buf_clear(&text);
		peer_prose(&text, 200000, 9);
		for (size_t k = 0; k < rows[i / 2].n; k++) {
			struct span piece = span_of(text.data + at, rows[i / 2].sizes[k]);

			at += piece.n;
			assert_int_equal(ws_conn_send(o.c, text_of(piece, k + 1 < rows[i / 2].n)),
					 WS_SENT);
		}
		assert_true(expect_message(&o, span_of(text.data, at)));
		send_prose(&o, 2000, 3, true);
		end(&o);
	}
	buf_deinit(&text);
}

/* Fragments behind a small first one go as they are, also large ones. */
static void the_first_fragment_decides(void **state)
{
	struct fixed_rand r;
	struct ws_params params = peer_params(&r);
	struct buf text;
	struct out o;

	(void)state;
	params.deflate_threshold = 1024;
	begin_with(&o, &peer_deflate_full, params);
	buf_init(&text, 1 << 20);
	peer_prose(&text, 9000, 9);
	assert_int_equal(ws_conn_send(o.c, text_of(span_of(text.data, 10), true)), WS_SENT);
	assert_int_equal(ws_conn_send(o.c, text_of(span_of(text.data + 10, 8990), false)), WS_SENT);
	assert_false(expect_message(&o, buf_bytes(&text)));
	buf_deinit(&text);
	end(&o);
}

/* The limit counts what is to be written; a message that was refused leaves no trace. */
static void a_full_output_takes_nothing(void **state)
{
	for (int more = 0; more < 2; more++) {
		struct fixed_rand r;
		struct ws_params params = peer_params(&r);
		struct buf text;
		uint8_t *noise;
		struct out o;

		(void)state;
		params.max_output = 20000;
		begin_with(&o, &peer_deflate_full, params);
		buf_init(&text, 1 << 20);
		peer_prose(&text, 30000, 9);
		noise = mem_alloc(30000);
		fill_noise(noise, 30000);
		if (more)
			assert_int_equal(ws_conn_send(o.c, text_of(buf_bytes(&text), true)),
					 WS_SENT);
		else
			send_prose(&o, 30000, 9, true);
		assert_int_equal(ws_conn_send(o.c, text_of(span_of(noise, 30000), false)), WS_FULL);
		assert_int_equal(ws_conn_send(o.c, text_of(span_of(text.data, 600), false)),
				 WS_SENT);
		if (more)
			assert_true(buf_append(&text, span_of(text.data, 600)));
		assert_true(expect_message(&o, more ? buf_bytes(&text) : span_of(text.data, 600)));
		free(noise);
		buf_deinit(&text);
		end(&o);
	}
}

/* Without memory to compress a message goes as it is, and inside one it waits. */
static void lack_of_memory_is_no_loss(void **state)
{
	struct buf text;
	struct out o;

	(void)state;
	buf_init(&text, 1 << 20);
	peer_prose(&text, 3000, 9);
	for (size_t n = 1; n <= 2; n++) {
		begin(&o, &peer_deflate_full);
		mem_fail_try_after(n);
		assert_int_equal(ws_conn_send(o.c, text_of(buf_bytes(&text), false)), WS_SENT);
		mem_fail_try_after(0);
		assert_false(expect_message(&o, buf_bytes(&text)));
		send_prose(&o, 3000, 9, true);
		end(&o);
	}
	begin(&o, &peer_deflate_full);
	assert_int_equal(ws_conn_send(o.c, text_of(buf_bytes(&text), true)), WS_SENT);
	ws_conn_release(o.c); /* nothing, inside a message */
	mem_fail_try_after(1);
	assert_int_equal(ws_conn_send(o.c, text_of(span_of(text.data, 60), false)), WS_FULL);
	mem_fail_try_after(0);
	assert_int_equal(ws_conn_send(o.c, text_of(span_of(text.data, 60), false)), WS_SENT);
	assert_true(buf_append(&text, span_of(text.data, 60)));
	assert_true(expect_message(&o, buf_bytes(&text)));
	buf_deinit(&text);
	end(&o);
}

/* Messages that are queued in one go stop in front of one that is worth compressing. */
static void a_run_leaves_out_what_is_compressed(void **state)
{
	struct fixed_rand r;
	struct ws_params params = peer_params(&r);
	struct buf text;
	struct out o;
	struct msg msgs[3];

	(void)state;
	params.deflate_threshold = 1024;
	begin_with(&o, &peer_deflate_full, params);
	buf_init(&text, 1 << 20);
	peer_prose(&text, 3000, 9);
	msgs[0] = text_of(span_of(text.data, 5), false);
	msgs[1] = text_of(buf_bytes(&text), false);
	msgs[2] = msgs[0];
	assert_int_equal(ws_conn_send_run(o.c, msgs, 3, SIZE_MAX), 1);
	assert_false(expect_message(&o, msgs[0].data));
	assert_int_equal(ws_conn_send_run(o.c, msgs + 1, 2, SIZE_MAX), 0);
	assert_int_equal(ws_conn_send(o.c, msgs[1]), WS_SENT);
	assert_true(expect_message(&o, msgs[1].data));
	assert_int_equal(ws_conn_send_run(o.c, msgs + 2, 1, SIZE_MAX), 1);
	buf_deinit(&text);
	end(&o);
}

/* What was given back is made anew: our window may be forgotten at any time. */
static void memory_may_be_given_back_between_messages(void **state)
{
	struct ws_compression c;
	struct out o;

	(void)state;
	begin(&o, &peer_deflate_full);
	for (int i = 0; i < 3; i++) {
		send_prose(&o, 5000, 1, true);
		ws_conn_release(o.c);
		ws_conn_release(o.c);
	}
	ws_conn_compression(o.c, &c);
	assert_int_equal(c.tx.messages, 3);
	assert_int_equal(c.tx.bytes, 15000);
	assert_in_range(c.tx.packed, 1, 14999);
	assert_true(c.agreed.on && c.rx.messages == 0);
	end(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_agreement_round_trips),
		cmocka_unit_test(takeover_is_used),
		cmocka_unit_test(small_messages_go_as_they_are),
		cmocka_unit_test(what_only_grows_is_not_compressed),
		cmocka_unit_test(a_window_of_8_bits_is_not_used),
		cmocka_unit_test(fragments_are_one_message),
		cmocka_unit_test(the_first_fragment_decides),
		cmocka_unit_test(a_full_output_takes_nothing),
		cmocka_unit_test(lack_of_memory_is_no_loss),
		cmocka_unit_test(a_run_leaves_out_what_is_compressed),
		cmocka_unit_test(memory_may_be_given_back_between_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
