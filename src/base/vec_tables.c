/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the vector routines look up sixteen bytes at a time. The tables for
 * UTF-8 are those of Keiser and Lemire, those for Base64 Mula's and Lemire's
 * (vec_utf8.h, vec_base64.h). The trap: a bit means something only where all
 * tables of its kind have it.
 */
#include "base/vec_int.h"

/* What is wrong with a pair of bytes. CLASS: found by the first byte's high half. */
enum {
	SHORT = 1 << 0, /* a lead byte, and no continuation behind it */
	LONG = 1 << 1,	/* ASCII, and a continuation behind it */
	OVERLONG_2 = 1 << 5,
	OVERLONG_3 = 1 << 2,
	OVERLONG_4 = 1 << 6,
	SURROGATE = 1 << 4,
	LARGE = 1 << 3,	  /* above U+10FFFF, and the second byte is 90...BF */
	LARGE_8 = 1 << 6, /* or 80...8F: shares its bit, for no lead byte can be both */
	TWO = VEC_UTF8_TWO,
	CLASS = SHORT | LONG | TWO,
};

const uint8_t vec_utf8_first_high[16] = {
	[0x0 ... 0x7] = LONG,
	[0x8 ... 0xB] = TWO,
	[0xC] = SHORT | OVERLONG_2,
	[0xD] = SHORT,
	[0xE] = SHORT | OVERLONG_3 | SURROGATE,
	[0xF] = SHORT | OVERLONG_4 | LARGE | LARGE_8,
};

const uint8_t vec_utf8_first_low[16] = {
	[0x0] = CLASS | OVERLONG_2 | OVERLONG_3 | OVERLONG_4,
	[0x1] = CLASS | OVERLONG_2,
	[0x2 ... 0x3] = CLASS,
	[0x4] = CLASS | LARGE,
	[0x5 ... 0xC] = CLASS | LARGE | LARGE_8,
	[0xD] = CLASS | LARGE | LARGE_8 | SURROGATE,
	[0xE ... 0xF] = CLASS | LARGE | LARGE_8,
};

const uint8_t vec_utf8_second_high[16] = {
	[0x0 ... 0x7] = SHORT,
	[0x8] = LONG | TWO | OVERLONG_2 | OVERLONG_3 | OVERLONG_4 | LARGE_8,
	[0x9] = LONG | TWO | OVERLONG_2 | OVERLONG_3 | LARGE,
	[0xA ... 0xB] = LONG | TWO | OVERLONG_2 | SURROGATE | LARGE,
	[0xC ... 0xF] = SHORT,
};

/* Three bytes for each four letters, as two overlapping pairs. */
const uint8_t vec_base64_spread[16] = { 1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10 };

/* The three of each four bytes that count, the last one first; 0x80: a zero. */
const uint8_t vec_base64_gather[16] = {
	2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, 0x80, 0x80, 0x80, 0x80,
};

/* Ranges: 26...51, ten for the digits, 62, 63, 0...25. */
const uint8_t vec_base64_to_letter[16] = {
	[0] = 'a' - 26,
	[1 ... 10] = (uint8_t)('0' - 52),
	[11] = (uint8_t)('+' - 62),
	[12] = (uint8_t)('/' - 63),
	[13] = 'A',
};

/* Rows of sixteen letters; the slash counts for the row above its own. */
const uint8_t vec_base64_to_number[16] = {
	[1] = 63 - '/',
	[2] = 62 - '+',
	[3] = 52 - '0',
	[4 ... 5] = (uint8_t)(0 - 'A'),
	[6 ... 7] = (uint8_t)(26 - 'a'),
};

/* Rows that have gaps; NONE: rows that have nothing else. */
enum {
	SIGNS = 1 << 0,	 /* only + and / */
	DIGITS = 1 << 1, /* no : and behind it */
	FIRST = 1 << 2,	 /* A...O, a...o: not what is in front of the A */
	SECOND = 1 << 3, /* P...Z, p...z: nothing behind the Z */
	NONE = 1 << 4,
};

const uint8_t vec_base64_rows[16] = {
	[0x0 ... 0x1] = NONE, [0x2] = SIGNS, [0x3] = DIGITS, [0x4] = FIRST,
	[0x5] = SECOND,	      [0x6] = FIRST, [0x7] = SECOND, [0x8 ... 0xF] = NONE,
};

const uint8_t vec_base64_gaps[16] = {
	[0x0] = NONE | SIGNS | FIRST,
	[0x1 ... 0x9] = NONE | SIGNS,
	[0xA] = NONE | SIGNS | DIGITS,
	[0xB] = NONE | DIGITS | SECOND, /* here is the + */
	[0xC ... 0xE] = NONE | SIGNS | DIGITS | SECOND,
	[0xF] = NONE | DIGITS | SECOND, /* and the / */
};

#define ALL [0 ... VEC_MOST - 1]

const struct vec_json_bytes vec_json_bytes = {
	.quote = { ALL = '"' },
	.slash = { ALL = '\\' },
	.open = { ALL = '{' },
	.close = { ALL = '}' },
	.comma = { ALL = ',' },
	.colon = { ALL = ':' },
	.space = { ALL = ' ' },
	.tab = { ALL = '\t' },
	.newline = { ALL = '\n' },
	.carriage_return = { ALL = '\r' },
	.zero = { ALL = '0' },
	.minus = { ALL = '-' },
	.dot = { ALL = '.' },
};
