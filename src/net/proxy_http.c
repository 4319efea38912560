/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CONNECT. What the proxy says beside the status is not shown to anybody. The
 * credentials stand in `out` and nowhere else here. The trap: the head of a
 * 2xx ends the proxy's part, whatever its Content-Length says.
 */
#include "net/proxy_http.h"

#include <stdio.h>
#include <string.h>

#include "net/proxy_auth.h"

#define AUTHORITY_SIZE (255 + sizeof("[]:65535"))

static bool bad(struct error *err, int status, const char *sentence)
{
	error_set(err, ERR_PROXY, "%s", sentence);
	err->stage = STAGE_PROXY;
	err->status = status;
	return false;
}

/* Authority form (RFC 9112, 3.2.3); nothing may get in that would end the line or the host. */
static bool write_authority(char *out, const struct proxy_target *target, struct error *err)
{
	bool is_ipv6 = strchr(target->host, ':') != NULL;
	size_t n = strlen(target->host);

	if (n > 255)
		return bad(err, 0, "the name of the target is longer than 255 bytes");
	for (size_t i = 0; i < n; i++) {
		uint8_t c = (uint8_t)target->host[i];

		if (c <= 0x20 || c >= 0x7F || strchr("/?#@[]\\", c))
			return bad(err, 0, "the name of the target is not valid");
	}
	if (n == 0)
		return bad(err, 0, "the name of the target is empty");
	snprintf(out, AUTHORITY_SIZE, is_ipv6 ? "[%s]:%u" : "%s:%u", target->host,
		 (unsigned)target->port);
	return true;
}

static bool put(struct buf *out, const char *s)
{
	return buf_append(out, span_str(s));
}

static bool put_line(struct buf *out, const char *before, const char *value, const char *after)
{
	return put(out, before) && put(out, value) && put(out, after) && put(out, "\r\n");
}

/* All room is taken at once: a buffer that grew would leave copies of the credentials behind. */
static bool write_request(struct proxy_http *h, struct error *err)
{
	const char *agent = h->params->user_agent;
	size_t bound = 3 * AUTHORITY_SIZE + proxy_auth_bound(h->params) + 128;
	char authority[AUTHORITY_SIZE];

	if (agent && !http_is_field_value(span_str(agent)))
		return bad(err, 0, "the User-Agent holds a control character");
	if (!write_authority(authority, &h->params->target, err))
		return false;
	if (!buf_reserve(h->out, bound + (agent ? strlen(agent) : 0)))
		return bad(err, 0, "the request to the proxy would be too long");
	if (!put_line(h->out, "CONNECT ", authority, " HTTP/1.1") ||
	    !put_line(h->out, "Host: ", authority, "") ||
	    (agent && !put_line(h->out, "User-Agent: ", agent, "")))
		return bad(err, 0, "the request to the proxy would be too long");
	return proxy_auth_write(h->memory, h->params, authority, h->out, err) &&
	       (put(h->out, "\r\n") || bad(err, 0, "the request to the proxy would be too long"));
}

bool proxy_http_init(struct proxy_http *h, const struct proxy_params *params,
		     struct proxy_memory *memory, struct buf *out, struct error *err)
{
	*h = (struct proxy_http){ .params = params, .memory = memory, .out = out };
	http_head_init(&h->head);
	return write_request(h, err);
}

void proxy_http_deinit(struct proxy_http *h)
{
	http_head_deinit(&h->head);
}

bool proxy_http_may_come_again(const struct proxy_http *h)
{
	return h->again && (h->in_body || h->head.bytes.len == 0);
}

static void next_head(struct proxy_http *h)
{
	http_head_deinit(&h->head);
	http_head_init(&h->head);
}

static bool says_close(const struct http_head *head, const char *name)
{
	struct span value;
	size_t i = 0;

	while (http_head_find(head, name, &i, &value)) {
		if (http_list_has_token(value, "close"))
			return true;
	}
	return false;
}

/* Exactly one Content-Length, digits only (RFC 9112, 6.3), and no more than we care to read. */
static bool read_length(const struct http_head *head, size_t *out)
{
	struct span value, other;
	size_t i = 0, length = 0;

	if (!http_head_find(head, "Content-Length", &i, &value) || value.n == 0 ||
	    http_head_find(head, "Content-Length", &i, &other))
		return false;
	for (size_t at = 0; at < value.n; at++) {
		if (value.p[at] < '0' || value.p[at] > '9')
			return false;
		length = length * 10 + (size_t)(value.p[at] - '0');
		if (length > PROXY_BODY_MAX)
			return false;
	}
	*out = length;
	return true;
}

