/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See local.h. It knows lines only to count them. The test owns the struct.
 * The trap: connected is not accepted; that takes a turn of the loop.
 */
#include "support/local.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/stream.h"

#define QUEUE_MAX ((size_t)256 * 1024 * 1024)

static void flush(struct local *c)
{
	struct span bytes = buf_bytes(&c->out);
	struct iovec iov = { .iov_base = (void *)(uintptr_t)bytes.p, .iov_len = bytes.n };

	if (bytes.n > 0)
		buf_consume(&c->out, stream_offer(c->stream, &iov, 1));
}

static void on_data(struct local *c, struct span data)
{
	size_t n = strlen(c->got);

	c->got = mem_grow(c->got, n + data.n + 1, 1);
	memcpy(c->got + n, data.p, data.n);
	c->got[n + data.n] = '\0';
	for (size_t i = 0; i < data.n; i++)
		c->lines += data.p[i] == '\n';
}

static void on_stream(void *arg, enum stream_event event, struct span data, const struct error *err)
{
	struct local *c = arg;

	(void)err;
	switch (event) {
	case STREAM_DATA:
		on_data(c, data);
		break;
	case STREAM_WRITABLE:
		flush(c);
		break;
	case STREAM_EOF:
	case STREAM_FAILED:
		c->ended = true;
		stream_free(c->stream);
		c->stream = NULL;
		break;
	}
}

bool local_connect(struct local *c, struct loop *l, const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	*c = (struct local){ 0 };
	assert(fd >= 0 && strlen(path) < sizeof(addr.sun_path));
	memcpy(addr.sun_path, path, strlen(path) + 1);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		close(fd);
		return false;
	}
	c->got = mem_strdup("");
	buf_init(&c->out, QUEUE_MAX);
	c->stream = fd_stream_new(l, fd);
	stream_attach(c->stream, on_stream, c);
	return true;
}

void local_write(struct local *c, const char *text)
{
	bool fits = buf_append(&c->out, span_str(text));

	assert(c->stream && fits);
	flush(c);
}

void local_close(struct local *c)
{
	stream_free(c->stream);
	c->stream = NULL;
	buf_deinit(&c->out);
	free(c->got);
	c->got = NULL;
}
