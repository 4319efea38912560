/* SPDX-License-Identifier: Apache-2.0 */
/* What somebody does to the name of a FIFO while we have it open. */
#include "fifo_hall.h"

static bool is_there(void *arg)
{
	return access(((struct hall *)arg)->path, F_OK) == 0;
}

static bool is_broken(void *arg)
{
	return ((struct hall *)arg)->n_broken >= wanted;
}

static void test_removed_and_made_again(void **state)
{
	struct hall *h = *state;
	int first, second;

	open_it(h, true);
	unlink(h->path);
	wait_for(h, is_there, 0);
	first = open_end(h->path, O_RDONLY);
	wait_for(h, have_come, 1);
	unlink(h->path); /* while it is read: that reader goes on */
	wait_for(h, is_there, 0);
	say(h, 0, "still here\n");
	assert_reads(first, "still here\n");
	close(first);
	wait_for(h, have_gone, 1);
	second = open_end(h->path, O_RDONLY);
	wait_for(h, have_come, 2);
	say(h, 1, "hello\n");
	assert_reads(second, "hello\n");
	close(second);
	assert_int_equal(h->n_broken, 0);
}

/* What waits under the second name is removed: another one takes its place, with its right end. */
static void test_the_second_one_is_removed(void **state)
{
	struct hall *h = *state;
	mem_auto_str next = mem_printf("%s.next", h->path);
	int fd;

	open_it(h, true);
	for (unsigned i = 0; i < 4; i++) {
		fd = open_end(h->path, O_RDONLY);
		wait_for(h, have_come, i + 1);
		say(h, i, "hello\n");
		assert_reads(fd, "hello\n");
		if (i % 2) /* while it is read, and while it waits */
			unlink(next);
		close(fd);
		wait_for(h, have_gone, i + 1);
		if (i % 2 == 0)
			assert_int_equal(unlink(next), 0);
	}
	assert_int_equal(h->n_broken, 0);
}

/* Given to somebody: the other one is given to him, too. */
static void test_given_to_somebody_else(void **state)
{
	struct hall *h = *state;
	struct stat st;
	int fd;

	if (geteuid() != 0)
		skip(); /* nobody else may give a file away */
	open_it(h, true);
	for (unsigned i = 0; i < 3; i++) {
		fd = open_end(h->path, O_RDONLY);
		wait_for(h, have_come, i + 1);
		assert_int_equal(chown(h->path, 65500 + i, 65501), 0);
		close(fd);
		wait_for(h, have_gone, i + 1);
		wait_for(h, has_turned, 0);
	}
	fd = open_end(h->path, O_RDONLY);
	wait_for(h, have_come, 4);
	assert_int_equal(lstat(h->path, &st), 0);
	assert_int_equal(st.st_uid, 65502);
	assert_int_equal(st.st_gid, 65501);
	close(fd);
	wait_for(h, have_gone, 4);
}

/* Somebody puts a link to a file in its place, in both directions, with and without a reader. */
static void replaced(struct hall *h, bool out, bool is_read)
{
	mem_auto_str text = mem_printf("%s exists and is no FIFO: it is left alone", h->path);
	int fd = open(h->other, O_CREAT | O_WRONLY | O_CLOEXEC, 0600), reader = -1;
	struct stat st;

	assert_int_equal(write(fd, "mine", 4), 4);
	close(fd);
	open_it(h, out);
	if (is_read) {
		reader = open_end(h->path, O_RDONLY);
		wait_for(h, have_come, 1);
	}
	unlink(h->path);
	assert_int_equal(symlink(h->other, h->path), 0);
	wait_for(h, is_broken, 1);
	assert_string_equal(h->broken.text, text);
	if (is_read) {
		say(h, 0, "not for the file\n");
		assert_reads(reader, "not for the file\n");
		close(reader);
		wait_for(h, have_gone, 1);
	}
	wait_for(h, has_turned, 0);
	assert_int_equal(h->n_broken, 1); /* told once */
	assert_int_equal(lstat(h->other, &st), 0);
	assert_int_equal(st.st_size, 4);
	assert_int_equal(lstat(h->path, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	unlink(h->path);
}

static void test_replaced_by_a_link(void **state)
{
	replaced(*state, true, false);
}

static void test_replaced_by_a_link_while_it_is_read(void **state)
{
	replaced(*state, true, true);
}

static void test_replaced_by_a_link_where_we_read(void **state)
{
	replaced(*state, false, false);
}

/* One that was there and is taken away is not ours to make again; one put there is taken. */
static void test_a_found_one_is_gone_and_comes_back(void **state)
{
	struct hall *h = *state;
	mem_auto_str text = mem_printf("%s: No such file or directory", h->path);
	int fd;

	assert_int_equal(mkfifo(h->path, 0600), 0);
	open_it(h, true);
	unlink(h->path);
	wait_for(h, is_broken, 1);
	assert_string_equal(h->broken.text, text);
	assert_int_equal(access(h->path, F_OK), -1);
	assert_int_equal(mkfifo(h->path, 0600), 0);
	fd = open_end(h->path, O_RDONLY);
	wait_for(h, have_come, 1);
	say(h, 0, "hello\n");
	assert_reads(fd, "hello\n");
	close(fd);
	wait_for(h, have_gone, 1);
	fifo_stop(h->fifo);
	assert_int_equal(unlink(h->path), 0); /* it was left */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_removed_and_made_again),
		T(test_the_second_one_is_removed),
		T(test_given_to_somebody_else),
		T(test_replaced_by_a_link),
		T(test_replaced_by_a_link_while_it_is_read),
		T(test_replaced_by_a_link_where_we_read),
		T(test_a_found_one_is_gone_and_comes_back),
	};

	ignore_sigpipe();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
