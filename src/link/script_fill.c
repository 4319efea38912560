/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See script_fill.h. Two passes, the first one only counts: no buffer grows,
 * so no copy of a secret stays behind in memory that was given back.
 */
#include "link/script_fill.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_cut.h"
#include "base/mem.h"
#include "conf/conf_template.h"

struct sink {
	const struct fill_source *from;
	uint8_t *out; /* NULL: counting */
	size_t n;
	struct error *err;
};

static void put(struct sink *s, struct span bytes)
{
	if (s->out && bytes.n)
		memcpy(s->out + s->n, bytes.p, bytes.n);
	s->n += bytes.n;
}

/* Without its quotes. */
static void put_escaped(struct sink *s, struct span text)
{
	size_t n = json_cut_quoted_size(text);
	uint8_t *quoted;

	if (!s->out) {
		s->n += n - 2;
		return;
	}
	quoted = mem_alloc(n);
	json_cut_quote(quoted, text);
	put(s, span_of(quoted + 1, n - 2));
	explicit_bzero(quoted, n);
	free(quoted);
}

static const struct fill_value *find(struct sink *s, struct span name)
{
	for (size_t i = 0; i < s->from->n_values; i++)
		if (span_equal(name, span_str(s->from->values[i].name)))
			return &s->from->values[i];
	error_set(s->err, ERR_PROTOCOL, "${%.*s} has no value", (int)name.n, (const char *)name.p);
	return NULL;
}

static bool put_text(struct sink *s, struct span name, bool escaped)
{
	const struct fill_value *value = find(s, name);

	if (!value)
		return false;
	if (!value->has_text)
		return error_set(s->err, ERR_PROTOCOL,
				 "${%s} is a string with half a surrogate pair in it", value->name);
	if (escaped)
		put_escaped(s, value->text);
	else
		put(s, value->text);
	return true;
}

static bool put_json(struct sink *s, struct span name)
{
	const struct fill_value *value = find(s, name);

	if (!value)
		return false;
	if (value->json.n) {
		put(s, value->json);
		return true;
	}
	put(s, span_str("\""));
	put_escaped(s, value->text);
	put(s, span_str("\""));
	return true;
}

/* Text with names in it; escaped: it stands inside a JSON string. */
static bool put_filled(struct sink *s, struct span text, bool escaped)
{
	struct span piece;

	for (;;) {
		switch (conf_template_next(&text, &piece)) {
		case PIECE_END:
			return true;
		case PIECE_TEXT:
			put(s, piece);
			break;
		case PIECE_NAME:
			if (!put_text(s, piece, escaped))
				return false;
			break;
		case PIECE_BAD:
			return error_set(s->err, ERR_PROTOCOL, "there is a ${ without a name");
		}
	}
}

/* Is it nothing but one name? */
static bool is_name_alone(struct span text, struct span *name)
{
	return conf_template_next(&text, name) == PIECE_NAME && text.n == 0;
}

/* with: the string with its quotes. */
static bool put_string(struct sink *s, struct span with)
{
	struct span inner = span_of(with.p + 1, with.n - 2), name;

	if (is_name_alone(inner, &name))
		return put_json(s, name);
	put(s, span_str("\""));
	if (!put_filled(s, inner, true))
		return false;
	put(s, span_str("\""));
	return true;
}

static bool put_filled_json(struct sink *s, struct span text)
{
	size_t n;

	while (text.n) {
		const uint8_t *quote = memchr(text.p, '"', text.n);

		n = quote ? (size_t)(quote - text.p) : text.n;
		put(s, span_of(text.p, n));
		text = span_skip(text, n);
		if (text.n == 0)
			break;
		n = json_cut_value(text);
		if (n < 2) /* not closed: it is no JSON text */
			return error_set(s->err, ERR_PROTOCOL, "the message is no JSON text");
		if (!put_string(s, span_of(text.p, n)))
			return false;
		text = span_skip(text, n);
	}
	return true;
}

static bool pass(struct sink *s)
{
	return s->from->is_json ? put_filled_json(s, s->from->message) :
				  put_filled(s, s->from->message, false);
}

uint8_t *script_fill(const struct fill_source *from, size_t *n, struct error *err)
{
	struct sink s = { .from = from, .err = err };

	if (!pass(&s))
		return NULL;
	if (s.n > SCRIPT_MESSAGE_MAX) {
		error_set(err, ERR_PROTOCOL, "the message would be longer than 16 MiB");
		return NULL;
	}
	s.out = mem_try_alloc(s.n ? s.n : 1);
	if (!s.out) {
		error_set(err, ERR_PROTOCOL, "no memory for the message");
		return NULL;
	}
	s.n = 0;
	pass(&s);
	*n = s.n;
	return s.out;
}
