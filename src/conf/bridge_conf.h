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
#include "conf/conf_match.h"
#include "conf/conf_secret.h"
#include "conf/schema.h"

#define BRIDGE_NAME_MAX 64

enum conf_jitter { JITTER_EQUAL, JITTER_FULL, JITTER_NONE };
enum conf_when { WHEN_ALWAYS, WHEN_ABNORMAL, WHEN_NEVER };
enum conf_start { START_AUTO, START_MANUAL, START_ON_DEMAND };
enum conf_proof { PROOF_ANY, PROOF_PONG };
enum conf_mask { MASK_RANDOM, MASK_ZERO };
enum conf_on_full { ON_FULL_REJECT, ON_FULL_DROP_OLDEST };
enum conf_overflow {
	OVERFLOW_DROP_OLDEST,
	OVERFLOW_DROP_NEWEST,
	OVERFLOW_DISCONNECT,
	OVERFLOW_BLOCK
};
enum conf_framing { FRAMING_LINES, FRAMING_JSON, FRAMING_LENGTH, FRAMING_RAW };
enum conf_socket_type { SOCKET_STREAM, SOCKET_SEQPACKET };
enum conf_access { ACCESS_RW, ACCESS_R, ACCESS_W };
enum conf_json_data { JSON_DATA_STRING, JSON_DATA_INLINE };
enum conf_sharing { SHARING_SHARED, SHARING_PRIVATE };
enum conf_fragments { FRAGMENTS_JOIN, FRAGMENTS_DELIVER };

/* What a client of the json framing is told besides messages: `events`, as bits. */
enum conf_events {
	EVENTS_OPEN = 1 << 0,
	EVENTS_CLOSE = 1 << 1,
	EVENTS_PING = 1 << 2,
	EVENTS_PONG = 1 << 3,
	EVENTS_GAP = 1 << 4,
	EVENTS_ERROR = 1 << 5,
	EVENTS_ACK = 1 << 6,
	EVENTS_ALL = (1 << 7) - 1,
};
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
 * A message that is sent from the configuration: an on_open step, a heartbeat. A
 * {"json": V} was read as a value and is written anew, compact, keys in their
 * order, numbers with the fewest digits that read back the same: 0.10 becomes
 * 0.1 and 1e2 becomes 100.0. Who wants the exact bytes gives them as "text".
 */
struct conf_message {
	enum msg_type type;
	uint8_t *data;
	size_t n;
};

/* A piece of a received message: `capture`; or a secret that stands in for a name. */
struct conf_capture {
	char *name;    /* [A-Za-z0-9_]{1,64} */
	char *pointer; /* JSON Pointer (RFC 6901) */
};
struct conf_step_secret {
	char *name;
	struct secret_conf value;
};

/*
 * A step of on_open. In the message of a SEND step ${NAME} stands for one of
 * the step's secrets, or else for what was captured last by that name, and $${
 * for ${ itself (conf_template.h); every NAME has been checked to be known by
 * then. {"text": SECRET} with a secret that is no string is the template
 * "${text}" with that secret.
 */
struct conf_step {
	enum conf_step_kind { STEP_SEND, STEP_EXPECT, STEP_WAIT } kind;
	/* STEP_SEND */
	struct conf_message message;
	bool is_template; /* there is a ${ in it, and it is no binary message */
	bool is_json;	  /* from {"json": V}: what is put in keeps it JSON */
	struct conf_step_secret *secrets;
	size_t n_secrets;
	/* STEP_EXPECT */
	struct conf_match match;
	int64_t timeout; /* > 0 */
	struct conf_capture *captures;
	size_t n_captures;
	bool deliver; /* local clients get the message, too */
	/* STEP_WAIT */
	int64_t wait;
};

/* What holds for an endpoint wherever it is. */
struct endpoint_rules {
	struct schema_refs refs;
	enum conf_socket_type type;
	enum conf_framing framing;
	enum conf_json_data data;
	unsigned events;		    /* EVENTS_ */
	char *owner, *group;		    /* names or numbers; NULL = ours */
	char **allow_users, **allow_groups; /* as owner; both empty: whoever the mode lets in */
	size_t n_allow_users, n_allow_groups;
	enum conf_access access;
	int64_t replay; /* messages */
	int64_t block_timeout;
	unsigned delimiter; /* '\n' or 0 */
	enum conf_newlines newlines;
	enum conf_binary binary;
	enum conf_send_as send_as; /* of lines, or raw: then TEXT or BINARY */
	mode_t mode;		   /* of the socket, or of a FIFO that is made */
	int64_t max_clients;
	size_t queue; /* bytes */
	enum conf_overflow overflow;
};

