/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON Schema that is made from the tables, judged by a small validator of
 * the keywords it uses: good configurations pass, misspelled ones do not, and
 * every option of the tables is there with its help.
 */
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "config_file.h"

#define COUNT(rows) (sizeof(rows) / sizeof(*(rows)))

static bool valid(json_t *root, json_t *schema, json_t *v);

static bool matches(const char *pattern, const char *text)
{
	regex_t regex;
	bool is;

	assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
	is = regexec(&regex, text, 0, NULL, 0) == 0;
	regfree(&regex);
	return is;
}

static bool is_type(const char *type, const json_t *v)
{
	static const struct {
		const char *name;
		json_type type;
	} types[] = {
		{ "object", JSON_OBJECT },   { "array", JSON_ARRAY },	 { "string", JSON_STRING },
		{ "integer", JSON_INTEGER }, { "number", JSON_INTEGER }, { "number", JSON_REAL },
		{ "boolean", JSON_TRUE },    { "boolean", JSON_FALSE },	 { "null", JSON_NULL },
	};

	for (size_t i = 0; i < COUNT(types); i++)
		if (strcmp(types[i].name, type) == 0 && json_typeof(v) == types[i].type)
			return true;
	return false;
}

static bool type_ok(const json_t *type, const json_t *v)
{
	if (!type)
		return true;
	if (json_is_string(type))
		return is_type(json_string_value(type), v);
	for (size_t i = 0; i < json_array_size(type); i++)
		if (is_type(json_string_value(json_array_get(type, i)), v))
			return true;
	return false;
}

static bool member_ok(json_t *root, json_t *schema, const char *key, json_t *v)
{
	json_t *inner = json_object_get(json_object_get(schema, "properties"), key), *other;
	const char *pattern;

	if (inner)
		return valid(root, inner, v);
	json_object_foreach(json_object_get(schema, "patternProperties"), pattern, inner)
		if (matches(pattern, key))
			return valid(root, inner, v);
	other = json_object_get(schema, "additionalProperties");
	if (json_is_false(other))
		return false;
	return !other || json_is_true(other) || valid(root, other, v);
}

static bool object_ok(json_t *root, json_t *schema, json_t *v)
{
	json_t *required = json_object_get(schema, "required"), *member;
	const char *key;

	for (size_t i = 0; i < json_array_size(required); i++)
		if (!json_object_get(v, json_string_value(json_array_get(required, i))))
			return false;
	json_object_foreach(v, key, member)
		if (!member_ok(root, schema, key, member))
			return false;
	return true;
}

static bool one_of(json_t *choices, json_t *v)
{
	for (size_t i = 0; i < json_array_size(choices); i++)
		if (json_equal(json_array_get(choices, i), v))
			return true;
	return !choices;
}

static bool any_ok(json_t *root, json_t *schemas, json_t *v)
{
	for (size_t i = 0; i < json_array_size(schemas); i++)
		if (valid(root, json_array_get(schemas, i), v))
			return true;
	return !schemas;
}

static bool scalar_ok(json_t *schema, json_t *v)
{
	const json_t *min = json_object_get(schema, "minimum");
	const json_t *max = json_object_get(schema, "maximum");
	const char *pattern = json_string_value(json_object_get(schema, "pattern"));

	if (json_is_number(v) && min && json_number_value(v) < json_number_value(min))
		return false;
	if (json_is_number(v) && max && json_number_value(v) > json_number_value(max))
		return false;
	return !json_is_string(v) || !pattern || matches(pattern, json_string_value(v));
}

static bool valid(json_t *root, json_t *schema, json_t *v)
{
	const char *ref = json_string_value(json_object_get(schema, "$ref"));
	json_t *items = json_object_get(schema, "items");

	if (ref)
		return valid(root,
			     json_object_get(json_object_get(root, "$defs"), strrchr(ref, '/') + 1),
			     v);
	if (!type_ok(json_object_get(schema, "type"), v) || !scalar_ok(schema, v) ||
	    !one_of(json_object_get(schema, "enum"), v) ||
	    !any_ok(root, json_object_get(schema, "anyOf"), v))
		return false;
	for (size_t i = 0; items && i < json_array_size(v); i++)
		if (!valid(root, items, json_array_get(v, i)))
			return false;
	return !json_is_object(v) || object_ok(root, schema, v);
}

