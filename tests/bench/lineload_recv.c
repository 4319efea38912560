/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lineload --recv: one client reads with plain blocking calls, many through one epoll. The last
 * client to connect says "go": a bridge has accepted the others when it hears that.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bench/lineload.h"

#define READ_SIZE ((size_t)256 << 10)
#define HEAD_SIZE 256 /* of a line that comes in pieces */
#define EVENTS 256

struct client {
	int fd;
	uint64_t lines, wrong;
	size_t cur; /* bytes of the line so far */
	unsigned char head[HEAD_SIZE];
};

struct recv_state {
	struct client *clients;
	unsigned char *buf;
	uint64_t first, reads, bytes;
};

static bool has_number(const unsigned char *line, size_t size, uint64_t number)
{
	const unsigned char *at = line;

	if (!lineload.after)
		return size == lineload.size && load_has_number(line, size, number);
	at = memmem(line, size, lineload.after, strlen(lineload.after));
	if (!at)
		return false;
	at += strlen(lineload.after);
	return (size_t)(line + size - at) >= SEQ_DIGITS &&
	       load_get_digits(at, SEQ_DIGITS) == number;
}

/* `head` are the first bytes of the line, all of them up to HEAD_SIZE. */
static void end_line(struct client *c, const unsigned char *head, size_t size)
{
	size_t known = lineload.after && size > HEAD_SIZE ? HEAD_SIZE : size;

	if (!lineload.no_check && !has_number(head, known, c->lines))
		c->wrong++;
	c->lines++;
	c->cur = 0;
}

static void take(struct client *c, const unsigned char *at, size_t size)
{
	while (size > 0) {
		const unsigned char *end = memchr(at, '\n', size);
		size_t piece = end ? (size_t)(end - at) : size;

		if (c->cur == 0 && end) {
			end_line(c, at, piece);
		} else {
			size_t room = c->cur < HEAD_SIZE ? HEAD_SIZE - c->cur : 0;

			if (room > 0)
				memcpy(c->head + c->cur, at, piece < room ? piece : room);
			c->cur += piece;
			if (end)
				end_line(c, c->head, c->cur);
		}
		at += piece + (end != NULL);
		size -= piece + (end != NULL);
	}
}

/* False when the client has all of its lines, or there will be no more. */
static bool read_client(struct recv_state *s, struct client *c)
{
	ssize_t got;

	do
		got = read(c->fd, s->buf, READ_SIZE);
	while (got < 0 && errno == EINTR);
	if (!s->first)
		s->first = load_now();
	if (got <= 0)
		return false;
	s->reads++;
	s->bytes += (uint64_t)got;
	take(c, s->buf, (size_t)got);
	return c->lines < lineload.recv;
}

static void read_many(struct recv_state *s)
{
	uint64_t left = lineload.clients;
	struct epoll_event events[EVENTS];
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	for (uint64_t i = 0; i < lineload.clients; i++) {
		struct epoll_event event = { .events = EPOLLIN, .data.ptr = &s->clients[i] };

		if (epoll_ctl(epoll, EPOLL_CTL_ADD, s->clients[i].fd, &event) != 0)
			load_die_errno("epoll_ctl");
	}
	while (left > 0) {
		int count = epoll_wait(epoll, events, EVENTS, -1);

		for (int i = 0; i < count; i++) {
			struct client *c = events[i].data.ptr;

			if (read_client(s, c))
				continue;
			epoll_ctl(epoll, EPOLL_CTL_DEL, c->fd, NULL);
			left--;
		}
	}
	close(epoll);
}

static void say_go(int fd)
{
	if (!lineload.go)
		return;
	if (!load_write_all(fd, lineload.go, strlen(lineload.go)) || !load_write_all(fd, "\n", 1))
		load_die_errno("go");
}

bool lineload_recv(void)
{
	struct recv_state s = { .buf = load_alloc(READ_SIZE) };
	uint64_t lines = 0, wrong = 0, count = lineload.clients;
	double elapsed, cpu;
	bool ok = true;

	s.clients = load_alloc(count * sizeof *s.clients);
	memset(s.clients, 0, count * sizeof *s.clients);
	for (uint64_t i = 0; i < count; i++)
		s.clients[i].fd = load_unix_connect(lineload.unix_path);
	if (lineload.ready_file)
		load_wait_for_file(lineload.ready_file);
	say_go(s.clients[count - 1].fd);
	cpu = load_cpu_seconds();
	if (count > 1)
		read_many(&s);
	else
		while (read_client(&s, &s.clients[0]))
			;
	elapsed = (double)(load_now() - s.first) * 1e-9;
	cpu = load_cpu_seconds() - cpu;
	for (uint64_t i = 0; i < count; i++) {
		lines += s.clients[i].lines;
		wrong += s.clients[i].wrong;
		ok = ok && s.clients[i].lines == lineload.recv && s.clients[i].wrong == 0;
		close(s.clients[i].fd);
	}
	printf("{\"tool\":\"lineload\",\"mode\":\"recv\",\"clients\":%llu,\"lines\":%llu,"
	       "\"bytes\":%llu,\"elapsed_s\":%.6f,\"cpu_s\":%.6f,\"reads\":%llu,\"wrong\":%llu,"
	       "\"ok\":%s}\n",
	       (unsigned long long)count, (unsigned long long)lines, (unsigned long long)s.bytes,
	       elapsed, cpu, (unsigned long long)s.reads, (unsigned long long)wrong,
	       ok ? "true" : "false");
	free(s.clients);
	free(s.buf);
	return ok;
}
