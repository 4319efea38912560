/* SPDX-License-Identifier: Apache-2.0 */
/* Close codes (RFC 6455, 7.4, and the IANA registry) and the body of a Close frame. */
#ifndef WSB_WS_CLOSE_H
#define WSB_WS_CLOSE_H

#include "base/error.h"
#include "base/span.h"
#include "ws/limits.h"

enum {
	CLOSE_NORMAL = 1000,
	CLOSE_GOING_AWAY = 1001,
	CLOSE_PROTOCOL = 1002,
	CLOSE_UNACCEPTABLE = 1003,
	CLOSE_NONE = 1005,     /* no code was sent; never on the wire */
	CLOSE_ABNORMAL = 1006, /* no Close at all; never on the wire */
	CLOSE_PAYLOAD = 1007,
	CLOSE_POLICY = 1008,
	CLOSE_TOO_BIG = 1009,
};

bool close_code_sendable(int code);    /* may a client put it into a Close */
bool close_code_receivable(int code);  /* may a server put it into a Close */
const char *close_code_name(int code); /* "normal closure", "private use"; never NULL */

/* Writes the body of a Close: 2 + reason.n bytes, or none for code 0. Returns their number. */
size_t close_encode(uint8_t out[WS_CONTROL_MAX], int code, struct span reason);

/*
 * Body of a received Close → code (CLOSE_NONE if it is empty) and reason,
 * which points into body. False: *err says why, with the close_code to answer.
 */
bool close_decode(struct span body, int *code, struct span *reason, struct error *err);

#endif
