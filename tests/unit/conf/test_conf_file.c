/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Broken configurations, each with every sentence that must come out: file,
 * line, column, path and what is wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config_file.h"

#define COUNT(rows) (sizeof(rows) / sizeof(*(rows)))

/* The given options stand on the second line. */
#define BRIDGE(options) "{'bridges': {'a': {'url': 'ws://h/',\n" options "}}}"
#define ENDPOINT(options) \
	"{'bridges': {'a': {'url': 'ws://h/', 'endpoint': {'unix': '/e',\n" options "}}}}"

/* What is no JSON; one sentence for a file. */
static const struct broken syntax[] = {
	{ "", "FILE:1:1: the text is empty" },
	{ "// nothing\n", "FILE:1:1: the text is empty" },
	{ "[]", "FILE:1:1: expected an object, found a list" },
	{ "{", "FILE:1:1: this \"{\" is never closed" },
	{ "{\n\t'bridges': {\n", "FILE:2:13: this \"{\" is never closed" },
	{ "{'log': {}} {}", "FILE:1:13: expected the end of the text, found \"{\"" },
	{ "{'log': {},}", "FILE:1:11: one comma too many" },
	{ "{'control': [1, 2,\n]}", "FILE:1:18: one comma too many" },
	{ "{,}", "FILE:1:2: expected a key in double quotes, found \",\"" },
	{ "{log: {}}", "FILE:1:2: expected a key in double quotes, found a word without quotes" },
	{ "{'log' {}}", "FILE:1:8: expected \":\" behind the key, found \"{\"" },
	{ "{'log': }", "FILE:1:9: expected a value, found \"}\"" },
	{ "{'log': tru}", "FILE:1:9: expected a value, found a word without quotes" },
	{ "{'log': nul 1}", "FILE:1:9: expected a value, found a word without quotes" },
	{ "{'log': {} 'limits': {}}", "FILE:1:12: expected \",\" or \"}\", found a string" },
	{ "{'control': [1 2]}", "FILE:1:16: expected \",\" or \"]\", found a number" },
	{ "{'control': [1}", "FILE:1:15: expected \",\" or \"]\", found \"}\"" },
	{ "{'log': 'a\nb'}", "FILE:1:9: a string must end on the line where it begins" },
	{ "{'log': 'a\tb'}", "FILE:1:9: a string must not contain control characters" },
	{ "{'log': 'a\\qb'}", "FILE:1:9: a string has a bad escape" },
	{ "{'log': '\\ud800'}", "FILE:1:9: a string has a bad \\u escape" },
	{ "{'\\u0000': 1}", "FILE:1:2: a key must not contain \\u0000" },
	{ "{'log': '\xff'}", "FILE:1:10: not valid UTF-8" },
	{ "{'log': '\xc0\xaf'}", "FILE:1:10: not valid UTF-8" },
	{ "{'log': 99999999999999999999}", "FILE:1:9: the number is too big" },
	{ "{'log': 1e999}", "FILE:1:9: the number is too big" },
	{ "{'log': 01}", "FILE:1:9: expected a value, found a malformed number" },
	{ "{ /* never closed\n}", "FILE:1:3: this comment is never closed" },
	{ "{'log': {}} /* here: */ // and\n*",
	  "FILE:2:1: expected the end of the text, found something that is no JSON" },
	{ "{'log': [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"
	  "]]}",
	  "FILE:1:40: nested deeper than 32 levels" },
	{ "\n\n{'log': {}, // a comment with \"quotes\"\n 'log': {},\n 'l\\u006fg"
	  "': {}}",
	  "FILE:4:2: log: duplicate key; first given in line 3\n"
	  "FILE:5:2: log: duplicate key; first given in line 3" },
	{ "{'log': 'abc", "FILE:1:9: this string is never closed" },
	{ "{'log': 'abc\\", "FILE:1:9: a string has a bad escape" },
	{ "{'log':", "FILE:1:1: this \"{\" is never closed" },
	{ "{'log': {}", "FILE:1:1: this \"{\" is never closed" },
	{ "{'log': -}", "FILE:1:9: expected a value, found a malformed number" },
	{ "{'log': .5}", "FILE:1:9: expected a value, found a malformed number" },
	{ "'log'", "FILE:1:1: expected an object, found a string" },
	{ "{'log': @}", "FILE:1:9: expected a value, found something that is no JSON" },
};

