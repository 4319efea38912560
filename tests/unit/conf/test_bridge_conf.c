/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Broken bridges, each with every sentence that must come out; the rest of
 * the table is in test_conf_file.c.
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

/* What goes into the handshake; values are secrets and never quoted. */
static const struct broken handshake[] = {
	{ BRIDGE("'headers': []"),
	  "FILE:2:12: bridges.a.headers: expected an object of header names and values, found"
	  " a list" },
	{ BRIDGE("'headers': {'X Y': 'a'}"),
	  "FILE:2:13: bridges.a.headers[\"X Y\"]: is not a header name" },
	{ BRIDGE("'headers': {'': 'a'}"),
	  "FILE:2:13: bridges.a.headers[\"\"]: is not a header name" },
	{ BRIDGE("'headers': {'X': 'canary\\r\\nHost: b'}"),
	  "FILE:2:18: bridges.a.headers.X: must not contain CR, LF or other control character"
	  "s" },
	{ BRIDGE("'headers': {'X': 'canary\\u0000'}"),
	  "FILE:2:18: bridges.a.headers.X: must not contain a NUL character" },
	{ BRIDGE("'headers': {'X': ' canary'}"),
	  "FILE:2:18: bridges.a.headers.X: must not begin or end with white space" },
	{ BRIDGE("'headers': {'X': 5}"),
	  "FILE:2:18: bridges.a.headers.X: expected a string, an object that says where the secret "
	  "is, or a list of these, found a number" },
	{ BRIDGE("'headers': {'X': ['canary', 5, 'a\\n']}"),
	  "FILE:2:29: bridges.a.headers.X[1]: expected a string, an object that says where the "
	  "secret is, or a list of these, found a number\n"
	  "FILE:2:32: bridges.a.headers.X[2]: must not contain CR, LF or other control charac"
	  "ters" },
	{ BRIDGE("'headers': {'host': 'h'}"),
	  "FILE:2:13: bridges.a.headers.host: is set by the option \"host\"" },
	{ BRIDGE("'headers': {'Origin': 'h'}"),
	  "FILE:2:13: bridges.a.headers.Origin: is set by the option \"origin\"" },
	{ BRIDGE("'headers': {'UPGRADE': 'h'}"),
	  "FILE:2:13: bridges.a.headers.UPGRADE: belongs to the handshake and cannot be set" },
	{ BRIDGE("'headers': {'Connection': 'h'}"),
	  "FILE:2:13: bridges.a.headers.Connection: belongs to the handshake and cannot be se"
	  "t" },
	{ BRIDGE("'headers': {'Sec-WebSocket-Key': 'h'}"),
	  "FILE:2:13: bridges.a.headers.Sec-WebSocket-Key: belongs to the handshake and canno"
	  "t be set" },
	{ BRIDGE("'headers': {'sec-websocket-protocol': 'h'}"),
	  "FILE:2:13: bridges.a.headers.sec-websocket-protocol: is set by the option \"subpro"
	  "tocols\"" },
	{ BRIDGE("'headers': {'Content-Length': '0'}"),
	  "FILE:2:13: bridges.a.headers.Content-Length: belongs to the handshake and cannot b"
	  "e set" },
	{ BRIDGE("'headers': {'Transfer-Encoding': 'chunked'}"),
	  "FILE:2:13: bridges.a.headers.Transfer-Encoding: belongs to the handshake and canno"
	  "t be set" },
	{ BRIDGE("'headers': {'X': 'a', 'x': 'b'}"),
	  "FILE:2:23: bridges.a.headers.x: is there already as \"X\"; give both values as a l"
	  "ist" },
	{ BRIDGE("'host': ''"), "FILE:2:9: bridges.a.host: must not be empty" },
	{ BRIDGE("'host': 'http://h'"),
	  "FILE:2:9: bridges.a.host: must be HOST or HOST:PORT, without scheme and path" },
	{ BRIDGE("'host': 5"),
	  "FILE:2:9: bridges.a.host: expected a string or null, found a number" },
	{ BRIDGE("'origin': 'a b'"), "FILE:2:11: bridges.a.origin: must not contain white space" },
	{ BRIDGE("'user_agent': 'a\\nb'"),
	  "FILE:2:15: bridges.a.user_agent: must not contain CR, LF or other control characte"
	  "rs" },
	{ BRIDGE("'subprotocols': 'a'"),
	  "FILE:2:17: bridges.a.subprotocols: expected a list of strings, found a string" },
	{ BRIDGE("'subprotocols': ['a', 'a,b', 5, 'a', '']"),
	  "FILE:2:23: bridges.a.subprotocols[1]: must be a token: letters, digits and !#$%&'*"
	  "+-.^_`|~\n"
	  "FILE:2:30: bridges.a.subprotocols[2]: expected a string, found a number\n"
	  "FILE:2:33: bridges.a.subprotocols[3]: is in the list already, at [0]\n"
	  "FILE:2:38: bridges.a.subprotocols[4]: must be a token: letters, digits and !#$%&'*"
	  "+-.^_`|~" },
	{ "{'bridges': {'a': {'url': 5}}}",
	  "FILE:1:27: bridges.a.url: expected a URL such as \"ws://example.net/feed\", found "
	  "a number" },
	{ "{'bridges': {'a': {'url': 'http://canary@h/'}}}",
	  "FILE:1:27: bridges.a.url: the URL begins with http://; write ws://" },
	{ "{'bridges': {'a': {'url': 'ws://u:canary@h:99999/'}}}",
	  "FILE:1:27: bridges.a.url: the port is not a number from 1 to 65535" },
	{ "{'bridges': {'a': {'url': 'ws://h/#f'}}}",
	  "FILE:1:27: bridges.a.url: a WebSocket URL must not have a fragment (\"#\")" },
	{ "{'bridges': {'a': {'url': 'ws://u:p@h/', 'headers': {'authorization': "
	  "'canary'}}}}",
	  "FILE:1:54: bridges.a.headers.authorization: contradicts the user information in th"
	  "e URL" },
};

