/* SPDX-License-Identifier: Apache-2.0 */
/* What a conversation does not let a peer, or its own side, do to it. */
#include "ws/conn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "ws/limits.h"
#include "ws/peer.h"

static const struct fr nothing = { 0 };

static struct msg binary(const void *p, size_t n)
{
	return (struct msg){ .type = MSG_BINARY, .data = span_of(p, n) };
}

/* The largest message passes, and one byte more does not, however it is cut into frames. */
static void a_message_above_the_maximum_closes_with_1009(void **state)
{
	static const struct talk talks[] = {
		{ "one frame of the maximum",
		  { FR_MANY(0x82, "x", PEER_MAX_MESSAGE), CLOSE_1000 },
		  { FR_MANY(0x82, "x", PEER_MAX_MESSAGE), CLOSE_1000 },
		  { FR_PARTS(0x82, "x", PEER_MAX_MESSAGE, WS_FRAME_SIZE), CLOSE_1000 } },
		{ "one frame above it",
		  { FR_MANY(0x82, "x", PEER_MAX_MESSAGE + 1) },
		  { FAIL("a message is longer than 1048576 bytes") },
		  { CLOSE_1009 } },
		{ "fragments above it",
		  { FR_MANY(0x02, "x", PEER_MAX_MESSAGE), MORE(""), LAST("x") },
		  { FAIL("a message is longer than 1048576 bytes") },
		  { CLOSE_1009 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(talks) / sizeof(talks[0]); i++)
		peer_talk(&talks[i]);
}

/* Decided on the header alone: no byte of the payload is waited for. */
static void an_announced_size_is_judged_at_once(void **state)
{
	static const struct {
		const char *header;
		size_t n;
	} rows[] = {
		{ "\x82\x7F\x00\x00\x00\x00\x00\x10\x00\x01", 10 },
		{ "\x02\x7F\x00\x00\x00\x01\x00\x00\x00\x00", 10 },
		{ "\x02\x7F\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 10 },
		{ "\x01\x7F\x40\x00\x00\x00\x00\x00\x00\x00", 10 },
	};
	const struct fr failed = FAIL("a message is longer than 1048576 bytes");

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixed_rand r;
		struct ws_params params = peer_params(&r);
		struct ws_conn *c = peer_open(&params);

		peer_expect(c, span_of(rows[i].header, rows[i].n - 1), &nothing);
		peer_expect(c, span_of(rows[i].header + rows[i].n - 1, 1), &failed);
		assert_int_equal(ws_conn_error(c)->code, ERR_OVERFLOW);
		assert_int_equal(ws_conn_error(c)->close_code, 1009);
		ws_conn_free(c);
	}
}

static void empty_fragments_come_to_an_end(void **state)
{
	struct fixed_rand r;
	struct ws_params params = peer_params(&r);
	struct ws_conn *c = peer_open(&params);
	const struct fr failed = FAIL("a message has too many fragments");

	(void)state;
	peer_expect(c, span_of("\x01\x00", 2), &nothing);
	for (size_t i = 1; i < WS_FRAGMENTS_MAX; i++)
		peer_expect(c, span_of("\x00\x00", 2), &nothing);
	peer_expect(c, span_of("\x00\x00", 2), &failed);
	assert_int_equal(ws_conn_error(c)->close_code, 1009);
	ws_conn_free(c);
}

/* A peer that pings and reads nothing: a bounded output, and the newest Ping answered. */
static void a_flood_of_pings_does_not_grow_the_output(void **state)
{
	struct fixed_rand r;
	struct ws_params params = peer_params(&r);
	struct ws_conn *c = peer_open(&params);
	const struct fr newest[] = { PONG("99999"), { 0 } };
	const size_t pong = 6 + 5;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		char payload[8], wire[16];
		struct fr event = { 0x89, payload, 5, 5, 0 };

		snprintf(payload, sizeof(payload), "%05d", i);
		snprintf(wire, sizeof(wire), "\x89\x05%s", payload);
		peer_expect(c, span_of(wire, 7), &event);
		assert_true(ws_conn_output_len(c) <= WS_PONGS_MAX * pong);
	}
	assert_int_equal(ws_conn_output_len(c), WS_PONGS_MAX * pong);
	ws_conn_wrote(c, WS_PONGS_MAX * pong - 1);
	assert_int_equal(ws_conn_output_len(c), 1);
	ws_conn_wrote(c, 1);
	assert_int_equal(ws_conn_output_len(c), pong);
	assert_int_equal(ws_conn_wants(c), WS_WANT_READ | WS_WANT_WRITE);
	peer_expect_output(c, newest);
	assert_int_equal(ws_conn_wants(c), WS_WANT_READ);
	ws_conn_free(c);
}

static void the_output_has_a_cap(void **state)
{
	struct fixed_rand r;
	struct ws_params params = peer_params(&r);
	struct ws_conn *c;
	uint8_t bytes[128] = { 0 };

	(void)state;
	params.max_output = 100;
	c = peer_open(&params);
	assert_int_equal(ws_conn_send(c, binary(bytes, 95)), WS_FULL);
	assert_int_equal(ws_conn_send(c, binary(bytes, 128)), WS_FULL);
	assert_int_equal(ws_conn_output_len(c), 0);
	assert_int_equal(ws_conn_send(c, binary(bytes, 94)), WS_SENT);
	assert_int_equal(ws_conn_output_len(c), 100);
	assert_int_equal(ws_conn_send(c, binary(bytes, 0)), WS_FULL);
	assert_int_equal(ws_conn_ping(c, span_of(NULL, 0)), WS_FULL);
	assert_int_equal(ws_conn_output_len(c), 100);
	ws_conn_wrote(c, 100);
	assert_int_equal(ws_conn_send(c, binary(bytes, 88)), WS_SENT);
	assert_int_equal(ws_conn_ping(c, span_of(NULL, 0)), WS_SENT);
	assert_int_equal(ws_conn_pong(c, span_of(NULL, 0)), WS_FULL);
	assert_int_equal(ws_conn_output_len(c), 100);
	ws_conn_free(c);
}

/* However full the output is: the Pongs that are owed and our Close find their room. */
static void pongs_and_close_pass_a_full_output(void **state)
{
	const struct fr ping = FR_MANY(0x89, "p", WS_CONTROL_MAX);
	struct fixed_rand r;
	struct ws_params params = peer_params(&r);
	uint8_t reason[WS_CLOSE_REASON_MAX];
	struct ws_conn *c;
	struct buf in;

	(void)state;
	memset(reason, 'r', sizeof(reason));
	params.max_output = 100;
	c = peer_open(&params);
	assert_int_equal(ws_conn_send(c, binary(reason, 94)), WS_SENT);
	buf_init(&in, 4096);
	peer_put_server(&in, &ping);
	for (int i = 0; i < WS_PONGS_MAX; i++)
		peer_expect(c, buf_bytes(&in), &ping);
	assert_int_equal(ws_conn_output_len(c), 100 + WS_PONGS_MAX * WS_CONTROL_FRAME_MAX);
	assert_int_equal(ws_conn_close(c, 1000, span_of(reason, sizeof(reason))), WS_SENT);
	assert_int_equal(ws_conn_output_len(c), 100 + (WS_PONGS_MAX + 1) * WS_CONTROL_FRAME_MAX);
	buf_deinit(&in);
	ws_conn_free(c);
}

static void lack_of_memory_loses_nothing_that_was_taken(void **state)
{
	static const uint8_t bytes[1000];
	struct fixed_rand r;
	struct ws_params params = peer_params(&r);
	struct ws_conn *c = peer_open(&params);
	const struct fr failed = FAIL("no memory for a message");

	(void)state;
	mem_fail_try_after(1);
	assert_int_equal(ws_conn_send(c, binary(bytes, sizeof(bytes))), WS_FULL);
	assert_int_equal(ws_conn_send(c, binary(bytes, sizeof(bytes))), WS_SENT);
	mem_fail_try_after(1);
	peer_expect(c,
		    span_of("\x82\x05"
			    "abc",
			    5),
		    &failed);
	ws_conn_free(c);
}

/* RFC 6455, 5.3 and 10.3: one draw for each frame, of four bytes. */
static void every_frame_draws_its_own_key(void **state)
{
	struct fixed_rand r;
	struct ws_params params = peer_params(&r);
	struct ws_conn *c = peer_open(&params);
	size_t before = r.drawn;

	(void)state;
	for (size_t i = 1; i <= 100; i++) {
		assert_int_equal(ws_conn_send(c, binary("x", 1)), WS_SENT);
		assert_int_equal(r.drawn, before + 4 * i);
	}
	assert_int_equal(ws_conn_ping(c, span_of(NULL, 0)), WS_SENT);
	assert_int_equal(ws_conn_close(c, 1000, span_of(NULL, 0)), WS_SENT);
	assert_int_equal(r.drawn, before + 4 * 102);
	ws_conn_free(c);
}

/* Chi-square of each key byte over a million frames: 255 degrees of freedom, 400 is one in 10^8. */
static void check_uniform(size_t counts[4][256], size_t frames)
{
	double expected = (double)frames / 256;

	for (int byte = 0; byte < 4; byte++) {
		double chi = 0;

		for (int v = 0; v < 256; v++) {
			double d = (double)counts[byte][v] - expected;

			chi += d * d / expected;
		}
		assert_true(chi < 400);
		assert_true(chi > 140);
	}
}

static void keys_are_unpredictable(void **state)
{
	enum { FRAMES = 1000000 };
	static size_t counts[4][256];
	struct fixed_rand r;
	struct ws_params params = peer_params(&r);
	uint8_t last[4] = { 0 };
	size_t equal = 0;
	struct ws_conn *c;

	(void)state;
	params.rand = rand_system();
	c = peer_open(&params);
	for (size_t i = 0; i < FRAMES; i++) {
		const uint8_t *key;
		struct iovec iov[WS_OUTPUT_IOV];

		assert_int_equal(ws_conn_send(c, binary("x", 1)), WS_SENT);
		assert_int_equal(ws_conn_output(c, iov), 1);
		key = (const uint8_t *)iov[0].iov_base + 2;
		equal += memcmp(key, last, 4) == 0;
		memcpy(last, key, 4);
		for (int byte = 0; byte < 4; byte++)
			counts[byte][key[byte]]++;
		ws_conn_wrote(c, iov[0].iov_len);
	}
	assert_true(equal <= 1);
	check_uniform(counts, FRAMES);
	ws_conn_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_above_the_maximum_closes_with_1009),
		cmocka_unit_test(an_announced_size_is_judged_at_once),
		cmocka_unit_test(empty_fragments_come_to_an_end),
		cmocka_unit_test(a_flood_of_pings_does_not_grow_the_output),
		cmocka_unit_test(the_output_has_a_cap),
		cmocka_unit_test(pongs_and_close_pass_a_full_output),
		cmocka_unit_test(lack_of_memory_loses_nothing_that_was_taken),
		cmocka_unit_test(every_frame_draws_its_own_key),
		cmocka_unit_test(keys_are_unpredictable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
