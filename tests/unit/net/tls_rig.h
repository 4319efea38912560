/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of TLS stand in: certificates made once for each program, and
 * for each case a loop, a server (tls_peer.h) and our end. Our end sends and
 * checks the same pattern as the server; its switches make it an awkward owner.
 * The error queue of OpenSSL must be empty at every callback.
 */
#ifndef WSB_UNIT_NET_TLS_RIG_H
#define WSB_UNIT_NET_TLS_RIG_H

#include "net_test.h"

#include "net/stream.h"
#include "net/tls.h"
#include "support/tls_certs.h"
#include "support/tls_peer.h"

/* The tests of streams run once more with TLS in the kernel asked for: there or not. */
#ifndef RIG_KTLS
#define RIG_KTLS false
#endif

extern char rig_dir[32]; /* rig_begin's */

int rig_begin(void **state); /* of a group of tests: makes the certificates */
int rig_end(void **state);

enum { RIG_NEVER = -1 };

struct tls_rig {
	struct loop *loop;
	struct tls_peer peer;
	struct tls_ctx *ctx;
	struct tls_handshake *handshake;
	struct stream *stream; /* NULL = not open, or gone */
	/* switches */
	bool keep_detached;	/* the stream is not attached when it is there */
	bool free_in_handshake; /* freed in the handshake's callback */
	bool pause_each;	/* pauses in every DATA, resumes a moment later */
	bool pause_resume;	/* pauses and resumes in every DATA */
	int free_on;		/* an enum stream_event, or RIG_NEVER */
	size_t to_send;		/* more of the pattern */
	size_t piece;		/* each offer is this long at most, in three iovecs; 0 = whole */
	/* what has happened */
	unsigned told; /* callbacks of the handshake */
	unsigned data_events, writable_events, eof_events, failed_events;
	size_t got, wrong, sent;
	struct error err;
	struct timer resume;
};

/* params NULL: verify everything against the authority of rig_begin. */
void rig_init(struct tls_rig *r, const struct tls_peer_conf *peer, const struct tls_params *params);
void rig_deinit(struct tls_rig *r);

struct tls_params rig_params(void); /* those of NULL, to be changed */
char *rig_path(const char *name);   /* in rig_dir; stays valid */

void rig_start(struct tls_rig *r, const char *server_name);
void rig_wait_end_of_handshake(struct tls_rig *r);
void rig_shake(struct tls_rig *r, const char *server_name); /* both */
void rig_open(struct tls_rig *r); /* the same, and it must succeed, on both sides */
void rig_attach(struct tls_rig *r);
void rig_send(struct tls_rig *r, size_t n);
void rig_free(struct tls_rig *r);

/* Turns the loop until it holds; the test fails if it never does. */
void rig_wait(struct tls_rig *r, bool (*holds)(void *arg), void *arg);
void rig_wait_got(struct tls_rig *r, size_t n);
void rig_wait_got_some(struct tls_rig *r);
void rig_wait_app_in(struct tls_rig *r, size_t n);
void rig_wait_end(struct tls_rig *r);  /* EOF or FAILED */
void rig_wait_gone(struct tls_rig *r); /* freed in a callback */
void rig_turn_for(struct tls_rig *r, int64_t us);

#endif
