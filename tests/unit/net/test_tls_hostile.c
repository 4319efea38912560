/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Servers that mean no good, or are merely broken: cut and garbled handshakes,
 * floods, renegotiation, records of lies; and that a connection that dies takes
 * no other with it.
 */
#include "tls_rig.h"

#include <malloc.h>
#include <openssl/err.h>

#define CLOSED "the server closed the connection during the TLS handshake"

/* Ciphertext of a whole handshake from the server. */
static size_t handshake_size(const struct tls_peer_conf *peer)
{
	struct tls_rig r;
	size_t n;

	rig_init(&r, peer, NULL);
	rig_open(&r);
	n = r.peer.wire_out;
	rig_deinit(&r);
	return n;
}

static void check_broken(struct tls_rig *r, const char *sentence)
{
	assert_int_equal(r->told, 1);
	assert_null(r->stream);
	assert_string_equal(r->err.text, sentence);
	assert_int_equal(r->err.code, ERR_CONNECT); /* trying again may help */
	assert_int_equal(r->err.stage, STAGE_TLS);
}

static void test_closed_at_every_byte_of_the_handshake(void **state)
{
	(void)state;
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		struct tls_peer_conf peer = { .cert = "good", .max_version = version };
		size_t all = handshake_size(&peer) - 8; /* signatures differ in length */

		for (size_t i = 0; i < all; i += i < 16 ? 1 : 7) {
			struct tls_rig r;

			rig_init(&r, &peer, NULL);
			r.peer.wire_limit = i;
			rig_start(&r, "a.example");
			while (r.peer.wire_out < i)
				rig_turn_for(&r, 50);
			tls_peer_fin(&r.peer);
			rig_wait_end_of_handshake(&r);
			check_broken(&r, CLOSED);
			rig_deinit(&r);
		}
	}
}

static void test_reset_in_the_handshake(void **state)
{
	struct tls_rig r;

	(void)state;
	rig_init(&r, NULL, NULL);
	r.peer.wire_limit = 100;
	rig_start(&r, "a.example");
	while (r.peer.wire_out < 100)
		rig_turn_for(&r, 50);
	tls_peer_reset(&r.peer);
	rig_wait_end_of_handshake(&r);
	check_broken(&r, "TLS handshake: read: Connection reset by peer");
	rig_deinit(&r);
}

/* After any number of its bytes; nothing is called, nothing is left. */
static void test_cancelled_at_every_stage(void **state)
{
	size_t all = handshake_size(NULL);

	(void)state;
	for (size_t i = 0; i <= all + 7; i += 7) {
		struct tls_rig r;

		rig_init(&r, NULL, NULL);
		r.peer.wire_limit = i;
		rig_start(&r, "a.example");
		for (int turn = 0; turn < 50 && r.peer.wire_out < i && !r.told; turn++)
			rig_turn_for(&r, 30);
		tls_cancel(r.handshake);
		r.handshake = NULL;
		if (!r.stream)
			assert_int_equal(r.told, 0);
		rig_turn_for(&r, 500);
		assert_int_equal(r.told, r.stream != NULL);
		rig_deinit(&r);
	}
	tls_cancel(NULL);
}

static void test_freed_when_it_is_there(void **state)
{
	struct tls_rig r;

	(void)state;
	rig_init(&r, &(struct tls_peer_conf){ .cert = "good", .greet = 1000 }, NULL);
	r.free_in_handshake = true;
	rig_shake(&r, "a.example");
	rig_turn_for(&r, 2000);
	assert_int_equal(r.data_events, 0);
	rig_deinit(&r);
}

struct garbage {
	const char *bytes, *sentence;
};

