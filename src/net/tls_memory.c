/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See tls_memory.h. The place is a row of slots, an address space that costs
 * nothing where it was not touched. A few slots that have become free are kept
 * as they are, for the next record; the pages of the others go back at once.
 * The trap: a block is told by its address alone, so the row never moves.
 */
#include "net/tls_memory.h"

#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"

/* From the buffer of a record (RFC 8446, 5.1) to that of a flight of the handshake. */
#define BLOCK_MIN ((size_t)16 * 1024)
#define SLOT_SIZE ((size_t)24 * 1024)
#define SLOTS 2048 /* with more blocks at a time these are malloc's */
#define WARM_MAX 8

static struct {
	uint8_t *row;		 /* NULL: OpenSSL has malloc(3) for all */
	size_t used;		 /* slots from there on were never asked for */
	uint16_t cold[SLOTS];	 /* free, without memory */
	uint16_t warm[WARM_MAX]; /* free */
	size_t n_cold, n_warm;
} slots;

static void *at(size_t slot)
{
	return slots.row + slot * SLOT_SIZE;
}

static bool is_slot(const void *block)
{
	return (uintptr_t)block - (uintptr_t)slots.row < SLOTS * SLOT_SIZE;
}

static void *take(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	if (size < BLOCK_MIN || size > SLOT_SIZE)
		return size ? malloc(size) : NULL;
	if (slots.n_warm > 0)
		return at(slots.warm[--slots.n_warm]);
	if (slots.n_cold > 0)
		return at(slots.cold[--slots.n_cold]);
	return slots.used < SLOTS ? at(slots.used++) : malloc(size);
}

static void give(void *block, const char *file, int line)
{
	size_t slot;

	(void)file;
	(void)line;
	if (!is_slot(block)) {
		free(block);
		return;
	}
	slot = (size_t)((uint8_t *)block - slots.row) / SLOT_SIZE;
	if (slots.n_warm < WARM_MAX) {
		slots.warm[slots.n_warm++] = (uint16_t)slot;
		return;
	}
	(void)madvise(block, SLOT_SIZE, MADV_DONTNEED);
	slots.cold[slots.n_cold++] = (uint16_t)slot;
}

static void *resize(void *block, size_t size, const char *file, int line)
{
	void *to;

	if (!block)
		return take(size, file, line);
	if (size > 0 && !is_slot(block))
		return realloc(block, size);
	if (size > 0 && size <= SLOT_SIZE)
		return block;
	to = take(size, file, line);
	if (to)
		memcpy(to, block, SLOT_SIZE);
	if (to || size == 0)
		give(block, file, line);
	return to;
}

void tls_memory_init(void)
{
	if (slots.row)
		return;
	slots.row = mem_try_pages(SLOTS * SLOT_SIZE);
	if (slots.row && CRYPTO_set_mem_functions(take, resize, give) == 1) {
		(void)madvise(slots.row, SLOTS * SLOT_SIZE, MADV_NOHUGEPAGE);
		return;
	}
	mem_free_pages(slots.row, SLOTS * SLOT_SIZE);
	slots.row = NULL;
}
