/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of endpoints that do not go together, with every sentence about
 * them; and what `defaults` may say about endpoints of any kind.
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
#define ENDPOINT(options) "{'bridges': {'a': {'url': 'ws://h/', 'endpoint': {\n" options "}}}}"
#define PRIVATE(options)                                                                           \
	"{'bridges': {'a': {'url': 'ws://h/', 'sharing': 'private', 'endpoint': {\n" options "}}}" \
	"}"
#define AT "bridges.a.endpoint"
#define NAME100                                             \
	"0123456789012345678901234567890123456789012345678" \
	"901234567890123456789012345678901234567890123456789"

static const struct broken places[] = {
	{ ENDPOINT("'unix': '@'"),
	  "FILE:2:9: " AT ".unix: behind \"@\" a name of 1 to 100 bytes must follow" },
	{ ENDPOINT("'unix': '@" NAME100 "x'"),
	  "FILE:2:9: " AT ".unix: behind \"@\" a name of 1 to 100 bytes must follow" },
	{ ENDPOINT("'unix': '@a\\nb'"),
	  "FILE:2:9: " AT ".unix: must not contain control characters" },
	{ ENDPOINT("'unix': '@a\\u0000b'"),
	  "FILE:2:9: " AT ".unix: must not contain a NUL character" },
	{ ENDPOINT("'unix': 'systemd:'"),
	  "FILE:2:9: " AT ".unix: behind \"systemd:\" a name of 1 to 255 ASCII characters "
	  "without a colon must follow" },
	{ ENDPOINT("'unix': 'systemd:a:b'"),
	  "FILE:2:9: " AT ".unix: behind \"systemd:\" a name of 1 to 255 ASCII characters "
	  "without a colon must follow" },
	{ ENDPOINT("'unix': 'systemd:\xc3\xa9'"),
	  "FILE:2:9: " AT ".unix: behind \"systemd:\" a name of 1 to 255 ASCII characters "
	  "without a colon must follow" },
	{ ENDPOINT("'fifo': '/x'"), "FILE:2:9: " AT ".fifo: expected an object, found a string" },
	{ ENDPOINT("'fifo': {}"), "FILE:2:1: " AT ".fifo: needs \"out\" or \"in\"" },
	{ ENDPOINT("'fifo': {'to': '/x'}"), "FILE:2:10: " AT ".fifo.to: unknown key" },
	{ ENDPOINT("'fifo': {'out': 'x', 'in': '/'}"),
	  "FILE:2:17: " AT ".fifo.out: must be an absolute path\n"
	  "FILE:2:28: " AT ".fifo.in: must name a FIFO, not a folder" },
	{ ENDPOINT("'fifo': {'out': '/x'}, 'unix': '/y'"),
	  "FILE:2:1: " AT ".fifo: contradicts \"unix\" beside it; give one of them" },
	{ ENDPOINT("'fifo': {'out': '/x', 'in': '//x'}"),
	  "FILE:2:29: " AT ".fifo.in: must not be the FIFO of \"out\"" },
	{ "{'bridges': {'a': {'url': 'ws://h/', 'endpoints': ['/a', '@a',\n"
	  "{'fifo': {'out': '/b', 'in': '/a'}}, '@a', '@/a', '@//a', 'systemd:a', "
	  "'systemd:a'\n"
	  "]}}}",
	  "FILE:2:30: bridges.a.endpoints[2].fifo.in: two endpoints of this bridge are on one "
	  "path\n"
	  "FILE:2:38: bridges.a.endpoints[3]: two endpoints of this bridge are on one path\n"
	  "FILE:2:72: bridges.a.endpoints[7]: two endpoints of this bridge are on one path" },
	{ "{'bridges': {'a': {'url': 'ws://h', 'endpoint': {'fifo': {'in': '/p'}}},\n"
	  "'b': {'url': 'ws://h', 'endpoint': {'fifo': {'in': '/q', 'out': '/p'}}},\n"
	  "'c': {'url': 'ws://h', 'endpoint': '/q'}}}",
	  "FILE:2:65: bridges.b.endpoint.fifo.out: bridge \"b\" is on the same path as bridge "
	  "\"a\"\n"
	  "FILE:3:36: bridges.c.endpoint: bridge \"c\" is on the same path as bridge \"b\"" },
	{ "{'control': {'unix': '/c'}, 'bridges': {'a': {'url': 'ws://h', 'endpoint':\n"
	  "{'fifo': {'in': '/c'}}}}}",
	  "FILE:2:17: bridges.a.endpoint.fifo.in: bridge \"a\" is on the same path as the "
	  "control socket" },
};

