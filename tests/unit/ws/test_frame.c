/* SPDX-License-Identifier: Apache-2.0 */
#include "ws/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/chunks.h"

#define RESERVED_BIT "a frame has a reserved bit set"
#define RESERVED_OPCODE "a frame has a reserved opcode"
#define FRAGMENTED "a control frame is fragmented"
#define MASKED "a frame from the server is masked"
#define NOT_MASKED "a frame from the client is not masked"
#define LONG_CONTROL "a control frame is longer than 125 bytes"
#define HIGHEST_BIT "a frame length has its highest bit set"
#define NOT_MINIMAL "a frame length is longer than necessary"

struct row {
	const char *bytes;
	size_t n;
	enum frame_sender sender;
	const char *why; /* NULL: the header is good, `h` */
	struct frame_header h;
};

/* clang-format off */
#define BYTES(text) text, sizeof(text) - 1
#define GOOD(bytes, is_fin, op, length) \
	{ BYTES(bytes), FRAME_FROM_SERVER, NULL, { .fin = is_fin, .opcode = op, .len = length } }
#define GOOD_MASKED(bytes, op, length) \
	{ BYTES(bytes "\x01\x02\x03\x04"), FRAME_FROM_CLIENT, NULL, \
	  { .fin = true, .masked = true, .opcode = op, .len = length, .key = { 1, 2, 3, 4 } } }
#define BAD(bytes, who, why) { BYTES(bytes), who, why, { 0 } }

static const struct row rows[] = {
	GOOD("\x81\x00", true, FRAME_TEXT, 0),
	GOOD("\x01\x05", false, FRAME_TEXT, 5),
	GOOD("\x00\x01", false, FRAME_CONTINUATION, 1),
	GOOD("\x80\x7D", true, FRAME_CONTINUATION, 125),
	GOOD("\x82\x7E\x00\x7E", true, FRAME_BINARY, 126),
	GOOD("\x82\x7E\x00\x7F", true, FRAME_BINARY, 127),
	GOOD("\x82\x7E\xFF\xFF", true, FRAME_BINARY, 65535),
	GOOD("\x82\x7F\x00\x00\x00\x00\x00\x01\x00\x00", true, FRAME_BINARY, 65536),
	GOOD("\x82\x7F\x00\x00\x00\x00\xFF\xFF\xFF\xFF", true, FRAME_BINARY, UINT32_MAX),
	GOOD("\x82\x7F\x00\x00\x00\x01\x00\x00\x00\x00", true, FRAME_BINARY, UINT64_C(1) << 32),
	GOOD("\x02\x7F\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", false, FRAME_BINARY, INT64_MAX),
	GOOD("\x88\x00", true, FRAME_CLOSE, 0),
	GOOD("\x89\x7D", true, FRAME_PING, 125),
	GOOD("\x8A\x02", true, FRAME_PONG, 2),
	GOOD_MASKED("\x81\x80", FRAME_TEXT, 0),
	GOOD_MASKED("\x81\xFD", FRAME_TEXT, 125),
	GOOD_MASKED("\x81\xFE\x00\x7E", FRAME_TEXT, 126),
	GOOD_MASKED("\x82\xFE\xFF\xFF", FRAME_BINARY, 65535),
	GOOD_MASKED("\x82\xFF\x00\x00\x00\x00\x00\x01\x00\x00", FRAME_BINARY, 65536),
	GOOD_MASKED("\x82\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", FRAME_BINARY, INT64_MAX),
	GOOD_MASKED("\x89\xFD", FRAME_PING, 125),

	BAD("\xC1", FRAME_FROM_SERVER, RESERVED_BIT),
	BAD("\xA1", FRAME_FROM_SERVER, RESERVED_BIT),
	BAD("\x91", FRAME_FROM_SERVER, RESERVED_BIT),
	BAD("\xF8", FRAME_FROM_CLIENT, RESERVED_BIT),
	BAD("\x83", FRAME_FROM_SERVER, RESERVED_OPCODE),
	BAD("\x07", FRAME_FROM_SERVER, RESERVED_OPCODE),
	BAD("\x8B", FRAME_FROM_SERVER, RESERVED_OPCODE),
	BAD("\x8F", FRAME_FROM_CLIENT, RESERVED_OPCODE),
	BAD("\x08", FRAME_FROM_SERVER, FRAGMENTED),
	BAD("\x09", FRAME_FROM_SERVER, FRAGMENTED),
	BAD("\x0A", FRAME_FROM_CLIENT, FRAGMENTED),
	BAD("\x81\x80", FRAME_FROM_SERVER, MASKED),
	BAD("\x81\xFF", FRAME_FROM_SERVER, MASKED),
	BAD("\x81\x05", FRAME_FROM_CLIENT, NOT_MASKED),
	BAD("\x89\x7E", FRAME_FROM_SERVER, LONG_CONTROL),
	BAD("\x88\x7F", FRAME_FROM_SERVER, LONG_CONTROL),
	BAD("\x8A\xFE", FRAME_FROM_CLIENT, LONG_CONTROL),
	BAD("\x82\x7E\x00\x00", FRAME_FROM_SERVER, NOT_MINIMAL),
	BAD("\x82\x7E\x00\x7D", FRAME_FROM_SERVER, NOT_MINIMAL),
	BAD("\x82\xFE\x00\x7D", FRAME_FROM_CLIENT, NOT_MINIMAL),
	BAD("\x82\x7F\x00\x00\x00\x00\x00\x00\x00\x00", FRAME_FROM_SERVER, NOT_MINIMAL),
	BAD("\x82\x7F\x00\x00\x00\x00\x00\x00\x00\x7D", FRAME_FROM_SERVER, NOT_MINIMAL),
	BAD("\x82\x7F\x00\x00\x00\x00\x00\x00\xFF\xFF", FRAME_FROM_SERVER, NOT_MINIMAL),
	BAD("\x82\x7F\x80", FRAME_FROM_SERVER, HIGHEST_BIT),
	BAD("\x82\x7F\xFF", FRAME_FROM_SERVER, HIGHEST_BIT),
	BAD("\x82\xFF\x80", FRAME_FROM_CLIENT, HIGHEST_BIT),
};
/* clang-format on */

