/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One WebSocket conversation as a client (RFC 6455), from the upgrade request
 * to the last Close: bytes in, events out, bytes out. It has no descriptor, no
 * clock and no callback; it allocates no more than what has arrived. Owned by
 * the session.
 *
 *   feed(bytes) → next(&event) … until NONE → output() to the wire
 *
 * The trap: a span in an event points into the bytes that were fed, or into a
 * buffer of the conversation; both are valid only until the next call.
 */
#ifndef WSB_WS_CONN_H
#define WSB_WS_CONN_H

#include <sys/uio.h>

#include "base/error.h"
#include "base/msg.h"
#include "ws/frame.h"
#include "ws/params.h"

struct http_head;

enum ws_event_type {
	WS_NONE,     /* nothing more until the next feed */
	WS_UPGRADED, /* the server has agreed: ws_conn_head, ws_conn_subprotocol */
	WS_MESSAGE,  /* msg; with deliver_fragments it may be a part of one: msg.more */
	WS_PING,     /* payload; the Pong is queued, or waits for others to be written */
	WS_PONG,     /* payload */
	WS_CLOSE,    /* the peer's: close_code (1005 = none), payload = reason; ours is queued */
	/*
	 * ws_conn_error. If upgraded, a Close with the right code is queued; of a refused
	 * handshake, payload is what came behind the response head: the beginning of its body.
	 */
	WS_FAILED,
};

struct ws_event {
	enum ws_event_type type;
	struct msg msg;
	struct span payload;
	int close_code;
};

enum ws_send_result {
	WS_SENT, /* in the output queue */
	WS_FULL, /* over max_output: nothing was taken; try again when output has been written */
	WS_NOT_OPEN, /* not upgraded yet, or a Close has been queued */
};

enum { WS_WANT_READ = 1, WS_WANT_WRITE = 2 };

#define WS_OUTPUT_IOV 3 /* what ws_conn_output fills at most */

struct ws_conn;

/* The request stands in the output queue at once. */
struct ws_conn *ws_conn_new(const struct ws_params *params);
void ws_conn_free(struct ws_conn *c);

/*
 * Hands in bytes from the server. They must stay valid and unchanged until
 * ws_conn_next has answered WS_NONE or WS_FAILED; then all of them are used up.
 */
void ws_conn_feed(struct ws_conn *c, struct span bytes);

/*
 * The next event, also in ev->type. After WS_FAILED, and after WS_CLOSE (RFC
 * 6455, 1.4), only WS_NONE.
 */
enum ws_event_type ws_conn_next(struct ws_conn *c, struct ws_event *ev);

/*
 * The same, fast, for whole messages that come one behind the other: up to `max` of them, valid
 * until the next call. 0: what comes next is something else, or nothing, or a message that
 * ws_conn_next has to look at.
 */
size_t ws_conn_run(struct ws_conn *c, struct msg *msgs, size_t max);

/*
 * Queue a message, a control frame. A message that is above max_output by
 * itself, compressed if it would be, with its header, is always WS_FULL. A
 * control payload is cut by nobody: above 125 bytes is the caller's error
 * (assert). Text is not checked here: the caller has seen to it that it is
 * UTF-8 (RFC 6455, 5.6).
 *
 * A message with msg.more is a fragment: the next ones sent continue it, up to
 * the first without (RFC 6455, 5.4); their type is the first one's. A message
 * above WS_ONE_FRAME_MAX (compressed, if it is), or above WS_FRAME_SIZE while
 * output waits, goes out in frames of WS_FRAME_SIZE (ws/limits.h), so that
 * control frames get through between them.
 */
enum ws_send_result ws_conn_send(struct ws_conn *c, struct msg msg);
/*
 * The same for a large message, in parts, so that one can leave before the next one is made: takes
 * `most` bytes of it off *msg, or all that is left if something waits in the output, or it is to
 * be compressed. The rest has to follow, before anything else. WS_FULL in the middle: there is no
 * memory, and what has been sent cannot be completed.
 */
enum ws_send_result ws_conn_send_part(struct ws_conn *c, struct msg *msg, size_t most);
/*
 * Queues whole messages, in order, until the output holds `until` bytes, or one needs
 * ws_conn_send. Returns how many it took.
 */
size_t ws_conn_send_run(struct ws_conn *c, const struct msg *msgs, size_t n, size_t until);
enum ws_send_result ws_conn_ping(struct ws_conn *c, struct span payload);
enum ws_send_result ws_conn_pong(struct ws_conn *c, struct span payload);

