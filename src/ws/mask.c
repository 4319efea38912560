/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Masking while copying, so that a message is touched once on its way out.
 * Where keys come from is the caller's affair. The trap: the words are built
 * by memcpy from the key's bytes, so the code is right for either byte order
 * and any alignment; arithmetic on the key as a number would not be.
 */
#include "ws/mask.h"

#define BLOCK 64

/* Four words in, four words out: the form that compilers turn into vector code. */
static void mask_half(uint8_t *out, const uint8_t *in, uint64_t key)
{
	uint64_t w[BLOCK / 16];

	memcpy(w, in, sizeof(w));
	for (size_t i = 0; i < BLOCK / 16; i++)
		w[i] ^= key;
	memcpy(out, w, sizeof(w));
}

void mask_copy(uint8_t *out, struct span in, const uint8_t key[4], uint64_t at)
{
	const uint8_t *p = in.p;
	size_t left = in.n;
	uint8_t turned[8];
	uint64_t wide, word;

	for (size_t i = 0; i < sizeof(turned); i++)
		turned[i] = key[(at + i) & 3];
	memcpy(&wide, turned, sizeof(wide));
	for (; left >= BLOCK; left -= BLOCK, p += BLOCK, out += BLOCK) {
		mask_half(out, p, wide);
		mask_half(out + BLOCK / 2, p + BLOCK / 2, wide);
	}
	for (; left >= sizeof(word); left -= sizeof(word), p += sizeof(word), out += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		word ^= wide;
		memcpy(out, &word, sizeof(word));
	}
	for (size_t i = 0; i < left; i++)
		out[i] = p[i] ^ turned[i];
}
