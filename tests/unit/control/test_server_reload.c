/* SPDX-License-Identifier: Apache-2.0 */
/* Clients of control sockets when a reload changes the conditions they came under. */
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

static void listen_again(struct test *t, struct main_conf *conf)
{
	struct error err;

	assert_true(control_server_listen(t->f.server, conf, "/nowhere/x", &err));
}

static void wait_ended(struct test *t, struct client *c)
{
	c->enough = 0;
	while (!c->ended)
		fixture_run(&t->f);
}

/* After a reload that changes the level of a socket, nobody has the old one any more. */
static void test_new_level(void **state)
{
	struct test *t = *state;
	struct main_conf *strict = conf_with(",\"level\":\"read\"", t->path, t->other);
	struct client c, other;

	client_init(&c, t, t->path, span_str("reconnect feed\n"));
	client_init(&other, t, t->other, span_str("version\n"));
	c.enough = other.enough = 1;
	while (count_lines(&c) == 0 || count_lines(&other) == 0)
		fixture_run(&t->f);
	expect_in_line(c.output, 0, "\"kind\":\"not_open\"");
	listen_again(t, strict);
	assert_int_equal(send(c.fd, "reconnect feed\n", 15, MSG_NOSIGNAL), 15);
	wait_ended(t, &c);
	assert_string_equal(line_at(c.output, 1), "");
	client_deinit(&c);
	c.output = talk(t, t->path, span_str("reconnect feed\n"));
	expect_in_line(c.output, 0, "\"kind\":\"denied\"");
	free(c.output);
	assert_false(other.ended); /* nothing has changed for it */
	client_deinit(&other);
	main_conf_free(strict);
}

/* What is due is given; subscriptions end; what had not been read yet is not looked at. */
static void test_dismissed(void **state)
{
	struct test *t = *state;
	struct client c;

	client_init(&c, t, t->path,
		    span_str("subscribe *\n{\"id\":7,\"method\":\"open\",\"params\":{\"name\":"
			     "\"feed\",\"wait\":\"300ms\"}}\nversion\n"));
	c.enough = 2;
	fixture_run(&t->f);
	assert_null(strstr(c.output, "\"id\":7"));
	t->f.conf->controls[0].mode = 0660;
	listen_again(t, t->f.conf);
	listen_again(t, t->f.conf); /* another reload changes nothing */
	wait_ended(t, &c);
	assert_non_null(strstr(c.output, "\"id\":7,\"error\":{\"code\":-32005,"));
	client_deinit(&c);
	t->f.conf->n_controls = 1;
	client_init(&c, t, t->other, span_str(""));
	listen_again(t, t->f.conf);
	if (!c.ended)
		wait_ended(t, &c);
	assert_int_equal(count_lines(&c), 0);
	client_deinit(&c);
	t->f.conf->n_controls = 2;
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, server_setup, server_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_new_level),
		TEST(test_dismissed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
