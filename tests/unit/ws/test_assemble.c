/* SPDX-License-Identifier: Apache-2.0 */
#include "ws/assemble.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "ws/close.h"

enum { MAX = 1000 };

static struct frame_header header(enum frame_opcode opcode, bool fin, uint64_t len)
{
	return (struct frame_header){ .opcode = opcode, .fin = fin, .len = len };
}

static bool begin(struct assemble *a, enum frame_opcode opcode, bool fin, uint64_t len)
{
	struct frame_header h = header(opcode, fin, len);
	struct error err = ERROR_INIT;

	return assemble_begin(a, &h, &err);
}

static void refuse_begin(struct assemble *a, struct frame_header h, enum err code, int close_code,
			 const char *text)
{
	struct error err = ERROR_INIT;

	assert_false(assemble_begin(a, &h, &err));
	assert_int_equal(err.code, code);
	assert_int_equal(err.close_code, close_code);
	assert_string_equal(err.text, text);
}

static enum assemble_result feed(struct assemble *a, const char *text, bool end, struct msg *msg)
{
	struct error err = ERROR_INIT;
	enum assemble_result got = assemble_feed(a, span_str(text), end, msg, &err);

	if (got == ASSEMBLE_BAD) {
		assert_int_equal(err.code, ERR_PAYLOAD);
		assert_int_equal(err.close_code, CLOSE_PAYLOAD);
		assert_string_equal(err.text, "a text message is not UTF-8");
	}
	return got;
}

static void hands_out_a_whole_frame_where_it_lies(void **state)
{
	static const char text[] = "hello";
	struct assemble a;
	struct msg msg;

	(void)state;
	assemble_init(&a, MAX, true);
	assert_true(begin(&a, FRAME_TEXT, true, 5));
	assert_int_equal(feed(&a, text, true, &msg), ASSEMBLE_MESSAGE);
	assert_ptr_equal(msg.data.p, text);
	assert_int_equal(msg.data.n, 5);
	assert_int_equal(msg.type, MSG_TEXT);
	assert_null(a.bytes.data);
	assemble_deinit(&a);
}

static void joins_fragments_and_pieces(void **state)
{
	struct assemble a;
	struct msg msg;

	(void)state;
	assemble_init(&a, MAX, true);
	for (int round = 0; round < 3; round++) {
		assert_true(begin(&a, FRAME_BINARY, false, 3));
		assert_int_equal(feed(&a, "ab", false, &msg), ASSEMBLE_MORE);
		assert_int_equal(assemble_partial(&a), 2);
		assert_int_equal(feed(&a, "c", true, &msg), ASSEMBLE_MORE);
		assert_true(begin(&a, FRAME_CONTINUATION, false, 0));
		assert_int_equal(feed(&a, "", true, &msg), ASSEMBLE_MORE);
		assert_true(begin(&a, FRAME_CONTINUATION, true, 2));
		assert_int_equal(feed(&a, "", false, &msg), ASSEMBLE_MORE);
		assert_int_equal(feed(&a, "de", true, &msg), ASSEMBLE_MESSAGE);
		assert_true(span_equal(msg.data, span_str("abcde")));
		assert_int_equal(msg.type, MSG_BINARY);
		assert_int_equal(assemble_partial(&a), 0);
		assemble_release(&a);
		assert_int_equal(a.bytes.len, 0);
	}
	assemble_deinit(&a);
}

static void keeps_the_order_of_opcodes(void **state)
{
	struct assemble a;
	struct msg msg;

	(void)state;
	assemble_init(&a, MAX, true);
	refuse_begin(&a, header(FRAME_CONTINUATION, true, 0), ERR_PROTOCOL, CLOSE_PROTOCOL,
		     "a continuation frame continues nothing");
	assert_true(begin(&a, FRAME_TEXT, false, 0));
	assert_int_equal(feed(&a, "", true, &msg), ASSEMBLE_MORE);
	refuse_begin(&a, header(FRAME_TEXT, true, 0), ERR_PROTOCOL, CLOSE_PROTOCOL,
		     "a message begins inside a fragmented one");
	refuse_begin(&a, header(FRAME_BINARY, false, 0), ERR_PROTOCOL, CLOSE_PROTOCOL,
		     "a message begins inside a fragmented one");
	assert_true(begin(&a, FRAME_CONTINUATION, true, 0));
	assert_int_equal(feed(&a, "", true, &msg), ASSEMBLE_MESSAGE);
	refuse_begin(&a, header(FRAME_CONTINUATION, false, 0), ERR_PROTOCOL, CLOSE_PROTOCOL,
		     "a continuation frame continues nothing");
	assemble_deinit(&a);
}