#define NO_CLIENTS "only for a socket: nobody can say who opens a FIFO"
#define PATH_ONLY "only for a socket or FIFO at a path"

static const struct broken kinds[] = {
	{ ENDPOINT("'fifo': {'out': '/x'}, 'type': 'stream'"),
	  "FILE:2:24: " AT ".type: only for a socket" },
	{ ENDPOINT("'fifo': {'out': '/x'}, 'max_clients': 1, 'access': 'r'"),
	  "FILE:2:24: " AT ".max_clients: only for a socket: nobody can say how many open a "
	  "FIFO\n"
	  "FILE:2:42: " AT ".access: only for a socket; of a FIFO, \"out\" and \"in\" say it" },
	{ ENDPOINT("'fifo': {'out': '/x'}, 'allow_users': ['a'], 'allow_groups': ['b']"),
	  "FILE:2:24: " AT ".allow_users: " NO_CLIENTS "\n"
	  "FILE:2:46: " AT ".allow_groups: " NO_CLIENTS },
	{ ENDPOINT("'unix': '@a', 'mode': '0600', 'owner': 'a', 'group': 'b'"),
	  "FILE:2:15: " AT ".mode: " PATH_ONLY "\n"
	  "FILE:2:31: " AT ".owner: " PATH_ONLY "\n"
	  "FILE:2:45: " AT ".group: " PATH_ONLY },
	{ ENDPOINT("'unix': 'systemd:a', 'mode': '0600'"), "FILE:2:22: " AT ".mode: " PATH_ONLY },
	{ ENDPOINT("'unix': '/a', 'type': 'dgram'"),
	  "FILE:2:23: " AT ".type: expected \"stream\" or \"seqpacket\"" },
	{ ENDPOINT("'unix': '/a', 'type': 'seqpacket', 'framing': 'length'"),
	  "FILE:2:47: " AT ".framing: \"length\" is not for type \"seqpacket\": a packet has a "
	  "length" },
	{ ENDPOINT("'unix': '/a', 'type': 'seqpacket', 'delimiter': '\\n', 'newlines': 'space'"),
	  "FILE:2:36: " AT ".delimiter: not for type \"seqpacket\": each packet is a message\n"
	  "FILE:2:55: " AT ".newlines: not for type \"seqpacket\": each packet is a message" },
	{ ENDPOINT("'unix': '/a', 'owner': '', 'group': 'a:b', 'allow_users': ['a b', "
		   "'4294967295', 'a', 'a', 5]"),
	  "FILE:2:24: " AT ".owner: must be a name or a number\n"
	  "FILE:2:37: " AT ".group: must be a name or a number, without \":\", \"/\" and blanks\n"
	  "FILE:2:60: " AT
	  ".allow_users[0]: must be a name or a number, without \":\", \"/\" and blanks\n"
	  "FILE:2:67: " AT ".allow_users[1]: as a number it must be below 4294967295\n"
	  "FILE:2:86: " AT ".allow_users[3]: is in the list already, at [2]\n"
	  "FILE:2:91: " AT ".allow_users[4]: expected a string, found a number" },
	{ PRIVATE("'fifo': {'out': '/x'}"),
	  "FILE:2:1: " AT
	  ".fifo: not with sharing \"private\": a FIFO cannot tell its clients apart" },
	{ PRIVATE("'unix': '/x', 'replay': 5"),
	  "FILE:2:15: " AT
	  ".replay: nothing can be replayed with sharing \"private\": each client has its own "
	  "connection" },
};

#define LINES_ONLY "only for framing \"lines\""
#define JSON_ONLY "only for framing \"json\""

