/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's end of a control socket. It does not try again and does not
 * interpret. The trap: the daemon may end in the middle of an answer, so
 * every way out of the reading loop names what happened.
 */
#include "cli/call.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/lines.h"
#include "base/mem.h"

#define ANSWER_MAX ((size_t)256 << 20)
#define READ_SIZE 65536
#define TICK INT64_C(1000000)

struct call {
	int fd;
	char *path;
	json_int_t id;	/* of the last request */
	json_t *events; /* that came before an answer */
	struct lines lines;
	void (*on_wait)(void *arg, int64_t waited); /* NULL = nobody wants to know */
	void *arg;
	int64_t began; /* waiting, 0 = it does not */
	bool told;
	bool ended;	   /* the daemon's side is closed */
	struct span input; /* read, not looked at yet; in `buffer` */
	uint8_t buffer[READ_SIZE];
};

static int64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static bool fail_connect(struct error *err, int os, const char *path, const char *fallback)
{
	error_set_os(err, ERR_CONNECT, os, "%s", path);
	if (os == EACCES || os == EPERM)
		return error_context(err, "not allowed for this user");
	if (os != ENOENT && os != ECONNREFUSED && os != ENOTDIR)
		return false;
	if (fallback && strcmp(path, fallback) != 0 && access(fallback, F_OK) == 0) {
		error_set(err, ERR_CONNECT,
			  "%s: %s: is wsbridged running? (the system's is at -s %s)", path,
			  strerror(os), fallback);
		return false;
	}
	return error_set(err, ERR_CONNECT, "%s: %s: is wsbridged running?", path, strerror(os));
}

/* A full backlog makes a Unix socket's connect wait; SO_SNDTIMEO bounds that. */
static bool connect_to(int fd, const char *path, int *os)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(addr);
	size_t n = strlen(path);
	struct timeval limit = { .tv_sec = CALL_TIMEOUT / 1000000 };

	memcpy(addr.sun_path, path, n);
	if (*path == '@') { /* unix(7): the length says where an abstract name ends */
		addr.sun_path[0] = '\0';
		len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	}
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, (const struct sockaddr *)&addr, len) == 0)
		return true;
	*os = errno;
	return false;
}

struct call *call_new(const char *path, const char *fallback, struct error *err)
{
	struct call *c;
	int fd, os;

	if (*path == '\0') {
		error_set(err, ERR_CONNECT, "the path of the control socket is empty");
		return NULL;
	}
	if (strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path)) {
		error_set_os(err, ERR_CONNECT, ENAMETOOLONG, "%s", path);
		return NULL;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		error_set_os(err, ERR_CONNECT, errno, "socket");
		return NULL;
	}
	if (!connect_to(fd, path, &os)) {
		close(fd);
		fail_connect(err, os, path, fallback);
		return NULL;
	}
	c = mem_zalloc(sizeof(*c));
	c->fd = fd;
	c->path = mem_strdup(path);
	c->events = json_array();
	lines_init(&c->lines, '\n', ANSWER_MAX);
	return c;
}

void call_free(struct call *c)
{
	if (!c)
		return;
	close(c->fd);
	lines_deinit(&c->lines);
	json_decref(c->events);
	free(c->path);
	free(c);
}

/* The daemon may refuse a request before it has read all of it: then its answer counts. */
static void write_all(int fd, const char *bytes, size_t n)
{
	while (n > 0) {
		ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return;
		bytes += sent;
		n -= (size_t)sent;
	}
}

void call_on_wait(struct call *c, void (*cb)(void *arg, int64_t waited), void *arg)
{
	c->on_wait = cb;
	c->arg = arg;
}

static void tell_waiting(struct call *c)
{
	c->told = true;
	c->on_wait(c->arg, now_us() - c->began);
}

static void end_waiting(struct call *c)
{
	if (c->told)
		c->on_wait(c->arg, -1);
	c->told = false;
	c->began = 0;
}

/* Milliseconds for poll, -1 = for ever. */
static int patience(const struct call *c, int64_t deadline)
{
	int64_t now = now_us(), left = deadline ? deadline - now : INT64_MAX;

	if (c->on_wait && c->began) {
		int64_t tick = TICK - (now - c->began) % TICK;

		left = left < tick ? left : tick;
	}
	if (left == INT64_MAX)
		return -1;
	left = left > 0 ? left / 1000 + 1 : 0;
	return left < INT_MAX ? (int)left : INT_MAX;
}

