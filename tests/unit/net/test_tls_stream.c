/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes through TLS: all of them, in order, also for an owner who pauses and a
 * peer who is slow; and an end that is told from a cut.
 */
#include "tls_rig.h"

#include <openssl/err.h>
#include <sys/socket.h>

#define MIB ((size_t)1024 * 1024)
#define CUT "the connection was cut off: no TLS close_notify came"

static size_t offer_byte(struct tls_rig *r)
{
	char byte = 'x';

	return stream_offer(r->stream, &(struct iovec){ .iov_base = &byte, .iov_len = 1 }, 1);
}

static void set_pausing(struct tls_rig *r, int how)
{
	r->pause_each = how == 1;
	r->pause_resume = how == 2;
}

/* What lies in OpenSSL wakes nobody: the last record must come without the peer's help. */
static void test_silence_after_a_mebibyte(void **state)
{
	(void)state;
	for (int how = 0; how < 3; how++) {
		struct tls_rig r;

		rig_init(&r, NULL, NULL);
		rig_open(&r);
		set_pausing(&r, how);
		tls_peer_send(&r.peer, MIB);
		rig_wait_got(&r, MIB);
		rig_turn_for(&r, 2000);
		assert_int_equal(r.eof_events + r.failed_events, 0);
		rig_deinit(&r);
	}
}

static void test_paused_means_nothing_comes(void **state)
{
	struct tls_rig r;
	size_t before;

	(void)state;
	rig_init(&r, NULL, NULL);
	rig_open(&r);
	stream_pause(r.stream);
	tls_peer_send(&r.peer, 8 * MIB);
	tls_peer_close_notify(&r.peer);
	rig_turn_for(&r, 20000);
	assert_int_equal(r.data_events + r.eof_events, 0);
	r.pause_each = true; /* and never again by itself */
	stream_resume(r.stream);
	rig_wait_got_some(&r);
	timer_disarm(&r.resume);
	before = r.got;
	rig_turn_for(&r, 20000);
	assert_int_equal(r.got, before);
	r.pause_each = false;
	stream_resume(r.stream);
	rig_wait_got(&r, 8 * MIB);
	rig_wait_end(&r);
	assert_int_equal(r.eof_events, 1);
	rig_deinit(&r);
}

