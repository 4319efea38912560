/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inputs against an unreadable page. It finds reads behind the end, not before
 * the start. The test owns the struct. The trap: the copy is a copy; what the
 * parser changes in it is not seen in the original.
 */
#include "support/guard.h"

#include <assert.h>
#include <sys/mman.h>
#include <unistd.h>

enum { STALE = 0xDD };

void guard_init(struct guard *g, size_t most)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	*g = (struct guard){ .room = (most / page + 1) * page };
	g->map_size = g->room + page;
	g->map = mmap(NULL, g->map_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		      0);
	assert(g->map != MAP_FAILED);
	assert(mprotect(g->map + g->room, page, PROT_NONE) == 0);
}

void guard_deinit(struct guard *g)
{
	if (g->map)
		munmap(g->map, g->map_size);
	*g = (struct guard){ 0 };
}

struct span guard_place(struct guard *g, struct span s)
{
	uint8_t *end = g->map + g->room;

	assert(s.n <= g->room);
	memset(end - g->used, STALE, g->used);
	g->used = s.n;
	if (s.n > 0)
		memcpy(end - s.n, s.p, s.n);
	return span_of(end - s.n, s.n);
}
