/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The option engine and the tables it reads: each table is sound, text from a
 * command line finds its option, names find their neighbours, paths are
 * unambiguous, and values compare by the rows' flags.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "conf/main_conf.h"
#include "config_file.h"

#define COUNT(rows) (sizeof(rows) / sizeof(*(rows)))

static const struct schema *const tables[] = { &main_schema, &control_schema, &bridge_schema,
					       &endpoint_schema };

/* Of what holds the option: the struct, or a part of it. */
static size_t size_of(const struct schema *s, const struct schema_row *row)
{
	if (row->part == 0)
		return s->size;
	for (size_t i = 0; i < s->n_parts; i++)
		if (s->parts[i].pointer == row->part)
			return s->parts[i].size;
	fail_msg("%s is in no part of %s", row->name, s->what);
	return 0;
}

static void check_row(const struct schema *s, const struct schema_row *row)
{
	size_t n = strlen(row->help);

	assert_ptr_equal(schema_find(s, row->name), row); /* no name twice */
	assert_true(n > 10 && n < 90 && row->help[n - 1] == '.');
	assert_true(row->offset < size_of(s, row));
	assert_true(!row->part || row->offset >= sizeof(struct schema_refs));
	assert_true((row->type == OPT_ENUM) == (row->choices != NULL));
	assert_true((row->type == OPT_CUSTOM) == (row->custom != NULL));
	if (row->type == OPT_INT || row->type == OPT_SIZE || row->type == OPT_DURATION)
		assert_true(row->min < row->max && row->value != NULL);
}

static void test_tables(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(tables); i++) {
		void *store = mem_zalloc(tables[i]->size);

		for (size_t j = 0; j < tables[i]->n_rows; j++)
			check_row(tables[i], &tables[i]->rows[j]);
		schema_defaults(tables[i], store);
		schema_release(tables[i], store);
		schema_release(tables[i], store);
		free(store);
	}
}

