/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `wsbridge probe` has found out, as the JSON object that --json prints
 * and the report for people is made of. Pure. No secret is in it.
 */
#ifndef WSB_TOOL_PROBE_VIEW_H
#define WSB_TOOL_PROBE_VIEW_H

#include <jansson.h>

#include "base/error.h"
#include "link/session.h"

/* Names that `status` does not have; control/names.h has the rest. */
#define PROBE_OK "ok"
#define PROBE_ERROR "error"
#define PROBE_REDIRECTED "redirected_to"
#define PROBE_TOTAL "total"
#define PROBE_ADDRESSES "addresses" /* [{address, time, result}] */
#define PROBE_ADDRESS "address"
#define PROBE_TIME "time"
#define PROBE_RESULT "result"
#define PROBE_PROXY "proxy"
#define PROBE_PROXY_TLS "proxy_tls" /* as tls */
#define PROBE_CHAIN "chain" /* [{subject, issuer, sans, not_before, not_after, days_left}] */
#define PROBE_DAYS_LEFT "days_left"
#define PROBE_EXTENSIONS "extensions" /* ["permessage-deflate; ..."] */
#define PROBE_WARNINGS "warnings"

#define PROBE_CONNECTED "connected" /* the result of the address that was */

/* A certificate is worth a warning when it has so many days left, or fewer. */
#define PROBE_DAYS_WARN 14

struct probe_facts {
	const struct url *url;		       /* what was asked for */
	const struct session_details *details; /* when it was open, or had ended */
	const char *proxy;		       /* "socks5h://127.0.0.1:1080", NULL = none */
	bool ok;
	int64_t total; /* microseconds */
	int64_t now;   /* seconds since 1970 */
};

json_t *probe_view(const struct probe_facts *f); /* new reference; without PROBE_ERROR */

#endif
