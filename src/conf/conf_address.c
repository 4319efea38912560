/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HOST:PORT as `connect_to` and the URL of a proxy have it, and the option
 * type of `connect_to`. The grammar is that of base/url. The trap: url_parse
 * knows only the ports of ws:// and wss://, so whether there was one is looked
 * for here.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/bridge_int.h"

#define UPSTREAM_PATH_MAX 107 /* of a socket to connect to: sun_path without its NUL */

#define EXPECT_PLACE "\"HOST:PORT\", \"[IPV6]:PORT\" or \"unix:/PATH\""

/* RFC 3986, 3.2.3: an empty port is the default. */
static bool names_port(const char *text, size_t n)
{
	const char *at = memrchr(text, '@', n), *end = text + n, *bracket, *colon;

	if (at)
		text = at + 1;
	bracket = memrchr(text, ']', (size_t)(end - text));
	if (bracket)
		text = bracket;
	colon = memchr(text, ':', (size_t)(end - text));
	return colon && colon + 1 < end;
}

bool conf_parse_authority(struct url *u, const char *text, size_t n, struct error *err)
{
	static const char scheme[] = "ws://";
	char *whole = mem_alloc(sizeof(scheme) + n);
	bool ok;

	memcpy(whole, scheme, sizeof(scheme) - 1);
	memcpy(whole + sizeof(scheme) - 1, text, n);
	whole[sizeof(scheme) - 1 + n] = '\0';
	ok = url_parse(u, whole, err);
	explicit_bzero(whole, sizeof(scheme) + n);
	free(whole);
	if (ok && !names_port(text, n))
		u->port = 0;
	return ok;
}

static bool fail(struct error *err, const char *sentence)
{
	return error_set(err, ERR_INVALID_OPTION, "%s", sentence);
}

static bool parse_unix(struct connect_conf *c, const char *path, struct error *err)
{
	size_t n = strlen(path);

	if (!conf_check_path(path, err))
		return false;
	if (n > UPSTREAM_PATH_MAX)
		return error_set(err, ERR_INVALID_OPTION,
				 "the path has %zu bytes, a socket's may have at most %d", n,
				 UPSTREAM_PATH_MAX);
	if (path[n - 1] == '/')
		return fail(err, "must name a socket, not a folder");
	c->unix_path = mem_strdup(path);
	return true;
}

static bool is_plain(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text >= 0x7F || strchr("@/?#", *text))
			return false;
	return true;
}

static bool parse_place(struct connect_conf *c, const char *text, struct error *err)
{
	struct url u = { 0 };

	if (strncmp(text, "unix:", 5) == 0)
		return parse_unix(c, text + 5, err);
	if (!is_plain(text))
		return fail(err, "must be " EXPECT_PLACE);
	if (*text != '[' && strchr(text, ':') != strrchr(text, ':'))
		return fail(err, "an IPv6 address must stand in brackets");
	if (!conf_parse_authority(&u, text, strlen(text), err))
		return false;
	if (u.port == 0) {
		url_deinit(&u);
		return fail(err, "the port is missing");
	}
	c->host = u.host;
	c->port = u.port;
	u.host = NULL;
	url_deinit(&u);
	return true;
}

static void connect_release(const struct schema_row *row, void *store)
{
	struct connect_conf *c = schema_slot(store, row->offset);

	free(c->host);
	free(c->unix_path);
	*c = (struct connect_conf){ 0 };
}

static bool connect_set(const struct schema_row *row, void *store, const json_t *v,
			const char *path, struct schema_report *r)
{
	const char *text = schema_string(v, EXPECT_PLACE, path, r);
	struct connect_conf made = { 0 };
	struct error err;

	if (!text)
		return false;
	if (!parse_place(&made, text, &err))
		return schema_error(r, path, "%s", err.text);
	connect_release(row, store);
	*(struct connect_conf *)schema_slot(store, row->offset) = made;
	return true;
}

static bool connect_equal(const struct schema_row *row, const void *a, const void *b)
{
	const struct connect_conf *x = schema_slot_const(a, row->offset);
	const struct connect_conf *y = schema_slot_const(b, row->offset);

	return x->port == y->port && schema_text_equal(x->host, y->host) &&
	       schema_text_equal(x->unix_path, y->unix_path);
}

static json_t *connect_json_schema(const struct schema_row *row)
{
	(void)row;
	return json_pack("{s:s, s:s}", "type", "string", "pattern",
			 "^(unix:/.+|(\\[[^]]+\\]|[^]:[]+):[0-9]+)$");
}

const struct schema_custom conf_connect_type = {
	.set = connect_set,
	.equal = connect_equal,
	.release = connect_release,
	.json_schema = connect_json_schema,
	.only_string = true,
};
