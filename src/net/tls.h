/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS 1.2 and 1.3 as a client over any stream, on OpenSSL 3, driven by us
 * through a BIO of our own: SSL_read takes from the descriptor of the lower
 * stream, or from the bytes that it delivered if it has none; SSL_write offers
 * to it. What was encrypted counts as sent; at most one record of it waits here
 * while the lower stream is full.
 */
#ifndef WSB_NET_TLS_H
#define WSB_NET_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct loop;
struct stream;
struct tls_ctx;
struct tls_handshake;

/*
 * What a context is made from; all strings may be NULL = OpenSSL's or the
 * system's default. Nothing of it is kept but what OpenSSL copies.
 */
struct tls_params {
	bool verify;		      /* the chain, against ca_file/ca_dir or the system's store */
	bool verify_hostname;	      /* the name, or IP address, too */
	const char *ca_file, *ca_dir; /* whatever is in there is trusted, roots or not */
	const char *cert, *key;	      /* PEM; key NULL = in cert */
	const char *key_password;     /* NULL = none; nobody is ever asked for it */
	int min_version, max_version; /* 12, 13; min 0 = 12, max 0 = no limit */
	const char *ciphers, *ciphersuites, *groups;
	const char *const
		*pins; /* SHA-256 of the SPKI, Base64; one must be in the verified chain */
	size_t n_pins;
	const char *keylog_file; /* appended to */
	bool ktls;		 /* in the kernel, where it, OpenSSL and the cipher allow it */
};

/*
 * NULL: *err is ERR_TLS (stage tls); it names the option at fault in its text,
 * with the file if there is one, and in `option`. A context is shared by counted
 * references. tls_ctx_is_current answers false when one of its files, or the
 * system's store, has changed since (ctime, size, inode, coming or going).
 */
struct tls_ctx *tls_ctx_new(const struct tls_params *params, struct error *err);
struct tls_ctx *tls_ctx_ref(struct tls_ctx *c);
void tls_ctx_unref(struct tls_ctx *c); /* NULL is fine */
bool tls_ctx_is_current(const struct tls_ctx *c);

/*
 * Over `lower`, which is taken (not attached yet) and freed with the result.
 * server_name: DNS name or IP literal (no brackets), checked and sent as SNI
 * (lower case, without a trailing dot; not for literals). Exactly one callback,
 * never from inside the call: stream (not attached, the callee's) or *err, stage
 * tls: ERR_TLS when the two sides disagree (trying again at once does not help),
 * ERR_CONNECT when the connection broke or ended. The handshake is gone after
 * it. Deadlines are the caller's.
 *
 * Of the stream: EOF is the server's close_notify, and nothing else is. The end of
 * the lower stream without it is FAILED (ERR_CONNECT, "the connection was cut
 * off..."), after all data. stream_shutdown sends close_notify and then shuts the
 * lower stream down; stream_free tries a close_notify that nobody waits for.
 * After a failure neither is sent.
 */
typedef void (*tls_cb)(void *arg, struct stream *stream, const struct error *err);
struct tls_start {
	const char *server_name; /* copied */
	tls_cb cb;
	void *arg;
};
struct tls_handshake *tls_start(struct loop *l, struct stream *lower, struct tls_ctx *ctx,
				const struct tls_start *start);
void tls_cancel(struct tls_handshake *h); /* no callback afterwards; NULL is fine */

/* Of an open TLS stream; strings valid as long as the stream, escaped for people. */
struct tls_cert {
	char *subject, *issuer;	       /* RFC 2253 */
	char *sans;		       /* "DNS:a.example, IP:192.0.2.1", "" = none */
	int64_t not_before, not_after; /* seconds since 1970 */
};
enum tls_ktls { TLS_KTLS_OFF, TLS_KTLS_SEND, TLS_KTLS_RECEIVE, TLS_KTLS_BOTH };
const char *tls_ktls_name(enum tls_ktls ktls); /* "off", "send", "receive", "both" */
struct tls_info {
	const char *version, *cipher; /* "TLSv1.3", "TLS_AES_256_GCM_SHA384" */
	bool verified;
	enum tls_ktls ktls;
	const char *ktls_refusal; /* why it is off though asked for; NULL = it is not, or was not */
	const struct tls_cert *chain; /* the peer's first, then its issuers as sent or verified */
	size_t n_chain;
};
const struct tls_info *tls_stream_info(const struct stream *s); /* NULL: no TLS stream */

#endif
