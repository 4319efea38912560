/* SPDX-License-Identifier: Apache-2.0 */
/* Seqpacket sockets: a packet is a record, in both directions, whole or not at all. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "account.h"
#include "base/mem.h"
#include "rig.h"

static struct rig rig;

static int setup(void **state)
{
	(void)state;
	rig_init(&rig);
	rig.rules.type = SOCKET_SEQPACKET;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_close(&rig);
	return 0;
}

/* The next packet for a peer that reads nothing by itself; -1: none is there, 0: the end. */
static ssize_t take(size_t i, char *out, size_t size)
{
	ssize_t n = recv(rig.peers[i].fd, out, size - 1, MSG_DONTWAIT);

	assert_true(n >= 0 || errno == EAGAIN);
	out[n > 0 ? n : 0] = '\0';
	return n;
}

static void expect_packet(size_t i, const char *text)
{
	char packet[200];

	assert_int_equal(take(i, packet, sizeof(packet)), strlen(text));
	assert_string_equal(packet, text);
}

static void expect_none(size_t i)
{
	char packet[200];

	assert_int_equal(take(i, packet, sizeof(packet)), -1);
}

static void put_packet(size_t i, const void *p, size_t n)
{
	assert_int_equal(send(rig.peers[i].fd, p, n, MSG_NOSIGNAL), (ssize_t)n);
}

static void each_record_is_a_packet(void **state)
{
	static const struct {
		enum conf_framing framing;
		const char *first, *second;
	} rows[] = {
		{ FRAMING_LINES, "one", "two" },
		{ FRAMING_RAW, "one", "two" },
		{ FRAMING_JSON,
		  "{\"type\":\"text\",\"seq\":1,\"epoch\":1,\"time\":0.000000,\"data\":\"one\"}",
		  "{\"type\":\"text\",\"seq\":2,\"epoch\":1,\"time\":0.000000,\"data\":\"two\"}" },
	};

	(void)state;
	for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
		rig.rules.framing = rows[row].framing;
		rig_open(&rig);
		rig_connect_all(&rig, 2);
		rig.peers[0].stalled = rig.peers[1].stalled = true;
		rig_send(&rig, "one");
		rig_send(&rig, "two");
		rig_turns(&rig);
		for (size_t i = 0; i < 2; i++) {
			expect_packet(i, rows[row].first);
			expect_packet(i, rows[row].second);
			expect_none(i);
			assert_int_equal(rig_client(&rig, i).sent, 2);
		}
		teardown(NULL);
		setup(NULL);
	}
	rig_open(&rig);
}

static void each_packet_is_an_order(void **state)
{
	char *big = mem_alloc(150000);

	(void)state;
	memset(big, 'x', 150000);
	rig_open(&rig);
	rig_connect_all(&rig, 2);
	put_packet(0, "one", 3);
	put_packet(0, "", 0); /* is nothing, and not the end */
	put_packet(0, "two\nlines", 9);
	put_packet(0, "\xFF", 1);
	put_packet(0, big, 150000); /* above the buffer that all share */
	put_packet(0, "last", 4);
	rig.want = 5;
	rig_wait(&rig, rig_has_messages);
	assert_int_equal(rig.n_bad, 1);
	assert_int_equal(rig.n_ended, 0);
	assert_int_equal(rig.messages_n, 4 + 10 + 150001 + 5);
	assert_memory_equal(rig.messages, "one|two\nlines|xxx", 17);
	assert_string_equal(rig.messages + rig.messages_n - 6, "|last|");
	shutdown(rig.peers[0].fd, SHUT_WR);
	rig_turns(&rig);
	assert_int_equal(rig.n_ended, 1);
	assert_int_equal(endpoint_n_clients(rig.e), 2);
	put_packet(1, "bye", 3);
	peer_close(&rig.peers[1]);
	peer_close(&rig.peers[0]);
	rig.want = 0;
	rig_wait(&rig, rig_has_clients);
	assert_int_equal(rig.n_messages, 5);
	free(big);
}

/* An empty record would be taken for the end. */
static void what_is_empty_does_not_fit(void **state)
{
	struct endpoint_totals totals;

	(void)state;
	rig.rules.framing = FRAMING_RAW;
	rig_open(&rig);
	rig_connect_all(&rig, 1);
	assert_int_equal(rig_send(&rig, ""), ENDPOINT_UNFIT);
	assert_int_equal(rig_send(&rig, "x"), ENDPOINT_SENT);
	rig.want = 1;
	rig_wait(&rig, rig_all_got);
	assert_false(rig.peers[0].eof);
	endpoint_totals(rig.e, &totals);
	assert_int_equal(totals.unfit, 1);
}

