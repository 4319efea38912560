/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server's half of the opening handshake (RFC 6455, 4.2), and what the
 * path of the request asks the echo server to do. Pure.
 */
#ifndef WSB_TOOL_ECHO_REQUEST_H
#define WSB_TOOL_ECHO_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/http_head.h"
#include "ws/params.h"

enum echo_mode {
	ECHO_BACK,   /* "/": messages come back */
	ECHO_TICKER, /* "/ticker?interval=1s": numbered messages */
	ECHO_CLOSE,  /* "/close?code=4000&reason=bye": a Close after the first message */
	ECHO_SILENT, /* "/silent": messages come back, pings are not answered */
};

struct echo_request {
	enum echo_mode mode;
	int64_t interval; /* ECHO_TICKER: microseconds */
	int code;	  /* ECHO_CLOSE */
	size_t reason_len;
	uint8_t reason[123];	   /* UTF-8 */
	struct ws_deflate deflate; /* as agreed */
};

/* Judges a whole head and appends the response to out. False: it refuses; the conversation ends. */
bool echo_request_answer(struct echo_request *rq, const struct http_head *head, struct buf *out);

/* Of a head that is none: 400 with the sentence. */
void echo_request_refuse(const char *sentence, struct buf *out);

#endif
