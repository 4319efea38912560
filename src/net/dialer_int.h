/* SPDX-License-Identifier: Apache-2.0 */
/* What all attempts of a process share, for dial.c: also the places of TLS handshakes. */
#ifndef WSB_NET_DIALER_INT_H
#define WSB_NET_DIALER_INT_H

#include "base/bucket.h"
#include "net/dial.h"
#include "net/loop.h"
#include "net/resolve.h"

struct dialer {
	struct loop *loop;
	struct resolver *resolver;
	struct tls_cache *tls_cache;
	struct bucket dials;
	struct list turns; /* of struct dialer_turn */
	struct timer turn_due;
	int64_t tls_most, tls_busy; /* places; tls_most 0 = no limit */
	struct list tls_waiting;    /* of struct dialer_tls */
	struct deferred tls_freed;
};

/* The place of one TLS handshake; part of its dial. */
struct dialer_tls {
	struct list node;
	struct dialer *dialer;
	enum { DIALER_TLS_IDLE, DIALER_TLS_WAITS, DIALER_TLS_BUSY } state;
	struct timer hold;
	void (*go)(void *arg);
	void *arg;
};

void dialer_tls_init(struct dialer_tls *t, struct dialer *d, void (*go)(void *arg), void *arg);
void dialer_tls_deinit(struct dialer_tls *t); /* leaves; twice is fine */

/* True: it has its place now. False: `go` is called when it has, from the loop. */
bool dialer_tls_enter(struct dialer_tls *t);
void dialer_tls_leave(
	struct dialer_tls *t); /* gives the place back, or waits no more; twice is fine */

#endif
