/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TLS stream over another stream. The lower one's bytes are read where they
 * lie; what is left when our owner pauses is kept, and the lower one is paused
 * until that is read. Its traps: what OpenSSL holds wakes nobody, so reading on
 * must be asked for at the end of the turn; its error queue is shared by all
 * connections of the process (cleared before each call); and a FIN without
 * close_notify is a truncation, never an end of input.
 */
#include <assert.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/tls_stream_int.h"

/* More than one delivery of a lower stream, and more than one flight of a handshake. */
#define REST_MAX ((size_t)1024 * 1024)
#define OUT_MAX ((size_t)128 * 1024)

static const struct stream_ops tls_ops;

static struct tls_stream *of(struct stream *s)
{
	return (struct tls_stream *)(void *)s;
}

static int take(struct tls_pipe *p, void *out, int n)
{
	struct tls_stream *t = (struct tls_stream *)(void *)((char *)p -
							     offsetof(struct tls_stream, pipe));
	bool old = t->rest.len > 0;
	struct span from = old ? buf_bytes(&t->rest) : t->in;

	if (t->socket.fd >= 0)
		return tls_socket_take(t, out, n);
	if (from.n > (size_t)n)
		from.n = (size_t)n;
	if (from.n)
		memcpy(out, from.p, from.n);
	if (old)
		buf_consume(&t->rest, from.n);
	else
		t->in = span_skip(t->in, from.n);
	return (int)from.n;
}

/* The lower stream is read when we can make something of it at once. */
static void update_lower(struct tls_stream *t)
{
	bool wanted = !t->err && t->rest.len == 0 && (t->reading || t->state == TLS_SHAKING);

	if (t->freed || wanted == t->lower_reads)
		return;
	t->lower_reads = wanted;
	if (wanted)
		stream_resume(t->lower);
	else
		stream_pause(t->lower);
}

void tls_stream_fail(struct tls_stream *t, const struct error *err)
{
	if (t->err || t->freed)
		return;
	error_keep(&t->err, err);
	t->err->stage = t->shaken ? STAGE_TLS : STAGE_NONE;
	update_lower(t);
	loop_defer(t->loop, &t->later);
}

static void fail_truncated(struct tls_stream *t)
{
	struct error err = ERROR_INIT;

	error_set(&err, ERR_CONNECT, "the connection was cut off: no TLS close_notify came");
	tls_stream_fail(t, &err);
}

void tls_stream_emit(struct tls_stream *t, enum stream_event event, struct span data)
{
	if (!t->freed && t->base.cb)
		t->base.cb(t->base.arg, event, data, event == STREAM_FAILED ? t->err : NULL);
}

/* What ended a round of reads. Our owner may have paused or freed us in between. */
static void read_stopped(struct tls_stream *t, int why)
{
	if (t->freed || !t->reading || t->err)
		return; /* OpenSSL will say the same again when reading goes on */
	if (why == SSL_ERROR_ZERO_RETURN) {
		t->state = TLS_ENDED;
		tls_stream_emit(t, STREAM_EOF, span_of(NULL, 0));
	} else if (why == SSL_ERROR_WANT_READ && t->lower_eof) {
		fail_truncated(t);
	}
}

/* One buffer of plaintext; false: no more for now. */
static bool read_once(struct tls_stream *t)
{
	size_t size, n = 0, got;
	uint8_t *plain = t->socket.fd >= 0 ? loop_scratch(t->loop, &size) :
					     loop_scratch_plain(t->loop, &size);
	struct error err = ERROR_INIT;
	int why = SSL_ERROR_NONE;

	ERR_clear_error();
	while (n < size && SSL_read_ex(t->ssl, plain + n, size - n, &got) == 1)
		n += got;
	if (n < size)
		why = SSL_get_error(t->ssl, 0);
	if (why == SSL_ERROR_SSL || why == SSL_ERROR_SYSCALL) {
		tls_error_open(&err);
		tls_stream_fail(t, &err); /* heard of at the end of the turn, after the data */
	}
	if (n)
		tls_stream_emit(t, STREAM_DATA, span_of(plain, n));
	if (!t->freed)
		tls_socket_check_keys(t);
	if (why != SSL_ERROR_NONE)
		read_stopped(t, why);
	return why == SSL_ERROR_NONE;
}

static void read_all(struct tls_stream *t)
{
	while (!t->freed && t->reading && !t->err && t->state == TLS_READY && read_once(t))
		;
	if (t->write_waits)
		tls_write_on(t);
}

/*
 * OpenSSL takes a buffer for writing whenever a message that is no data comes, such as a ticket,
 * and keeps it until the next write. Before 3.0.14 it did not see itself that the buffer for
 * reading is in use, for a record of which only a part has come, or was read (CVE-2024-4741).
 */
static void free_buffers(struct tls_stream *t)
{
	if (SSL_pending(t->ssl) == 0 && strcmp(SSL_rstate_string(t->ssl), "RB") != 0)
		SSL_free_buffers(t->ssl);
}

static void advance(struct tls_stream *t)
{
	if (t->err || t->freed)
		return;
	tls_socket_begin(t);
	if (t->state == TLS_SHAKING)
		tls_handshake_advance(t);
	if (t->state == TLS_READY && t->base.cb)
		read_all(t);
	if (t->freed)
		return;
	if (t->state != TLS_SHAKING)
		free_buffers(t);
	/* What follows close_notify is ignored (RFC 8446, 6.1); nothing is kept when idle. */
	if (t->state == TLS_ENDED || t->rest.len == 0)
		buf_deinit(&t->rest);
}

