/* SPDX-License-Identifier: Apache-2.0 */
/* The calls that every byte stream has, whatever it runs over: see stream.h. */
#include "net/stream.h"

#include <assert.h>
#include <stdbool.h>

void stream_attach(struct stream *s, stream_cb cb, void *arg)
{
	assert(!s->cb && cb);
	s->cb = cb;
	s->arg = arg;
	s->ops->read_enable(s, true);
}

void stream_detach(struct stream *s)
{
	s->ops->read_enable(s, false);
	s->cb = NULL;
	s->arg = NULL;
}

size_t stream_offer(struct stream *s, const struct iovec *iov, int n)
{
	return s->ops->offer(s, iov, n);
}

void stream_pause(struct stream *s)
{
	s->ops->read_enable(s, false);
}

void stream_resume(struct stream *s)
{
	s->ops->read_enable(s, true);
}

void stream_shutdown(struct stream *s)
{
	s->ops->shutdown(s);
}

bool stream_get_acked(struct stream *s, struct stream_acked *out)
{
	return s->ops->acked && s->ops->acked(s, out);
}

void stream_free(struct stream *s)
{
	if (s)
		s->ops->free(s);
}
