/* SPDX-License-Identifier: Apache-2.0 */
/* The conversations of test_proxy_socks.c: what is sent, what comes back, what it ends with. */
#ifndef WSB_UNIT_NET_SOCKS_ROWS_H
#define WSB_UNIT_NET_SOCKS_ROWS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>

#include "net/proxy_talk.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define S(text)                                           \
	{                                                 \
		(const uint8_t *)(text), sizeof(text) - 1 \
	}
#define GRANTED4 "\x00\x5A\x1F\x90\xC0\x00\x02\x09"
#define REPLY_IPV4 "\x05\x00\x00\x01\xC0\x00\x02\x09\x1F\x90"
#define REPLY_IPV6 "\x05\x00\x00\x04" V6 "\x1F\x90"
#define REPLY_NAME             \
	"\x05\x00\x00\x03\x03" \
	"abc\x1F\x90"
#define V6 "\x20\x01\x0D\xB8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"

union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

struct asked {
	enum proxy_kind kind;
	const char *host, *address, *user, *password;
};

/* The port is 443, 0x01BB; that of the address is another one and must not be taken. */
static inline struct proxy_params params_of(const struct asked *a, union address *address)
{
	struct proxy_params p = {
		.kind = a->kind,
		.user = a->user,
		.password = a->password,
		.target = { .host = a->host, .port = 443 },
	};

	memset(address, 0, sizeof(*address));
	if (!a->address)
		return p;
	p.target.address = &address->sa;
	if (inet_pton(AF_INET, a->address, &address->in.sin_addr) == 1) {
		address->in.sin_family = AF_INET;
		address->in.sin_port = htons(9);
	} else {
		assert_int_equal(inet_pton(AF_INET6, a->address, &address->in6.sin6_addr), 1);
		address->in6.sin6_family = AF_INET6;
		address->in6.sin6_port = htons(9);
	}
	return p;
}

/* What is sent, what comes back, and so on; what it ends with. */
struct row {
	const char *name;
	struct asked asked;
	struct span sent[3], answered[3];
	enum proxy_result result;
	const char *sentence;
};

#define NAME_REQUEST           \
	"\x05\x01\x00\x03\x0B" \
	"example.net\x01\xBB"
#define LOGIN "\x01\x04user\x06sesame"

