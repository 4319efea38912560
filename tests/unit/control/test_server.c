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

#include "control/control_fixture.h"

#define NOWHERE "ws://127.0.0.1:9/"
#define VERSION_ANSWER "\"result\":{\"version\":"

/* What one test has. */
struct test {
	struct fixture f;
	char folder[32];
	char path[64], other[64];
};

struct client {
	struct loop *loop;
	int fd;
	struct watch watch;
	const char *input; /* what is still to be written */
	size_t n_input;
	bool half_close; /* at the end of the input */
	bool reading;
	char *output;
	size_t n_output;
	size_t enough; /* lines: stop the loop then; 0 = at the end only */
	bool ended;
};

static size_t count_lines(const struct client *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_output; i++)
		n += c->output[i] == '\n';
	return n;
}

static void client_watch(struct client *c)
{
	watch_set(&c->watch, (c->reading ? WATCH_READ : 0u) | (c->n_input ? WATCH_WRITE : 0u));
}

static void client_write(struct client *c)
{
	ssize_t n = send(c->fd, c->input, c->n_input, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n > 0) {
		c->input += n;
		c->n_input -= (size_t)n;
	}
	if (c->n_input == 0 && c->half_close)
		shutdown(c->fd, SHUT_WR);
	client_watch(c);
}

static void client_read(struct client *c)
{
	char piece[65536];
	ssize_t n = recv(c->fd, piece, sizeof(piece), MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		c->ended = true;
		watch_set(&c->watch, 0);
		loop_stop(c->loop);
		return;
	}
	c->output = realloc(c->output, c->n_output + (size_t)n + 1);
	memcpy(c->output + c->n_output, piece, (size_t)n);
	c->n_output += (size_t)n;
	c->output[c->n_output] = '\0';
	if (c->enough && count_lines(c) >= c->enough)
		loop_stop(c->loop);
}

static void on_client(void *arg, unsigned events)
{
	struct client *c = arg;

	if (events & WATCH_WRITE)
		client_write(c);
	if (events & WATCH_READ)
		client_read(c);
}

static int connect_to(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(addr.sun_path, path, strlen(path) + 1);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
		return fd;
	close(fd);
	return -1;
}

static void client_init(struct client *c, struct test *t, const char *path, struct span input)
{
	*c = (struct client){ .loop = t->f.loop, .reading = true };
	c->fd = connect_to(path);
	assert_true(c->fd >= 0);
	c->input = (const char *)input.p;
	c->n_input = input.n;
	c->output = calloc(1, 1);
	watch_init(&c->watch, c->loop, c->fd, on_client, c);
	client_watch(c);
}

static void client_deinit(struct client *c)
{
	watch_deinit(&c->watch);
	close(c->fd);
	free(c->output);
}

/* Writes everything, ends its input, and reads to the end. */
static char *talk(struct test *t, const char *path, struct span input)
{
	struct client c;
	char *output;

	client_init(&c, t, path, input);
	c.half_close = true;
	while (!c.ended)
		fixture_run(&t->f);
	output = strdup(c.output);
	client_deinit(&c);
	return output;
}

static struct main_conf *conf_with(const char *fmt, const char *path, const char *other)
{
	char text[600];
	json_t *root;
	struct main_conf *conf;
	struct schema_first first;

	snprintf(text, sizeof(text),
		 "{\"limits\":{\"control_request\":1024,\"control_clients\":3},"
		 "\"bridges\":{\"feed\":{\"url\":\"" NOWHERE "\",\"start\":\"manual\"}},"
		 "\"control\":[{\"unix\":\"%s\"%s},{\"unix\":\"%s\",\"level\":\"read\"}]}",
		 path, fmt, other);
	root = json_loads(text, 0, NULL);
	schema_first_init(&first);
	conf = main_conf_new(root, &first.report);
	json_decref(root);
	if (!conf)
		fail_msg("%s", first.err.text);
	return conf;
}

static int setup(void **state)
{
	struct test *t = calloc(1, sizeof(*t));
	struct error err;

	snprintf(t->folder, sizeof(t->folder), "/tmp/wsb-control-XXXXXX");
	assert_non_null(mkdtemp(t->folder));
	snprintf(t->path, sizeof(t->path), "%s/a.sock", t->folder);
	snprintf(t->other, sizeof(t->other), "%s/r.sock", t->folder);
	fixture_init(&t->f,
		     "{\"bridges\":{\"feed\":{\"url\":\"" NOWHERE "\",\"start\":\"manual\"}}}");
	main_conf_free(t->f.conf);
	t->f.conf = conf_with("", t->path, t->other);
	t->f.server = control_server_new(&t->f.host);
	assert_true(control_server_listen(t->f.server, t->f.conf, "/nowhere/x", &err));
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct test *t = *state;
	char name[80];

	fixture_deinit(&t->f);
	assert_int_not_equal(access(t->path, F_OK), 0);
	assert_int_not_equal(access(t->other, F_OK), 0);
	snprintf(name, sizeof(name), "%s.lock", t->path);
	unlink(name);
	snprintf(name, sizeof(name), "%s.lock", t->other);
	unlink(name);
	assert_int_equal(rmdir(t->folder), 0);
	free(t);
	return 0;
}

/* The n-th line begins here. */
static const char *line_at(const char *text, size_t n)
{
	while (n-- > 0) {
		text = strchr(text, '\n');
		assert_non_null(text);
		text++;
	}
	return text;
}

static void expect_in_line(const char *text, size_t n, const char *part)
{
	const char *line = line_at(text, n), *end = strchr(line, '\n');

	assert_non_null(end);
	if (!memmem(line, (size_t)(end - line), part, strlen(part)))
		fail_msg("line %zu has no %s: %s", n, part, line);
}

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
		"line is longer than 1024 bytes (limits.control_request)\"");
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

/* After a reload the level of a socket is the new one for those who are connected, too. */
static void test_new_level(void **state)
{
	struct test *t = *state;
	struct main_conf *strict = conf_with(",\"level\":\"read\"", t->path, t->other);
	struct client c;
	struct error err;

	client_init(&c, t, t->path, span_str("reconnect feed\n"));
	c.enough = 1;
	fixture_run(&t->f);
	expect_in_line(c.output, 0, "\"kind\":\"not_open\"");
	assert_true(control_server_listen(t->f.server, strict, "/nowhere/x", &err));
	c.input = "reconnect feed\n";
	c.n_input = strlen(c.input);
	c.enough = 2;
	client_watch(&c);
	fixture_run(&t->f);
	expect_in_line(c.output, 1, "\"kind\":\"denied\"");
	client_deinit(&c);
	main_conf_free(strict);
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

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_order),
		TEST(test_waiting),
		TEST(test_long_lines),
		TEST(test_levels),
		TEST(test_new_level),
		TEST(test_sockets),
		TEST(test_too_many_clients),
		TEST(test_many_requests),
		TEST(test_deaf_client),
		TEST(test_client_vanishes),
		TEST(test_finish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