static void run_both_ways(int version, size_t piece, int how)
{
	struct tls_peer_conf peer = { .cert = "good",
				      .min_version = version,
				      .max_version = version };
	struct tls_rig r;
	int small = 65536;

	rig_init(&r, &peer, NULL);
	setsockopt(r.peer.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	r.piece = piece;
	set_pausing(&r, how);
	rig_open(&r);
	r.peer.slow_read = 256 * 1024;
	rig_send(&r, 16 * MIB);
	assert_true(r.to_send > 0);
	tls_peer_send(&r.peer, 16 * MIB);
	rig_wait_app_in(&r, 16 * MIB);
	rig_wait_got(&r, 16 * MIB);
	assert_true(r.writable_events > 10);
	assert_int_equal(r.to_send, 0);
	rig_deinit(&r);
}

static void test_much_both_ways(void **state)
{
	(void)state;
	run_both_ways(TLS1_3_VERSION, 0, 0);
	run_both_ways(TLS1_2_VERSION, 0, 1);
	run_both_ways(TLS1_3_VERSION, 1000, 2); /* pieces put together */
	run_both_ways(TLS1_2_VERSION, 50000, 0);
}

/* Small pieces in one offer are one record, not many. */
static void test_small_pieces_share_a_record(void **state)
{
	uint8_t bytes[300];
	struct iovec iov[300];
	struct tls_rig r;
	size_t before;

	(void)state;
	rig_init(&r, NULL, NULL);
	rig_open(&r);
	rig_turn_for(&r, 1000);
	before = r.peer.wire_in;
	for (size_t i = 0; i < 300; i++) {
		bytes[i] = tls_pattern(i);
		iov[i] = (struct iovec){ .iov_base = bytes + i, .iov_len = 1 };
	}
	assert_int_equal(stream_offer(r.stream, iov, 300), 300);
	rig_wait_app_in(&r, 300);
	assert_int_equal(r.peer.wire_in - before, 300 + 5 + 1 + 16); /* RFC 8446, 5.2 */
	assert_int_equal(stream_offer(r.stream, iov, 0), 0);
	assert_int_equal(stream_offer(r.stream, &(struct iovec){ .iov_base = NULL }, 1), 0);
	rig_deinit(&r);
}

/* What was not taken is the owner's to change: the next bytes are whatever he offers then. */
static void test_bytes_that_were_not_taken_may_change(void **state)
{
	static uint8_t block[2 * 1024 * 1024];
	struct iovec iov = { .iov_base = block, .iov_len = sizeof(block) };
	struct tls_rig r;
	size_t taken, more;

	(void)state;
	rig_init(&r, NULL, NULL);
	rig_open(&r);
	r.peer.slow_read = 1;
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = tls_pattern(i);
	for (taken = 0; taken < 64 * MIB; taken += more) {
		more = stream_offer(r.stream, &iov, 1);
		for (size_t i = 0; i < sizeof(block); i++)
			block[i] = tls_pattern(taken + more + i);
		if (more < sizeof(block))
			break;
	}
	taken += more;
	memset(block, 0xdd, sizeof(block));
	block[0] = tls_pattern(taken);
	r.sent = taken;
	r.peer.slow_read = 1024 * 1024;
	r.to_send = 1; /* at WRITABLE: one byte instead of two mebibytes */
	rig_wait_app_in(&r, taken + 1);
	rig_deinit(&r);
}

static void test_half_closes(void **state)
{
	struct tls_rig r;

	(void)state;
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		struct tls_peer_conf peer = { .cert = "good", .max_version = version };

		rig_init(&r, &peer, NULL);
		rig_open(&r);
		tls_peer_send(&r.peer, 100);
		tls_peer_close_notify(&r.peer);
		rig_wait_end(&r);
		assert_int_equal(r.got, 100);
		rig_send(&r, 100); /* his end is not ours */
		rig_wait_app_in(&r, 100);
		stream_shutdown(r.stream);
		assert_int_equal(offer_byte(&r), 0);
		rig_turn_for(&r, 5000);
		assert_true(r.peer.got_close_notify && r.peer.got_eof);
		assert_int_equal(r.eof_events, 1);
		assert_int_equal(r.failed_events, 0);
		rig_deinit(&r);
	}
}

static void test_shutdown_first(void **state)
{
	struct tls_rig r;

	(void)state;
	rig_init(&r, NULL, NULL);
	rig_open(&r);
	r.peer.slow_read = 65536;
	rig_send(&r, 4 * MIB);
	while (r.to_send)
		rig_turn_for(&r, 1000);
	stream_shutdown(r.stream); /* behind what waits, not instead of it */
	tls_peer_send(&r.peer, 3 * MIB);
	rig_wait_got(&r, 3 * MIB);
	rig_wait_app_in(&r, 4 * MIB);
	tls_peer_close_notify(&r.peer);
	rig_wait_end(&r);
	assert_true(r.peer.got_close_notify);
	assert_int_equal(r.eof_events, 1);
	rig_deinit(&r);
}

/* Free is a close: the peer need not think that he was cut off. */
static void test_free_says_close_notify(void **state)
{
	struct tls_rig r;

	(void)state;
	rig_init(&r, NULL, NULL);
	rig_open(&r);
	rig_free(&r);
	rig_turn_for(&r, 5000);
	assert_true(r.peer.got_close_notify);
	rig_deinit(&r);
}

static void check_cut(struct tls_rig *r, size_t got)
{
	rig_wait_end(r);
	assert_int_equal(r->got, got);
	assert_int_equal(r->wrong, 0);
	assert_int_equal(r->eof_events, 0);
	assert_string_equal(r->err.text, CUT);
	assert_int_equal(r->err.code, ERR_CONNECT);
	assert_int_equal(r->err.stage, STAGE_NONE);
	assert_int_equal(offer_byte(r), 0);
}

