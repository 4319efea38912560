/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cases 1 to 7 and 10 of the Autobahn suite by their numbers, as its
 * server would put them to a client that echoes messages: the client's events
 * and every byte it sends. Where the suite leaves a choice, ours stands here.
 * A server that has nothing more to say closes with 1000, as the suite's does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "ws/autobahn_utf8.h"
#include "ws/peer.h"

#define HELLO "Hello, world!"
#define HELLO_CLOSE "Hello World!"
#define OCTETS "\x00\xFF\xFE\xFD\xFC\xFB\x00\xFF"
#define KOSME "\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5"
#define EDITED "\x65\x64\x69\x74\x65\x64"
#define UMLAUTS_1 "Hello-\xC2\xB5@\xC3\x9F\xC3\xB6\xC3\xA4"
#define UMLAUTS_2 "\xC3\xBC\xC3\xA0\xC3\xA1-UTF-8!!"

#define RESERVED_BIT FAIL("a frame has a reserved bit set")
#define RESERVED_OPCODE FAIL("a frame has a reserved opcode")
#define FRAGMENTED_CONTROL FAIL("a control frame is fragmented")
#define LONG_CONTROL FAIL("a control frame is longer than 125 bytes")
#define NOTHING_TO_CONTINUE FAIL("a continuation frame continues nothing")
#define NESTED FAIL("a message begins inside a fragmented one")
#define NOT_UTF8 FAIL("a text message is not UTF-8")

static void talk_all(const struct talk *talks, size_t n)
{
	for (size_t i = 0; i < n; i++)
		peer_talk(&talks[i]);
}

#define TALK_ALL(talks) talk_all(talks, sizeof(talks) / sizeof((talks)[0]))

/* A message, echoed; then Close 1000, echoed. */
static void talk_echo(const char *number, struct fr sent, struct fr whole)
{
	const struct talk t = {
		.name = number,
		.in = { sent, CLOSE_1000 },
		.events = { whole, CLOSE_1000 },
		.out = { whole, CLOSE_1000 },
	};

	peer_talk(&t);
}

static void echo_lengths(unsigned group, int first, const char *byte)
{
	/* 1.x.8 is 1.x.7 in chops of 997 octets, which peer_talk does with each large input */
	static const size_t lengths[] = { 0, 125, 126, 127, 128, 65535, 65536, 65536 };

	for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct fr message = { first, byte, 1, lengths[i], 0 };
		char number[16];

		snprintf(number, sizeof(number), "1.%u.%u", group, i + 1);
		talk_echo(number, message, message);
	}
}

static void case_1_1_text(void **state)
{
	(void)state;
	echo_lengths(1, 0x81, "*");
}

static void case_1_2_binary(void **state)
{
	(void)state;
	echo_lengths(2, 0x82, "\xFE");
}

/* clang-format off */
static const struct talk pings[] = {
	{ "2.1", { PING(""), CLOSE_1000 }, { PING(""), CLOSE_1000 }, { PONG(""), CLOSE_1000 } },
	{ "2.2", { PING(HELLO), CLOSE_1000 }, { PING(HELLO), CLOSE_1000 },
	  { PONG(HELLO), CLOSE_1000 } },
	{ "2.3", { PING(OCTETS), CLOSE_1000 }, { PING(OCTETS), CLOSE_1000 },
	  { PONG(OCTETS), CLOSE_1000 } },
	{ "2.4, 2.6", { FR_MANY(0x89, "\xFE", 125), CLOSE_1000 },
	  { FR_MANY(0x89, "\xFE", 125), CLOSE_1000 }, { FR_MANY(0x8A, "\xFE", 125), CLOSE_1000 } },
	{ "2.5", { FR_MANY(0x89, "\xFE", 126) }, { LONG_CONTROL }, { CLOSE_1002 } },
	{ "2.7", { PONG(""), CLOSE_1000 }, { PONG(""), CLOSE_1000 }, { CLOSE_1000 } },
	{ "2.8", { PONG("unsolicited pong payload"), CLOSE_1000 },
	  { PONG("unsolicited pong payload"), CLOSE_1000 }, { CLOSE_1000 } },
	{ "2.9", { PONG("unsolicited pong payload"), PING("ping payload"), CLOSE_1000 },
	  { PONG("unsolicited pong payload"), PING("ping payload"), CLOSE_1000 },
	  { PONG("ping payload"), CLOSE_1000 } },
	{ "2.10, 2.11",
	  { PING("payload-0"), PING("payload-1"), PING("payload-2"), PING("payload-3"),
	    PING("payload-4"), PING("payload-5"), PING("payload-6"), PING("payload-7"),
	    PING("payload-8"), PING("payload-9"), CLOSE_1000 },
	  { PING("payload-0"), PING("payload-1"), PING("payload-2"), PING("payload-3"),
	    PING("payload-4"), PING("payload-5"), PING("payload-6"), PING("payload-7"),
	    PING("payload-8"), PING("payload-9"), CLOSE_1000 },
	  { PONG("payload-0"), PONG("payload-1"), PONG("payload-2"), PONG("payload-3"),
	    PONG("payload-4"), PONG("payload-5"), PONG("payload-6"), PONG("payload-7"),
	    PONG("payload-8"), PONG("payload-9"), CLOSE_1000 } },
};

