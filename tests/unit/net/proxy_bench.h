/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of HTTP proxies share: parameters, a memory, and a look at what is sent. */
#ifndef WSB_UNIT_NET_PROXY_BENCH_H
#define WSB_UNIT_NET_PROXY_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/proxy_auth.h"
#include "net/proxy_talk.h"
#include "support/fixed_rand.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define CONNECT "CONNECT example.net:443 HTTP/1.1\r\nHost: example.net:443\r\n"
#define BASIC "Proxy-Authorization: Basic dXNlcjpzZXNhbWU=\r\n" /* user:sesame */
#define OK "HTTP/1.1 200 Connection established\r\n\r\n"
#define WANTS(version, fields) "HTTP/1." version " 407 Who are you\r\n" fields
#define ASK_BASIC "Proxy-Authenticate: Basic realm=\"r\"\r\n"
#define NO_BODY "Content-Length: 0\r\n\r\n"

struct bench {
	struct fixed_rand rand;
	struct proxy_memory *memory;
	struct proxy_params params;
};

static inline void bench_init(struct bench *b, const char *user, const char *password)
{
	fixed_rand_init(&b->rand, span_str("0123456789abcdef"));
	b->memory = proxy_memory_new();
	b->params = (struct proxy_params){
		.kind = PROXY_HTTP,
		.user = user,
		.password = password,
		.rand = &b->rand.source,
		.target = { .host = "example.net", .port = 443 },
	};
}

static inline void bench_deinit(struct bench *b)
{
	proxy_memory_free(b->memory);
}

static inline void take_output(struct proxy_talk *t, const char *expected)
{
	struct span out = proxy_talk_output(t);

	if (!span_equal(out, span_str(expected)))
		fail_msg("sent:\n%.*s\nexpected:\n%s", (int)out.n, (const char *)out.p, expected);
	proxy_talk_sent(t, out.n);
	assert_int_equal(proxy_talk_output(t).n, 0);
}

#endif
