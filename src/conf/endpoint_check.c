/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What contradicts what among the options of an endpoint, and between it and
 * its bridge: options that mean nothing for its kind or framing, and places
 * that something else has. It goes by what was given, so it looks at the JSON.
 * The trap: an option that only the defaults give and that does not fit is no
 * error; conf_endpoint_prune has taken it out before.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/bridge_int.h"

/* An endpoint as far as the rules ask for it. */
struct shape {
	enum { AT_PATH, ABSTRACT, INHERITED, FIFO } kind;
	const char *framing, *type, *overflow;
	bool is_private;
};

static const char *given_or(const json_t *endpoint, const char *key, const char *otherwise)
{
	const char *text = json_string_value(json_object_get(endpoint, key));

	return text ? text : otherwise;
}

static struct shape shape_of(const json_t *bridge, const json_t *endpoint)
{
	const char *place = given_or(endpoint, "unix", "/");
	struct shape s = {
		.kind = *place == '@' ? ABSTRACT :
			*place == '/' ? AT_PATH :
					INHERITED,
		.framing = given_or(endpoint, "framing", "lines"),
		.type = given_or(endpoint, "type", "stream"),
		.overflow = given_or(endpoint, "overflow", "drop-oldest"),
		.is_private = strcmp(given_or(bridge, "sharing", "shared"), "private") == 0,
	};

	if (json_object_get(endpoint, "fifo"))
		s.kind = FIFO;
	return s;
}

static bool is_socket(const struct shape *s, const json_t *v)
{
	(void)v;
	return s->kind != FIFO;
}

static bool is_made(const struct shape *s, const json_t *v)
{
	(void)v;
	return s->kind == AT_PATH || s->kind == FIFO;
}

static bool is_lines(const struct shape *s, const json_t *v)
{
	(void)v;
	return strcmp(s->framing, "lines") == 0;
}

static bool is_json(const struct shape *s, const json_t *v)
{
	(void)v;
	return strcmp(s->framing, "json") == 0;
}

static bool is_lines_or_raw(const struct shape *s, const json_t *v)
{
	return is_lines(s, v) || strcmp(s->framing, "raw") == 0;
}

static bool is_plain_if_raw(const struct shape *s, const json_t *v)
{
	return strcmp(s->framing, "raw") != 0 || !json_is_string(v) ||
	       strcmp(json_string_value(v), "base64") != 0;
}

static bool is_no_packet(const struct shape *s, const json_t *v)
{
	(void)v;
	return s->kind == FIFO || strcmp(s->type, "seqpacket") != 0;
}

static bool is_blocking(const struct shape *s, const json_t *v)
{
	(void)v;
	return strcmp(s->overflow, "block") == 0;
}

static bool is_shared_if_replay(const struct shape *s, const json_t *v)
{
	return !s->is_private || json_integer_value(v) == 0;
}

/* An option, where it fits, and what is said where it does not. */
static const struct rule {
	const char *option;
	bool (*fits)(const struct shape *s, const json_t *v);
	const char *sentence;
} rules[] = {
	{ "type", is_socket, "only for a socket" },
	{ "allow_users", is_socket, "only for a socket: nobody can say who opens a FIFO" },
	{ "allow_groups", is_socket, "only for a socket: nobody can say who opens a FIFO" },
	{ "max_clients", is_socket, "only for a socket: nobody can say how many open a FIFO" },
	{ "access", is_socket, "only for a socket; of a FIFO, \"out\" and \"in\" say it" },
	{ "mode", is_made, "only for a socket or FIFO at a path" },
	{ "owner", is_made, "only for a socket or FIFO at a path" },
	{ "group", is_made, "only for a socket or FIFO at a path" },
	{ "delimiter", is_lines, "only for framing \"lines\"" },
	{ "newlines", is_lines, "only for framing \"lines\"" },
	{ "binary", is_lines, "only for framing \"lines\"" },
	{ "send_as", is_lines_or_raw, "only for framing \"lines\" or \"raw\"" },
	{ "data", is_json, "only for framing \"json\"" },
	{ "events", is_json, "only for framing \"json\"" },
	{ "delimiter", is_no_packet, "not for type \"seqpacket\": each packet is a message" },
	{ "newlines", is_no_packet, "not for type \"seqpacket\": each packet is a message" },
	{ "send_as", is_plain_if_raw, "\"base64\" is only for framing \"lines\"" },
	{ "block_timeout", is_blocking, "only for overflow \"block\"" },
	{ "replay", is_shared_if_replay,
	  "nothing can be replayed with sharing \"private\": each client has its own connection" },
};

/* The first rule that an option breaks, NULL = none. */
static const struct rule *broken_rule(const struct shape *s, const char *option, const json_t *v)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++)
		if (strcmp(rules[i].option, option) == 0 && !rules[i].fits(s, v))
			return &rules[i];
	return NULL;
}

