/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parameters → an open stream or one error: resolve → connect → [TLS with the
 * proxy] → proxy → TLS. Reports exactly once and can be cancelled at any
 * point; its user never sees a half-open thing. The deadline over the whole
 * attempt is its user's, who asks dial_timed_out where it stood. Nothing is
 * remembered between attempts: names are resolved anew each time.
 */
#ifndef WSB_NET_DIAL_H
#define WSB_NET_DIAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/list.h"
#include "net/happy.h"
#include "net/proxy.h"
#include "net/socket_params.h"

struct dial;
struct dialer;
struct loop;
struct rand_source;
struct stream;
struct tls_cache;
struct tls_ctx;
struct tls_info;

struct dial_proxy {
	enum proxy_kind kind;
	const char *host; /* name or literal, without brackets */
	uint16_t port;
	const char *user, *password; /* NULL = none */
	struct tls_ctx *tls;	     /* for PROXY_HTTPS */
	const char *server_name;     /* of its certificate; NULL = host */
};

/* Strings are copied, and wiped afterwards; contexts of TLS are referenced; rand must stay. */
struct dial_params {
	const char *host; /* the URL's: name or literal, without brackets */
	uint16_t port;
	const char *connect_host; /* socket or proxy shall connect there; NULL = host */
	uint16_t connect_port;
	const char *unix_path; /* this socket instead of all that; no proxy then; NULL = none */
	struct socket_params socket;
	int64_t resolve_timeout;	/* for all names of the attempt, microseconds, 0 = none */
	int64_t connect_timeout;	/* for each address, microseconds, 0 = none */
	const struct dial_proxy *proxy; /* NULL = none */
	struct tls_ctx *tls;		/* NULL = no TLS with the server */
	const char *tls_server_name;	/* NULL = host */
	unsigned attempt;		/* its number: the next one begins with another address */
	const char *user_agent;		/* for CONNECT, NULL = none */
	struct rand_source *rand;	/* for a proxy's Digest */
};

/*
 * How it went so far. Kept by the dial until the callback returns; what it
 * points to lives as long as the stream. TLS with the proxy counts as proxy.
 */
struct dial_report {
	const char *peer;	      /* "192.0.2.1:443", "unix:/path", "" = not connected */
	int64_t took[STAGE_OPEN + 1]; /* microseconds by stage, -1 = not reached */
	const struct tls_info *proxy_tls, *tls; /* NULL = none */
	const struct happy_try *tries;
	size_t n_tries;
};
struct dial_report *dial_report_copy(const struct dial_report *report); /* in one block: free(3) */

/*
 * stream: not attached yet, now the callee's; NULL on failure, *err then says
 * where and why, with its stage: "proxy 127.0.0.1:3128: …", "TLS with
 * example.net: …". Failed TLS with a proxy has the codes of tls.h at stage
 * proxy. The dial itself is gone after the call. Never called from inside dial_start.
 */
typedef void (*dial_cb)(void *arg, struct stream *stream, const struct dial_report *report,
			const struct error *err);

/* What all attempts of a process share: the resolver, contexts of TLS. Owned by the daemon. */
struct dialer *dialer_new(struct loop *l);
void dialer_free(struct dialer *d); /* every dial must be over or cancelled, nobody may wait */
struct tls_cache *dialer_tls_cache(struct dialer *d); /* the dialer's */

/*
 * limits.dials_per_second and limits.tls_handshakes; 0 = no limit. Those who wait are served in
 * their order. A TLS handshake gives its place back when it is over, or after
 * DIALER_TLS_HOLD, when it costs nothing but waiting for its server.
 */
#define DIALER_TLS_HOLD ((int64_t)1000000)
void dialer_set_limits(struct dialer *d, int64_t dials_per_second, int64_t tls_handshakes);

/* The turn of one attempt. Part of its user's object; zeroed memory is one that does not wait. */
struct dialer_turn {
	struct list node;
	struct dialer *dialer; /* NULL = not waiting */
	void (*go)(void *arg);
	void *arg;
};

/* One call of `go`, never from inside; dialer_leave takes it back. */
void dialer_wait_turn(struct dialer *d, struct dialer_turn *t, void (*go)(void *arg), void *arg);
void dialer_leave(struct dialer_turn *t); /* twice is fine */

struct dial *dial_start(struct dialer *dialer, const struct dial_params *params, dial_cb cb,
			void *arg);
void dial_cancel(struct dial *d); /* no callback afterwards; NULL is fine */

/* While it is under way. The report is brought up to date; valid until the loop's next turn. */
const struct dial_report *dial_report(struct dial *d);

/* For its user's deadline: ERR_TIMEOUT with the stage and the place; dial_cancel follows. False. */
bool dial_timed_out(const struct dial *d, struct error *err);

#endif