/* Can the next request go over the same connection? */
static bool stays_open(const struct http_head *head, size_t *body)
{
	struct span ignored;
	size_t i = 0;

	return head->minor >= 1 && !says_close(head, "Connection") &&
	       !says_close(head, "Proxy-Connection") &&
	       !http_head_find(head, "Transfer-Encoding", &i, &ignored) && read_length(head, body);
}

static enum proxy_result ask_again(struct proxy_http *h, struct error *err)
{
	h->in_body = false;
	next_head(h);
	if (h->out->len > 0) {
		bad(err, 0, "the proxy answered before it was asked");
		return PROXY_BAD;
	}
	return write_request(h, err) ? PROXY_MORE : PROXY_BAD;
}

static enum proxy_result on_challenge(struct proxy_http *h, struct error *err)
{
	if (!proxy_auth_refused(h->memory, h->params, &h->head, err))
		return PROXY_BAD;
	if (!stays_open(&h->head, &h->body_left)) {
		bad(err, 407, "the proxy wants authentication on a new connection");
		return PROXY_AGAIN;
	}
	h->again = true;
	h->in_body = h->body_left > 0;
	return h->in_body ? PROXY_MORE : ask_again(h, err);
}

static const char *meaning(int status)
{
	static const struct {
		int status;
		const char *text;
	} known[] = {
		{ 400, " (it did not understand the request)" },
		{ 401, " (it refused the user name or the password)" }, /* tinyproxy */
		{ 403, " (it does not allow this target)" },
		{ 404, " (it does not know the target)" },
		{ 405, " (it does not do CONNECT)" },
		{ 429, " (too many requests)" },
		{ 500, " (it failed, or could not reach the target)" },
		{ 501, " (it does not do CONNECT)" },
		{ 502, " (it could not reach the target)" },
		{ 503, " (it could not reach the target, or is overloaded)" },
		{ 504, " (the target did not answer it in time)" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (known[i].status == status)
			return known[i].text;
	}
	return "";
}

static enum proxy_result on_head(struct proxy_http *h, struct error *err)
{
	int status = h->head.status;

	if (status / 100 == 1 && status != 101) {
		if (++h->interim > PROXY_INTERIM_MAX) {
			bad(err, status, "the proxy sent more than 5 interim answers");
			return PROXY_BAD;
		}
		next_head(h);
		return PROXY_MORE;
	}
	if (status == 407)
		return on_challenge(h, err);
	proxy_auth_accepted(h->memory);
	if (status / 100 == 2)
		return PROXY_OPEN;
	error_set(err, ERR_PROXY, "the proxy answered with status %d%s", status, meaning(status));
	err->stage = STAGE_PROXY;
	err->status = status;
	return PROXY_BAD;
}

static enum proxy_result feed_head(struct proxy_http *h, struct span *input, struct error *err)
{
	size_t room = PROXY_HEAD_MAX - h->head.bytes.len, n = input->n < room ? input->n : room;
	struct span piece = span_of(input->p, n);
	struct error why;

	switch (http_head_feed(&h->head, &piece, &why)) {
	case HTTP_HEAD_MORE:
		*input = span_skip(*input, n);
		if (h->head.bytes.len < PROXY_HEAD_MAX)
			return PROXY_MORE;
		bad(err, 0, "the head of the proxy's answer is longer than 16384 bytes");
		return PROXY_BAD;
	case HTTP_HEAD_DONE:
		*input = span_skip(*input, n - piece.n);
		return on_head(h, err);
	case HTTP_HEAD_BAD:
		break;
	}
	bad(err, 0, why.text);
	return PROXY_BAD;
}

static enum proxy_result feed_body(struct proxy_http *h, struct span *input, struct error *err)
{
	size_t n = input->n < h->body_left ? input->n : h->body_left;

	*input = span_skip(*input, n);
	h->body_left -= n;
	return h->body_left > 0 ? PROXY_MORE : ask_again(h, err);
}

enum proxy_result proxy_http_feed(struct proxy_http *h, struct span *input, struct error *err)
{
	enum proxy_result result = PROXY_MORE;

	while (input->n > 0 && result == PROXY_MORE)
		result = h->in_body ? feed_body(h, input, err) : feed_head(h, input, err);
	return result;
}
