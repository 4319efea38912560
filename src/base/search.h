/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking for the first of several bytes. For one byte memchr(3) is there,
 * which the C library has in vectors.
 */
#ifndef WSB_BASE_SEARCH_H
#define WSB_BASE_SEARCH_H

#include <stdint.h>
#include <string.h>

#define SEARCH_EACH_BYTE(b) (UINT64_C(0x0101010101010101) * (b))

/* Quote, backslash, or below U+0020 (RFC 8259, 7). */
static inline int search_is_json(uint8_t c)
{
	return c < 0x20 || c == '"' || c == '\\';
}

/*
 * The high bits of those bytes among eight, as memcpy(3) loads them; 0: there is none. What is
 * above the lowest bit that is set may be a borrow's work.
 */
static inline uint64_t search_json_bits(uint64_t eight)
{
	uint64_t quote = eight ^ SEARCH_EACH_BYTE('"'), slash = eight ^ SEARCH_EACH_BYTE('\\');
	uint64_t found = (quote - SEARCH_EACH_BYTE(1)) | (slash - SEARCH_EACH_BYTE(1)) |
			 (eight - SEARCH_EACH_BYTE(0x20));

	return found & ~eight & SEARCH_EACH_BYTE(0x80);
}

/* The same as search_json, for any length, and for what is longer than a name. */
const uint8_t *search_json_portable(const uint8_t *p, const uint8_t *end);
const uint8_t *search_json_long(const uint8_t *p, const uint8_t *end);

/* The first byte of p...end that a JSON string cannot hold as it is, or end. */
static inline const uint8_t *search_json(const uint8_t *p, const uint8_t *end)
{
	uint64_t eight, found;

	if (end - p < 8)
		return search_json_portable(p, end);
	memcpy(&eight, p, sizeof(eight));
	found = search_json_bits(eight);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	if (found)
		return p + (__builtin_ctzll(found) >> 3);
#endif
	return search_json_long(p + (found ? 0 : 8), end);
}

#endif
