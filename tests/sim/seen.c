/* SPDX-License-Identifier: Apache-2.0 */
/* See seen.h. */
#include "sim/seen.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

bool seen_add(struct seen *s, uint64_t number)
{
	size_t word = (size_t)(number / 64), size = s->n ? s->n : 16;
	uint64_t bit = (uint64_t)1 << (number % 64);
	bool fresh;

	while (size <= word)
		size *= 2;
	if (size > s->n) {
		s->words = mem_grow(s->words, size, sizeof(*s->words));
		memset(s->words + s->n, 0, (size - s->n) * sizeof(*s->words));
		s->n = size;
	}
	fresh = !(s->words[word] & bit);
	s->words[word] |= bit;
	return fresh;
}

bool seen_has(const struct seen *s, uint64_t number)
{
	size_t word = (size_t)(number / 64);

	return word < s->n && (s->words[word] & (uint64_t)1 << (number % 64));
}

void seen_deinit(struct seen *s)
{
	free(s->words);
	*s = (struct seen){ 0 };
}
