/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A block of encoded records that many queues share by counted references.
 * Bytes that a range refers to never change. It knows where its records end,
 * so that a queue can drop whole ones and count them. A big record is a chunk
 * of its own.
 */
#ifndef WSB_ENDPOINT_CHUNK_H
#define WSB_ENDPOINT_CHUNK_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CHUNK_SIZE = 64 * 1024,
	CHUNK_RECORD_MAX = 16 * 1024, /* a record above this gets a chunk of its own */
};

#define CHUNK_WORD_BITS 64 /* of `ends` */

struct chunk {
	unsigned refs;
	size_t len, size;
	uint64_t *ends; /* bit i: byte i ends a record; NULL: one record fills the chunk */
	uint8_t *data;
};

/* Records of a chunk, [from, to). `from` may be inside a record, `to` is where one ends. */
struct chunk_range {
	struct chunk *chunk;
	size_t from, to;
	size_t n;      /* records that end in it */
	size_t events; /* of these, the ones that are no messages */
};

/* All with one reference, the caller's. */
struct chunk *chunk_new(void);		    /* for records up to CHUNK_RECORD_MAX */
struct chunk *chunk_try_new(size_t size);   /* for one record of size > 0; NULL: no memory */
struct chunk *chunk_new_small(size_t size); /* the same for a size that is ours: it aborts */
struct chunk *chunk_ref(struct chunk *c);
void chunk_unref(struct chunk *c); /* NULL is fine */

/* Room for a record of n bytes, or NULL. */
static inline uint8_t *chunk_room(struct chunk *c, size_t n)
{
	return n <= c->size - c->len ? c->data + c->len : NULL;
}

/* It is a record now; n > 0. */
static inline void chunk_commit(struct chunk *c, size_t n)
{
	assert(n > 0 && n <= c->size - c->len);
	assert(c->ends || n == c->size);
	c->len += n;
	if (c->ends)
		c->ends[(c->len - 1) / CHUNK_WORD_BITS] |= UINT64_C(1)
							   << (c->len - 1) % CHUNK_WORD_BITS;
}

/* Makes it empty; the caller has the only reference and the chunk is from chunk_new. */
void chunk_reset(struct chunk *c);

/* Of the record that holds byte `at`, at < len: the offset behind it, and its own. */
size_t chunk_record_end(const struct chunk *c, size_t at);
size_t chunk_record_start(const struct chunk *c, size_t at);

/* How many records end in [from, to)? */
size_t chunk_count(const struct chunk *c, size_t from, size_t to);

#endif
