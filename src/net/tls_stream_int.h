/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A handshake and the stream that comes out of it are one object; its files:
 * tls_handshake.c until the owner is told, tls_write.c what goes out,
 * tls_socket.c what is different over a descriptor, tls_stream.c the rest.
 */
#ifndef WSB_NET_TLS_STREAM_INT_H
#define WSB_NET_TLS_STREAM_INT_H

#include "base/buf.h"
#include "net/loop.h"
#include "net/stream.h"
#include "net/tls_int.h"

enum tls_state { TLS_SHAKING, TLS_READY, TLS_ENDED };

/* What lies below has a descriptor. */
struct tls_socket {
	int fd;		     /* the lower stream's; -1 = it has none */
	enum tls_ktls ktls;  /* once the handshake is over */
	const char *refusal; /* of it, NULL = none */
	size_t budget;	     /* bytes that may be read in this turn */
	bool is_short, eof;  /* the last read of this turn was; the end was read */
	int error;	     /* of a read, 0 = none */
};

struct tls_stream {
	struct stream base;
	struct tls_pipe pipe;
	struct loop *loop;
	struct stream *lower; /* NULL once freed */
	struct tls_socket socket;
	struct tls_ctx *ctx;
	SSL *ssl;
	enum tls_state state;
	struct error *err; /* NULL = sound */
	struct span in;	   /* what the lower stream just delivered */
	struct buf rest;   /* what was not read of it; the lower stream is paused meanwhile */
	struct buf out;	   /* encrypted, and not taken by the lower stream yet */
	bool reading;	   /* our owner wants DATA */
	bool lower_reads;  /* we want it */
	bool lower_eof;	   /* we had it */
	bool want_write;   /* an offer fell short */
	bool write_waits;  /* ...because OpenSSL wants to read first */
	bool closing;	   /* shut down by our owner */
	bool notify_left;  /* the kernel was full: close_notify is to be sent yet */
	bool told, freed;  /* FAILED was reported; by our owner */
	tls_cb shaken;	   /* NULL once called */
	void *shaken_arg;
	struct deferred later; /* the end of the turn: reading on, a report, freeing */
	struct tls_report report;
};

/* FAILED, or the handshake's callback, at the end of the turn. The first one counts. */
void tls_stream_fail(struct tls_stream *t, const struct error *err);

void tls_stream_emit(struct tls_stream *t, enum stream_event event, struct span data);

/* There may be something to read. Our owner may free us in it. */
void tls_stream_advance(struct tls_stream *t);

/* tls_socket.c: over a lower stream without a descriptor take may not be called. */
BIO *tls_socket_open(struct tls_stream *t);
void tls_socket_begin(struct tls_stream *t); /* a turn of reading */
int tls_socket_take(struct tls_stream *t, void *out, int n);
void tls_socket_shaken(struct tls_stream *t); /* completes the report */
bool tls_socket_sends(const struct tls_stream *t);
bool tls_socket_receives(const struct tls_stream *t);
void tls_socket_check_keys(struct tls_stream *t);

/* tls_handshake.c */
void tls_handshake_advance(struct tls_stream *t);
void tls_handshake_report(struct tls_stream *t); /* calls `shaken`, if there is something to say */

/* tls_write.c */
int tls_give(struct tls_pipe *p, const void *in, int n);
bool tls_is_empty(struct tls_pipe *p);
size_t tls_write(struct tls_stream *t, const struct iovec *iov, int n);
void tls_write_on(struct tls_stream *t);  /* the lower stream has room, or something was read */
void tls_write_end(struct tls_stream *t); /* close_notify, then the lower stream's end */

/* tls_stream.c */
struct tls_stream *tls_stream_new(struct loop *l, struct stream *lower, struct tls_ctx *ctx);

#endif
