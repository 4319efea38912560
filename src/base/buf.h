/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A byte queue: append at the end, consume at the front. It cannot be made
 * without a cap. Memory grows with what is stored (doubling), never with what
 * somebody announced, and is given back when the queue runs empty and the
 * block is large.
 *
 *   data            data+off              data+off+len        data+size
 *    |--- consumed ---|------ bytes ---------|------ room ------|
 */
#ifndef WSB_BASE_BUF_H
#define WSB_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

struct buf {
	uint8_t *data;
	size_t off;
	size_t len;
	size_t size;
	size_t cap; /* most bytes that may be stored at a time */
};

void buf_init(struct buf *b, size_t cap);
void buf_deinit(struct buf *b); /* twice is fine; the cap stays, so the buf may be used again */

/*
 * Room for n more bytes at the end, or NULL if that passes the cap or memory
 * is short; the buf is unchanged then. Valid until the next call on b.
 * Follow with buf_commit(b, written), written <= n.
 */
uint8_t *buf_reserve(struct buf *b, size_t n);
void buf_commit(struct buf *b, size_t n);

bool buf_append(struct buf *b, struct span s); /* false: cap or memory; nothing was added */
struct span buf_bytes(const struct buf *b);    /* all stored bytes; valid until the next change */
void buf_consume(struct buf *b, size_t n);     /* n <= stored; gives large memory back at 0 */
void buf_clear(struct buf *b);
void buf_trim(struct buf *b); /* gives back what is not in use */

#endif
