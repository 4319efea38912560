/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One upstream, for as long as it is configured: it makes sessions, waits
 * between them, pings, counts, and remembers why the last one ended. Its
 * policy is the table in link_fsm.c. Owned by a bridge.
 */
#ifndef WSB_LINK_LINK_H
#define WSB_LINK_LINK_H

#include "base/error.h"
#include "base/msg.h"
#include "conf/bridge_conf.h"
#include "link/link_fsm.h"
#include "link/session.h"

struct dialer;
struct http_head;
struct link;
struct loop;
struct rand_source;

struct link_event {
	enum { LINK_STATE, LINK_MESSAGE, LINK_TURN, LINK_DRAINED } type;
	struct msg msg; /* LINK_MESSAGE; valid during the call */
};

/*
 * LINK_STATE: link_state has changed (from the loop, or from inside start,
 * stop, reconnect). LINK_TURN: the messages of one read are all delivered.
 * LINK_DRAINED: after an answer LINK_FULL there is room again, or the output
 * has reached the kernel. The link must not be freed in the call.
 */
typedef void (*link_cb)(void *arg, const struct link_event *event);

enum link_send_result { LINK_SENT, LINK_FULL, LINK_NOT_OPEN };

struct link_counters {
	uint64_t messages, bytes; /* payload bytes */
};

struct link_info {
	enum link_state state;
	int64_t since;		 /* seconds since 1970, of the last change of state */
	uint64_t attempts;	 /* since the last open connection */
	uint64_t reconnects;	 /* connections opened after the first one */
	uint64_t epoch;		 /* connections opened */
	double retry_in;	 /* seconds, -1 = no attempt is planned */
	struct error last_error; /* ERR_NONE = none so far */
	int64_t last_error_at;	 /* seconds since 1970 */
	struct {
		int code;	  /* 0 = none so far; 1005, 1006 as RFC 6455, 7.4.1 */
		char reason[160]; /* escaped */
		bool clean;
	} last_close;
	double rtt;	/* seconds, -1 = unknown */
	double last_rx; /* age of the last complete frame in seconds, -1 = none yet */
	struct link_counters rx, tx;
	uint64_t tx_queued,
		tx_done; /* wire bytes of this epoch: handed to the session, taken by the kernel */
	struct session_details details; /* of the connection, or of the last one that was tried */
};

struct link_params {
	struct loop *loop;
	struct dialer *dialer;
	struct rand_source *rand;
	struct bridge_conf *conf; /* a reference is taken */
	link_cb cb;
	void *arg;
};

struct link *link_new(const struct link_params *params); /* stopped */
void link_free(struct link *k);				 /* drops the connection; NULL is fine */

void link_start(struct link *k);
/*
 * Close handshake with this code (RFC 6455, 7.4), bounded by timeouts.close; no attempt
 * afterwards. reason: at most 123 bytes.
 */
void link_stop(struct link *k, int code, const char *reason);
void link_reconnect(struct link *k); /* drops what is there and dials now */
void link_configure(struct link *k, struct bridge_conf *conf,
		    bool reconnect); /* takes its own reference */

enum link_send_result link_send(struct link *k, struct msg msg);
enum link_send_result link_ping(struct link *k, struct span payload); /* at most 125 bytes */
enum link_send_result link_pong(struct link *k, struct span payload);
void link_flush(struct link *k); /* now instead of at the end of the turn */

enum link_state link_state(const struct link *k);
bool link_is_open(const struct link *k);
bool link_has_session(const struct link *k);
void link_info(struct link *k,
	       struct link_info *info); /* pointers in it are valid until the next turn */

#endif
