/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a bridge cannot do without where messages are compressed: zlib's inflate, with the plain
 * bytes to a Unix socket in writes of 64 KiB. With --memory it reads the stream as a whole first
 * and inflates it in memory: zlib alone, without a socket.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include "bench/load.h"
#include "bench/load_args.h"
#include "bench/ws_conn.h"

#define OUT_SIZE 65536

static bool memory;
static double timeout = 120;

static const struct load_arg args[] = {
	{ "memory", LOAD_FLAG, &memory, "inflate only, and print how long that took" },
	{ "timeout", LOAD_SECONDS, &timeout, "SEC: give up then (120; 0: never)" },
	{ 0 },
};

struct inflater {
	z_stream z;
	int to; /* -1: nowhere */
	unsigned char out[OUT_SIZE];
	size_t used;
	uint64_t bytes;
};

static void flush(struct inflater *f)
{
	if (f->to >= 0 && !load_write_all(f->to, f->out, f->used))
		exit(0); /* the client has what it wanted */
	f->bytes += f->used;
	f->used = 0;
}

static void inflate_piece(struct inflater *f, unsigned char *data, size_t size)
{
	int result = Z_OK;

	f->z.next_in = data;
	f->z.avail_in = (unsigned)size;
	while (result == Z_OK && (f->z.avail_in > 0 || f->used == OUT_SIZE)) {
		if (f->used == OUT_SIZE)
			flush(f);
		f->z.next_out = f->out + f->used;
		f->z.avail_out = (unsigned)(OUT_SIZE - f->used);
		result = inflate(&f->z, Z_SYNC_FLUSH);
		f->used = OUT_SIZE - f->z.avail_out;
	}
	if (result != Z_OK && result != Z_BUF_ERROR)
		load_die("inflate: %s", f->z.msg ? f->z.msg : "failed");
}

static void inflate_message(struct inflater *f, unsigned char *data, size_t size)
{
	static unsigned char tail[] = { 0, 0, 0xff, 0xff }; /* RFC 7692, 7.2.2 */

	inflate_piece(f, data, size);
	inflate_piece(f, tail, sizeof tail);
	if (f->used == OUT_SIZE)
		flush(f);
	f->out[f->used++] = '\n';
}

static void run(struct ws_conn *c, struct inflater *f)
{
	struct ws_frame frame;

	while (ws_read_frame(c, &frame, false) && frame.op != WS_CLOSE) {
		if (frame.op == WS_TEXT)
			inflate_message(f, frame.data, frame.len);
		if (!ws_frame_ready(c, false)) /* else what there is waits for a read */
			flush(f);
	}
	flush(f);
}

/* The frames of the whole stream are kept as they came, and gone through once more. */
static void run_in_memory(struct ws_conn *c, struct inflater *f)
{
	unsigned char *stream = NULL;
	size_t used = 0, cap = 0;
	struct ws_frame frame;
	uint64_t start, count = 0;
	double cpu;

	while (ws_read_frame(c, &frame, false) && frame.op != WS_CLOSE) {
		if (cap - used < sizeof frame.len + frame.len) {
			cap = cap * 2 + frame.len + ((size_t)1 << 20);
			stream = load_realloc(stream, cap);
		}
		memcpy(stream + used, &frame.len, sizeof frame.len);
		memcpy(stream + used + sizeof frame.len, frame.data, frame.len);
		used += sizeof frame.len + frame.len;
		count++;
	}
	start = load_now();
	cpu = load_cpu_seconds();
	for (size_t at = 0; at < used; at += frame.len) {
		memcpy(&frame.len, stream + at, sizeof frame.len);
		at += sizeof frame.len;
		inflate_message(f, stream + at, frame.len);
	}
	flush(f);
	printf("{\"tool\":\"inflaterelay\",\"mode\":\"memory\",\"lines\":%llu,\"bytes\":%llu,"
	       "\"elapsed_s\":%.6f,\"cpu_s\":%.6f,\"ok\":%s}\n",
	       (unsigned long long)count, (unsigned long long)f->bytes,
	       (double)(load_now() - start) * 1e-9, load_cpu_seconds() - cpu,
	       count > 0 ? "true" : "false");
	free(stream);
}

int main(int argc, char **argv)
{
	int first = load_args(argc, argv, args, "inflaterelay [--memory] ADDRESS:PORT [PATH]");
	static struct inflater f = { .to = -1 };
	struct ws_conn c = { .fd = -1 };
	unsigned char go[64];
	ssize_t got;

	if (argc - first != (memory ? 1 : 2))
		load_die("--help shows what it wants");
	load_watchdog(timeout);
	if (inflateInit2(&f.z, -MAX_WBITS) != Z_OK)
		load_die("inflateInit2 failed");
	c.fd = load_tcp_connect(argv[first]);
	if (!ws_conn_request(&c, true))
		load_die("the server does not agree to permessage-deflate");
	if (!memory) {
		f.to = accept(load_unix_listen(argv[first + 1], 1), NULL, NULL);
		got = f.to < 0 ? -1 : read(f.to, go, sizeof go);
		if (got <= 0)
			load_die("the client left before it said go");
	}
	/* A key of zeros is as good as another here. */
	if (!ws_conn_write(&c, "\x81\x82\0\0\0\0go", 8))
		load_die_errno("write");
	if (memory)
		run_in_memory(&c, &f);
	else
		run(&c, &f);
	inflateEnd(&f.z);
	ws_conn_close(&c);
	return 0;
}