static const size_t n_rows = sizeof(rows) / sizeof(rows[0]);

static void check_header(const struct frame_header *got, const struct frame_header *expected)
{
	assert_int_equal(got->fin, expected->fin);
	assert_int_equal(got->masked, expected->masked);
	assert_int_equal(got->opcode, expected->opcode);
	assert_int_equal(got->len, expected->len);
	assert_memory_equal(got->key, expected->key, 4);
}

/* The row's bytes, and more perhaps, in pieces; what is behind the header stays. */
static void decode_row(struct chunks *chunks, void *arg)
{
	const struct row *row = arg;
	enum frame_result result = FRAME_MORE;
	struct frame_decoder d;
	struct frame_header h;
	const char *why = NULL;
	struct span piece;
	size_t used = 0;

	frame_decoder_init(&d, row->sender);
	while (result == FRAME_MORE && chunks_next(chunks, &piece)) {
		size_t before = piece.n;

		result = frame_decode(&d, &piece, &h, &why);
		used += before - piece.n;
	}
	if (row->why) {
		assert_int_equal(result, FRAME_BAD);
		assert_string_equal(why, row->why);
		return;
	}
	assert_int_equal(result, FRAME_DONE);
	assert_int_equal(used, row->n);
	check_header(&h, &row->h);
}

static void decodes_at_every_split(void **state)
{
	uint8_t bytes[32] = { 0 };

	(void)state;
	for (size_t i = 0; i < n_rows; i++) {
		struct row row = rows[i];

		memcpy(bytes, row.bytes, row.n);
		chunks_each(span_of(bytes, row.n), decode_row, &row);
		chunks_each(span_of(bytes, row.n + 2), decode_row, &row);
	}
}

static void decides_at_the_last_byte_and_not_before(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_rows; i++) {
		struct span prefix = span_of(rows[i].bytes, rows[i].n - 1);
		struct frame_decoder d;
		struct frame_header h;
		const char *why;

		frame_decoder_init(&d, rows[i].sender);
		assert_int_equal(frame_decode(&d, &prefix, &h, &why), FRAME_MORE);
		assert_int_equal(prefix.n, 0);
	}
}

static void encodes_what_decodes(void **state)
{
	uint8_t out[WS_FRAME_HEADER_MAX];

	(void)state;
	for (size_t i = 0; i < n_rows; i++) {
		if (rows[i].why)
			continue;
		assert_int_equal(frame_header_size(rows[i].h.len, rows[i].h.masked), rows[i].n);
		assert_int_equal(frame_encode(out, &rows[i].h), rows[i].n);
		assert_memory_equal(out, rows[i].bytes, rows[i].n);
	}
}

static const char *expected_of_first(unsigned first)
{
	static const bool known[16] = {
		[0] = true, [1] = true, [2] = true, [8] = true, [9] = true, [10] = true
	};

	if (first & 0x70)
		return RESERVED_BIT;
	if (!known[first & 15])
		return RESERVED_OPCODE;
	return (first & 8) && !(first & 0x80) ? FRAGMENTED : NULL;
}

static void judges_every_first_byte(void **state)
{
	(void)state;
	for (unsigned first = 0; first < 256; first++) {
		const uint8_t bytes[] = { (uint8_t)first, 0 };
		struct span input = span_of(bytes, 2);
		const char *why = NULL, *expected = expected_of_first(first);
		struct frame_decoder d;
		struct frame_header h;

		frame_decoder_init(&d, FRAME_FROM_SERVER);
		assert_int_equal(frame_decode(&d, &input, &h, &why),
				 expected ? FRAME_BAD : FRAME_DONE);
		if (expected)
			assert_string_equal(why, expected);
	}
}

static void decodes_one_header_after_another(void **state)
{
	struct span input = span_of("\x01\x00\x80\x00\x89\x00", 6);
	const enum frame_opcode opcodes[] = { FRAME_TEXT, FRAME_CONTINUATION, FRAME_PING };
	struct frame_decoder d;
	struct frame_header h;
	const char *why;

	(void)state;
	frame_decoder_init(&d, FRAME_FROM_SERVER);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(frame_decode(&d, &input, &h, &why), FRAME_DONE);
		assert_int_equal(h.opcode, opcodes[i]);
	}
	assert_int_equal(frame_decode(&d, &input, &h, &why), FRAME_MORE);
}

/* Of what a client has encoded: header and payload, told from the header alone. */
static void tells_the_size_of_a_frame(void **state)
{
	static const uint64_t lens[] = { 0, 125, 126, 65535, 65536, UINT32_MAX };
	uint8_t bytes[WS_FRAME_HEADER_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		struct frame_header h = { .masked = true, .key = { 255, 255 }, .len = lens[i] };
		size_t n = frame_encode(bytes, &h);

		assert_int_equal(frame_size(span_of(bytes, n)), n + lens[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decodes_at_every_split),
		cmocka_unit_test(decides_at_the_last_byte_and_not_before),
		cmocka_unit_test(encodes_what_decodes),
		cmocka_unit_test(judges_every_first_byte),
		cmocka_unit_test(decodes_one_header_after_another),
		cmocka_unit_test(tells_the_size_of_a_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
