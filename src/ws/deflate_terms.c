/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See deflate_terms.h. The grammar is that of RFC 6455, 9.1, read once, by one
 * cursor. The trap: a limit that was asked for and is missing in the answer
 * has not been granted (RFC 7692, 7.1.1.1 and 7.1.2.1), so it is a failure and
 * not a default.
 */
#include "ws/deflate_terms.h"

#include <stdio.h>
#include <string.h>

#include "base/escape.h"

#define NAME "permessage-deflate"
#define BITS_MAX 15
#define BITS_MIN 8

enum param_id { SERVER_TAKEOVER, CLIENT_TAKEOVER, SERVER_BITS, CLIENT_BITS, N_PARAMS };

static const char *const names[N_PARAMS] = {
	[SERVER_TAKEOVER] = "server_no_context_takeover",
	[CLIENT_TAKEOVER] = "client_no_context_takeover",
	[SERVER_BITS] = "server_max_window_bits",
	[CLIENT_BITS] = "client_max_window_bits",
};

/* One parameter as it is written, and one extension with its parameters. */
struct param {
	bool given, has_value;
	uint8_t bits; /* of a value; 0 = it is none */
};
struct extension {
	bool is_deflate;
	struct param params[N_PARAMS];
};

static void add(char *text, const char *name, unsigned bits)
{
	size_t n = strlen(text);

	if (bits)
		snprintf(text + n, DEFLATE_TERMS_TEXT - n, "; %s=%u", name, bits);
	else
		snprintf(text + n, DEFLATE_TERMS_TEXT - n, "; %s", name);
}

static char *format(char *text, const struct ws_deflate *d, bool client_bits)
{
	memcpy(text, NAME, sizeof(NAME));
	if (d->server_no_context_takeover)
		add(text, names[SERVER_TAKEOVER], 0);
	if (d->client_no_context_takeover)
		add(text, names[CLIENT_TAKEOVER], 0);
	if (d->server_max_window_bits < BITS_MAX)
		add(text, names[SERVER_BITS], d->server_max_window_bits);
	if (client_bits)
		add(text, names[CLIENT_BITS],
		    d->client_max_window_bits < BITS_MAX ? d->client_max_window_bits : 0);
	return text;
}

char *deflate_terms_offer(char text[DEFLATE_TERMS_TEXT], const struct ws_deflate *offer)
{
	return format(text, offer, true);
}

char *deflate_terms_answer(char text[DEFLATE_TERMS_TEXT], const struct ws_deflate *agreed)
{
	return format(text, agreed, agreed->client_max_window_bits < BITS_MAX);
}

static bool bad(struct error *err, const char *what, struct span name)
{
	char shown[64];

	return error_set(err, ERR_PROTOCOL, "the server's answer to " NAME ": %s \"%s\"", what,
			 escape_text(shown, sizeof(shown), name));
}

static void skip_space(struct span *s)
{
	while (s->n > 0 && (s->p[0] == ' ' || s->p[0] == '\t'))
		*s = span_skip(*s, 1);
}

/* Behind white space: is this the next character? Takes it. */
static bool take_char(struct span *s, char c)
{
	skip_space(s);
	if (s->n == 0 || s->p[0] != (uint8_t)c)
		return false;
	*s = span_skip(*s, 1);
	return true;
}

static bool take_token(struct span *s, struct span *token)
{
	size_t n = 0;

	skip_space(s);
	while (n < s->n && http_is_token(span_of(s->p + n, 1)))
		n++;
	*token = span_of(s->p, n);
	*s = span_skip(*s, n);
	return n > 0;
}

/* RFC 7692, 7.1.2: 8 to 15, decimal, without leading zeros. 0 = it is not. */
static uint8_t read_bits(const char *text)
{
	if (strlen(text) == 1 && text[0] >= '8' && text[0] <= '9')
		return (uint8_t)(text[0] - '0');
	if (strlen(text) == 2 && text[0] == '1' && text[1] >= '0' && text[1] <= '5')
		return (uint8_t)(10 + text[1] - '0');
	return 0;
}

/* RFC 6455, 9.1: in quotes, it is a token when these are taken off. Beyond `size` it is cut. */
static bool take_quoted(struct span *s, char *text, size_t size)
{
	size_t n = 0;

	while (s->n > 0 && s->p[0] != '"') {
		if (s->p[0] == '\\')
			*s = span_skip(*s, 1);
		if (s->n == 0 || !http_is_token(span_of(s->p, 1)))
			return false;
		if (n < size - 1)
			text[n++] = (char)s->p[0];
		*s = span_skip(*s, 1);
	}
	text[n] = '\0';
	return n > 0 && take_char(s, '"');
}

/* "=VALUE", if there is one. False: it is written wrong. */
static bool take_value(struct span *s, struct param *p)
{
	char text[4] = "";
	struct span token;

	*p = (struct param){ .given = true, .has_value = take_char(s, '=') };
	if (!p->has_value)
		return true;
	if (take_char(s, '"')) {
		if (!take_quoted(s, text, sizeof(text)))
			return false;
	} else {
		if (!take_token(s, &token))
			return false;
		memcpy(text, token.p, token.n < sizeof(text) ? token.n : sizeof(text) - 1);
	}
	p->bits = read_bits(text);
	return true;
}

/* A parameter that is a word must have no value; one of bits, a good one if it has one. */
static bool check_value(enum param_id id, const struct param *p, struct span name,
			struct error *err)
{
	if (id == SERVER_TAKEOVER || id == CLIENT_TAKEOVER)
		return !p->has_value || bad(err, "a value for", name);
	return !p->has_value || p->bits || bad(err, "a value that is not 8 to 15 for", name);
}