static const struct talk reserved_bits[] = {
	{ "3.1", { FR(0x91, HELLO) }, { RESERVED_BIT }, { CLOSE_1002 } },
	{ "3.2", { TEXT(HELLO), FR(0xA1, HELLO), PING("") }, { TEXT(HELLO), RESERVED_BIT },
	  { TEXT(HELLO), CLOSE_1002 } },
	{ "3.3", { TEXT(HELLO), FR(0xB1, HELLO), PING("") }, { TEXT(HELLO), RESERVED_BIT },
	  { TEXT(HELLO), CLOSE_1002 } },
	{ "3.4", { TEXT(HELLO), FR(0xC1, HELLO), PING("") }, { TEXT(HELLO), RESERVED_BIT },
	  { TEXT(HELLO), CLOSE_1002 } },
	{ "3.5", { FR(0xD2, OCTETS) }, { RESERVED_BIT }, { CLOSE_1002 } },
	{ "3.6", { FR(0xE9, HELLO) }, { RESERVED_BIT }, { CLOSE_1002 } },
	{ "3.7", { FR(0xF8, "") }, { RESERVED_BIT }, { CLOSE_1002 } },
};

static const struct talk reserved_opcodes[] = {
	{ "4.1.1", { FR(0x83, "") }, { RESERVED_OPCODE }, { CLOSE_1002 } },
	{ "4.1.2", { FR(0x84, "reserved opcode payload") }, { RESERVED_OPCODE }, { CLOSE_1002 } },
	{ "4.1.3", { TEXT(HELLO), FR(0x85, ""), PING("") }, { TEXT(HELLO), RESERVED_OPCODE },
	  { TEXT(HELLO), CLOSE_1002 } },
	{ "4.1.4", { TEXT(HELLO), FR(0x86, HELLO), PING("") }, { TEXT(HELLO), RESERVED_OPCODE },
	  { TEXT(HELLO), CLOSE_1002 } },
	{ "4.1.5", { TEXT(HELLO), FR(0x87, HELLO), PING("") }, { TEXT(HELLO), RESERVED_OPCODE },
	  { TEXT(HELLO), CLOSE_1002 } },
	{ "4.2.1", { FR(0x8B, "") }, { RESERVED_OPCODE }, { CLOSE_1002 } },
	{ "4.2.2", { FR(0x8C, "reserved opcode payload") }, { RESERVED_OPCODE }, { CLOSE_1002 } },
	{ "4.2.3", { TEXT(HELLO), FR(0x8D, ""), PING("") }, { TEXT(HELLO), RESERVED_OPCODE },
	  { TEXT(HELLO), CLOSE_1002 } },
	{ "4.2.4", { TEXT(HELLO), FR(0x8E, HELLO), PING("") }, { TEXT(HELLO), RESERVED_OPCODE },
	  { TEXT(HELLO), CLOSE_1002 } },
	{ "4.2.5", { TEXT(HELLO), FR(0x8F, HELLO), PING("") }, { TEXT(HELLO), RESERVED_OPCODE },
	  { TEXT(HELLO), CLOSE_1002 } },
};

