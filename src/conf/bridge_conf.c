/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON objects → snapshot of one bridge. The table reads the options one by
 * one; here is what needs more than one of them: the merge with the defaults,
 * what is missing, what contradicts. The trap: a check over several options
 * must not speak up about one that already had an error of its own.
 */
#include "conf/bridge_conf.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/bridge_int.h"

bool bridge_name_valid(const char *name)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz0123456789_.@-";
	size_t n = strlen(name);

	return n > 0 && n <= BRIDGE_NAME_MAX && strspn(name, allowed) == n;
}

char *conf_endpoint_path(const json_t *bridge, size_t i)
{
	bool plural = json_object_get(bridge, "endpoints") != NULL;
	const char *key = plural ? "endpoints" : "endpoint";
	const json_t *value = json_object_get(bridge, key), *one = value;
	mem_auto_str path = mem_strdup(key);

	if (json_is_array(value)) {
		one = json_array_get(value, i);
		free(path);
		path = schema_path_index(key, i);
	}
	return json_is_object(one) ? schema_path_key(path, "unix") : mem_strdup(path);
}

static void check_spelling(const json_t *merged, struct schema_report *report)
{
	if (json_object_get(merged, "endpoint") && json_object_get(merged, "endpoints"))
		schema_error_key(report, "endpoints",
				 "is another spelling of \"endpoint\"; give one of them");
}

static void check_endpoint(const struct bridge_conf *c, const json_t *merged, size_t i,
			   struct schema_report *report)
{
	mem_auto_str at = conf_endpoint_path(merged, i);
	mem_auto_str path = NULL;

	if (!c->endpoints[i].unix_path) {
		schema_error_key(report, at, "is missing");
		return;
	}
	path = conf_plain_path(c->endpoints[i].unix_path);
	for (size_t j = 0; j < i; j++) {
		mem_auto_str other = NULL;

		if (!c->endpoints[j].unix_path)
			continue;
		other = conf_plain_path(c->endpoints[j].unix_path);
		if (strcmp(path, other) != 0)
			continue;
		schema_error(report, at, "two endpoints of this bridge are on one path");
		return;
	}
}

static void check_whole(const struct bridge_conf *c, const json_t *merged,
			struct schema_report *report)
{
	check_spelling(merged, report);
	if (!json_object_get(merged, "url"))
		schema_error_key(report, "url", "is missing");
	conf_bridge_check_upstream(c, merged, report);
	for (size_t i = 0; i < c->n_endpoints; i++)
		check_endpoint(c, merged, i, report);
}

static struct bridge_conf *make(const char *name)
{
	struct bridge_conf *c = mem_alloc(sizeof(*c));

	schema_defaults(&bridge_schema, c);
	c->refs = 1;
	memcpy(c->name, name, strlen(name) + 1);
	return c;
}

static enum conf_auth auth_kind(const json_t *merged)
{
	if (conf_given(merged, "auth.bearer"))
		return AUTH_BEARER;
	return conf_given(merged, "auth.basic") ? AUTH_BASIC : AUTH_NONE;
}

bool conf_bridge_check_defaults(const json_t *defaults, struct schema_report *report)
{
	struct bridge_conf *scratch = make("");
	size_t before = report->n;

	schema_set(&bridge_schema, scratch, defaults, NULL, report);
	check_spelling(defaults, report);
	bridge_conf_unref(scratch);
	return report->n == before;
}

struct bridge_conf *bridge_conf_new(const char *name, const json_t *defaults, const json_t *own,
				    struct schema_report *report)
{
	size_t before = report->n;
	struct bridge_conf *c;
	json_t *merged;

	if (!bridge_name_valid(name)) {
		schema_error(report, "name", "must be 1 to %d of A-Z a-z 0-9 _ . @ -",
			     BRIDGE_NAME_MAX);
		return NULL;
	}
	if (!json_is_object(own)) {
		schema_error_type(report, "", "an object", own);
		return NULL;
	}
	merged = conf_bridge_merge(defaults, own);
	c = make(name);
	schema_set(&bridge_schema, c, merged, NULL, report);
	c->auth.kind = auth_kind(merged);
	check_whole(c, merged, report);
	json_decref(merged);
	if (report->n != before) {
		bridge_conf_unref(c);
		return NULL;
	}
	return c;
}

struct bridge_conf *bridge_conf_ref(struct bridge_conf *c)
{
	assert(c->refs > 0);
	c->refs++;
	return c;
}

void bridge_conf_unref(struct bridge_conf *c)
{
	if (!c)
		return;
	assert(c->refs > 0);
	if (--c->refs > 0)
		return;
	schema_release(&bridge_schema, c);
	free(c);
}
