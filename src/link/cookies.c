/* SPDX-License-Identifier: Apache-2.0 */
/* See cookies.h. Sections are those of RFC 6265. */
#include "link/cookies.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/url.h"

#define NEVER INT64_MAX

struct cookie {
	struct list node;
	char *name, *value, *path;
	char *domain;	/* lower case */
	bool host_only; /* for exactly this host, not for those below it */
	bool secure;
	int64_t expires; /* seconds since 1970; NEVER = as long as we run */
};

static void cookie_free(struct cookie *k)
{
	if (k->value)
		explicit_bzero(k->value, strlen(k->value));
	free(k->name);
	free(k->value);
	free(k->path);
	free(k->domain);
	free(k);
}

static void drop(struct cookies *c, struct cookie *k)
{
	list_remove(&k->node);
	c->n--;
	cookie_free(k);
}

static struct cookie *cookie_of(struct list *node)
{
	return list_entry(node, struct cookie, node);
}

void cookies_init(struct cookies *c)
{
	list_init(&c->list);
	c->n = 0;
}

void cookies_deinit(struct cookies *c)
{
	while (c->n)
		drop(c, cookie_of(c->list.next));
}

static struct span trim(struct span s)
{
	while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = span_skip(s, 1);
	while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

/* The part before `c`, trimmed; *rest is what stands behind it. */
static struct span cut(struct span s, char c, struct span *rest)
{
	const uint8_t *at = s.n ? memchr(s.p, c, s.n) : NULL;
	size_t n = at ? (size_t)(at - s.p) : s.n;

	*rest = at ? span_skip(s, n + 1) : span_of(NULL, 0);
	return trim(span_of(s.p, n));
}

static bool is_named(struct span s, const char *name)
{
	return s.n == strlen(name) && strncasecmp((const char *)s.p, name, s.n) == 0;
}

/* 5.1.3 */
static bool domain_matches(const char *host, const char *domain)
{
	size_t h = strlen(host), d = strlen(domain);

	return strcmp(host, domain) == 0 ||
	       (h > d && strcmp(host + h - d, domain) == 0 && host[h - d - 1] == '.');
}

/* 5.1.4 */
static bool path_matches(const char *target, const char *path)
{
	size_t t = strcspn(target, "?"), n = strlen(path);

	return t >= n && strncmp(target, path, n) == 0 &&
	       (t == n || path[n - 1] == '/' || target[n] == '/');
}

static char *default_path(const struct url *url)
{
	size_t n = strcspn(url->target, "?");

	while (n > 1 && url->target[n - 1] != '/')
		n--;
	return mem_strndup(url->target, n > 1 ? n - 1 : 1);
}

/* 5.2.3; false: the cookie is not for this host, or for too many. */
static bool set_domain(struct cookie *k, const struct url *url, struct span value)
{
	if (value.n && value.p[0] == '.')
		value = span_skip(value, 1);
	if (value.n == 0)
		return true;
	free(k->domain);
	k->domain = mem_strndup(value.p, value.n);
	for (char *p = k->domain; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p | 0x20);
	k->host_only = strcmp(k->domain, url->host) == 0;
	return k->host_only ||
	       (!url->is_ipv6 && strchr(k->domain, '.') && domain_matches(url->host, k->domain));
}

/* 5.2.2: a number that is no number is ignored. */
static void set_max_age(struct cookie *k, struct span value, int64_t now)
{
	mem_auto_str text = mem_strndup(value.p, value.n);
	char *end;
	long long seconds = strtoll(text, &end, 10);

	if (end == text || *end)
		return;
	if (seconds <= 0)
		k->expires = 0;
	else
		k->expires = seconds > NEVER - now ? NEVER : now + seconds;
}

/* 5.1.1, for the one form that servers send today (RFC 9110, 5.6.7). */
static void set_expires(struct cookie *k, struct span value)
{
	mem_auto_str text = mem_strndup(value.p, value.n);
	struct tm tm = { 0 };

	if (strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm) ||
	    strptime(text, "%a, %d-%b-%Y %H:%M:%S GMT", &tm))
		k->expires = (int64_t)timegm(&tm);
}

