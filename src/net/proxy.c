/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moves bytes between a stream and the conversation with a proxy. What the
 * bytes mean is proxy_talk's business, deadlines are the caller's. It owns the
 * stream until it is handed out. The trap: the callback comes last, when the
 * proxy is freed already, because it may start anything on the stream.
 */
#include "net/proxy.h"

#include <stdlib.h>

#include "base/mem.h"
#include "net/loop.h"
#include "net/proxy_talk.h"
#include "net/stream.h"

struct proxy {
	struct stream *stream;
	struct proxy_params params;
	struct proxy_talk talk;
	proxy_cb cb;
	void *arg;
	struct deferred unsendable; /* the first request could not even be made */
	struct error err;
};

static void destroy(struct proxy *p)
{
	deferred_cancel(&p->unsendable);
	proxy_talk_deinit(&p->talk);
	stream_free(p->stream);
	free(p);
}

void proxy_cancel(struct proxy *p)
{
	if (p)
		destroy(p);
}

static void finish(struct proxy *p, enum proxy_result result)
{
	struct stream *stream = NULL;
	struct error err = p->err;
	proxy_cb cb = p->cb;
	void *arg = p->arg;

	if (result == PROXY_OPEN) {
		stream = p->stream;
		stream_detach(stream);
		p->stream = NULL;
	}
	destroy(p);
	cb(arg, stream, result == PROXY_AGAIN, stream ? NULL : &err);
}

static void flush(struct proxy *p)
{
	struct span out = proxy_talk_output(&p->talk);
	struct iovec iov = { .iov_base = (void *)(uintptr_t)out.p, .iov_len = out.n };

	if (out.n > 0)
		proxy_talk_sent(&p->talk, stream_offer(p->stream, &iov, 1));
}

static void on_stream(void *arg, enum stream_event event, struct span data, const struct error *why)
{
	struct proxy *p = arg;
	enum proxy_result result = PROXY_MORE;

	switch (event) {
	case STREAM_DATA:
		result = proxy_talk_feed(&p->talk, data, &p->err);
		break;
	case STREAM_WRITABLE:
		break;
	case STREAM_EOF:
		result = proxy_talk_end(&p->talk, NULL, &p->err);
		break;
	case STREAM_FAILED:
		result = proxy_talk_end(&p->talk, why, &p->err);
		break;
	}
	if (result == PROXY_MORE)
		flush(p);
	else
		finish(p, result);
}

static void on_unsendable(void *arg)
{
	finish(arg, PROXY_BAD);
}

struct proxy *proxy_start(struct loop *l, struct stream *lower, const struct proxy_params *params,
			  proxy_cb cb, void *arg)
{
	struct proxy *p = mem_zalloc(sizeof(*p));

	p->stream = lower;
	p->params = *params;
	p->cb = cb;
	p->arg = arg;
	deferred_init(&p->unsendable, on_unsendable, p);
	if (!proxy_talk_init(&p->talk, &p->params, params->memory, &p->err)) {
		loop_defer(l, &p->unsendable);
		return p;
	}
	stream_attach(lower, on_stream, p);
	flush(p);
	return p;
}
