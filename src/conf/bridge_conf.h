/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration of one bridge, as an immutable snapshot with counted
 * references: a session ends with the values it began with. The option table
 * beside it (bridge_rows.c) is the only list of bridge options there is.
 * Durations are in microseconds, 0 = off.
 */
#ifndef WSB_CONF_BRIDGE_CONF_H
#define WSB_CONF_BRIDGE_CONF_H

#include <jansson.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/msg.h"
#include "base/url.h"
#include "conf/conf_secret.h"
#include "conf/schema.h"

#define BRIDGE_NAME_MAX 64

enum conf_jitter { JITTER_EQUAL, JITTER_FULL, JITTER_NONE };
enum conf_when { WHEN_ALWAYS, WHEN_ABNORMAL, WHEN_NEVER };
enum conf_start { START_AUTO, START_MANUAL };
enum conf_proof { PROOF_ANY, PROOF_PONG };
enum conf_mask { MASK_RANDOM, MASK_ZERO };
enum conf_on_full { ON_FULL_REJECT, ON_FULL_DROP_OLDEST };
enum conf_overflow { OVERFLOW_DROP_OLDEST, OVERFLOW_DROP_NEWEST, OVERFLOW_DISCONNECT };
enum conf_framing { FRAMING_LINES };
enum conf_newlines { NEWLINES_SPACE, NEWLINES_ESCAPE, NEWLINES_REJECT };
enum conf_binary { BINARY_BASE64, BINARY_HEX, BINARY_DROP };
enum conf_send_as { SEND_AS_TEXT, SEND_AS_BINARY, SEND_AS_BASE64 };

enum conf_cookies { COOKIES_KEEP, COOKIES_OFF };
enum conf_family { FAMILY_ANY, FAMILY_IPV4, FAMILY_IPV6 };
enum conf_auth { AUTH_NONE, AUTH_BASIC, AUTH_BEARER };
enum conf_proxy { CONF_PROXY_ENV, CONF_PROXY_NONE, CONF_PROXY_URL };
enum conf_proxy_kind {
	CONF_PROXY_HTTP,
	CONF_PROXY_HTTPS,
	CONF_PROXY_SOCKS4,
	CONF_PROXY_SOCKS4A,
	CONF_PROXY_SOCKS5,
	CONF_PROXY_SOCKS5H,
};
enum conf_tls_version { CONF_TLS_ANY, CONF_TLS_1_2, CONF_TLS_1_3 }; /* ANY: not given */

/* One header line; a name with a list of values is several of these. */
struct conf_header {
	char *name;
	struct secret_conf value;
};

/*
 * A message that is sent from the configuration: an on_open step. A
 * {"json": V} was read as a value and is written anew, compact, keys in their
 * order, numbers with the fewest digits that read back the same: 0.10 becomes
 * 0.1 and 1e2 becomes 100.0. Who wants the exact bytes gives them as "text".
 */
struct conf_message {
	enum msg_type type;
	uint8_t *data;
	size_t n;
};

struct endpoint_conf {
	char *unix_path; /* absolute, or "@name" for the abstract name space (refused for now) */
	enum conf_framing framing;
	unsigned delimiter; /* '\n' or 0 */
	enum conf_newlines newlines;
	enum conf_binary binary;
	enum conf_send_as send_as;
	mode_t mode;
	int64_t max_clients;
	size_t queue; /* bytes */
	enum conf_overflow overflow;
};

/* Where to open the socket: a host, or a Unix socket, or both NULL: where the URL says. */
struct connect_conf {
	char *host, *unix_path; /* host: without brackets, lower case */
	uint16_t port;
};

struct proxy_conf {
	enum conf_proxy use;
	/* CONF_PROXY_URL: */
	enum conf_proxy_kind kind;
	char *host; /* without brackets, lower case */
	uint16_t port;
	char *user, *password; /* out of the URL, percent-decoded; NULL = none; shown nowhere */
	/* also for the environment's: */
	struct secret_conf secret; /* proxy_password: comes before the URL's */
	char **no_proxy;
	size_t n_no_proxy;
};

struct bridge_conf {
	unsigned refs;
	char name[BRIDGE_NAME_MAX + 1];
	bool from_file; /* else made by `open` on the control socket */
	/* upstream: a change needs a new connection (timeouts: counts from the next one on) */
	struct url *urls; /* tried in order, moving on at each failed attempt; at least one */
	size_t n_urls;
	struct connect_conf connect_to;
	struct conf_header *headers;
	size_t n_headers;
	char *host, *origin, *user_agent;
	/* The key was given; the value is NULL then if the header is to be left out. */
	bool has_host, has_origin, has_user_agent;
	char **subprotocols;
	size_t n_subprotocols;
	struct secret_conf cookie;
	enum conf_cookies cookies;
	struct {
		enum conf_auth kind;
		char *user;		   /* AUTH_BASIC; no colon in it */
		struct secret_conf secret; /* the password, or the bearer token */
	} auth;
	int64_t redirects;
	struct {
		int64_t connect, handshake, open, close;
	} timeouts;
	struct {
		bool verify, verify_hostname;
		char *ca_file, *ca_dir, *cert, *key;
		struct secret_conf key_password;
		char *server_name; /* host name or address; never empty, no leading dot */
		enum conf_tls_version min_version, max_version;
		char *ciphers, *ciphersuites, *groups;
		char **pins;
		size_t n_pins;
		char *keylog_file;
	} tls;
	struct proxy_conf proxy;
	struct {
		bool nodelay;
		bool keepalive; /* the object was given */
		int64_t keepalive_idle, keepalive_interval, keepalive_count;
		int64_t user_timeout;
		char *bind_address, *bind_device; /* an address of `family`; NULL = none */
		int64_t mark;			  /* 0...2^32-1; 0 = none */
		size_t rcvbuf, sndbuf;		  /* 0 = the system's */
		enum conf_family family;
	} socket;
	size_t max_message;
	bool validate_utf8;
	enum conf_mask mask;
	struct conf_message *on_open;
	size_t n_on_open;
	/* policies: a change takes effect at once */
	struct {
		int64_t interval, timeout;
		char *payload; /* at most 125 bytes, "" by default */
		enum conf_proof proof;
	} ping;
	struct {
		enum conf_when when;
		int64_t initial, max, slow, reset_after;
		double factor;
		enum conf_jitter jitter;
		int64_t attempts; /* 0 = no end */
	} reconnect;
	enum conf_start start;
	struct {
		size_t size;
		int64_t ttl;
		enum conf_on_full on_full;
	} outbox;
	struct endpoint_conf *endpoints;
	size_t n_endpoints;
};

/* The option table: rows for a bridge and, apart, for one endpoint. */
extern const struct schema bridge_schema;
extern const struct schema endpoint_schema;

bool bridge_name_valid(const char *name); /* [A-Za-z0-9_.@-]{1,64} */

/*
 * Makes a snapshot (one reference, the caller's) from JSON objects that are
 * laid over one another: defaults first (may be NULL), then the bridge's own.
 * Every error goes to `report`, with a dotted path below the bridge
 * ("ping.interval", "endpoints[1].unix"); NULL if there was one.
 */
struct bridge_conf *bridge_conf_new(const char *name, const json_t *defaults, const json_t *own,
				    struct schema_report *report);
struct bridge_conf *bridge_conf_ref(struct bridge_conf *c);
void bridge_conf_unref(struct bridge_conf *c); /* NULL is fine */

#endif
