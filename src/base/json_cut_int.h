/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of json_cut.h share: runs of bytes that stand in a string as they are. */
#ifndef WSB_BASE_JSON_CUT_INT_H
#define WSB_BASE_JSON_CUT_INT_H

#include "base/span.h"

#define JSON_EACH_BYTE(b) (UINT64_C(0x0101010101010101) * (b))

static inline bool json_is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Quote, backslash, or below U+0020 (RFC 8259, 7). */
static inline bool json_is_special(uint8_t c)
{
	return c < 0x20 || c == '"' || c == '\\';
}

/*
 * The high bits of the special bytes among eight, as memcpy(3) loads them; 0: there is none.
 * What is above the lowest bit that is set may be a borrow's work. A byte above 0x7F is no such
 * byte.
 */
static inline uint64_t json_special_bits(uint64_t eight)
{
	uint64_t quote = eight ^ JSON_EACH_BYTE('"'), slash = eight ^ JSON_EACH_BYTE('\\');
	uint64_t found = (quote - JSON_EACH_BYTE(1)) | (slash - JSON_EACH_BYTE(1)) |
			 (eight - JSON_EACH_BYTE(0x20));

	return found & ~eight & JSON_EACH_BYTE(0x80);
}

/* Byte by byte; *bits as below. */
static inline const uint8_t *json_plain_tail(const uint8_t *p, const uint8_t *end, uint64_t *bits)
{
	while (p < end && !json_is_special(*p))
		*bits |= *p++;
	return p;
}

/* The first special byte at or behind p, or end; *bits gets the bits of those before it. */
static inline const uint8_t *json_plain_end(const uint8_t *p, const uint8_t *end, uint64_t *bits)
{
	uint64_t eight, found;

	for (; end - p >= 8; p += 8) {
		memcpy(&eight, p, sizeof(eight));
		found = json_special_bits(eight);
		if (found) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
			*bits |= eight & ((found ^ (found - 1)) >> 8);
			return p + (__builtin_ctzll(found) >> 3);
#else
			break;
#endif
		}
		*bits |= eight;
	}
	return json_plain_tail(p, end, bits);
}

/* Was a byte above 0x7F among those whose bits these are? */
static inline bool json_beyond_ascii(uint64_t bits)
{
	return (bits & JSON_EACH_BYTE(0x80)) != 0;
}

#endif
