/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream over a connected Unix seqpacket socket: each DATA is one packet,
 * each element of an offer becomes one, whole or not at all. An empty packet
 * is nothing; it is not the end of input. Owned by a client.
 */
#ifndef WSB_ENDPOINT_PACKET_H
#define WSB_ENDPOINT_PACKET_H

#include <stddef.h>

struct loop;
struct stream;

/* fd: connected, non-blocking, the stream's from now on. */
struct stream *packet_stream_new(struct loop *l, int fd);

/* Makes room in the socket for packets of `want` bytes, if the system lets us. Returns the most
 * that one packet may have. */
size_t packet_make_room(int fd, size_t want);

#endif