/* 100 cuts and 100 clean ends, after any number of bytes; each is told from the other. */
static void test_truncation(void **state)
{
	(void)state;
	for (size_t i = 0; i < 200; i++) {
		struct tls_rig r;

		rig_init(&r, NULL, NULL);
		rig_open(&r);
		set_pausing(&r, (int)(i / 2 % 3));
		tls_peer_send(&r.peer, i * i * 7);
		if (i % 2)
			tls_peer_close_notify(&r.peer);
		while (r.peer.wire_n)
			rig_turn_for(&r, 100);
		if (i % 3)
			tls_peer_fin(&r.peer);
		else
			tls_peer_drop(&r.peer);
		if (i % 2) {
			rig_wait_end(&r);
			assert_int_equal(r.got, i * i * 7);
			assert_int_equal(r.eof_events, 1);
		} else {
			check_cut(&r, i * i * 7);
		}
		rig_deinit(&r);
	}
}

/* The last record is cut at every byte, also in the middle of the close_notify. */
static void test_cut_at_every_byte(void **state)
{
	size_t full = 100 + 5 + 1 + 16, notify = 2 + 5 + 1 + 16;

	(void)state;
	for (size_t i = 0; i < full + notify; i++) {
		struct tls_rig r;

		rig_init(&r, NULL, NULL);
		rig_open(&r);
		r.peer.wire_limit = r.peer.wire_out + i;
		tls_peer_send(&r.peer, 100);
		tls_peer_close_notify(&r.peer);
		tls_peer_fin(&r.peer);
		check_cut(&r, i < full ? 0 : 100);
		rig_deinit(&r);
	}
}

static void test_reset(void **state)
{
	struct tls_rig r;

	(void)state;
	rig_init(&r, NULL, NULL);
	rig_open(&r);
	tls_peer_reset(&r.peer);
	rig_wait_end(&r);
	assert_int_equal(r.eof_events, 0);
	assert_string_equal(r.err.text, "read: Connection reset by peer");
	assert_int_equal(r.err.code, ERR_CONNECT);
	assert_int_equal(r.err.stage, STAGE_NONE);
	rig_deinit(&r);
}

/* RFC 8446, 6.1: what comes after close_notify is ignored, however much it is. */
static void test_more_after_close_notify(void **state)
{
	static const uint8_t garbage[4096];
	struct tls_rig r;

	(void)state;
	rig_init(&r, NULL, NULL);
	rig_open(&r);
	tls_peer_close_notify(&r.peer);
	rig_wait_end(&r);
	for (int i = 0; i < 1000; i++) {
		tls_peer_raw(&r.peer, span_of(garbage, sizeof(garbage)));
		if (i % 10 == 0)
			rig_turn_for(&r, 200);
	}
	assert_int_equal(r.failed_events + r.data_events, 0);
	rig_send(&r, 10);
	rig_wait_app_in(&r, 10);
	rig_deinit(&r);
}

/* The failure finds an owner who came late. */
static void test_nobody_there_when_it_fails(void **state)
{
	struct tls_rig r;

	(void)state;
	rig_init(&r, NULL, NULL);
	r.keep_detached = true;
	rig_open(&r);
	tls_peer_reset(&r.peer);
	rig_turn_for(&r, 2000);
	/* what our TLS took waits here; the kernel's knows at once */
	assert_int_equal(offer_byte(&r), tls_stream_info(r.stream)->ktls == TLS_KTLS_OFF);
	rig_turn_for(&r, 2000);
	rig_attach(&r);
	rig_wait_end(&r);
	assert_int_equal(r.failed_events, 1);
	rig_deinit(&r);
}

