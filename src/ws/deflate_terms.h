/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The negotiation of permessage-deflate (RFC 7692, 5.1 and 7.1): the client's
 * offer as text, its verdict on the answer, and the server's choice among
 * offers. No compression here, and nothing of HTTP but the values of
 * Sec-WebSocket-Extensions.
 */
#ifndef WSB_WS_DEFLATE_TERMS_H
#define WSB_WS_DEFLATE_TERMS_H

#include "base/error.h"
#include "base/http_head.h"
#include "ws/params.h"

#define DEFLATE_TERMS_TEXT 160 /* the longest offer, or answer, with its NUL */

/* The value of Sec-WebSocket-Extensions for this offer, or answer. Returns text. */
char *deflate_terms_offer(char text[DEFLATE_TERMS_TEXT], const struct ws_deflate *offer);
char *deflate_terms_answer(char text[DEFLATE_TERMS_TEXT], const struct ws_deflate *agreed);

/*
 * What the head of an answer says to this offer; no such field: *agreed is off. False: it says
 * what it may not, and *err why (code and text; the stage is the caller's).
 */
bool deflate_terms_judge(const struct ws_deflate *offer, const struct http_head *head,
			 struct ws_deflate *agreed, struct error *err);

/*
 * As a server: the first of the client's offers that can be served, which ours limits. *agreed is
 * off if there is none; an offer that is written wrong is passed over.
 */
void deflate_terms_choose(const struct ws_deflate *ours, const struct http_head *head,
			  struct ws_deflate *agreed);

#endif
