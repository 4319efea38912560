/* SPDX-License-Identifier: Apache-2.0 */
/* Compressed messages that are wrong, too long, or meant to hurt. */
#include "ws/conn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <malloc.h>

#include "base/mem.h"
#include "support/chunks.h"
#include "ws/peer_deflate.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BYTES(text) span_of(text, sizeof(text) - 1)

#define RESERVED "a frame has a reserved bit set"
#define NO_MESSAGE "the bit for compression is set in a frame that begins no message"
#define BAD "a compressed message cannot be decompressed: "
#define CUT_OFF "a compressed message is cut off"
#define NOT_UTF8 "a text message is not UTF-8"
#define HELLO "\xC1\x07\xF2\x48\xCD\xC9\xC9\x07\x00"

struct fault {
	const char *name;
	struct span wire;
	size_t messages; /* before it */
	int code;
	const char *text;
	bool alone; /* server_no_context_takeover */
};

/* clang-format off */
#define WIRE(text) { (const uint8_t *)(text), sizeof(text) - 1 }
static const struct fault faults[] = {
	/* RFC 7692, 6: RSV1 is for the first frame of a data message; 2 and 3 are nobody's */
	{ "RSV1 on a continuation", WIRE("\x41\x03\xF2\x48\xCD\xC0\x04\xC9\xC9\x07\x00"), 0, 1002,
	  NO_MESSAGE, false },
	{ "RSV1 on a continuation of a plain one", WIRE("\x01\x01x\xC0\x01x"), 0, 1002, NO_MESSAGE,
	  false },
	{ "RSV1 on a Ping", WIRE("\xC9\x00"), 0, 1002, NO_MESSAGE, false },
	{ "RSV1 on a Pong", WIRE("\xCA\x00"), 0, 1002, NO_MESSAGE, false },
	{ "RSV1 on a Close", WIRE("\xC8\x00"), 0, 1002, NO_MESSAGE, false },
	{ "RSV1 on a reserved opcode", WIRE("\xC3\x00"), 0, 1002, NO_MESSAGE, false },
	{ "RSV2", WIRE("\xA1\x00"), 0, 1002, RESERVED, false },
	{ "RSV3", WIRE("\x91\x00"), 0, 1002, RESERVED, false },
	{ "RSV1 and RSV3", WIRE("\xD1\x00"), 0, 1002, RESERVED, false },
	/* data that is none */
	{ "a block of no type", WIRE("\xC1\x01\x07"), 0, 1007, BAD "invalid block type", false },
	{ "stored lengths", WIRE("\xC1\x06\x00\x05\x00\xFA\xFEx"), 0, 1007,
	  BAD "invalid stored block lengths", false },
	{ "a distance with nothing behind it", WIRE("\xC1\x05\xF2\x00\x11\x00\x00"), 0, 1007,
	  BAD "invalid distance too far back", false },
	{ "the same with takeover off", WIRE(HELLO "\xC1\x05\xF2\x00\x11\x00\x00"), 1, 1007,
	  BAD "invalid distance too far back", true },
	{ "plain text that says it is packed", WIRE("\xC1\x05Hello"), 0, 1007,
	  BAD "invalid stored block lengths", false },
	{ "garbage behind BFINAL", WIRE("\xC1\x09\xF3\x48\xCD\xC9\xC9\x07\x00\x07\x07"), 0, 1007,
	  BAD "invalid block type", false },
	/* cut off */
	{ "half of Hello", WIRE("\xC1\x03\xF2\x48\xCD"), 0, 1007, CUT_OFF, false },
	{ "half a stored block", WIRE("\xC2\x07\x00\x09\x00\xF6\xFF\x48\x65"), 0, 1007, CUT_OFF,
	  false },
	{ "a tail that was left", WIRE("\xC1\x0B\xF2\x48\xCD\xC9\xC9\x07\x00\x00\x00\xFF\xFF"), 0,
	  1007, CUT_OFF, false },
	/* texts */
	{ "a text that is none", WIRE("\xC1\x08\x00\x02\x00\xFD\xFF\xC3\x28\x00"), 0, 1007,
	  NOT_UTF8, false },
	{ "a text that ends inside a character", WIRE("\xC1\x07\x00\x01\x00\xFE\xFF\xC3\x00"), 0,
	  1007, NOT_UTF8, false },
	/* order */
	{ "a message in a message", WIRE("\x41\x03\xF2\x48\xCD" HELLO),
	  0, 1002, "a message begins inside a fragmented one", false },
};
/* clang-format on */