static const struct {
	const char *options; /* KEY=TEXT, a blank between two; single quotes for double ones */
	const char *json;
} texts[] = {
	{ "url=ws://h/?a=b", "{'url': 'ws://h/?a=b'}" },
	{ "ping.interval=5", "{'ping': {'interval': 5}}" },
	{ "reconnect.fatal_status=401,403", "{'reconnect': {'fatal_status': [401, 403]}}" },
	{ "reconnect.fatal_status=401,x", "{'reconnect': {'fatal_status': [401, 'x']}}" },
	{ "reconnect.fatal_close=", "{'reconnect': {'fatal_close': []}}" },
	{ "reconnect.fatal_close=[4000]", "{'reconnect': {'fatal_close': [4000]}}" },
	{ "endpoint=/x endpoint.events=open,gap",
	  "{'endpoint': {'unix': '/x', 'events': ['open', 'gap']}}" },
	{ "endpoint.fifo.out=/x endpoint.fifo.in=/y",
	  "{'endpoint': {'fifo': {'out': '/x', 'in': '/y'}}}" },
	{ "endpoint.allow_users=a,1000", "{'endpoint': {'allow_users': ['a', '1000']}}" },
	{ "endpoint.owner=1000", "{'endpoint': {'owner': '1000'}}" },
	{ "heartbeat.message=ping heartbeat.interval=5",
	  "{'heartbeat': {'message': 'ping', 'interval': 5}}" },
	{ "heartbeat.message.text=ping", "{'heartbeat': {'message': {'text': 'ping'}}}" },
	{ "heartbeat.expect={'contains':'x'}", "{'heartbeat': {'expect': {'contains': 'x'}}}" },
	{ "idle_timeout=off", "{'idle_timeout': 'off'}" },
	{ "rate.messages=5 rate.burst=9", "{'rate': {'messages': 5, 'burst': 9}}" },
	{ "ping.interval=0.5", "{'ping': {'interval': 0.5}}" },
	{ "ping.interval=1min", "{'ping': {'interval': '1min'}}" },
	{ "ping.interval=5 ping.timeout=off", "{'ping': {'interval': 5, 'timeout': 'off'}}" },
	{ "ping={'interval':5} ping.proof=pong", "{'ping': {'interval': 5, 'proof': 'pong'}}" },
	{ "max_message=16M", "{'max_message': '16M'}" },
	{ "max_message=4096", "{'max_message': 4096}" },
	{ "max_message=0x10", "{'max_message': '0x10'}" },
	{ "validate_utf8=false", "{'validate_utf8': false}" },
	{ "validate_utf8=true", "{'validate_utf8': true}" },
	{ "validate_utf8=no", "{'validate_utf8': 'no'}" },
	{ "reconnect.factor=1.5", "{'reconnect': {'factor': 1.5}}" },
	{ "reconnect.attempts=3", "{'reconnect': {'attempts': 3}}" },
	{ "host=null", "{'host': null}" },
	{ "host='null'", "{'host': 'null'}" },
	{ "ping.payload=null", "{'ping': {'payload': 'null'}}" },
	{ "ping.payload=5", "{'ping': {'payload': '5'}}" },
	{ "ping.payload=", "{'ping': {'payload': ''}}" },
	{ "mask=zero", "{'mask': 'zero'}" },
	{ "subprotocols=mqtt", "{'subprotocols': ['mqtt']}" },
	{ "subprotocols=a,b", "{'subprotocols': ['a', 'b']}" },
	{ "subprotocols=['a']", "{'subprotocols': ['a']}" },
	{ "on_open=['a',{'json':1}]", "{'on_open': ['a', {'json': 1}]}" },
	{ "headers.X-Name=v", "{'headers': {'X-Name': 'v'}}" },
	{ "headers.X.Y=v headers.Z=5", "{'headers': {'X.Y': 'v', 'Z': '5'}}" },
	{ "headers.X=['a','b']", "{'headers': {'X': ['a', 'b']}}" },
	{ "endpoint=/x", "{'endpoint': '/x'}" },
	{ "endpoint=/x endpoint.mode=0660", "{'endpoint': {'unix': '/x', 'mode': '0660'}}" },
	{ "endpoint.unix=/x endpoint.max_clients=5",
	  "{'endpoint': {'unix': '/x', 'max_clients': 5}}" },
	{ "endpoint.delimiter='\\u0000'", "{'endpoint': {'delimiter': '\\u0000'}}" },
	{ "endpoints=['/a','/b']", "{'endpoints': ['/a', '/b']}" },
	{ "url=['ws://a','ws://b']", "{'url': ['ws://a', 'ws://b']}" },
	{ "connect_to=[::1]:80", "{'connect_to': '[::1]:80'}" },
	{ "connect_to='h:1'", "{'connect_to': 'h:1'}" },
	{ "tls.verify=false tls.min_version=1.3",
	  "{'tls': {'verify': false, 'min_version': '1.3'}}" },
	{ "tls={'verify':false} tls.ca_file=/x", "{'tls': {'verify': false, 'ca_file': '/x'}}" },
	{ "tls.pin_sha256=a=,b=", "{'tls': {'pin_sha256': ['a=', 'b=']}}" },
	{ "proxy=http://u:p@h:1", "{'proxy': 'http://u:p@h:1'}" },
	{ "proxy=env proxy_password=null", "{'proxy': 'env', 'proxy_password': 'null'}" },
	{ "proxy=null no_proxy=a,.b", "{'proxy': null, 'no_proxy': ['a', '.b']}" },
	{ "redirects=3", "{'redirects': 3}" },
	{ "cookie=a=b cookies=off", "{'cookie': 'a=b', 'cookies': 'off'}" },
	{ "cookie={'file':'/x'}", "{'cookie': {'file': '/x'}}" },
	{ "cookie.file=/x", "{'cookie': {'file': '/x'}}" },
	{ "auth.bearer.command=['/x','y']", "{'auth': {'bearer': {'command': ['/x', 'y']}}}" },
	{ "auth.basic.user=u auth.basic.password=5",
	  "{'auth': {'basic': {'user': 'u', 'password': '5'}}}" },
	{ "auth.basic.user=u auth.basic.password.env=X",
	  "{'auth': {'basic': {'user': 'u', 'password': {'env': 'X'}}}}" },
	{ "headers.X={'env':'Y'}", "{'headers': {'X': {'env': 'Y'}}}" },
	{ "socket.mark=5 socket.keepalive=false", "{'socket': {'mark': 5, 'keepalive': false}}" },
	{ "socket.keepalive=null", "{'socket': {'keepalive': null}}" },
	{ "compression=off", "{'compression': 'off'}" },
	{ "compression=false", "{'compression': false}" },
	{ "compression.level=5 compression.threshold=2K",
	  "{'compression': {'level': 5, 'threshold': '2K'}}" },
	{ "socket.keepalive={}", "{'socket': {'keepalive': {}}}" },
	{ "socket.keepalive.idle=10s socket.keepalive.count=2",
	  "{'socket': {'keepalive': {'idle': '10s', 'count': 2}}}" },
	{ "mask=zero mask=random", "{'mask': 'random'}" },
};

