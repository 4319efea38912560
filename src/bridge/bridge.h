/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One named bridge: a link, its endpoints, and what to do when one side is
 * slow or absent. The only object that knows both sides and the only home of
 * that policy. It holds no bytes but the bounded outbox. Owned by the registry.
 *
 *   registry ─ bridge ─┬─ link ─ session ─ ws_conn, stream
 *                      ├─ endpoint ─ client ─ stream, outq
 *                      ├─ lane ─ outbox
 *                      └─ pair (private sharing) ─ link, lane
 */
#ifndef WSB_BRIDGE_BRIDGE_H
#define WSB_BRIDGE_BRIDGE_H

#include "conf/bridge_conf.h"
#include "endpoint/endpoint.h"
#include "link/link.h"

struct bridge;
struct dialer;
struct history;
struct loop;
struct rand_source;

enum bridge_event {
	BRIDGE_STATE,	/* its state, as users see it, has changed */
	BRIDGE_FLUSHED, /* output has reached the kernel */
};
typedef void (*bridge_cb)(void *arg, struct bridge *b, enum bridge_event event);

/*
 * Whoever wants to see what comes from upstreams, besides the endpoints. r is what local clients
 * are told, and valid during the call; NULL: the state, as users see it, is another. The bridge
 * must not be touched in it. cb NULL: nobody listens, and it costs nothing.
 */
struct bridge_tap {
	void (*cb)(void *arg, struct bridge *b, const struct record *r);
	void *arg;
};

/* The same for all bridges of an owner. */
struct bridge_env {
	struct loop *loop;
	struct dialer *dialer;
	struct rand_source *rand;
	struct endpoint_quota *quota;
	const struct bridge_tap *tap; /* the owner's, who may change what is in it; or NULL */
	bridge_cb cb;
	void *arg;
};

/*
 * Always makes a bridge and takes its own reference of conf; env must stay. Where an endpoint
 * could not be made, *err says why and the bridge stands in state failed with
 * that error; the caller keeps it so or frees it.
 */
struct bridge *bridge_new(const struct bridge_env *env, struct bridge_conf *conf,
			  struct error *err);
void bridge_free(struct bridge *b); /* at once, without a close handshake; NULL is fine */

/* Dials, also again after bridge_stop; makes missing endpoints anew. */
void bridge_start(struct bridge *b);
void bridge_begin(struct bridge *b); /* as "start" says */
/* Close handshake; endpoints stay. */
void bridge_stop(struct bridge *b, int code, const char *reason);
/* For good: endpoints go at once, the link with a close handshake. */
void bridge_retire(struct bridge *b);
/* False: *err; it has no connection that is shared. */
bool bridge_reconnect(struct bridge *b, struct error *err);
void bridge_check(struct bridge *b); /* the machine was suspended: see link_check */
bool bridge_has_endpoint_error(const struct bridge *b); /* an endpoint could not be made */
/* It is at rest: nothing more will come of it. */
bool bridge_is_stopped(const struct bridge *b);
bool bridge_has_session(const struct bridge *b); /* a connection exists, at whatever stage */
bool bridge_is_private(const struct bridge *b);	 /* each client has a connection of its own */
/*
 * Touches only what differs. As bridge_new for *err. A bridge that could not
 * start for want of an endpoint starts now if it can and is to by itself.
 */
void bridge_configure(struct bridge *b, struct bridge_conf *conf, struct error *err);
/*
 * The first half of bridge_configure: endpoints that go or change are gone, so that others
 * may have their paths. The second half must follow before anything else.
 */
void bridge_release(struct bridge *b, const struct bridge_conf *conf);
void bridge_stop_accepting(struct bridge *b);  /* of the orderly end: no new local clients */
size_t bridge_pending(const struct bridge *b); /* bytes that still wait for local clients */

enum bridge_send_result {
	BRIDGE_SENT,	 /* the session has it */
	BRIDGE_QUEUED,	 /* the outbox has it */
	BRIDGE_NOT_OPEN, /* refused: not open */
	BRIDGE_FULL,	 /* refused: output or outbox are full */
	BRIDGE_BUSY,	 /* refused: over its rate, or others go first */
	BRIDGE_PRIVATE,	 /* refused: it has no connection that is shared */
};
/*
 * queue: into the outbox if the upstream is not open. Text must be UTF-8. Tries to reach
 * the kernel at once.
 */
enum bridge_send_result bridge_send(struct bridge *b, struct msg msg, bool queue);
enum bridge_send_result bridge_send_control(struct bridge *b, bool pong,
					    struct span payload); /* at most 125 bytes */

#define BRIDGE_IDLE "idle" /* started, and nobody wants the connection */

/*
 * Handshakes and the headers of frames of all its connections go to the log for so long
 * (microseconds), from now on; again: for so long from now. 0: no more.
 */
void bridge_trace(struct bridge *b, int64_t how_long);
int64_t bridge_traced_until(const struct bridge *b); /* seconds since 1970; 0 = it is not */

/* What users see (wsbridge-rpc(7)): "open", "waiting", "idle", "failed" … */
const char *bridge_state(const struct bridge *b);
const char *bridge_name(const struct bridge *b);
const struct bridge_conf *bridge_configuration(const struct bridge *b);

struct bridge_info {
	struct link_info link; /* private: of one of them, with the counters of all */
	uint64_t dropped; /* messages lost on any way: slow clients, outbox, unfit for a framing */
	uint64_t unheard; /* inbound messages that came while no local client was there */
	uint64_t seq;	  /* of the last message that was received */
	bool paused;	  /* reading waits for a slow local client ("overflow": "block") */
	uint64_t refused; /* records of local clients that were refused */
	size_t outbox_messages, outbox_bytes;
	uint64_t outbox_expired, outbox_dropped, outbox_rejected;
};
void bridge_info(struct bridge *b, struct bridge_info *info); /* valid until the next turn */

/* What happened lately; of a private bridge, to the connection that was begun last. */
const struct history *bridge_history(const struct bridge *b);

size_t bridge_n_endpoints(const struct bridge *b);
struct endpoint *bridge_endpoint(const struct bridge *b, size_t i); /* NULL: it could not be made */
/* Of the connection of its own; NULL = it has none. */
const char *bridge_client_state(const struct bridge *b, client_id client);

#endif
