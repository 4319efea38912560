/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The URL of a proxy and its parts. As curl reads it: the scheme may be
 * missing (http), "socks" is SOCKS4, and without a port it is 443 for https
 * and 1080 for everything else, http included.
 */
#ifndef WSB_NET_PROXY_URL_H
#define WSB_NET_PROXY_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum proxy_kind {
	PROXY_HTTP,
	PROXY_HTTPS, /* CONNECT over TLS to the proxy */
	PROXY_SOCKS4,
	PROXY_SOCKS4A,
	PROXY_SOCKS5,
	PROXY_SOCKS5H,
};

struct proxy_url {
	enum proxy_kind kind;
	char *host; /* without brackets, lower case */
	uint16_t port;
	char *user, *password; /* percent-decoded, NULL = none; wiped in proxy_url_deinit */
};

/*
 * False: *err is ERR_INVALID_OPTION with a sentence that repeats nothing of the
 * text; *u untouched. Stricter than curl: nothing but one "/" may stand behind
 * host and port, because there a password with a slash in it would go unseen.
 */
bool proxy_url_parse(struct proxy_url *u, const char *text, struct error *err);
void proxy_url_deinit(struct proxy_url *u); /* twice is fine */

const char *proxy_kind_name(enum proxy_kind kind); /* the scheme: "socks5h" */

#endif