/* One of unix_path and the two FIFOs is given; both FIFOs may be. */
struct endpoint_conf {
	char *unix_path; /* absolute; "@name": an abstract one; "systemd:NAME": an inherited one */
	char *fifo_out, *fifo_in; /* absolute; NULL = none */
	const struct endpoint_rules *rules;
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

/* What the server is told at each opening, before local clients are heard. */
struct handshake_conf {
	struct schema_refs refs;
	struct conf_header *headers;
	size_t n_headers;
	char *host, *origin, *user_agent;
	/* The key was given; the value is NULL then if the header is to be left out. */
	bool has_host, has_origin, has_user_agent;
	enum conf_cookies cookies;
	char **subprotocols;
	size_t n_subprotocols;
	struct secret_conf cookie;
	struct {
		enum conf_auth kind;
		char *user;		   /* AUTH_BASIC; no colon in it */
		struct secret_conf secret; /* the password, or the bearer token */
	} auth;
	int64_t redirects;
	struct conf_step *on_open;
	size_t n_on_open;
};

/* What a bridge mostly has in common with the other ones. */
struct common_conf {
	struct schema_refs refs;
	struct connect_conf connect_to;
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
		bool ktls;
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
	struct {
		bool on;
		int64_t client_max_window_bits, server_max_window_bits; /* 9...15, 8...15 */
		bool client_no_context_takeover, server_no_context_takeover;
		int64_t level; /* 1...9 */
		size_t threshold;
		int64_t release_after; /* 0 = never */
	} compression;
	enum conf_mask mask;
	enum conf_fragments fragments;
	enum conf_sharing sharing;
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
		int *fatal_status, *fatal_close;
		size_t n_fatal_status, n_fatal_close;
	} reconnect;
	struct {
		int64_t interval; /* 0 = off */
		struct conf_message message;
		bool has_expect;
		struct conf_match expect;
		int64_t timeout; /* for the expected message; > 0 */
	} heartbeat;
	int64_t idle_timeout; /* no message for so long: connect anew */
	enum conf_start start;
	int64_t linger; /* open so long after the last client (on-demand), for answers (private) */
	struct {
		int64_t messages; /* in `per`; 0 = no limit */
		int64_t per;
		int64_t burst; /* messages; > 0 if `messages` is */
	} rate;
	struct {
		size_t size;
		int64_t ttl;
		enum conf_on_full on_full;
	} outbox;
};

/*
 * Of its own it has little; the rest is in parts, of which equal ones are one
 * among the bridges that were read together: nobody changes what is in them.
 */
struct bridge_conf {
	unsigned refs;
	bool from_file;	  /* else made by `open` on the control socket */
	const char *name; /* stands behind the struct */
	struct url *urls; /* tried in order, moving on at each failed attempt; at least one */
	size_t n_urls;
	struct endpoint_conf *endpoints;
	size_t n_endpoints;
	const struct handshake_conf *handshake;
	const struct common_conf *common;
};

/* The option table: rows for a bridge and, apart, for one endpoint. */
extern const struct schema bridge_schema;
extern const struct schema endpoint_schema;

/* How users call an endpoint, in `status` and the log: its path, or "OUT" or "IN" of a FIFO. */
const char *endpoint_conf_label(const struct endpoint_conf *e);

bool bridge_name_valid(const char *name); /* [A-Za-z0-9_.@-]{1,64} */

/*
 * Makes a snapshot (one reference, the caller's) from JSON objects that are
 * laid over one another: defaults first (may be NULL), then the bridge's own.
 * Every error goes to `report`, with a dotted path below the bridge
 * ("ping.interval", "endpoints[1].unix"); NULL if there was one.
 */
struct bridge_conf *bridge_conf_new(const char *name, const json_t *defaults, const json_t *own,
				    struct schema_report *report);
/*
 * Parts that others have that were shared by way of `pool` take the place of its own. It has one
 * reference yet.
 */
void bridge_conf_share(struct bridge_conf *c, struct schema_pool *pool);
struct bridge_conf *bridge_conf_ref(struct bridge_conf *c);
void bridge_conf_unref(struct bridge_conf *c); /* NULL is fine */

#endif
