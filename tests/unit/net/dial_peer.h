/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The far end of a dial: a thread that plays a script, byte for byte, on one connection after
 * another; TLS once or twice (to a proxy, and through it). What it reads is kept.
 */
#ifndef WSB_UNIT_NET_DIAL_PEER_H
#define WSB_UNIT_NET_DIAL_PEER_H

#include "net_peer.h"

#include <fcntl.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "net/dial.h"
#include "net/tls.h"

#define OK200 "HTTP/1.1 200 Connection established\r\n\r\n"

static struct tls_ctx *tls; /* ours, as a client: takes any certificate */

enum act_kind {
	END,	/* closes what is open */
	ACCEPT, /* a connection; an older one is closed */
	SHAKE,	/* TLS over what there is */
	HEAD,	/* reads until an empty line */
	READ,	/* n bytes */
	SEND,	/* data; n = 0: a string */
	HOLD,	/* until the other side has closed */
};

struct act {
	enum act_kind kind;
	const char *data;
	size_t n;
};

struct dial_peer {
	struct address at;
	int listener;
	const struct act *script;
	pthread_t thread;
	_Atomic(int) fd;
	SSL_CTX *ctx;
	SSL *ssl[2];
	size_t n_ssl, n_heard, n_accepted;
	char heard[8192];
};

static inline SSL_CTX *make_server_ctx(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();

	assert_true(ctx && key && cert);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
				   (const unsigned char *)"peer.test", -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(cert));
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	assert_int_equal(SSL_CTX_use_certificate(ctx, cert), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, key), 1);
	X509_free(cert);
	EVP_PKEY_free(key);
	return ctx;
}

static inline void peer_hang_up(struct dial_peer *p)
{
	int fd = atomic_exchange(&p->fd, -1);

	while (p->n_ssl > 0)
		SSL_free(p->ssl[--p->n_ssl]);
	if (fd >= 0)
		close(fd);
}

static inline bool peer_accept(struct dial_peer *p)
{
	int fd;

	peer_hang_up(p);
	fd = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		p->n_accepted++;
	atomic_store(&p->fd, fd);
	return fd >= 0;
}

static inline bool peer_shake(struct dial_peer *p)
{
	SSL *ssl = SSL_new(p->ctx);

	if (p->n_ssl == 0) {
		SSL_set_fd(ssl, atomic_load(&p->fd));
	} else {
		BIO *bio = BIO_new(BIO_f_ssl());

		BIO_set_ssl(bio, p->ssl[0], BIO_NOCLOSE);
		SSL_set_bio(ssl, bio, bio);
	}
	p->ssl[p->n_ssl++] = ssl;
	return SSL_accept(ssl) == 1;
}

static inline bool peer_read_byte(struct dial_peer *p)
{
	char *at = p->heard + p->n_heard;
	ssize_t n;

	if (p->n_heard + 1 >= sizeof(p->heard))
		return false;
	n = p->n_ssl ? SSL_read(p->ssl[p->n_ssl - 1], at, 1) : recv(atomic_load(&p->fd), at, 1, 0);
	if (n == 1)
		p->n_heard++;
	return n == 1;
}

static inline bool peer_read_head(struct dial_peer *p)
{
	while (peer_read_byte(p))
		if (p->n_heard >= 4 && memcmp(p->heard + p->n_heard - 4, "\r\n\r\n", 4) == 0)
			return true;
	return false;
}

static inline bool peer_send(struct dial_peer *p, const struct act *a)
{
	size_t n = a->n ? a->n : strlen(a->data);

	if (p->n_ssl)
		return SSL_write(p->ssl[p->n_ssl - 1], a->data, (int)n) == (int)n;
	return send(atomic_load(&p->fd), a->data, n, MSG_NOSIGNAL) == (ssize_t)n;
}

static inline bool peer_read(struct dial_peer *p, size_t n)
{
	while (n > 0 && peer_read_byte(p))
		n--;
	return n == 0;
}

static inline bool peer_act(struct dial_peer *p, const struct act *a)
{
	switch (a->kind) {
	case END:
		break;
	case ACCEPT:
		return peer_accept(p);
	case SHAKE:
		return peer_shake(p);
	case HEAD:
		return peer_read_head(p);
	case READ:
		return peer_read(p, a->n);
	case SEND:
		return peer_send(p, a);
	case HOLD:
		while (peer_read_byte(p))
			;
		return true;
	}
	return false;
}

static inline void *peer_run(void *arg)
{
	struct dial_peer *p = arg;

	for (const struct act *a = p->script; peer_act(p, a); a++)
		;
	peer_hang_up(p);
	return NULL;
}

static inline void peer_start(struct dial_peer *p, const struct act *script)
{
	memset(p, 0, sizeof(*p));
	p->listener = address_open(&p->at, "127.0.0.1", 8);
	/* The thread waits in accept. */
	assert_int_equal(fcntl(p->listener, F_SETFL, 0), 0);
	p->script = script;
	p->ctx = make_server_ctx();
	atomic_store(&p->fd, -1);
	assert_int_equal(pthread_create(&p->thread, NULL, peer_run, p), 0);
}

/* After it `heard` is whole. */
static inline void peer_stop(struct dial_peer *p)
{
	int fd = atomic_load(&p->fd);

	shutdown(p->listener, SHUT_RDWR);
	if (fd >= 0)
		shutdown(fd, SHUT_RDWR);
	pthread_join(p->thread, NULL);
	close(p->listener);
	SSL_CTX_free(p->ctx);
	p->heard[p->n_heard] = '\0';
}

static inline struct dial_proxy proxy_at(const struct dial_peer *peer, enum proxy_kind kind)
{
	return (struct dial_proxy){ .kind = kind, .host = "127.0.0.1", .port = peer->at.port };
}

static inline int make_tls(void **state)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct tls_params params = { .verify = false };
	struct error err = ERROR_INIT;

	(void)state;
	sigaction(SIGPIPE, &ignore, NULL); /* of the far ends */
	tls = tls_ctx_new(&params, &err);
	return tls ? 0 : -1;
}

static inline int drop_tls(void **state)
{
	(void)state;
	tls_ctx_unref(tls);
	return 0;
}

#endif
