/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control sockets with real clients: the order of answers, the end of input,
 * lines that are too long, clients that ask faster than they read, levels and
 * limits.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/server_rig.h"

static void test_order(void **state)
{
	struct test *t = *state;
	char *out = talk(
		t, t->path,
		span_str("version\n\n \r\n{\"id\":1,\"method\":\"status\"}\r\nnosuch\n"
			 "{bad\n{\"method\":\"status\"}\n{\"id\":2,\"method\":\"version\"}"));

	expect_in_line(out, 0, "\"id\":null," VERSION_ANSWER);
	expect_in_line(out, 1, "\"id\":1,\"result\":{\"daemon\":");
	expect_in_line(out, 2, "no method \\\"nosuch\\\"");
	expect_in_line(out, 3, "-32700");
	expect_in_line(out, 4, "\"id\":2," VERSION_ANSWER);
	assert_string_equal(line_at(out, 5), "");
	free(out);
}

/* A call that waits is answered when it is done, and after the end of input, too. */
static void test_waiting(void **state)
{
	struct test *t = *state;
	char *out = talk(t, t->path,
			 span_str("{\"id\":1,\"method\":\"open\",\"params\":{\"name\":\"feed\","
				  "\"wait\":\"50ms\"}}\n{\"id\":2,\"method\":\"version\"}\n"));

	expect_in_line(out, 0, "\"id\":2," VERSION_ANSWER);
	expect_in_line(out, 1, "\"id\":1,\"error\":{\"code\":-32005,");
	assert_string_equal(line_at(out, 2), "");
	free(out);
}

static void test_long_lines(void **state)
{
	struct test *t = *state;
	char input[6000];
	char *out;

	memset(input, 'x', sizeof(input));
	input[1024] = '\n'; /* just short enough */
	input[3000] = '\n';
	memcpy(input + 3001, "version\n", 8);
	out = talk(t, t->path,
		   span_of(input, sizeof(input))); /* ends in the middle of a long one */
	expect_in_line(out, 0, "no method has such a long name");
	expect_in_line(
		out, 1,
		"{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32013,\"message\":\"the "
		"request is longer than 1024 bytes (limits.control_request)\"");
	expect_in_line(out, 2, VERSION_ANSWER);
	expect_in_line(out, 3, "-32013");
	assert_string_equal(line_at(out, 4), "");
	free(out);
}

static void test_levels(void **state)
{
	struct test *t = *state;
	char *out = talk(t, t->other, span_str("close feed\nsend feed text=a\nversion\n"));

	expect_in_line(out, 0, "\"kind\":\"denied\"");
	expect_in_line(out, 1, "\"kind\":\"denied\"");
	expect_in_line(out, 2, VERSION_ANSWER);
	free(out);
}

static void test_sockets(void **state)
{
	struct test *t = *state;
	struct control_server *second = control_server_new(&t->f.host);
	struct stat before, after;
	struct error err;

	assert_int_equal(stat(t->path, &before), 0);
	assert_int_equal(before.st_mode & 07777, 0600);
	assert_false(control_server_listen(second, t->f.conf, "/nowhere/x", &err));
	assert_int_equal(err.code, ERR_ENDPOINT);
	assert_int_equal(err.os, EADDRINUSE);
	control_server_free(second);
	/* The same again touches nothing, another mode makes it anew, no mention removes it. */
	assert_true(control_server_listen(t->f.server, t->f.conf, "/nowhere/x", &err));
	assert_int_equal(stat(t->path, &after), 0);
	assert_int_equal(after.st_ino, before.st_ino);
	t->f.conf->controls[0].mode = 0660;
	assert_true(control_server_listen(t->f.server, t->f.conf, "/nowhere/x", &err));
	assert_int_equal(stat(t->path, &after), 0);
	assert_int_equal(after.st_mode & 07777, 0660);
	t->f.conf->n_controls = 1;
	assert_true(control_server_listen(t->f.server, t->f.conf, "/nowhere/x", &err));
	assert_int_not_equal(access(t->other, F_OK), 0);
	t->f.conf->n_controls = 2;
	control_server_stop_accepting(t->f.server);
	assert_int_equal(connect_to(t->path), -1);
}

