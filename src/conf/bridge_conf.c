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

static const char *endpoint_key(const json_t *bridge)
{
	return json_object_get(bridge, "endpoints") ? "endpoints" : "endpoint";
}

const json_t *conf_endpoint_at(const json_t *bridge, size_t i)
{
	const json_t *value = json_object_get(bridge, endpoint_key(bridge));

	return json_is_array(value) ? json_array_get(value, i) : value;
}

char *conf_endpoint_path(const json_t *bridge, size_t i)
{
	const char *key = endpoint_key(bridge);

	if (json_is_array(json_object_get(bridge, key)))
		return schema_path_index(key, i);
	return mem_strdup(key);
}

char *conf_endpoint_option(const json_t *bridge, size_t i, const char *key)
{
	mem_auto_str path = conf_endpoint_path(bridge, i);

	if (!json_is_object(conf_endpoint_at(bridge, i)))
		return mem_strdup(path);
	return mem_printf("%s.%s", path, key);
}

static void check_spelling(const json_t *merged, struct schema_report *report)
{
	if (json_object_get(merged, "endpoint") && json_object_get(merged, "endpoints"))
		schema_error_key(report, "endpoints",
				 "is another spelling of \"endpoint\"; give one of them");
}

/* A group that is given must have what it is about. */
static void check_policies(const struct bridge_conf *c, const json_t *merged,
			   struct schema_report *report)
{
	const json_t *heartbeat = json_object_get(merged, "heartbeat");
	const json_t *rate = json_object_get(merged, "rate");

	if (json_is_object(heartbeat) && !json_object_get(heartbeat, "interval"))
		schema_error_key(report, "heartbeat.interval", "is missing");
	if (c->common->heartbeat.interval > 0 && !json_object_get(heartbeat, "message"))
		schema_error_key(report, "heartbeat.message", "is missing");
	if (json_object_get(heartbeat, "timeout") && !json_object_get(heartbeat, "expect"))
		schema_error_key(report, "heartbeat.timeout", "goes with \"expect\" only");
	if (json_is_object(rate) && !json_object_get(rate, "messages"))
		schema_error_key(report, "rate.messages", "is missing");
}

static void check_whole(const struct bridge_conf *c, const json_t *merged,
			struct schema_report *report)
{
	check_spelling(merged, report);
	if (!json_object_get(merged, "url"))
		schema_error_key(report, "url", "is missing");
	conf_bridge_check_upstream(c, merged, report);
	check_policies(c, merged, report);
	conf_bridge_check_endpoints(c, merged, report);
}

static enum conf_auth auth_kind(const json_t *merged)
{
	if (conf_given(merged, "auth.bearer"))
		return AUTH_BEARER;
	return conf_given(merged, "auth.basic") ? AUTH_BASIC : AUTH_NONE;
}

/* What the given options imply for those that are not. */
static void resolve(struct bridge_conf *c, const json_t *merged)
{
	struct handshake_conf *handshake = schema_part_at(c,
							  offsetof(struct bridge_conf, handshake));
	struct common_conf *common = schema_part_at(c, offsetof(struct bridge_conf, common));

	handshake->auth.kind = auth_kind(merged);
	common->heartbeat.has_expect = common->heartbeat.expect.kind != MATCH_NONE;
	if (common->rate.burst == 0)
		common->rate.burst = common->rate.messages;
}

static struct bridge_conf *make(const char *name)
{
	size_t n = strlen(name) + 1;
	struct bridge_conf *c = mem_alloc(sizeof(*c) + n);

	schema_defaults(&bridge_schema, c);
	c->refs = 1;
	c->name = memcpy(c + 1, name, n);
	return c;
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
	resolve(c, merged);
	check_whole(c, merged, report);
	json_decref(merged);
	if (report->n != before) {
		bridge_conf_unref(c);
		return NULL;
	}
	return c;
}

void bridge_conf_share(struct bridge_conf *c, struct schema_pool *pool)
{
	assert(c->refs == 1);
	schema_share(&bridge_schema, c, pool);
	for (size_t i = 0; i < c->n_endpoints; i++)
		schema_share(&endpoint_schema, &c->endpoints[i], pool);
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
