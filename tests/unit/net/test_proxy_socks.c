/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SOCKS4, 4a, 5 and 5h: the bytes of every request, every reply with every
 * code, cut in every way and truncated at every byte; the lengths that fit.
 */
#include "socks_rows.h"

#include "support/guard.h"

/* Takes the output, which must be this. */
static void take_output(struct proxy_talk *t, struct span expected)
{
	struct span out = proxy_talk_output(t);

	assert_int_equal(out.n, expected.n);
	assert_memory_equal(out.p, expected.p, expected.n);
	proxy_talk_sent(t, out.n);
}

static enum proxy_result feed(struct proxy_talk *t, struct span bytes, size_t first, size_t step,
			      struct error *err)
{
	enum proxy_result result = PROXY_MORE;
	size_t n = first;

	for (; bytes.n > 0 && result == PROXY_MORE; n = step) {
		if (n > bytes.n)
			n = bytes.n;
		result = proxy_talk_feed(t, span_of(bytes.p, n), err);
		bytes = span_skip(bytes, n);
	}
	return result;
}

static void run_row(const struct row *row, size_t first, size_t step)
{
	enum proxy_result result = PROXY_MORE;
	struct error err = ERROR_INIT;
	union address address;
	const struct proxy_params params = params_of(&row->asked, &address);
	struct proxy_talk t;

	assert_true(proxy_talk_init(&t, &params, NULL, &err));
	for (size_t i = 0; i < COUNT(row->sent) && row->sent[i].n > 0; i++) {
		assert_int_equal(result, PROXY_MORE);
		take_output(&t, row->sent[i]);
		result = feed(&t, row->answered[i], first, step, &err);
	}
	assert_int_equal(result, row->result);
	assert_int_equal(proxy_talk_output(&t).n, 0);
	if (result == PROXY_BAD) {
		assert_int_equal(err.code, ERR_PROXY);
		assert_int_equal(err.stage, STAGE_PROXY);
		assert_int_equal(err.status, 0);
		assert_string_equal(err.text, row->sentence);
	}
	proxy_talk_deinit(&t);
}

static void test_conversations(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		print_message("%s\n", rows[i].name);
		run_row(&rows[i], SIZE_MAX, SIZE_MAX);
		run_row(&rows[i], 1, 1);
		for (size_t first = 1; first < 32; first++)
			run_row(&rows[i], first, SIZE_MAX);
	}
}

/* Goes to the last question of a row that ends well, and leaves it unanswered. */
static void go_to_last(struct proxy_talk *t, const struct row *row, size_t last)
{
	struct error err;

	for (size_t i = 0; i < last; i++) {
		take_output(t, row->sent[i]);
		assert_int_equal(proxy_talk_feed(t, row->answered[i], &err), PROXY_MORE);
	}
	take_output(t, row->sent[last]);
}

/* Any answer, ended at any byte: no more and no less than "closed before it answered". */
static void truncate_answer(const struct row *row, const struct proxy_params *params, size_t which)
{
	struct guard g;

	guard_init(&g, SOCKS_REPLY_MAX);
	for (size_t n = 0; n < row->answered[which].n; n++) {
		struct span piece = guard_place(&g, span_of(row->answered[which].p, n));
		struct proxy_talk t;
		struct error err;

		assert_true(proxy_talk_init(&t, params, NULL, &err));
		go_to_last(&t, row, which);
		assert_int_equal(proxy_talk_feed(&t, piece, &err), PROXY_MORE);
		assert_int_equal(proxy_talk_end(&t, NULL, &err), PROXY_BAD);
		assert_int_equal(err.code, ERR_PROXY);
		assert_string_equal(err.text, "the proxy closed the connection before it answered");
		proxy_talk_deinit(&t);
	}
	guard_deinit(&g);
}

static void test_each_answer_truncated_at_every_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		union address address;
		const struct proxy_params params = params_of(&rows[i].asked, &address);

		if (rows[i].result != PROXY_OPEN)
			continue;
		for (size_t which = 0; which < 3 && rows[i].answered[which].n > 0; which++)
			truncate_answer(&rows[i], &params, which);
	}
}

