/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SOCKS conversations. The verdict is given as soon as its byte is in:
 * some servers close behind it. The credentials stand in `out` and nowhere
 * else here. The trap: lengths on the wire are one byte, so each is checked
 * before it is written.
 */
#include "net/proxy_socks.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

enum {
	SOCKS4_VERSION = 4,
	SOCKS4_GRANTED = 90,
	SOCKS5_VERSION = 5,
	SOCKS_CONNECT = 1,
	METHOD_NONE = 0,
	METHOD_PASSWORD = 2,
	METHOD_REFUSED = 0xFF,
	PASSWORD_VERSION = 1,
	TYPE_IPV4 = 1,
	TYPE_NAME = 3,
	TYPE_IPV6 = 4,
	STRING_MAX = 255,
	SOCKS_REQUESTS_MAX = 1024, /* greeting, user name and password, CONNECT */
};

/* The target in the form that goes on the wire. */
struct place {
	uint8_t type;
	uint8_t bytes[STRING_MAX];
	uint8_t n;
};

static bool bad(struct error *err, const char *sentence)
{
	error_set(err, ERR_PROXY, "%s", sentence);
	err->stage = STAGE_PROXY;
	return false;
}

static const char *text_of(const char *s)
{
	return s ? s : "";
}

static void place_of_address(struct place *p, const struct sockaddr *address)
{
	if (address->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)address;

		*p = (struct place){ .type = TYPE_IPV6, .n = 16 };
		memcpy(p->bytes, &in6->sin6_addr, 16);
	} else {
		const struct sockaddr_in *in = (const void *)address;

		*p = (struct place){ .type = TYPE_IPV4, .n = 4 };
		memcpy(p->bytes, &in->sin_addr, 4);
	}
}

/* A literal is an address for every kind: only names are the proxy's to resolve. */
static bool place_of_host(struct place *p, const char *host, struct error *err)
{
	size_t n = strlen(host);

	*p = (struct place){ .type = TYPE_IPV4, .n = 4 };
	if (inet_pton(AF_INET, host, p->bytes) == 1)
		return true;
	*p = (struct place){ .type = TYPE_IPV6, .n = 16 };
	if (inet_pton(AF_INET6, host, p->bytes) == 1)
		return true;
	if (n == 0)
		return bad(err, "the name of the target is empty");
	if (n > STRING_MAX)
		return bad(err, "the name of the target is longer than 255 bytes");
	*p = (struct place){ .type = TYPE_NAME, .n = (uint8_t)n };
	memcpy(p->bytes, host, n);
	return true;
}

static bool find_place(struct place *p, const struct proxy_params *params, struct error *err)
{
	const struct sockaddr *address = params->target.address;

	if (!proxy_wants_address(params->kind))
		return place_of_host(p, params->target.host, err);
	if (!address || (address->sa_family != AF_INET && address->sa_family != AF_INET6))
		return bad(err, "the target has no address that the proxy could be told");
	place_of_address(p, address);
	return true;
}

static bool put(struct buf *out, const void *bytes, size_t n)
{
	return buf_append(out, span_of(bytes, n));
}

static bool put_byte(struct buf *out, uint8_t byte)
{
	return put(out, &byte, 1);
}

static bool put_port(struct buf *out, uint16_t port)
{
	return put_byte(out, (uint8_t)(port >> 8)) && put_byte(out, (uint8_t)port);
}

static bool fit(struct error *err, bool ok)
{
	return ok || bad(err, "out of memory for the request to the proxy");
}

