/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets as the configuration names them, and the option type of those that
 * stand alone. The trap: who slips writes the secret where a key belongs, so
 * an unknown key is not quoted either.
 */
#include "conf/conf_secret.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/bridge_int.h"

#define NAME_LENGTH_MAX 255 /* of a file in $CREDENTIALS_DIRECTORY (NAME_MAX) */
#define ARGS_MAX 64

static bool fail(struct error *err, const char *sentence)
{
	return error_set(err, ERR_INVALID_OPTION, "%s", sentence);
}

static bool check_env(const char *text, struct error *err)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz_0123456789";
	size_t n = strlen(text);

	if (n == 0 || n > NAME_LENGTH_MAX || strspn(text, allowed) != n ||
	    (*text >= '0' && *text <= '9'))
		return fail(err, "must be the name of a variable: letters, digits and _");
	return true;
}

/* What systemd takes as a credential's name: that of a file, and no colon (systemd.exec(5)). */
static bool check_credential(const char *text, struct error *err)
{
	size_t n = strlen(text);

	if (n == 0 || n > NAME_LENGTH_MAX || strcmp(text, ".") == 0 || strcmp(text, "..") == 0 ||
	    strpbrk(text, "/:"))
		return fail(err, "must be the name of a credential, without \"/\" and \":\"");
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)text[i] < 0x20 || (unsigned char)text[i] >= 0x7F)
			return fail(err, "must be ASCII without control characters");
	return true;
}

static const char *const names[] = { "file", "env", "credential", "command", NULL };

/* In the order of the names. */
static const struct {
	enum secret_kind kind;
	bool (*check)(const char *text, struct error *err);
} sources[] = {
	{ SECRET_FILE, conf_check_path },
	{ SECRET_ENV, check_env },
	{ SECRET_CREDENTIAL, check_credential },
	{ SECRET_COMMAND, NULL },
};

#define N_SOURCES (sizeof(sources) / sizeof(*sources))

static void wipe(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

static void free_argv(char **argv, size_t n)
{
	for (size_t i = 0; i < n; i++)
		wipe(argv[i]);
	free(argv);
}

static char *read_text(const json_t *v, bool (*check)(const char *, struct error *),
		       const char *path, struct schema_report *r)
{
	const char *text = schema_string(v, "a string", path, r);
	struct error err;

	if (!text)
		return NULL;
	if (!check || check(text, &err))
		return mem_strdup(text);
	schema_error(r, path, "%s", err.text);
	return NULL;
}

static char **read_argv(const json_t *v, const char *path, struct schema_report *r)
{
	size_t n = json_array_size(v), before = r->n;
	char **argv;

	if (!json_is_array(v)) {
		schema_error_type(r, path, "a list of a program and its arguments", v);
		return NULL;
	}
	if (n == 0 || n > ARGS_MAX) {
		schema_error(r, path, "must have 1 to %d elements", ARGS_MAX);
		return NULL;
	}
	argv = mem_array(n + 1, sizeof(*argv));
	for (size_t i = 0; i < n; i++) {
		mem_auto_str at = schema_path_index(path, i);

		argv[i] = read_text(json_array_get(v, i), i == 0 ? conf_check_path : NULL, at, r);
	}
	if (r->n == before)
		return argv;
	free_argv(argv, n);
	return NULL;
}

/* Which source the object names, an index; N_SOURCES after an error: it is not exactly one. */
static size_t find_source(const json_t *v, const char *path, struct schema_report *r)
{
	const char *key = json_object_iter_key(json_object_iter(schema_walkable(v)));
	bool one = json_object_size(v) == 1;
	const char *near = one ? schema_nearest(key, names) : NULL;
	mem_auto_str list = schema_list_names(names);

	for (size_t i = 0; one && i < N_SOURCES; i++)
		if (strcmp(key, names[i]) == 0)
			return i;
	if (near)
		schema_error(r, path, "needs exactly one of %s; did you mean \"%s\"?", list, near);
	else
		schema_error(r, path, "needs exactly one of %s", list);
	return N_SOURCES;
}

static bool read_source(struct secret_conf *made, const json_t *v, const char *path,
			struct schema_report *r)
{
	size_t source = find_source(v, path, r);
	const json_t *value;
	mem_auto_str at = NULL;

	if (source == N_SOURCES)
		return false;
	at = schema_path_key(path, names[source]);
	value = json_object_get(v, names[source]);
	made->kind = sources[source].kind;
	if (made->kind == SECRET_COMMAND)
		made->argv = read_argv(value, at, r);
	else
		made->text = read_text(value, sources[source].check, at, r);
	return made->text || made->argv;
}

bool secret_conf_read(struct secret_conf *s, const json_t *v, const struct secret_grammar *grammar,
		      const char *path, struct schema_report *r)
{
	struct secret_conf made = { .kind = SECRET_TEXT };

	if (json_is_string(v))
		made.text = read_text(v, grammar->check, path, r);
	else if (!json_is_object(v))
		return schema_error_type(r, path, grammar->expected, v);
	else if (!read_source(&made, v, path, r))
		return false;
	if (!made.text && !made.argv)
		return false;
	secret_conf_deinit(s);
	*s = made;
	return true;
}

void secret_conf_deinit(struct secret_conf *s)
{
	size_t n = 0;

	while (s->argv && s->argv[n])
		n++;
	free_argv(s->argv, n);
	wipe(s->text);
	*s = (struct secret_conf){ 0 };
}

static bool argv_equal(char *const *a, char *const *b)
{
	while (*a && *b && strcmp(*a, *b) == 0) {
		a++;
		b++;
	}
	return !*a && !*b;
}

bool secret_conf_equal(const struct secret_conf *a, const struct secret_conf *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == SECRET_NONE)
		return true;
	return a->kind == SECRET_COMMAND ? argv_equal(a->argv, b->argv) :
					   strcmp(a->text, b->text) == 0;
}

json_t *secret_conf_json_schema(void)
{
	json_t *text = json_pack("{s:s}", "type", "string");
	json_t *from = json_pack("{s:O, s:O, s:O, s:{s:s, s:O, s:i, s:i}}", "file", text, "env",
				 text, "credential", text, "command", "type", "array", "items",
				 text, "minItems", 1, "maxItems", ARGS_MAX);

	return json_pack("{s:[o, {s:s, s:o, s:b, s:i, s:i}]}", "anyOf", text, "type", "object",
			 "properties", from, "additionalProperties", 0, "minProperties", 1,
			 "maxProperties", 1);
}

static bool secret_set(const struct schema_row *row, void *store, const json_t *v, const char *path,
		       struct schema_report *r)
{
	const struct secret_grammar grammar = { CONF_EXPECT_SECRET, row->check };

	return secret_conf_read(schema_slot(store, row->offset), v, &grammar, path, r);
}

static bool secret_equal(const struct schema_row *row, const void *a, const void *b)
{
	return secret_conf_equal(schema_slot_const(a, row->offset),
				 schema_slot_const(b, row->offset));
}

static void secret_release(const struct schema_row *row, void *store)
{
	secret_conf_deinit(schema_slot(store, row->offset));
}

static json_t *secret_describe(const struct schema_row *row)
{
	(void)row;
	return secret_conf_json_schema();
}

const struct schema_custom conf_secret_type = {
	.set = secret_set,
	.equal = secret_equal,
	.release = secret_release,
	.json_schema = secret_describe,
	.any_key = true,
};