static const struct {
	const char *text;
	bool valid;
} rows[] = {
	{ "{}", true },
	{ "[]", false },
	{ "{'xyzzy': 1}", false },
	{ "{'log': {'level': 'debug', 'format': 'json'}}", true },
	{ "{'log': {'level': 'warn'}}", false },
	{ "{'limits': {'clients': 5, 'queues': '1M', 'control_request': 4096}}", true },
	{ "{'limits': {'clients': 0}}", false },
	{ "{'limits': {'queues': '1T'}}", false },
	{ "{'control': {'unix': '/x', 'mode': '0600', 'level': 'read'}}", true },
	{ "{'control': [{}, {'unix': '/x'}]}", true },
	{ "{'control': {'owner': 'a', 'group': '0', 'allow_users': ['a'], 'allow_groups': []}}",
	  true },
	{ "{'control': {'allow_users': 'a'}}", false },
	{ "{'metrics': {'unix': '@a', 'mode': '0600', 'owner': 'a', 'group': 'b'}}", true },
	{ "{'metrics': {'listen': 9469}}", false },
	{ "{'control': {'mode': '0888'}}", false },
	{ "{'control': '/x'}", false },
	{ "{'defaults': {'ping': {'interval': 5}, 'endpoint': {'mode': '0660'}}}", true },
	{ "{'defaults': {'pong': 5}}", false },
	{ "{'bridges': {'a': {'url': 'ws://h'}}}", true },
	{ "{'bridges': {'a': {}}}", false },
	{ "{'bridges': {'a': {'url': 'http://h'}}}", false },
	{ "{'bridges': {'a b': {'url': 'ws://h'}}}", false },
	{ "{'bridges': {'a': {'url': 'ws://h', 'headers': {'X': 'a', 'Y': ['b']}}}}", true },
	{ "{'bridges': {'a': {'url': 'ws://h', 'headers': {'X': 5}}}}", false },
	{ "{'bridges': {'a': {'url': ['wss://h', 'ws+unix:///s:/']}}}", true },
	{ "{'bridges': {'a': {'url': ['http://h']}}}", false },
	{ "{'bridges': {'a': {'url': 'ws://h', 'connect_to': 'h:80'}}}", true },
	{ "{'bridges': {'a': {'url': 'ws://h', 'connect_to': '[::1]:80'}}}", true },
	{ "{'bridges': {'a': {'url': 'ws://h', 'connect_to': 'unix:/x'}}}", true },
	{ "{'bridges': {'a': {'url': 'ws://h', 'connect_to': 'h'}}}", false },
	{ "{'bridges': {'a': {'url': 'ws://h', 'headers': {'X': [{'env': 'Y'}, 'z'], 'W': "
	  "{'command': ['/x']}}}}}",
	  true },
	{ "{'bridges': {'a': {'url': 'ws://h', 'headers': {'X': {'envy': 'Y'}}}}}", false },
	{ "{'bridges': {'a': {'url': 'ws://h', 'cookie': {'credential': 'c'}, 'cookies': 'off'}}}",
	  true },
	{ "{'bridges': {'a': {'url': 'ws://h', 'cookie': {'command': '/x'}}}}", false },
	{ "{'bridges': {'a': {'url': 'ws://h', 'auth': {'basic': {'user': 'u', 'password': "
	  "{'file': '/p'}}}}}}",
	  true },
	{ "{'bridges': {'a': {'url': 'ws://h', 'auth': {'basic': {'user': 5}}}}}", false },
	{ "{'bridges': {'a': {'url': 'ws://h', 'auth': {'token': 't'}}}}", false },
	{ "{'bridges': {'a': {'url': 'ws://h', 'redirects': 10}}}", true },
	{ "{'bridges': {'a': {'url': 'ws://h', 'redirects': 11}}}", false },
	{ "{'bridges': {'a': {'url': 'ws://h', 'proxy': null}}}", true },
	{ "{'bridges': {'a': {'url': 'ws://h', 'proxy': 'env'}}}", true },
	{ "{'bridges': {'a': {'url': 'ws://h', 'proxy': 'SOCKS5H://h'}}}", true },
	{ "{'bridges': {'a': {'url': 'ws://h', 'proxy': 'ftp://h'}}}", false },
	{ "{'bridges': {'a': {'url': 'ws://h', 'proxy': false}}}", false },
	{ "{'bridges': {'a': {'url': 'ws://h', 'no_proxy': ['*']}}}", true },
	{ "{'bridges': {'a': {'url': 'ws://h', 'no_proxy': '*'}}}", false },
	{ "{'bridges': {'a': {'url': 'ws://h', 'tls': {'verify': false, 'min_version': '1.3', "
	  "'pin_sha256': ['x']}}}}",
	  true },
	{ "{'bridges': {'a': {'url': 'ws://h', 'tls': {'min_version': '1.1'}}}}", false },
	{ "{'bridges': {'a': {'url': 'ws://h', 'tls': {'verfy': false}}}}", false },
	{ "{'bridges': {'a': {'url': 'ws://h', 'socket': {'keepalive': {'idle': 5}, 'family': "
	  "'ipv6', 'rcvbuf': '64K'}}}}",
	  true },
	{ "{'bridges': {'a': {'url': 'ws://h', 'socket': {'keepalive': false}}}}", true },
	{ "{'bridges': {'a': {'url': 'ws://h', 'socket': {'keepalive': null}}}}", true },
	{ "{'bridges': {'a': {'url': 'ws://h', 'socket': {'keepalive': 5}}}}", false },
	{ "{'bridges': {'a': {'url': 'ws://h', 'socket': {'keepalive': {'idl': 5}}}}}", false },
	{ "{'bridges': {'a': {'url': 'ws://h', 'socket': {'mark': -1}}}}", false },
	{ "{'bridges': {'a': {'url': 'ws://h', 'host': null, 'subprotocols': ['a']}}}", true },
	{ "{'bridges': {'a': {'url': 'ws://h', 'ping': {'interval': '5s', 'timeout': 0.5}}}}",
	  true },
	{ "{'bridges': {'a': {'url': 'ws://h', 'ping': {'interval': []}}}}", false },
	{ "{'bridges': {'a': {'url': 'ws://h', 'ping': {'intervall': 5}}}}", false },
	{ "{'bridges': {'a': {'url': 'ws://h', 'reconnect': {'factor': 1.5, 'max': 5}}}}", true },
	{ "{'bridges': {'a': {'url': 'ws://h', 'reconnect': {'factor': 0.5}}}}", false },
	{ "{'bridges': {'a': {'url': 'ws://h', 'on_open': ['a', {'json': [1]}, {'text': 'b'}]}}}",
	  true },
	{ "{'bridges': {'a': {'url': 'ws://h', 'on_open': [{'wait': 1}, {'expect': {'pointer': "
	  "'/op', 'equals': [0]}, 'timeout': 5, 'capture': {'n': '/n'}, 'deliver': true}, "
	  "{'text': '${n} ${t}', 'secrets': {'t': {'file': '/t'}}}, {'text': {'env': 'T'}}]}}}",
	  true },
	{ "{'bridges': {'a': {'url': 'ws://h', 'on_open': [{'timeout': 1}]}}}", false },
	{ "{'bridges': {'a': {'url': 'ws://h', 'on_open': [{'expect': 'x'}]}}}", false },
	{ "{'bridges': {'a': {'url': 'ws://h', 'on_open': [{'expect': {'equals': 1}}]}}}", false },
	{ "{'bridges': {'a': {'url': 'ws://h', 'on_open': [{'sned': 'x'}]}}}", false },
	{ "{'bridges': {'a': {'url': 'ws://h', 'heartbeat': {'interval': 5, 'message': {'json': "
	  "{}}, 'expect': {'contains': 'x'}, 'timeout': '1s'}, 'idle_timeout': 'off'}}}",
	  true },
	{ "{'bridges': {'a': {'url': 'ws://h', 'heartbeat': {'message': 5}}}}", false },
	{ "{'bridges': {'a': {'url': 'ws://h', 'reconnect': {'fatal_status': [401, 403], "
	  "'fatal_close': [4000]}}}}",
	  true },
	{ "{'bridges': {'a': {'url': 'ws://h', 'reconnect': {'fatal_status': [99]}}}}", false },
	{ "{'bridges': {'a': {'url': 'ws://h', 'reconnect': {'fatal_close': 4000}}}}", false },
	{ "{'bridges': {'a': {'url': 'ws://h', 'start': 'on-demand', 'linger': 0, 'sharing': "
	  "'private', 'fragments': 'deliver', 'rate': {'messages': 5, 'per': 1, 'burst': 9}}}}",
	  true },
	{ "{'bridges': {'a': {'url': 'ws://h', 'rate': {'message': 5}}}}", false },
	{ "{'limits': {'dials_per_second': 0, 'tls_handshakes': 1}}", true },
	{ "{'bridges': {'a': {'url': 'ws://h', 'endpoint': '/x'}}}", true },
	{ "{'bridges': {'a': {'url': 'ws://h', 'endpoint': {'unix': '/x', 'queue': 4096}}}}",
	  true },
	{ "{'bridges': {'a': {'url': 'ws://h', 'endpoints': ['/x', {'unix': '/y'}]}}}", true },
	{ "{'bridges': {'a': {'url': 'ws://h', 'endpoint': {'mode': '0600'}}}}", false },
	{ "{'bridges': {'a': {'url': 'ws://h', 'endpoint': {'unix': '/x',"
	  "'delimiter': '\\u0000'}}}}",
	  true },
	{ "{'bridges': {'a': {'url': 'ws://h', 'endpoint': {'unix': '/x', 'delimiter': 'x'}}}}",
	  false },
};