static void a_pause_loses_no_packet(void **state)
{
	(void)state;
	rig_open(&rig);
	rig_connect_all(&rig, 2);
	rig.pause_at = 2;
	for (char c = '1'; c <= '5'; c++)
		put_packet(0, &c, 1);
	rig.want = 2;
	rig_wait(&rig, rig_has_messages);
	rig_turns(&rig);
	assert_string_equal(rig.messages, "1|2|");
	peer_close(&rig.peers[0]); /* it has left some behind */
	peer_close(&rig.peers[1]);
	rig.want = 1;
	rig_wait(&rig, rig_has_clients);
	endpoint_resume(rig.e);
	rig.want = 0;
	rig_wait(&rig, rig_has_clients);
	assert_string_equal(rig.messages, "1|2|3|4|5|");
}

static void what_a_gone_client_wrote_is_sent(void **state)
{
	(void)state;
	rig_open(&rig);
	rig_connect_all(&rig, 1);
	put_packet(0, "1", 1);
	put_packet(0, "2", 1);
	peer_close(&rig.peers[0]);
	rig_send(&rig, "nobody reads it");
	endpoint_flush(rig.e);
	rig.want = 0;
	rig_wait(&rig, rig_has_clients);
	assert_string_equal(rig.messages, "1|2|");
	assert_int_equal(rig.quota.queued, 0);
}

/* The socket is full long before all is sent; each packet comes whole and once. */
static void a_slow_one_gets_whole_packets(void **state)
{
	static struct account a;
	char packet[2000];
	ssize_t n;

	(void)state;
	rig.rules.framing = FRAMING_JSON;
	rig.rules.queue = 30000;
	rig_open(&rig);
	rig_connect_all(&rig, 2)->stalled = true;
	a.next = 1;
	memset(packet, 'x', 1000);
	packet[1000] = '\0';
	for (int i = 0; i < 5000; i++) {
		rig_send(&rig, packet + i % 1000);
		if (i % 100 == 0)
			rig_some_turns(&rig, 1);
	}
	assert_true(rig_client(&rig, 0).slow);
	while (a.next <= rig.seq) {
		rig_some_turns(&rig, 1);
		while ((n = take(0, packet, sizeof(packet))) > 0) {
			account_feed(&a, packet, (size_t)n);
			account_feed(&a, "\n", 1);
		}
	}
	assert_true(a.dropped > 0 && a.received > 100);
	assert_int_equal(a.dropped, rig_client(&rig, 0).dropped);
	assert_int_equal(a.received, rig_client(&rig, 0).sent);
}

/* max_message is far above it: it is dropped for these clients, and that is told. */
static void what_no_packet_can_hold_is_dropped(void **state)
{
	static struct account a;
	struct endpoint_totals totals;
	char *big = mem_alloc(8 << 20), packet[200], expected[200];
	size_t max;

	(void)state;
	memset(big, 'x', 8 << 20);
	big[(8 << 20) - 1] = '\0';
	rig.rules.framing = FRAMING_JSON;
	rig_open(&rig);
	rig_connect_all(&rig, 1)->stalled = true;
	rig_send(&rig, "1");
	rig_send(&rig, big);
	rig_send(&rig, "3");
	rig_send(&rig, big);
	rig_send(&rig, "5");
	rig_turns(&rig);
	a.next = 1;
	for (ssize_t n; (n = take(0, packet, sizeof(packet))) > 0;) {
		account_feed(&a, packet, (size_t)n);
		account_feed(&a, "\n", 1);
	}
	assert_int_equal(a.next, 6);
	assert_int_equal(a.gaps, 2);
	endpoint_totals(rig.e, &totals);
	assert_int_equal(totals.dropped, 2);
	assert_int_equal(rig_client(&rig, 0).sent, 3);
	assert_int_equal(rig.n_dropped, 1);
	assert_int_equal(
		sscanf(rig.last_error.text,
		       "a message is longer than a packet may be (%zu bytes): it is dropped", &max),
		1);
	assert_true(max > 200000);
	snprintf(expected, sizeof(expected),
		 "a message is longer than a packet may be (%zu bytes): it is dropped", max);
	assert_string_equal(rig.last_error.text, expected);
	free(big);
}

/* The longest that fits does get through, also with other things before it. */
static void the_longest_packet_gets_through(void **state)
{
	char *big = mem_alloc(300000);

	(void)state;
	memset(big, 'x', 150000);
	big[150000] = '\0';
	rig.rules.queue = 1000;
	rig_open(&rig);
	rig_connect_all(&rig, 1)->stalled = true;
	for (int i = 0; i < 3; i++)
		rig_send(&rig, big);
	rig_turns(&rig);
	rig.peers[0].stalled = false;
	rig_wait(&rig, rig_is_drained);
	rig_turns(&rig);
	assert_int_equal(rig.peers[0].n, 3 * 150000);
	free(big);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(each_record_is_a_packet),
		TEST(each_packet_is_an_order),
		TEST(what_is_empty_does_not_fit),
		TEST(a_pause_loses_no_packet),
		TEST(what_a_gone_client_wrote_is_sent),
		TEST(a_slow_one_gets_whole_packets),
		TEST(what_no_packet_can_hold_is_dropped),
		TEST(the_longest_packet_gets_through),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
