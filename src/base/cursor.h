/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checked reading from a span: no read can run past the end. A failed read
 * leaves the cursor where it was.
 */
#ifndef WSB_BASE_CURSOR_H
#define WSB_BASE_CURSOR_H

#include "base/span.h"

static inline bool cursor_u8(struct span *c, uint8_t *out)
{
	if (c->n < 1)
		return false;
	*out = c->p[0];
	*c = span_skip(*c, 1);
	return true;
}

static inline bool cursor_be(struct span *c, size_t width, uint64_t *out)
{
	uint64_t v = 0;

	if (c->n < width)
		return false;
	for (size_t i = 0; i < width; i++)
		v = v << 8 | c->p[i];
	*out = v;
	*c = span_skip(*c, width);
	return true;
}

static inline bool cursor_bytes(struct span *c, size_t n, struct span *out)
{
	if (c->n < n)
		return false;
	*out = span_of(c->p, n);
	*c = span_skip(*c, n);
	return true;
}

#endif
