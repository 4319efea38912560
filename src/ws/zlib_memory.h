/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream of zlib with its memory in one piece, so that all of it goes back to
 * the kernel at once. How much zlib wants is not told by its interface: what
 * does not fit is allocated.
 */
#ifndef WSB_WS_ZLIB_MEMORY_H
#define WSB_WS_ZLIB_MEMORY_H

#include <stddef.h>

struct z_stream_s;

/* Without a state yet, with room for one of `size` bytes; NULL = no memory. */
struct z_stream_s *zlib_stream_new(size_t size);
void zlib_stream_free(struct z_stream_s *z); /* after inflateEnd or deflateEnd; NULL is fine */

#endif
