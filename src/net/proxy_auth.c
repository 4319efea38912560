/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials for an HTTP proxy. Pure but for the random source. The memory
 * belongs to whoever made it and outlives connections; it holds no password.
 * The trap: a proxy may offer something else each time, so refusals are
 * counted, whatever they say.
 */
#include "net/proxy_auth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/http_head.h"
#include "base/mem.h"
#include "base/rand.h"

#define CNONCE_BYTES 16

struct proxy_memory *proxy_memory_new(void)
{
	return mem_zalloc(sizeof(struct proxy_memory));
}

void proxy_memory_free(struct proxy_memory *m)
{
	free(m);
}

static bool bad(struct error *err, const char *sentence)
{
	error_set(err, ERR_PROXY, "%s", sentence);
	err->stage = STAGE_PROXY;
	return false;
}

static bool refused(struct error *err, const char *sentence)
{
	bad(err, sentence);
	err->status = 407;
	return false;
}

static const char *text_of(const char *s)
{
	return s ? s : "";
}

static bool has_credentials(const struct proxy_params *params)
{
	return params->user || params->password;
}

size_t proxy_auth_bound(const struct proxy_params *params)
{
	size_t n = strlen(text_of(params->user)) + strlen(text_of(params->password));

	/* Each byte of the strings may get a backslash; the names between them are short. */
	return 2 * n + 2 * (AUTH_REALM_SIZE + 2 * AUTH_NONCE_SIZE) + 1024;
}

static bool put(struct buf *out, const char *s)
{
	return buf_append(out, span_str(s));
}

/* RFC 9110, 5.6.4. */
static bool put_quoted(struct buf *out, const char *name, const char *s)
{
	bool ok = put(out, name) && put(out, "=\"");

	for (; ok && *s; s++) {
		if (*s == '"' || *s == '\\')
			ok = put(out, "\\");
		ok = ok && buf_append(out, span_of(s, 1));
	}
	return ok && put(out, "\"");
}

/* RFC 7617, 2. In groups of three bytes: the pair never stands anywhere in one piece. */
static bool put_basic(struct buf *out, const struct proxy_params *params)
{
	const char *parts[] = { text_of(params->user), ":", text_of(params->password) };
	size_t n = strlen(parts[0]) + 1 + strlen(parts[2]), part = 0;
	uint8_t *room = put(out, "Basic ") ? buf_reserve(out, BASE64_ENCODED_SIZE(n)) : NULL;
	uint8_t group[3];

	for (size_t i = 0; room && i < n; i++) {
		while (*parts[part] == '\0')
			part++;
		group[i % 3] = (uint8_t)*parts[part]++;
		if (i % 3 == 2 || i + 1 == n)
			base64_encode((char *)room + i / 3 * 4, span_of(group, i % 3 + 1));
	}
	explicit_bzero(group, sizeof(group));
	if (room)
		buf_commit(out, BASE64_ENCODED_SIZE(n));
	return room != NULL;
}

static bool put_answer(struct buf *out, const struct digest_challenge *c,
		       const struct digest_input *in, const char *response)
{
	char tail[96];

	snprintf(tail, sizeof(tail), "%s, qop=auth, nc=%08x, ",
		 !c->algorithm_named	       ? "" :
		 c->algorithm == DIGEST_SHA256 ? ", algorithm=SHA-256" :
						 ", algorithm=MD5",
		 (unsigned)in->count);
	return put_quoted(out, "Digest username", in->user) &&
	       put_quoted(out, ", realm", in->realm) && put_quoted(out, ", nonce", in->nonce) &&
	       put_quoted(out, ", uri", in->uri) && put_quoted(out, ", response", response) &&
	       put(out, tail) && put_quoted(out, "cnonce", in->cnonce) &&
	       (!c->opaque_given || put_quoted(out, ", opaque", c->opaque));
}

static bool put_digest(struct buf *out, struct proxy_memory *m, const struct proxy_params *params,
		       const char *uri)
{
	uint8_t random[CNONCE_BYTES];
	char cnonce[BASE64_ENCODED_SIZE(CNONCE_BYTES) + 1] = "", response[DIGEST_HEX_SIZE];
	const struct digest_input in = {
		.algorithm = m->challenge.algorithm,
		.user = text_of(params->user),
		.password = text_of(params->password),
		.realm = m->challenge.realm,
		.nonce = m->challenge.nonce,
		.cnonce = cnonce,
		.count = m->count + 1,
		.method = "CONNECT",
		.uri = uri,
	};

	params->rand->fill(params->rand, random, sizeof(random));
	base64_encode(cnonce, span_of(random, sizeof(random)));
	if (!digest_response(&in, response))
		return false;
	m->count++;
	return put_answer(out, &m->challenge, &in, response);
}

bool proxy_auth_write(struct proxy_memory *m, const struct proxy_params *params, const char *uri,
		      struct buf *out, struct error *err)
{
	bool ok = true;

	if (!has_credentials(params))
		return true;
	if (strchr(text_of(params->user), ':') != NULL)
		return bad(err, "the user name for the proxy holds a colon");
	if (!http_is_field_value(span_str(text_of(params->user))) ||
	    !http_is_field_value(span_str(text_of(params->password))))
		return bad(err, "the user name or the password for the proxy holds "
				"a control character");
	m->sent_digest = m->digest;
	ok = put(out, "Proxy-Authorization: ") &&
	     (m->digest ? put_digest(out, m, params, uri) : put_basic(out, params)) &&
	     put(out, "\r\n");
	return ok || bad(err, "the answer to the proxy's authentication could not be computed");
}

/* The proxy's next word on this is the last one, unless it only wants a fresh nonce. */
static bool may_retry(struct proxy_memory *m, const struct auth_offers *o)
{
	if (m->sent_digest && o->digest && o->best.stale && !m->renewed) {
		m->renewed = true;
		return true;
	}
	if (++m->refusals >= 2)
		return false;
	if (m->sent_digest == o->digest)
		return m->sent_digest && m->proven;
	return true;
}

bool proxy_auth_refused(struct proxy_memory *m, const struct proxy_params *params,
			const struct http_head *head, struct error *err)
{
	struct auth_offers offers = { 0 };
	struct span value;
	size_t i = 0;

	while (http_head_find(head, "Proxy-Authenticate", &i, &value))
		auth_offers_add(&offers, value);
	if (has_credentials(params) && (offers.digest || offers.basic) && may_retry(m, &offers)) {
		m->digest = offers.digest;
		m->proven = false;
		m->count = 0;
		m->challenge = offers.best;
		return true;
	}
	*m = (struct proxy_memory){ 0 };
	if (!has_credentials(params))
		return refused(err, "the proxy wants a user name and a password");
	if (offers.digest || offers.basic)
		return refused(err, "the proxy refused the user name or the password");
	if (offers.unusable)
		return refused(err, "the proxy wants a kind of Digest authentication other than "
				    "MD5 or SHA-256 with qop=auth");
	return refused(err, "the proxy wants authentication other than Basic or Digest");
}

void proxy_auth_accepted(struct proxy_memory *m)
{
	m->proven = m->digest;
	m->renewed = false;
	m->refusals = 0;
}
