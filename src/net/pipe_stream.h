/* SPDX-License-Identifier: Apache-2.0 */
/* A byte stream over one end of a pipe: bytes go in one direction only. */
#ifndef WSB_NET_PIPE_STREAM_H
#define WSB_NET_PIPE_STREAM_H

struct loop;
struct stream;

/*
 * Over a non-blocking descriptor that is open for reading or for writing, not
 * both; the stream owns it. At a writing end FAILED with EPIPE means that
 * nobody reads any more, and comes as soon as that is so, paused or not. At a
 * reading end EOF means that nobody writes.
 */
struct stream *pipe_stream_new(struct loop *l, int fd);

#endif
