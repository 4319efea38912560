/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the fuzz targets share: the entry point, a check that stays on, and a
 * random source that is none. A target must not print, keep state between two
 * inputs, or depend on anything but its input.
 */
#ifndef WSB_FUZZ_FUZZ_H
#define WSB_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rand.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Bytes on the heap; there only under a sanitizer. */
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

#define CHECK(condition)                                                                \
	do {                                                                            \
		if (!(condition)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                        \
		}                                                                       \
	} while (0)

/* The nonce of RFC 6455, 1.3, over and over. */
static inline void fuzz_rand_fill(struct rand_source *r, void *out, size_t n)
{
	static const char nonce[] = "the sample nonce";

	(void)r;
	for (size_t i = 0; i < n; i++)
		((uint8_t *)out)[i] = (uint8_t)nonce[i % (sizeof(nonce) - 1)];
}

#define FUZZ_ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" /* answers that nonce */

#endif
