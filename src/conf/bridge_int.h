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

extern const struct schema_custom conf_urls_type; /* a URL or a list of them */
extern const struct schema_custom conf_connect_type;
extern const struct schema_custom conf_proxy_type;
extern const struct schema_custom conf_secret_type; /* row->check judges one given as a string */
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
bool conf_check_socket_path(const char *text, struct error *err); /* of a listener */
bool conf_check_path(const char *text, struct error *err);	  /* absolute */
bool conf_check_token(const char *text, struct error *err);	  /* one word for a header */
bool conf_check_user(const char *text, struct error *err);
bool conf_check_password(const char *text, struct error *err);
bool conf_check_server_name(const char *text, struct error *err);
bool conf_check_algorithms(const char *text, struct error *err);
bool conf_check_pin(const char *text, struct error *err);
bool conf_check_no_proxy(const char *text, struct error *err); /* one element */
bool conf_check_address(const char *text, struct error *err);
bool conf_check_device(const char *text, struct error *err);

int conf_address_family(const char *text); /* 4, 6 (maybe with a %scope), 0 = no address */

/* "[USER[:PASSWORD]@]HOST[:PORT]" as in a URL; the port is 0 where it is missing. */
bool conf_parse_authority(struct url *u, const char *text, size_t n, struct error *err);

/* An absolute path in its plain spelling: "//" and "/./" become "/". Caller frees. */
char *conf_plain_path(const char *path);

/*
 * The bridge object with the defaults laid under it: objects key by key, lists
 * and secrets as a whole, header names without case; `endpoint` and
 * `endpoints` are two spellings of one key. New reference.
 */
json_t *conf_bridge_merge(const json_t *defaults, const json_t *own);

/*
 * Takes out of the bridge object `under` what `own` gives anew and what must
 * not be mixed with that key by key: secrets, header fields, ways of `auth`.
 */
void conf_bridge_make_room(json_t *under, const json_t *own);

/* The value at a dotted name of options, NULL = not given. */
const json_t *conf_given(const json_t *bridge, const char *name);

/* What contradicts what on the way to the server. `merged` is what `c` was made from. */
void conf_bridge_check_upstream(const struct bridge_conf *c, const json_t *merged,
				struct schema_report *report);

/* Reports what is wrong with `defaults` alone; nothing may be missing in it. */
bool conf_bridge_check_defaults(const json_t *defaults, struct schema_report *report);

/* The dotted path of the i-th endpoint's socket in a bridge object; caller frees. */
char *conf_endpoint_path(const json_t *bridge, size_t i);

#endif
