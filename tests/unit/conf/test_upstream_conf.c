/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Broken bridges: where the server is, secrets and authentication. Each with
 * every sentence that must come out; secrets are never quoted.
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

/* Where the upstream is and how it is reached. */
static const struct broken places[] = {
	{ "{'bridges': {'a': {'url': []}}}", "FILE:1:27: bridges.a.url: must have 1 to 32 URLs" },
	{ "{'bridges': {'a': {'url': ['ws://h/', 5, 'canary']}}}",
	  "FILE:1:39: bridges.a.url[1]: expected a URL such as \"ws://example.net/feed\", found a "
	  "number\n"
	  "FILE:1:42: bridges.a.url[2]: the URL must begin with ws://, wss:// or ws+unix:" },
	{ "{'bridges': {'a': {'url': ['ws://h/', 'ws://u:canary@h:0/']}}}",
	  "FILE:1:39: bridges.a.url[1]: the port is not a number from 1 to 65535" },
	{ "{'bridges': {'a': {'url': 'ws+unix:x.sock:/'}}}",
	  "FILE:1:27: bridges.a.url: the path of the socket must be absolute, as in "
	  "ws+unix:///run/x.sock:/path" },
	{ "{'bridges': {'a': {'url': 'wss://u:canary@/'}}}",
	  "FILE:1:27: bridges.a.url: the host is missing" },
	{ "{'bridges': {'a': {'url': "
	  "'wss://"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/'}}}",
	  "FILE:1:27: bridges.a.url: the host is longer than 253 bytes" },
	{ BRIDGE("'connect_to': 5"), "FILE:2:15: bridges.a.connect_to: expected \"HOST:PORT\", "
				     "\"[IPV6]:PORT\" or \"unix:/PATH\", found a number" },
	{ BRIDGE("'connect_to': ''"), "FILE:2:15: bridges.a.connect_to: the host is missing" },
	{ BRIDGE("'connect_to': 'h'"), "FILE:2:15: bridges.a.connect_to: the port is missing" },
	{ BRIDGE("'connect_to': 'h:'"), "FILE:2:15: bridges.a.connect_to: the port is missing" },
	{ BRIDGE("'connect_to': ':80'"), "FILE:2:15: bridges.a.connect_to: the host is missing" },
	{ BRIDGE("'connect_to': 'h:0'"),
	  "FILE:2:15: bridges.a.connect_to: the port is not a number from 1 to 65535" },
	{ BRIDGE("'connect_to': 'h:65536'"),
	  "FILE:2:15: bridges.a.connect_to: the port is not a number from 1 to 65535" },
	{ BRIDGE("'connect_to': 'h:80x'"),
	  "FILE:2:15: bridges.a.connect_to: the port is not a number from 1 to 65535" },
	{ BRIDGE("'connect_to': '::1:80'"),
	  "FILE:2:15: bridges.a.connect_to: an IPv6 address must stand in brackets" },
	{ BRIDGE("'connect_to': '[::1]'"), "FILE:2:15: bridges.a.connect_to: the port is missing" },
	{ BRIDGE("'connect_to': '[::1:80'"),
	  "FILE:2:15: bridges.a.connect_to: the bracket around the IPv6 address is not closed" },
	{ BRIDGE("'connect_to': '[h]:80'"),
	  "FILE:2:15: bridges.a.connect_to: what stands in the brackets is not an IPv6 address" },
	{ BRIDGE("'connect_to': 'u:canary@h:80'"),
	  "FILE:2:15: bridges.a.connect_to: must be \"HOST:PORT\", \"[IPV6]:PORT\" or "
	  "\"unix:/PATH\"" },
	{ BRIDGE("'connect_to': 'canary@h:80'"),
	  "FILE:2:15: bridges.a.connect_to: must be \"HOST:PORT\", \"[IPV6]:PORT\" or "
	  "\"unix:/PATH\"" },
	{ BRIDGE("'connect_to': 'http://h:80'"),
	  "FILE:2:15: bridges.a.connect_to: must be \"HOST:PORT\", \"[IPV6]:PORT\" or "
	  "\"unix:/PATH\"" },
	{ BRIDGE("'connect_to': 'h:80/'"), "FILE:2:15: bridges.a.connect_to: must be "
					   "\"HOST:PORT\", \"[IPV6]:PORT\" or \"unix:/PATH\"" },
	{ BRIDGE("'connect_to': 'h h:80'"), "FILE:2:15: bridges.a.connect_to: must be "
					    "\"HOST:PORT\", \"[IPV6]:PORT\" or \"unix:/PATH\"" },
	{ BRIDGE("'connect_to': "
		 "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		 "aaaaaaaaaaaa:80'"),
	  "FILE:2:15: bridges.a.connect_to: the host is longer than 253 bytes" },
	{ BRIDGE("'connect_to': 'unix:x.sock'"),
	  "FILE:2:15: bridges.a.connect_to: must be an absolute path" },
	{ BRIDGE("'connect_to': 'unix:/x/'"),
	  "FILE:2:15: bridges.a.connect_to: must name a socket, not a folder" },
	{ BRIDGE("'connect_to': "
		 "'unix:/"
		 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		 "aaaaaaaaaaaaaaaaaaaaaaaaaa'"),
	  "FILE:2:15: bridges.a.connect_to: the path has 108 bytes, a socket's may have at most "
	  "107" },
	{ BRIDGE("'connect_to': 'unix:/x\\u0007'"),
	  "FILE:2:15: bridges.a.connect_to: must not contain control characters" },
	{ BRIDGE("'redirects': 11"), "FILE:2:14: bridges.a.redirects: must be between 0 and 10" },
	{ BRIDGE("'redirects': -1"), "FILE:2:14: bridges.a.redirects: must be between 0 and 10" },
	{ BRIDGE("'redirects': true"),
	  "FILE:2:14: bridges.a.redirects: expected a whole number, found true" },
};

/* Secrets: only their shape is known; never a word of them. */
static const struct broken secrets[] = {
	{ BRIDGE("'cookie': 5"),
	  "FILE:2:11: bridges.a.cookie: expected a string or an object with \"file\", \"env\", "
	  "\"credential\" or \"command\", found a number" },
	{ BRIDGE("'cookie': ''"), "FILE:2:11: bridges.a.cookie: must not be empty" },
	{ BRIDGE("'cookie': 'canary\\r\\nX: y'"),
	  "FILE:2:11: bridges.a.cookie: must not contain CR, LF or other control characters" },
	{ BRIDGE("'cookie': 'canary\\u0000'"),
	  "FILE:2:11: bridges.a.cookie: must not contain a NUL character" },
	{ BRIDGE("'cookie': []"),
	  "FILE:2:11: bridges.a.cookie: expected a string or an object with \"file\", \"env\", "
	  "\"credential\" or \"command\", found a list" },
	{ BRIDGE("'cookie': {}"), "FILE:2:11: bridges.a.cookie: needs exactly one of \"file\", "
				  "\"env\", \"credential\" or \"command\"" },
	{ BRIDGE("'cookie': {'canary': '/x'}"),
	  "FILE:2:11: bridges.a.cookie: needs exactly one of \"file\", \"env\", \"credential\" or "
	  "\"command\"" },
	{ BRIDGE("'cookie': {'flie': '/x'}"),
	  "FILE:2:11: bridges.a.cookie: needs exactly one of \"file\", \"env\", \"credential\" or "
	  "\"command\"; did you mean \"file\"?" },
	{ BRIDGE("'cookie': {'file': '/x', 'env': 'X'}"),
	  "FILE:2:11: bridges.a.cookie: needs exactly one of \"file\", \"env\", \"credential\" or "
	  "\"command\"" },
	{ BRIDGE("'cookie': {'file': 'canary'}"),
	  "FILE:2:20: bridges.a.cookie.file: must be an absolute path" },
	{ BRIDGE("'cookie': {'file': '/can\\nary'}"),
	  "FILE:2:20: bridges.a.cookie.file: must not contain control characters" },
	{ BRIDGE("'cookie': {'file': 5}"),
	  "FILE:2:20: bridges.a.cookie.file: expected a string, found a number" },
	{ BRIDGE("'cookie': {'env': 'a canary'}"), "FILE:2:19: bridges.a.cookie.env: must be the "
						   "name of a variable: letters, digits and _" },
	{ BRIDGE("'cookie': {'env': '1X'}"), "FILE:2:19: bridges.a.cookie.env: must be the name of "
					     "a variable: letters, digits and _" },
	{ BRIDGE("'cookie': {'env': ''}"), "FILE:2:19: bridges.a.cookie.env: must be the name of a "
					   "variable: letters, digits and _" },
	{ BRIDGE("'cookie': {'credential': 'canary/x'}"),
	  "FILE:2:26: bridges.a.cookie.credential: must be the name of a credential, without \"/\" "
	  "and \":\"" },
	{ BRIDGE("'cookie': {'credential': '..'}"),
	  "FILE:2:26: bridges.a.cookie.credential: must be the name of a credential, without \"/\" "
	  "and \":\"" },
	{ BRIDGE("'cookie': {'credential': 'can\\tary'}"),
	  "FILE:2:26: bridges.a.cookie.credential: must be ASCII without control characters" },
	{ BRIDGE("'cookie': {'command': '/bin/canary'}"),
	  "FILE:2:23: bridges.a.cookie.command: expected a list of a program and its arguments, "
	  "found a string" },
	{ BRIDGE("'cookie': {'command': []}"),
	  "FILE:2:23: bridges.a.cookie.command: must have 1 to 64 elements" },
	{ BRIDGE("'cookie': {'command': ['canary', 'x']}"),
	  "FILE:2:24: bridges.a.cookie.command[0]: must be an absolute path" },
	{ BRIDGE("'cookie': {'command': ['/bin/x', 5, 'canary\\u0000']}"),
	  "FILE:2:34: bridges.a.cookie.command[1]: expected a string, found a number\n"
	  "FILE:2:37: bridges.a.cookie.command[2]: must not contain a NUL character" },
	{ BRIDGE("'headers': {'X': {'file': 'canary'}}"),
	  "FILE:2:27: bridges.a.headers.X.file: must be an absolute path" },
	{ BRIDGE("'headers': {'X': ['canary', {'env': 'canary='}]}"),
	  "FILE:2:37: bridges.a.headers.X[1].env: must be the name of a variable: letters, digits "
	  "and _" },
	{ BRIDGE("'headers': {'X': {'canary': 1}}"),
	  "FILE:2:18: bridges.a.headers.X: needs exactly one of \"file\", \"env\", \"credential\" "
	  "or \"command\"" },
	{ BRIDGE("'headers': {'Proxy-Authorization': 'canary'}"),
	  "FILE:2:13: bridges.a.headers.Proxy-Authorization: is set by the option "
	  "\"proxy_password\"" },
	{ BRIDGE("'cookies': 'keap'"),
	  "FILE:2:12: bridges.a.cookies: expected \"keep\" or \"off\"; did you mean \"keep\"?" },
	{ BRIDGE("'cookies': false"),
	  "FILE:2:12: bridges.a.cookies: expected \"keep\" or \"off\", found false" },
	{ BRIDGE("'cookie': 'canary', 'headers': {'cookie': 'canary'}"),
	  "FILE:2:33: bridges.a.headers.cookie: contradicts the option \"cookie\"" },
};

/* Authentication, in one way only. */
static const struct broken auth[] = {
	{ BRIDGE("'auth': 'canary'"),
	  "FILE:2:9: bridges.a.auth: expected an object, found a string" },
	{ BRIDGE("'auth': {}"), "FILE:2:1: bridges.a.auth: needs \"basic\" or \"bearer\"" },
	{ BRIDGE("'auth': {'token': 'canary'}"), "FILE:2:10: bridges.a.auth.token: unknown key" },
	{ BRIDGE("'auth': {'barer': 'canary'}"),
	  "FILE:2:10: bridges.a.auth.barer: unknown key; did you mean \"bearer\"?" },
	{ BRIDGE("'auth': {'bearer': 'can ary'}"),
	  "FILE:2:20: bridges.a.auth.bearer: must not contain white space" },
	{ BRIDGE("'auth': {'bearer': ''}"), "FILE:2:20: bridges.a.auth.bearer: must not be empty" },
	{ BRIDGE("'auth': {'bearer': 5}"),
	  "FILE:2:20: bridges.a.auth.bearer: expected a string or an object with \"file\", "
	  "\"env\", \"credential\" or \"command\", found a number" },
	{ BRIDGE("'auth': {'bearer': {'file': 'canary'}}"),
	  "FILE:2:29: bridges.a.auth.bearer.file: must be an absolute path" },
	{ BRIDGE("'auth': {'basic': 'u:canary'}"),
	  "FILE:2:19: bridges.a.auth.basic: expected an object, found a string" },
	{ BRIDGE("'auth': {'basic': {}}"), "FILE:2:10: bridges.a.auth.basic.user: is missing\n"
					   "FILE:2:10: bridges.a.auth.basic.password: is missing" },
	{ BRIDGE("'auth': {'basic': {'user': 'u'}}"),
	  "FILE:2:10: bridges.a.auth.basic.password: is missing" },
	{ BRIDGE("'auth': {'basic': {'password': 'canary'}}"),
	  "FILE:2:10: bridges.a.auth.basic.user: is missing" },
	{ BRIDGE("'auth': {'basic': {'user': '', 'password': 'canary'}}"),
	  "FILE:2:28: bridges.a.auth.basic.user: must not be empty" },
	{ BRIDGE("'auth': {'basic': {'user': 'u:canary', 'password': 'canary'}}"),
	  "FILE:2:28: bridges.a.auth.basic.user: must not contain a colon" },
	{ BRIDGE("'auth': {'basic': {'user': {'env': 'X'}, 'password': 'canary'}}"),
	  "FILE:2:28: bridges.a.auth.basic.user: expected a string, found an object" },
	{ BRIDGE("'auth': {'basic': {'user': 'u', 'password': 'can\\nary'}}"),
	  "FILE:2:45: bridges.a.auth.basic.password: must not contain control characters" },
	{ BRIDGE("'auth': {'basic': {'user': 'u', 'passwd': 'canary'}}"),
	  "FILE:2:10: bridges.a.auth.basic.password: is missing\n"
	  "FILE:2:33: bridges.a.auth.basic.passwd: unknown key; did you mean \"password\"?" },
	{ BRIDGE("'auth': {'basic': {'user': 'u', 'password': 'canary'}, 'bearer': 'canary'}"),
	  "FILE:2:56: bridges.a.auth.bearer: contradicts \"basic\" beside it; give one of them" },
	{ BRIDGE("'auth': {'bearer': 'canary'}, 'headers': {'Authorization': 'canary'}"),
	  "FILE:2:43: bridges.a.headers.Authorization: contradicts the option \"auth\"" },
	{ "{'bridges': {'a': {'url': ['ws://h/', 'ws://canary@h/'], 'auth': {'bearer': "
	  "'canary'}}}}",
	  "FILE:1:58: bridges.a.auth: contradicts the user information in the URL" },
	{ "{'bridges': {'a': {'url': ['ws://h/', 'ws://canary@h/'], 'headers': {'Authorization': "
	  "'canary'}}}}",
	  "FILE:1:70: bridges.a.headers.Authorization: contradicts the user information in the "
	  "URL" },
};

/* Several objects and their parts in an error. */
static const struct broken defaults[] = {
	{ "{'defaults': {'tls': {'min_version': '1.3'}}, 'bridges': {'a': {'url': 'wss://h', "
	  "'tls': {'max_version': '1.2'}}}}",
	  "FILE:1:106: bridges.a.tls.max_version: is below \"min_version\"" },
	{ "{'defaults': {'headers': {'Authorization': 'canary'}}, 'bridges': {'a': {'url': "
	  "'ws://h', 'auth': {'bearer': 'canary'}}}}",
	  "FILE:1:68: bridges.a.headers.Authorization: contradicts the option \"auth\"" },
	{ "{'defaults': {'auth': {'bearer': 'canary'}}, 'bridges': {'a': {'url': "
	  "'ws://canary@h'}}}",
	  "FILE:1:58: bridges.a.auth: contradicts the user information in the URL" },
	{ "{'defaults': {'cookie': {'file': 'canary'}}, 'bridges': {'a': {'url': 'ws://h'}}}",
	  "FILE:1:34: defaults.cookie.file: must be an absolute path" },
	{ "{'defaults': {'auth': {'basic': {'user': 'u'}}}, 'bridges': {'a': {'url': 'ws://h'}}}",
	  "FILE:1:62: bridges.a.auth.basic.password: is missing" },
	{ "{'defaults': {'proxy_password': 'canary'}, 'bridges': {'a': {'url': 'ws://h', 'proxy': "
	  "'http://h'}}}",
	  "FILE:1:56: bridges.a.proxy_password: needs a user name in the URL of \"proxy\"" },
};

static void test_places(void **state)
{
	(void)state;
	config_check_broken(places, COUNT(places));
}

static void test_secrets(void **state)
{
	(void)state;
	config_check_broken(secrets, COUNT(secrets));
}

static void test_auth(void **state)
{
	(void)state;
	config_check_broken(auth, COUNT(auth));
}

static void test_defaults(void **state)
{
	(void)state;
	config_check_broken(defaults, COUNT(defaults));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_auth),
		cmocka_unit_test(test_defaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
