/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes of our owner → records → the lower stream. OpenSSL's own way, to be
 * asked again with the same bytes after a short write, does not fit streams,
 * whose owners may change what was not taken. So a record, once made, is always
 * taken from OpenSSL; what the lower stream has no room for waits in `out`, and
 * nothing is encrypted until it is gone.
 */
#include <openssl/err.h>
#include <string.h>

#include "net/tls_stream_int.h"

/* The most plaintext in one record (RFC 8446, 5.1). */
#define RECORD_MAX ((size_t)16384)

static size_t offer_lower(struct tls_stream *t, struct span s)
{
	struct iovec iov = { .iov_base = (void *)(uintptr_t)s.p, .iov_len = s.n };

	return t->lower && s.n ? stream_offer(t->lower, &iov, 1) : 0;
}

int tls_give(struct tls_pipe *p, const void *in, int n)
{
	struct tls_stream *t = (struct tls_stream *)(void *)((char *)p -
							     offsetof(struct tls_stream, pipe));
	struct span left = span_of(in, (size_t)n);
	struct error err = ERROR_INIT;

	if (!t->lower)
		return 0;
	if (t->out.len == 0)
		left = span_skip(left, offer_lower(t, left));
	if (buf_append(&t->out, left))
		return n;
	error_set(&err, ERR_OVERFLOW, "TLS: too much waits to be sent");
	tls_stream_fail(t, &err);
	return 0;
}

bool tls_is_empty(struct tls_pipe *p)
{
	return ((struct tls_stream *)(void *)((char *)p - offsetof(struct tls_stream, pipe)))
		       ->out.len == 0;
}

/* False: the lower stream is full; its WRITABLE follows. */
static bool flush(struct tls_stream *t)
{
	if (t->out.len == 0)
		return true;
	buf_consume(&t->out, offer_lower(t, buf_bytes(&t->out)));
	if (t->out.len)
		return false;
	buf_deinit(&t->out); /* an idle connection keeps no block */
	return true;
}

struct source {
	const struct iovec *iov;
	int n;
	size_t at; /* in the first of them */
};

static void source_skip(struct source *s, size_t n)
{
	s->at += n;
	while (s->n > 0 && s->at >= s->iov->iov_len) {
		s->at -= s->iov->iov_len;
		s->iov++;
		s->n--;
	}
}

/* What fits into one record: as it lies there, or small pieces put together in room. */
static struct span source_peek(const struct source *s, uint8_t *room)
{
	size_t at = s->at, n = 0;
	struct span first;

	if (s->n == 0)
		return span_of(NULL, 0);
	first = span_of((const uint8_t *)s->iov->iov_base + at, s->iov->iov_len - at);
	if (s->n == 1 || first.n >= RECORD_MAX)
		return span_of(first.p, first.n < RECORD_MAX ? first.n : RECORD_MAX);
	for (int i = 0; i < s->n && n < RECORD_MAX; i++, at = 0) {
		size_t more = s->iov[i].iov_len - at;

		if (more > RECORD_MAX - n)
			more = RECORD_MAX - n;
		if (more)
			memcpy(room + n, (const uint8_t *)s->iov[i].iov_base + at, more);
		n += more;
	}
	return span_of(room, n);
}

/* 0: not now, or never again. */
static size_t write_record(struct tls_stream *t, struct span plain)
{
	struct error err = ERROR_INIT;
	size_t n = 0;
	int why;

	ERR_clear_error();
	if (SSL_write_ex(t->ssl, plain.p, plain.n, &n) == 1)
		return n;
	why = SSL_get_error(t->ssl, 0);
	if (why == SSL_ERROR_WANT_READ) { /* in the middle of a message like a session ticket */
		t->write_waits = true;
	} else {
		tls_error_open(&err);
		tls_stream_fail(t, &err);
	}
	return 0;
}

static size_t write_records(struct tls_stream *t, const struct iovec *iov, int n)
{
	uint8_t room[RECORD_MAX] __attribute__((uninitialized)); /* not zeroed for each call */
	struct source s = { .iov = iov, .n = n };
	size_t all = 0, one;
	struct span plain;

	source_skip(&s, 0);
	while (s.n > 0 && !t->err && flush(t)) {
		plain = source_peek(&s, room);
		one = write_record(t, plain);
		if (one == 0)
			break;
		source_skip(&s, one);
		all += one;
	}
	t->want_write = s.n > 0;
	return all;
}

/* The kernel makes records of it. */
static size_t write_plain(struct tls_stream *t, const struct iovec *iov, int n)
{
	size_t left = 0, taken = stream_offer(t->lower, iov, n);

	for (int i = 0; i < n; i++)
		left += iov[i].iov_len;
	t->want_write = taken < left;
	return taken;
}

size_t tls_write(struct tls_stream *t, const struct iovec *iov, int n)
{
	return tls_socket_sends(t) ? write_plain(t, iov, n) : write_records(t, iov, n);
}

/* Our close_notify (RFC 8446, 6.1); the peer's is not waited for. */
static void send_notify(struct tls_stream *t)
{
	int rc;

	ERR_clear_error();
	rc = SSL_shutdown(t->ssl);
	t->notify_left = rc < 0 && SSL_get_error(t->ssl, rc) == SSL_ERROR_WANT_WRITE;
	ERR_clear_error();
}

static void end_lower(struct tls_stream *t)
{
	if (t->notify_left)
		send_notify(t);
	if (t->notify_left)
		fd_stream_ask_writable(t->lower);
	else
		stream_shutdown(t->lower);
}

void tls_write_on(struct tls_stream *t)
{
	if (t->err || t->freed || !flush(t))
		return;
	if (t->closing) {
		end_lower(t);
		return;
	}
	if (!t->want_write)
		return;
	t->want_write = t->write_waits = false;
	tls_stream_emit(t, STREAM_WRITABLE, span_of(NULL, 0));
}

void tls_write_end(struct tls_stream *t)
{
	t->closing = true;
	send_notify(t);
}
