/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See deflate.h. What is packed ends on the boundary of a byte, behind an
 * empty block (Z_SYNC_FLUSH), so that the next thing packed may as well come
 * from a fresh state: nothing obliges us to refer to what went before. That is
 * how a message that was packed and not sent is undone. The trap: the peer
 * has seen only what was sent, so whoever packs must say which it was.
 */
#include "ws/deflate.h"

#include <zlib.h>

#include "ws/zlib_memory.h"

enum {
	BITS_MIN = 9, /* of zlib's deflate; the window of 8 bits is for others */
	MEM_LEVEL_MAX = 8,
	TAIL = 4,	   /* 00 00 FF FF (RFC 7692, 7.2.1) */
	FLUSH_MAX = 16,	   /* what a flush may add */
	STATE_SIZE = 6400, /* of zlib's, without windows and tables */
};

void deflater_init(struct deflater *d, const struct ws_params *params)
{
	*d = (struct deflater){
		.level = params->deflate_level,
		.threshold = params->deflate_threshold,
	};
	buf_init(&d->out, SIZE_MAX / 2);
}

void deflater_start(struct deflater *d, const struct ws_deflate *agreed)
{
	d->on = agreed->on && agreed->client_max_window_bits >= BITS_MIN;
	d->takeover = !agreed->client_no_context_takeover;
	d->bits = agreed->client_max_window_bits;
}

static void drop(struct deflater *d)
{
	if (d->z)
		deflateEnd(d->z);
	zlib_stream_free(d->z);
	d->z = NULL;
	buf_deinit(&d->out);
}

void deflater_deinit(struct deflater *d)
{
	drop(d);
	d->on = false;
}

void deflater_release(struct deflater *d)
{
	if (!d->in_message)
		drop(d);
}

bool deflater_wants(const struct deflater *d, struct msg msg)
{
	return d->on && msg.data.n >= d->threshold && msg.data.n > 0;
}

/* A table for hashes as large as the window: 2^12 bytes of it cost 32 KiB in all, 2^15 256 KiB. */
static int mem_level(uint8_t bits)
{
	int level = bits - 7;

	return level < MEM_LEVEL_MAX ? level : MEM_LEVEL_MAX;
}

static bool make_stream(struct deflater *d)
{
	d->z = zlib_stream_new(STATE_SIZE + ((size_t)8 << d->bits));
	return d->z && deflateInit2(d->z, d->level, Z_DEFLATED, -d->bits, mem_level(d->bits),
				    Z_DEFAULT_STRATEGY) == Z_OK;
}

/* All of data, and a flush behind it. */
static bool run(struct deflater *d, struct span data)
{
	size_t room = deflateBound(d->z, (uLong)data.n) + FLUSH_MAX;

	do {
		size_t n = data.n < UINT32_MAX / 2 ? data.n : UINT32_MAX / 2;
		uint8_t *out = buf_reserve(&d->out, room);

		if (!out)
			return false;
		d->z->next_in = (uint8_t *)(uintptr_t)data.p; /* zlib does not write there */
		d->z->avail_in = (uInt)n;
		d->z->next_out = out;
		d->z->avail_out = (uInt)(room < UINT32_MAX ? room : UINT32_MAX);
		room = d->z->avail_out;
		deflate(d->z, n < data.n ? Z_NO_FLUSH : Z_SYNC_FLUSH);
		buf_commit(&d->out, room - d->z->avail_out);
		data = span_skip(data, n - d->z->avail_in);
	} while (data.n > 0 || d->z->avail_out == 0);
	return true;
}

/* RFC 7692, 7.2.1 and 7.2.3.6: of an empty block only its first byte stays. */
static bool cut_tail(struct buf *out)
{
	if (out->len >= TAIL) {
		out->len -= TAIL;
		return true;
	}
	return buf_append(out, span_of("", 1));
}

void deflater_forget(struct deflater *d)
{
	deflateReset(d->z);
}

bool deflater_pack(struct deflater *d, struct msg msg, struct span *packed)
{
	bool whole = !d->in_message && !msg.more;

	d->uses++;
	buf_clear(&d->out);
	if ((!d->z && !make_stream(d)) || !run(d, msg.data) || (!msg.more && !cut_tail(&d->out))) {
		drop(d);
		return false;
	}
	if (whole && !d->takeover && d->out.len >= msg.data.n) {
		deflater_forget(d);
		return false;
	}
	*packed = buf_bytes(&d->out);
	return true;
}

void deflater_sent(struct deflater *d, struct msg msg, struct span packed)
{
	d->messages += !msg.more;
	d->bytes_in += msg.data.n;
	d->bytes_out += packed.n;
	d->in_message = msg.more;
	buf_clear(&d->out);
	if (!msg.more && !d->takeover)
		deflateReset(d->z);
}