void tls_stream_advance(struct tls_stream *t)
{
	advance(t);
	update_lower(t);
}

static bool lies_in_ours(const struct stream *lower)
{
	return lower->ops == &tls_ops && of((struct stream *)(uintptr_t)lower)->socket.fd < 0;
}

static void on_data(struct tls_stream *t, struct span data)
{
	struct error err = ERROR_INIT;
	bool kept = true;

	if (lies_in_ours(t->lower)) /* its plaintext lies where ours goes */
		kept = buf_append(&t->rest, data);
	else
		t->in = data;
	if (kept)
		advance(t);
	if (kept && t->in.n && !t->freed && t->state != TLS_ENDED)
		kept = buf_append(&t->rest, t->in);
	t->in = span_of(NULL, 0);
	if (!kept) {
		error_set(&err, ERR_OVERFLOW, "TLS: too much waits to be read");
		tls_stream_fail(t, &err);
	}
	update_lower(t);
}

/* The lower one's sentence is ours; during the handshake it needs a place. */
static void fail_lower(struct tls_stream *t, const struct error *cause)
{
	struct error err = *cause;

	if (t->shaken)
		error_context(&err, "TLS handshake");
	tls_stream_fail(t, &err);
}

static void on_lower(void *arg, enum stream_event event, struct span data, const struct error *err)
{
	struct tls_stream *t = arg;

	switch (event) {
	case STREAM_DATA:
		if (tls_socket_receives(t) && t->state == TLS_READY)
			tls_stream_emit(t, STREAM_DATA, data);
		else if (t->socket.fd < 0)
			on_data(t, data);
		break;
	case STREAM_WRITABLE:
		tls_write_on(t);
		break;
	case STREAM_EOF:
		t->lower_eof = true;
		tls_stream_advance(t);
		break;
	case STREAM_FAILED:
		fail_lower(t, err);
		break;
	}
}

static void release(struct tls_stream *t)
{
	SSL_free(t->ssl);
	tls_ctx_unref(t->ctx);
	tls_report_deinit(&t->report);
	buf_deinit(&t->rest);
	buf_deinit(&t->out);
	free(t->err);
	free(t);
}

/* Nobody to tell yet: the next owner hears of it. */
static void tell_failure(struct tls_stream *t)
{
	if (t->told || !t->base.cb)
		return;
	t->told = true;
	tls_stream_emit(t, STREAM_FAILED, span_of(NULL, 0));
}

static void on_later(void *arg)
{
	struct tls_stream *t = arg;

	if (t->freed) {
		release(t);
	} else if (t->shaken) {
		tls_handshake_report(t);
	} else if (t->err) {
		tell_failure(t);
	} else {
		tls_stream_advance(t);
	}
}

static size_t tls_offer(struct stream *s, const struct iovec *iov, int n)
{
	struct tls_stream *t = of(s);

	return t->err || t->freed || t->closing ? 0 : tls_write(t, iov, n);
}

static void tls_read_enable(struct stream *s, bool on)
{
	struct tls_stream *t = of(s);

	if (t->freed)
		return;
	t->reading = on;
	update_lower(t);
	if (on) /* what came before lies here, and nobody else will wake us */
		loop_defer(t->loop, &t->later);
}

static void tls_shutdown(struct stream *s)
{
	struct tls_stream *t = of(s);

	if (t->freed || t->err || t->closing)
		return;
	tls_write_end(t);
	tls_write_on(t);
}

/* What was encrypted and waits here counts as sent, but has not arrived for sure. */
static bool tls_acked(struct stream *s, struct stream_acked *out)
{
	struct tls_stream *t = of(s);

	if (t->freed || !stream_get_acked(t->lower, out))
		return false;
	out->written += t->out.len;
	out->unacked += t->out.len;
	/* The kernel's TLS is given data, and counts records, which are longer. */
	if (out->unacked > out->written)
		out->unacked = out->written;
	return true;
}

static void tls_free(struct stream *s)
{
	struct tls_stream *t = of(s);

	if (t->freed)
		return;
	if (t->state != TLS_SHAKING && !t->err && !t->closing && t->out.len == 0)
		tls_write_end(t);
	t->freed = true;
	stream_free(t->lower);
	t->lower = NULL;
	t->socket.fd = -1;
	loop_defer(t->loop, &t->later);
}

static const struct stream_ops tls_ops = {
	.offer = tls_offer,
	.read_enable = tls_read_enable,
	.shutdown = tls_shutdown,
	.free = tls_free,
	.acked = tls_acked,
};

struct tls_stream *tls_stream_new(struct loop *l, struct stream *lower, struct tls_ctx *ctx)
{
	struct tls_stream *t = mem_zalloc(sizeof(*t));
	BIO *bio;

	t->base.ops = &tls_ops;
	t->pipe = (struct tls_pipe){ .take = take, .give = tls_give, .is_empty = tls_is_empty };
	t->loop = l;
	t->lower = lower;
	t->ctx = tls_ctx_ref(ctx);
	buf_init(&t->rest, REST_MAX);
	buf_init(&t->out, OUT_MAX);
	deferred_init(&t->later, on_later, t);
	t->ssl = SSL_new(ctx->ctx);
	assert(t->ssl);
	bio = tls_socket_open(t);
	SSL_set_bio(t->ssl, bio, bio);
	SSL_set_connect_state(t->ssl);
	t->lower_reads = true;
	stream_attach(lower, on_lower, t);
	return t;
}

const struct tls_info *tls_stream_info(const struct stream *s)
{
	return s && s->ops == &tls_ops ?
		       &((const struct tls_stream *)(const void *)s)->report.info :
		       NULL;
}
