/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shorthand: `METHOD [NAME] [key=value ...]`, for people with socat and a
 * shell. It cuts the line into words and leaves it to the method's table what
 * type a value has. The words point into the line. The trap: error texts count
 * words instead of quoting them, because a word may be a secret.
 */
#include "base/escape.h"
#include "base/json_cut.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "control/names.h"
#include "control/rpc_int.h"

#define NAME_SHOWN 80

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static struct span skip_blanks(struct span s)
{
	while (s.n > 0 && is_blank(s.p[0]))
		s = span_skip(s, 1);
	return s;
}

static bool is_shorthand_text(struct span line)
{
	for (size_t i = 0; i < line.n; i++) {
		if ((line.p[i] < 0x20 && line.p[i] != '\t') || line.p[i] == 0x7f)
			return false;
	}
	return utf8_valid(line);
}

/* Takes [A-Za-z][A-Za-z0-9_.]* off *rest. */
static bool take_method_word(struct rpc_request *rq, struct span *rest)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	static const char more[] = "0123456789_.";
	size_t n = 0;

	while (n < rest->n && !is_blank(rest->p[n])) {
		bool letter = memchr(letters, rest->p[n], sizeof(letters) - 1);

		if (!letter && (n == 0 || !memchr(more, rest->p[n], sizeof(more) - 1)))
			return error_set(&rq->err, ERR_PARSE,
					 "neither a JSON text nor METHOD [NAME] [key=value ...]");
		n++;
	}
	if (n > RPC_METHOD_MAX)
		return error_set(&rq->err, ERR_NO_SUCH_METHOD, "no method has such a long name");
	memcpy(rq->method, rest->p, n);
	rq->method[n] = '\0';
	*rest = skip_blanks(span_skip(*rest, n));
	return true;
}

/* A value that begins like JSON ends where its bracket or quote closes: blanks may be in it. */
static bool take_word_value(struct span *rest, struct span *value)
{
	bool json = rest->n > 0 && memchr("\"[{", rest->p[0], 3);
	size_t n = json ? json_cut_value(*rest) : 0;

	if (json && (n == 0 || (n < rest->n && !is_blank(rest->p[n]))))
		return false;
	while (!json && n < rest->n && !is_blank(rest->p[n]))
		n++;
	*value = span_of(rest->p, n);
	*rest = skip_blanks(span_skip(*rest, n));
	return true;
}

static size_t key_len(struct span s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] != '=' && !is_blank(s.p[n]))
		n++;
	return n;
}

/* Takes `key=value`, or a NAME where it is the first word. */
static bool take_word(struct rpc_request *rq, struct span *rest)
{
	struct rpc_word *w = &rq->words[rq->n_words];
	size_t number = rq->n_words + 2, n = key_len(*rest);

	if (n == 0)
		return error_set(&rq->err, ERR_PARSE, "word %zu has no key before its \"=\"",
				 number);
	if (n < rest->n && rest->p[n] == '=') {
		w->key = span_of(rest->p, n);
		*rest = span_skip(*rest, n + 1);
		if (take_word_value(rest, &w->value))
			return true;
		return error_set(&rq->err, ERR_PARSE,
				 "word %zu: its value begins like JSON, but does not end so",
				 number);
	}
	if (rq->n_words > 0)
		return error_set(&rq->err, ERR_PARSE,
				 "word %zu is no key=value; a value with blanks goes in quotes: "
				 "key=\"some text\"",
				 number);
	w->key = span_str(PARAM_NAME);
	w->value = span_of(rest->p, n);
	*rest = skip_blanks(span_skip(*rest, n));
	return true;
}

static bool key_is_new(struct rpc_request *rq)
{
	const struct rpc_word *last = &rq->words[rq->n_words];
	char shown[NAME_SHOWN];

	for (size_t i = 0; i < rq->n_words; i++) {
		if (span_equal(rq->words[i].key, last->key))
			return error_set(&rq->err, ERR_PARSE, "\"%s\" comes twice",
					 escape_text(shown, sizeof(shown), last->key));
	}
	return true;
}

void rpc_shorthand(struct rpc_request *rq, struct span line)
{
	struct span rest = line;

	if (!is_shorthand_text(line)) {
		error_set(&rq->err, ERR_PARSE, "control characters, or not valid UTF-8");
		return;
	}
	if (!take_method_word(rq, &rest))
		return;
	rq->words = mem_array(RPC_WORDS_MAX, sizeof(*rq->words));
	while (rest.n > 0) {
		if (rq->n_words == RPC_WORDS_MAX) {
			error_set(&rq->err, ERR_PARSE, "more than %d words", RPC_WORDS_MAX);
			return;
		}
		if (!take_word(rq, &rest) || !key_is_new(rq))
			return;
		rq->n_words++;
	}
}
