/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests of the echo server. No authentication. Owns
 * nothing. The trap: what comes back in the response (the subprotocol) must be
 * a token, or a client could write header lines of its own.
 */
#include "tool/echo_request.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "conf/schema.h"
#include "ws/close.h"
#include "ws/deflate_terms.h"
#include "ws/upgrade.h"

#define NONCE_SIZE 16
#define INTERVAL_MIN INT64_C(1000)
#define VALUE_MAX 512 /* of one parameter in the query, decoded */
#define PROTOCOL_MAX 256
#define UPGRADE_FIELDS "Upgrade: websocket\r\nConnection: Upgrade\r\n" /* RFC 9110, 7.8 */

static const char usage[] = "This is a WebSocket server for trying things out:\n"
			    "/                             sends messages back\n"
			    "/ticker?interval=1            sends a numbered message every second\n"
			    "/close?code=4000&reason=bye   closes after the first message\n"
			    "/silent                       as /, but never answers a ping\n";

static void respond(struct buf *out, const char *status, const char *fields, const char *body)
{
	mem_auto_str text = mem_printf("HTTP/1.1 %s\r\nServer: wsbridge-echo\r\n%s"
				       "Content-Type: text/plain; charset=utf-8\r\n"
				       "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
				       status, fields, strlen(body), body);
	bool fits = buf_append(out, span_str(text));

	assert(fits);
}

void echo_request_refuse(const char *sentence, struct buf *out)
{
	mem_auto_str body = mem_printf("%s\n", sentence);

	respond(out, "400 Bad Request", "", body);
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-decodes into a text of at most VALUE_MAX bytes without NUL. False: it is none. */
static bool decode(char out[VALUE_MAX + 1], struct span in)
{
	size_t n = 0;

	while (in.n > 0) {
		uint8_t c = in.p[0];
		size_t used = 1;

		if (c == '%') {
			int high = in.n >= 3 ? hex_digit(in.p[1]) : -1;
			int low = in.n >= 3 ? hex_digit(in.p[2]) : -1;

			if (high < 0 || low < 0)
				return false;
			c = (uint8_t)(high << 4 | low);
			used = 3;
		}
		if (c == '\0' || n == VALUE_MAX)
			return false;
		out[n++] = (char)c;
		in = span_skip(in, used);
	}
	out[n] = '\0';
	return true;
}

/* Cuts *rest at the byte `at`; what is before it is returned. */
static struct span cut(struct span *rest, uint8_t at)
{
	const uint8_t *end = rest->n ? memchr(rest->p, at, rest->n) : NULL;
	struct span piece = { rest->p, end ? (size_t)(end - rest->p) : rest->n };

	*rest = span_skip(*rest, piece.n + (end ? 1 : 0));
	return piece;
}

static bool set_interval(struct echo_request *rq, const char *value)
{
	struct error err;

	return schema_parse_duration(value, &rq->interval, &err) && rq->interval >= INTERVAL_MIN;
}

static bool set_code(struct echo_request *rq, const char *value)
{
	char *end;
	long code = strtol(value, &end, 10);

	if (*value < '0' || *value > '9' || *end || code > 4999 ||
	    !close_code_receivable((int)code))
		return false;
	rq->code = (int)code;
	return true;
}

static bool set_reason(struct echo_request *rq, const char *value)
{
	size_t n = strlen(value);

	if (n > sizeof(rq->reason) || !utf8_valid(span_of(value, n)))
		return false;
	memcpy(rq->reason, value, n);
	rq->reason_len = n;
	return true;
}

static const struct route {
	const char *path;
	enum echo_mode mode;
	struct route_param {
		const char *name;
		bool (*set)(struct echo_request *rq, const char *value);
	} params[2];
} routes[] = {
	{ "/", ECHO_BACK, { { NULL, NULL } } },
	{ "/ticker", ECHO_TICKER, { { "interval", set_interval } } },
	{ "/close", ECHO_CLOSE, { { "code", set_code }, { "reason", set_reason } } },
	{ "/silent", ECHO_SILENT, { { NULL, NULL } } },
};

static const struct route *find_route(struct span path)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(*routes); i++)
		if (span_equal(path, span_str(routes[i].path)))
			return &routes[i];
	return NULL;
}

static bool set_param(struct echo_request *rq, const struct route *route, struct span param)
{
	struct span name = cut(&param, '=');
	char value[VALUE_MAX + 1];

	for (size_t i = 0; i < 2 && route->params[i].name; i++)
		if (span_equal(name, span_str(route->params[i].name)))
			return decode(value, param) && route->params[i].set(rq, value);
	return false;
}

/* Reads the target. False: the refusal has been appended. */
static bool read_target(struct echo_request *rq, struct span target, struct buf *out)
{
	struct span path = cut(&target, '?');
	const struct route *route = find_route(path);

	if (!route) {
		respond(out, "404 Not Found", "", usage);
		return false;
	}
	rq->mode = route->mode;
	while (target.n > 0) {
		if (set_param(rq, route, cut(&target, '&')))
			continue;
		respond(out, "400 Bad Request", "", usage);
		return false;
	}
	return true;
}

