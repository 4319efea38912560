/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of TLS share: the context, sentences out of OpenSSL's queue, checks, the BIO. */
#ifndef WSB_NET_TLS_INT_H
#define WSB_NET_TLS_INT_H

#include <openssl/ssl.h>
#include <sys/types.h>
#include <time.h>

#include "net/tls.h"

#define TLS_PIN_SIZE 32
#define TLS_FILES_MAX 4

/* A file as it was before it was read; all zero: it was not there. */
struct tls_file {
	char *path;
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec changed;
};

struct tls_ctx {
	unsigned refs;
	SSL_CTX *ctx;
	bool verify, verify_hostname;
	uint8_t (*pins)[TLS_PIN_SIZE];
	size_t n_pins;
	struct tls_file files[TLS_FILES_MAX];
	size_t n_files;
	int keylog; /* -1 = none */
	bool ktls;
};

/*
 * Fill *err out of OpenSSL's queue, which is empty afterwards. The first is ERR_TLS, stage tls,
 * "WHAT: reason", and false; the others are ERR_TLS without a stage.
 */
bool tls_error(struct error *err, const char *what);
void tls_error_handshake(struct error *err, SSL *ssl);
void tls_error_open(struct error *err);

/* Name, SNI and flags of one connection (RFC 6125, RFC 6066). */
bool tls_set_name(SSL *ssl, const struct tls_ctx *c, const char *server_name, struct error *err);

/* What OpenSSL leaves to us once it is content with the handshake. */
bool tls_check_peer(SSL *ssl, const struct tls_ctx *c, struct error *err);

struct tls_report {
	struct tls_info info;
	struct tls_cert *chain;
};
void tls_report_init(struct tls_report *r, SSL *ssl);
void tls_report_deinit(struct tls_report *r); /* twice is fine */

/* A BIO whose two directions are functions of its user. */
struct tls_pipe {
	int (*take)(struct tls_pipe *p, void *out, int n);	/* 0 = nothing there */
	int (*give)(struct tls_pipe *p, const void *in, int n); /* 0 = broken */
	bool (*is_empty)(struct tls_pipe *p);			/* nothing given waits */
};
BIO *tls_bio_new(struct tls_pipe *pipe, int kernel); /* a socket that may get TLS, -1 = none */

#endif
