/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An endpoint of FIFOs: its one client reads `out`, what is written to `in`
 * comes from nobody in particular. What happens to the files themselves is
 * tested with net/fifo.h.
 */
#include "fifo_rig.h"

static inline void write_in(const char *text)
{
	int fd = open(in_path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void wait_messages(size_t n)
{
	rig.want = n;
	rig_wait(&rig, rig_has_messages);
}

static void test_the_reader_is_the_client(void **state)
{
	char name[80];
	struct endpoint_client c;
	client_id first;
	int fd;

	(void)state;
	rig_open(&rig);
	rig_turns(&rig);
	assert_int_equal(rig_send(&rig, "nobody hears this"), ENDPOINT_NOBODY);
	fd = attach_reader();
	snprintf(name, sizeof(name), "fifo %s", out_path);
	assert_string_equal(rig.last_name, name);
	assert_int_equal(rig.n_came, 1);
	assert_int_equal(rig_send(&rig, "one"), ENDPOINT_SENT);
	assert_int_equal(rig_send(&rig, "two"), ENDPOINT_SENT);
	endpoint_flush(rig.e);
	assert_reads(fd, "one\ntwo\n");
	c = rig_client(&rig, 0);
	first = c.id;
	assert_int_equal(first, rig.last_client);
	assert_int_equal(c.pid, 0);
	assert_int_equal(c.uid, (uid_t)-1);
	assert_int_equal(c.sent, 2);
	leave(fd);
	assert_int_equal(rig.n_left, 1);
	assert_int_equal(rig_send(&rig, "nobody again"), ENDPOINT_NOBODY);

	fd = attach_reader();
	assert_true(rig_client(&rig, 0).id > first);
	rig_send(&rig, "three");
	endpoint_flush(rig.e);
	assert_reads(fd, "three\n");
	leave(fd);
}

static void test_what_is_written_to_in(void **state)
{
	char name[80];

	(void)state;
	rig_open(&rig);
	write_in("one\ntwo\nhal");
	wait_messages(2);
	write_in("f\n");
	wait_messages(3);
	assert_string_equal(rig.messages, "one|two|half|");
	snprintf(name, sizeof(name), "fifo %s", in_path);
	assert_string_equal(rig.last_name, name);
	assert_true(endpoint_has_client(rig.e, rig.last_client));
	assert_int_equal(endpoint_n_clients(rig.e), 0);
	assert_false(endpoint_client_at(rig.e, 0, &(struct endpoint_client){ .id = 0 }));
	assert_int_equal(rig.n_came + rig.n_left + rig.n_ended, 0);
	assert_int_equal(rig.quota.clients, 0);
}

static void test_only_one_of_them(void **state)
{
	struct stat st;
	int fd;

	(void)state;
	rig.conf.fifo_in = NULL;
	rig_open(&rig);
	assert_int_equal(lstat(in_path, &st), -1);
	fd = attach_reader();
	leave(fd);
	endpoint_free(rig.e);
	rig.conf.fifo_in = in_path;
	rig.conf.fifo_out = NULL;
	rig_open(&rig);
	assert_int_equal(lstat(out_path, &st), -1);
	write_in("one\n");
	wait_messages(1);
}

/* An answer to a record of `in` has but one way: through `out`. */
static void test_answers_go_to_the_reader(void **state)
{
	client_id in;
	int fd;

	(void)state;
	rig_open(&rig);
	write_in("one\n");
	wait_messages(1);
	in = rig.last_client;
	assert_int_equal(rig_send_to(&rig, in, "an answer"), ENDPOINT_NOBODY);
	fd = attach_reader();
	assert_int_equal(rig_send_to(&rig, in, "an answer"), ENDPOINT_SENT);
	endpoint_flush(rig.e);
	assert_reads(fd, "an answer\n");
	leave(fd);
}

static void test_pausing_holds_back_what_is_written(void **state)
{
	(void)state;
	rig.pause_at = 2;
	rig_open(&rig);
	write_in("1\n2\n3\n");
	wait_messages(2);
	write_in("4\n");
	rig_turns(&rig);
	assert_int_equal(rig.n_messages, 2);
	endpoint_resume(rig.e);
	wait_messages(4);
	assert_string_equal(rig.messages, "1|2|3|4|");

	endpoint_pause_client(rig.e, rig.last_client);
	write_in("5\n");
	rig_turns(&rig);
	assert_int_equal(rig.n_messages, 4);
	endpoint_resume_client(rig.e, rig.last_client);
	wait_messages(5);
}

static bool is_refused(struct rig *r)
{
	return r->n_refused > 0;
}

static void test_no_place_for_the_reader(void **state)
{
	char byte;
	int fd;

	(void)state;
	rig.quota.max_clients = 0;
	rig_open(&rig);
	fd = open_reader();
	rig_wait(&rig, is_refused);
	assert_string_equal(rig.last_error.text, "refused: limits.clients is 0");
	assert_int_equal(read(fd, &byte, 1), 0);
	close(fd);
	rig.quota.max_clients = 1;
	fd = attach_reader();
	leave(fd);
	assert_int_equal(rig.n_came, 1);
}

static bool is_broken(struct rig *r)
{
	return r->n_broken > 0;
}

static void test_broken_is_reported(void **state)
{
	(void)state;
	rig_open(&rig);
	rig_turns(&rig);
	unlink(in_path);
	assert_int_equal(mkdir(in_path, 0700), 0);
	rig_wait(&rig, is_broken);
	assert_non_null(strstr(rig.last_error.text, "is no FIFO: it is left alone"));
	assert_int_equal(rig.last_error.code, ERR_ENDPOINT);
	rmdir(in_path);
	rig.n_messages = 0;
	for (int i = 0; i < 1000 && access(in_path, F_OK) != 0; i++)
		rig_turns(&rig);
	write_in("one\n");
	wait_messages(1);
}

static bool has_ended(struct rig *r)
{
	return r->n_ended > 0;
}

/* Nobody comes or leaves by that, but what was begun in it is never ended. */
static void test_in_is_taken_away(void **state)
{
	client_id in;

	(void)state;
	rig_open(&rig);
	write_in("one\n");
	wait_messages(1);
	in = rig.last_client;
	unlink(in_path);
	rig_wait(&rig, has_ended);
	assert_int_equal(rig.last_client, in);
	for (int i = 0; i < 1000 && access(in_path, F_OK) != 0; i++)
		rig_turns(&rig);
	write_in("two\n");
	wait_messages(2);
	assert_true(rig.last_client > in);
	assert_int_equal(rig.n_ended, 1);
	assert_int_equal(rig.n_came + rig.n_left, 0);
}

/* Where the place of the next record is lost, reading begins anew. */
static void test_a_stream_that_cannot_be_followed(void **state)
{
	int fd;

	(void)state;
	rig.rules.framing = FRAMING_LENGTH;
	rig_open(&rig);
	fd = open(in_path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	assert_int_equal(write(fd, "\0\0\0\2\1hi", 7), 7);
	wait_messages(1);
	assert_int_equal(write(fd, "\xff\xff\xff\xff\7rubbish", 12), 12);
	wait_messages(2);
	assert_int_equal(rig.n_bad, 1);
	rig_turns(&rig);
	close(fd);
	fd = open(in_path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	assert_int_equal(write(fd, "\0\0\0\2\1ho", 7), 7);
	wait_messages(3);
	assert_string_equal(rig.messages, "hi|ho|");
	close(fd);
}

static void test_what_cannot_be_made(void **state)
{
	struct endpoint_params params = { .conf = &rig.conf,
					  .owner = &rig.owner,
					  .quota = &rig.quota };
	struct error err = ERROR_INIT;
	struct stat st;

	(void)state;
	rig_open(&rig);
	assert_null(endpoint_new(rig.loop, &params, &err));
	assert_int_equal(err.code, ERR_ENDPOINT);
	assert_int_equal(err.os, EADDRINUSE);
	endpoint_free(rig.e);

	assert_int_equal(mkdir(in_path, 0700), 0);
	assert_null(endpoint_new(rig.loop, &params, &err));
	assert_non_null(strstr(err.text, "is no FIFO"));
	assert_int_equal(lstat(out_path, &st), -1); /* the other one is gone again */
	rmdir(in_path);
	rig_open(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_the_reader_is_the_client),
		T(test_what_is_written_to_in),
		T(test_only_one_of_them),
		T(test_answers_go_to_the_reader),
		T(test_pausing_holds_back_what_is_written),
		T(test_no_place_for_the_reader),
		T(test_broken_is_reported),
		T(test_in_is_taken_away),
		T(test_a_stream_that_cannot_be_followed),
		T(test_what_cannot_be_made),
	};

	ignore_sigpipe();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
