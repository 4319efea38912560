/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens to a connection as JSON, one value for each line: the events of
 * wsbridge-rpc(7), as far as one connection has them. Pure; the time is the
 * caller's. NULL: no memory. New references.
 */
#ifndef WSB_TOOL_CONNECT_JSON_H
#define WSB_TOOL_CONNECT_JSON_H

#include <jansson.h>

#include "base/buf.h"
#include "link/session.h"
#include "tool/connect_show.h"

json_t *connect_json_payload(enum connect_kind kind, struct msg msg); /* messages, pings, pongs */
json_t *connect_json_open(const char *url, const char *subprotocol);  /* NULL = none */
json_t *connect_json_close(const struct session_end *end);

/*
 * Appends it as a line, with its time (microseconds since 1970). ascii: nothing but ASCII, for a
 * terminal. Takes v, which may be NULL. False: as connect_show.
 */
bool connect_json_put(json_t *v, int64_t time, bool ascii, struct buf *out);

#endif