/* Keys that are unknown, or known to the contract only. */
static const struct broken keys[] = {
	{ BRIDGE("'headers': {'Authorization: Bearer canary': ''}"),
	  "FILE:2:13: bridges.a.headers[\"Authorization:...\"]: is not a header name" },
	{ "{'bridge': {}}", "FILE:1:2: bridge: unknown key; did you mean \"bridges\"?" },
	{ "{'xyzzy': {}}", "FILE:1:2: xyzzy: unknown key" },
	{ "{'Bridges': {}}", "FILE:1:2: Bridges: unknown key; did you mean \"bridges\"?" },
	{ "{'log': {'lvel': 'debug'}}",
	  "FILE:1:10: log.lvel: unknown key; did you mean \"level\"?" },
	{ "{'log.level': 'debug'}",
	  "FILE:1:2: [\"log.level\"]: unknown key; options are nested: \"log\": {\"level\": ."
	  "..}" },
	{ "{'metrics': {'lsiten': 1}}",
	  "FILE:1:14: metrics.lsiten: unknown key; did you mean \"listen\"?" },
	{ "{'limits': {'client': 5}}",
	  "FILE:1:13: limits.client: unknown key; did you mean \"clients\"?" },
	{ "{'': 1}", "FILE:1:2: [\"\"]: unknown key" },
	{ "{'a\\u001bb': 1}", "FILE:1:2: [\"a\\x1bb\"]: unknown key" },
	{ "{'control': {'pat': '/x'}}", "FILE:1:14: control.pat: unknown key" },
	{ "{'control': {'unix': '@a', 'owner': 'root'}}",
	  "FILE:1:28: control.owner: only for a socket at a path" },
	{ "{'control': [{}, {'unix': 'systemd:a', 'mode': '0600', 'group': '0'}]}",
	  "FILE:1:40: control[1].mode: only for a socket at a path\n"
	  "FILE:1:56: control[1].group: only for a socket at a path" },
	{ BRIDGE("'ping': {'intervall': 5}"),
	  "FILE:2:10: bridges.a.ping.intervall: unknown key; did you mean \"interval\"?" },
	{ BRIDGE("'pong': {}"), "FILE:2:1: bridges.a.pong: unknown key; did you mean \"ping\"?" },
	{ BRIDGE("'ping.interval': 5"),
	  "FILE:2:1: bridges.a[\"ping.interval\"]: unknown key; options are nested: \"ping\":"
	  " {\"interval\": ...}" },
	{ BRIDGE("'reconect': {}"),
	  "FILE:2:1: bridges.a.reconect: unknown key; did you mean \"reconnect\"?" },
	{ BRIDGE("'compression': {'levle': 1}"),
	  "FILE:2:17: bridges.a.compression.levle: unknown key; did you mean \"level\"?" },
	{ ENDPOINT("'frame': 'lines'"), "FILE:2:1: bridges.a.endpoint.frame: unknown key" },
};

