/* SPDX-License-Identifier: Apache-2.0 */
/* Where the frames of the output begin and end, after every possible short write. */
#include "ws/output.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "support/fixed_rand.h"

enum { MAX = 1 << 20, FRAMES_MAX = 80 };

static const char request[] = "GET / HTTP/1.1\r\n\r\n";
static const uint8_t zeros[2 * WS_ONE_FRAME_MAX];

static void open_output(struct output *o, size_t max_output)
{
	output_init(o, NULL);
	assert_true(buf_append(&o->data, span_str(request)));
	output_request(o, max_output);
	output_wrote(o, o->data.len);
}

static bool put(struct output *o, size_t n, size_t limit)
{
	struct msg msg = { .type = MSG_BINARY, .data = span_of(zeros, n) };

	return output_message(o, FRAME_BINARY, msg, limit);
}

/* Takes the first n bytes of what is to be written. */
static void take(struct output *o, size_t n, struct buf *wire)
{
	struct iovec iov[3];
	int filled = output_iov(o, iov);
	size_t left = n;

	for (int i = 0; i < filled && left > 0; i++) {
		size_t some = iov[i].iov_len < left ? iov[i].iov_len : left;

		assert_true(iov[i].iov_len > 0);
		assert_true(buf_append(wire, span_of(iov[i].iov_base, some)));
		left -= some;
	}
	assert_int_equal(left, 0);
	output_wrote(o, n);
}

/* The headers on the wire, written out by hand: payload length and first byte of each frame. */
struct seen {
	size_t n, at[FRAMES_MAX + 1], len[FRAMES_MAX];
	uint8_t first[FRAMES_MAX];
};

static void read_frames(struct span wire, struct seen *seen)
{
	size_t at = 0;

	for (seen->n = 0; at < wire.n; seen->n++) {
		const uint8_t *p = wire.p + at;
		size_t len = p[1] & 0x7F, header = 6;

		assert_true(seen->n < FRAMES_MAX);
		assert_true(p[1] & 0x80);
		if (len == 126) {
			len = (size_t)p[2] << 8 | p[3];
			header = 8;
		} else if (len == 127) {
			len = (size_t)p[6] << 24 | (size_t)p[7] << 16 | (size_t)p[8] << 8 | p[9];
			header = 14;
		}
		seen->at[seen->n] = at;
		seen->first[seen->n] = p[0];
		seen->len[seen->n] = len;
		at += header + len;
	}
	assert_int_equal(at, wire.n);
	seen->at[seen->n] = at;
}

static const size_t small[] = { 0, 5, 125, 126, 1, 300, 0 };
#define N_SMALL (sizeof(small) / sizeof(small[0]))

static void put_all(struct output *o, const size_t *lens, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_true(put(o, lens[i], MAX));
}

/* The frames with one Ping, which was queued when `written` bytes had left. */
static void check_ping(struct span wire, const size_t *lens, size_t n, size_t written)
{
	struct seen seen;
	size_t ping = 0, at = 0;

	read_frames(wire, &seen);
	assert_int_equal(seen.n, n + 1);
	while (seen.first[ping] != 0x89)
		ping++;
	assert_true(seen.at[ping] >= written);
	assert_true(ping == 0 || seen.at[ping - 1] < written);
	for (size_t i = 0; i < seen.n; i++) {
		if (i == ping)
			continue;
		assert_int_equal(seen.first[i], 0x82);
		assert_int_equal(seen.len[i], lens[at++]);
	}
}

static void run_two_writes(size_t first, size_t second, size_t rest)
{
	struct output o;
	struct buf wire;

	open_output(&o, MAX);
	buf_init(&wire, MAX);
	put_all(&o, small, N_SMALL);
	take(&o, first, &wire);
	take(&o, second, &wire);
	assert_true(output_control(&o, FRAME_PING, span_str("p"), MAX));
	take(&o, rest, &wire);
	take(&o, output_len(&o), &wire);
	assert_int_equal(output_len(&o), 0);
	check_ping(buf_bytes(&wire), small, N_SMALL, first + second);
	assert_int_equal(o.begun, 0);
	buf_deinit(&wire);
	output_deinit(&o);
}

static void a_ping_leaves_at_the_next_boundary_after_every_split(void **state)
{
	struct output o;
	size_t all;

	(void)state;
	open_output(&o, MAX);
	put_all(&o, small, N_SMALL);
	all = output_len(&o);
	output_deinit(&o);
	assert_int_equal(all, 0 + 5 + 125 + 126 + 1 + 300 + 5 * 6 + 2 * 8);
	for (size_t first = 0; first <= all; first++) {
		for (size_t second = 0; first + second <= all; second += 7)
			run_two_writes(first, second, (first + second) % 9);
		run_two_writes(first, all - first, 3);
	}
}