/*
 * Queues our Close (RFC 6455, 7.1.2); code 0 = without a body. After it no
 * data leaves; what was queued before still does. Inbound messages go on until
 * the peer's Close. WS_NOT_OPEN if a Close was queued before, or not upgraded.
 * The code must be one that may be sent (close_code_sendable), the reason at
 * most 123 bytes of UTF-8. Pings of the peer are still answered (RFC 6455,
 * 5.5.2).
 */
enum ws_send_result ws_conn_close(struct ws_conn *c, int code, struct span reason);

/*
 * What to write to the wire, in this order: returns how many elements of iov
 * it filled. Tell ws_conn_wrote how many of these bytes are written before the
 * next call. To be written even after WS_FAILED: it holds the Close then.
 * Pings and Pongs pass queued data at the next boundary of a frame (RFC 6455,
 * 5.4); a Close does not. While WS_PONGS_MAX automatic Pongs wait, of further
 * ones only the newest is kept (RFC 6455, 5.5.3).
 */
int ws_conn_output(struct ws_conn *c, struct iovec iov[WS_OUTPUT_IOV]);
void ws_conn_wrote(struct ws_conn *c, size_t n);
size_t ws_conn_output_len(const struct ws_conn *c); /* bytes that wait */

/*
 * Wire bytes ever queued and written, of data frames (with the request and the
 * Close) and of Pings and Pongs apart, for these overtake: what was queued last
 * has left when `written` has reached what `queued` was then.
 */
struct ws_progress {
	uint64_t data_queued, data_written, control_queued, control_written;
};
struct ws_progress ws_conn_progress(const struct ws_conn *c);

/*
 * Where the wire stands between two frames, or inside of one: for somebody who begins to look at
 * the bytes now. All that was fed must have been taken (WS_NONE).
 */
struct ws_wire {
	enum {
		WIRE_ANSWER, /* it is the response that comes, and `answer` has come of it */
		WIRE_FRAMES,
		WIRE_OVER, /* nothing that comes is looked at any more */
	} in;
	struct span answer;	      /* valid until the next call */
	struct frame_decoder decoder; /* with the header that has begun to come */
	uint64_t left;		      /* of the payload that has begun to come */
	size_t begun;		      /* bytes of the frame, or request, that has begun to leave */
};
void ws_conn_wire(const struct ws_conn *c, struct ws_wire *wire);

/* Complete frames that have come, also those that are no event: a fragment that is joined. */
uint64_t ws_conn_frames(const struct ws_conn *c);

/*
 * The transport is gone: gives back all buffers. No more calls but ws_conn_free
 * and the questions that take a const conversation; those about the
 * response, the error, the progress, compression, ws_conn_frames and ws_conn_partial have the
 * answers of before.
 */
void ws_conn_retire(struct ws_conn *c);

/* WS_WANT_ bits; 0 = the conversation is over and the transport may be closed. */
int ws_conn_wants(struct ws_conn *c);

bool ws_conn_is_open(const struct ws_conn *c); /* upgraded, no Close sent or received, not failed */

/* After WS_FAILED: code, stage (handshake or none), HTTP status, close_code that was sent. */
const struct error *ws_conn_error(const struct ws_conn *c);

/* What was agreed on compression, and what it did. Messages that came or went as they are: none. */
struct ws_packed {
	uint64_t messages, packed, bytes; /* on the wire without headers, and what they stand for */
};
struct ws_compression {
	struct ws_deflate agreed;
	struct ws_packed rx, tx;
};
void ws_conn_compression(const struct ws_conn *c, struct ws_compression *out);

/*
 * It goes up with each message that has had a use for the memory of compression, also with one
 * that went out as it is after all. While it stays, nothing more has been taken.
 */
uint64_t ws_conn_memory_uses(const struct ws_conn *c);

/*
 * Nothing has been said for a while: gives back the memory that messages have left behind, but
 * for what the next ones may refer to (RFC 7692, 7.2.2), which is kept in a smaller form.
 */
void ws_conn_release(struct ws_conn *c);

/* The response, as far as it has been read: its fields, until ws_conn_settle, and its bytes. */
const struct http_head *ws_conn_head(const struct ws_conn *c);
struct span ws_conn_answer(const struct ws_conn *c);

/* Upgraded, and nobody asks for ws_conn_head any more: it is NULL from now on. Twice is fine. */
void ws_conn_settle(struct ws_conn *c);

const char *ws_conn_subprotocol(const struct ws_conn *c); /* NULL = none */

/*
 * Bytes of a message that is not complete yet; they are lost if the transport
 * ends now. With deliver_fragments: of a fragment.
 */
size_t ws_conn_partial(const struct ws_conn *c);

#endif
