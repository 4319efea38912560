/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of TLS, made by OpenSSL or by the kernel: full ones, what is told of
 * who makes them, and new keys in the middle of a connection.
 */
#include "tls_rig.h"

#include <openssl/ssl.h>
#include <string.h>

#define MIB ((size_t)1024 * 1024)

/* RFC 8446, 5.1 and 5.2: 64 records of 16 KiB, 22 bytes around each, however it is offered. */
static void test_records_are_full(void **state)
{
	static uint8_t block[1024 * 1024];
	static const size_t splits[] = { 0, 1, 1000, 16384, 500000 };

	(void)state;
	for (size_t i = 0; i < MIB; i++)
		block[i] = tls_pattern(i);
	for (size_t i = 0; i < sizeof(splits) / sizeof(splits[0]); i++) {
		struct iovec iov[] = {
			{ .iov_base = block, .iov_len = splits[i] },
			{ .iov_base = block + splits[i], .iov_len = MIB - splits[i] },
		};
		size_t before, offers = 0, taken = 0;
		struct tls_rig r;

		rig_init(&r, NULL, NULL);
		rig_open(&r);
		rig_turn_for(&r, 1000);
		before = r.peer.wire_in;
		for (; taken < MIB; offers++) {
			taken += stream_offer(r.stream, iov, 2);
			iov[0].iov_len = 0;
			iov[1] = (struct iovec){ .iov_base = block + taken,
						 .iov_len = MIB - taken };
			rig_turn_for(&r, 100);
		}
		rig_wait_app_in(&r, MIB);
		assert_int_equal((r.peer.wire_in - before - MIB) % 22, 0);
		/* an offer that fell short may have ended a record of the kernel's */
		assert_in_range((r.peer.wire_in - before - MIB) / 22, 64, 63 + offers);
		rig_deinit(&r);
	}
}

/* What the kernel does depends on the machine; that it is told, or why not, does not. */
static void test_ktls_is_told(void **state)
{
	static const char *const names[] = { "off", "send", "receive", "both" };

	(void)state;
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		struct tls_peer_conf peer = { .cert = "good", .max_version = version };
		const struct tls_info *info;
		struct tls_rig r;

		rig_init(&r, &peer, NULL);
		rig_open(&r);
		info = tls_stream_info(r.stream);
		print_message("%s: %s, %s\n", info->version, tls_ktls_name(info->ktls),
			      info->ktls_refusal ? info->ktls_refusal : "not refused");
		assert_string_equal(tls_ktls_name(info->ktls), names[info->ktls]);
		assert_int_equal(RIG_KTLS && info->ktls == TLS_KTLS_OFF, !!info->ktls_refusal);
		assert_true(RIG_KTLS || info->ktls == TLS_KTLS_OFF);
		rig_deinit(&r);
	}
}

/* RFC 8446, 4.6.3: followed, or, where the kernel has our keys, the end with a sentence. */
static void test_new_keys_are_asked_for(void **state)
{
	struct tls_rig r;
	bool sends;

	(void)state;
	rig_init(&r, NULL, NULL);
	rig_open(&r);
	sends = tls_stream_info(r.stream)->ktls != TLS_KTLS_OFF;
	tls_peer_key_update(&r.peer);
	if (sends) {
		rig_wait_end(&r);
		assert_int_equal(r.err.code, ERR_CONNECT);
		assert_non_null(strstr(r.err.text, "tls.ktls"));
	} else {
		tls_peer_send(&r.peer, 1000);
		rig_wait_got(&r, 1000);
		rig_send(&r, 1000);
		rig_wait_app_in(&r, 1000);
		assert_int_equal(r.failed_events, 0);
	}
	rig_deinit(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_records_are_full),
		cmocka_unit_test(test_ktls_is_told),
		cmocka_unit_test(test_new_keys_are_asked_for),
	};

	return cmocka_run_group_tests(tests, rig_begin, rig_end);
}
