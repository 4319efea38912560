/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsload --sink: counts what the client sends and looks at its numbers; wsload --echo: sends it
 * back, all that came with one read in one write.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/wsload.h"

#define HEAD_SIZE 64
#define ECHO_MOST ((size_t)256 << 10)

struct counter {
	uint64_t messages, wrong, first;
	size_t size; /* of the message so far */
	unsigned char head[HEAD_SIZE];
};

static void count_piece(struct counter *k, const unsigned char *data, size_t size, bool last)
{
	size_t room = k->size < HEAD_SIZE ? HEAD_SIZE - k->size : 0;

	if (room > 0)
		memcpy(k->head + k->size, data, size < room ? size : room);
	k->size += size;
	if (!last)
		return;
	if (k->size != wsload.size || !load_has_number(k->head, k->size, k->messages % wsload.sink))
		k->wrong++;
	k->messages++;
	k->size = 0;
}

/* Both read until so many messages are there; false when the client ends before. */
static bool read_frames(struct ws_conn *c, struct counter *k, uint64_t until)
{
	struct ws_frame f;

	while (k->messages < until) {
		if (!ws_read_frame(c, &f, true) || f.op == WS_CLOSE)
			return false;
		if (!k->first)
			k->first = load_now();
		if (f.op == WS_PING)
			ws_send_frame(c, WS_PONG, f.data, f.len);
		else if (f.op != WS_PONG)
			count_piece(k, f.data, f.len, f.fin);
	}
	return true;
}

static bool read_lines(struct ws_conn *c, struct counter *k, uint64_t until)
{
	while (k->messages < until) {
		unsigned char *at, *end;
		size_t size;

		if (!ws_conn_fill(c, 1))
			return false;
		if (!k->first)
			k->first = load_now();
		at = c->buf + c->pos;
		end = memchr(at, '\n', c->len - c->pos);
		size = end ? (size_t)(end - at) : c->len - c->pos;
		count_piece(k, at, size, end != NULL);
		c->pos += size + (end != NULL);
	}
	return true;
}

bool wsload_sink(struct ws_conn *c)
{
	double cpu = load_cpu_seconds();
	struct counter k = { 0 };
	bool ok = true;

	if (wsload.ready_file)
		load_write_file(wsload.ready_file, "ready\n");
	for (uint64_t i = 1; ok && (i <= wsload.rounds || wsload.rounds == 0); i++) {
		ok = wsload.raw ? read_lines(c, &k, i * wsload.sink) :
				  read_frames(c, &k, i * wsload.sink);
		if (ok && wsload.ack && wsload.raw)
			ok = ws_conn_write(c, "ack\n", 4);
		else if (ok && wsload.ack)
			ok = ws_send_frame(c, WS_TEXT, "ack", 3);
	}
	/* Without a number of rounds the client decides when it is over. */
	ok = (ok || wsload.rounds == 0) && k.wrong == 0;
	if (!wsload.raw)
		ws_send_close(c, 1000);
	wsload_print(c, "sink", k.messages, k.first, load_cpu_seconds() - cpu);
	printf(",\"wrong\":%llu,\"ok\":%s}\n", (unsigned long long)k.wrong, ok ? "true" : "false");
	return ok;
}

static uint64_t echo_lines(struct ws_conn *c)
{
	uint64_t bytes = 0;

	while (ws_conn_fill(c, 1) && ws_conn_write(c, c->buf + c->pos, c->len - c->pos)) {
		bytes += c->len - c->pos;
		c->pos = c->len;
	}
	return bytes / (wsload.size + 1);
}

static uint64_t echo_frames(struct ws_conn *c)
{
	struct ws_wire out = { 0 };
	uint64_t messages = 0;
	struct ws_frame f;

	while (ws_read_frame(c, &f, true) && f.op != WS_CLOSE) {
		enum ws_op op = f.op == WS_PING ? WS_PONG : f.op;

		if (f.op != WS_PONG) {
			ws_wire_room(&out, f.len + WS_HEADER_MAX);
			out.len += ws_put_header(out.bytes + out.len, op, f.fin, f.rsv1, f.len);
			memcpy(out.bytes + out.len, f.data, f.len);
			out.len += f.len;
			messages += f.op <= WS_BINARY && f.fin;
		}
		if (ws_frame_ready(c, true) && out.len < ECHO_MOST)
			continue;
		if (!ws_conn_write(c, out.bytes, out.len))
			break;
		out.len = 0;
	}
	ws_send_close(c, 1000);
	free(out.bytes);
	return messages;
}

bool wsload_echo(struct ws_conn *c)
{
	double cpu = load_cpu_seconds();
	uint64_t start = load_now(), messages;

	if (wsload.ready_file)
		load_write_file(wsload.ready_file, "ready\n");
	messages = wsload.raw ? echo_lines(c) : echo_frames(c);
	wsload_print(c, "echo", messages, start, load_cpu_seconds() - cpu);
	printf(",\"ok\":true}\n");
	return true;
}
