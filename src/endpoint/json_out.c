/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writer of json_out.h. It keeps no state but the position. The caller has
 * counted the same pieces before and made room for them. The trap: what is
 * counted and what is written must not differ by a byte, so both go through
 * the same functions as far down as can be.
 */
#include "endpoint/json_out.h"

#include <endian.h>
#include <math.h>

#include "base/base64.h"
#include "base/json_cut.h"
#include "base/utf8.h"

#define MICRO 1000000
#define DIGITS_MAX 20 /* of 2^64 - 1 */
#define REPLACEMENT "\xEF\xBF\xBD"
#define SECONDS_MAX 1e12 /* beyond it no duration makes sense, and micro would overflow */

/* 10 to the power of the index. */
static const uint64_t powers[DIGITS_MAX] = {
	1,
	10,
	100,
	1000,
	10000,
	100000,
	1000000,
	10000000,
	100000000,
	1000000000,
	10000000000,
	100000000000,
	1000000000000,
	10000000000000,
	100000000000000,
	1000000000000000,
	10000000000000000,
	100000000000000000,
	1000000000000000000,
	10000000000000000000u,
};

static const char pairs[] = "00010203040506070809101112131415161718192021222324"
			    "25262728293031323334353637383940414243444546474849"
			    "50515253545556575859606162636465666768697071727374"
			    "75767778798081828384858687888990919293949596979899";

/* A number of b bits has b * log10(2) digits, or one more. */
size_t json_out_digits(uint64_t v)
{
	unsigned bits = 64 - (unsigned)__builtin_clzll(v | 1);
	unsigned n = bits * 1233 >> 12;

	return n + (v >= powers[n] || v == 0);
}

/*
 * Eight digits at once: halves of a word, then quarters, then bytes are divided by 100 and 10 all
 * together. Each product with a reciprocal stays in its part of the word, and is exact there.
 */
static void put_eight(uint8_t *at, uint32_t v)
{
	uint64_t fours = v / 10000 | (uint64_t)(v % 10000) << 32;
	uint64_t high = (fours * 5243 >> 19) & UINT64_C(0x0000007F0000007F);
	uint64_t twos = high | (fours - 100 * high) << 16;
	uint64_t tens = (twos * 103 >> 10) & UINT64_C(0x000F000F000F000F);
	uint64_t digits = htole64((tens | (twos - 10 * tens) << 8) | UINT64_C(0x3030303030303030));

	memcpy(at, &digits, sizeof(digits));
}

static inline void put_digits(struct json_out *o, uint64_t v, size_t n)
{
	uint8_t *at = o->p ? o->p + o->n : NULL;
	uint32_t rest;

	o->n += n;
	if (!at)
		return;
	for (; n >= 8; v /= 100000000) {
		n -= 8;
		put_eight(at + n, (uint32_t)(v % 100000000));
	}
	for (rest = (uint32_t)v; n >= 2; rest /= 100) {
		n -= 2;
		memcpy(at + n, pairs + 2 * (rest % 100), 2);
	}
	if (n > 0)
		*at = (uint8_t)('0' + rest);
}

void json_out_unsigned(struct json_out *o, uint64_t v)
{
	put_digits(o, v, json_out_digits(v));
}

/* Writes the sign; returns the absolute value. */
static uint64_t put_sign(struct json_out *o, int64_t v)
{
	if (v >= 0)
		return (uint64_t)v;
	json_out_bytes(o, "-", 1);
	return -(uint64_t)v;
}

void json_out_number(struct json_out *o, int64_t v)
{
	json_out_unsigned(o, put_sign(o, v));
}

void json_out_bool(struct json_out *o, bool v)
{
	json_out_raw(o, v ? "true" : "false");
}

size_t json_out_time_size(int64_t microseconds)
{
	uint64_t v = microseconds < 0 ? -(uint64_t)microseconds : (uint64_t)microseconds;

	return (microseconds < 0) + json_out_digits(v / MICRO) + 1 + 6;
}

void json_out_time(struct json_out *o, int64_t microseconds)
{
	uint64_t v = put_sign(o, microseconds);

	json_out_unsigned(o, v / MICRO);
	json_out_bytes(o, ".", 1);
	put_digits(o, v % MICRO, 6);
}

void json_out_seconds(struct json_out *o, double v)
{
	uint64_t whole, part;
	size_t digits = 6;

	v = isnan(v) || v < 0 ? 0 : v > SECONDS_MAX ? SECONDS_MAX : v;
	whole = (uint64_t)(v * MICRO + 0.5);
	part = whole % MICRO;
	json_out_unsigned(o, whole / MICRO);
	if (part == 0)
		return;
	for (; part % 10 == 0; digits--)
		part /= 10;
	json_out_bytes(o, ".", 1);
	put_digits(o, part, digits);
}

static void put_escaped(struct json_out *o, struct span text)
{
	o->n += o->p ? json_cut_escape(o->p + o->n, text) : json_cut_escaped_size(text);
}

void json_out_text(struct json_out *o, struct span text)
{
	json_out_raw(o, "\"");
	put_escaped(o, text);
	json_out_raw(o, "\"");
}

void json_out_any_text(struct json_out *o, struct span bytes)
{
	json_out_raw(o, "\"");
	while (bytes.n > 0) {
		size_t n = utf8_valid_len(bytes);

		put_escaped(o, span_of(bytes.p, n));
		bytes = span_skip(bytes, n);
		if (bytes.n == 0)
			break;
		json_out_bytes(o, REPLACEMENT, strlen(REPLACEMENT));
		bytes = span_skip(bytes, 1);
	}
	json_out_raw(o, "\"");
}

void json_out_base64(struct json_out *o, struct span data)
{
	json_out_raw(o, "\"");
	if (o->p)
		base64_encode((char *)o->p + o->n, data);
	o->n += BASE64_ENCODED_SIZE(data.n);
	json_out_raw(o, "\"");
}

static void blank_out(uint8_t *p, size_t n, uint8_t byte)
{
	for (uint8_t *at = p; (at = memchr(at, byte, n - (size_t)(at - p)));)
		*at++ = ' ';
}

void json_out_value(struct json_out *o, struct span value)
{
	uint8_t *at = o->p ? o->p + o->n : NULL;

	json_out_bytes(o, value.p, value.n);
	if (!at || value.n == 0)
		return;
	blank_out(at, value.n, '\n');
	blank_out(at, value.n, '\r');
}