static void test_what_is_not_tls(void **state)
{
	static const struct garbage table[] = {
		{ "HTTP/1.1 400 Bad Request\r\n\r\n",
		  "TLS handshake: what the server answers is not TLS" },
		{ "SSH-2.0-OpenSSH_9.2p1 Debian\r\n",
		  "TLS handshake: what the server answers is not TLS" },
		{ "\x15\x03\x03\x01\x02\x02\x28", CLOSED },
		{ "\x15\x03\x03\x7f\x02\x02\x28", "TLS handshake: packet length too long" },
		{ "\x17\x03\x03\x10\x01xxxxxxxxxxxxxxxx", CLOSED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct tls_rig r;

		rig_init(&r, NULL, NULL);
		r.peer.wire_limit = 0;
		rig_start(&r, "a.example");
		tls_peer_raw(&r.peer, span_str(table[i].bytes));
		tls_peer_fin(&r.peer);
		rig_wait_end_of_handshake(&r);
		assert_string_equal(r.err.text, table[i].sentence);
		assert_int_equal(r.err.stage, STAGE_TLS);
		rig_deinit(&r);
	}
}

static void test_alert_instead_of_a_hello(void **state)
{
	static const uint8_t refusal[] = { 0x15, 3, 3, 0, 2, 2, 40 };
	static const uint8_t goodbye[] = { 0x15, 3, 3, 0, 2, 1, 0 };
	struct tls_rig r;

	(void)state;
	rig_init(&r, NULL, NULL);
	rig_start(&r, "a.example");
	tls_peer_raw(&r.peer, span_of(refusal, sizeof(refusal)));
	rig_wait_end_of_handshake(&r);
	assert_string_equal(r.err.text,
			    "TLS handshake: the server sent the alert \"handshake failure\" (40)");
	assert_int_equal(r.err.code, ERR_TLS);
	rig_deinit(&r);
	rig_init(&r, NULL, NULL);
	rig_start(&r, "a.example");
	tls_peer_raw(&r.peer, span_of(goodbye, sizeof(goodbye)));
	rig_wait_end_of_handshake(&r);
	check_broken(&r, CLOSED);
	rig_deinit(&r);
}

static void test_garbage_when_open(void **state)
{
	static const uint8_t record[5 + 0x101] = { 0x17, 3, 3, 1, 1 };
	struct tls_rig r;

	(void)state;
	rig_init(&r, NULL, NULL);
	rig_open(&r);
	tls_peer_send(&r.peer, 100);
	tls_peer_raw(&r.peer, span_of(record, sizeof(record)));
	rig_wait_end(&r);
	assert_int_equal(r.got, 100); /* what came before it counts */
	assert_string_equal(r.err.text, "TLS: decryption failed or bad record mac");
	assert_int_equal(r.err.code, ERR_TLS);
	assert_int_equal(r.eof_events, 0);
	rig_turn_for(&r, 2000);
	assert_int_equal(r.failed_events, 1);
	assert_false(r.peer.got_close_notify); /* an alert, and no word of a clean end */
	assert_true(r.peer.failed);
	rig_deinit(&r);
}

/* Right behind the server's Finished, in one segment with it. */
static void test_data_with_the_finished(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct tls_peer_conf peer = { .cert = "good", .greet = 50000 };
		struct tls_rig r;

		peer.max_version = i & 1 ? TLS1_2_VERSION : TLS1_3_VERSION;
		rig_init(&r, &peer, NULL);
		r.peer.early = peer.max_version == TLS1_3_VERSION;
		r.keep_detached = i & 2;
		rig_open(&r);
		if (r.keep_detached) {
			rig_turn_for(&r, 5000);
			rig_attach(&r);
		}
		rig_wait_got(&r, 50000);
		rig_deinit(&r);
	}
}

static size_t heap_used(void)
{
	return mallinfo2().uordblks;
}

static bool has_memory_figures(void)
{
	void *volatile p;
	size_t before = heap_used();

	p = malloc(100000);
	before = heap_used() - before;
	free(p);
	return before >= 100000; /* not under the sanitizers, nor under valgrind */
}

/* Floods of what a server may send at any time; their figure is what stays (T15). */
static void run_flood(void (*one)(struct tls_peer *p), unsigned n)
{
	struct tls_peer_conf peer = { .cert = "good", .min_version = TLS1_3_VERSION };
	struct tls_rig r;
	size_t before, after;

	rig_init(&r, &peer, NULL);
	rig_open(&r);
	for (unsigned i = 0; i < 100; i++)
		one(&r.peer);
	tls_peer_send(&r.peer, 1);
	rig_wait_got(&r, 1);
	before = heap_used();
	for (unsigned i = 0; i < n; i++) {
		one(&r.peer);
		if (i % 50 == 0)
			rig_turn_for(&r, 100);
	}
	tls_peer_send(&r.peer, 1);
	rig_wait_got(&r, 2);
	after = heap_used();
	rig_send(&r, 1000);
	rig_wait_app_in(&r, 1000);
	if (has_memory_figures())
		assert_true(after < before + 100 * 1024);
	rig_deinit(&r);
}

static void test_tickets(void **state)
{
	(void)state;
	run_flood(tls_peer_ticket, 5000);
}

static void test_key_updates(void **state)
{
	(void)state;
	run_flood(tls_peer_key_update, 5000);
}

/* Requests that a full transport cannot answer: they neither pile up nor stop the data. */
static void test_key_updates_while_we_cannot_write(void **state)
{
	struct tls_rig r;

	(void)state;
	rig_init(&r, NULL, NULL);
	rig_open(&r);
	r.peer.slow_read = 1;
	rig_send(&r, 16 * 1024 * 1024);
	for (int i = 0; i < 1000; i++)
		tls_peer_key_update(&r.peer);
	tls_peer_send(&r.peer, 300000);
	rig_wait_got(&r, 300000);
	r.peer.slow_read = 1024 * 1024;
	rig_wait_app_in(&r, 16 * 1024 * 1024);
	rig_deinit(&r);
}