static const struct talk fragments[] = {
	{ "5.1", { FR(0x09, "fragment1"), LAST("fragment2") }, { FRAGMENTED_CONTROL },
	  { CLOSE_1002 } },
	{ "5.2", { FR(0x0A, "fragment1"), LAST("fragment2") }, { FRAGMENTED_CONTROL },
	  { CLOSE_1002 } },
	{ "5.3, 5.4, 5.5", { TEXT_MORE("fragment1"), LAST("fragment2"), CLOSE_1000 },
	  { TEXT("fragment1fragment2"), CLOSE_1000 }, { TEXT("fragment1fragment2"), CLOSE_1000 } },
	{ "5.6, 5.7, 5.8",
	  { TEXT_MORE("fragment1"), PING("ping payload"), LAST("fragment2"), CLOSE_1000 },
	  { PING("ping payload"), TEXT("fragment1fragment2"), CLOSE_1000 },
	  { PONG("ping payload"), TEXT("fragment1fragment2"), CLOSE_1000 } },
	{ "5.9, 5.10, 5.11", { LAST("non-continuation payload"), TEXT(HELLO) },
	  { NOTHING_TO_CONTINUE }, { CLOSE_1002 } },
	{ "5.12, 5.13, 5.14", { MORE("non-continuation payload"), TEXT(HELLO) },
	  { NOTHING_TO_CONTINUE }, { CLOSE_1002 } },
	{ "5.15",
	  { TEXT_MORE("fragment1"), LAST("fragment2"), MORE("fragment3"), TEXT("fragment4") },
	  { TEXT("fragment1fragment2"), NOTHING_TO_CONTINUE },
	  { TEXT("fragment1fragment2"), CLOSE_1002 } },
	{ "5.16",
	  { MORE("fragment1"), TEXT_MORE("fragment2"), LAST("fragment3"),
	    MORE("fragment1"), TEXT_MORE("fragment2"), LAST("fragment3") },
	  { NOTHING_TO_CONTINUE }, { CLOSE_1002 } },
	{ "5.17",
	  { LAST("fragment1"), TEXT_MORE("fragment2"), LAST("fragment3"),
	    LAST("fragment1"), TEXT_MORE("fragment2"), LAST("fragment3") },
	  { NOTHING_TO_CONTINUE }, { CLOSE_1002 } },
	{ "5.18", { TEXT_MORE("fragment1"), TEXT("fragment2") }, { NESTED }, { CLOSE_1002 } },
	{ "5.19, 5.20",
	  { TEXT_MORE("fragment1"), MORE("fragment2"), PING("pongme 1!"), MORE("fragment3"),
	    MORE("fragment4"), PING("pongme 2!"), LAST("fragment5"), CLOSE_1000 },
	  { PING("pongme 1!"), PING("pongme 2!"),
	    TEXT("fragment1fragment2fragment3fragment4fragment5"), CLOSE_1000 },
	  { PONG("pongme 1!"), PONG("pongme 2!"),
	    TEXT("fragment1fragment2fragment3fragment4fragment5"), CLOSE_1000 } },
};

static const struct talk texts[] = {
	{ "6.1.1", { TEXT(""), CLOSE_1000 }, { TEXT(""), CLOSE_1000 }, { TEXT(""), CLOSE_1000 } },
	{ "6.1.2", { TEXT_MORE(""), MORE(""), LAST(""), CLOSE_1000 }, { TEXT(""), CLOSE_1000 },
	  { TEXT(""), CLOSE_1000 } },
	{ "6.1.3", { TEXT_MORE(""), MORE("middle frame payload"), LAST(""), CLOSE_1000 },
	  { TEXT("middle frame payload"), CLOSE_1000 },
	  { TEXT("middle frame payload"), CLOSE_1000 } },
	{ "6.2.1", { TEXT(UMLAUTS_1 UMLAUTS_2), CLOSE_1000 },
	  { TEXT(UMLAUTS_1 UMLAUTS_2), CLOSE_1000 }, { TEXT(UMLAUTS_1 UMLAUTS_2), CLOSE_1000 } },
	{ "6.2.2", { TEXT_MORE(UMLAUTS_1), LAST(UMLAUTS_2), CLOSE_1000 },
	  { TEXT(UMLAUTS_1 UMLAUTS_2), CLOSE_1000 }, { TEXT(UMLAUTS_1 UMLAUTS_2), CLOSE_1000 } },
	{ "6.2.3",
	  { FR_PARTS(0x81, UMLAUTS_1 UMLAUTS_2, sizeof(UMLAUTS_1 UMLAUTS_2) - 1, 1), CLOSE_1000 },
	  { TEXT(UMLAUTS_1 UMLAUTS_2), CLOSE_1000 }, { TEXT(UMLAUTS_1 UMLAUTS_2), CLOSE_1000 } },
	{ "6.2.4", { FR_PARTS(0x81, KOSME, sizeof(KOSME) - 1, 1), CLOSE_1000 },
	  { TEXT(KOSME), CLOSE_1000 }, { TEXT(KOSME), CLOSE_1000 } },
	{ "6.3.1", { TEXT(KOSME "\xED\xA0\x80" EDITED) }, { NOT_UTF8 }, { CLOSE_1007 } },
	{ "6.3.2",
	  { FR_PARTS(0x81, KOSME "\xED\xA0\x80" EDITED, sizeof(KOSME EDITED) - 1 + 3, 1) },
	  { NOT_UTF8 }, { CLOSE_1007 } },
};