/* One read before the deadline (0 = none) is over. */
static bool read_more(struct call *c, int64_t deadline, struct error *err)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	ssize_t n;

	for (;;) {
		int ready = poll(&p, 1, patience(c, deadline));

		if (ready == 0 && deadline && now_us() >= deadline)
			return error_set(err, ERR_TIMEOUT, "%s: no answer from wsbridged", c->path);
		if (ready == 0) {
			if (c->on_wait && c->began)
				tell_waiting(c);
			continue;
		}
		n = ready < 0 ? -1 : recv(c->fd, c->buffer, sizeof(c->buffer), 0);
		if (n >= 0 || errno != EINTR)
			break;
	}
	if (n < 0)
		return error_set_os(err, ERR_CONNECT, errno, "%s: read", c->path);
	c->ended = n == 0;
	if (c->ended)
		return error_set(err, ERR_CONNECT, "%s: wsbridged ended without an answer",
				 c->path);
	c->input = span_of(c->buffer, (size_t)n);
	return true;
}

/* No waiting: true, if something has come. *ended: nothing will, *err says why. */
static bool read_ready(struct call *c, bool *ended, struct error *err)
{
	ssize_t n = recv(c->fd, c->buffer, sizeof(c->buffer), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n > 0) {
		c->input = span_of(c->buffer, (size_t)n);
		return true;
	}
	*ended = true;
	if (n < 0)
		return error_set_os(err, ERR_CONNECT, errno, "%s: read", c->path);
	return error_set(err, ERR_CONNECT, "%s: wsbridged ended without an answer", c->path);
}

static bool read_line(struct call *c, int64_t deadline, struct span *line, struct error *err)
{
	for (;;) {
		switch (lines_next(&c->lines, &c->input, line)) {
		case LINES_RECORD:
			return true;
		case LINES_TOO_LONG:
			return error_set(err, ERR_OVERFLOW, "%s: the answer is too long", c->path);
		case LINES_MORE:
			break;
		}
		if (!read_more(c, deadline, err))
			return false;
	}
}

static bool is_ours(const struct call *c, const struct rpc_answer *a)
{
	return json_is_null(a->id) || !a->id || json_integer_value(a->id) == c->id;
}

/* NULL: the line is no notification. New reference. */
static json_t *event_of(struct span line)
{
	size_t flags = JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL;
	json_t *root = json_loadb((const char *)line.p, line.n, flags, NULL);
	json_t *params = json_object_get(root, "method") ? json_object_get(root, "params") : NULL;

	json_incref(params);
	json_decref(root);
	return params;
}

json_t *call_next_event(struct call *c, struct error *err)
{
	json_t *event = json_incref(json_array_get(c->events, 0));
	struct span line;

	if (event)
		json_array_remove(c->events, 0);
	while (!event && read_line(c, 0, &line, err))
		event = event_of(line);
	if (!event && c->ended) /* it has ended, or this one was too slow for it */
		error_set(err, ERR_CONNECT, "%s: wsbridged has closed the connection", c->path);
	return event;
}

void call_begin(struct call *c, const struct call_request *request)
{
	size_t n;
	mem_auto_str text = rpc_request_line(request->method, request->params, ++c->id, &n);

	write_all(c->fd, text, n);
}

int call_fd(const struct call *c)
{
	return c->fd;
}

/* A line that has come. False: it was a notification, or the answer to something else. */
static bool take_line(struct call *c, struct span line, enum call_result *result,
		      struct rpc_answer *answer, struct error *err)
{
	struct error why = ERROR_INIT;

	if (!rpc_answer_init(answer, line, &why)) {
		json_t *event = event_of(line);

		if (event) {
			json_array_append_new(c->events, event);
			return false;
		}
		*err = why;
		error_context(err, "%s", c->path);
		*result = CALL_UNREACHABLE;
		return true;
	}
	if (!is_ours(c, answer)) {
		rpc_answer_deinit(answer);
		return false;
	}
	*result = answer->result ? CALL_OK : CALL_REFUSED;
	return true;
}

bool call_continue(struct call *c, enum call_result *result, struct rpc_answer *answer,
		   struct error *err)
{
	bool ended = false;
	struct span line;

	do {
		switch (lines_next(&c->lines, &c->input, &line)) {
		case LINES_RECORD:
			if (take_line(c, line, result, answer, err))
				return true;
			continue;
		case LINES_TOO_LONG:
			error_set(err, ERR_OVERFLOW, "%s: the answer is too long", c->path);
			ended = true;
			break;
		case LINES_MORE:
			if (!read_ready(c, &ended, err) && !ended)
				return false;
			break;
		}
	} while (!ended);
	*result = CALL_UNREACHABLE;
	return true;
}

enum call_result call_make(struct call *c, const struct call_request *request,
			   struct rpc_answer *answer, struct error *err)
{
	int64_t deadline = request->timeout < 0 ? 0 : now_us() + request->timeout;
	enum call_result result = CALL_UNREACHABLE;
	struct span line;

	c->began = now_us();
	call_begin(c, request);
	do {
		if (!read_line(c, deadline, &line, err))
			break;
	} while (!take_line(c, line, &result, answer, err));
	end_waiting(c);
	return result;
}