/* A byte behind the last answer of every conversation that would be open without it. */
static void test_a_byte_behind_the_reply(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		union address address;
		const struct proxy_params params = params_of(&rows[i].asked, &address);
		uint8_t bytes[64];
		struct proxy_talk t;
		struct error err;
		size_t last = rows[i].sent[2].n ? 2 : rows[i].sent[1].n ? 1 : 0;

		if (rows[i].result != PROXY_OPEN)
			continue;
		memcpy(bytes, rows[i].answered[last].p, rows[i].answered[last].n);
		bytes[rows[i].answered[last].n] = 0x16;
		assert_true(proxy_talk_init(&t, &params, NULL, &err));
		go_to_last(&t, &rows[i], last);
		assert_int_equal(
			proxy_talk_feed(&t, span_of(bytes, rows[i].answered[last].n + 1), &err),
			PROXY_BAD);
		assert_string_equal(err.text, "the proxy sent data before the tunnel was used");
		proxy_talk_deinit(&t);
	}
}

static const char *const words5[] = {
	NULL,
	"the proxy could not connect: general failure",
	"the proxy does not allow this connection",
	"the proxy could not connect: network unreachable",
	"the proxy could not connect: host unreachable",
	"the proxy could not connect: connection refused",
	"the proxy could not connect: time to live expired",
	"the proxy does not do CONNECT",
	"the proxy does not do this type of address",
};
static const char *const words4[] = {
	[91] = "the proxy rejected the connection, or could not connect",
	[92] = "the proxy rejected the connection: it reached no identd here",
	[93] = "the proxy rejected the connection: identd named another user",
};

static void check_code(const struct row *row, struct span reply, const char *sentence)
{
	union address address;
	const struct proxy_params params = params_of(&row->asked, &address);
	struct proxy_talk t;
	struct error err;
	char unknown[80];

	snprintf(unknown, sizeof(unknown), "the proxy could not connect: unknown code %u",
		 (unsigned)reply.p[1]);
	assert_true(proxy_talk_init(&t, &params, NULL, &err));
	go_to_last(&t, row, row->sent[1].n ? 1 : 0);
	assert_int_equal(proxy_talk_feed(&t, reply, &err), PROXY_BAD);
	assert_int_equal(err.code, ERR_PROXY);
	assert_int_equal(err.stage, STAGE_PROXY);
	assert_string_equal(err.text, sentence ? sentence : unknown);
	proxy_talk_deinit(&t);
}

/* Two bytes are enough for the verdict: some servers send no more. */
static void test_every_reply_code(void **state)
{
	const struct row *socks4 = &rows[2], *socks5 = &rows[7];

	(void)state;
	assert_int_equal(socks4->asked.kind, PROXY_SOCKS4A);
	assert_int_equal(socks5->asked.kind, PROXY_SOCKS5H);
	for (unsigned code = 0; code <= 255; code++) {
		const uint8_t reply5[] = { 5, (uint8_t)code }, reply4[] = { 0, (uint8_t)code };

		if (code != 0)
			check_code(socks5, span_of(reply5, 2),
				   code < COUNT(words5) ? words5[code] : NULL);
		if (code != 90)
			check_code(socks4, span_of(reply4, 2),
				   code < COUNT(words4) ? words4[code] : NULL);
	}
}

static void test_the_longest_reply(void **state)
{
	const struct row *row = &rows[7];
	union address address;
	const struct proxy_params params = params_of(&row->asked, &address);
	uint8_t reply[SOCKS_REPLY_MAX] = { 5, 0, 0, 3, 255 };
	struct proxy_talk t;
	struct error err;

	(void)state;
	for (size_t step = 1; step <= sizeof(reply); step += 87) {
		assert_true(proxy_talk_init(&t, &params, NULL, &err));
		go_to_last(&t, row, 1);
		assert_int_equal(feed(&t, span_of(reply, sizeof(reply) - 1), step, step, &err),
				 PROXY_MORE);
		assert_int_equal(proxy_talk_feed(&t, span_of(reply, 1), &err), PROXY_OPEN);
		proxy_talk_deinit(&t);
	}
}