/* False: the cookie is to be ignored. */
static bool set_attributes(struct cookie *k, const struct url *url, struct span rest, int64_t now)
{
	bool has_max_age = false;

	while (rest.n) {
		struct span value, name = cut(cut(rest, ';', &rest), '=', &value);

		value = trim(value);
		if (is_named(name, "Secure"))
			k->secure = true;
		else if (is_named(name, "Domain") && !set_domain(k, url, value))
			return false;
		else if (is_named(name, "Max-Age"))
			has_max_age = true, set_max_age(k, value, now);
		else if (is_named(name, "Expires") && !has_max_age)
			set_expires(k, value);
		else if (is_named(name, "Path") && value.n && value.p[0] == '/')
			free(k->path), k->path = mem_strndup(value.p, value.n);
	}
	return true;
}

static bool is_same(const struct cookie *a, const struct cookie *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->path, b->path) == 0 &&
	       strcmp(a->domain, b->domain) == 0 && a->host_only == b->host_only;
}

/* 5.3: the newer one comes in the older one's place; one that has expired only removes it. */
static void keep(struct cookies *c, struct cookie *k, int64_t now)
{
	list_each(it, next, &c->list)
		if (is_same(cookie_of(it), k))
			drop(c, cookie_of(it));
	if (k->expires <= now) {
		cookie_free(k);
		return;
	}
	if (c->n == COOKIES_MAX)
		drop(c, cookie_of(c->list.next));
	list_append(&c->list, &k->node);
	c->n++;
}

void cookies_note(struct cookies *c, const struct url *url, struct span field, int64_t now)
{
	struct span rest, value, name;
	struct cookie *k;

	if (field.n > COOKIE_SIZE_MAX)
		return;
	name = cut(cut(field, ';', &rest), '=', &value);
	if (name.n == 0 || !value.p)
		return;
	value = trim(value);
	k = mem_zalloc(sizeof(*k));
	list_init(&k->node);
	k->name = mem_strndup(name.p, name.n);
	k->value = mem_strndup(value.p, value.n);
	k->path = default_path(url);
	k->domain = mem_strdup(url->host);
	k->host_only = true;
	k->expires = NEVER;
	if (set_attributes(k, url, rest, now))
		keep(c, k, now);
	else
		cookie_free(k);
}

static bool is_for(const struct cookie *k, const struct url *url)
{
	bool domain = k->host_only ? strcmp(k->domain, url->host) == 0 :
				     domain_matches(url->host, k->domain);

	return domain && path_matches(url->target, k->path) &&
	       (!k->secure || url->scheme == URL_WSS);
}

static char *join(char *header, const struct cookie *k)
{
	char *longer = header ? mem_printf("%s; %s=%s", header, k->name, k->value) :
				mem_printf("%s=%s", k->name, k->value);

	if (header)
		explicit_bzero(header, strlen(header));
	free(header);
	return longer;
}

/* 5.4: longer paths first, then the older ones. */
char *cookies_header(struct cookies *c, const struct url *url, int64_t now)
{
	char *header = NULL;
	size_t longest = 0, next_longest;

	list_each(it, next, &c->list) {
		struct cookie *k = cookie_of(it);

		if (k->expires <= now)
			drop(c, k);
		else if (is_for(k, url) && strlen(k->path) > longest)
			longest = strlen(k->path);
	}
	for (size_t n = longest; n > 0; n = next_longest) {
		next_longest = 0;
		list_each(it, next, &c->list) {
			struct cookie *k = cookie_of(it);
			size_t length = strlen(k->path);

			if (!is_for(k, url))
				continue;
			if (length == n)
				header = join(header, k);
			else if (length < n && length > next_longest)
				next_longest = length;
		}
	}
	return header;
}
