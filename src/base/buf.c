/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The byte queue of buf.h. No sharing and no wiping of what was consumed. The
 * struct belongs to whoever embeds it. The trap: bytes are moved to the front
 * only when at least as many have been consumed, or a queue that never runs
 * empty would be moved again and again; the block may therefore reach twice
 * the cap.
 */
#include "base/buf.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
	BUF_FIRST = 256,      /* the first block */
	BUF_KEEP = 16 * 1024, /* an empty queue keeps a block up to this size */
};

void buf_init(struct buf *b, size_t cap)
{
	*b = (struct buf){ .cap = cap };
}

void buf_deinit(struct buf *b)
{
	free(b->data);
	buf_init(b, b->cap);
}

/* The next block size: doubled, at least what is needed, and not absurdly above it. */
static size_t next_size(const struct buf *b, size_t need)
{
	size_t most = b->off > 0 && need <= SIZE_MAX / 2 ? 2 * need : b->cap;
	size_t size = b->size > SIZE_MAX / 2 ? SIZE_MAX : 2 * b->size;

	if (size < BUF_FIRST)
		size = BUF_FIRST;
	if (size > most)
		size = most;
	return size > need ? size : need;
}

static bool grow(struct buf *b, size_t need)
{
	size_t size = next_size(b, need);
	uint8_t *data;

	if (b->off == 0) {
		data = mem_try_realloc(b->data, size);
		if (!data)
			return false;
	} else {
		data = mem_try_alloc(size);
		if (!data)
			return false;
		memcpy(data, b->data + b->off, b->len);
		free(b->data);
	}
	b->data = data;
	b->off = 0;
	b->size = size;
	return true;
}

uint8_t *buf_reserve(struct buf *b, size_t n)
{
	size_t need;

	if (b->len > b->cap || n > b->cap - b->len)
		return NULL;
	need = b->len + n;
	if (b->data && need <= b->size - b->off)
		return b->data + b->off + b->len;
	if (b->data && need <= b->size && b->off >= b->len) {
		memmove(b->data, b->data + b->off, b->len);
		b->off = 0;
	} else if (!grow(b, need)) {
		return NULL;
	}
	return b->data + b->len;
}

void buf_commit(struct buf *b, size_t n)
{
	assert(n <= b->size - b->off - b->len);
	b->len += n;
}

bool buf_append(struct buf *b, struct span s)
{
	uint8_t *room;

	if (s.n == 0)
		return true;
	room = buf_reserve(b, s.n);
	if (!room)
		return false;
	memcpy(room, s.p, s.n);
	buf_commit(b, s.n);
	return true;
}

struct span buf_bytes(const struct buf *b)
{
	return b->data ? span_of(b->data + b->off, b->len) : span_of(NULL, 0);
}

void buf_consume(struct buf *b, size_t n)
{
	assert(n <= b->len);
	b->len -= n;
	b->off += n;
	if (b->len > 0)
		return;
	b->off = 0;
	if (b->size > BUF_KEEP)
		buf_deinit(b);
}

void buf_clear(struct buf *b)
{
	buf_consume(b, b->len);
}

void buf_trim(struct buf *b)
{
	uint8_t *data;

	if (b->len == 0) {
		buf_deinit(b);
		return;
	}
	if (b->off > 0)
		memmove(b->data, b->data + b->off, b->len);
	b->off = 0;
	data = mem_try_realloc(b->data, b->len);
	if (!data)
		return; /* then it stays as it is */
	b->data = data;
	b->size = b->len;
}