/* SOCKS4 names its user to the proxy and has no password; 4a hides a name behind 0.0.0.1. */
static bool write_socks4(struct buf *out, const struct proxy_params *params, struct error *err)
{
	static const uint8_t no_address[4] = { 0, 0, 0, 1 };
	const char *user = text_of(params->user);
	struct place place;
	bool is_name;

	if (!find_place(&place, params, err))
		return false;
	if (place.type == TYPE_IPV6)
		return bad(err, "SOCKS4 cannot reach IPv6 addresses");
	if (strlen(user) > STRING_MAX)
		return bad(err, "the user name for the proxy is longer than 255 bytes");
	is_name = place.type == TYPE_NAME;
	return fit(err,
		   put_byte(out, SOCKS4_VERSION) && put_byte(out, SOCKS_CONNECT) &&
			   put_port(out, params->target.port) &&
			   put(out, is_name ? no_address : place.bytes, 4) &&
			   put(out, user, strlen(user) + 1) &&
			   (!is_name || (put(out, place.bytes, place.n) && put_byte(out, '\0'))));
}

static bool has_credentials(const struct proxy_params *params)
{
	return params->user || params->password;
}

/* RFC 1928, 3. What cannot be sent later is refused before the first byte. */
static bool write_greeting(struct buf *out, const struct proxy_params *params, struct error *err)
{
	struct place place;

	if (!find_place(&place, params, err))
		return false;
	if (strlen(text_of(params->user)) > STRING_MAX ||
	    strlen(text_of(params->password)) > STRING_MAX)
		return bad(err, "the user name or the password for the proxy is longer than "
				"255 bytes");
	if (!has_credentials(params))
		return fit(err, put(out, "\x05\x01\x00", 3));
	return fit(err, put(out, "\x05\x02\x00\x02", 4));
}

/* RFC 1929, 2. */
static bool write_password(struct buf *out, const struct proxy_params *params, struct error *err)
{
	const char *user = text_of(params->user), *password = text_of(params->password);
	uint8_t n_user = (uint8_t)strlen(user), n_password = (uint8_t)strlen(password);

	return fit(err, put_byte(out, PASSWORD_VERSION) && put_byte(out, n_user) &&
				put(out, user, n_user) && put_byte(out, n_password) &&
				put(out, password, n_password));
}

/* RFC 1928, 4. */
static bool write_connect(struct buf *out, const struct proxy_params *params, struct error *err)
{
	struct place place;

	if (!find_place(&place, params, err))
		return false;
	return fit(err, put_byte(out, SOCKS5_VERSION) && put_byte(out, SOCKS_CONNECT) &&
				put_byte(out, 0) && put_byte(out, place.type) &&
				(place.type != TYPE_NAME || put_byte(out, place.n)) &&
				put(out, place.bytes, place.n) &&
				put_port(out, params->target.port));
}

static void expect(struct proxy_socks *s, enum socks_state state, size_t need)
{
	s->state = state;
	s->have = 0;
	s->need = need;
}

static bool is_socks5(const struct proxy_socks *s)
{
	return s->params->kind == PROXY_SOCKS5 || s->params->kind == PROXY_SOCKS5H;
}

bool proxy_socks_init(struct proxy_socks *s, const struct proxy_params *params, struct buf *out,
		      struct error *err)
{
	*s = (struct proxy_socks){ .params = params, .out = out };
	/* Room for all requests at once: a buffer that grew would leave the password behind. */
	if (!buf_reserve(out, SOCKS_REQUESTS_MAX))
		return fit(err, false);
	expect(s, is_socks5(s) ? SOCKS_METHOD : SOCKS_REPLY, 2);
	return is_socks5(s) ? write_greeting(out, params, err) : write_socks4(out, params, err);
}

static enum proxy_result failed(struct error *err, const char *sentence)
{
	bad(err, sentence);
	return PROXY_BAD;
}

static enum proxy_result send_connect(struct proxy_socks *s, struct error *err)
{
	expect(s, SOCKS_REPLY, 2);
	return write_connect(s->out, s->params, err) ? PROXY_MORE : PROXY_BAD;
}

static enum proxy_result on_method(struct proxy_socks *s, struct error *err)
{
	bool offered = has_credentials(s->params);