static const struct talk closes[] = {
	{ "7.1.1", { TEXT(HELLO_CLOSE), CLOSE_1000 }, { TEXT(HELLO_CLOSE), CLOSE_1000 },
	  { TEXT(HELLO_CLOSE), CLOSE_1000 } },
	{ "7.1.2", { CLOSE_1000, CLOSE("") }, { CLOSE_1000 }, { CLOSE_1000 } },
	{ "7.1.3", { CLOSE_1000, PING("") }, { CLOSE_1000 }, { CLOSE_1000 } },
	{ "7.1.4", { CLOSE_1000, TEXT(HELLO_CLOSE) }, { CLOSE_1000 }, { CLOSE_1000 } },
	{ "7.1.5", { TEXT_MORE("fragment1"), CLOSE_1000, LAST("fragment2") }, { CLOSE_1000 },
	  { CLOSE_1000 } },
	{ "7.1.6",
	  { FR_MANY(0x81, "BAsd7&jh23", 262144), TEXT(HELLO_CLOSE), CLOSE_1000, PING("") },
	  { FR_MANY(0x81, "BAsd7&jh23", 262144), TEXT(HELLO_CLOSE), CLOSE_1000 },
	  { FR_PARTS(0x81, "BAsd7&jh23", 262144, 16384), TEXT(HELLO_CLOSE), CLOSE_1000 } },
	{ "7.3.1", { CLOSE("") }, { CLOSE("") }, { CLOSE("") } },
	{ "7.3.2", { CLOSE("a") }, { FAIL("a Close has a body of one byte") }, { CLOSE_1002 } },
	{ "7.3.3", { CLOSE_1000 }, { CLOSE_1000 }, { CLOSE_1000 } },
	{ "7.3.4", { CLOSE("\x03\xE8" HELLO_CLOSE) }, { CLOSE("\x03\xE8" HELLO_CLOSE) },
	  { CLOSE_1000 } },
	{ "7.3.6", { FR_MANY(0x88, "\x03\xE8", 126) }, { LONG_CONTROL }, { CLOSE_1002 } },
	{ "7.5.1", { CLOSE("\x03\xE8" KOSME "\xED\xA0\x80" EDITED) },
	  { FAIL("the reason in a Close is not UTF-8") }, { CLOSE_1007 } },
};
/* clang-format on */

static void case_2_ping(void **state)
{
	(void)state;
	TALK_ALL(pings);
}

static void case_3_reserved_bits(void **state)
{
	(void)state;
	TALK_ALL(reserved_bits);
}

static void case_4_reserved_opcodes(void **state)
{
	(void)state;
	TALK_ALL(reserved_opcodes);
}

static void case_5_fragments(void **state)
{
	(void)state;
	TALK_ALL(fragments);
}

static void case_6_1_to_6_3_text(void **state)
{
	(void)state;
	TALK_ALL(texts);
}

struct fail_fast {
	const char *number;
	struct span wire;  /* of the message */
	size_t impossible; /* index of the byte in it at which the client must fail */
};

