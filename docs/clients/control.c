/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control SOCKET NAME: the state of a bridge, a question to its server, and its next message.
 * cc control.c -o control $(pkg-config --cflags --libs jansson)
 */
#define _GNU_SOURCE
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

struct control {
	int fd;
	FILE *in;
	json_t *events; /* those that came before an answer */
	json_int_t id;
};

static _Noreturn void fail(const char *what, const char *why)
{
	fprintf(stderr, "control: %s: %s\n", what, why);
	exit(1);
}

static struct control connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval timeout = { .tv_sec = 30 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0)
		fail(path, strerror(errno));
	return (struct control){ .fd = fd, .in = fdopen(fd, "r"), .events = json_array() };
}

/* An answer or an event; the caller's. */
static json_t *receive(struct control *c)
{
	char *line = NULL;
	size_t size = 0;
	json_t *object;

	if (getline(&line, &size, c->in) <= 0)
		fail("daemon", feof(c->in) ? "it has closed the connection" : strerror(errno));
	object = json_loads(line, 0, NULL);
	free(line);
	return object;
}

/* The result; the caller's. Takes the parameters. Answers are told from events by their id. */
static json_t *call(struct control *c, const char *method, json_t *params)
{
	json_t *request = json_pack("{s:s, s:I, s:s, s:o}", "jsonrpc", "2.0", "id", ++c->id,
				    "method", method, "params", params);
	char *text = json_dumps(request, JSON_COMPACT);
	json_t *answer, *result;
	const char *why;

	if (!text || dprintf(c->fd, "%s\n", text) < 0)
		fail(method, text ? strerror(errno) : "a parameter is not valid UTF-8");
	free(text);
	json_decref(request);
	while (json_integer_value(json_object_get(answer = receive(c), "id")) != c->id)
		json_array_append_new(c->events, answer);
	if (json_unpack(answer, "{s:{s:s}}", "error", "message", &why) == 0)
		fail(method, why);
	result = json_incref(json_object_get(answer, "result"));
	json_decref(answer);
	return result;
}

static json_t *next_event(struct control *c)
{
	if (json_array_size(c->events) == 0)
		json_array_append_new(c->events, receive(c));
	return json_array_get(c->events, 0);
}

int main(int argc, char **argv)
{
	struct control c = connect_to(argc == 3 ? argv[1] : "usage: control SOCKET NAME");
	const char *name = argv[2], *text = "";
	json_t *result;

	signal(SIGPIPE, SIG_IGN);
	result = call(&c, "status", json_pack("{s:s}", "name", name));
	json_unpack(result, "{s:[{s:s}]}", "bridges", "state", &text);
	printf("%s is %s\n", name, text);

	result = call(&c, "request",
		      json_pack("{s:s, s:{s:i}, s:{s:s, s:i}}", "name", name, "json", "id", 1,
				"match", "pointer", "/id", "equals", 1));
	printf("answer: %s\n", json_string_value(json_object_get(result, "data")));

	call(&c, "subscribe", json_pack("{s:s, s:[s]}", "name", name, "events", "message"));
	call(&c, "send", json_pack("{s:s, s:s}", "name", name, "text", "hello"));
	json_unpack(next_event(&c), "{s:{s:s}}", "params", "data", &text);
	printf("event: %s\n", text);
	return 0;
}