static void judges_the_size_by_the_header(void **state)
{
	struct assemble a;
	struct msg msg;
	static const uint64_t too_long[] = { MAX + 1, UINT32_MAX, UINT64_C(1) << 32, INT64_MAX };

	(void)state;
	assemble_init(&a, MAX, true);
	for (size_t i = 0; i < sizeof(too_long) / sizeof(too_long[0]); i++) {
		refuse_begin(&a, header(FRAME_BINARY, false, too_long[i]), ERR_OVERFLOW,
			     CLOSE_TOO_BIG, "a message is longer than 1000 bytes");
	}
	assert_true(begin(&a, FRAME_BINARY, false, 3));
	assert_int_equal(feed(&a, "abc", true, &msg), ASSEMBLE_MORE);
	refuse_begin(&a, header(FRAME_CONTINUATION, true, MAX - 2), ERR_OVERFLOW, CLOSE_TOO_BIG,
		     "a message is longer than 1000 bytes");
	refuse_begin(&a, header(FRAME_CONTINUATION, true, INT64_MAX), ERR_OVERFLOW, CLOSE_TOO_BIG,
		     "a message is longer than 1000 bytes");
	assert_true(begin(&a, FRAME_CONTINUATION, true, MAX - 3));
	assemble_deinit(&a);
}

/* What a peer announces costs nothing; what it sends costs at most twice that and a first block. */
static void grows_by_what_has_arrived(void **state)
{
	static const size_t most = (size_t)256 << 20;
	char piece[4097];
	struct assemble a;
	struct msg msg;
	size_t arrived = 0;

	(void)state;
	memset(piece, 'x', sizeof(piece) - 1);
	piece[sizeof(piece) - 1] = '\0';
	assemble_init(&a, most, true);
	assert_true(begin(&a, FRAME_BINARY, false, most));
	assert_int_equal(a.bytes.size, 0);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(feed(&a, piece, false, &msg), ASSEMBLE_MORE);
		arrived += sizeof(piece) - 1;
		assert_true(a.bytes.size <= 2 * arrived + 256);
	}
	assemble_deinit(&a);
}

static void counts_fragments_and_empty_ones_too(void **state)
{
	struct assemble a;
	struct msg msg;

	(void)state;
	assemble_init(&a, MAX, true);
	assert_true(begin(&a, FRAME_TEXT, false, 0));
	for (size_t i = 1; i < WS_FRAGMENTS_MAX; i++) {
		assert_int_equal(feed(&a, "", true, &msg), ASSEMBLE_MORE);
		assert_true(begin(&a, FRAME_CONTINUATION, false, 0));
	}
	assert_int_equal(feed(&a, "", true, &msg), ASSEMBLE_MORE);
	refuse_begin(&a, header(FRAME_CONTINUATION, true, 0), ERR_OVERFLOW, CLOSE_TOO_BIG,
		     "a message has too many fragments");
	assert_null(a.bytes.data);
	assemble_deinit(&a);
}

static void the_count_starts_afresh_with_each_message(void **state)
{
	struct assemble a;
	struct msg msg;

	(void)state;
	assemble_init(&a, MAX, true);
	for (int message = 0; message < 2; message++) {
		assert_true(begin(&a, FRAME_TEXT, false, 0));
		for (size_t i = 2; i < WS_FRAGMENTS_MAX; i++) {
			assert_int_equal(feed(&a, "", true, &msg), ASSEMBLE_MORE);
			assert_true(begin(&a, FRAME_CONTINUATION, false, 0));
		}
		assert_int_equal(feed(&a, "", true, &msg), ASSEMBLE_MORE);
		assert_true(begin(&a, FRAME_CONTINUATION, true, 0));
		assert_int_equal(feed(&a, "", true, &msg), ASSEMBLE_MESSAGE);
	}
	assemble_deinit(&a);
}