/* Values of the top level. */
static const struct broken types[] = {
	{ "{'log': []}", "FILE:1:9: log: expected an object, found a list" },
	{ "{'log': {'level': 3}}",
	  "FILE:1:19: log.level: expected \"error\", \"warning\", \"notice\", \"info\" or \"d"
	  "ebug\", found a number" },
	{ "{'log': {'level': 'warn'}}",
	  "FILE:1:19: log.level: expected \"error\", \"warning\", \"notice\", \"info\" or \"d"
	  "ebug\"; did you mean \"warning\"?" },
	{ "{'log': {'level': 'loud'}}",
	  "FILE:1:19: log.level: expected \"error\", \"warning\", \"notice\", \"info\" or \"d"
	  "ebug\"" },
	{ "{'limits': {'clients': '5'}}",
	  "FILE:1:24: limits.clients: expected a whole number, found a string" },
	{ "{'limits': {'clients': 5.5}}",
	  "FILE:1:24: limits.clients: expected a whole number, found a number with a fraction" },
	{ "{'limits': {'clients': 0}}", "FILE:1:24: limits.clients: must be between 1 and 65536" },
	{ "{'limits': {'queues': '1T'}}",
	  "FILE:1:23: limits.queues: \"1T\" is not a size: behind the whole number only K, M "
	  "or G may stand" },
	{ "{'limits': {'queues': 1}}", "FILE:1:23: limits.queues: must be between 64K and 1024G" },
	{ "{'control': '/x'}", "FILE:1:13: control: expected an object, found a string" },
	{ "{'control': []}", "FILE:1:13: control: must have 1 to 16 control sockets" },
	{ "{'control': {'unix': 'x'}}", "FILE:1:22: control.unix: must be an absolute path" },
	{ "{'control': {'mode': 384}}",
	  "FILE:1:22: control.mode: expected a file mode as a string in octal such as \"0600"
	  "\", found a number" },
	{ "{'control': {'mode': '0888'}}",
	  "FILE:1:22: control.mode: expected three octal digits such as \"0600\"" },
	{ "{'control': {'mode': '4755'}}",
	  "FILE:1:22: control.mode: expected three octal digits such as \"0600\"" },
	{ "{'control': {'level': 'root'}}",
	  "FILE:1:23: control.level: expected \"read\", \"send\" or \"admin\"" },
	{ "{'control': [{}, {}]}",
	  "FILE:1:18: control[1]: another control socket is on the default path; give \"unix"
	  "\"" },
	{ "{'bridges': []}",
	  "FILE:1:13: bridges: expected an object of names and bridges, found a list" },
	{ "{'bridges': {'a b': {}}}",
	  "FILE:1:14: bridges[\"a b\"]: a bridge's name is 1 to 64 of A-Z a-z 0-9 _ . @ -" },
	{ "{'bridges': {'a.b': {}}}", "FILE:1:14: bridges[\"a.b\"].url: is missing" },
	{ "{'bridges': {'a': []}}", "FILE:1:19: bridges.a: expected an object, found a list" },
	{ "{'bridges': {'a': {}}}", "FILE:1:14: bridges.a.url: is missing" },
	{ "{'limits': {'bridges': 1}, 'bridges': {'a': {'url': 'ws://h'}, 'b': {'"
	  "url': 'ws://h'}}}",
	  "FILE:1:28: bridges: has 2 bridges, limits.bridges allows 1" },
};

