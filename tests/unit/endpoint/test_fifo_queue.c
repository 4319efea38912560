/* SPDX-License-Identifier: Apache-2.0 */
/* What waits for the reader of a FIFO: dropped, counted, cut off, brought to an end. */
#include "fifo_rig.h"

static uint64_t total_dropped(void)
{
	struct endpoint_totals totals;

	endpoint_totals(rig.e, &totals);
	return totals.dropped;
}

/* Fills the pipe and the queue behind it; each message is `size` bytes. */
static void send_many(unsigned n, size_t size)
{
	char *text = malloc(size + 1);

	assert_non_null(text);
	for (unsigned i = 0; i < n; i++) {
		memset(text, 'a' + (int)(i % 26), size);
		text[size] = '\0';
		assert_int_equal(rig_send(&rig, text), ENDPOINT_SENT);
	}
	endpoint_flush(rig.e);
	free(text);
}

/* Reads all there is, while the loop turns; each record must be one letter, `size` times. */
static unsigned read_records(int fd, size_t size)
{
	static char got[1 << 20];
	unsigned records = 0;
	size_t at = 0, have = 0;

	for (int idle = 0; idle < 3;) {
		ssize_t n = read(fd, got + have, sizeof(got) - have);

		if (n > 0)
			have += (size_t)n;
		idle = n > 0 ? 0 : idle + 1;
		rig_turns(&rig);
		for (; have - at > size; at += size + 1, records++) {
			for (size_t i = 1; i < size; i++)
				assert_int_equal(got[at + i], got[at]);
			assert_int_equal(got[at + size], '\n');
		}
	}
	assert_int_equal(at, have); /* no part of a record is left */
	return records;
}

static void test_overflow(void **state)
{
	static const enum conf_overflow policies[] = { OVERFLOW_DROP_OLDEST, OVERFLOW_DROP_NEWEST };
	unsigned got;
	int fd;

	(void)state;
	rig.rules.queue = 50000;
	for (size_t i = 0; i < 2; i++) {
		rig.rules.overflow = policies[i];
		rig.n_dropped = 0;
		rig_open(&rig);
		fd = attach_reader();
		send_many(300, 999);
		rig_turns(&rig);
		assert_int_equal(rig.n_dropped, 1); /* told once */
		assert_true(rig_client(&rig, 0).slow);
		got = read_records(fd, 999);
		assert_true(got >= 100 && got < 300);
		assert_int_equal(rig_client(&rig, 0).dropped, 300 - got);
		assert_int_equal(total_dropped(), 300 - got);
		leave(fd);
		assert_int_equal(total_dropped(), 300 - got);
		if (i == 0)
			endpoint_free(rig.e);
	}
}

static void test_overflow_disconnect(void **state)
{
	unsigned got;
	int fd, next;
	char byte;

	(void)state;
	rig.rules.queue = 50000;
	rig.rules.overflow = OVERFLOW_DISCONNECT;
	rig_open(&rig);
	fd = attach_reader();
	send_many(100, 999);
	for (unsigned i = 0; i < 200 && endpoint_n_clients(rig.e) > 0; i++) {
		if (rig_send(&rig, "more") == ENDPOINT_NOBODY)
			break;
		send_many(1, 9999);
		rig_turns(&rig);
	}
	rig_turns(&rig);
	assert_int_equal(rig.n_left, 1);
	assert_int_equal(rig.n_dropped, 1);
	/* It reads what it was given, and the end; meanwhile the next one has come. */
	next = attach_reader();
	rig_send(&rig, "hello");
	endpoint_flush(rig.e);
	assert_reads(next, "hello\n");
	for (got = 0; read(fd, &byte, 1) == 1; got++)
		;
	assert_true(got > 0);
	assert_int_equal(read(fd, &byte, 1), 0);
	close(fd);
	leave(next);
}

static bool has_room(struct rig *r)
{
	return r->n_room > 0;
}

static void test_overflow_block(void **state)
{
	unsigned got;
	int fd;

	(void)state;
	rig.rules.queue = 50000;
	rig.rules.overflow = OVERFLOW_BLOCK;
	rig_open(&rig);
	fd = attach_reader();
	send_many(200, 999);
	assert_true(endpoint_is_full(rig.e));
	got = read_records(fd, 999);
	rig_wait(&rig, has_room);
	assert_false(endpoint_is_full(rig.e));
	assert_int_equal(got, 200);
	assert_int_equal(total_dropped(), 0);
	leave(fd);
}

/* It leaves in the middle of a record bigger than the pipe: that one is lost, and counted. */
static void test_a_record_that_is_cut_off(void **state)
{
	char some[1000];
	int fd;

	(void)state;
	rig.rules.queue = 4 << 20;
	rig_open(&rig);
	fd = attach_reader();
	send_many(1, 300000);
	send_many(2, 10);
	assert_int_equal(read(fd, some, sizeof(some)), sizeof(some));
	rig_turns(&rig);
	leave(fd);
	assert_int_equal(total_dropped(), 3);
	fd = attach_reader();
	send_many(1, 10);
	assert_reads(fd, "aaaaaaaaaa\n");
	leave(fd);
	assert_int_equal(total_dropped(), 3);
}

static void test_stopped_with_something_pending(void **state)
{
	unsigned got;
	int fd, writer;

	(void)state;
	rig_open(&rig);
	fd = attach_reader();
	writer = open(in_path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	send_many(150, 999);
	assert_true(endpoint_pending(rig.e) > 0);
	endpoint_stop_accepting(rig.e);
	assert_int_equal(access(out_path, F_OK), -1);
	assert_int_equal(access(in_path, F_OK), -1);
	assert_int_equal(write(writer, "last\n", 5), 5);
	got = read_records(fd, 999);
	assert_int_equal(got, 150);
	assert_int_equal(endpoint_pending(rig.e), 0);
	assert_string_equal(rig.messages, "last|");
	close(writer);
	leave(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_overflow),
		T(test_overflow_disconnect),
		T(test_overflow_block),
		T(test_a_record_that_is_cut_off),
		T(test_stopped_with_something_pending),
	};

	ignore_sigpipe();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
