/* SPDX-License-Identifier: Apache-2.0 */
/* See url_ref.h. */
#include "base/url_ref.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static bool bad(struct error *err, const char *sentence)
{
	return error_set(err, ERR_PROTOCOL, "redirect: %s", sentence);
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

bool url_same_origin(const struct url *a, const struct url *b)
{
	return a->scheme == b->scheme && a->port == b->port && same_text(a->host, b->host) &&
	       same_text(a->unix_path, b->unix_path);
}

/* RFC 3986, 5.2.4, in place; path begins with a slash. What climbs above the root stays there. */
static void remove_dot_segments(char *path)
{
	char *out = path, *in = path;

	while (*in) {
		size_t n = 1 + strcspn(in + 1, "/");
		bool dot = n == 2 && in[1] == '.';
		bool dots = n == 3 && in[1] == '.' && in[2] == '.';

		if (dots)
			while (out > path && *--out != '/')
				;
		if (!dot && !dots) {
			memmove(out, in, n);
			out += n;
		} else if (!in[n]) {
			*out++ = '/'; /* the last segment was a dot: its directory */
		}
		in += n;
	}
	if (out == path)
		*out++ = '/';
	*out = '\0';
}

/* The target of a relative reference: path and query. */
static char *merge(const struct url *base, const char *ref)
{
	size_t path = strcspn(ref, "?"), base_path = strcspn(base->target, "?");
	mem_auto_str query = mem_strdup(ref + path);
	mem_auto_str merged = NULL;

	if (path == 0)
		return mem_printf("%.*s%s", (int)base_path, base->target,
				  *query ? query : base->target + base_path);
	if (ref[0] == '/') {
		merged = mem_strndup(ref, path);
	} else {
		while (base_path > 0 && base->target[base_path - 1] != '/')
			base_path--;
		merged = mem_printf("%.*s%.*s", (int)base_path, base->target, (int)path, ref);
	}
	remove_dot_segments(merged);
	return mem_printf("%s%s", merged, query);
}

static void copy_user(struct url *out, const struct url *from)
{
	out->user = mem_strdup(from->user);
	out->password = mem_strdup(from->password);
}

static bool resolve_absolute(struct url *out, const struct url *base, const char *text,
			     struct error *err)
{
	struct error why = ERROR_INIT;

	if (!url_parse(out, text, &why))
		return bad(err, why.text);
	if (!out->user && url_same_origin(out, base))
		copy_user(out, base);
	return true;
}

static bool resolve_relative(struct url *out, const struct url *base, const char *ref,
			     struct error *err)
{
	struct url made = {
		.scheme = base->scheme,
		.host = mem_strdup(base->host),
		.is_ipv6 = base->is_ipv6,
		.port = base->port,
		.target = merge(base, ref),
		.unix_path = mem_strdup(base->unix_path),
	};

	if (strlen(made.target) > URL_MAX) {
		url_deinit(&made);
		return bad(err, "the URL is longer than 8192 bytes");
	}
	copy_user(&made, base);
	*out = made;
	return true;
}

static bool check_bytes(struct span s, struct error *err)
{
	if (s.n == 0 || s.n > URL_MAX)
		return bad(err, "the Location field is empty or too long");
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7F)
			return bad(err, "the Location field has a character that no URL may have");
	return true;
}

static bool has_scheme(const char *text)
{
	size_t n = strcspn(text, ":/?");

	return n > 0 && text[n] == ':';
}

bool url_resolve(struct url *out, const struct url *base, struct span location, struct error *err)
{
	static const struct {
		const char *from, *to;
	} schemes[] = { { "http:", "ws:" }, { "https:", "wss:" } };
	mem_auto_str text = NULL;
	mem_auto_str absolute = NULL;

	if (!check_bytes(location, err))
		return false;
	text = mem_strndup(location.p, location.n);
	text[strcspn(text, "#")] = '\0'; /* a fragment means nothing to a WebSocket */
	for (size_t i = 0; i < 2 && !absolute; i++)
		if (strncasecmp(text, schemes[i].from, strlen(schemes[i].from)) == 0)
			absolute = mem_printf("%s%s", schemes[i].to,
					      text + strlen(schemes[i].from));
	if (!absolute && strncmp(text, "//", 2) == 0)
		absolute = mem_printf("%s:%s", base->scheme == URL_WSS ? "wss" : "ws", text);
	if (!absolute && has_scheme(text))
		absolute = mem_strdup(text);
	return absolute ? resolve_absolute(out, base, absolute, err) :
			  resolve_relative(out, base, text, err);
}