static bool take_param(struct span *s, struct extension *x, struct error *err)
{
	struct param p, *known = NULL;
	struct span name;
	size_t id = 0;

	if (!take_token(s, &name) || !take_value(s, &p))
		return bad(err, "it is not well-formed at", *s);
	if (!x->is_deflate)
		return true;
	while (id < N_PARAMS && !span_equal(name, span_str(names[id])))
		id++;
	if (id == N_PARAMS)
		return bad(err, "unknown parameter", name);
	known = &x->params[id];
	if (known->given)
		return bad(err, "twice the parameter", name);
	*known = p;
	return check_value((enum param_id)id, &p, name, err);
}

/* One extension and what parts it from the next; false: *err says why not. */
static bool take_extension(struct span *s, struct extension *x, struct error *err)
{
	struct span name;

	*x = (struct extension){ 0 };
	if (!take_token(s, &name))
		return bad(err, "it is not well-formed at", *s);
	x->is_deflate = span_equal(name, span_str(NAME));
	while (take_char(s, ';'))
		if (!take_param(s, x, err))
			return false;
	skip_space(s);
	return s->n == 0 || take_char(s, ',') || bad(err, "it is not well-formed at", *s);
}

static bool check_offered(const struct ws_deflate *offer, const struct param *p, struct error *err)
{
	const struct param *bits = &p[SERVER_BITS];

	if (offer->server_no_context_takeover && !p[SERVER_TAKEOVER].given)
		return bad(err, "it lacks", span_str(names[SERVER_TAKEOVER]));
	if (bits->given && !bits->has_value)
		return bad(err, "no value for", span_str(names[SERVER_BITS]));
	if (offer->server_max_window_bits < BITS_MAX && !bits->given)
		return bad(err, "it lacks", span_str(names[SERVER_BITS]));
	if (bits->bits > offer->server_max_window_bits)
		return bad(err, "it is above what was offered:", span_str(names[SERVER_BITS]));
	if (p[CLIENT_BITS].given && !p[CLIENT_BITS].has_value)
		return bad(err, "no value for", span_str(names[CLIENT_BITS]));
	return true;
}

static uint8_t least(uint8_t a, uint8_t b)
{
	return a < b ? a : b;
}

static uint8_t bits_or_most(const struct param *p)
{
	return p->bits ? p->bits : BITS_MAX;
}

/* A server may ignore the number that was offered for our window (RFC 7692, 7.1.2.2): we do not. */
static void agree(const struct ws_deflate *offer, const struct param *p, struct ws_deflate *agreed)
{
	*agreed = (struct ws_deflate){
		.on = true,
		.server_no_context_takeover = p[SERVER_TAKEOVER].given,
		.client_no_context_takeover = p[CLIENT_TAKEOVER].given ||
					      offer->client_no_context_takeover,
		.server_max_window_bits = bits_or_most(&p[SERVER_BITS]),
		.client_max_window_bits = least(bits_or_most(&p[CLIENT_BITS]),
						offer->client_max_window_bits),
	};
}

bool deflate_terms_judge(const struct ws_deflate *offer, const struct http_head *head,
			 struct ws_deflate *agreed, struct error *err)
{
	struct extension x;
	struct span value;
	size_t i = 0;

	*agreed = (struct ws_deflate){ 0 };
	while (http_head_find(head, "Sec-WebSocket-Extensions", &i, &value)) {
		if (!offer->on || value.n == 0)
			return error_set(err, ERR_PROTOCOL,
					 "the server uses an extension that was not offered");
		while (value.n > 0) {
			if (!take_extension(&value, &x, err))
				return false;
			if (!x.is_deflate) /* RFC 6455, 9.1 */
				return error_set(
					err, ERR_PROTOCOL,
					"the server uses an extension that was not offered");
			if (agreed->on) /* RFC 7692, 5.1 */
				return error_set(err, ERR_PROTOCOL,
						 "the server chose " NAME " twice");
			if (!check_offered(offer, x.params, err))
				return false;
			agree(offer, x.params, agreed);
		}
	}
	return true;
}

/* RFC 7692, 7.1.2.2: our limit for the client's window can be told only to one that knows it. */
static bool can_serve(const struct ws_deflate *ours, const struct param *p)
{
	if (p[SERVER_BITS].given && p[SERVER_BITS].bits <= BITS_MIN)
		return false; /* zlib cannot deflate into so small a window */
	return ours->client_max_window_bits == BITS_MAX || p[CLIENT_BITS].given;
}

static void serve(const struct ws_deflate *ours, const struct param *p, struct ws_deflate *agreed)
{
	*agreed = (struct ws_deflate){
		.on = true,
		.server_no_context_takeover = p[SERVER_TAKEOVER].given ||
					      ours->server_no_context_takeover,
		.client_no_context_takeover = p[CLIENT_TAKEOVER].given ||
					      ours->client_no_context_takeover,
		.server_max_window_bits = least(bits_or_most(&p[SERVER_BITS]),
						ours->server_max_window_bits),
		.client_max_window_bits = least(bits_or_most(&p[CLIENT_BITS]),
						ours->client_max_window_bits),
	};
}

void deflate_terms_choose(const struct ws_deflate *ours, const struct http_head *head,
			  struct ws_deflate *agreed)
{
	struct error ignored = ERROR_INIT;
	struct extension x;
	struct span value;
	size_t i = 0;

	*agreed = (struct ws_deflate){ 0 };
	while (ours->on && http_head_find(head, "Sec-WebSocket-Extensions", &i, &value)) {
		while (value.n > 0) {
			if (!take_extension(&value, &x, &ignored))
				break;
			if (!x.is_deflate || !can_serve(ours, x.params))
				continue;
			serve(ours, x.params, agreed);
			return;
		}
	}
}
