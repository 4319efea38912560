/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See ws_conn.h: bytes and frames; the handshake is in ws_handshake.c.
 */
#include "bench/ws_conn.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/load.h"

#define READ_SIZE ((size_t)256 << 10)
#define FRAME_MAX ((uint64_t)256 << 20)

void ws_conn_close(struct ws_conn *c)
{
	if (c->ssl) {
		SSL_shutdown(c->ssl);
		SSL_free(c->ssl);
	}
	close(c->fd);
	free(c->buf);
}

/* 0 at the end of input. */
static size_t read_some(struct ws_conn *c, void *to, size_t size)
{
	ssize_t got;

	if (c->ssl) {
		int n = SSL_read(c->ssl, to, size > INT_MAX ? INT_MAX : (int)size);

		return n > 0 ? (size_t)n : 0;
	}
	do
		got = read(c->fd, to, size);
	while (got < 0 && errno == EINTR);
	return got > 0 ? (size_t)got : 0;
}

bool ws_conn_write(struct ws_conn *c, const void *data, size_t size)
{
	const unsigned char *at = data;

	if (!c->ssl)
		return load_write_all(c->fd, data, size);
	while (size > 0) {
		int n = SSL_write(c->ssl, at, size > READ_SIZE ? (int)READ_SIZE : (int)size);

		if (n <= 0)
			return false;
		at += n;
		size -= (size_t)n;
	}
	return true;
}

bool ws_conn_fill(struct ws_conn *c, size_t need)
{
	if (c->len - c->pos >= need)
		return true;
	if (c->pos > 0) {
		memmove(c->buf, c->buf + c->pos, c->len - c->pos);
		c->len -= c->pos;
		c->pos = 0;
	}
	if (c->cap < need + READ_SIZE) {
		c->cap = need + READ_SIZE;
		c->buf = load_realloc(c->buf, c->cap);
	}
	while (c->len < need) {
		size_t got = read_some(c, c->buf + c->len, c->cap - c->len);

		if (got == 0)
			return false;
		c->len += got;
	}
	return true;
}

size_t ws_put_header(unsigned char *at, enum ws_op op, bool fin, bool rsv1, size_t len)
{
	at[0] = (unsigned char)(op | (fin ? 0x80u : 0) | (rsv1 ? 0x40u : 0));
	if (len < 126) {
		at[1] = (unsigned char)len;
		return 2;
	}
	if (len < 65536) {
		at[1] = 126;
		at[2] = (unsigned char)(len >> 8);
		at[3] = (unsigned char)len;
		return 4;
	}
	at[1] = 127;
	for (unsigned i = 0; i < 8; i++)
		at[2 + i] = (unsigned char)((uint64_t)len >> (56 - 8 * i));
	return 10;
}

bool ws_send_frame(struct ws_conn *c, enum ws_op op, const void *data, size_t len)
{
	unsigned char frame[WS_HEADER_MAX + 125];
	size_t head;

	if (len > 125)
		load_die("a frame of %zu bytes is too long to be built here", len);
	head = ws_put_header(frame, op, true, false, len);
	memcpy(frame + head, data, len);
	return ws_conn_write(c, frame, head + len);
}

bool ws_send_close(struct ws_conn *c, unsigned code)
{
	unsigned char payload[2] = { (unsigned char)(code >> 8), (unsigned char)code };

	return ws_send_frame(c, WS_CLOSE, payload, 2);
}

unsigned ws_close_code(const struct ws_frame *f)
{
	return f->len >= 2 ? (unsigned)(f->data[0] << 8 | f->data[1]) : 1005;
}

static void unmask(unsigned char *at, size_t size, const unsigned char key[4])
{
	unsigned char twice[8];
	uint64_t pad, word;
	size_t i = 0;

	memcpy(twice, key, 4);
	memcpy(twice + 4, key, 4);
	memcpy(&pad, twice, 8);
	for (; i + 8 <= size; i += 8) {
		memcpy(&word, at + i, 8);
		word ^= pad;
		memcpy(at + i, &word, 8);
	}
	for (; i < size; i++)
		at[i] ^= key[i & 3];
}

bool ws_frame_ready(const struct ws_conn *c, bool masked)
{
	const unsigned char *at = c->buf + c->pos;
	size_t have = c->len - c->pos, head = masked ? 6 : 2, len;

	if (have < head + 2)
		return false;
	len = at[1] & 127u;
	if (len == 127)
		return false;
	if (len == 126)
		return have >= head + 2 + ((size_t)at[2] << 8 | at[3]);
	return have >= head + len;
}

/* The length in a header of `head` bytes. */
static uint64_t header_len(const unsigned char *at, size_t head)
{
	uint64_t len = 0;

	if (head == 2)
		return at[1] & 127u;
	for (size_t i = 2; i < head; i++)
		len = len << 8 | at[i];
	return len;
}

bool ws_read_frame(struct ws_conn *c, struct ws_frame *f, bool masked)
{
	size_t head, key = masked ? 4 : 0;
	unsigned char *at;
	uint64_t len;

	if (!ws_conn_fill(c, 2))
		return false;
	at = c->buf + c->pos;
	if (at[1] >> 7 != masked || (at[0] & 0x30))
		load_die("the other end sent a frame that it may not send");
	head = (at[1] & 127) == 127 ? 10 : (at[1] & 127) == 126 ? 4 : 2;
	if (!ws_conn_fill(c, head + key))
		return false;
	len = header_len(c->buf + c->pos, head);
	if (len > FRAME_MAX)
		load_die("the other end sent a frame of %llu bytes", (unsigned long long)len);
	if (!ws_conn_fill(c, head + key + (size_t)len))
		return false;
	at = c->buf + c->pos;
	*f = (struct ws_frame){ .fin = at[0] >> 7,
				.rsv1 = at[0] & 0x40,
				.op = at[0] & 15u,
				.len = (size_t)len,
				.data = at + head + key };
	if (masked)
		unmask(f->data, f->len, at + head);
	c->pos += head + key + (size_t)len;
	return true;
}
