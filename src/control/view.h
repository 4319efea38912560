/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bridges and the daemon as JSON: what `status` shows. The one place that
 * decides which fields there are and what is a secret. New references.
 */
#ifndef WSB_CONTROL_VIEW_H
#define WSB_CONTROL_VIEW_H

#include <jansson.h>

#include "control/call.h"

struct history;

json_t *view_bridge(struct bridge *b);
json_t *view_history(const struct history *h);	   /* a list, oldest first */
json_t *view_traced_until(const struct bridge *b); /* null if it is not */
json_t *view_gone(const char *name);		   /* of a bridge that was removed */
json_t *view_daemon(const struct call_env *env);
json_t *view_limits(const struct main_conf *conf);     /* every limit of the table */
json_t *view_last_error(const struct link_info *info); /* null if there was none */
/* Headers, and body if there is one, of a server's answer. */
json_t *view_refusal(const struct session_details *d);
void view_transport(json_t *v,
		    const struct session_details *d); /* adds url, peer, tls, timings... */
json_t *view_text(struct span s);		      /* a string, escaped if it is not UTF-8 */
void view_record(json_t *v, const struct record *r);  /* adds its fields, and its time */
void view_time(json_t *v, int64_t microseconds);      /* adds a time, since 1970 */

#endif
