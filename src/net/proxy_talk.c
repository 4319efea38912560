/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One face for HTTP and SOCKS. It knows neither protocol. The output may hold
 * credentials: it lies in one block, which is wiped as it goes out and when
 * the talk is over.
 */
#include "net/proxy_talk.h"

#include <string.h>

/* Request line, credentials of any length that a URL may have, a Digest answer. */
#define OUTPUT_MAX 65536

bool proxy_wants_address(enum proxy_kind kind)
{
	return kind == PROXY_SOCKS4 || kind == PROXY_SOCKS5;
}

bool proxy_talk_init(struct proxy_talk *t, const struct proxy_params *params,
		     struct proxy_memory *memory, struct error *err)
{
	*t = (struct proxy_talk){ 0 };
	buf_init(&t->out, OUTPUT_MAX);
	t->is_http = params->kind == PROXY_HTTP || params->kind == PROXY_HTTPS;
	if (t->is_http)
		return proxy_http_init(&t->http, params, memory, &t->out, err);
	return proxy_socks_init(&t->socks, params, &t->out, err);
}

void proxy_talk_deinit(struct proxy_talk *t)
{
	if (t->is_http)
		proxy_http_deinit(&t->http);
	if (t->out.data)
		explicit_bzero(t->out.data, t->out.size);
	buf_deinit(&t->out);
}

struct span proxy_talk_output(const struct proxy_talk *t)
{
	return buf_bytes(&t->out);
}

void proxy_talk_sent(struct proxy_talk *t, size_t n)
{
	if (n == 0)
		return;
	explicit_bzero(t->out.data + t->out.off, n);
	buf_consume(&t->out, n);
}

static enum proxy_result failed(struct error *err, const char *sentence)
{
	error_set(err, ERR_PROXY, "%s", sentence);
	err->stage = STAGE_PROXY;
	return PROXY_BAD;
}

enum proxy_result proxy_talk_feed(struct proxy_talk *t, struct span input, struct error *err)
{
	enum proxy_result result = t->is_http ? proxy_http_feed(&t->http, &input, err) :
						proxy_socks_feed(&t->socks, &input, err);

	if (result != PROXY_OPEN)
		return result;
	if (input.n > 0)
		return failed(err, "the proxy sent data before the tunnel was used");
	if (t->out.len > 0)
		return failed(err, "the proxy answered before it was asked");
	return PROXY_OPEN;
}

enum proxy_result proxy_talk_end(struct proxy_talk *t, const struct error *why, struct error *err)
{
	failed(err, "the proxy closed the connection before it answered");
	if (why) {
		*err = *why;
		err->code = ERR_PROXY;
		err->stage = STAGE_PROXY;
	}
	return t->is_http && proxy_http_may_come_again(&t->http) ? PROXY_AGAIN : PROXY_BAD;
}
