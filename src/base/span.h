/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A borrowed run of bytes. It owns nothing and says nothing about how long the
 * bytes live: the function that hands one out does.
 */
#ifndef WSB_BASE_SPAN_H
#define WSB_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
	const uint8_t *p;
	size_t n;
};

static inline struct span span_of(const void *p, size_t n)
{
	return (struct span){ .p = p, .n = n };
}

static inline struct span span_str(const char *s)
{
	return span_of(s, strlen(s));
}

static inline bool span_equal(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* The rest of s behind its first n bytes; n must not be above s.n. */
static inline struct span span_skip(struct span s, size_t n)
{
	return (struct span){ .p = s.n ? s.p + n : s.p, .n = s.n - n };
}

#endif
