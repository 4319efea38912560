/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The opening handshake of a client (RFC 6455, 4.1): the request, and the
 * verdict on the response. It reads no bytes itself: http_head.h does.
 */
#ifndef WSB_WS_UPGRADE_H
#define WSB_WS_UPGRADE_H

#include "base/buf.h"
#include "base/error.h"
#include "base/http_head.h"
#include "ws/params.h"

#define UPGRADE_KEY_LEN 24    /* 16 random bytes in Base64 */
#define UPGRADE_ACCEPT_LEN 28 /* a SHA-1 digest in Base64 */

/* What the response is held against, and what it chose; owned by the conversation. */
struct upgrade {
	char accept[UPGRADE_ACCEPT_LEN + 1];
	char **offered; /* subprotocols */
	size_t n_offered;
	size_t interim;	    /* 1xx responses so far */
	const char *chosen; /* one of `offered`, NULL = none */
	struct ws_deflate deflate_offer, deflate;
};

enum upgrade_verdict {
	UPGRADE_ACCEPTED,
	UPGRADE_INTERIM, /* a 1xx response: the one that counts is still to come */
	UPGRADE_REFUSED,
};

/* Draws a key and appends the request to out, whose cap must leave room for it. */
void upgrade_init(struct upgrade *u, const struct ws_params *params, struct buf *out);
void upgrade_deinit(struct upgrade *u); /* twice is fine */

/* REFUSED: *err has code, stage, and the status if that was the reason. */
enum upgrade_verdict upgrade_judge(struct upgrade *u, const struct http_head *head,
				   struct error *err);

/* The Sec-WebSocket-Accept that answers a key (RFC 6455, 4.2.2); writes a final NUL. */
void upgrade_accept(char accept[UPGRADE_ACCEPT_LEN + 1], struct span key);

#endif
