/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RFC 6455, 4.1 and RFC 9112 read once more, line by line over the whole text.
 * The limits are written out: 4 KiB for the first line, 8 KiB for the others,
 * 100 lines, 32 KiB in all, 5 interim responses.
 */
#include "reference.h"

#include <ctype.h>
#include <strings.h>

struct field {
	const char *name, *value;
	size_t name_n, value_n;
};

struct response {
	int status;
	bool is_1_0;
	struct field fields[100];
	size_t n;
	size_t size; /* with its empty line */
};

/* The line at `at`, without CRLF: its length, or -1 if there is no good one. */
static long line_at(const char *s, size_t n, size_t at, size_t most)
{
	for (size_t i = at; i < n; i++) {
		if (i + 1 - at > most)
			return -1;
		if (s[i] == '\n')
			return i > at && s[i - 1] == '\r' ? (long)(i - at - 1) : -1;
	}
	return -1;
}

static bool has_control(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (iscntrl((unsigned char)s[i]) && s[i] != '\t')
			return true;
	}
	return false;
}

static bool read_status(struct response *r, const char *s, size_t n)
{
	if (n < 12 || strncmp(s, "HTTP/1.", 7) != 0 || !isdigit((unsigned char)s[7]) || s[8] != ' ')
		return false;
	for (size_t i = 9; i < 12; i++) {
		if (!isdigit((unsigned char)s[i]))
			return false;
	}
	if ((n > 12 && s[12] != ' ') || has_control(s, n))
		return false;
	r->status = (s[9] - '0') * 100 + (s[10] - '0') * 10 + (s[11] - '0');
	r->is_1_0 = s[7] == '0';
	return r->status >= 100;
}

static bool read_field(struct response *r, const char *s, size_t n)
{
	struct field *f = &r->fields[r->n];

	if (r->n == 100)
		return false;
	for (f->name_n = 0; f->name_n < n && s[f->name_n] != ':'; f->name_n++) {
		unsigned char c = (unsigned char)s[f->name_n];

		if (c == 0 || (!isalnum(c) && !strchr("!#$%&'*+-.^_`|~", c)))
			return false;
	}
	if (f->name_n == 0 || f->name_n == n)
		return false;
	f->name = s;
	f->value = s + f->name_n + 1;
	f->value_n = n - f->name_n - 1;
	while (f->value_n > 0 && strchr(" \t", f->value[0]) && f->value[0]) {
		f->value++;
		f->value_n--;
	}
	while (f->value_n > 0 &&
	       (f->value[f->value_n - 1] == ' ' || f->value[f->value_n - 1] == '\t'))
		f->value_n--;
	r->n++;
	return !has_control(f->value, f->value_n);
}

static bool read_response(struct response *r, const char *s, size_t n)
{
	size_t at;
	long len;

	if (n > 32768)
		n = 32768;
	r->n = 0;
	len = line_at(s, n, 0, 4096);
	if (len < 0 || !read_status(r, s, (size_t)len))
		return false;
	for (at = (size_t)len + 2;; at += (size_t)len + 2) {
		len = line_at(s, n, at, 8192);
		if (len < 0)
			return false;
		if (len == 0)
			break;
		if (!read_field(r, s + at, (size_t)len))
			return false;
	}
	r->size = at + 2;
	return true;
}

static size_t count(const struct response *r, const char *name, struct field *last)
{
	size_t found = 0;

	for (size_t i = 0; i < r->n; i++) {
		const struct field *f = &r->fields[i];

		if (f->name_n != strlen(name) || strncasecmp(f->name, name, f->name_n) != 0)
			continue;
		*last = *f;
		found++;
	}
	return found;
}

static bool is(const struct field *f, const char *text)
{
	return f->value_n == strlen(text) && memcmp(f->value, text, f->value_n) == 0;
}

/* One of the parts between commas is "upgrade". */
static bool lists_upgrade(const char *s, size_t n)
{
	size_t from = 0;

	for (size_t i = 0; i <= n; i++) {
		size_t to = i;

		if (i < n && s[i] != ',')
			continue;
		while (from < to && (s[from] == ' ' || s[from] == '\t'))
			from++;
		while (from < to && (s[to - 1] == ' ' || s[to - 1] == '\t'))
			to--;
		if (to - from == 7 && strncasecmp(s + from, "upgrade", 7) == 0)
			return true;
		from = i + 1;
	}
	return false;
}

static bool connection_upgrades(const struct response *r)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct field *f = &r->fields[i];

		if (f->name_n == 10 && strncasecmp(f->name, "connection", 10) == 0 &&
		    lists_upgrade(f->value, f->value_n))
			return true;
	}
	return false;
}

static bool chooses(const struct response *r, const struct reference_offer *offer,
		    const char **chosen)
{
	struct field f;
	size_t n = count(r, "sec-websocket-protocol", &f);

	*chosen = NULL;
	if (n == 0)
		return true;
	for (size_t i = 0; n == 1 && i < offer->n; i++) {
		if (is(&f, offer->names[i]))
			*chosen = offer->names[i];
	}
	return *chosen != NULL;
}

static bool opens(const struct response *r, const struct reference_offer *offer, const char *accept,
		  const char **chosen)
{
	struct field f;

	if (r->is_1_0 || count(r, "upgrade", &f) != 1 || f.value_n != 9 ||
	    strncasecmp(f.value, "websocket", 9) != 0)
		return false;
	if (!connection_upgrades(r))
		return false;
	if (count(r, "sec-websocket-accept", &f) != 1 || !is(&f, accept))
		return false;
	if (count(r, "sec-websocket-extensions", &f) != 0)
		return false;
	return chooses(r, offer, chosen);
}

bool reference_accepts(struct span response, const struct reference_offer *offer,
		       const char *accept, const char **chosen)
{
	const char *s = (const char *)response.p;
	size_t left = response.n;
	struct response r;

	*chosen = NULL;
	for (int i = 0; i <= 5; i++) {
		if (!read_response(&r, s, left))
			return false;
		if (r.status == 101 && opens(&r, offer, accept, chosen))
			return true;
		*chosen = NULL;
		if (r.status == 101 || r.status >= 200)
			return false;
		s += r.size;
		left -= r.size;
	}
	return false;
}
