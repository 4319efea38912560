/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regular expressions of matches: POSIX extended ones, judged and compiled
 * when the configuration is read. What they run on is chosen by a peer, so
 * the time is bounded: regexec(3) takes about as long as bytes times
 * characters of the expression with its repetitions written out. The trap: a
 * back-reference breaks that bound, so there are none, though regcomp(3) of
 * some systems takes them.
 */
#include "conf/conf_regex_int.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/conf_match.h"

#define REGEX_MAX 1024	 /* bytes */
#define WRITTEN_OUT 256	 /* characters, repetitions written out */
#define GROUPS_DEEP 32	 /* brackets in brackets */
#define COUNT_MAX 100000 /* where counting stops */

struct conf_regex {
	regex_t compiled;
};

static bool fail(struct error *err, const char *sentence)
{
	return error_set(err, ERR_INVALID_OPTION, "%s", sentence);
}

/* Behind the bracket expression that begins at p; its end, if it is not closed. */
static const char *skip_set(const char *p)
{
	p++;
	p += *p == '^';
	p += *p == ']';
	while (*p && *p != ']') {
		/* [:alpha:], [.x.], [=x=] */
		const char *end = *p == '[' && p[1] && strchr(":.=", p[1]) ? strchr(p + 2, ']') :
									     NULL;

		p = end ? end + 1 : p + 1;
	}
	return *p ? p + 1 : p;
}

/* The greater number of "{m}", "{m,}", "{m,n}" at p, at least 1. */
static size_t repetitions(const char *p)
{
	unsigned long m = strtoul(p + 1, NULL, 10), n = 0;
	const char *comma = p + 1 + strspn(p + 1, "0123456789");

	if (*comma == ',')
		n = strtoul(comma + 1, NULL, 10);
	if (n < m)
		n = m;
	return n < 1 ? 1 : n > COUNT_MAX ? COUNT_MAX : n;
}

/* What is counted: of each open group the sum so far, and the last piece of it. */
struct count {
	size_t sum[GROUPS_DEEP + 1], last[GROUPS_DEEP + 1];
	size_t depth;
	bool too_deep;
};

static size_t capped(size_t n)
{
	return n < COUNT_MAX ? n : COUNT_MAX;
}

static void add_piece(struct count *c, size_t n)
{
	c->last[c->depth] = n;
	c->sum[c->depth] = capped(c->sum[c->depth] + n);
}

/* The last piece comes so many times. */
static void repeat(struct count *c, size_t times)
{
	size_t once = c->last[c->depth];

	c->last[c->depth] = capped(once * times);
	c->sum[c->depth] = capped(c->sum[c->depth] - once + c->last[c->depth]);
}

static void open_group(struct count *c)
{
	if (c->depth == GROUPS_DEEP) {
		c->too_deep = true;
		return;
	}
	c->depth++;
	c->sum[c->depth] = c->last[c->depth] = 0;
}

static void close_group(struct count *c)
{
	if (c->depth == 0)
		return;
	c->depth--;
	add_piece(c, c->sum[c->depth + 1]);
}

/* Takes one piece of the expression off. */
static const char *count_piece(struct count *c, const char *p)
{
	switch (*p) {
	case '(':
		open_group(c);
		return p + 1;
	case ')':
		close_group(c);
		return p + 1;
	case '{':
		repeat(c, repetitions(p));
		p += strcspn(p, "}");
		return *p ? p + 1 : p;
	case '[':
		add_piece(c, 1);
		return skip_set(p);
	case '\\':
		add_piece(c, 1);
		return p[1] ? p + 2 : p + 1;
	default:
		add_piece(c, 1);
		return p + 1;
	}
}

static bool is_small(const char *text)
{
	struct count c = { 0 };

	while (*text && !c.too_deep)
		text = count_piece(&c, text);
	return !c.too_deep && c.sum[c.depth] <= WRITTEN_OUT;
}

static bool has_back_reference(const char *text)
{
	for (; *text; text++) {
		if (*text != '\\')
			continue;
		text++;
		if (*text >= '1' && *text <= '9')
			return true;
		if (*text == '\0')
			break;
	}
	return false;
}

static bool compile(regex_t *compiled, const char *text, struct error *err)
{
	int code = regcomp(compiled, text, REG_EXTENDED | REG_NOSUB);
	char why[80];

	if (code == 0)
		return true;
	regerror(code, compiled, why, sizeof(why));
	return error_set(err, ERR_INVALID_OPTION, "is no extended regular expression: %s", why);
}

bool conf_regex_check(const char *text, struct error *err)
{
	size_t n = strlen(text);
	regex_t compiled;

	if (n == 0)
		return fail(err, "must not be empty");
	if (n > REGEX_MAX)
		return error_set(err, ERR_INVALID_OPTION, "has %zu bytes, more than %d", n,
				 REGEX_MAX);
	if (has_back_reference(text))
		return fail(err, "back-references such as \\1 are not supported");
	if (!is_small(text))
		return error_set(err, ERR_INVALID_OPTION,
				 "with its repetitions written out it is longer than %d characters",
				 WRITTEN_OUT);
	if (!compile(&compiled, text, err))
		return false;
	regfree(&compiled);
	return true;
}

struct conf_regex *conf_regex_new(const char *text)
{
	struct conf_regex *regex = mem_alloc(sizeof(*regex));
	struct error err;

	if (!compile(&regex->compiled, text, &err))
		abort(); /* it was compiled a moment ago: there is no memory */
	return regex;
}

void conf_regex_free(struct conf_regex *regex)
{
	if (!regex)
		return;
	regfree(&regex->compiled);
	free(regex);
}

/* In a copy with a NUL behind it: sanitizers look for one, whatever REG_STARTEND says. */
bool conf_regex_is(const struct conf_regex *regex, struct span payload)
{
	size_t n = payload.n < CONF_MATCH_MAX ? payload.n : CONF_MATCH_MAX;
	regmatch_t part = { .rm_so = 0, .rm_eo = (regoff_t)n };
	char *text = mem_try_alloc(n + 1);
	bool is;

	if (!text)
		return false;
	if (n > 0)
		memcpy(text, payload.p, n);
	text[n] = '\0';
	is = regexec(&regex->compiled, text, 1, &part, REG_STARTEND) == 0;
	free(text);
	return is;
}
