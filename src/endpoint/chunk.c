/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The block of chunk.h. It does not know what a record says or how it ends:
 * one bit for each byte marks the ends, which costs an eighth of the block
 * whatever the size of the records. Owned by whoever holds a reference. The
 * trap: it only grows at its end, and chunk_reset is for a sole owner.
 */
#include "endpoint/chunk.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct shared_chunk {
	struct chunk head;
	uint64_t ends[CHUNK_SIZE / CHUNK_WORD_BITS];
	uint8_t bytes[CHUNK_SIZE];
};

struct single_chunk {
	struct chunk head;
	uint8_t bytes[];
};

struct chunk *chunk_new(void)
{
	struct shared_chunk *c = mem_alloc(sizeof(*c));

	c->head = (struct chunk){
		.refs = 1, .size = CHUNK_SIZE, .ends = c->ends, .data = c->bytes
	};
	memset(c->ends, 0, sizeof(c->ends));
	return &c->head;
}

struct chunk *chunk_try_new(size_t size)
{
	struct single_chunk *c;

	assert(size > 0);
	if (size > SIZE_MAX - sizeof(*c))
		return NULL;
	c = mem_try_alloc(sizeof(*c) + size);
	if (!c)
		return NULL;
	c->head = (struct chunk){ .refs = 1, .size = size, .data = c->bytes };
	return &c->head;
}

struct chunk *chunk_new_small(size_t size)
{
	struct single_chunk *c = mem_alloc(sizeof(*c) + size);

	assert(size > 0 && size <= CHUNK_RECORD_MAX);
	c->head = (struct chunk){ .refs = 1, .size = size, .data = c->bytes };
	return &c->head;
}

struct chunk *chunk_ref(struct chunk *c)
{
	c->refs++;
	return c;
}

void chunk_unref(struct chunk *c)
{
	if (!c)
		return;
	assert(c->refs > 0);
	if (--c->refs == 0)
		free(c);
}

void chunk_reset(struct chunk *c)
{
	assert(c->refs == 1 && c->ends);
	memset(c->ends, 0, (c->len + CHUNK_WORD_BITS - 1) / CHUNK_WORD_BITS * sizeof(*c->ends));
	c->len = 0;
}

size_t chunk_record_end(const struct chunk *c, size_t at)
{
	size_t i = at / CHUNK_WORD_BITS;
	uint64_t word;

	assert(at < c->len);
	if (!c->ends)
		return c->len;
	word = c->ends[i] & ~UINT64_C(0) << at % CHUNK_WORD_BITS;
	while (word == 0)
		word = c->ends[++i];
	return i * CHUNK_WORD_BITS + (size_t)__builtin_ctzll(word) + 1;
}

size_t chunk_record_start(const struct chunk *c, size_t at)
{
	size_t i = at / CHUNK_WORD_BITS;
	uint64_t word;

	assert(at < c->len);
	if (!c->ends)
		return 0;
	word = c->ends[i] & ~(~UINT64_C(0) << at % CHUNK_WORD_BITS);
	while (word == 0 && i > 0)
		word = c->ends[--i];
	if (word == 0)
		return 0;
	return i * CHUNK_WORD_BITS + CHUNK_WORD_BITS - (size_t)__builtin_clzll(word);
}

size_t chunk_count(const struct chunk *c, size_t from, size_t to)
{
	size_t n = 0;

	assert(from <= to && to <= c->len);
	while (from < to) {
		from = chunk_record_end(c, from);
		if (from <= to)
			n++;
	}
	return n;
}
