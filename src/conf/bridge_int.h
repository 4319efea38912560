/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The types and checks behind the rows of the bridge and endpoint tables. Not
 * for other folders.
 */
#ifndef WSB_CONF_BRIDGE_INT_H
#define WSB_CONF_BRIDGE_INT_H

#include "conf/bridge_conf.h"
#include "conf/schema_int.h"

#define CONF_SOCKET_PATH_MAX \
	100 /* sun_path has 108 bytes; a listener binds under a longer name first */

extern const struct schema_custom conf_url_type;
extern const struct schema_custom conf_headers_type;
extern const struct schema_custom conf_messages_type;
extern const struct schema_custom conf_endpoints_type; /* a string, an object or a list of them */
extern const struct schema_custom conf_delimiter_type;

/* Grammar of one string, for schema_row.check; the sentence has no path. */
bool conf_check_host(const char *text, struct error *err);
bool conf_check_origin(const char *text, struct error *err);
bool conf_check_field(const char *text, struct error *err); /* any header value but the empty one */
bool conf_check_subprotocol(const char *text, struct error *err);
bool conf_check_payload(const char *text, struct error *err);
bool conf_check_socket_path(const char *text, struct error *err);

/* An absolute path in its plain spelling: "//" and "/./" become "/". Caller frees. */
char *conf_plain_path(const char *path);

/* A secret given as a string, or NULL after an error. */
const char *conf_secret(const json_t *v, const char *expected, const char *path,
			struct schema_report *report);

/*
 * The bridge object with the defaults laid under it: objects key by key, lists
 * as a whole, header names without case; `endpoint` and `endpoints` are two
 * spellings of one key. New reference.
 */
json_t *conf_bridge_merge(const json_t *defaults, const json_t *own);

/* Reports what is wrong with `defaults` alone; nothing may be missing in it. */
bool conf_bridge_check_defaults(const json_t *defaults, struct schema_report *report);

/* The dotted path of the i-th endpoint's socket in a bridge object; caller frees. */
char *conf_endpoint_path(const json_t *bridge, size_t i);

#endif
