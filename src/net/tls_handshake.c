/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a lower stream to a TLS stream that somebody can trust, or to one
 * sentence why not. Nothing but the handshake itself leaves before every check
 * is passed: the stream is handed out only then.
 */
#include <openssl/err.h>

#include "net/tls_stream_int.h"

/* Not a disagreement: trying again may help. */
static void fail_ended(struct tls_stream *t)
{
	struct error err = ERROR_INIT;

	error_set(&err, ERR_CONNECT, "the server closed the connection during the TLS handshake");
	tls_stream_fail(t, &err);
}

static void fail_ssl(struct tls_stream *t)
{
	struct error err = ERROR_INIT;

	tls_error_handshake(&err, t->ssl);
	tls_stream_fail(t, &err);
}

static void finish(struct tls_stream *t)
{
	struct error err = ERROR_INIT;

	if (!tls_check_peer(t->ssl, t->ctx, &err)) {
		tls_stream_fail(t, &err);
		return;
	}
	tls_report_init(&t->report, t->ssl);
	tls_socket_shaken(t);
	t->state = TLS_READY;
	loop_defer(t->loop, &t->later);
}

void tls_handshake_advance(struct tls_stream *t)
{
	int rc;

	ERR_clear_error();
	rc = SSL_do_handshake(t->ssl);
	if (t->err)
		return; /* the lower stream would not take it */
	if (rc == 1) {
		finish(t);
		return;
	}
	switch (SSL_get_error(t->ssl, rc)) {
	case SSL_ERROR_WANT_READ:
		if (t->lower_eof)
			fail_ended(t);
		break;
	case SSL_ERROR_ZERO_RETURN: /* close_notify */
		fail_ended(t);
		break;
	default:
		fail_ssl(t);
	}
}

void tls_handshake_report(struct tls_stream *t)
{
	tls_cb shaken = t->shaken;

	if (!t->err && t->state == TLS_SHAKING)
		return;
	t->shaken = NULL;
	if (!t->err) {
		shaken(t->shaken_arg, &t->base, NULL);
		return;
	}
	t->told = true;
	shaken(t->shaken_arg, NULL, t->err);
	stream_free(&t->base);
}

struct tls_handshake *tls_start(struct loop *l, struct stream *lower, struct tls_ctx *ctx,
				const struct tls_start *start)
{
	struct tls_stream *t = tls_stream_new(l, lower, ctx);
	struct error err = ERROR_INIT;

	t->shaken = start->cb;
	t->shaken_arg = start->arg;
	if (tls_set_name(t->ssl, ctx, start->server_name, &err))
		tls_handshake_advance(t);
	else
		tls_stream_fail(t, &err);
	return (struct tls_handshake *)(void *)t;
}

void tls_cancel(struct tls_handshake *h)
{
	stream_free((struct stream *)(void *)h);
}