/* The value of a field that must be there exactly once; NULL span if not. */
static struct span single_field(const struct http_head *head, const char *name)
{
	struct span value = { 0 }, second;
	size_t i = 0;

	if (!http_head_find(head, name, &i, &value) || http_head_find(head, name, &i, &second))
		return (struct span){ 0 };
	return value;
}

/* Does one of the fields have the token? They may come more than once (RFC 9110, 5.3). */
static bool has_token(const struct http_head *head, const char *name, const char *token)
{
	struct span value;
	size_t i = 0;

	while (http_head_find(head, name, &i, &value))
		if (http_list_has_token(value, token))
			return true;
	return false;
}

/* RFC 6455, 4.2.1: what is missing, or NULL. Order and wording are for people who try by hand. */
static const char *check_fields(const struct http_head *head)
{
	struct span key = single_field(head, "Sec-WebSocket-Key");
	uint8_t nonce[BASE64_DECODED_MAX(UPGRADE_KEY_LEN)];
	size_t n = 0;

	if (!span_equal(http_head_method(head), span_str("GET")))
		return "the method must be GET";
	if (head->minor < 1)
		return "HTTP/1.1 is needed";
	if (!single_field(head, "Host").p)
		return "there must be one Host";
	if (!has_token(head, "Connection", "upgrade"))
		return "Connection: Upgrade is missing";
	if (key.n != UPGRADE_KEY_LEN || !base64_decode(nonce, &n, key) || n != NONCE_SIZE)
		return "Sec-WebSocket-Key must be 16 bytes in Base64";
	return NULL;
}

/* The first subprotocol of the client's list (RFC 6455, 4.2.2), empty if there is none. */
static struct span first_protocol(const struct http_head *head)
{
	struct span value, none = { 0 };
	size_t i = 0;

	if (!http_head_find(head, "Sec-WebSocket-Protocol", &i, &value))
		return none;
	value = cut(&value, ',');
	while (value.n > 0 && (value.p[value.n - 1] == ' ' || value.p[value.n - 1] == '\t'))
		value.n--;
	return value.n <= PROTOCOL_MAX && http_is_token(value) ? value : none;
}

/* Compression as the client likes it; no message is compressed with the help of another. */
static char *choose_extension(struct echo_request *rq, const struct http_head *head)
{
	static const struct ws_deflate ours = { .on = true,
						.server_no_context_takeover = true,
						.client_max_window_bits = 15,
						.server_max_window_bits = 15 };
	char text[DEFLATE_TERMS_TEXT];

	deflate_terms_choose(&ours, head, &rq->deflate);
	if (!rq->deflate.on)
		return mem_strdup("");
	return mem_printf("Sec-WebSocket-Extensions: %s\r\n",
			  deflate_terms_answer(text, &rq->deflate));
}

static void accept_request(struct echo_request *rq, const struct http_head *head, struct buf *out)
{
	struct span protocol = first_protocol(head);
	char accept[UPGRADE_ACCEPT_LEN + 1];
	mem_auto_str extension = choose_extension(rq, head);
	mem_auto_str text = NULL;
	bool fits;

	upgrade_accept(accept, single_field(head, "Sec-WebSocket-Key"));
	text = mem_printf("HTTP/1.1 101 Switching Protocols\r\nServer: wsbridge-echo\r\n"
			  "Upgrade: websocket\r\nConnection: Upgrade\r\n"
			  "Sec-WebSocket-Accept: %s\r\n%s%s%.*s%s\r\n",
			  accept, extension, protocol.n ? "Sec-WebSocket-Protocol: " : "",
			  (int)protocol.n, protocol.n ? (const char *)protocol.p : "",
			  protocol.n ? "\r\n" : "");
	fits = buf_append(out, span_str(text));
	assert(fits);
}

bool echo_request_answer(struct echo_request *rq, const struct http_head *head, struct buf *out)
{
	const char *wrong;

	*rq = (struct echo_request){ .interval = 1000000, .code = CLOSE_NORMAL };
	if (!has_token(head, "Upgrade", "websocket")) {
		respond(out, "426 Upgrade Required", UPGRADE_FIELDS, usage);
		return false;
	}
	if (!span_equal(single_field(head, "Sec-WebSocket-Version"), span_str("13"))) {
		/* RFC 6455, 4.2.2 */
		respond(out, "426 Upgrade Required", UPGRADE_FIELDS "Sec-WebSocket-Version: 13\r\n",
			usage);
		return false;
	}
	wrong = check_fields(head);
	if (wrong) {
		echo_request_refuse(wrong, out);
		return false;
	}
	if (!read_target(rq, http_head_target(head), out))
		return false;
	accept_request(rq, head, out);
	return true;
}