/* What is said to be left of the frame that had begun at `at` ends where it ends. */
static void check_begun(const struct seen *seen, size_t at, size_t begun)
{
	size_t i = 0;

	while (seen->at[i] < at)
		i++;
	assert_int_equal(seen->at[i] - at, begun);
}

/* Writes of every size one after the other, with a Ping now and then: no frame is torn. */
static void no_frame_is_torn(void **state)
{
	(void)state;
	for (size_t step = 1; step <= 700; step += step < 40 ? 1 : 13) {
		struct output o;
		struct buf wire;
		struct seen seen;
		size_t at[20], begun[20];

		open_output(&o, MAX);
		buf_init(&wire, MAX);
		put_all(&o, small, N_SMALL);
		for (int i = 0; i < 20; i++) {
			take(&o, step < output_len(&o) ? step : output_len(&o), &wire);
			at[i] = wire.len;
			begun[i] = o.begun + o.urgent_begun;
			assert_true(o.begun == 0 || o.urgent_begun == 0);
			if (i % 3 == 0)
				assert_true(output_control(&o, FRAME_PONG, span_str("q"), MAX));
		}
		take(&o, output_len(&o), &wire);
		read_frames(buf_bytes(&wire), &seen);
		assert_int_equal(seen.n, N_SMALL + 7);
		for (int i = 0; i < 20; i++)
			check_begun(&seen, at[i], begun[i]);
		buf_deinit(&wire);
		output_deinit(&o);
	}
}

static void nothing_passes_the_request(void **state)
{
	struct output o;
	struct buf wire;

	(void)state;
	for (size_t written = 0; written < sizeof(request) - 1; written++) {
		output_init(&o, NULL);
		buf_init(&wire, MAX);
		assert_true(buf_append(&o.data, span_str(request)));
		output_request(&o, MAX);
		take(&o, written, &wire);
		assert_true(put(&o, 3, MAX));
		assert_true(output_control(&o, FRAME_PING, span_of(NULL, 0), MAX));
		take(&o, output_len(&o), &wire);
		assert_memory_equal(buf_bytes(&wire).p, request, sizeof(request) - 1);
		assert_memory_equal(buf_bytes(&wire).p + sizeof(request) - 1,
				    "\x89\x80\0\0\0\0\x82\x83\0\0\0\0\0\0\0", 15);
		buf_deinit(&wire);
		output_deinit(&o);
	}
}

/* What has begun to leave goes on, urgent or not; a Close does not pass anything. */
static void the_order_of_what_waits(void **state)
{
	static const char expected[] = "\x89\x81\0\0\0\0a\x8A\x81\0\0\0\0b\x82\x80\0\0\0\0"
				       "\x88\x82\0\0\0\0\x03\xE8";
	struct output o;
	struct buf wire;

	(void)state;
	for (size_t written = 0; written <= 7; written++) {
		open_output(&o, MAX);
		buf_init(&wire, MAX);
		assert_true(put(&o, 0, MAX));
		assert_true(output_control(&o, FRAME_PING, span_str("a"), MAX));
		take(&o, written, &wire);
		assert_true(output_control(&o, FRAME_CLOSE, span_str("\x03\xE8"), MAX));
		assert_true(output_control(&o, FRAME_PONG, span_str("b"), MAX));
		take(&o, output_len(&o), &wire);
		assert_true(span_equal(buf_bytes(&wire), span_of(expected, sizeof(expected) - 1)));
		buf_deinit(&wire);
		output_deinit(&o);
	}
}

