/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A WebSocket URL (RFC 6455, 3) and its parts: ws://, wss:// and
 * ws+unix:///path/to.sock:/request/path. User information and query are
 * secrets: url_format shows neither.
 */
#ifndef WSB_BASE_URL_H
#define WSB_BASE_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define URL_MAX 8192

enum url_scheme { URL_WS, URL_WSS, URL_WS_UNIX };

struct url {
	enum url_scheme scheme;
	char *host;	 /* without brackets, lower case; "localhost" for ws+unix */
	bool is_ipv6;	 /* host is an IPv6 literal: print it in brackets */
	uint16_t port;	 /* 80 and 443 by default; 0 for ws+unix */
	char *target;	 /* request target: path and query, at least "/" */
	char *user;	 /* percent-decoded, NULL = none */
	char *password;	 /* percent-decoded, NULL = none; wiped in url_deinit */
	char *unix_path; /* NULL but for ws+unix */
};

/*
 * False: *err is ERR_INVALID_OPTION with a sentence that names what is wrong
 * (and repeats nothing of the text: a slip of the pen can turn a password into
 * a host or a port), *u untouched. A fragment, white space, control characters,
 * bytes outside ASCII, a port of 0 or above 65535, a host above 253 bytes and a
 * URL above URL_MAX are refused. "ws+unix:/path" is taken as well; the path of
 * the socket is percent-decoded.
 */
bool url_parse(struct url *u, const char *text, struct error *err);
void url_deinit(struct url *u); /* twice is fine */

/* The caller frees both. */
char *url_format(const struct url *u);	    /* for people: no user information, query as "?..." */
char *url_host_header(const struct url *u); /* "host", or "host:port" if not the default port */

#endif