static const struct {
	struct asked asked;
	const char *sentence;
} impossible[] = {
	{ { PROXY_SOCKS4, "h", NULL, NULL, NULL },
	  "the target has no address that the proxy could be told" },
	{ { PROXY_SOCKS5, "h", NULL, NULL, NULL },
	  "the target has no address that the proxy could be told" },
	{ { PROXY_SOCKS4, "h", "2001:db8::1", NULL, NULL }, "SOCKS4 cannot reach IPv6 addresses" },
	{ { PROXY_SOCKS4A, "2001:db8::1", NULL, NULL, NULL },
	  "SOCKS4 cannot reach IPv6 addresses" },
	{ { PROXY_SOCKS4A, "", NULL, NULL, NULL }, "the name of the target is empty" },
	{ { PROXY_SOCKS5H, "", NULL, NULL, NULL }, "the name of the target is empty" },
};

static void test_what_cannot_be_asked(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(impossible); i++) {
		union address address;
		const struct proxy_params params = params_of(&impossible[i].asked, &address);
		struct proxy_talk t;
		struct error err;

		assert_false(proxy_talk_init(&t, &params, NULL, &err));
		assert_int_equal(err.code, ERR_PROXY);
		assert_int_equal(err.stage, STAGE_PROXY);
		assert_string_equal(err.text, impossible[i].sentence);
		assert_int_equal(proxy_talk_output(&t).n, 0);
		proxy_talk_deinit(&t);
	}
}

static const struct {
	enum proxy_kind kind;
	int part; /* 0 = host, 1 = user, 2 = password */
	const char *sentence;
} lengths[] = {
	{ PROXY_SOCKS4A, 0, "the name of the target is longer than 255 bytes" },
	{ PROXY_SOCKS5H, 0, "the name of the target is longer than 255 bytes" },
	{ PROXY_SOCKS4A, 1, "the user name for the proxy is longer than 255 bytes" },
	{ PROXY_SOCKS5H, 1,
	  "the user name or the password for the proxy is longer than 255 bytes" },
	{ PROXY_SOCKS5H, 2,
	  "the user name or the password for the proxy is longer than 255 bytes" },
};

static size_t count(struct span s, uint8_t byte)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == byte;
	return n;
}

/* 255 of them arrive whole; 256 do not become 0, and nothing is sent. */
static void test_strings_of_255_and_256_bytes(void **state)
{
	char text[257];

	(void)state;
	for (size_t i = 0; i < 2 * COUNT(lengths); i++) {
		size_t n = 255 + i % 2, at = i / 2, seen = 0;
		struct proxy_params params = {
			.kind = lengths[at].kind,
			.user = lengths[at].part == 1 ? text : "u",
			.password = lengths[at].part == 2 ? text : "p",
			.target = { .host = lengths[at].part == 0 ? text : "h", .port = 443 },
		};
		static const char *const answers[] = { "\x05\x02", "\x01\x00" };
		struct proxy_talk t;
		struct error err;

		memset(text, 'x', n);
		text[n] = '\0';
		assert_int_equal(proxy_talk_init(&t, &params, NULL, &err), n == 255);
		if (n == 256) {
			assert_string_equal(err.text, lengths[at].sentence);
			assert_int_equal(proxy_talk_output(&t).n, 0);
		}
		for (size_t k = 0; n == 255 && k < 3; k++) {
			seen += count(proxy_talk_output(&t), 'x');
			proxy_talk_sent(&t, proxy_talk_output(&t).n);
			if (k < 2 && params.kind == PROXY_SOCKS5H)
				assert_int_equal(proxy_talk_feed(&t, span_of(answers[k], 2), &err),
						 PROXY_MORE);
		}
		assert_int_equal(seen, n == 255 ? 255 : 0);
		proxy_talk_deinit(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conversations),
		cmocka_unit_test(test_each_answer_truncated_at_every_byte),
		cmocka_unit_test(test_a_byte_behind_the_reply),
		cmocka_unit_test(test_every_reply_code),
		cmocka_unit_test(test_the_longest_reply),
		cmocka_unit_test(test_what_cannot_be_asked),
		cmocka_unit_test(test_strings_of_255_and_256_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
