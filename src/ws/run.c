/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See run.h. It looks at four bytes of a header at once, so the last frame of
 * an input is not taken when it is shorter than that. The trap: whatever is
 * taken here must be what the long way would have made of it, to the byte;
 * tests/unit/ws/test_run.c compares the two.
 */
#include "ws/run.h"

#include "base/ascii.h"
#include "base/utf8.h"

enum {
	HEAD_MIN = 4,	   /* bytes of it that may be looked at */
	FIRST_TEXT = 0x81, /* FIN, nothing reserved, text (RFC 6455, 5.2) */
	FIRST_BINARY = 0x82,
	LEN_16 = 126, /* the length follows in 16 bits; above it: in 64, or masked */
};

/* The payload of the frame that in begins with; false: not one for this way. */
static inline bool peek(struct span in, size_t max_message, struct span *payload)
{
	size_t len, head = 2;

	if (in.n < HEAD_MIN || (in.p[0] != FIRST_TEXT && in.p[0] != FIRST_BINARY))
		return false;
	len = in.p[1];
	if (len >= LEN_16) {
		head = 4;
		if (len > LEN_16)
			return false;
		len = (size_t)in.p[2] << 8 | in.p[3];
		if (len < LEN_16)
			return false;
	}
	if (len > in.n - head || len > max_message)
		return false;
	*payload = span_of(in.p + head, len);
	return true;
}

size_t run_take(const struct run_rules *rules, struct span *in, struct msg *msgs, size_t max)
{
	struct span left = *in, payload;
	size_t n = 0;

	while (n < max && peek(left, rules->max_message, &payload)) {
		bool text = left.p[0] == FIRST_TEXT;

		if (text && rules->validate_utf8 && !ascii_is_short(payload) &&
		    !utf8_valid(payload))
			break;
		msgs[n++] = (struct msg){ .type = text ? MSG_TEXT : MSG_BINARY, .data = payload };
		left = span_skip(left, (size_t)(payload.p - left.p) + payload.n);
	}
	*in = left;
	return n;
}