static void test_validate(void **state)
{
	json_t *schema = main_conf_json_schema();

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		json_t *v = config_json(rows[i].text);

		if (valid(schema, schema, v) != rows[i].valid)
			fail_msg("%s", rows[i].text);
		json_decref(v);
	}
	json_decref(schema);
}

/* The schema of a dotted name below an object's schema. */
static json_t *property(json_t *schema, const char *name)
{
	mem_auto_str copy = mem_strdup(name);

	for (char *key = copy, *next; key && schema; key = next) {
		next = strchr(key, '.');
		if (next)
			*next++ = '\0';
		schema = json_object_get(json_object_get(schema, "properties"), key);
	}
	return schema;
}

static void check_table(json_t *schema, const struct schema *s)
{
	for (size_t i = 0; i < s->n_rows; i++) {
		const struct schema_row *row = &s->rows[i];
		json_t *p = property(schema, row->name);
		json_t *value = json_object_get(p, "default");

		assert_non_null(p);
		assert_string_equal(json_string_value(json_object_get(p, "description")),
				    row->help);
		assert_true((value != NULL) == (row->value != NULL));
		if (value && !valid(p, p, value))
			fail_msg("%s: its default is not valid", row->name);
	}
}

static void test_complete(void **state)
{
	json_t *schema = main_conf_json_schema();
	json_t *bridge = json_object_get(json_object_get(schema, "$defs"), "bridge");
	json_t *endpoint = json_array_get(json_object_get(property(bridge, "endpoint"), "anyOf"),
					  0);

	(void)state;
	check_table(schema, &main_schema);
	check_table(bridge, &bridge_schema);
	check_table(property(schema, "defaults"), &bridge_schema);
	check_table(json_array_get(json_object_get(endpoint, "anyOf"), 1), &endpoint_schema);
	check_table(json_array_get(json_object_get(property(schema, "control"), "anyOf"), 0),
		    &control_schema);
	json_decref(schema);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_validate),
		cmocka_unit_test(test_complete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
