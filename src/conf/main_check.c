/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets of different owners on one path: every control socket and every
 * endpoint is compared with all others by sorting. Links in the file system
 * are not followed, the listener finds those. The trap: two endpoints of one
 * bridge are bridge_conf's business.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/bridge_int.h"
#include "conf/main_int.h"

/* One socket. Control sockets have no bridge and no key, that for metrics has no bridge. */
struct place {
	char *path;
	const char *key; /* of the option */
	const struct bridge_conf *bridge;
	size_t index; /* of the endpoint or control socket */
	size_t order; /* in the file */
};

static int by_path(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	int diff = strcmp(x->path, y->path);

	return diff ? diff : (x->order > y->order) - (x->order < y->order);
}

static void add(struct place *places, size_t *n, struct place place, const char *path)
{
	place.path = path ? conf_plain_place(path) : mem_strdup("");
	place.order = *n;
	places[(*n)++] = place;
}

static void add_bridge(struct place *places, size_t *n, const struct bridge_conf *bridge)
{
	struct conf_place of[CONF_PLACES];

	for (size_t i = 0; i < bridge->n_endpoints; i++) {
		conf_endpoint_places(&bridge->endpoints[i], of);
		for (size_t j = 0; j < CONF_PLACES; j++)
			if (of[j].path)
				add(places, n,
				    (struct place){
					    .bridge = bridge, .index = i, .key = of[j].key },
				    of[j].path);
	}
}

static struct place *collect(const struct main_conf *c, size_t *n)
{
	size_t total = c->n_controls + 1;
	struct place *places;

	for (size_t i = 0; i < c->n_bridges; i++)
		total += c->bridges[i]->n_endpoints * CONF_PLACES;
	places = mem_array(total, sizeof(*places));
	*n = 0;
	for (size_t i = 0; i < c->n_controls; i++)
		add(places, n, (struct place){ .index = i }, c->controls[i].unix_path);
	if (c->metrics.unix_path)
		add(places, n, (struct place){ .key = "metrics.unix" }, c->metrics.unix_path);
	for (size_t i = 0; i < c->n_bridges; i++)
		add_bridge(places, n, c->bridges[i]);
	return places;
}

static void report_control(const struct place *at, const json_t *root, struct schema_report *report)
{
	mem_auto_str element = schema_path_index("control", at->index);
	bool listed = json_is_array(json_object_get(root, "control"));

	if (at->key)
		schema_error(report, at->key, "a control socket is on this path");
	else
		schema_error(report, listed ? element : "control",
			     *at->path ? "another control socket is on this path" :
					 "another control socket is on the default path; give "
					 "\"unix\"");
}

static void report_bridge(const struct place *at, const struct place *other, const json_t *root,
			  struct schema_report *report)
{
	const char *name = at->bridge->name;
	const json_t *own = json_object_get(json_object_get(root, "bridges"), name);
	json_t *merged = conf_bridge_merge(json_object_get(root, "defaults"), own);
	mem_auto_str bridge = schema_path_key("bridges", name);
	mem_auto_str path = conf_endpoint_option(merged, at->index, at->key);
	mem_auto_str whole = mem_printf("%s.%s", bridge, path);

	json_decref(merged);
	if (other->bridge)
		schema_error(report, whole, "bridge \"%s\" is on the same path as bridge \"%s\"",
			     name, other->bridge->name);
	else
		schema_error(report, whole, "bridge \"%s\" is on the same path as the %s", name,
			     other->key ? "socket for metrics" : "control socket");
}

void main_conf_check_metrics(const struct main_conf *c, const json_t *root,
			     struct schema_report *report)
{
	static const char *const of_files[] = { "mode", "owner", "group" };
	const json_t *given = json_object_get(root, "metrics");
	bool is_file = c->metrics.unix_path && c->metrics.unix_path[0] == '/';

	if (json_object_get(given, "unix") && json_object_get(given, "listen"))
		schema_error_key(report, "metrics.listen",
				 "contradicts \"unix\" beside it; give one of them");
	for (size_t i = 0; i < sizeof(of_files) / sizeof(*of_files); i++) {
		mem_auto_str path = schema_path_key("metrics", of_files[i]);

		if (json_object_get(given, of_files[i]) && !is_file)
			schema_error_key(report, path, "only for a socket at a path");
	}
}

void main_conf_check_paths(const struct main_conf *c, const json_t *root,
			   struct schema_report *report)
{
	size_t n;
	struct place *places = collect(c, &n);

	if (n > 0)
		qsort(places, n, sizeof(*places), by_path);
	for (size_t i = 1, first = 0; i < n; i++) {
		if (strcmp(places[i].path, places[first].path) != 0)
			first = i;
		else if (!places[i].bridge)
			report_control(&places[i], root, report);
		else if (places[i].bridge != places[first].bridge)
			report_bridge(&places[i], &places[first], root, report);
	}
	for (size_t i = 0; i < n; i++)
		free(places[i].path);
	free(places);
}
