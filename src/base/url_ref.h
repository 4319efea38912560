/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a redirect leads: a Location field (RFC 9110, 10.2.2) against the URL
 * it came from (RFC 3986, 5.2). http and https stand for ws and wss there.
 */
#ifndef WSB_BASE_URL_REF_H
#define WSB_BASE_URL_REF_H

#include "base/span.h"
#include "base/url.h"

/*
 * *out is a new URL; it has the user information of `base` only if it is of
 * the same origin and brings none itself. False: *err is ERR_PROTOCOL with a
 * sentence that repeats nothing of the field; *out untouched.
 */
bool url_resolve(struct url *out, const struct url *base, struct span location, struct error *err);

/* Scheme, host and port, or the path of the socket, are the same. */
bool url_same_origin(const struct url *a, const struct url *b);

#endif