static void checks_text_at_the_first_impossible_byte(void **state)
{
	struct assemble a;
	struct msg msg;

	(void)state;
	assemble_init(&a, MAX, true);
	assert_true(begin(&a, FRAME_TEXT, false, 2));
	assert_int_equal(feed(&a, "\xF4", false, &msg), ASSEMBLE_MORE);
	assert_int_equal(feed(&a, "\x90", true, &msg), ASSEMBLE_BAD);
	assemble_deinit(&a);
}

static void checks_that_the_last_character_is_whole(void **state)
{
	struct assemble a;
	struct msg msg;

	(void)state;
	assemble_init(&a, MAX, true);
	assert_true(begin(&a, FRAME_TEXT, false, 2));
	assert_int_equal(feed(&a, "\xE2\x82", true, &msg), ASSEMBLE_MORE);
	assert_true(begin(&a, FRAME_CONTINUATION, true, 0));
	assert_int_equal(feed(&a, "", true, &msg), ASSEMBLE_BAD);
	assemble_deinit(&a);
}

static void a_new_text_starts_at_a_character_boundary(void **state)
{
	struct assemble a;
	struct msg msg;

	(void)state;
	assemble_init(&a, MAX, true);
	assert_true(begin(&a, FRAME_TEXT, true, 3));
	assert_int_equal(feed(&a, "\xE2\x82\xAC", true, &msg), ASSEMBLE_MESSAGE);
	assert_true(begin(&a, FRAME_TEXT, true, 1));
	assert_int_equal(feed(&a, "\x82", true, &msg), ASSEMBLE_BAD);
	assemble_deinit(&a);
}

static void leaves_binary_and_unchecked_text_alone(void **state)
{
	struct assemble a;
	struct msg msg;

	(void)state;
	assemble_init(&a, MAX, true);
	assert_true(begin(&a, FRAME_BINARY, true, 2));
	assert_int_equal(feed(&a, "\xFF\xFE", true, &msg), ASSEMBLE_MESSAGE);
	assemble_deinit(&a);
	assemble_init(&a, MAX, false);
	assert_true(begin(&a, FRAME_TEXT, true, 2));
	assert_int_equal(feed(&a, "\xFF\xFE", true, &msg), ASSEMBLE_MESSAGE);
	assemble_deinit(&a);
}

static void lack_of_memory_is_an_error_and_no_more(void **state)
{
	struct error err = ERROR_INIT;
	struct assemble a;
	struct msg msg;

	(void)state;
	assemble_init(&a, MAX, true);
	assert_true(begin(&a, FRAME_BINARY, true, 10));
	mem_fail_try_after(1);
	assert_int_equal(assemble_feed(&a, span_str("abc"), false, &msg, &err), ASSEMBLE_BAD);
	assert_int_equal(err.code, ERR_OVERFLOW);
	assert_int_equal(err.close_code, CLOSE_TOO_BIG);
	assert_string_equal(err.text, "no memory for a message");
	assemble_deinit(&a);
}

/* A fragment whole, or byte by byte; what is handed out of it is appended to `all`. */
static void deliver(struct assemble *a, struct span fragment, bool whole, struct buf *all)
{
	struct error err = ERROR_INIT;
	struct msg msg = { .more = true };
	size_t step = whole || fragment.n == 0 ? fragment.n : 1;
	bool end;

	do {
		enum assemble_result got;

		end = step == fragment.n;
		got = assemble_feed(a, span_of(fragment.p, step), end, &msg, &err);
		fragment = span_skip(fragment, step);
		assert_int_not_equal(got, ASSEMBLE_BAD);
		if (got == ASSEMBLE_MORE) {
			assert_true(!end || !a->fin);
			continue;
		}
		assert_true(end);
		assert_int_equal(msg.more, !a->fin);
		assert_int_equal(msg.type, MSG_TEXT);
		assert_true(msg.data.n > 0 || a->fin);
		assert_true(utf8_valid(msg.data));
		assert_true(buf_append(all, msg.data));
		assemble_release(a);
	} while (!end);
}