static const struct broken framings[] = {
	{ ENDPOINT("'unix': '/a', 'framing': 'jsn'"),
	  "FILE:2:26: " AT ".framing: expected \"lines\", \"json\", \"length\" or \"raw\"; did you "
	  "mean \"json\"?" },
	{ ENDPOINT("'unix': '/a', 'framing': 'json', 'delimiter': '\\n', 'binary': 'hex'"),
	  "FILE:2:34: " AT ".delimiter: " LINES_ONLY "\n"
	  "FILE:2:53: " AT ".binary: " LINES_ONLY },
	{ ENDPOINT("'unix': '/a', 'framing': 'length', 'newlines': 'escape', 'send_as': 'text'"),
	  "FILE:2:36: " AT ".newlines: " LINES_ONLY "\n"
	  "FILE:2:58: " AT ".send_as: only for framing \"lines\" or \"raw\"" },
	{ ENDPOINT("'unix': '/a', 'framing': 'raw', 'send_as': 'base64', 'data': 'inline'"),
	  "FILE:2:33: " AT ".send_as: \"base64\" is only for framing \"lines\"\n"
	  "FILE:2:54: " AT ".data: " JSON_ONLY },
	{ ENDPOINT("'unix': '/a', 'events': []"), "FILE:2:15: " AT ".events: " JSON_ONLY },
	{ ENDPOINT("'unix': '/a', 'framing': 'json', 'events': 'all'"),
	  "FILE:2:44: " AT ".events: expected a list of strings, found a string" },
	{ ENDPOINT("'unix': '/a', 'framing': 'json', 'events': ['opn', 5, 'gap', 'gap']"),
	  "FILE:2:45: " AT ".events[0]: expected \"open\", \"close\", \"ping\", \"pong\", \"gap\", "
	  "\"error\" or \"ack\"; did you mean \"open\"?\n"
	  "FILE:2:52: " AT ".events[1]: expected \"open\", \"close\", \"ping\", \"pong\", \"gap\", "
	  "\"error\" or \"ack\", found a number\n"
	  "FILE:2:62: " AT ".events[3]: is in the list already" },
	{ ENDPOINT("'unix': '/a', 'data': 'raw'"),
	  "FILE:2:23: " AT ".data: expected \"string\" or \"inline\"" },
	{ ENDPOINT("'unix': '/a', 'block_timeout': 5"),
	  "FILE:2:15: " AT ".block_timeout: only for overflow \"block\"" },
	{ ENDPOINT("'unix': '/a', 'overflow': 'block', 'block_timeout': 0"),
	  "FILE:2:53: " AT ".block_timeout: must be between 10ms and 1d" },
	{ ENDPOINT("'unix': '/a', 'replay': 10001"),
	  "FILE:2:25: " AT ".replay: must be between 0 and 10000" },
	{ ENDPOINT("'unix': '/a', 'access': 'x'"),
	  "FILE:2:25: " AT ".access: expected \"rw\", \"r\" or \"w\"" },
};

static void test_places(void **state)
{
	(void)state;
	config_check_broken(places, COUNT(places));
}

static void test_kinds(void **state)
{
	(void)state;
	config_check_broken(kinds, COUNT(kinds));
}

static void test_framings(void **state)
{
	(void)state;
	config_check_broken(framings, COUNT(framings));
}

/* The only endpoint of the only bridge. */
static const struct endpoint_conf *load(struct config *c, const char *text)
{
	config_write(c, "FILE", text);
	config_load(c, "FILE");
	if (*c->errors)
		fail_msg("%s\nsaid %s", text, c->errors);
	assert_int_equal(c->conf->bridges[0]->n_endpoints, 1);
	return &c->conf->bridges[0]->endpoints[0];
}

static void test_values(void **state)
{
	const struct endpoint_conf *e;
	struct config c;

	(void)state;
	config_init(&c);
	e = load(&c, ENDPOINT("'unix': '@" NAME100 "', 'type': 'seqpacket', 'framing': 'json', "
			      "'data': 'inline', 'events': ['gap', 'ack'], 'access': 'w', "
			      "'allow_users': ['a', '0'], 'allow_groups': ['g']"));
	assert_string_equal(e->unix_path, "@" NAME100);
	assert_string_equal(endpoint_conf_label(e), e->unix_path);
	assert_int_equal(e->rules->type, SOCKET_SEQPACKET);
	assert_int_equal(e->rules->framing, FRAMING_JSON);
	assert_int_equal(e->rules->data, JSON_DATA_INLINE);
	assert_int_equal(e->rules->events, EVENTS_GAP | EVENTS_ACK);
	assert_int_equal(e->rules->access, ACCESS_W);
	assert_int_equal(e->rules->n_allow_users, 2);
	assert_string_equal(e->rules->allow_users[1], "0");
	assert_string_equal(e->rules->allow_groups[0], "g");
	e = load(&c, ENDPOINT("'fifo': {'out': '/o', 'in': '/i'}, 'framing': 'length', 'owner': "
			      "'u', 'group': '7', 'mode': '0640', 'replay': 10000, 'overflow': "
			      "'block', 'block_timeout': '1min'"));
	assert_null(e->unix_path);
	assert_string_equal(e->fifo_out, "/o");
	assert_string_equal(e->fifo_in, "/i");
	assert_string_equal(endpoint_conf_label(e), "/o");
	assert_int_equal(e->rules->framing, FRAMING_LENGTH);
	assert_string_equal(e->rules->owner, "u");
	assert_string_equal(e->rules->group, "7");
	assert_int_equal(e->rules->replay, 10000);
	assert_int_equal(e->rules->overflow, OVERFLOW_BLOCK);
	assert_int_equal(e->rules->block_timeout, 60000000);
	e = load(&c, ENDPOINT("'fifo': {'in': '/i'}, 'framing': 'json', 'events': []"));
	assert_string_equal(endpoint_conf_label(e), "/i");
	assert_int_equal(e->rules->events, 0);
	e = load(&c, PRIVATE("'unix': 'systemd:a b', 'framing': 'raw', 'replay': 0"));
	assert_string_equal(e->unix_path, "systemd:a b");
	assert_int_equal(c.conf->bridges[0]->common->sharing, SHARING_PRIVATE);
	config_deinit(&c);
}

