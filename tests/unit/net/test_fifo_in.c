/* SPDX-License-Identifier: Apache-2.0 */
/* Writers to a FIFO that come and go. */
#include "fifo_hall.h"

#include <time.h>

static bool has_read(void *arg)
{
	return ((struct hall *)arg)->peers[0].n >= wanted;
}

static void put(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void test_writers_come_and_go(void **state)
{
	struct hall *h = *state;
	int one, two;

	open_it(h, false);
	one = open_end(h->path, O_WRONLY);
	put(one, "one\n");
	close(one);
	wait_for(h, has_read, 4);
	wait_for(h, has_turned, 0); /* nobody writes: neither the end of input nor a spin */
	one = open_end(h->path, O_WRONLY);
	two = open_end(h->path, O_WRONLY);
	put(one, "half ");
	put(two, "two\n");
	close(one);
	close(two);
	wait_for(h, has_read, 13);
	assert_string_equal(h->peers[0].got, "one\nhalf two\n");
	assert_false(h->peers[0].eof);
	assert_int_equal(h->n_peers, 1);
}

/* Level-triggered readiness that nobody takes would show in the time the loop has worked. */
static void test_nothing_to_do_costs_nothing(void **state)
{
	struct hall *h = *state;
	struct timespec from, to;
	int64_t used, begin, lasted;
	int fd;

	open_it(h, false);
	fd = open_end(h->path, O_WRONLY);
	put(fd, "one\n");
	close(fd);
	wait_for(h, has_read, 4);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	begin = loop_now(h->loop);
	for (int i = 0; i < 20; i++)
		wait_for(h, has_turned, 0);
	lasted = loop_now(h->loop) - begin;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	used = (to.tv_sec - from.tv_sec) * (int64_t)1000000 + (to.tv_nsec - from.tv_nsec) / 1000;
	assert_true(used < lasted / 2);
}

static bool has_two_streams(void *arg)
{
	const struct hall *h = arg;

	return h->n_peers == 2 && h->peers[0].eof;
}

/* Who still writes to the one that was taken away is heard to the end. */
static void test_the_one_we_read_is_replaced(void **state)
{
	struct hall *h = *state;
	int old, fresh;

	open_it(h, false);
	wait_for(h, have_come, 1);
	old = open_end(h->path, O_WRONLY);
	unlink(h->path);
	wait_for(h, have_come, 2);
	put(old, "old\n");
	close(old);
	fresh = open_end(h->path, O_WRONLY);
	put(fresh, "new\n");
	wait_for(h, has_two_streams, 0);
	wait_for(h, has_turned, 0);
	assert_string_equal(h->peers[0].got, "old\n");
	assert_string_equal(h->peers[1].got, "new\n");
	close(fresh);
	assert_int_equal(h->n_broken, 0);
}

static unsigned count_descriptors(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* Between fifo_new and the first turn: nobody has been given the one that was opened. */
static void test_replaced_before_it_is_given_out(void **state)
{
	struct hall *h = *state;
	unsigned before;

	open_it(h, false);
	before = count_descriptors();
	unlink(h->path);
	wait_for(h, have_come, 1);
	wait_for(h, has_turned, 0);
	assert_int_equal(h->n_peers, 1);
	assert_int_equal(count_descriptors(), before);
}

/* What was written to a stream that we gave up is not taken for the beginning of a record. */
static void test_reading_begins_anew(void **state)
{
	struct hall *h = *state;
	int fd;

	open_it(h, false);
	wait_for(h, have_come, 1);
	stream_pause(h->peers[0].stream);
	fd = open_end(h->path, O_WRONLY);
	put(fd, "the rest of something\n");
	peer_gone(h, &h->peers[0]);
	wait_for(h, have_come, 2);
	put(fd, "hello\n");
	close(fd);
	wait_for(h, has_turned, 0);
	assert_string_equal(h->peers[1].got, "hello\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_writers_come_and_go),	     T(test_nothing_to_do_costs_nothing),
		T(test_the_one_we_read_is_replaced), T(test_replaced_before_it_is_given_out),
		T(test_reading_begins_anew),
	};

	ignore_sigpipe();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