static void test_too_many_clients(void **state)
{
	struct test *t = *state;
	struct client c[4];

	for (size_t i = 0; i < 3; i++) {
		client_init(&c[i], t, t->path, span_str("version\n"));
		c[i].enough = 1;
		fixture_run(&t->f);
	}
	assert_int_equal(control_server_clients(t->f.server), 3);
	client_init(&c[3], t, t->path, span_str(""));
	fixture_run(&t->f);
	assert_true(c[3].ended);
	expect_in_line(c[3].output, 0,
		       "3 control clients are there already (limits.control_clients)");
	for (size_t i = 0; i < 4; i++)
		client_deinit(&c[i]);
}

/* n times the same request in a line of `width` bytes. */
static char *many(size_t width, size_t n)
{
	char *all = malloc(n * width + 1);

	memset(all, ' ', n * width);
	for (size_t i = 0; i < n; i++) {
		memcpy(all + i * width, "version", 7);
		all[(i + 1) * width - 1] = '\n';
	}
	all[n * width] = '\0';
	return all;
}

static void test_many_requests(void **state)
{
	struct test *t = *state;
	char *input = many(8, 5000), *out = talk(t, t->path, span_str(input));
	size_t lines = 0;

	for (const char *p = out; (p = strchr(p, '\n')) != NULL; p++)
		lines++;
	assert_int_equal(lines, 5000);
	free(input);
	free(out);
}

static void on_time(void *arg)
{
	loop_stop(arg);
}

/* One that asks and does not read is not listened to, costs little, and holds up nobody. */
static void test_deaf_client(void **state)
{
	struct test *t = *state;
	char *input = many(250, 32000), *out;
	struct client c;
	struct timer pause;

	client_init(&c, t, t->path, span_str(input));
	c.reading = false;
	client_watch(&c);
	timer_init(&pause, t->f.loop, on_time, t->f.loop);
	timer_arm(&pause, 300000);
	fixture_run(&t->f);
	assert_true(c.n_input > 7000000); /* of 8 million */
	out = talk(t, t->path, span_str("version\n"));
	expect_in_line(out, 0, VERSION_ANSWER);
	free(out);
	c.reading = true;
	c.n_input = 0;
	c.half_close = true;
	shutdown(c.fd, SHUT_WR);
	client_watch(&c);
	while (!c.ended)
		fixture_run(&t->f);
	assert_true(count_lines(&c) > 500);
	timer_deinit(&pause);
	client_deinit(&c);
	free(input);
}

/* A client goes away while its call waits: nobody misses it. */
static void test_client_vanishes(void **state)
{
	struct test *t = *state;
	struct client c;

	client_init(&c, t, t->path, span_str("open feed wait=60s\nversion\n"));
	c.enough = 1;
	fixture_run(&t->f);
	client_deinit(&c);
	free(talk(t, t->other, span_str("version\n")));
	assert_int_equal(control_server_clients(t->f.server), 0);
	free(talk(t, t->path, span_str("close feed wait=true\n")));
	assert_string_equal(bridge_state(registry_find(t->f.registry, "feed")), "closed");
}

static void test_finish(void **state)
{
	struct test *t = *state;
	struct client c;

	client_init(&c, t, t->path, span_str("open feed wait=60s\nshutdown\nversion\n"));
	c.enough = 1;
	fixture_run(&t->f);
	assert_int_equal(t->f.shutdowns, 1);
	assert_int_equal(t->f.timeout, -1);
	expect_in_line(c.output, 0, VERSION_ANSWER);
	control_server_stop_accepting(t->f.server);
	control_server_finish(t->f.server);
	control_server_free(t->f.server);
	t->f.server = NULL;
	c.enough = 0;
	while (!c.ended)
		fixture_run(&t->f);
	expect_in_line(c.output, 1, "the daemon ended before it was done");
	assert_string_equal(line_at(c.output, 2),
			    "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{}}\n");
	client_deinit(&c);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, server_setup, server_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_order),	  TEST(test_waiting),	  TEST(test_long_lines),
		TEST(test_levels),	  TEST(test_sockets),	  TEST(test_too_many_clients),
		TEST(test_many_requests), TEST(test_deaf_client), TEST(test_client_vanishes),
		TEST(test_finish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
