/* SPDX-License-Identifier: Apache-2.0 */
/* See stamp.h. */
#include "sim/stamp.h"

#include <stdlib.h>

#include "base/mem.h"

static bool take(struct span *s, const char *text)
{
	size_t n = strlen(text);

	if (s->n < n || memcmp(s->p, text, n) != 0)
		return false;
	*s = span_skip(*s, n);
	return true;
}

static uint64_t take_number(struct span *s)
{
	uint64_t n = 0;

	for (; s->n && s->p[0] >= '0' && s->p[0] <= '9'; *s = span_skip(*s, 1))
		n = n * 10 + (uint64_t)(s->p[0] - '0');
	return n;
}

bool stamp_read(struct span text, char kind, struct stamp *st)
{
	char key[] = { '{', '"', kind, '"', ':', '\0' };

	if (!take(&text, key))
		return false;
	st->who = take_number(&text);
	if (!take(&text, ",\"n\":"))
		return false;
	st->n = take_number(&text);
	return true;
}

char *stamp_write(char kind, struct stamp st, const char *extra, size_t padding)
{
	char *pad = mem_alloc(padding + 1), *text;

	memset(pad, 'x', padding);
	pad[padding] = '\0';
	text = mem_printf("{\"%c\":%llu,\"n\":%llu,\"e\":\"%s\",\"p\":\"%s\"}", kind,
			  (unsigned long long)st.who, (unsigned long long)st.n, extra, pad);
	free(pad);
	return text;
}
