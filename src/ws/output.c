/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See output.h. It keeps no list of frames: after a short write it finds the
 * end of the frame that has begun by the headers in the queue itself. So no
 * message pays for the chance that a control frame overtakes it, and a header
 * is read again at most once. The trap: `begun` must be right whenever a write
 * has ended, for what has left is gone and cannot be asked.
 */
#include "ws/output.h"

#include <assert.h>

#include "ws/mask.h"

void output_init(struct output *o, struct rand_source *rand)
{
	*o = (struct output){ .rand = rand };
	buf_init(&o->data, WS_REQUEST_MAX);
	buf_init(&o->urgent, WS_REQUEST_MAX);
}

void output_request(struct output *o, size_t max_output)
{
	assert(max_output <= SIZE_MAX - WS_REQUEST_MAX - WS_OUTPUT_RESERVE);
	o->begun = o->data.len;
	o->data_queued = o->data.len;
	o->data.cap = max_output + o->data.len + WS_OUTPUT_RESERVE;
	o->urgent.cap = max_output + WS_OUTPUT_RESERVE;
}

void output_deinit(struct output *o)
{
	buf_deinit(&o->data);
	buf_deinit(&o->urgent);
	o->begun = 0;
}

/* Writes one frame; the header lacks its length and key. Returns its size. */
static inline size_t put_frame(struct output *o, uint8_t *p, struct frame_header *h,
			       struct span payload)
{
	size_t size;

	h->len = payload.n;
	if (o->rand)
		o->rand->fill(o->rand, h->key, sizeof(h->key)); /* RFC 6455, 5.3 */
	size = frame_encode(p, h);
	mask_copy(p + size, payload, h->key, 0);
	return size + payload.n;
}

/* Room for `size` bytes at the end of one of the two queues, or NULL. */
static inline uint8_t *make_room(struct output *o, struct buf *b, size_t size, size_t limit)
{
	size_t len = output_len(o);

	return size <= limit && len <= limit - size ? buf_reserve(b, size) : NULL;
}

/* A message in frames of WS_FRAME_SIZE, all with a key of their own. */
static bool put_frames(struct output *o, struct frame_header *h, struct span payload, size_t limit)
{
	size_t full = payload.n / WS_FRAME_SIZE, last = payload.n % WS_FRAME_SIZE;
	size_t size = payload.n + full * frame_header_size(WS_FRAME_SIZE, true) +
		      (last > 0 ? frame_header_size(last, true) : 0);
	uint8_t *p = make_room(o, &o->data, size, limit);
	bool fin = h->fin;

	if (!p)
		return false;
	h->fin = false;
	for (; payload.n > WS_FRAME_SIZE; payload = span_skip(payload, WS_FRAME_SIZE)) {
		p += put_frame(o, p, h, span_of(payload.p, WS_FRAME_SIZE));
		h->opcode = FRAME_CONTINUATION; /* RFC 6455, 5.4 */
	}
	h->fin = fin;
	put_frame(o, p, h, payload);
	buf_commit(&o->data, size);
	o->data_queued += size;
	return true;
}

bool output_message(struct output *o, enum frame_opcode opcode, struct msg msg, size_t limit)
{
	struct frame_header h = { .fin = !msg.more, .masked = true, .opcode = opcode };
	size_t n = msg.data.n, size;
	uint8_t *p;

	if (n > WS_FRAME_SIZE && (n > WS_ONE_FRAME_MAX || output_len(o) > 0))
		return put_frames(o, &h, msg.data, limit);
	size = frame_header_size(n, true) + n;
	p = make_room(o, &o->data, size, limit);
	if (!p)
		return false;
	put_frame(o, p, &h, msg.data);
	buf_commit(&o->data, size);
	o->data_queued += size;
	return true;
}

bool output_control(struct output *o, enum frame_opcode opcode, struct span payload, size_t limit)
{
	struct frame_header h = { .fin = true, .masked = true, .opcode = opcode };
	bool urgent = opcode != FRAME_CLOSE; /* what was queued before a Close leaves before it */
	struct buf *b = urgent ? &o->urgent : &o->data;
	size_t size = frame_header_size(payload.n, true) + payload.n;
	uint8_t *p = make_room(o, b, size, limit);

	if (!p)
		return false;
	put_frame(o, p, &h, payload);
	buf_commit(b, size);
	*(urgent ? &o->urgent_queued : &o->data_queued) += size;
	return true;
}

static int add_iov(struct iovec *iov, int n, struct span s)
{
	if (s.n > 0)
		iov[n++] = (struct iovec){ .iov_base = (void *)(uintptr_t)s.p, .iov_len = s.n };
	return n;
}

int output_iov(const struct output *o, struct iovec iov[3])
{
	struct span data = buf_bytes(&o->data);
	size_t begun = o->urgent.len > 0 ? o->begun : data.n;
	int n = add_iov(iov, 0, span_of(data.p, begun));

	n = add_iov(iov, n, buf_bytes(&o->urgent));
	return add_iov(iov, n, span_skip(data, begun));
}

/* The first n bytes of `data`, of frames that had not begun, leave: what is left of the last? */
static size_t rest_of_frame(const struct output *o, size_t n)
{
	struct span data = buf_bytes(&o->data);
	size_t end = 0;

	if (n == data.n)
		return 0;
	while (end < n)
		end += (size_t)frame_size(span_skip(data, end));
	return end - n;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

void output_wrote(struct output *o, size_t n)
{
	size_t begun = least(n, o->begun), urgent = least(n - begun, o->urgent.len);

	assert(n <= output_len(o));
	o->begun -= begun;
	o->urgent_written += urgent;
	o->data_written += n - urgent;
	buf_consume(&o->data, begun);
	buf_consume(&o->urgent, urgent);
	n -= begun + urgent;
	if (n == 0)
		return;
	o->begun = rest_of_frame(o, n);
	buf_consume(&o->data, n);
}
