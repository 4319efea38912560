/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See inflate.h. A message is one call of inflate() for what has come and one
 * for the four bytes that its sender has cut off (RFC 7692, 7.2.2), so nothing
 * is copied and nothing allocated for it. What it may become is limited at each
 * step by what assemble.h has room for. The trap: at the limit a message may be
 * complete, or go on: only one byte more would tell, so one is asked for.
 */
#include "ws/inflate.h"

#include <assert.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/mem.h"
#include "ws/close.h"
#include "ws/limits.h"
#include "ws/zlib_memory.h"

enum {
	WINDOW_MAX = 32768,
	STATE_AT_BLOCK = 128, /* data_type, zlib.h: between two blocks, no bits left over */
	STATE_BITS = 63,
	STATE_SIZE = 7680, /* of zlib's, without the window */
};

void inflater_init(struct inflater *f, const struct ws_deflate *agreed)
{
	*f = (struct inflater){ .takeover = !agreed->server_no_context_takeover,
				.bits = agreed->server_max_window_bits };
}

static void end_stream(struct inflater *f)
{
	if (f->z)
		inflateEnd(f->z);
	zlib_stream_free(f->z);
	f->z = NULL;
}

static void drop_window(struct inflater *f)
{
	free(f->window);
	f->window = NULL;
	f->window_n = f->packed_n = 0;
}

void inflater_deinit(struct inflater *f)
{
	end_stream(f);
	drop_window(f);
}

/* `n` bytes at `window` become those that are kept. False: no memory. */
static bool pack_window(struct inflater *f, const uint8_t *window, size_t n)
{
	uLongf packed = compressBound((uLong)n);
	uint8_t *kept = mem_try_alloc(packed), *shrunk;

	if (!kept || compress2(kept, &packed, window, (uLong)n, Z_BEST_COMPRESSION) != Z_OK) {
		free(kept);
		return false;
	}
	shrunk = mem_try_realloc(kept, packed);
	f->window = shrunk ? shrunk : kept;
	f->window_n = n;
	f->packed_n = packed;
	return true;
}

/* False: it has to stay as it is. */
static bool keep_window(struct inflater *f)
{
	uInt n = WINDOW_MAX;
	uint8_t *window = mem_try_alloc(WINDOW_MAX);
	bool kept = window && inflateGetDictionary(f->z, window, &n) == Z_OK &&
		    (n == 0 || pack_window(f, window, n));

	free(window);
	return kept;
}

void inflater_release(struct inflater *f)
{
	if (!f->z || f->in_message)
		return;
	if (f->takeover && !keep_window(f))
		return;
	end_stream(f);
	f->at_end = false;
}

/* Where the window that was kept belongs. */
static bool restore_window(struct inflater *f)
{
	uint8_t *window = mem_try_alloc(WINDOW_MAX);
	uLongf n = WINDOW_MAX;
	bool done = window && uncompress(window, &n, f->window, (uLong)f->packed_n) == Z_OK &&
		    inflateSetDictionary(f->z, window, (uInt)n) == Z_OK;

	free(window);
	drop_window(f);
	return done;
}

/* A window of 8 bits is read with 9: zlib's own deflate says 8 where it uses 9. */
static bool make_stream(struct inflater *f)
{
	int bits = f->bits > 9 ? f->bits : 9;

	f->z = zlib_stream_new(STATE_SIZE + ((size_t)1 << bits));
	if (!f->z || inflateInit2(f->z, -bits) != Z_OK)
		return false;
	return !f->window || restore_window(f);
}

static bool begin(struct inflater *f, struct error *err)
{
	f->in_message = true;
	f->any = false;
	if (!f->z)
		return make_stream(f) || assemble_refuse_memory(err);
	if (!f->takeover) {
		inflateReset(f->z);
		f->at_end = false;
	}
	return true;
}

static bool refuse(struct error *err, const char *what, const char *detail)
{
	error_set(err, ERR_PAYLOAD, "a compressed message %s%s%s", what, detail ? ": " : "",
		  detail ? detail : "");
	err->close_code = CLOSE_PAYLOAD;
	return false;
}

/* One call of inflate() into the assembly, or into `extra` where that is full. */
static bool step(struct inflater *f, struct assemble *a, int *result, struct error *err)
{
	uint8_t extra, *out;
	size_t room;

	out = assemble_room(a, WS_INFLATE_STEP, &room);
	if (!out && room > 0)
		return assemble_refuse_memory(err);
	f->z->next_out = out ? out : &extra;
	f->z->avail_out = out ? (uInt)room : 1;
	*result = inflate(f->z, Z_SYNC_FLUSH);
	if (!out)
		return f->z->avail_out == 1 || assemble_refuse_size(a, err);
	f->bytes_out += room - f->z->avail_out;
	return assemble_took(a, room - f->z->avail_out, err);
}

/* RFC 7692, 7.2.3.4: behind a block with BFINAL the next one begins with the same window. */
static void go_on(struct inflater *f)
{
	if (f->at_end)
		inflateResetKeep(f->z);
	f->at_end = false;
}

static bool run(struct inflater *f, struct assemble *a, struct span in, struct error *err)
{
	int result = Z_OK;

	assert(in.n <= UINT32_MAX);
	f->z->next_in = (uint8_t *)(uintptr_t)in.p; /* zlib does not write there */
	f->z->avail_in = (uInt)in.n;
	do {
		go_on(f);
		if (!step(f, a, &result, err))
			return false;
		f->at_end = result == Z_STREAM_END;
		if (result == Z_MEM_ERROR)
			return assemble_refuse_memory(err);
		if (result != Z_OK && result != Z_BUF_ERROR && !f->at_end)
			return refuse(err, "cannot be decompressed", f->z->msg);
	} while (f->z->avail_in > 0 || (f->z->avail_out == 0 && !f->at_end));
	return true;
}

/*
 * The end of a message. One that has ended with BFINAL and lacks the byte that RFC 7692, 7.2.3.4
 * has behind it is complete all the same, and so is one without any byte.
 */
static bool finish(struct inflater *f, struct assemble *a, struct error *err)
{
	static const uint8_t tail[] = { 0x00, 0x00, 0xFF, 0xFF };
	bool whole = f->at_end || !f->any;

	f->in_message = false;
	f->messages++;
	if (whole)
		return true;
	if (!run(f, a, span_of(tail, sizeof(tail)), err))
		return false;
	if (!f->at_end && (f->z->data_type & (STATE_AT_BLOCK | STATE_BITS)) != STATE_AT_BLOCK)
		return refuse(err, "is cut off", NULL);
	return true;
}

enum assemble_result inflater_feed(struct inflater *f, struct assemble *a,
				   struct inflate_piece piece, struct msg *msg, struct error *err)
{
	if (!f->in_message && !begin(f, err))
		return ASSEMBLE_BAD;
	if (piece.bytes.n > 0) {
		f->any = true;
		f->bytes_in += piece.bytes.n;
		if (!run(f, a, piece.bytes, err))
			return ASSEMBLE_BAD;
	}
	if (!piece.frame_end)
		return ASSEMBLE_MORE;
	if (a->fin && !finish(f, a, err))
		return ASSEMBLE_BAD;
	return assemble_end(a, msg, err);
}
