/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Matches: read by a table of their own, and applied to messages. The trap: a
 * message is any bytes, with NUL among them and none behind them.
 */
#include "conf/conf_match.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/bridge_int.h"
#include "conf/conf_regex_int.h"

#define TEXT_MAX 4096

#define EXPECT_MATCH "an object with \"pointer\", \"contains\" or \"regex\""

/* As it is written. */
struct given {
	char *pointer, *contains, *regex;
	json_t *equals;
};

#define AT(member) .offset = offsetof(struct given, member)

static bool check_piece(const char *text, struct error *err)
{
	size_t n = strlen(text);

	if (n == 0)
		return error_set(err, ERR_INVALID_OPTION, "must not be empty");
	if (n > TEXT_MAX)
		return error_set(err, ERR_INVALID_OPTION, "has %zu bytes, more than %d", n,
				 TEXT_MAX);
	return true;
}

static bool equals_set(const struct schema_row *row, void *store, const json_t *v, const char *path,
		       struct schema_report *r)
{
	struct given *g = store;

	(void)row;
	(void)path;
	(void)r;
	json_decref(g->equals);
	g->equals = json_deep_copy(v);
	return true;
}

static bool json_same(const json_t *a, const json_t *b)
{
	return a == b || (a && b && json_equal(a, b));
}

static bool equals_equal(const struct schema_row *row, const void *a, const void *b)
{
	const struct given *x = a, *y = b;

	(void)row;
	return json_same(x->equals, y->equals);
}

static void equals_release(const struct schema_row *row, void *store)
{
	struct given *g = store;

	(void)row;
	json_decref(g->equals);
	g->equals = NULL;
}

static json_t *equals_json_schema(const struct schema_row *row)
{
	(void)row;
	return json_object();
}

static const struct schema_custom equals_type = {
	.set = equals_set,
	.equal = equals_equal,
	.release = equals_release,
	.json_schema = equals_json_schema,
};

static const struct schema_row rows[] = {
	{ .name = "pointer",
	  .type = OPT_STRING,
	  AT(pointer),
	  .check = conf_check_pointer,
	  .help = "A JSON Pointer (RFC 6901) that leads to a value." },
	{ .name = "equals",
	  .type = OPT_CUSTOM,
	  AT(equals),
	  .custom = &equals_type,
	  .help = "The value it must lead to." },
	{ .name = "contains",
	  .type = OPT_STRING,
	  AT(contains),
	  .check = check_piece,
	  .help = "A piece of the message." },
	{ .name = "regex",
	  .type = OPT_STRING,
	  AT(regex),
	  .check = conf_regex_check,
	  .help = "A POSIX extended regular expression." },
};

static const struct schema match_schema = {
	.what = "match",
	.rows = rows,
	.n_rows = sizeof(rows) / sizeof(*rows),
	.size = sizeof(struct given),
};

static bool check_given(const struct given *g, const char *path, struct schema_report *r)
{
	mem_auto_str equals = schema_path_key(path, "equals");

	if ((g->pointer != NULL) + (g->contains != NULL) + (g->regex != NULL) != 1)
		return schema_error(r, path,
				    "needs exactly one of \"pointer\", \"contains\" and \"regex\"");
	if (g->equals && !g->pointer)
		return schema_error_key(r, equals, "goes with \"pointer\" only");
	return true;
}

static char *take(char **text)
{
	char *taken = *text;

	*text = NULL;
	return taken;
}

static struct conf_match made_of(struct given *g)
{
	struct conf_match m = { .kind = MATCH_POINTER };

	if (g->pointer) {
		m.text = take(&g->pointer);
		m.equals = g->equals;
		g->equals = NULL;
	} else if (g->contains) {
		m.kind = MATCH_CONTAINS;
		m.text = take(&g->contains);
	} else {
		m.kind = MATCH_REGEX;
		m.text = take(&g->regex);
		m.regex = conf_regex_new(m.text);
	}
	return m;
}

bool conf_match_read(struct conf_match *m, const json_t *v, const char *path,
		     struct schema_report *r)
{
	struct given g;
	struct schema_under under;
	bool ok;

	if (!json_is_object(v))
		return schema_error_type(r, path, EXPECT_MATCH, v);
	schema_defaults(&match_schema, &g);
	schema_under_init(&under, r, path);
	ok = schema_set(&match_schema, &g, v, NULL, &under.report) && check_given(&g, path, r);
	if (ok) {
		conf_match_deinit(m);
		*m = made_of(&g);
	}
	schema_release(&match_schema, &g);
	return ok;
}

static bool points_at(const struct conf_match *m, struct span payload)
{
	struct span value;

	return conf_pointer_find(payload, m->text, &value) &&
	       (!m->equals || conf_json_same(value, m->equals));
}

bool conf_match_is(const struct conf_match *m, struct span payload)
{
	switch (m->kind) {
	case MATCH_NONE:
		return false;
	case MATCH_POINTER:
		return points_at(m, payload);
	case MATCH_CONTAINS:
		return payload.n > 0 &&
		       memmem(payload.p, payload.n, m->text, strlen(m->text)) != NULL;
	case MATCH_REGEX:
		return conf_regex_is(m->regex, payload);
	}
	return false;
}

bool conf_match_equal(const struct conf_match *a, const struct conf_match *b)
{
	return a->kind == b->kind && schema_text_equal(a->text, b->text) &&
	       json_same(a->equals, b->equals);
}

void conf_match_deinit(struct conf_match *m)
{
	free(m->text);
	json_decref(m->equals);
	conf_regex_free(m->regex);
	*m = (struct conf_match){ 0 };
}

json_t *conf_match_json_schema(void)
{
	json_t *schema = schema_json_schema(&match_schema);

	json_object_set_new(schema, "anyOf",
			    json_pack("[{s:[s]},{s:[s]},{s:[s]}]", "required", "pointer",
				      "required", "contains", "required", "regex"));
	return schema;
}

static bool match_set(const struct schema_row *row, void *store, const json_t *v, const char *path,
		      struct schema_report *r)
{
	return conf_match_read(schema_slot(store, row->offset), v, path, r);
}

static bool match_equal(const struct schema_row *row, const void *a, const void *b)
{
	return conf_match_equal(schema_slot_const(a, row->offset),
				schema_slot_const(b, row->offset));
}

static void match_release(const struct schema_row *row, void *store)
{
	conf_match_deinit(schema_slot(store, row->offset));
}

static json_t *match_json_schema(const struct schema_row *row)
{
	(void)row;
	return conf_match_json_schema();
}

const struct schema_custom conf_match_type = {
	.set = match_set,
	.equal = match_equal,
	.release = match_release,
	.json_schema = match_json_schema,
};
