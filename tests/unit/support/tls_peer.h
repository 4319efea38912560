/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TLS server for tests: one connection over TCP on 127.0.0.1, in the loop of
 * the one who uses it. By itself it behaves well and sends nothing; each switch
 * and each verb makes it do one thing. Application data is a pattern that tells
 * its own position, so that loss, doubling and swapping show.
 */
#ifndef WSB_UNIT_SUPPORT_TLS_PEER_H
#define WSB_UNIT_SUPPORT_TLS_PEER_H

#include <openssl/ssl.h>

#include "base/span.h"
#include "net/loop.h"

struct tls_peer_conf {
	const char *dir, *cert; /* DIR/CERT.crt and .key */
	const char *client_ca;	/* DIR/NAME.crt: a client certificate is required */
	const char *ciphers, *groups;
	int min_version, max_version; /* TLS1_2_VERSION...; 0 = whatever there is */
	size_t tickets;		      /* of TLS 1.3, after the handshake */
	size_t ticket_size;	      /* bytes put into each, 0 = as it comes */
	unsigned fragment;	      /* most bytes in a record, 0 = 16384 */
	size_t greet;		      /* bytes of pattern right behind our Finished */
};

struct tls_peer {
	struct loop *loop;
	SSL_CTX *ctx;
	SSL *ssl;
	int fd; /* -1 = closed */
	struct watch watch, relaying;
	struct timer tick;
	int relay; /* -1 = none */
	size_t greet, ticket_size;
	/* switches, to be set at any time */
	size_t wire_limit; /* most ciphertext that leaves in all */
	size_t slow_read;  /* at most this many bytes each millisecond, 0 = as they come */
	bool echo_fin;	   /* close_notify is answered with ours */
	bool early;	   /* TLS 1.3: `greet` goes out before the client's Finished */
	/* what has happened */
	bool shaken, got_close_notify, got_eof, failed;
	unsigned hellos; /* of the client */
	size_t wire_in, wire_out, app_in, app_out;
	size_t wrong;  /* bytes of app_in that are not the pattern */
	char sni[256]; /* "" = none */
	char alpn_offer[64];
	unsigned long error; /* of OpenSSL, of the first failure */
	/* on the way out */
	size_t to_send;
	bool finish; /* close_notify when it is sent */
	uint8_t *wire;
	size_t wire_n;
};

uint8_t tls_pattern(size_t at);

/* Returns the client's end: connected, non-blocking. */
int tls_peer_init(struct tls_peer *p, struct loop *l, const struct tls_peer_conf *conf);
void tls_peer_deinit(struct tls_peer *p);

void tls_peer_send(struct tls_peer *p, size_t n);	  /* of the pattern */
void tls_peer_close_notify(struct tls_peer *p);		  /* behind what is to be sent; TCP stays */
void tls_peer_fin(struct tls_peer *p);			  /* ends our half of TCP */
void tls_peer_drop(struct tls_peer *p);			  /* closes TCP */
void tls_peer_reset(struct tls_peer *p);		  /* the same with a RST */
void tls_peer_raw(struct tls_peer *p, struct span bytes); /* past TLS */
void tls_peer_key_update(struct tls_peer *p);
void tls_peer_ticket(struct tls_peer *p);
void tls_peer_renegotiate(struct tls_peer *p);

/* From now on application data goes to and comes from fd, which it owns: a proxy. */
void tls_peer_relay(struct tls_peer *p, int fd);

void tls_peer_pump(struct tls_peer *p); /* goes on after a switch was changed */

#endif
