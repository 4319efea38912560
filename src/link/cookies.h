/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cookies that handshake responses have set, kept in memory for one bridge
 * and sent back by the rules of RFC 6265. Pure: it is told the time. The
 * values are secrets: shown nowhere, wiped when they go. Owned by a link.
 */
#ifndef WSB_LINK_COOKIES_H
#define WSB_LINK_COOKIES_H

#include "base/list.h"
#include "base/span.h"

struct url;

/* More than anybody needs; what comes above pushes the oldest out. */
#define COOKIES_MAX 50
#define COOKIE_SIZE_MAX 4096

struct cookies {
	struct list list; /* oldest first */
	size_t n;
};

void cookies_init(struct cookies *c);
void cookies_deinit(struct cookies *c); /* twice is fine; it may be used again */

/*
 * One Set-Cookie field of an answer from `url`; what does not fit the rules is ignored
 * (5.3). now: seconds since 1970.
 */
void cookies_note(struct cookies *c, const struct url *url, struct span field, int64_t now);

/*
 * The Cookie field value for a request to `url` (5.4), NULL = none. The caller wipes and
 * frees it.
 */
char *cookies_header(struct cookies *c, const struct url *url, int64_t now);

#endif
