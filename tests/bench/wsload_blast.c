/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsload --blast: messages as fast as the client takes them. They are built once and get their
 * number just before each write of many; a compressed stream is built as a whole before it begins.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "bench/wsload.h"

#define VARIANTS 64 /* of a message, so that compression is not that of one text */

unsigned char *ws_wire_room(struct ws_wire *w, size_t size)
{
	if (w->cap - w->len < size) {
		w->cap = w->cap * 2 + size + ((size_t)1 << 20);
		w->bytes = load_realloc(w->bytes, w->cap);
	}
	return w->bytes + w->len;
}

struct batch {
	struct ws_wire wire;
	size_t unit;   /* bytes of a message with what is around it */
	size_t number; /* where its number begins */
	uint64_t messages;
};

static struct batch build_batch(void)
{
	size_t size = (size_t)wsload.size, most = size + WS_HEADER_MAX, header = 0;
	struct batch b = { .messages = wsload.batch / most ? wsload.batch / most : 1 };

	for (uint64_t i = 0; i < b.messages; i++) {
		unsigned char *at = ws_wire_room(&b.wire, most);

		header = wsload.raw ? 0 : ws_put_header(at, WS_TEXT, true, false, size);
		load_fill(at + header, size, wsload.text, i);
		if (wsload.raw)
			at[size] = '\n';
		b.unit = header + size + wsload.raw;
		b.wire.len += b.unit;
	}
	b.number = header + load_seq_offset(wsload.text);
	return b;
}

static bool send_plain(struct ws_conn *c, struct batch *b, uint64_t count)
{
	for (uint64_t done = 0; done < count;) {
		uint64_t n = count - done < b->messages ? count - done : b->messages;

		for (uint64_t i = 0; i < n; i++)
			load_put_digits(b->wire.bytes + i * b->unit + b->number, SEQ_DIGITS,
					done + i);
		if (!ws_conn_write(c, b->wire.bytes, n * b->unit))
			return false;
		done += n;
	}
	return true;
}

struct ws_wire ws_deflate_stream(const struct ws_conn *c, uint64_t count)
{
	/* zlib makes no raw stream with a window of 2^8; 2^9 is what it would take for it. */
	int bits = c->window_bits < 9 ? 9 : c->window_bits;
	size_t size = (size_t)wsload.size, most = size + size / 8 + 256, made;
	unsigned char *texts = load_alloc(size * VARIANTS), *text, *out = load_alloc(most);
	struct ws_wire w = { 0 };
	z_stream z = { 0 };

	for (uint64_t i = 0; i < VARIANTS; i++)
		load_fill(texts + i * size, size, wsload.text, i + 1);
	if (deflateInit2(&z, 6, Z_DEFLATED, -bits, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		load_die("deflateInit2 failed");
	for (uint64_t i = 0; i < count; i++) {
		text = texts + i % VARIANTS * size;
		load_put_digits(text + load_seq_offset(wsload.text), SEQ_DIGITS, i);
		z.next_in = text;
		z.avail_in = (unsigned)size;
		z.next_out = out;
		z.avail_out = (unsigned)most;
		if (deflate(&z, Z_SYNC_FLUSH) != Z_OK || z.avail_in > 0)
			load_die("deflate failed");
		made = most - z.avail_out - 4; /* without 00 00 ff ff: RFC 7692, 7.2.1 */
		ws_wire_room(&w, made + WS_HEADER_MAX);
		w.len += ws_put_header(w.bytes + w.len, WS_TEXT, true, true, made);
		memcpy(w.bytes + w.len, out, made);
		w.len += made;
		if (c->no_takeover)
			deflateReset(&z);
	}
	deflateEnd(&z);
	free(texts);
	free(out);
	return w;
}

/* Waits for "go", which may be followed by how many messages are wanted. */
static bool wait_go(struct ws_conn *c, uint64_t *count)
{
	char text[32];
	struct ws_frame f;

	do {
		if (wsload.raw) {
			if (!ws_conn_fill(c, 1))
				return false;
			f = (struct ws_frame){ .op = WS_TEXT,
					       .len = c->len - c->pos,
					       .data = c->buf + c->pos };
			c->pos = c->len;
		} else if (!ws_read_frame(c, &f, true)) {
			return false;
		}
		if (f.op == WS_PING)
			ws_send_frame(c, WS_PONG, f.data, f.len);
		if (f.op == WS_CLOSE)
			return false;
	} while (f.op != WS_TEXT && f.op != WS_BINARY);
	snprintf(text, sizeof text, "%.*s", (int)(f.len < 31 ? f.len : 31), (const char *)f.data);
	if (!strncmp(text, "go ", 3))
		*count = strtoull(text + 3, NULL, 10);
	return true;
}

/* The client's own Close tells that it has read everything. */
static unsigned close_and_wait(struct ws_conn *c)
{
	struct ws_frame f;

	if (wsload.raw || !ws_send_close(c, 1000))
		return 1006;
	while (ws_read_frame(c, &f, true))
		if (f.op == WS_CLOSE)
			return ws_close_code(&f);
	return 1006;
}

bool wsload_blast(struct ws_conn *c)
{
	uint64_t count = wsload.blast, total = 0, start = load_now();
	struct ws_wire stream = { 0 };
	struct batch b = { 0 };
	bool ok = true;
	double cpu = 0;

	if (c->deflate)
		stream = ws_deflate_stream(c, count);
	else
		b = build_batch();
	if (wsload.ready_file)
		load_write_file(wsload.ready_file, "ready\n");
	for (uint64_t i = 0; ok && (i < wsload.rounds || wsload.rounds == 0); i++) {
		if (wsload.wait_go && !wait_go(c, &count))
			break;
		start = load_now();
		cpu = load_cpu_seconds();
		ok = c->deflate ? ws_conn_write(c, stream.bytes, stream.len) :
				  send_plain(c, &b, count);
		cpu = load_cpu_seconds() - cpu;
		total += count;
	}
	wsload_print(c, "blast", total, start, cpu);
	printf(",\"wire_bytes\":%zu", stream.len);
	printf(",\"close_code\":%u,\"ok\":%s}\n", close_and_wait(c), ok ? "true" : "false");
	free(stream.bytes);
	free(b.wire.bytes);
	return ok;
}
