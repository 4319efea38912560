/* SPDX-License-Identifier: Apache-2.0 */
/* See peer_deflate.h. Nothing here is used by the program. */
#include "ws/peer_deflate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <zlib.h>

#include "ws/deflate_terms.h"

const struct ws_deflate peer_deflate_full = {
	.on = true,
	.client_max_window_bits = 15,
	.server_max_window_bits = 15,
};

void peer_deflate_init(struct peer_deflate *p, const struct ws_deflate *agreed, int level)
{
	int bits = agreed->server_max_window_bits < 9 ? 9 : agreed->server_max_window_bits;

	*p = (struct peer_deflate){ .agreed = *agreed };
	p->in = calloc(1, sizeof(*p->in));
	p->out = calloc(1, sizeof(*p->out));
	assert_int_equal(inflateInit2(p->in, -agreed->client_max_window_bits), Z_OK);
	assert_int_equal(deflateInit2(p->out, level, Z_DEFLATED, -bits, 8, Z_DEFAULT_STRATEGY),
			 Z_OK);
	buf_init(&p->packed, (size_t)1 << 30);
}

void peer_deflate_deinit(struct peer_deflate *p)
{
	inflateEnd(p->in);
	deflateEnd(p->out);
	free(p->in);
	free(p->out);
	buf_deinit(&p->packed);
}

struct span peer_deflate_pack(struct peer_deflate *p, struct span data, bool more)
{
	buf_clear(&p->packed);
	p->out->next_in = (uint8_t *)(uintptr_t)data.p;
	p->out->avail_in = (unsigned)data.n;
	do {
		p->out->next_out = buf_reserve(&p->packed, 4096);
		p->out->avail_out = 4096;
		deflate(p->out, Z_SYNC_FLUSH);
		buf_commit(&p->packed, 4096 - p->out->avail_out);
	} while (p->out->avail_out == 0);
	if (more)
		return buf_bytes(&p->packed);
	if (p->packed.len == 0) /* a flush behind a flush writes nothing */
		return span_of("", 1);
	p->packed.len -= 4;
	if (p->agreed.server_no_context_takeover)
		deflateReset(p->out);
	return buf_bytes(&p->packed);
}

void peer_put_frame(struct buf *out, int first, struct span payload)
{
	static const char none[1];
	struct fr f = { first, payload.n ? (const char *)payload.p : none,
			payload.n ? payload.n : 1, payload.n, 0 };

	peer_put_server(out, &f);
}

void peer_deflate_put(struct peer_deflate *p, struct buf *out, struct msg msg, size_t fragment)
{
	struct span packed = peer_deflate_pack(p, msg.data, false);
	int first = msg.type == MSG_TEXT ? PACKED_TEXT_MORE : PACKED_TEXT_MORE + 1;
	size_t step = fragment ? fragment : packed.n;

	for (; packed.n > step; packed = span_skip(packed, step)) {
		peer_put_frame(out, first, span_of(packed.p, step));
		first = 0;
	}
	peer_put_frame(out, first | 0x80, packed);
}

int peer_take_frame(struct span *wire, struct buf *payload)
{
	size_t n, at = 2;
	int first;

	assert_true(wire->n >= 6);
	first = wire->p[0];
	assert_true(wire->p[1] & 0x80);
	n = wire->p[1] & 0x7F;
	if (n >= 126) {
		size_t wide = n == 126 ? 2 : 8;

		for (n = 0; at < 2 + wide; at++)
			n = n << 8 | wire->p[at];
	}
	assert_true(wire->n >= at + 4 + n);
	for (size_t i = 0; i < n; i++) {
		uint8_t byte = wire->p[at + 4 + i] ^ wire->p[at + i % 4];

		assert_true(buf_append(payload, span_of(&byte, 1)));
	}
	*wire = span_skip(*wire, at + 4 + n);
	return first;
}

/* RFC 7692, 7.2.2, word by word. */
static void unpack(struct peer_deflate *p, struct buf *payload, struct buf *message)
{
	int result = Z_OK;

	assert_true(buf_append(payload, span_of("\0\0\xFF\xFF", 4)));
	p->in->next_in = payload->data + payload->off;
	p->in->avail_in = (unsigned)payload->len;
	do {
		p->in->next_out = buf_reserve(message, 4096);
		p->in->avail_out = 4096;
		result = inflate(p->in, Z_SYNC_FLUSH);
		assert_true(result == Z_OK || result == Z_BUF_ERROR);
		buf_commit(message, 4096 - p->in->avail_out);
	} while (p->in->avail_out == 0);
	assert_int_equal(p->in->avail_in, 0);
	if (p->agreed.client_no_context_takeover)
		inflateReset(p->in);
}

struct msg peer_deflate_take(struct peer_deflate *p, struct span *wire, struct buf *message,
			     bool *packed)
{
	struct buf payload;
	int first, next;

	buf_init(&payload, (size_t)1 << 30);
	first = next = peer_take_frame(wire, &payload);
	while (!(next & 0x80)) {
		next = peer_take_frame(wire, &payload);
		assert_int_equal(next & 0x7F, 0); /* RFC 7692, 6.1: no RSV1 there */
	}
	*packed = first & 0x40;
	buf_clear(message);
	if (*packed)
		unpack(p, &payload, message);
	else
		assert_true(buf_append(message, buf_bytes(&payload)));
	buf_deinit(&payload);
	return (struct msg){ .type = (first & 0xF) == 1 ? MSG_TEXT : MSG_BINARY,
			     .data = buf_bytes(message) };
}

struct ws_conn *peer_deflate_open(struct ws_params *params, const struct ws_deflate *agreed)
{
	char text[DEFLATE_TERMS_TEXT], field[256];

	params->deflate = *agreed;
	params->deflate.client_max_window_bits = 15;
	if (params->deflate_level == 0)
		params->deflate_level = 6;
	snprintf(field, sizeof(field), "Sec-WebSocket-Extensions: %s\r\n",
		 deflate_terms_answer(text, agreed));
	return peer_open_with(params, field);
}

void peer_prose(struct buf *out, size_t n, unsigned seed)
{
	static const char *const words[] = { "{\"price\":", "1234.5", ",\"side\":\"", "buy",
					     "sell",	    "\"}",    "\xE2\x82\xAC", "quantity" };
	size_t end = out->len + n;

	while (out->len < end) {
		const char *word = words[(seed >> 16) % 8];
		size_t len = strlen(word), left = end - out->len;

		if (len > left)
			word = "................", len = left;
		assert_true(buf_append(out, span_of(word, len)));
		seed = seed * 1103515245 + 12345;
	}
}
