/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TLS stream right over a descriptor: OpenSSL reads into its own buffer from
 * there, a long piece at a time, and no byte is copied once more on its way. Or
 * the kernel does TLS (ktls): data then passes OpenSSL by, both ways, and only
 * the other records are its affair. The lower stream keeps the descriptor and
 * says when it is readable.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "net/tls_stream_int.h"

/* Of ciphertext, in one turn: a busy server may not starve the others. */
#define BYTES_PER_TURN ((size_t)256 * 1024)
/* Of OpenSSL's buffer, which there is only while something is in it. */
#define READ_SIZE ((size_t)64 * 1024)

void tls_socket_begin(struct tls_stream *t)
{
	t->socket.budget = BYTES_PER_TURN;
	t->socket.is_short = false;
}

int tls_socket_take(struct tls_stream *t, void *out, int n)
{
	struct tls_socket *k = &t->socket;
	ssize_t got;

	if (k->eof || k->error || k->is_short || k->budget == 0)
		return 0;
	do
		got = recv(k->fd, out, (size_t)n, 0);
	while (got < 0 && errno == EINTR);
	k->is_short = got < n; /* there is no more: what is not asked for costs no call */
	if (got > 0)
		k->budget -= (size_t)got < k->budget ? (size_t)got : k->budget;
	else if (got == 0)
		k->eof = true;
	else if (errno != EAGAIN)
		k->error = errno;
	return got > 0 ? (int)got : 0;
}

/* What the stream below is to be told after OpenSSL has read. */
static ssize_t outcome(struct tls_stream *t)
{
	struct tls_socket *k = &t->socket;

	errno = k->budget ? EAGAIN : EINTR;
	if (t->freed || t->err)
		return -1;
	if (k->eof)
		return 0;
	if (k->error)
		errno = k->error;
	return -1;
}

/* tls(7) does not exist; the kernel's Documentation/networking/tls.rst has these errors. */
static void fail_record(struct tls_stream *t, int os)
{
	struct error err = ERROR_INIT;

	error_set_os(&err, ERR_TLS, os, "TLS: the kernel cannot decrypt what the server sent");
	tls_stream_fail(t, &err);
}

/* Decrypted already. Another record than data is left where it is, for OpenSSL (EIO). */
static ssize_t receive_plain(struct tls_stream *t, void *to, size_t n)
{
	ssize_t got = recv(t->socket.fd, to, n, 0);

	if (got >= 0)
		return got;
	if (errno == EIO) {
		tls_stream_advance(t);
		return outcome(t);
	}
	if (errno == EBADMSG || errno == EMSGSIZE || errno == EINVAL) {
		fail_record(t, errno);
		errno = EAGAIN;
	}
	return -1;
}

static ssize_t on_readable(void *arg, void *to, size_t n)
{
	struct tls_stream *t = arg;

	if (t->state == TLS_ENDED) /* read to be thrown away */
		return recv(t->socket.fd, to, n, 0);
	if (tls_socket_receives(t) && t->state == TLS_READY)
		return receive_plain(t, to, n);
	tls_stream_advance(t);
	return outcome(t);
}

bool tls_socket_sends(const struct tls_stream *t)
{
	return t->socket.ktls == TLS_KTLS_SEND || t->socket.ktls == TLS_KTLS_BOTH;
}

bool tls_socket_receives(const struct tls_stream *t)
{
	return t->socket.ktls == TLS_KTLS_RECEIVE || t->socket.ktls == TLS_KTLS_BOTH;
}

/* Without the module nothing is tried; with it and without keys the socket is as it was. */
static const char *prepare_ktls(int fd)
{
#ifdef OPENSSL_NO_KTLS
	(void)fd;
	return "OpenSSL was built without it";
#else
	if (fd < 0)
		return "this TLS goes through that of a proxy";
	if (setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", sizeof("tls")) == 0)
		return NULL;
	return errno == ENOENT ? "the kernel's module \"tls\" is not there" :
				 "the kernel has none for this connection";
#endif
}

/*
 * For the kernel nothing may be read beyond a record: its keys hold from a certain byte on. So
 * OpenSSL reads ahead only without it.
 */
BIO *tls_socket_open(struct tls_stream *t)
{
	struct tls_socket *k = &t->socket;
	bool ktls = false;

	k->fd = fd_stream_set_receive(t->lower, on_readable, t);
	if (t->ctx->ktls) {
		k->refusal = prepare_ktls(k->fd);
		ktls = !k->refusal;
	}
	if (ktls)
		SSL_set_options(t->ssl, SSL_OP_ENABLE_KTLS);
	else if (k->fd >= 0)
		SSL_set_read_ahead(t->ssl, 1);
	tls_socket_begin(t);
	return tls_bio_new(&t->pipe, ktls ? k->fd : -1);
}

void tls_socket_shaken(struct tls_stream *t)
{
	struct tls_socket *k = &t->socket;
	BIO *kernel = BIO_next(SSL_get_rbio(t->ssl));

	if (kernel && BIO_get_ktls_send(kernel))
		k->ktls = BIO_get_ktls_recv(kernel) ? TLS_KTLS_BOTH : TLS_KTLS_SEND;
	else if (kernel && BIO_get_ktls_recv(kernel))
		k->ktls = TLS_KTLS_RECEIVE;
	if (t->ctx->ktls && k->ktls == TLS_KTLS_OFF && !k->refusal)
		k->refusal = "OpenSSL or the kernel does not have it for this version and cipher";
	if (k->fd >= 0 && !tls_socket_receives(t)) {
		SSL_set_read_ahead(t->ssl, 1);
		SSL_set_default_read_buffer_len(t->ssl, READ_SIZE);
	}
	t->report.info.ktls = k->ktls;
	t->report.info.ktls_refusal = k->refusal;
}

/* RFC 8446, 4.6.3: an answer is due, and the kernel would need the keys for it. */
void tls_socket_check_keys(struct tls_stream *t)
{
	struct error err = ERROR_INIT;

	if (!tls_socket_sends(t) || SSL_get_key_update_type(t->ssl) == SSL_KEY_UPDATE_NONE)
		return;
	error_set(&err, ERR_CONNECT,
		  "TLS: the server wants new keys, which the kernel's TLS (tls.ktls) cannot take");
	tls_stream_fail(t, &err);
}