/* Puts the options of one row; false at the first that is refused. */
static bool put(json_t *object, const char *options, struct error *err)
{
	mem_auto_str copy = mem_strdup(options);
	bool ok = true;

	for (char *p = copy; *p; p++)
		if (*p == '\'')
			*p = '"';
	for (char *key = copy, *next; key && ok; key = next) {
		char *equals = strchr(key, '=');

		next = strchr(key, ' ');
		if (next)
			*next++ = '\0';
		*equals = '\0';
		ok = schema_put_text(&bridge_schema, object, key, equals + 1, err);
	}
	return ok;
}

static void test_put_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		json_t *object = json_object(), *expected = config_json(texts[i].json);
		struct error err = ERROR_INIT;

		if (!put(object, texts[i].options, &err))
			fail_msg("%s: %s", texts[i].options, err.text);
		if (!json_equal(object, expected))
			fail_msg("%s became %s", texts[i].options, json_dumps(object, 0));
		json_decref(object);
		json_decref(expected);
	}
}

static const struct {
	const char *options, *option, *error;
} bad_texts[] = {
	{ "=5", "", ": unknown key" },
	{ "xyzzy=5", "xyzzy", "xyzzy: unknown key" },
	{ "ping.intervall=5", "ping.intervall",
	  "ping.intervall: unknown key; did you mean \"ping.interval\"?" },
	{ "interval=5", "interval", "interval: unknown key" },
	{ "ping=5", "ping", "ping: is a group of options; name one of them" },
	{ "ping.=5", "ping.", "ping.: unknown key; did you mean \"ping.interval\"?" },
	{ "ping.interval.x=5", "ping.interval.x",
	  "ping.interval.x: unknown key; did you mean \"ping.interval\"?" },
	{ "tls=5", "tls", "tls: is a group of options; name one of them" },
	{ "tls.verfy=false", "tls.verfy", "tls.verfy: unknown key; did you mean \"tls.verify\"?" },
	{ "tls.key_password={canary", "tls.key_password",
	  "tls.key_password: begins like JSON, but is none (character 7)" },
	{ "cookie=canary cookie.file=/x", "cookie.file",
	  "cookie.file: \"cookie\" already has a value that is no object" },
	{ "auth.bearer=canary auth.bearer.env=X", "auth.bearer.env",
	  "auth.bearer.env: \"auth.bearer\" already has a value that is no object" },
	{ "socket.keepalive=false socket.keepalive.idle=1", "socket.keepalive.idle",
	  "socket.keepalive.idle: \"keepalive\" already has a value that is no object" },
	{ "compression=false compression.level=5", "compression.level",
	  "compression.level: \"compression\" already has a value that is no object" },
	{ "compression.levl=5", "compression.levl",
	  "compression.levl: unknown key; did you mean \"compression.level\"?" },
	{ "rate=5", "rate", "rate: is a group of options; name one of them" },
	{ "endpoint.fifo=/x", "endpoint.fifo",
	  "endpoint.fifo: is a group of options; name one of them" },
	{ "heartbeat.expect.pointer=/x", "heartbeat.expect.pointer",
	  "heartbeat.expect.pointer: unknown key; did you mean \"heartbeat.expect\"?" },
	{ "endpoint.mod=0600", "endpoint.mod",
	  "endpoint.mod: unknown key; did you mean \"mode\"?" },
	{ "on_open=[canary", "on_open", "on_open: begins like JSON, but is none (character 7)" },
	{ "headers={'a':'b','a':'canary'}", "headers",
	  "headers: begins like JSON, but is none (character 12)" },
	{ "on_open=[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "on_open",
	  "on_open: nested deeper than 32 levels" },
	{ "ping.payload=\xff", "ping.payload", "ping.payload: is not valid UTF-8" },
	{ "headers.\xff=a", "headers.?", "headers.?: the key is not valid UTF-8" },
	{ "endpoints=['/a'] endpoints.mode=0600", "endpoints.mode",
	  "endpoints.mode: \"endpoints\" already has a value that is no object" },
	{ "headers='x' headers.X=y", "headers.X",
	  "headers.X: \"headers\" already has a value that is no object" },
};