	if (s->in[0] != SOCKS5_VERSION)
		return failed(err, "the proxy's answer is not SOCKS5");
	if (s->in[1] == METHOD_NONE)
		return send_connect(s, err);
	if (s->in[1] == METHOD_PASSWORD && offered) {
		expect(s, SOCKS_PASSWORD, 2);
		return write_password(s->out, s->params, err) ? PROXY_MORE : PROXY_BAD;
	}
	if (s->in[1] != METHOD_REFUSED)
		return failed(err, "the proxy chose a way to authenticate that was not offered");
	return failed(err, offered ? "the proxy wants authentication other than user name and "
				     "password" :
				     "the proxy wants authentication, and no user name is "
				     "configured");
}

static enum proxy_result on_password(struct proxy_socks *s, struct error *err)
{
	if (s->in[0] != PASSWORD_VERSION)
		return failed(err, "the proxy's answer to user name and password is not valid");
	if (s->in[1] != 0)
		return failed(err, "the proxy refused the user name or the password");
	return send_connect(s, err);
}

/* RFC 1928, 6. */
static const char *const words5[] = {
	[1] = "the proxy could not connect: general failure",
	[2] = "the proxy does not allow this connection",
	[3] = "the proxy could not connect: network unreachable",
	[4] = "the proxy could not connect: host unreachable",
	[5] = "the proxy could not connect: connection refused",
	[6] = "the proxy could not connect: time to live expired",
	[7] = "the proxy does not do CONNECT",
	[8] = "the proxy does not do this type of address",
};
static const char *const words4[] = {
	[91] = "the proxy rejected the connection, or could not connect",
	[92] = "the proxy rejected the connection: it reached no identd here",
	[93] = "the proxy rejected the connection: identd named another user",
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static enum proxy_result refused(struct error *err, const char *const *words, size_t n,
				 uint8_t code)
{
	if (code < n && words[code])
		return failed(err, words[code]);
	error_set(err, ERR_PROXY, "the proxy could not connect: unknown code %u", (unsigned)code);
	err->stage = STAGE_PROXY;
	return PROXY_BAD;
}

static enum proxy_result on_reply4(struct proxy_socks *s, struct error *err)
{
	if (s->have == 8)
		return PROXY_OPEN;
	if (s->in[0] != 0)
		return failed(err, "the proxy's answer is not SOCKS4");
	if (s->in[1] != SOCKS4_GRANTED)
		return refused(err, words4, COUNT(words4), s->in[1]);
	s->need = 8;
	return PROXY_MORE;
}

/* RFC 1928, 6: the address in the reply is read to know its end, and not used. */
static enum proxy_result on_reply5(struct proxy_socks *s, struct error *err)
{
	if (s->have == 2) {
		if (s->in[0] != SOCKS5_VERSION)
			return failed(err, "the proxy's answer is not SOCKS5");
		if (s->in[1] != 0)
			return refused(err, words5, COUNT(words5), s->in[1]);
		s->need = 5;
		return PROXY_MORE;
	}
	if (s->have > 5)
		return PROXY_OPEN;
	if (s->in[3] != TYPE_IPV4 && s->in[3] != TYPE_IPV6 && s->in[3] != TYPE_NAME)
		return failed(err, "the proxy's answer has an unknown type of address");
	s->need = 4 + 2 +
		  (s->in[3] == TYPE_IPV4 ? 4U :
		   s->in[3] == TYPE_IPV6 ? 16U :
					   1U + s->in[4]);
	return PROXY_MORE;
}

static enum proxy_result step(struct proxy_socks *s, struct error *err)
{
	switch (s->state) {
	case SOCKS_METHOD:
		return on_method(s, err);
	case SOCKS_PASSWORD:
		return on_password(s, err);
	case SOCKS_REPLY:
		break;
	}
	return is_socks5(s) ? on_reply5(s, err) : on_reply4(s, err);
}

enum proxy_result proxy_socks_feed(struct proxy_socks *s, struct span *input, struct error *err)
{
	enum proxy_result result = PROXY_MORE;

	while (input->n > 0 && result == PROXY_MORE) {
		size_t want = s->need - s->have, n = input->n < want ? input->n : want;

		memcpy(s->in + s->have, input->p, n);
		*input = span_skip(*input, n);
		s->have += n;
		if (s->have == s->need)
			result = step(s, err);
	}
	return result;
}
