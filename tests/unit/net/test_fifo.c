/* SPDX-License-Identifier: Apache-2.0 */
/* Readers of a FIFO that come and go. */
#include "fifo_hall.h"

static void test_readers_come_and_go(void **state)
{
	struct hall *h = *state;

	open_it(h, true);
	wait_for(h, has_turned, 0);
	assert_int_equal(h->n_peers, 0);
	for (unsigned i = 0; i < 4; i++) {
		int fd = open_end(h->path, O_RDONLY);

		wait_for(h, have_come, i + 1);
		say(h, i, "one\ntwo\n");
		assert_reads(fd, "one\ntwo\n");
		say(h, i, "left behind\n");
		close(fd);
		wait_for(h, have_gone, i + 1);
	}
	assert_int_equal(h->n_broken, 0);
}

/* It is there already while the first one still reads, and gets nothing of what that one gets. */
static void test_the_next_reader_waits(void **state)
{
	struct hall *h = *state;
	int first, second;
	char byte;

	open_it(h, true);
	first = open_end(h->path, O_RDONLY);
	wait_for(h, have_come, 1);
	second = open_end(h->path, O_RDONLY);
	say(h, 0, "for the first\n");
	wait_for(h, has_turned, 0);
	assert_int_equal(h->n_peers, 1);
	assert_int_equal(read(second, &byte, 1), -1);
	assert_int_equal(errno, EAGAIN);
	close(first);
	wait_for(h, have_come, 2);
	say(h, 1, "for the second\n");
	assert_reads(second, "for the second\n");
	close(second);
}

/* We let go of a reader: it gets what it was given, then the end, and the next one its own. */
static void test_a_reader_that_is_let_down(void **state)
{
	struct hall *h = *state;
	int fd, next;

	open_it(h, true);
	fd = open_end(h->path, O_RDONLY);
	wait_for(h, have_come, 1);
	say(h, 0, "last words\n");
	peer_gone(h, &h->peers[0]);
	next = open_end(h->path, O_RDONLY);
	wait_for(h, have_come, 2);
	say(h, 1, "hello\n");
	assert_reads(fd, "last words\n");
	assert_reads(fd, "");
	assert_reads(next, "hello\n");
	close(fd);
	close(next);
}

static void test_a_full_pipe(void **state)
{
	struct hall *h = *state;
	static char bytes[100000], got[100000];
	struct iovec iov = { .iov_base = bytes, .iov_len = sizeof(bytes) };
	size_t n, all = 0;
	ssize_t part;
	int fd;

	open_it(h, true);
	fd = open_end(h->path, O_RDONLY);
	wait_for(h, have_come, 1);
	n = stream_offer(h->peers[0].stream, &iov, 1);
	assert_int_equal(n, 65536);
	assert_int_equal(stream_offer(h->peers[0].stream, &iov, 1), 0);
	while ((part = read(fd, got, sizeof(got))) > 0)
		all += (size_t)part;
	assert_int_equal(all, n);
	close(fd);
	assert_int_equal(stream_offer(h->peers[0].stream, &iov, 1), 0); /* EPIPE: reported later */
	assert_int_equal(h->n_gone, 0);
	wait_for(h, have_gone, 1);
}

static void test_one_that_was_there_is_there_in_the_end(void **state)
{
	struct hall *h = *state;
	struct stat before, after;
	int fd;

	assert_int_equal(mkfifo(h->path, 0640), 0);
	assert_int_equal(lstat(h->path, &before), 0);
	open_it(h, true);
	for (unsigned i = 0; i < 3; i++) { /* an odd number: the other one is in front */
		fd = open_end(h->path, O_RDONLY);
		wait_for(h, have_come, i + 1);
		assert_int_equal(lstat(h->path, &after), 0);
		assert_int_equal(after.st_mode, before.st_mode);
		close(fd);
		wait_for(h, have_gone, i + 1);
	}
	fifo_stop(h->fifo);
	assert_int_equal(lstat(h->path, &after), 0);
	assert_int_equal(after.st_ino, before.st_ino);
	unlink(h->path);
}

static void test_a_mode_that_somebody_changes_stays_changed(void **state)
{
	struct hall *h = *state;
	struct stat st;
	int fd;

	open_it(h, true);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(chmod(h->path, 0600 + i), 0);
		fd = open_end(h->path, O_RDONLY);
		wait_for(h, have_come, i + 1);
		assert_int_equal(lstat(h->path, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600 + i);
		close(fd);
		wait_for(h, have_gone, i + 1);
	}
}

/* What is in the way of the second name: readers are served all the same. */
static void test_a_foreign_file_at_the_second_name(void **state)
{
	struct hall *h = *state;
	mem_auto_str next = mem_printf("%s.next", h->path);
	struct stat st;
	int fd;

	assert_int_equal(symlink(h->other, next), 0);
	open_it(h, true);
	for (unsigned i = 0; i < 3; i++) {
		fd = open_end(h->path, O_RDONLY);
		wait_for(h, have_come, i + 1);
		say(h, i, "hello\n");
		assert_reads(fd, "hello\n");
		say(h, i, "left behind\n");
		close(fd);
		wait_for(h, have_gone, i + 1);
	}
	assert_int_equal(lstat(next, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(access(h->other, F_OK), -1);
	unlink(next);
}

static void test_stopped_while_it_is_read(void **state)
{
	struct hall *h = *state;
	int fd;

	open_it(h, true);
	fd = open_end(h->path, O_RDONLY);
	wait_for(h, have_come, 1);
	fifo_stop(h->fifo);
	assert_int_equal(access(h->path, F_OK), -1);
	say(h, 0, "goodbye\n");
	assert_reads(fd, "goodbye\n");
	close(fd);
	wait_for(h, have_gone, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_readers_come_and_go),
		T(test_the_next_reader_waits),
		T(test_a_reader_that_is_let_down),
		T(test_a_full_pipe),
		T(test_one_that_was_there_is_there_in_the_end),
		T(test_a_mode_that_somebody_changes_stays_changed),
		T(test_a_foreign_file_at_the_second_name),
		T(test_stopped_while_it_is_read),
	};

	ignore_sigpipe();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
