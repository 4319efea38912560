/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RFC 6455, 4.1 and 9.1, RFC 7692, 7.1 and RFC 9112 read once more, line by
 * line over the whole text. The limits are written out: 4 KiB for the first
 * line, 8 KiB for the others, 100 lines, 32 KiB in all, 5 interim responses.
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

static const char *skip_blanks(const char *s, const char *end)
{
	while (s < end && (*s == ' ' || *s == '\t'))
		s++;
	return s;
}

/* A token, or with `quotes` one in quotes. Returns what is behind it and blanks; NULL: none. */
static const char *read_word(const char *s, const char *end, bool quotes, char word[32])
{
	bool quoted = quotes && s < end && *s == '"';
	size_t n = 0;

	for (s += quoted; s < end; s++) {
		if (quoted && *s == '\\' && ++s == end)
			return NULL;
		if (!isalnum((unsigned char)*s) && !(*s && strchr("!#$%&'*+-.^_`|~", *s)))
			break;
		if (n < 31)
			word[n++] = *s;
	}
	word[n] = 0;
	if (quoted && (s == end || *s != '"'))
		return NULL;
	return n ? skip_blanks(s + quoted, end) : NULL;
}

static unsigned read_window(const char *value)
{
	static const char *const good[] = { "8", "9", "10", "11", "12", "13", "14", "15" };

	for (unsigned i = 0; i < 8; i++)
		if (strcmp(value, good[i]) == 0)
			return i + 8;
	return 0;
}

/* value NULL: it has none. Each only once. */
static bool set_parameter(struct reference_deflate *d, const char *name, const char *value)
{
	bool *word = strcmp(name, "server_no_context_takeover") == 0 ? &d->server_alone :
		     strcmp(name, "client_no_context_takeover") == 0 ? &d->client_alone :
								       NULL;
	unsigned *bits = strcmp(name, "server_max_window_bits") == 0 ? &d->server_bits :
			 strcmp(name, "client_max_window_bits") == 0 ? &d->client_bits :
								       NULL;

	if (word && !*word && !value)
		return *word = true;
	if (bits && !*bits && value)
		return (*bits = read_window(value)) > 0;
	return false;
}

static bool read_extension(const struct field *f, struct reference_deflate *d)
{
	const char *s = f->value, *end = f->value + f->value_n;
	char name[32], value[32];

	s = read_word(s, end, false, name);
	if (!s || strcmp(name, "permessage-deflate") != 0)
		return false;
	while (s < end && *s == ';') {
		bool has_value;

		s = read_word(skip_blanks(s + 1, end), end, false, name);
		has_value = s && s < end && *s == '=';
		if (has_value)
			s = read_word(skip_blanks(s + 1, end), end, true, value);
		if (!s || !set_parameter(d, name, has_value ? value : NULL))
			return false;
	}
	return s == end || (*s == ',' && s + 1 == end); /* an empty element is none */
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* At most once, and no more than was offered (RFC 7692, 7.1.1 and 7.1.2). */
static bool agrees(const struct response *r, const struct reference_deflate *offer,
		   struct reference_deflate *d)
{
	struct field f;
	size_t n = count(r, "sec-websocket-extensions", &f);

	*d = (struct reference_deflate){ .on = n > 0 };
	if (n == 0)
		return true;
	if (n > 1 || !offer->on || !read_extension(&f, d))
		return false;
	if (offer->server_alone && !d->server_alone)
		return false;
	if (offer->server_bits < 15 && (!d->server_bits || d->server_bits > offer->server_bits))
		return false;
	d->client_alone = d->client_alone || offer->client_alone;
	d->server_bits = d->server_bits ? d->server_bits : 15;
	d->client_bits = least(d->client_bits ? d->client_bits : 15, offer->client_bits);
	return true;
}

static bool opens(const struct response *r, const struct reference_offer *offer, const char *accept,
		  struct reference_choice *chosen)
{
	struct field f;

	if (r->is_1_0 || count(r, "upgrade", &f) != 1 || f.value_n != 9 ||
	    strncasecmp(f.value, "websocket", 9) != 0)
		return false;
	if (!connection_upgrades(r))
		return false;
	if (count(r, "sec-websocket-accept", &f) != 1 || !is(&f, accept))
		return false;
	return agrees(r, &offer->deflate, &chosen->deflate) && chooses(r, offer, &chosen->name);
}

bool reference_accepts(struct span response, const struct reference_offer *offer,
		       const char *accept, struct reference_choice *chosen)
{
	const char *s = (const char *)response.p;
	size_t left = response.n;
	struct response r;

	*chosen = (struct reference_choice){ .name = NULL };
	for (int i = 0; i <= 5; i++) {
		if (!read_response(&r, s, left))
			return false;
		if (r.status == 101 && opens(&r, offer, accept, chosen))
			return true;
		*chosen = (struct reference_choice){ .name = NULL };
		if (r.status == 101 || r.status >= 200)
			return false;
		s += r.size;
		left -= r.size;
	}
	return false;
}
