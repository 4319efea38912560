/* SPDX-License-Identifier: Apache-2.0 */
/* See server_rig.h. */
#include "control/server_rig.h"

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

#define NOWHERE "ws://127.0.0.1:9/"

size_t count_lines(const struct client *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_output; i++)
		n += c->output[i] == '\n';
	return n;
}

void client_watch(struct client *c)
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

int connect_to(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(addr.sun_path, path, strlen(path) + 1);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
		return fd;
	close(fd);
	return -1;
}

void client_init(struct client *c, struct test *t, const char *path, struct span input)
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

void client_deinit(struct client *c)
{
	watch_deinit(&c->watch);
	close(c->fd);
	free(c->output);
}

/* Writes everything, ends its input, and reads to the end. */
char *talk(struct test *t, const char *path, struct span input)
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

struct main_conf *conf_with(const char *more, const char *path, const char *other)
{
	char text[600];
	json_t *root;
	struct main_conf *conf;
	struct schema_first first;

	snprintf(text, sizeof(text),
		 "{\"limits\":{\"control_request\":1024,\"control_clients\":3},"
		 "\"bridges\":{\"feed\":{\"url\":\"" NOWHERE "\",\"start\":\"manual\"}},"
		 "\"control\":[{\"unix\":\"%s\"%s},{\"unix\":\"%s\",\"level\":\"read\"}]}",
		 path, more, other);
	root = json_loads(text, 0, NULL);
	schema_first_init(&first);
	conf = main_conf_new(root, &first.report);
	json_decref(root);
	if (!conf)
		fail_msg("%s", first.err.text);
	return conf;
}

int server_setup(void **state)
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

int server_teardown(void **state)
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
const char *line_at(const char *text, size_t n)
{
	while (n-- > 0) {
		text = strchr(text, '\n');
		assert_non_null(text);
		text++;
	}
	return text;
}

void expect_in_line(const char *text, size_t n, const char *part)
{
	const char *line = line_at(text, n), *end = strchr(line, '\n');

	assert_non_null(end);
	if (!memmem(line, (size_t)(end - line), part, strlen(part)))
		fail_msg("line %zu has no %s: %s", n, part, line);
}