static void deliver_three(struct span text, size_t first, size_t second, bool checked)
{
	const size_t sizes[] = { first, second, text.n - first - second };
	struct span rest = text;

	for (unsigned whole = 0; whole < 8; whole++, rest = text) {
		struct assemble a;
		struct buf all;

		assemble_init(&a, MAX, checked);
		a.deliver = true;
		buf_init(&all, MAX);
		for (size_t i = 0; i < 3; i++) {
			enum frame_opcode opcode = i == 0 ? FRAME_TEXT : FRAME_CONTINUATION;

			assert_true(begin(&a, opcode, i == 2, sizes[i]));
			deliver(&a, span_of(rest.p, sizes[i]), whole >> i & 1, &all);
			assert_true(assemble_partial(&a) <= 3);
			rest = span_skip(rest, sizes[i]);
		}
		assert_true(span_equal(buf_bytes(&all), text));
		assert_int_equal(assemble_partial(&a), 0);
		buf_deinit(&all);
		assemble_deinit(&a);
	}
}

static void delivers_whole_characters_however_a_text_is_cut(void **state)
{
	const struct span text = span_str("a\u00E9\u20AC\U0001F600b\U0010FFFF\u0800");

	(void)state;
	for (size_t first = 0; first <= text.n; first++) {
		for (size_t second = 0; first + second <= text.n; second++) {
			deliver_three(text, first, second, true);
			deliver_three(text, first, second, false);
		}
	}
}

/* Unchecked text is handed out as it came, but for what may be the beginning of a character. */
static void delivers_bad_text_that_is_not_to_be_checked(void **state)
{
	static const struct {
		const char *fragment, *handed;
	} rows[] = {
		{ "\xFF", "\xFF" },	      { "a\x80\x80\x80\x80", "a\x80\x80\x80\x80" },
		{ "\xC0", "\xC0" },	      { "x\xE2\x82", "x" },
		{ "x\xE2\x28", "x\xE2\x28" }, { "x\xED\xA0", "x\xED\xA0" },
		{ "x\xF0\x9F\x98", "x" },     { "\xE2\xE2", "\xE2" },
		{ "x\u00E9", "x\u00E9" },     { "x\u20AC", "x\u20AC" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct assemble a;
		struct msg msg;

		assemble_init(&a, MAX, false);
		a.deliver = true;
		assert_true(begin(&a, FRAME_TEXT, false, strlen(rows[i].fragment)));
		assert_int_equal(feed(&a, rows[i].fragment, true, &msg), ASSEMBLE_MESSAGE);
		assert_true(span_equal(msg.data, span_str(rows[i].handed)));
		assemble_deinit(&a);
	}
}

/* The size of the message counts, not what waits here. */
static void what_was_delivered_counts_for_the_size(void **state)
{
	struct assemble a;
	struct msg msg;

	(void)state;
	assemble_init(&a, 8, true);
	a.deliver = true;
	assert_true(begin(&a, FRAME_BINARY, false, 5));
	assert_int_equal(feed(&a, "abcde", true, &msg), ASSEMBLE_MESSAGE);
	refuse_begin(&a, header(FRAME_CONTINUATION, true, 4), ERR_OVERFLOW, CLOSE_TOO_BIG,
		     "a message is longer than 8 bytes");
	assert_true(begin(&a, FRAME_CONTINUATION, true, 3));
	assert_int_equal(feed(&a, "fgh", true, &msg), ASSEMBLE_MESSAGE);
	assert_true(begin(&a, FRAME_BINARY, true, 8));
	assemble_deinit(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hands_out_a_whole_frame_where_it_lies),
		cmocka_unit_test(joins_fragments_and_pieces),
		cmocka_unit_test(keeps_the_order_of_opcodes),
		cmocka_unit_test(judges_the_size_by_the_header),
		cmocka_unit_test(grows_by_what_has_arrived),
		cmocka_unit_test(counts_fragments_and_empty_ones_too),
		cmocka_unit_test(the_count_starts_afresh_with_each_message),
		cmocka_unit_test(checks_text_at_the_first_impossible_byte),
		cmocka_unit_test(checks_that_the_last_character_is_whole),
		cmocka_unit_test(a_new_text_starts_at_a_character_boundary),
		cmocka_unit_test(leaves_binary_and_unchecked_text_alone),
		cmocka_unit_test(delivers_whole_characters_however_a_text_is_cut),
		cmocka_unit_test(delivers_bad_text_that_is_not_to_be_checked),
		cmocka_unit_test(what_was_delivered_counts_for_the_size),
		cmocka_unit_test(lack_of_memory_is_an_error_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