static void run_fault(struct chunks *chunks, void *arg)
{
	const struct fault *f = arg;
	struct ws_deflate agreed = peer_deflate_full;
	struct fixed_rand r;
	struct ws_params params = peer_params(&r);
	struct ws_event ev = { .type = WS_NONE };
	struct ws_conn *c;
	struct span piece;
	size_t messages = 0;

	agreed.server_no_context_takeover = f->alone;
	c = peer_deflate_open(&params, &agreed);
	while (chunks_next(chunks, &piece) && ev.type != WS_FAILED) {
		ws_conn_feed(c, piece);
		while (ws_conn_next(c, &ev) == WS_MESSAGE)
			messages++;
	}
	if (ev.type != WS_FAILED)
		fail_msg("%s: no failure", f->name);
	if (strcmp(ws_conn_error(c)->text, f->text) != 0)
		fail_msg("%s: %s", f->name, ws_conn_error(c)->text);
	assert_int_equal(ws_conn_error(c)->close_code, f->code);
	assert_int_equal(messages, f->messages);
	ws_conn_feed(c, BYTES(HELLO)); /* and it is the end */
	assert_int_equal(ws_conn_next(c, &ev), WS_NONE);
	ws_conn_free(c);
}

static void faults_end_the_connection(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(faults); i++) {
		struct fault f = faults[i];

		chunks_each(f.wire, run_fault, &f);
	}
}

/* RFC 7692, 6: what was not agreed is a reserved bit. */
static void without_an_agreement_the_bit_is_reserved(void **state)
{
	struct fixed_rand r;
	struct ws_params params = peer_params(&r);
	struct ws_event ev;
	struct ws_conn *c;

	(void)state;
	params.deflate = peer_deflate_full;
	c = peer_open(&params);
	ws_conn_feed(c, BYTES(HELLO));
	assert_int_equal(ws_conn_next(c, &ev), WS_FAILED);
	assert_string_equal(ws_conn_error(c)->text, RESERVED);
	ws_conn_free(c);
}

/* Every byte that can go wrong in a real message does, and no more than an error comes of it. */
static void no_byte_is_trusted(void **state)
{
	struct peer_deflate p;
	struct buf prose, wire;

	(void)state;
	buf_init(&prose, 1 << 20);
	buf_init(&wire, 1 << 20);
	peer_prose(&prose, 900, 3);
	peer_deflate_init(&p, &peer_deflate_full, 6);
	peer_deflate_put(&p, &wire, (struct msg){ .type = MSG_TEXT, .data = buf_bytes(&prose) }, 0);
	for (size_t i = 0; i < wire.len; i++) {
		for (int bit = 0; bit < 8; bit++) {
			struct fixed_rand r;
			struct ws_params params = peer_params(&r);
			struct ws_conn *c = peer_deflate_open(&params, &peer_deflate_full);
			struct ws_event ev;

			wire.data[i] ^= (uint8_t)(1 << bit);
			ws_conn_feed(c, buf_bytes(&wire));
			while (ws_conn_next(c, &ev) == WS_MESSAGE)
				assert_true(ev.msg.data.n <= PEER_MAX_MESSAGE);
			wire.data[i] ^= (uint8_t)(1 << bit);
			ws_conn_free(c);
		}
	}
	peer_deflate_deinit(&p);
	buf_deinit(&prose);
	buf_deinit(&wire);
}

