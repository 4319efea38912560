/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames into messages (RFC 6455, 5.4, 5.6 and 8.1). Control frames do not
 * come here: they may stand between the fragments. The struct belongs to
 * whoever embeds it. The trap: the size is judged by the header before a byte
 * of the payload is looked at, but memory is taken for received bytes only.
 */
#include "ws/assemble.h"

#include <assert.h>

#include "ws/close.h"

#define SPARE_MIN ((size_t)1024)

void assemble_init(struct assemble *a, size_t max_message, bool validate_utf8)
{
	*a = (struct assemble){ .validate_utf8 = validate_utf8 };
	buf_init(&a->bytes, max_message);
}

void assemble_deinit(struct assemble *a)
{
	buf_deinit(&a->bytes);
	a->fragments = 0;
	a->size = 0;
	a->n_tail = 0;
	a->handed = false;
}

void assemble_release(struct assemble *a)
{
	if (a->handed)
		buf_clear(&a->bytes);
	a->handed = false;
}

size_t assemble_partial(const struct assemble *a)
{
	return (a->handed ? 0 : a->bytes.len) + a->n_tail;
}

static bool refuse(struct error *err, enum err what, int code, const char *text)
{
	error_set(err, what, "%s", text);
	err->close_code = code;
	return false;
}

bool assemble_refuse_size(const struct assemble *a, struct error *err)
{
	error_set(err, ERR_OVERFLOW, "a message is longer than %zu bytes", a->bytes.cap);
	err->close_code = CLOSE_TOO_BIG;
	return false;
}

bool assemble_refuse_memory(struct error *err)
{
	return refuse(err, ERR_OVERFLOW, CLOSE_TOO_BIG, "no memory for a message");
}

bool assemble_begin(struct assemble *a, const struct frame_header *h, struct error *err)
{
	bool continues = h->opcode == FRAME_CONTINUATION;

	assert(!a->handed);
	if (continues && a->fragments == 0) /* RFC 6455, 5.4 */
		return refuse(err, ERR_PROTOCOL, CLOSE_PROTOCOL,
			      "a continuation frame continues nothing");
	if (!continues && a->fragments > 0)
		return refuse(err, ERR_PROTOCOL, CLOSE_PROTOCOL,
			      "a message begins inside a fragmented one");
	if (a->fragments == WS_FRAGMENTS_MAX)
		return refuse(err, ERR_OVERFLOW, CLOSE_TOO_BIG, "a message has too many fragments");
	if (!continues) {
		a->type = h->opcode == FRAME_TEXT ? MSG_TEXT : MSG_BINARY;
		a->compressed = h->rsv1;
	}
	if (!a->compressed) {
		if (h->len > a->bytes.cap - a->size)
			return assemble_refuse_size(a, err);
		a->size += (size_t)h->len;
	}
	a->fragments++;
	a->fin = h->fin;
	return true;
}

/* RFC 6455, 8.1: the whole message must be UTF-8, a single fragment need not be. */
static bool check_text(struct assemble *a, struct span piece, bool last)
{
	if (a->type != MSG_TEXT || !a->validate_utf8)
		return true;
	return utf8_feed(&a->utf8, piece) && (!last || utf8_complete(&a->utf8));
}

static bool refuse_text(struct error *err)
{
	return refuse(err, ERR_PAYLOAD, CLOSE_PAYLOAD, "a text message is not UTF-8");
}

/* Appended to what is there; *all is then the whole of it. */
static bool append(struct assemble *a, struct span piece, struct span *all)
{
	struct span tail = span_of(a->tail, a->n_tail);

	if (!buf_append(&a->bytes, tail))
		return false;
	a->n_tail = 0;
	if (!buf_append(&a->bytes, piece))
		return false;
	*all = buf_bytes(&a->bytes);
	return true;
}

/* Bytes of a character at the end of s that is not whole. */
static size_t tail_len(struct span s)
{
	for (size_t n = 1; n <= 3 && n <= s.n; n++) {
		struct span end = span_skip(s, s.n - n);
		struct utf8 u = { 0 };

		if (end.p[0] >= 0xC0) /* the lead byte */
			return utf8_feed(&u, end) && !utf8_complete(&u) ? n : 0;
	}
	return 0;
}

/* A fragment that is not the last one: a character that is not whole stays for the next. */
static void cut_tail(struct assemble *a, struct span *s)
{
	size_t n = a->type == MSG_TEXT ? tail_len(*s) : 0;

	a->n_tail = (uint8_t)n;
	s->n -= n;
	if (n > 0)
		memcpy(a->tail, s->p + s->n, n);
}

static enum assemble_result hand_out(struct assemble *a, struct span bytes, bool last,
				     struct msg *msg)
{
	if (!last)
		cut_tail(a, &bytes);
	if (!last && bytes.n == 0) {
		assemble_release(a);
		return ASSEMBLE_MORE;
	}
	*msg = (struct msg){ .type = a->type, .data = bytes, .more = !last };
	if (last)
		a->fragments = a->size = 0;
	return ASSEMBLE_MESSAGE;
}

enum assemble_result assemble_feed(struct assemble *a, struct span piece, bool frame_end,
				   struct msg *msg, struct error *err)
{
	bool last = frame_end && a->fin, out = frame_end && (a->fin || a->deliver);

	if (!check_text(a, piece, last)) {
		refuse_text(err);
		return ASSEMBLE_BAD;
	}
	if (!out || a->bytes.len > 0 || a->n_tail > 0) {
		if (!append(a, piece, &piece)) {
			assemble_refuse_memory(err); /* begin() has seen to the cap */
			return ASSEMBLE_BAD;
		}
		a->handed = out;
	}
	return out ? hand_out(a, piece, last, msg) : ASSEMBLE_MORE;
}

/* What the last fragment kept back is in front of what this one has. */
static bool put_tail(struct assemble *a)
{
	bool ok = a->n_tail == 0 || buf_append(&a->bytes, span_of(a->tail, a->n_tail));

	if (ok)
		a->n_tail = 0;
	return ok;
}

uint8_t *assemble_room(struct assemble *a, size_t most, size_t *room)
{
	size_t left = a->bytes.cap - a->size;
	size_t spare = a->bytes.size - a->bytes.off - a->bytes.len;

	assert(a->compressed && !a->handed);
	if (spare >= SPARE_MIN + a->n_tail && spare < most)
		most = spare - a->n_tail; /* of a block that will do there is no larger one made */
	*room = most < left ? most : left;
	return *room > 0 && put_tail(a) ? buf_reserve(&a->bytes, *room) : NULL;
}

bool assemble_took(struct assemble *a, size_t n, struct error *err)
{
	struct span all;

	if (n == 0)
		return true;
	buf_commit(&a->bytes, n);
	a->size += n;
	all = buf_bytes(&a->bytes);
	return check_text(a, span_skip(all, all.n - n), false) || refuse_text(err);
}

enum assemble_result assemble_end(struct assemble *a, struct msg *msg, struct error *err)
{
	if (a->fin && !check_text(a, span_of(NULL, 0), true)) {
		refuse_text(err);
		return ASSEMBLE_BAD;
	}
	if (!a->fin && !a->deliver)
		return ASSEMBLE_MORE;
	if (!put_tail(a)) {
		assemble_refuse_memory(err);
		return ASSEMBLE_BAD;
	}
	a->handed = true;
	return hand_out(a, buf_bytes(&a->bytes), a->fin, msg);
}
