/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame header of RFC 6455, 5.2. It neither masks nor looks at payloads.
 * The decoder belongs to whoever embeds it. The trap: a header that has begun
 * is copied into the decoder, one that lies whole in the input is not; both
 * must fail at the same byte, so there is one check for any prefix.
 */
#include "ws/frame.h"

#include <assert.h>

#include "base/cursor.h"

enum {
	BIT_FIN = 0x80,
	BITS_RESERVED = 0x70,
	BIT_RSV1 = 0x40,
	BITS_OPCODE = 0x0F,
	BIT_MASK = 0x80,
	BITS_LEN = 0x7F,
	LEN_16 = 126, /* the length follows in 16 bits */
	LEN_64 = 127, /* in 64 */
	KEY_SIZE = 4,
};

size_t frame_header_size(uint64_t len, bool masked)
{
	size_t size = len < LEN_16 ? 2 : len <= UINT16_MAX ? 4 : 10;

	return size + (masked ? KEY_SIZE : 0);
}

static void put_be(uint8_t *out, size_t width, uint64_t v)
{
	for (size_t i = width; i > 0; i--, v >>= 8)
		out[i - 1] = (uint8_t)v;
}

static uint64_t get_be(const uint8_t *p, size_t width)
{
	struct span s = span_of(p, width);
	uint64_t v = 0;

	cursor_be(&s, width, &v);
	return v;
}

size_t frame_encode(uint8_t *out, const struct frame_header *h)
{
	size_t size = frame_header_size(h->len, h->masked);
	uint8_t mask = h->masked ? BIT_MASK : 0;

	assert(h->len <= INT64_MAX);
	out[0] = (uint8_t)((h->fin ? BIT_FIN : 0) | (h->rsv1 ? BIT_RSV1 : 0) | h->opcode);
	if (h->len < LEN_16) {
		out[1] = (uint8_t)(mask | h->len);
	} else if (h->len <= UINT16_MAX) {
		out[1] = mask | LEN_16;
		put_be(out + 2, 2, h->len);
	} else {
		out[1] = mask | LEN_64;
		put_be(out + 2, 8, h->len);
	}
	if (h->masked)
		memcpy(out + size - KEY_SIZE, h->key, KEY_SIZE);
	return size;
}

void frame_decoder_init(struct frame_decoder *d, enum frame_sender sender)
{
	*d = (struct frame_decoder){ .sender = sender };
}

/* Bytes of the length behind the second byte. */
static size_t extended_size(uint8_t second)
{
	uint8_t len = second & BITS_LEN;

	return len == LEN_16 ? 2 : len == LEN_64 ? 8 : 0;
}

/* Bytes of the whole header, as far as n of them tell. */
static size_t size_so_far(const uint8_t *p, size_t n)
{
	return n < 2 ? 2 : 2 + extended_size(p[1]) + (p[1] & BIT_MASK ? KEY_SIZE : 0);
}

static const char *check_first(const struct frame_decoder *d, uint8_t first)
{
	uint8_t opcode = first & BITS_OPCODE;

	if (first & BITS_RESERVED & (d->deflate ? ~BIT_RSV1 : 0xFF))
		return "a frame has a reserved bit set"; /* RFC 6455, 5.2 */
	if ((first & BIT_RSV1) && opcode != FRAME_TEXT && opcode != FRAME_BINARY) /* RFC 7692, 6 */
		return "the bit for compression is set in a frame that begins no message";
	if ((opcode & 0x7) > FRAME_BINARY)
		return "a frame has a reserved opcode";
	if ((opcode & 0x8) && !(first & BIT_FIN))
		return "a control frame is fragmented"; /* RFC 6455, 5.5 */
	return NULL;
}

static const char *check_second(uint8_t first, uint8_t second, enum frame_sender sender)
{
	bool masked = (second & BIT_MASK) != 0;

	if (masked && sender == FRAME_FROM_SERVER)
		return "a frame from the server is masked"; /* RFC 6455, 5.1 */
	if (!masked && sender == FRAME_FROM_CLIENT)
		return "a frame from the client is not masked";
	if ((first & 0x8) && (second & BITS_LEN) > WS_CONTROL_MAX)
		return "a control frame is longer than 125 bytes"; /* RFC 6455, 5.5 */
	return NULL;
}

/* What is wrong with the n-th byte of a header; the caller has checked those before. */
static const char *check_prefix(const struct frame_decoder *d, const uint8_t *p, size_t n)
{
	if (n == 1)
		return check_first(d, p[0]);
	if (n == 2)
		return check_second(p[0], p[1], d->sender);
	if (n == 3 && (p[1] & BITS_LEN) == LEN_64 && (p[2] & 0x80))
		return "a frame length has its highest bit set"; /* RFC 6455, 5.2 */
	if (n == 4 && (p[1] & BITS_LEN) == LEN_16 && get_be(p + 2, 2) < LEN_16)
		return "a frame length is longer than necessary"; /* RFC 6455, 5.2 */
	if (n == 10 && (p[1] & BITS_LEN) == LEN_64 && get_be(p + 2, 8) <= UINT16_MAX)
		return "a frame length is longer than necessary";
	return NULL;
}

static void parse(const uint8_t *p, size_t size, struct frame_header *h)
{
	size_t extended = extended_size(p[1]);

	h->fin = (p[0] & BIT_FIN) != 0;
	h->opcode = (enum frame_opcode)(p[0] & BITS_OPCODE);
	h->rsv1 = (p[0] & BIT_RSV1) != 0;
	h->masked = (p[1] & BIT_MASK) != 0;
	h->len = extended ? get_be(p + 2, extended) : (uint64_t)(p[1] & BITS_LEN);
	if (h->masked)
		memcpy(h->key, p + size - KEY_SIZE, KEY_SIZE);
	else
		memset(h->key, 0, KEY_SIZE);
}

uint64_t frame_size(struct span s)
{
	size_t header, extended;

	assert(s.n >= 2);
	header = size_so_far(s.p, 2);
	extended = extended_size(s.p[1]);
	assert(s.n >= header);
	return header + (extended ? get_be(s.p + 2, extended) : (uint64_t)(s.p[1] & BITS_LEN));
}

/* The header lies whole in the input: checked and read in place. */
static enum frame_result decode_whole(struct frame_decoder *d, struct span *input,
				      struct frame_header *h, const char **why)
{
	const uint8_t *p = input->p;
	size_t size = size_so_far(p, 2);
	const char *wrong = check_first(d, p[0]);

	if (!wrong)
		wrong = check_second(p[0], p[1], d->sender);
	for (size_t n = 3; !wrong && n <= 2 + extended_size(p[1]); n++)
		wrong = check_prefix(d, p, n);
	if (wrong) {
		*why = wrong;
		return FRAME_BAD;
	}
	parse(p, size, h);
	*input = span_skip(*input, size);
	return FRAME_DONE;
}

enum frame_result frame_decode(struct frame_decoder *d, struct span *input, struct frame_header *h,
			       const char **why)
{
	if (d->have == 0 && input->n >= 2 && input->n >= size_so_far(input->p, 2))
		return decode_whole(d, input, h, why);
	while (input->n > 0) {
		const char *wrong;

		d->bytes[d->have++] = input->p[0];
		*input = span_skip(*input, 1);
		wrong = check_prefix(d, d->bytes, d->have);
		if (wrong) {
			*why = wrong;
			return FRAME_BAD;
		}
		if (d->have == size_so_far(d->bytes, d->have)) {
			parse(d->bytes, d->have, h);
			d->have = 0;
			return FRAME_DONE;
		}
	}
	return FRAME_MORE;
}