/* Values of a bridge. */
static const struct broken values[] = {
	{ BRIDGE("'ping': 5"), "FILE:2:9: bridges.a.ping: expected an object, found a number" },
	{ BRIDGE("'ping': null"), "FILE:2:9: bridges.a.ping: expected an object, found null" },
	{ BRIDGE("'ping': {'interval': []}"),
	  "FILE:2:22: bridges.a.ping.interval: expected a duration such as 20 or \"20s\", fou"
	  "nd a list" },
	{ BRIDGE("'ping': {'interval': '20x'}"),
	  "FILE:2:22: bridges.a.ping.interval: \"20x\" is not a duration: the unit must be one of"
	  " us, ms, s, min, h, d, w, month, y" },
	{ BRIDGE("'ping': {'interval': ''}"),
	  "FILE:2:22: bridges.a.ping.interval: \"\" is not a duration: a number is missing" },
	{ BRIDGE("'ping': {'interval': -1}"),
	  "FILE:2:22: bridges.a.ping.interval: must be 0 (\"off\") or between 100ms and 1d" },
	{ BRIDGE("'ping': {'interval': '50ms'}"),
	  "FILE:2:22: bridges.a.ping.interval: must be 0 (\"off\") or between 100ms and 1d" },
	{ BRIDGE("'ping': {'timeout': true}"),
	  "FILE:2:21: bridges.a.ping.timeout: expected a duration such as 20 or \"20s\", foun"
	  "d true" },
	{ BRIDGE("'ping': {'payload': 5}"),
	  "FILE:2:21: bridges.a.ping.payload: expected a string, found a number" },
	{ BRIDGE("'ping': {'payload': '0123456789012345678901234567890123456789012345678"
		 "9012345678901234567890123456789012345678901234567890123456789012345678"
		 "90123456789'}"),
	  "FILE:2:21: bridges.a.ping.payload: has 130 bytes, a ping carries at most 125" },
	{ BRIDGE("'ping': {'proof': 'any '}"),
	  "FILE:2:19: bridges.a.ping.proof: expected \"any\" or \"pong\"; did you mean \"any"
	  "\"?" },
	{ BRIDGE("'timeouts': {'close': 0}"),
	  "FILE:2:23: bridges.a.timeouts.close: must be between 1ms and 1d" },
	{ BRIDGE("'timeouts': {'open': 'off', 'close': 'off'}"),
	  "FILE:2:38: bridges.a.timeouts.close: must be between 1ms and 1d" },
	{ BRIDGE("'timeouts': {'connect': '99999999999999999999s'}"),
	  "FILE:2:25: bridges.a.timeouts.connect: \"99999999999999999999s\" is not a duration"
	  ": it is too long" },
	{ BRIDGE("'max_message': 0"),
	  "FILE:2:16: bridges.a.max_message: must be between 1 and 1G" },
	{ BRIDGE("'max_message': '2G'"),
	  "FILE:2:16: bridges.a.max_message: must be between 1 and 1G" },
	{ BRIDGE("'max_message': '16m'"),
	  "FILE:2:16: bridges.a.max_message: \"16m\" is not a size: behind the whole number o"
	  "nly K, M or G may stand" },
	{ BRIDGE("'max_message': 1.5"),
	  "FILE:2:16: bridges.a.max_message: expected a size such as 65536 or \"64K\", found "
	  "a number with a fraction" },
	{ BRIDGE("'validate_utf8': 'yes'"),
	  "FILE:2:18: bridges.a.validate_utf8: expected true or false, found a string" },
	{ BRIDGE("'mask': null"),
	  "FILE:2:9: bridges.a.mask: expected \"random\" or \"zero\", found null" },
	{ BRIDGE("'reconnect': {'factor': 0.5}"),
	  "FILE:2:25: bridges.a.reconnect.factor: must be between 1 and 100" },
	{ BRIDGE("'reconnect': {'factor': '2'}"),
	  "FILE:2:25: bridges.a.reconnect.factor: expected a number, found a string" },
	{ BRIDGE("'reconnect': {'attempts': -1}"),
	  "FILE:2:27: bridges.a.reconnect.attempts: must be between 0 and 1000000000" },
	{ BRIDGE("'reconnect': {'when': 'allways'}"),
	  "FILE:2:23: bridges.a.reconnect.when: expected \"always\", \"abnormal\" or \"never"
	  "\"; did you mean \"always\"?" },
	{ BRIDGE("'outbox': {'size': '1K', 'ttl': '8d', 'on_full': 'drop'}"),
	  "FILE:2:33: bridges.a.outbox.ttl: must be 0 (\"off\") or between 1ms and 7d\n"
	  "FILE:2:50: bridges.a.outbox.on_full: expected \"reject\" or \"drop-oldest\"; did y"
	  "ou mean \"drop-oldest\"?" },
};

static void test_syntax(void **state)
{
	(void)state;
	config_check_broken(syntax, COUNT(syntax));
}

static void test_keys(void **state)
{
	(void)state;
	config_check_broken(keys, COUNT(keys));
}

static void test_types(void **state)
{
	(void)state;
	config_check_broken(types, COUNT(types));
}

static void test_values(void **state)
{
	(void)state;
	config_check_broken(values, COUNT(values));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_syntax),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
