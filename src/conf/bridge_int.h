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
extern const struct schema_custom conf_steps_type;
extern const struct schema_custom conf_message_type;
extern const struct schema_custom conf_match_type;
extern const struct schema_custom conf_codes_type;     /* int * within row->min…max, each once */
extern const struct schema_custom conf_endpoints_type; /* a string, an object or a list of them */
extern const struct schema_custom conf_delimiter_type;
extern const struct schema_custom conf_events_type;

/* The three ways to write a message, each a row of its own with one offset. */
extern const struct schema_custom conf_text_type, conf_json_type, conf_binary_type;

#define CONF_EXPECT_SECRET \
	"a string or an object with \"file\", \"env\", \"credential\" or \"command\""

/* Grammar of one string, for schema_row.check; the sentence has no path. */
bool conf_check_host(const char *text, struct error *err);
bool conf_check_origin(const char *text, struct error *err);
bool conf_check_field(const char *text, struct error *err); /* any header value but the empty one */
bool conf_check_subprotocol(const char *text, struct error *err);
bool conf_check_payload(const char *text, struct error *err);
bool conf_check_socket(const char *text, struct error *err);   /* a path, @NAME or systemd:NAME */
bool conf_check_loopback(const char *text, struct error *err); /* and a port */
bool conf_check_fifo(const char *text, struct error *err);
bool conf_check_account(const char *text, struct error *err); /* a name or a number */
bool conf_check_pointer(const char *text, struct error *err); /* RFC 6901 */
bool conf_check_path(const char *text, struct error *err);    /* absolute */
bool conf_check_token(const char *text, struct error *err);   /* one word for a header */
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

/* The same for all that `unix` may be: abstract and inherited ones stay as they are. */
char *conf_plain_place(const char *place);

bool conf_message_text(struct conf_message *m, const json_t *v, const char *path,
		       struct schema_report *r);
char *conf_json_text(const json_t *v); /* as a message has it; caller frees */

/* Is this the same JSON value? Numbers by their value, digit by digit; the text is valid JSON. */
bool conf_json_same(struct span text, const json_t *v);

#define CONF_POINTER_MAX 1024 /* bytes of a JSON Pointer */

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

/* What an endpoint occupies, so that nothing else may. */
#define CONF_PLACES 3
struct conf_place {
	const char *key;  /* "unix", "fifo.out", "fifo.in" */
	const char *path; /* NULL = none */
};
void conf_endpoint_places(const struct endpoint_conf *e, struct conf_place places[CONF_PLACES]);

/* The i-th endpoint in a bridge object. */
const json_t *conf_endpoint_at(const json_t *bridge, size_t i);

/* The dotted path of the i-th endpoint, and of its option `key`; caller frees. */
char *conf_endpoint_path(const json_t *bridge, size_t i);
char *conf_endpoint_option(const json_t *bridge, size_t i, const char *key);

/* What contradicts what among the options of the endpoints. `merged` is what `c` was made from. */
void conf_bridge_check_endpoints(const struct bridge_conf *c, const json_t *merged,
				 struct schema_report *report);

/* Takes out of the merged `endpoint` what came from the defaults only and does not fit it. */
void conf_endpoint_prune(json_t *merged, const json_t *own);

#endif