static void a_big_message_goes_out_in_frames(void **state)
{
	static const struct {
		size_t n;
		bool waits; /* something is in the output already */
		size_t frames;
	} rows[] = {
		{ 0, false, 1 },
		{ WS_FRAME_SIZE, true, 1 },
		{ WS_FRAME_SIZE + 1, false, 1 },
		{ WS_FRAME_SIZE + 1, true, 2 },
		{ 2 * WS_FRAME_SIZE, true, 2 },
		{ WS_ONE_FRAME_MAX, false, 1 },
		{ WS_ONE_FRAME_MAX, true, 4 },
		{ WS_ONE_FRAME_MAX + 1, false, 5 },
		{ WS_ONE_FRAME_MAX + WS_FRAME_SIZE, false, 5 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t skip = rows[i].waits ? 1 : 0, all = 0;
		struct fixed_rand r;
		struct output o;
		struct seen seen;

		fixed_rand_init(&r, span_str("k"));
		output_init(&o, &r.source);
		output_request(&o, MAX);
		assert_true(!skip || put(&o, 1, MAX));
		assert_true(put(&o, rows[i].n, MAX));
		read_frames(buf_bytes(&o.data), &seen);
		assert_int_equal(seen.n, rows[i].frames + skip);
		assert_int_equal(r.drawn, 4 * seen.n);
		for (size_t k = skip; k < seen.n; k++) {
			unsigned fin = k + 1 == seen.n ? 0x80 : 0, opcode = k == skip ? 2 : 0;

			assert_int_equal(seen.first[k], fin | opcode);
			all += seen.len[k];
		}
		assert_int_equal(all, rows[i].n);
		output_deinit(&o);
	}
}

static void the_limit_counts_headers_and_both_queues(void **state)
{
	const size_t n = WS_ONE_FRAME_MAX + 1, wire = n + 4 * 8 + 6;
	struct output o;

	(void)state;
	open_output(&o, MAX);
	assert_false(put(&o, n, wire - 1));
	assert_int_equal(output_len(&o), 0);
	assert_true(put(&o, n, wire));
	assert_int_equal(output_len(&o), wire);
	assert_false(output_control(&o, FRAME_PING, span_of(NULL, 0), wire + 5));
	assert_true(output_control(&o, FRAME_PING, span_of(NULL, 0), wire + 6));
	assert_false(put(&o, 0, wire + 11));
	assert_true(put(&o, 0, wire + 12));
	output_deinit(&o);
}

static void lack_of_memory_leaves_it_as_it_was(void **state)
{
	struct output o;
	struct buf wire;

	(void)state;
	open_output(&o, MAX);
	buf_init(&wire, MAX);
	mem_fail_try_after(1);
	assert_false(put(&o, 1000, MAX));
	mem_fail_try_after(1);
	assert_false(put(&o, WS_ONE_FRAME_MAX + 1, MAX));
	mem_fail_try_after(1);
	assert_false(output_control(&o, FRAME_PING, span_of(NULL, 0), MAX));
	assert_int_equal(output_len(&o), 0);
	assert_true(put(&o, 1000, MAX));
	take(&o, 10, &wire);
	assert_true(output_control(&o, FRAME_PING, span_of(NULL, 0), MAX));
	take(&o, output_len(&o), &wire);
	check_ping(buf_bytes(&wire), (const size_t[]){ 1000 }, 1, 10);
	buf_deinit(&wire);
	output_deinit(&o);
}

static void counts_what_is_queued_and_written(void **state)
{
	const uint64_t head = sizeof(request) - 1;
	struct output o;
	struct buf wire;

	(void)state;
	open_output(&o, MAX);
	buf_init(&wire, MAX);
	assert_int_equal(o.data_queued, head);
	assert_int_equal(o.data_written, head);
	assert_true(put(&o, 10, MAX));
	assert_true(put(&o, 20, MAX));
	take(&o, 5, &wire);
	assert_true(output_control(&o, FRAME_PING, span_str("12345678"), MAX));
	assert_int_equal(o.data_queued, head + 16 + 26);
	assert_int_equal(o.data_written, head + 5);
	assert_int_equal(o.urgent_queued, 14);
	assert_int_equal(o.urgent_written, 0);
	take(&o, 11 + 4, &wire);
	assert_int_equal(o.data_written, head + 16);
	assert_int_equal(o.urgent_written, 4);
	take(&o, 10 + 1, &wire);
	assert_int_equal(o.data_written, head + 17);
	assert_int_equal(o.urgent_written, 14);
	output_deinit(&o);
	assert_int_equal(output_len(&o), 0);
	assert_int_equal(o.data_queued - o.data_written, 25);
	buf_deinit(&wire);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ping_leaves_at_the_next_boundary_after_every_split),
		cmocka_unit_test(no_frame_is_torn),
		cmocka_unit_test(nothing_passes_the_request),
		cmocka_unit_test(the_order_of_what_waits),
		cmocka_unit_test(a_big_message_goes_out_in_frames),
		cmocka_unit_test(the_limit_counts_headers_and_both_queues),
		cmocka_unit_test(lack_of_memory_leaves_it_as_it_was),
		cmocka_unit_test(counts_what_is_queued_and_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
