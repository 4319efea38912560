/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every byte stream offers, and the events it reports to the one callback
 * of its owner. A stream has no queue of its own: who produces bytes keeps
 * them (ws_conn's output, a client's outq) and offers them; so there is one
 * queue for each direction, and the one who can drop or reorder has it.
 * Deadlines are not stream events either: who has one owns the timer.
 */
#ifndef WSB_NET_STREAM_H
#define WSB_NET_STREAM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/error.h"
#include "base/span.h"

struct loop;
struct stream;

enum stream_event {
	STREAM_DATA,	 /* data; valid during the call */
	STREAM_WRITABLE, /* an offer fell short before; there is room again */
	STREAM_EOF,	 /* the peer will send nothing more; we still may */
	STREAM_FAILED,	 /* err; last event */
};

/*
 * Called from the loop only, never from inside a call on the stream. The stream may be
 * freed in it.
 */
typedef void (*stream_cb)(void *arg, enum stream_event event, struct span data,
			  const struct error *err);

/*
 * Bytes at the transport (of TLS: ciphertext) since it was opened. Whatever an
 * offer took is in `written`; `unacked` of it may not have arrived.
 */
struct stream_acked {
	uint64_t written; /* given to the kernel, or waiting for it in a TLS stream */
	uint64_t unacked; /* of these, not acknowledged by the other machine */
};

struct stream_ops {
	size_t (*offer)(struct stream *s, const struct iovec *iov, int n);
	void (*read_enable)(struct stream *s, bool on);
	void (*shutdown)(struct stream *s);
	void (*free)(struct stream *s);
	bool (*acked)(struct stream *s, struct stream_acked *out); /* NULL = not known */
};

struct stream {
	const struct stream_ops *ops;
	stream_cb cb; /* NULL until stream_attach: nothing is read */
	void *arg;
};

/* Gives the stream its owner and starts reading. */
void stream_attach(struct stream *s, stream_cb cb, void *arg);

/* Takes it from its owner again: paused, no event until the next stream_attach. Nothing is lost. */
void stream_detach(struct stream *s);

/*
 * Writes at once what the transport takes and returns how many bytes that
 * were. Less than all: WRITABLE follows. After a failure it returns 0 and
 * FAILED follows, or has been reported.
 */
size_t stream_offer(struct stream *s, const struct iovec *iov, int n);

void stream_pause(struct stream *s); /* no DATA and no EOF until resumed */
void stream_resume(struct stream *s);
void stream_shutdown(struct stream *s); /* we send nothing more; the peer sees the end of input */
/* False: this transport does not tell (Unix sockets). Also good after FAILED. */
bool stream_get_acked(struct stream *s, struct stream_acked *out);
void stream_free(struct stream *s); /* closes; no event afterwards; NULL is fine */

/* Over a connected, non-blocking descriptor (TCP, Unix), which it owns. */
struct stream *fd_stream_new(struct loop *l, int fd);

/*
 * For a stream over such a one that reads the descriptor itself (TLS): `receive` is called in
 * place of recv(2), and answers like it. What it has dealt with itself it does not return, but
 * says EAGAIN afterwards, or EINTR if there may be more; it may free the stream.
 * Returns the descriptor, which stays the stream's; -1: s has none.
 */
typedef ssize_t (*fd_receive)(void *arg, void *to, size_t n);
int fd_stream_set_receive(struct stream *s, fd_receive receive, void *arg);
void fd_stream_ask_writable(struct stream *s); /* WRITABLE, as after an offer that fell short */

#endif