static void test_bad_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad_texts); i++) {
		json_t *object = json_object();
		struct error err = ERROR_INIT;

		assert_false(put(object, bad_texts[i].options, &err));
		assert_string_equal(err.text, bad_texts[i].error);
		assert_string_equal(err.option, bad_texts[i].option);
		assert_int_equal(err.code, ERR_INVALID_OPTION);
		json_decref(object);
	}
}

static void test_nearest(void **state)
{
	static const char *const known[] = { "interval", "timeout", "payload", "proof", NULL };
	static const struct {
		const char *name, *near;
	} rows[] = {
		{ "intervall", "interval" },
		{ "intervla", "interval" },
		{ "INTERVAL", NULL },
		{ "int", "interval" },
		{ "time", "timeout" },
		{ "timeouts", "timeout" },
		{ "prof", "proof" },
		{ "poorf", "proof" },
		{ "x", NULL },
		{ "", NULL },
		{ "payload", "payload" },
		{ "elephant", NULL },
	};
	char longest[200];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *near = schema_nearest(rows[i].name, known);

		if (near != rows[i].near && (!near || !rows[i].near || strcmp(near, rows[i].near)))
			fail_msg("%s: %s", rows[i].name, near ? near : "nothing");
	}
	memset(longest, 'i', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_null(schema_nearest(longest, known));
}

static void test_paths(void **state)
{
	static const struct {
		const char *path, *key, *joined;
	} rows[] = {
		{ "", "a", "a" },
		{ "a", "b", "a.b" },
		{ "a", "X-Y_1@z", "a.X-Y_1@z" },
		{ "a", "b.c", "a[\"b.c\"]" },
		{ "", "", "[\"\"]" },
		{ "a", "\x1b\"", "a[\"\\x1b\"\"]" },
		{ "headers", "X: canary", "headers[\"X:...\"]" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		mem_auto_str joined = schema_path_key(rows[i].path, rows[i].key);

		assert_string_equal(joined, rows[i].joined);
	}
}

/* Paths below a path in front, as a list element and as a key; only the first error is kept. */
static void test_reports(void **state)
{
	struct schema_first first;
	struct schema_under outer, inner;

	(void)state;
	schema_first_init(&first);
	schema_under_init(&outer, &first.report, "bridges");
	schema_under_init(&inner, &outer.report, "[\"a.b\"]");
	assert_false(schema_error_key(&inner.report, "[3]", "is %s", "odd"));
	assert_false(schema_error(&inner.report, "x", "is lost"));
	assert_int_equal(first.report.n, 2);
	assert_string_equal(first.err.option, "bridges[\"a.b\"][3]");
	assert_string_equal(first.err.text, "bridges[\"a.b\"][3]: is odd");
	assert_int_equal(first.err.code, ERR_INVALID_OPTION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables),	 cmocka_unit_test(test_put_text),
		cmocka_unit_test(test_bad_text), cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_paths),	 cmocka_unit_test(test_reports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