/* The local side. */
static const struct broken endpoints[] = {
	{ BRIDGE("'endpoint': 5"),
	  "FILE:2:13: bridges.a.endpoint: expected a path or an object, found a number" },
	{ BRIDGE("'endpoint': 'x.sock'"),
	  "FILE:2:13: bridges.a.endpoint: must be an absolute path" },
	{ BRIDGE("'endpoint': ''"), "FILE:2:13: bridges.a.endpoint: must be an absolute path" },
	{ BRIDGE("'endpoint': '/run/'"),
	  "FILE:2:13: bridges.a.endpoint: must name a socket, not a folder" },
	{ BRIDGE("'endpoint': '/a\\u0000b'"),
	  "FILE:2:13: bridges.a.endpoint: must not contain a NUL character" },
	{ BRIDGE("'endpoint': '/01234567890123456789012345678901234567890123456789012345"
		 "67890123456789012345678901234567890123456789'"),
	  "FILE:2:13: bridges.a.endpoint: the path has 101 bytes, a socket's may have at most"
	  " 100" },
	{ BRIDGE("'endpoint': {}"), "FILE:2:1: bridges.a.endpoint: needs \"unix\" or \"fifo\"" },
	{ BRIDGE("'endpoint': ['/a', {'mode': '0660'}, '/b']"),
	  "FILE:2:20: bridges.a.endpoint[1]: needs \"unix\" or \"fifo\"" },
	{ BRIDGE("'endpoint': '/a', 'endpoints': ['/b']"),
	  "FILE:2:19: bridges.a.endpoints: is another spelling of \"endpoint\"; give one of t"
	  "hem" },
	{ BRIDGE("'endpoints': ['/a', '/b', '//a', {'unix': '/./b'}]"),
	  "FILE:2:27: bridges.a.endpoints[2]: two endpoints of this bridge are on one path\n"
	  "FILE:2:43: bridges.a.endpoints[3].unix: two endpoints of this bridge are on one pa"
	  "th" },
	{ ENDPOINT("'framing': 'line'"),
	  "FILE:2:12: bridges.a.endpoint.framing: expected \"lines\", \"json\", \"length\" or "
	  "\"raw\"; did you mean \"lines\"?" },
	{ ENDPOINT("'delimiter': '\\r\\n'"),
	  "FILE:2:14: bridges.a.endpoint.delimiter: expected \"\\n\" or \"\\u0000\"" },
	{ ENDPOINT("'delimiter': ''"),
	  "FILE:2:14: bridges.a.endpoint.delimiter: expected \"\\n\" or \"\\u0000\"" },
	{ ENDPOINT("'delimiter': 0"),
	  "FILE:2:14: bridges.a.endpoint.delimiter: expected \"\\n\" or \"\\u0000\", found a "
	  "number" },
	{ ENDPOINT("'max_clients': 0"),
	  "FILE:2:16: bridges.a.endpoint.max_clients: must be between 1 and 4096" },
	{ ENDPOINT("'queue': 0"),
	  "FILE:2:10: bridges.a.endpoint.queue: must be between 1K and 1G" },
	{ ENDPOINT("'mode': '660', 'newlines': 'spaces', 'binary': 64, 'send_as': 'json'"),
	  "FILE:2:28: bridges.a.endpoint.newlines: expected \"space\", \"escape\" or \"reject"
	  "\"; did you mean \"space\"?\n"
	  "FILE:2:48: bridges.a.endpoint.binary: expected \"base64\", \"hex\" or \"drop\", fo"
	  "und a number\n"
	  "FILE:2:63: bridges.a.endpoint.send_as: expected \"text\", \"binary\" or \"base64\"" },
	{ "{'bridges': {\n 'a': {'url': 'ws://h', 'endpoint': '/run/x'},\n 'b': {"
	  "'url': 'ws://h', 'endpoint': {'unix': '/run//x'}},\n 'c': {'url': 'ws:"
	  "//h', 'endpoints': ['/run/y', '/run/x']}}}",
	  "FILE:3:46: bridges.b.endpoint.unix: bridge \"b\" is on the same path as bridge \"a"
	  "\"\n"
	  "FILE:4:49: bridges.c.endpoints[1]: bridge \"c\" is on the same path as bridge \"a"
	  "\"" },
	{ "{'control': {'unix': '/c'}, 'bridges': {'a': {'url': 'ws://h', 'endpoi"
	  "nt': '/c'}}}",
	  "FILE:1:76: bridges.a.endpoint: bridge \"a\" is on the same path as the control soc"
	  "ket" },
};