/* send_as has a default of its own for raw. */
static void test_send_as(void **state)
{
	static const struct {
		const char *options;
		enum conf_send_as send_as;
	} rows[] = {
		{ ENDPOINT("'unix': '/a'"), SEND_AS_TEXT },
		{ ENDPOINT("'unix': '/a', 'framing': 'lines'"), SEND_AS_TEXT },
		{ ENDPOINT("'unix': '/a', 'framing': 'raw'"), SEND_AS_BINARY },
		{ ENDPOINT("'unix': '/a', 'framing': 'raw', 'send_as': 'text'"), SEND_AS_TEXT },
		{ ENDPOINT("'unix': '/a', 'framing': 'raw', 'send_as': 'binary'"), SEND_AS_BINARY },
		{ ENDPOINT("'unix': '/a', 'send_as': 'base64'"), SEND_AS_BASE64 },
	};
	struct config c;

	(void)state;
	config_init(&c);
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(load(&c, rows[i].options)->rules->send_as, rows[i].send_as);
	config_deinit(&c);
}

#define OVER(defaults, own)                           \
	"{'defaults': {'endpoint': {" defaults "}}, " \
	"'bridges': {'a': {'url': 'ws://h', 'endpoint': " own "}}}"

/* What only the defaults say and does not fit is as if it were not there. */
static void test_defaults(void **state)
{
	const struct endpoint_conf *e;
	struct config c;

	(void)state;
	config_init(&c);
	e = load(&c, OVER("'send_as': 'base64', 'binary': 'hex', 'max_clients': 5",
			  "{'unix': '/a', 'framing': 'raw'}"));
	assert_int_equal(e->rules->send_as, SEND_AS_BINARY);
	assert_int_equal(e->rules->binary, BINARY_BASE64);
	assert_int_equal(e->rules->max_clients, 5);
	e = load(&c,
		 OVER("'max_clients': 5, 'mode': '0640', 'unix': '/b'", "{'fifo': {'out': '/a'}}"));
	assert_null(e->unix_path);
	assert_int_equal(e->rules->max_clients, 64);
	assert_int_equal(e->rules->mode, 0640);
	e = load(&c, OVER("'fifo': {'out': '/b'}, 'mode': '0640'", "'@a'"));
	assert_string_equal(e->unix_path, "@a");
	assert_null(e->fifo_out);
	assert_int_equal(e->rules->mode, 0600);
	e = load(&c, OVER("'framing': 'json', 'events': ['gap']", "{'unix': '/a'}"));
	assert_int_equal(e->rules->events, EVENTS_GAP);
	e = load(&c, OVER("'events': ['gap'], 'data': 'inline'", "{'unix': '/a'}"));
	assert_int_equal(e->rules->events, EVENTS_ALL);
	e = load(&c, OVER("'replay': 5", "{'unix': '/a'}, 'sharing': 'private'"));
	assert_int_equal(e->rules->replay, 0);
	e = load(&c, OVER("'fifo': {'out': '/a'}", "{'fifo': {'in': '/b'}}"));
	assert_string_equal(e->fifo_out, "/a");
	assert_string_equal(e->fifo_in, "/b");
	config_deinit(&c);
}

/* What the bridge says itself is judged, whoever says the rest. */
static void test_own_over_defaults(void **state)
{
	static const struct broken rows[] = {
		{ OVER("'framing': 'json'", "{'unix': '/a', 'delimiter': '\\n'}"),
		  "FILE:1:111: " AT ".delimiter: " LINES_ONLY },
		{ OVER("'type': 'seqpacket'", "{'unix': '/a', 'framing': 'length'}"),
		  "FILE:1:124: " AT ".framing: \"length\" is not for type \"seqpacket\": a packet "
		  "has a length" },
		{ "{'defaults': {'endpoint': {'events': ['opn']}}}",
		  "FILE:1:39: defaults.endpoint.events[0]: expected \"open\", \"close\", \"ping\", "
		  "\"pong\", \"gap\", \"error\" or \"ack\"; did you mean \"open\"?" },
	};

	(void)state;
	config_check_broken(rows, COUNT(rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_framings),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_send_as),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_own_over_defaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
