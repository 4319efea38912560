/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One step of on_open: something to send, a message to wait for, or a time to
 * wait. A step is read by a table of its own, so that its keys are reported
 * like those of the configuration. The trap: the rows of the message share one
 * slot; that only one of them is given is seen here afterwards.
 */
#include "base/mem.h"
#include "conf/conf_step_int.h"
#include "conf/conf_template.h"

#define DAY 86400.0

#define EXPECT_STEP \
	"a string or an object with \"text\", \"json\", \"binary\", \"expect\" or \"wait\""

#define AT(member) .offset = offsetof(struct conf_step, member)

/* A string, or a secret: then the message is "${text}" with that secret. */
static bool text_set(const struct schema_row *row, void *store, const json_t *v, const char *path,
		     struct schema_report *r)
{
	json_t *itself;
	bool ok;

	if (!json_is_object(v))
		return conf_text_type.set(row, store, v, path, r);
	conf_step_secrets_type.release(row, store);
	if (!conf_step_add_secret(store, "text", v, path, r))
		return false;
	itself = json_string("${text}");
	ok = conf_text_type.set(row, store, itself, path, r);
	json_decref(itself);
	return ok;
}

static bool text_equal(const struct schema_row *row, const void *a, const void *b)
{
	const struct conf_step *x = a, *y = b;

	return x->kind == y->kind && x->is_json == y->is_json && conf_text_type.equal(row, a, b);
}

static void text_release(const struct schema_row *row, void *store)
{
	conf_text_type.release(row, store);
}

static json_t *text_json_schema(const struct schema_row *row)
{
	(void)row;
	return secret_conf_json_schema();
}

static const struct schema_custom text_type = {
	.set = text_set,
	.equal = text_equal,
	.release = text_release,
	.json_schema = text_json_schema,
};

static const struct schema_row rows[] = {
	{ .name = "text",
	  .type = OPT_CUSTOM,
	  AT(message),
	  .custom = &text_type,
	  .help = "Sent as a text message; a string or another secret." },
	{ .name = "json",
	  .type = OPT_CUSTOM,
	  AT(message),
	  .custom = &conf_json_type,
	  .help = "Any value, sent as compact JSON in a text message." },
	{ .name = "binary",
	  .type = OPT_CUSTOM,
	  AT(message),
	  .custom = &conf_binary_type,
	  .help = "Base64 with padding, sent as a binary message." },
	{ .name = "secrets",
	  .type = OPT_CUSTOM,
	  AT(secrets),
	  .custom = &conf_step_secrets_type,
	  .help = "Secrets that ${NAME} in the message stands for." },
	{ .name = "expect",
	  .type = OPT_CUSTOM,
	  AT(match),
	  .custom = &conf_match_type,
	  .help = "The message to wait for." },
	{ .name = "timeout",
	  .type = OPT_DURATION,
	  AT(timeout),
	  .value = "10s",
	  .min = 0.001,
	  .max = DAY,
	  .help = "How long to wait for it." },
	{ .name = "capture",
	  .type = OPT_CUSTOM,
	  AT(captures),
	  .custom = &conf_step_captures_type,
	  .help = "Names for values of the message, by JSON Pointer." },
	{ .name = "deliver",
	  .type = OPT_BOOL,
	  AT(deliver),
	  .value = "false",
	  .help = "Local clients get the message, too." },
	{ .name = "wait",
	  .type = OPT_DURATION,
	  AT(wait),
	  .min = 0.001,
	  .max = DAY,
	  .help = "Wait so long." },
};

const struct schema conf_step_schema = {
	.what = "step",
	.rows = rows,
	.n_rows = sizeof(rows) / sizeof(*rows),
	.size = sizeof(struct conf_step),
};

/* What a step may be, and what each key belongs to. */
static const char *const kinds[] = { "text", "json", "binary", "expect", "wait" };
static const struct {
	const char *key, *beside[2], *sentence;
} parts[] = {
	{ "secrets", { "text", "json" }, "goes with \"text\" or \"json\" only" },
	{ "timeout", { "expect", "expect" }, "goes with \"expect\" only" },
	{ "capture", { "expect", "expect" }, "goes with \"expect\" only" },
	{ "deliver", { "expect", "expect" }, "goes with \"expect\" only" },
};

static bool check_kind(const json_t *v, const char *path, struct schema_report *r)
{
	size_t n = 0;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		n += json_object_get(v, kinds[i]) != NULL;
	return n == 1 ||
	       schema_error(r, path,
			    "needs exactly one of \"text\", \"json\", \"binary\", \"expect\" and "
			    "\"wait\"");
}

static bool check_parts(const json_t *v, const char *path, struct schema_report *r)
{
	size_t before = r->n;

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		mem_auto_str at = schema_path_key(path, parts[i].key);

		if (json_object_get(v, parts[i].key) && !json_object_get(v, parts[i].beside[0]) &&
		    !json_object_get(v, parts[i].beside[1]))
			schema_error_key(r, at, "%s", parts[i].sentence);
	}
	return r->n == before;
}

static bool check_message(const json_t *v, const char *path, struct schema_report *r)
{
	mem_auto_str secrets = schema_path_key(path, "secrets");

	if (json_is_object(json_object_get(v, "text")) && json_object_get(v, "secrets"))
		return schema_error_key(r, secrets, "contradicts \"text\", which is a secret here");
	return true;
}

static bool read_object(struct conf_step *s, const json_t *v, const char *path,
			struct schema_report *r)
{
	struct schema_under under;

	schema_under_init(&under, r, path);
	if (!schema_set(&conf_step_schema, s, v, NULL, &under.report))
		return false;
	if (!check_kind(v, path, r) || !check_parts(v, path, r) || !check_message(v, path, r))
		return false;
	if (json_object_get(v, "expect"))
		s->kind = STEP_EXPECT;
	else if (json_object_get(v, "wait"))
		s->kind = STEP_WAIT;
	s->is_json = json_object_get(v, "json") != NULL;
	return true;
}

bool conf_step_read(struct conf_step *s, const json_t *v, const char *path, struct schema_report *r)
{
	bool ok;

	schema_defaults(&conf_step_schema, s);
	if (json_is_object(v))
		ok = read_object(s, v, path, r);
	else if (json_is_string(v))
		ok = conf_message_text(&s->message, v, path, r);
	else
		ok = schema_error_type(r, path, EXPECT_STEP, v);
	s->is_template = s->message.type == MSG_TEXT &&
			 conf_is_template(span_of(s->message.data, s->message.n));
	return ok;
}
