/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reader of challenges. It decides nothing but which Digest is the best. The
 * structs are the caller's. The trap is the grammar: a comma ends a parameter
 * or a challenge, and only what follows the next word (a "=" or not) says which.
 */
#include "net/auth_challenge.h"

#include <string.h>
#include <strings.h>

#include "base/http_head.h"

/* A word of the list: a scheme, or a parameter of the scheme before it. */
struct item {
	struct span name, value;
	bool is_scheme, is_quoted;
};

enum scheme { SCHEME_OTHER, SCHEME_BASIC, SCHEME_DIGEST };

struct current {
	enum scheme scheme;
	bool broken, has_realm, has_nonce, has_qop;
	struct digest_challenge digest;
};

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static void skip_blanks(struct span *s)
{
	while (s->n > 0 && is_blank(s->p[0]))
		*s = span_skip(*s, 1);
}

static struct span take_token(struct span *s)
{
	size_t n = 0;
	struct span token;

	while (n < s->n && http_is_token(span_of(s->p + n, 1)))
		n++;
	token = span_of(s->p, n);
	*s = span_skip(*s, n);
	return token;
}

/* s begins with the quote. The value keeps its escapes. False: it does not end. */
static bool take_quoted(struct span *s, struct span *value)
{
	size_t i = 1;

	while (i < s->n && s->p[i] != '"')
		i += s->p[i] == '\\' ? 2 : 1;
	if (i >= s->n)
		return false;
	*value = span_of(s->p + 1, i - 1);
	*s = span_skip(*s, i + 1);
	return true;
}

static void skip_to_comma(struct span *s)
{
	const uint8_t *comma = s->n ? memchr(s->p, ',', s->n) : NULL;

	*s = comma ? span_skip(*s, (size_t)(comma - s->p)) : span_of(s->p, 0);
}

/* False: the end, or nothing that could be read on from. */
static bool next_item(struct span *s, struct item *it)
{
	struct span after;

	while (s->n > 0 && (s->p[0] == ',' || is_blank(s->p[0])))
		*s = span_skip(*s, 1);
	if (s->n == 0)
		return false;
	*it = (struct item){ .name = take_token(s) };
	after = *s;
	skip_blanks(&after);
	if (it->name.n == 0 || after.n == 0 || after.p[0] != '=') {
		it->is_scheme = it->name.n > 0;
		if (!it->is_scheme) /* no word: the rest of a token68 */
			skip_to_comma(s);
		return true;
	}
	*s = span_skip(after, 1);
	skip_blanks(s);
	it->is_quoted = s->n > 0 && s->p[0] == '"';
	if (it->is_quoted)
		return take_quoted(s, &it->value);
	it->value = take_token(s);
	return true;
}

static bool is_word(struct span s, const char *word)
{
	return s.n == strlen(word) && strncasecmp((const char *)s.p, word, s.n) == 0;
}

/* RFC 9110, 5.6.4: a backslash hides the byte behind it. False: too long, or a NUL. */
static bool copy_value(char *out, size_t size, const struct item *it)
{
	size_t n = 0;

	for (size_t i = 0; i < it->value.n; i++) {
		if (it->is_quoted && it->value.p[i] == '\\')
			i++;
		if (i >= it->value.n || n + 1 >= size || it->value.p[i] == '\0')
			return false;
		out[n++] = (char)it->value.p[i];
	}
	out[n] = '\0';
	return true;
}

static bool take_algorithm(struct digest_challenge *d, struct span value)
{
	bool is_md5 = is_word(value, "MD5");

	d->algorithm = is_md5 ? DIGEST_MD5 : DIGEST_SHA256;
	d->algorithm_named = true;
	return is_md5 || is_word(value, "SHA-256");
}

/* Parameters that are not known are to be ignored (RFC 7616, 3.3). */
static void take_parameter(struct current *c, const struct item *it)
{
	struct digest_challenge *d = &c->digest;
	bool ok = true;

	if (is_word(it->name, "realm")) {
		ok = !c->has_realm && copy_value(d->realm, sizeof(d->realm), it);
		c->has_realm = true;
	} else if (is_word(it->name, "nonce")) {
		ok = !c->has_nonce && copy_value(d->nonce, sizeof(d->nonce), it);
		c->has_nonce = true;
	} else if (is_word(it->name, "opaque")) {
		ok = !d->opaque_given && copy_value(d->opaque, sizeof(d->opaque), it);
		d->opaque_given = true;
	} else if (is_word(it->name, "algorithm")) {
		ok = !d->algorithm_named && take_algorithm(d, it->value);
	} else if (is_word(it->name, "qop")) {
		c->has_qop = http_list_has_token(it->value, "auth");
	} else if (is_word(it->name, "stale")) {
		d->stale = is_word(it->value, "true");
	}
	c->broken = c->broken || !ok;
}

static void finish(struct auth_offers *o, const struct current *c)
{
	if (c->scheme == SCHEME_BASIC)
		o->basic = true;
	if (c->scheme != SCHEME_DIGEST)
		return;
	if (c->broken || !c->has_realm || !c->has_nonce || !c->has_qop) {
		o->unusable = true;
		return;
	}
	if (o->digest && o->best.algorithm >= c->digest.algorithm)
		return;
	o->digest = true;
	o->best = c->digest;
}

void auth_offers_add(struct auth_offers *o, struct span value)
{
	struct current c = { .scheme = SCHEME_OTHER };
	struct item it;

	while (next_item(&value, &it)) {
		if (!it.is_scheme) {
			take_parameter(&c, &it);
			continue;
		}
		finish(o, &c);
		c = (struct current){ .scheme = is_word(it.name, "Digest") ? SCHEME_DIGEST :
						is_word(it.name, "Basic")  ? SCHEME_BASIC :
									     SCHEME_OTHER };
	}
	c.broken = c.broken || value.n > 0; /* an open quote */
	finish(o, &c);
}
