/* SPDX-License-Identifier: Apache-2.0 */
/* A set of numbers that come roughly in order: which have been seen. */
#ifndef SIM_SEEN_H
#define SIM_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct seen {
	uint64_t *words;
	size_t n;
};

bool seen_add(struct seen *s, uint64_t number); /* false: it was in */
bool seen_has(const struct seen *s, uint64_t number);
void seen_deinit(struct seen *s);

#endif
