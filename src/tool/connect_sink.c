/* SPDX-License-Identifier: Apache-2.0 */
/* See connect_sink.h. Bytes are offered at once; what is not taken waits for WRITABLE. */
#include "tool/connect_sink.h"

#include <assert.h>

#include "net/stream.h"

#define HIGH ((size_t)256 * 1024)

static void end(struct connect_sink *k)
{
	stream_free(k->stream);
	k->stream = NULL;
	k->ended = true;
	buf_clear(&k->queue);
}

static void offer(struct connect_sink *k)
{
	struct span bytes = buf_bytes(&k->queue);
	struct iovec iov = { .iov_len = bytes.n };

	if (!k->stream)
		return;
	if (bytes.n > 0) {
		iov.iov_base = k->queue.data + k->queue.off;
		buf_consume(&k->queue, stream_offer(k->stream, &iov, 1));
	}
	if (k->finishing && k->queue.len == 0)
		stream_shutdown(k->stream);
}

static void on_stream(void *arg, enum stream_event event, struct span data, const struct error *err)
{
	struct connect_sink *k = arg;

	(void)data;
	(void)err;
	switch (event) {
	case STREAM_DATA: /* nobody speaks there */
		return;
	case STREAM_WRITABLE:
		offer(k);
		break;
	case STREAM_EOF:
	case STREAM_FAILED:
		end(k);
		break;
	}
	k->changed(k->arg);
}

void connect_sink_init(struct connect_sink *k, struct loop *l, int fd, size_t cap)
{
	assert(k->changed);
	k->finishing = k->ended = false;
	buf_init(&k->queue, cap);
	k->stream = fd_stream_new(l, fd);
	stream_attach(k->stream, on_stream, k);
}

void connect_sink_deinit(struct connect_sink *k)
{
	stream_free(k->stream);
	k->stream = NULL;
	buf_deinit(&k->queue);
}

bool connect_sink_put(struct connect_sink *k, struct span bytes)
{
	bool was_empty = k->queue.len == 0;

	if (!k->stream || k->finishing)
		return true;
	if (!buf_append(&k->queue, bytes))
		return false;
	if (was_empty)
		offer(k);
	return true;
}

bool connect_sink_is_full(const struct connect_sink *k)
{
	return k->queue.len >= HIGH;
}

void connect_sink_finish(struct connect_sink *k)
{
	if (k->finishing)
		return;
	k->finishing = true;
	offer(k);
}
