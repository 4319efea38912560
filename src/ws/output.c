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

#define RUN_MAX 128   /* messages whose keys are drawn together */
#define SHORT_LEN 126 /* below it the length stands in the second byte */

/* The first of several runs, as a rule, if it is as much as RUN_MUCH. They have room together, else
 * the queue would be copied as it grows. */
#define RUN_MUCH ((size_t)16 * 1024)
#define RUNS_ROOM ((size_t)128 * 1024)

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
	o->begun = o->urgent_begun = 0;
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

/* The header of a whole message up to WS_FRAME_SIZE. Returns its size. */
static inline size_t put_head(uint8_t *p, enum frame_opcode opcode, size_t n, const uint8_t *key)
{
	struct frame_header h = { .fin = true, .masked = true, .opcode = opcode, .len = n };

	if (n < SHORT_LEN) {
		p[0] = (uint8_t)(0x80 | opcode); /* RFC 6455, 5.2 */
		p[1] = (uint8_t)(0x80 | n);
		memcpy(p + 2, key, sizeof(h.key));
		return 2 + sizeof(h.key);
	}
	memcpy(h.key, key, sizeof(h.key));
	return frame_encode(p, &h);
}

/* Room for `size` bytes at the end of one of the two queues, or NULL. */
static inline uint8_t *make_room(struct output *o, struct buf *b, size_t size, size_t limit)
{
	size_t len = output_len(o);

	return size <= limit && len <= limit - size ? buf_reserve(b, size) : NULL;
}

bool output_prepare(struct output *o, size_t n, size_t limit)
{
	size_t headers = (n / WS_FRAME_SIZE * 2 + 2) * WS_FRAME_HEADER_MAX;

	return n <= limit && make_room(o, &o->data, n + headers, limit);
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
		h->rsv1 = false;		/* RFC 7692, 6.1 */
	}
	h->fin = fin;
	put_frame(o, p, h, payload);
	buf_commit(&o->data, size);
	o->data_queued += size;
	return true;
}

static inline bool put_message(struct output *o, struct frame_header *h, struct span payload,
			       size_t limit)
{
	size_t n = payload.n, size;
	uint8_t *p;

	if (n > WS_FRAME_SIZE && (n > WS_ONE_FRAME_MAX || output_len(o) > 0))
		return put_frames(o, h, payload, limit);
	size = frame_header_size(n, true) + n;
	p = make_room(o, &o->data, size, limit);
	if (!p)
		return false;
	put_frame(o, p, h, payload);
	buf_commit(&o->data, size);
	o->data_queued += size;
	return true;
}

/* All that a run of frames needs but its keys, which it draws together. */
static size_t room_for_run(const struct output *o, const struct msg *msgs, size_t *n, size_t until)
{
	size_t len = output_len(o), all = 0, i;

	for (i = 0; i < *n && i < RUN_MAX && (i == 0 || len + all < until); i++) {
		size_t size = msgs[i].data.n;

		if (msgs[i].more || size > WS_FRAME_SIZE)
			break;
		size += frame_header_size(size, true);
		if (size > until || len + all > until - size)
			break;
		all += size;
	}
	*n = i;
	return all;
}

static uint8_t *reserve_run(struct output *o, size_t size)
{
	bool many = o->data.len == 0 && size >= RUN_MUCH && size < RUNS_ROOM;
	uint8_t *p = many ? buf_reserve(&o->data, RUNS_ROOM) : NULL;

	return p ? p : buf_reserve(&o->data, size);
}

size_t output_run(struct output *o, const struct msg *msgs, size_t n, size_t until)
{
	uint8_t keys[RUN_MAX][4] __attribute__((uninitialized)); /* not zeroed for each call */
	size_t size = room_for_run(o, msgs, &n, until);
	uint8_t *p = n > 0 ? reserve_run(o, size) : NULL;

	if (!p)
		return 0;
	if (o->rand)
		o->rand->fill(o->rand, keys, n * sizeof(keys[0]));
	else
		memset(keys, 0, n * sizeof(keys[0]));
	for (size_t i = 0; i < n; i++) {
		struct span payload = msgs[i].data;

		p += put_head(p, msgs[i].type == MSG_TEXT ? FRAME_TEXT : FRAME_BINARY, payload.n,
			      keys[i]);
		mask_copy(p, payload, keys[i], 0);
		p += payload.n;
	}
	buf_commit(&o->data, size);
	o->data_queued += size;
	return n;
}

bool output_message(struct output *o, enum frame_opcode opcode, struct msg msg, size_t limit)
{
	struct frame_header h = { .fin = !msg.more, .masked = true, .opcode = opcode };

	return put_message(o, &h, msg.data, limit);
}

bool output_packed(struct output *o, enum frame_opcode opcode, struct msg msg, size_t limit)
{
	struct frame_header h = { .fin = !msg.more,
				  .rsv1 = opcode != FRAME_CONTINUATION,
				  .masked = true,
				  .opcode = opcode };

	return put_message(o, &h, msg.data, limit);
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

/* The first n bytes of a queue leave, whose first frame ends at `end`: what is left of the last? */
static size_t rest_of_frame(const struct buf *b, size_t end, size_t n)
{
	struct span queue = buf_bytes(b);

	if (n == queue.n)
		return 0;
	while (end < n)
		end += (size_t)frame_size(span_skip(queue, end));
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
	if (urgent > 0)
		o->urgent_begun = rest_of_frame(&o->urgent, o->urgent_begun, urgent);
	buf_consume(&o->urgent, urgent);
	if (urgent > 0)
		buf_trim(&o->urgent); /* they are rare: nothing is kept for the next one */
	n -= begun + urgent;
	if (n == 0)
		return;
	o->begun = rest_of_frame(&o->data, 0, n);
	buf_consume(&o->data, n);
}
