/* SPDX-License-Identifier: Apache-2.0 */
/* See zlib_memory.h. What is freed early stays in the piece: zlib frees at the end. */
#include "ws/zlib_memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/mem.h"

#define ALIGN ((size_t)64)

struct piece {
	z_stream z; /* first: it is what others know */
	size_t size, used;
};

static size_t rounded(size_t n)
{
	return (n + ALIGN - 1) & ~(ALIGN - 1);
}

static void *take(void *opaque, unsigned n, unsigned each)
{
	struct piece *p = opaque;
	size_t size = (size_t)n * each, at = p->used;

	if (size > p->size - at)
		return mem_try_alloc(size);
	p->used = rounded(at + size) < p->size ? rounded(at + size) : p->size;
	return (uint8_t *)p + at;
}

static void give(void *opaque, void *block)
{
	const struct piece *p = opaque;
	uintptr_t at = (uintptr_t)block, start = (uintptr_t)p;

	if (at < start || at >= start + p->size)
		free(block);
}

struct z_stream_s *zlib_stream_new(size_t size)
{
	size_t all = rounded(sizeof(struct piece)) + rounded(size);
	struct piece *p = mem_try_pages(all);

	if (!p)
		return NULL;
	p->size = all;
	p->used = rounded(sizeof(*p));
	p->z = (z_stream){ .zalloc = take, .zfree = give, .opaque = p };
	return &p->z;
}

void zlib_stream_free(struct z_stream_s *z)
{
	struct piece *p = (struct piece *)z;

	if (p)
		mem_free_pages(p, p->size);
}
