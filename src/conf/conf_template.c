/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes templates apart from left to right. It owns nothing. The trap: in
 * "$$${x}" the first dollar stands for itself and the next three bytes are an
 * escaped "${", so nobody may look for "${" from anywhere but the beginning.
 */
#include "conf/conf_template.h"

#include <string.h>

static const char name_chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";

bool conf_is_template(struct span text)
{
	return text.n > 0 && memmem(text.p, text.n, "${", 2) != NULL;
}

bool conf_name_valid(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n <= CONF_NAME_MAX && strspn(name, name_chars) == n;
}

static bool begins(struct span s, const char *with)
{
	size_t n = strlen(with);

	return s.n >= n && memcmp(s.p, with, n) == 0;
}

/* Bytes before the next dollar that means something. */
static size_t plain_length(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (begins(span_skip(s, i), "${") || begins(span_skip(s, i), "$${"))
			return i;
	return s.n;
}

static size_t name_length(struct span s)
{
	size_t n = 0;

	while (n < s.n && n <= CONF_NAME_MAX && s.p[n] != '\0' && strchr(name_chars, s.p[n]))
		n++;
	return n;
}

static enum conf_piece take(struct span *rest, size_t skip, size_t n, struct span *piece)
{
	*piece = span_of(rest->p + skip, n);
	*rest = span_skip(*rest, skip + n);
	return PIECE_TEXT;
}

enum conf_piece conf_template_next(struct span *rest, struct span *piece)
{
	size_t n;

	if (rest->n == 0)
		return PIECE_END;
	if (begins(*rest, "$${"))
		return take(rest, 1, 2, piece);
	if (!begins(*rest, "${"))
		return take(rest, 0, plain_length(*rest), piece);
	n = name_length(span_skip(*rest, 2));
	if (n == 0 || n > CONF_NAME_MAX || 2 + n >= rest->n || rest->p[2 + n] != '}')
		return PIECE_BAD;
	take(rest, 2, n, piece);
	*rest = span_skip(*rest, 1);
	return PIECE_NAME;
}