static const struct row rows[] = {
	{ "SOCKS4",
	  { PROXY_SOCKS4, "example.net", "192.0.2.1", NULL, NULL },
	  { S("\x04\x01\x01\xBB\xC0\x00\x02\x01\x00") },
	  { S(GRANTED4) },
	  PROXY_OPEN,
	  NULL },
	{ "SOCKS4 with a user; there is no password in it",
	  { PROXY_SOCKS4, "example.net", "192.0.2.1", "user", "sesame" },
	  { S("\x04\x01\x01\xBB\xC0\x00\x02\x01user\x00") },
	  { S(GRANTED4) },
	  PROXY_OPEN,
	  NULL },
	{ "SOCKS4a with a name",
	  { PROXY_SOCKS4A, "example.net", NULL, "user", NULL },
	  { S("\x04\x01\x01\xBB\x00\x00\x00\x01user\x00"
	      "example.net\x00") },
	  { S(GRANTED4) },
	  PROXY_OPEN,
	  NULL },
	{ "SOCKS4a with a literal",
	  { PROXY_SOCKS4A, "192.0.2.1", NULL, NULL, NULL },
	  { S("\x04\x01\x01\xBB\xC0\x00\x02\x01\x00") },
	  { S(GRANTED4) },
	  PROXY_OPEN,
	  NULL },
	{ "SOCKS4a takes no address that somebody resolved",
	  { PROXY_SOCKS4A, "example.net", "192.0.2.1", NULL, NULL },
	  { S("\x04\x01\x01\xBB\x00\x00\x00\x01\x00"
	      "example.net\x00") },
	  { S(GRANTED4) },
	  PROXY_OPEN,
	  NULL },
	{ "SOCKS5 to IPv4",
	  { PROXY_SOCKS5, "example.net", "192.0.2.1", NULL, NULL },
	  { S("\x05\x01\x00"), S("\x05\x01\x00\x01\xC0\x00\x02\x01\x01\xBB") },
	  { S("\x05\x00"), S(REPLY_IPV4) },
	  PROXY_OPEN,
	  NULL },
	{ "SOCKS5 to IPv6",
	  { PROXY_SOCKS5, "example.net", "2001:db8::1", NULL, NULL },
	  { S("\x05\x01\x00"), S("\x05\x01\x00\x04" V6 "\x01\xBB") },
	  { S("\x05\x00"), S(REPLY_IPV6) },
	  PROXY_OPEN,
	  NULL },
	{ "SOCKS5h, answered with a name",
	  { PROXY_SOCKS5H, "example.net", NULL, NULL, NULL },
	  { S("\x05\x01\x00"), S(NAME_REQUEST) },
	  { S("\x05\x00"), S(REPLY_NAME) },
	  PROXY_OPEN,
	  NULL },
	{ "SOCKS5h, answered with an empty name",
	  { PROXY_SOCKS5H, "example.net", NULL, NULL, NULL },
	  { S("\x05\x01\x00"), S(NAME_REQUEST) },
	  { S("\x05\x00"), S("\x05\x00\x00\x03\x00\x1F\x90") },
	  PROXY_OPEN,
	  NULL },
	{ "SOCKS5h takes no address that somebody resolved",
	  { PROXY_SOCKS5H, "example.net", "192.0.2.1", NULL, NULL },
	  { S("\x05\x01\x00"), S(NAME_REQUEST) },
	  { S("\x05\x00"), S(REPLY_IPV4) },
	  PROXY_OPEN,
	  NULL },
	{ "SOCKS5h with literals",
	  { PROXY_SOCKS5H, "2001:db8::1", NULL, NULL, NULL },
	  { S("\x05\x01\x00"), S("\x05\x01\x00\x04" V6 "\x01\xBB") },
	  { S("\x05\x00"), S(REPLY_IPV4) },
	  PROXY_OPEN,
	  NULL },
	{ "user name and password",
	  { PROXY_SOCKS5H, "example.net", NULL, "user", "sesame" },
	  { S("\x05\x02\x00\x02"), S(LOGIN), S(NAME_REQUEST) },
	  { S("\x05\x02"), S("\x01\x00"), S(REPLY_IPV4) },
	  PROXY_OPEN,
	  NULL },
	{ "offered, but not wanted",
	  { PROXY_SOCKS5H, "example.net", NULL, "user", "sesame" },
	  { S("\x05\x02\x00\x02"), S(NAME_REQUEST) },
	  { S("\x05\x00"), S(REPLY_IPV4) },
	  PROXY_OPEN,
	  NULL },
	{ "no password",
	  { PROXY_SOCKS5H, "example.net", NULL, "user", NULL },
	  { S("\x05\x02\x00\x02"), S("\x01\x04user\x00"), S(NAME_REQUEST) },
	  { S("\x05\x02"), S("\x01\x00"), S(REPLY_IPV4) },
	  PROXY_OPEN,
	  NULL },
	{ "refused",
	  { PROXY_SOCKS5H, "example.net", NULL, "user", "sesame" },
	  { S("\x05\x02\x00\x02"), S(LOGIN) },
	  { S("\x05\x02"), S("\x01\x01") },
	  PROXY_BAD,
	  "the proxy refused the user name or the password" },
	{ "refused with another code",
	  { PROXY_SOCKS5H, "example.net", NULL, "user", "sesame" },
	  { S("\x05\x02\x00\x02"), S(LOGIN) },
	  { S("\x05\x02"), S("\x01\xFF") },
	  PROXY_BAD,
	  "the proxy refused the user name or the password" },
	{ "another version of RFC 1929",
	  { PROXY_SOCKS5H, "example.net", NULL, "user", "sesame" },
	  { S("\x05\x02\x00\x02"), S(LOGIN) },
	  { S("\x05\x02"), S("\x05\x00") },
	  PROXY_BAD,
	  "the proxy's answer to user name and password is not valid" },
	{ "wants what is not configured",
	  { PROXY_SOCKS5, "h", "192.0.2.1", NULL, NULL },
	  { S("\x05\x01\x00") },
	  { S("\x05\xFF") },
	  PROXY_BAD,
	  "the proxy wants authentication, and no user name is configured" },
	{ "wants something else",
	  { PROXY_SOCKS5, "h", "192.0.2.1", "user", "sesame" },
	  { S("\x05\x02\x00\x02") },
	  { S("\x05\xFF") },
	  PROXY_BAD,
	  "the proxy wants authentication other than user name and password" },
	{ "takes what was not offered",
	  { PROXY_SOCKS5, "h", "192.0.2.1", NULL, NULL },
	  { S("\x05\x01\x00") },
	  { S("\x05\x02") },
	  PROXY_BAD,
	  "the proxy chose a way to authenticate that was not offered" },
	{ "GSSAPI",
	  { PROXY_SOCKS5, "h", "192.0.2.1", "user", "sesame" },
	  { S("\x05\x02\x00\x02") },
	  { S("\x05\x01") },
	  PROXY_BAD,
	  "the proxy chose a way to authenticate that was not offered" },
	{ "HTTP instead of SOCKS5",
	  { PROXY_SOCKS5H, "h", NULL, NULL, NULL },
	  { S("\x05\x01\x00") },
	  { S("HTTP/1.1 400 Bad Request\r\n") },
	  PROXY_BAD,
	  "the proxy's answer is not SOCKS5" },
	{ "SOCKS4 instead of SOCKS5",
	  { PROXY_SOCKS5H, "h", NULL, NULL, NULL },
	  { S("\x05\x01\x00") },
	  { S("\x00\x5B\x00\x00\x00\x00\x00\x00") },
	  PROXY_BAD,
	  "the proxy's answer is not SOCKS5" },
	{ "SOCKS5 instead of SOCKS4",
	  { PROXY_SOCKS4A, "h", NULL, NULL, NULL },
	  { S("\x04\x01\x01\xBB\x00\x00\x00\x01\x00h\x00") },
	  { S("\x05\xFF") },
	  PROXY_BAD,
	  "the proxy's answer is not SOCKS4" },
	{ "another version in the reply",
	  { PROXY_SOCKS5H, "example.net", NULL, NULL, NULL },
	  { S("\x05\x01\x00"), S(NAME_REQUEST) },
	  { S("\x05\x00"), S("\x04\x00") },
	  PROXY_BAD,
	  "the proxy's answer is not SOCKS5" },
	{ "an unknown type of address",
	  { PROXY_SOCKS5H, "example.net", NULL, NULL, NULL },
	  { S("\x05\x01\x00"), S(NAME_REQUEST) },
	  { S("\x05\x00"), S("\x05\x00\x00\x02\x00") },
	  PROXY_BAD,
	  "the proxy's answer has an unknown type of address" },
};

#endif
