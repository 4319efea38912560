/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bridges and the daemon as JSON: what `status` shows. The one place that
 * decides which fields there are and what is a secret. New references.
 */
#ifndef WSB_CONTROL_VIEW_H
#define WSB_CONTROL_VIEW_H

#include <jansson.h>

#include "control/call.h"

json_t *view_bridge(struct bridge *b);
json_t *view_gone(const char *name); /* of a bridge that was removed */
json_t *view_daemon(const struct call_env *env);
json_t *view_limits(const struct main_conf *conf);     /* every limit of the table */
json_t *view_last_error(const struct link_info *info); /* null if there was none */
/* Names and values of a handshake response, a list where a name comes twice; head may be NULL. */
json_t *view_headers(const struct http_head *head);

#endif