/* The byte in front of the impossible one raises nothing; that one fails at once. */
static void case_6_4_fail_fast(void **state)
{
#define BYTES(text) span_of(text, sizeof(text) - 1)
	const struct fail_fast rows[] = {
		{ "6.4.1", BYTES("\x01\x0B" KOSME "\x00\x04\xF4\x90\x80\x80\x80\x06" EDITED), 16 },
		{ "6.4.2", BYTES("\x01\x0C" KOSME "\xF4\x00\x01\x90\x80\x08\x80\x80" EDITED), 16 },
		{ "6.4.3, 6.4.4", BYTES("\x81\x15" KOSME "\xF4\x90\x80\x80" EDITED), 14 },
	};
	const struct fr nothing = { 0 }, failed = NOT_UTF8, out[] = { CLOSE_1007, { 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixed_rand r;
		struct ws_params params = peer_params(&r);
		struct ws_conn *c = peer_open(&params);
		struct span wire = rows[i].wire;

		peer_expect(c, span_of(wire.p, rows[i].impossible), &nothing);
		peer_expect(c, span_of(wire.p + rows[i].impossible, 1), &failed);
		peer_expect_output(c, out);
		ws_conn_free(c);
	}
}

static void case_6_5_to_6_23_utf8(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_utf8_cases; i++) {
		const struct utf8_case *u = &utf8_cases[i];
		struct fr message = { 0x81, u->text, u->n, u->n, 0 };
		struct fr parts = { 0x81, u->text, u->n, u->n, 1 };
		struct talk bad = { u->number, { message }, { NOT_UTF8 }, { CLOSE_1007 } };

		if (u->valid) {
			talk_echo(u->number, message, message);
			talk_echo(u->number, parts, message);
			continue;
		}
		peer_talk(&bad);
		bad.in[0] = parts;
		peer_talk(&bad);
	}
}

static void case_7_1_to_7_5_close(void **state)
{
	char reason[] = "\x03\xE8"
			"***************************************************************"
			"************************************************************";
	const struct talk longest = {
		.name = "7.3.5",
		.in = { { 0x88, reason, 125, 125, 0 } },
		.events = { { 0x88, reason, 125, 125, 0 } },
		.out = { CLOSE_1000 },
	};

	(void)state;
	TALK_ALL(closes);
	assert_int_equal(sizeof(reason) - 1, 125);
	peer_talk(&longest);
}

static void talk_code(const char *group, unsigned i, int code, bool valid)
{
	const char body[2] = { (char)(code >> 8), (char)code };
	const struct fr close_frame = { 0x88, body, 2, 2, 0 };
	char number[16], text[80];
	struct talk t = {
		.name = number,
		.in = { close_frame },
		.events = { close_frame },
		.out = { close_frame },
	};

	snprintf(number, sizeof(number), "%s.%u", group, i + 1);
	if (!valid) {
		int n = snprintf(text, sizeof(text),
				 "a Close has the code %d, which must not be sent", code);

		t.events[0] = (struct fr){ FAILED, text, (size_t)n, (size_t)n, 0 };
		t.out[0] = (struct fr)CLOSE_1002;
	}
	peer_talk(&t);
}

static void case_7_7_valid_codes(void **state)
{
	static const int codes[] = { 1000, 1001, 1002, 1003, 1007, 1008, 1009,
				     1010, 1011, 3000, 3999, 4000, 4999 };

	(void)state;
	for (unsigned i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		talk_code("7.7", i, codes[i], true);
}

static void case_7_9_invalid_codes(void **state)
{
	static const int codes[] = { 0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999 };

	(void)state;
	for (unsigned i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		talk_code("7.9", i, codes[i], false);
}

static void case_7_13_codes_above_4999(void **state)
{
	(void)state;
	talk_code("7.13", 0, 5000, false);
	talk_code("7.13", 1, 65535, false);
}

static void case_10_1_1_fragments_of_1300(void **state)
{
	(void)state;
	talk_echo("10.1.1", (struct fr)FR_PARTS(0x81, "*", 65536, 1300),
		  (struct fr)FR_MANY(0x81, "*", 65536));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(case_1_1_text),
		cmocka_unit_test(case_1_2_binary),
		cmocka_unit_test(case_2_ping),
		cmocka_unit_test(case_3_reserved_bits),
		cmocka_unit_test(case_4_reserved_opcodes),
		cmocka_unit_test(case_5_fragments),
		cmocka_unit_test(case_6_1_to_6_3_text),
		cmocka_unit_test(case_6_4_fail_fast),
		cmocka_unit_test(case_6_5_to_6_23_utf8),
		cmocka_unit_test(case_7_1_to_7_5_close),
		cmocka_unit_test(case_7_7_valid_codes),
		cmocka_unit_test(case_7_9_invalid_codes),
		cmocka_unit_test(case_7_13_codes_above_4999),
		cmocka_unit_test(case_10_1_1_fragments_of_1300),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
