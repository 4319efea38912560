/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The option type of `url`. The grammar is base/url's; here is what this
 * version can dial. The trap: a URL may carry a password, so errors never
 * quote it.
 */
#include <string.h>

#include "base/mem.h"
#include "conf/bridge_int.h"

static bool scheme_ok(const struct url *u, const char *path, struct schema_report *r)
{
	switch (u->scheme) {
	case URL_WS:
		return true;
	case URL_WSS:
		return schema_error(r, path, "wss:// needs TLS, which this version does not have");
	case URL_WS_UNIX:
		return schema_error(r, path, "ws+unix:// is not supported by this version");
	}
	return false;
}

static bool url_set(const struct schema_row *row, void *store, const json_t *v, const char *path,
		    struct schema_report *r)
{
	struct url *slot = schema_slot(store, row->offset), parsed;
	const char *text;
	struct error err;

	if (json_is_array(v))
		return schema_error(r, path,
				    "a list of URLs is not supported by this version; "
				    "give one as a string");
	text = schema_string(v, "a URL such as \"ws://example.net/feed\"", path, r);
	if (!text)
		return false;
	if (!url_parse(&parsed, text, &err))
		return schema_error(r, path, "%s", err.text);
	if (!scheme_ok(&parsed, path, r)) {
		url_deinit(&parsed);
		return false;
	}
	url_deinit(slot);
	*slot = parsed;
	return true;
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool url_equal(const struct schema_row *row, const void *a, const void *b)
{
	const struct url *x = schema_slot_const(a, row->offset);
	const struct url *y = schema_slot_const(b, row->offset);

	return x->scheme == y->scheme && x->port == y->port && same(x->host, y->host) &&
	       same(x->target, y->target) && same(x->user, y->user) &&
	       same(x->password, y->password) && same(x->unix_path, y->unix_path);
}

static void url_release(const struct schema_row *row, void *store)
{
	url_deinit(schema_slot(store, row->offset));
}

static json_t *url_json_schema(const struct schema_row *row)
{
	(void)row;
	return json_pack("{s:s,s:s}", "type", "string", "pattern", "^[Ww][Ss]://");
}

const struct schema_custom conf_url_type = {
	.set = url_set,
	.equal = url_equal,
	.release = url_release,
	.json_schema = url_json_schema,
};