/* Several errors, and errors that several objects have a part in. */
static const struct broken defaults[] = {
	{ "{'defaults': []}", "FILE:1:14: defaults: expected an object, found a list" },
	{ "{'defaults': {'url': 'x'}, 'bridges': {'a': {}, 'b': {}}}",
	  "FILE:1:22: defaults.url: the URL must begin with ws://, wss:// or ws+unix:" },
	{ "{'defaults': {'ping': {'interval': 'x'}}, 'bridges': {'a': {'url': 'ws"
	  "://h', 'ping': {'timeout': 'y'}}}}",
	  "FILE:1:36: defaults.ping.interval: \"x\" is not a duration: a number is missing\n"
	  "FILE:1:98: bridges.a.ping.timeout: \"y\" is not a duration: a number is missing" },
	{ "{'defaults': {'endpoint': '/a', 'endpoints': []}}",
	  "FILE:1:33: defaults.endpoints: is another spelling of \"endpoint\"; give one of th"
	  "em" },
	{ "{'defaults': {'endpoint': {'mode': '0660'}}, 'bridges': {'a': {'url': "
	  "'ws://h', 'endpoint': {'queue': '2M'}}}}",
	  "FILE:1:81: bridges.a.endpoint: needs \"unix\" or \"fifo\"" },
	{ "{'defaults': {'endpoint': '/x'}, 'bridges': {'a': {'url': 'ws://h'}, '"
	  "b': {'url': 'ws://h'}}}",
	  "FILE:1:70: bridges.b.endpoint: bridge \"b\" is on the same path as bridge \"a\"" },
	{ "{\n 'log': {'level': 'x'},\n 'bridges': {\n  'a': {'start': 'x', 'mask"
	  "': 'x'},\n  'b': 5},\n 'limits': {'clients': 0}}",
	  "FILE:2:19: log.level: expected \"error\", \"warning\", \"notice\", \"info\" or \"d"
	  "ebug\"\n"
	  "FILE:4:3: bridges.a.url: is missing\n"
	  "FILE:4:18: bridges.a.start: expected \"auto\", \"manual\" or \"on-demand\"\n"
	  "FILE:4:31: bridges.a.mask: expected \"random\" or \"zero\"\n"
	  "FILE:5:8: bridges.b: expected an object, found a number\n"
	  "FILE:6:24: limits.clients: must be between 1 and 65536" },
};

static void test_handshake(void **state)
{
	(void)state;
	config_check_broken(handshake, COUNT(handshake));
}

static void test_endpoints(void **state)
{
	(void)state;
	config_check_broken(endpoints, COUNT(endpoints));
}

static void test_defaults(void **state)
{
	(void)state;
	config_check_broken(defaults, COUNT(defaults));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_handshake),
		cmocka_unit_test(test_endpoints),
		cmocka_unit_test(test_defaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
