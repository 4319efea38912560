/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deterministic bytes for tests that compare output. Not random at all. The
 * test owns the struct. The trap: the source must stay the first member.
 */
#include "support/fixed_rand.h"

#include <assert.h>

static void fixed_fill(struct rand_source *r, void *out, size_t n)
{
	struct fixed_rand *f = (struct fixed_rand *)r;
	uint8_t *p = out;

	for (size_t i = 0; i < n; i++) {
		p[i] = f->bytes.p[f->at];
		f->at = (f->at + 1) % f->bytes.n;
	}
	f->drawn += n;
}

void fixed_rand_init(struct fixed_rand *f, struct span bytes)
{
	assert(bytes.n > 0);
	*f = (struct fixed_rand){ .source = { fixed_fill }, .bytes = bytes };
}