/* From one owner to the next, in the middle of the data. */
static void test_detach_and_attach(void **state)
{
	struct tls_rig r;

	(void)state;
	rig_init(&r, NULL, NULL);
	rig_open(&r);
	tls_peer_send(&r.peer, 4 * MIB);
	for (int i = 0; i < 50; i++) {
		rig_turn_for(&r, 200);
		stream_detach(r.stream);
		rig_turn_for(&r, 200);
		rig_attach(&r);
	}
	rig_wait_got(&r, 4 * MIB);
	rig_deinit(&r);
}

static void test_freed_in_each_callback(void **state)
{
	(void)state;
	for (int event = STREAM_DATA; event <= STREAM_FAILED; event++) {
		struct tls_rig r;

		rig_init(&r, NULL, NULL);
		r.free_on = event;
		rig_open(&r);
		r.peer.slow_read = 1024 * 1024;
		if (event == STREAM_WRITABLE)
			rig_send(&r, 16 * MIB);
		if (event == STREAM_DATA)
			tls_peer_send(&r.peer, MIB);
		if (event == STREAM_EOF)
			tls_peer_close_notify(&r.peer);
		if (event == STREAM_FAILED)
			tls_peer_raw(&r.peer, span_str("garbage, and not too little of it"));
		rig_wait_gone(&r);
		assert_int_equal(r.data_events, event == STREAM_DATA);
		assert_int_equal(r.failed_events, event == STREAM_FAILED);
		rig_turn_for(&r, 2000);
		rig_deinit(&r);
	}
}

/* Through an HTTPS proxy: two layers, and one buffer for the plaintext of both. */
static void test_tls_within_tls(void **state)
{
	(void)state;
	for (int how = 0; how < 3; how++) {
		struct tls_peer_conf conf = { .dir = rig_dir, .cert = "rsa", .greet = 1000 };
		struct tls_peer inner;
		struct tls_rig r;

		rig_init(&r, NULL, NULL);
		r.keep_detached = true;
		rig_open(&r);
		tls_peer_relay(&r.peer, tls_peer_init(&inner, r.loop, &conf));
		r.told = 0;
		r.keep_detached = false;
		set_pausing(&r, how);
		rig_open(&r);
		assert_string_equal(tls_stream_info(r.stream)->chain[0].subject, "CN=rsa");
		assert_int_equal(tls_stream_info(r.stream)->ktls, TLS_KTLS_OFF);
		assert_int_equal(!!tls_stream_info(r.stream)->ktls_refusal, RIG_KTLS);
		tls_peer_send(&inner, 4 * MIB);
		tls_peer_close_notify(&inner);
		rig_wait_got(&r, 4 * MIB + 1000);
		rig_wait_end(&r);
		assert_int_equal(r.eof_events, 1);
		rig_send(&r, 50000);
		while (inner.app_in < 50000)
			rig_turn_for(&r, 1000);
		assert_int_equal(inner.wrong, 0);
		stream_shutdown(r.stream);
		for (int i = 0; i < 1000 && !(inner.got_close_notify && r.peer.got_close_notify);
		     i++)
			rig_turn_for(&r, 1000);
		assert_true(inner.got_close_notify && r.peer.got_close_notify);
		tls_peer_deinit(&inner);
		rig_deinit(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_silence_after_a_mebibyte),
		cmocka_unit_test(test_paused_means_nothing_comes),
		cmocka_unit_test(test_much_both_ways),
		cmocka_unit_test(test_small_pieces_share_a_record),
		cmocka_unit_test(test_bytes_that_were_not_taken_may_change),
		cmocka_unit_test(test_half_closes),
		cmocka_unit_test(test_shutdown_first),
		cmocka_unit_test(test_free_says_close_notify),
		cmocka_unit_test(test_truncation),
		cmocka_unit_test(test_cut_at_every_byte),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_more_after_close_notify),
		cmocka_unit_test(test_nobody_there_when_it_fails),
		cmocka_unit_test(test_detach_and_attach),
		cmocka_unit_test(test_freed_in_each_callback),
		cmocka_unit_test(test_tls_within_tls),
	};

	return cmocka_run_group_tests(tests, rig_begin, rig_end);
}