/* Bytes that this process has from malloc. */
static size_t in_use(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

enum { BOMB = 64 << 20 };

/* 64 MiB of zeros are 64 KiB: refused at the cost of the largest message and 256 KiB. */
static void a_bomb_costs_the_limit_and_little_more(void **state)
{
	uint8_t *zeros = calloc(1, BOMB);
	struct ws_deflate agreed = peer_deflate_full;
	struct buf wire;

	(void)state;
	buf_init(&wire, 1 << 20);
	for (int alone = 0; alone < 2; alone++) {
		size_t before, most = 0;
		struct peer_deflate p;
		struct fixed_rand r;
		struct ws_params params = peer_params(&r);
		struct ws_event ev = { .type = WS_NONE };
		struct ws_conn *c;
		struct span rest;

		agreed.server_no_context_takeover = alone;
		peer_deflate_init(&p, &agreed, 9);
		buf_clear(&wire);
		peer_deflate_put(&p, &wire,
				 (struct msg){ .type = MSG_BINARY, .data = span_of(zeros, BOMB) },
				 alone ? 200 : 0);
		assert_in_range(wire.len, 60000, 80000);
		before = in_use();
		c = peer_deflate_open(&params, &agreed);
		for (rest = buf_bytes(&wire); rest.n > 0 && ev.type != WS_FAILED;) {
			size_t n = rest.n < 16 ? rest.n : 16, now;

			ws_conn_feed(c, span_of(rest.p, n));
			ws_conn_next(c, &ev);
			rest = span_skip(rest, n);
			now = in_use() - before;
			most = now > most ? now : most;
		}
		assert_int_equal(ev.type, WS_FAILED);
		assert_int_equal(ws_conn_error(c)->close_code, 1009);
		if (most != 0) /* a sanitizer has a malloc of its own */
			assert_in_range(most, 1, PEER_MAX_MESSAGE + (256 << 10));
		ws_conn_free(c);
		peer_deflate_deinit(&p);
	}
	buf_deinit(&wire);
	free(zeros);
}

/* Blocks that make nothing cost nothing but their own bytes: no memory, and no window is moved. */
static void blocks_without_content_are_cheap(void **state)
{
	const struct span blocks[] = { BYTES("\x03\x00"), BYTES("\x00\x00\x00\xFF\xFF"),
				       BYTES("\x02\x00") };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct fixed_rand r;
		struct ws_params params = peer_params(&r);
		struct ws_conn *c = peer_deflate_open(&params, &peer_deflate_full);
		struct fr frame = { 0x41, (const char *)blocks[i].p, blocks[i].n,
				    blocks[i].n * 200000, 0 };
		struct ws_event ev;
		struct buf wire;

		buf_init(&wire, 1 << 22);
		peer_put_server(&wire, &frame);
		ws_conn_feed(c, buf_bytes(&wire));
		assert_int_equal(ws_conn_next(c, &ev), WS_NONE);
		ws_conn_feed(c, BYTES("\x80\x08\xF3\x48\xCD\xC9\xC9\x07\x00\x00"));
		assert_int_equal(ws_conn_next(c, &ev), WS_MESSAGE);
		assert_true(span_equal(ev.msg.data, BYTES("Hello")));
		buf_deinit(&wire);
		ws_conn_free(c);
	}
}

/* Lack of memory at each place is an error of this connection. */
static void lack_of_memory_is_an_error(void **state)
{
	(void)state;
	for (size_t n = 1; n <= 2; n++) {
		struct fixed_rand r;
		struct ws_params params = peer_params(&r);
		struct ws_conn *c = peer_deflate_open(&params, &peer_deflate_full);
		struct ws_event ev;

		mem_fail_try_after(n);
		ws_conn_feed(c, BYTES(HELLO));
		assert_int_equal(ws_conn_next(c, &ev), WS_FAILED);
		assert_string_equal(ws_conn_error(c)->text, "no memory for a message");
		assert_int_equal(ws_conn_error(c)->close_code, 1009);
		mem_fail_try_after(0);
		ws_conn_free(c);
	}
}

/* A window that cannot be kept in a smaller form stays; one that cannot be restored is an error. */
static void lack_of_memory_loses_no_window(void **state)
{
	(void)state;
	for (size_t n = 1; n <= 5; n++) {
		struct fixed_rand r;
		struct ws_params params = peer_params(&r);
		struct ws_conn *c = peer_deflate_open(&params, &peer_deflate_full);
		struct ws_event ev;

		ws_conn_feed(c, BYTES(HELLO));
		assert_int_equal(ws_conn_next(c, &ev), WS_MESSAGE);
		assert_int_equal(ws_conn_next(c, &ev), WS_NONE);
		mem_fail_try_after(n <= 2 ? n : 0);
		ws_conn_release(c);
		mem_fail_try_after(n <= 2 ? 0 : n - 2);
		ws_conn_feed(c, BYTES("\xC1\x05\xF2\x00\x11\x00\x00"));
		assert_int_equal(ws_conn_next(c, &ev), n <= 2 ? WS_MESSAGE : WS_FAILED);
		mem_fail_try_after(0);
		ws_conn_free(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(faults_end_the_connection),
		cmocka_unit_test(without_an_agreement_the_bit_is_reserved),
		cmocka_unit_test(no_byte_is_trusted),
		cmocka_unit_test(a_bomb_costs_the_limit_and_little_more),
		cmocka_unit_test(blocks_without_content_are_cheap),
		cmocka_unit_test(lack_of_memory_is_an_error),
		cmocka_unit_test(lack_of_memory_loses_no_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
