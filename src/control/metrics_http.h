/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metrics for those who scrape: GET /metrics by HTTP/1.1, one request per
 * connection, on a Unix socket or a loopback address. It is no web server.
 * Owned by the control server.
 */
#ifndef WSB_CONTROL_METRICS_HTTP_H
#define WSB_CONTROL_METRICS_HTTP_H

#include "control/call.h"

struct metrics_http;

struct metrics_http *metrics_http_new(const struct call_env *env); /* nowhere yet */

/*
 * Listens there and no longer elsewhere; the same place again is left alone.
 * False: *err is ERR_ENDPOINT, and it listens nowhere.
 */
bool metrics_http_listen(struct metrics_http *h, const struct metrics_conf *conf,
			 struct error *err);
void metrics_http_stop(struct metrics_http *h); /* no new connections */
void metrics_http_free(struct metrics_http *h);

#endif