void conf_endpoint_prune(json_t *merged, const json_t *own)
{
	json_t *endpoint = json_object_get(merged, "endpoint"), *v;
	const json_t *given = json_object_get(own, "endpoint");
	struct shape s = shape_of(merged, endpoint);
	const char *option;
	void *next;

	if (!json_is_object(endpoint) || !json_is_object(given))
		return;
	json_object_foreach_safe(endpoint, next, option, v) {
		if (!json_object_get(given, option) && broken_rule(&s, option, v))
			json_object_del(endpoint, option);
	}
}

static void check_options(const json_t *bridge, const json_t *endpoint, const char *path,
			  struct schema_report *report)
{
	struct shape s = shape_of(bridge, endpoint);
	const char *option;
	json_t *v;

	json_object_foreach(schema_walkable(endpoint), option, v) {
		const struct rule *rule = broken_rule(&s, option, v);
		mem_auto_str at = schema_path_key(path, option);

		if (rule)
			schema_error_key(report, at, "%s", rule->sentence);
	}
	if (strcmp(s.framing, "length") == 0 && !is_no_packet(&s, NULL)) {
		mem_auto_str at = schema_path_key(path, "framing");

		schema_error(report, at,
			     "\"length\" is not for type \"seqpacket\": a packet has a length");
	}
}

static void check_kind(const struct endpoint_conf *e, const json_t *endpoint, const char *path,
		       struct schema_report *report)
{
	mem_auto_str fifo = schema_path_key(path, "fifo");
	bool has_fifo = json_object_get(endpoint, "fifo") != NULL;

	if (e->unix_path && has_fifo)
		schema_error_key(report, fifo, "contradicts \"unix\" beside it; give one of them");
	else if (has_fifo && !e->fifo_out && !e->fifo_in)
		schema_error_key(report, fifo, "needs \"out\" or \"in\"");
	else if (!e->unix_path && !has_fifo)
		schema_error_key(report, path, "needs \"unix\" or \"fifo\"");
}

void conf_endpoint_places(const struct endpoint_conf *e, struct conf_place places[CONF_PLACES])
{
	places[0] = (struct conf_place){ "unix", e->unix_path };
	places[1] = (struct conf_place){ "fifo.out", e->fifo_out };
	places[2] = (struct conf_place){ "fifo.in", e->fifo_in };
}

/* A place among those of the first n endpoints. */
static bool is_taken(const struct bridge_conf *c, size_t n, const char *place)
{
	struct conf_place others[CONF_PLACES];

	for (size_t i = 0; i < n; i++) {
		conf_endpoint_places(&c->endpoints[i], others);
		for (size_t j = 0; j < CONF_PLACES; j++) {
			mem_auto_str other = others[j].path ? conf_plain_place(others[j].path) :
							      mem_strdup("");

			if (strcmp(place, other) == 0)
				return true;
		}
	}
	return false;
}

static void check_places(const struct bridge_conf *c, const json_t *merged, size_t i,
			 struct schema_report *report)
{
	struct conf_place places[CONF_PLACES];

	conf_endpoint_places(&c->endpoints[i], places);
	for (size_t j = 0; j < CONF_PLACES; j++) {
		mem_auto_str at = conf_endpoint_option(merged, i, places[j].key);
		mem_auto_str place = NULL;

		if (!places[j].path)
			continue;
		place = conf_plain_place(places[j].path);
		if (is_taken(c, i, place))
			schema_error(report, at, "two endpoints of this bridge are on one path");
	}
}

static void check_fifo(const struct bridge_conf *c, const struct endpoint_conf *e, const char *path,
		       struct schema_report *report)
{
	mem_auto_str fifo = schema_path_key(path, "fifo");
	mem_auto_str in = schema_path_key(fifo, "in");
	mem_auto_str from = NULL;
	mem_auto_str to = NULL;

	if (!e->fifo_out && !e->fifo_in)
		return;
	if (c->common->sharing == SHARING_PRIVATE)
		schema_error_key(
			report, fifo,
			"not with sharing \"private\": a FIFO cannot tell its clients apart");
	if (!e->fifo_out || !e->fifo_in)
		return;
	from = conf_plain_place(e->fifo_in);
	to = conf_plain_place(e->fifo_out);
	if (strcmp(from, to) == 0)
		schema_error(report, in, "must not be the FIFO of \"out\"");
}

void conf_bridge_check_endpoints(const struct bridge_conf *c, const json_t *merged,
				 struct schema_report *report)
{
	for (size_t i = 0; i < c->n_endpoints; i++) {
		mem_auto_str path = conf_endpoint_path(merged, i);
		const json_t *endpoint = conf_endpoint_at(merged, i);

		check_kind(&c->endpoints[i], endpoint, path, report);
		check_options(merged, endpoint, path, report);
		check_fifo(c, &c->endpoints[i], path, report);
		check_places(c, merged, i, report);
	}
}