/*
 * Half a ticket: OpenSSL will not write until it has read the rest. Neither a
 * failure nor a loss, and WRITABLE comes when it is there.
 */
static void test_half_a_ticket_stops_writing(void **state)
{
	struct tls_peer_conf peer = { .cert = "good", .ticket_size = 3000, .fragment = 512 };
	struct tls_rig r;

	(void)state;
	rig_init(&r, &peer, NULL);
	rig_open(&r);
	r.peer.wire_limit = r.peer.wire_out + 1200; /* two records and a bit */
	tls_peer_ticket(&r.peer);
	rig_turn_for(&r, 5000);
	rig_send(&r, 1000);
	assert_int_equal(r.sent, 0);
	rig_turn_for(&r, 5000);
	assert_int_equal(r.failed_events + r.writable_events, 0);
	r.peer.wire_limit = SIZE_MAX;
	tls_peer_pump(&r.peer);
	rig_wait_app_in(&r, 1000);
	assert_int_equal(r.failed_events, 0);
	assert_int_equal(r.writable_events, 1);
	rig_deinit(&r);
}

static void test_renegotiation_is_refused(void **state)
{
	struct tls_peer_conf peer = { .cert = "good", .max_version = TLS1_2_VERSION };
	struct tls_rig r;

	(void)state;
	rig_init(&r, &peer, NULL);
	rig_open(&r);
	assert_int_equal(r.peer.hellos, 1);
	tls_peer_renegotiate(&r.peer);
	rig_wait_end(&r);
	assert_int_equal(r.peer.hellos, 1);
	assert_string_equal(r.err.text,
			    "TLS: the server sent the alert \"handshake failure\" (40)");
	rig_deinit(&r);
}

/* A second connection lives on while others die of everything there is. */
struct witness {
	struct tls_rig rig;
	size_t sent;
};

static void check_witness(struct witness *w)
{
	assert_int_equal(ERR_peek_error(), 0);
	tls_peer_send(&w->rig.peer, 1000);
	rig_send(&w->rig, 1000);
	w->sent += 1000;
	rig_wait_got(&w->rig, w->sent);
	rig_wait_app_in(&w->rig, w->sent);
	assert_int_equal(w->rig.failed_events + w->rig.eof_events, 0);
}

static void die_of(struct witness *w, unsigned i)
{
	static const char *const certs[] = { "expired", "self", "unknown", "cn_only", "purpose" };
	struct tls_peer_conf peer = { .cert = i < 5 ? certs[i] : "good" };
	struct tls_rig r;

	rig_init(&r, &peer, NULL);
	if (i == 5)
		tls_peer_raw(&r.peer, span_str("HTTP/1.1 400 Bad Request\r\n\r\n"));
	rig_shake(&r, "a.example");
	check_witness(w);
	if (i == 6)
		tls_peer_raw(&r.peer, span_str("this is no record at all"));
	if (i == 7)
		tls_peer_fin(&r.peer);
	if (i == 8)
		tls_peer_reset(&r.peer);
	if (i == 9)
		tls_peer_close_notify(&r.peer);
	if (i >= 6)
		rig_wait_end(&r);
	check_witness(w);
	rig_deinit(&r);
	check_witness(w);
}

static void test_one_dies_another_lives(void **state)
{
	struct witness w = { .sent = 0 };

	(void)state;
	rig_init(&w.rig, NULL, NULL);
	rig_open(&w.rig);
	for (unsigned i = 0; i < 10; i++)
		die_of(&w, i);
	rig_deinit(&w.rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_closed_at_every_byte_of_the_handshake),
		cmocka_unit_test(test_reset_in_the_handshake),
		cmocka_unit_test(test_cancelled_at_every_stage),
		cmocka_unit_test(test_freed_when_it_is_there),
		cmocka_unit_test(test_what_is_not_tls),
		cmocka_unit_test(test_alert_instead_of_a_hello),
		cmocka_unit_test(test_garbage_when_open),
		cmocka_unit_test(test_data_with_the_finished),
		cmocka_unit_test(test_tickets),
		cmocka_unit_test(test_key_updates),
		cmocka_unit_test(test_key_updates_while_we_cannot_write),
		cmocka_unit_test(test_half_a_ticket_stops_writing),
		cmocka_unit_test(test_renegotiation_is_refused),
		cmocka_unit_test(test_one_dies_another_lives),
	};

	return cmocka_run_group_tests(tests, rig_begin, rig_end);
}
