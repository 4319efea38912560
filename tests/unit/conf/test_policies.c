/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a bridge starts, lives and ends, as it is configured: heartbeat, idle
 * time, what is fatal, linger, rate, and the limits of the daemon for these.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config_file.h"

#define COUNT(rows) (sizeof(rows) / sizeof(*(rows)))

#define SECOND INT64_C(1000000)

/* The given options stand on the second line. */
#define BRIDGE(options) "{'bridges': {'a': {'url': 'ws://h/',\n" options "}}}"

static const struct broken heartbeats[] = {
	{ BRIDGE("'heartbeat': 5"),
	  "FILE:2:14: bridges.a.heartbeat: expected an object, found a number" },
	{ BRIDGE("'heartbeat': {}"), "FILE:2:1: bridges.a.heartbeat.interval: is missing" },
	{ BRIDGE("'heartbeat': {'interval': 5}"),
	  "FILE:2:1: bridges.a.heartbeat.message: is missing" },
	{ BRIDGE("'heartbeat': {'message': 'a'}"),
	  "FILE:2:1: bridges.a.heartbeat.interval: is missing" },
	{ BRIDGE("'heartbeat': {'interval': 0.01, 'message': 'a'}"),
	  "FILE:2:27: bridges.a.heartbeat.interval: must be 0 (\"off\") or between 100ms and 1d" },
	{ BRIDGE("'heartbeat': {'interval': 5, 'message': 5}"),
	  "FILE:2:41: bridges.a.heartbeat.message: expected a string or one of {\"text\": ...}, "
	  "{\"json\": ...}, {\"binary\": ...}, found a number" },
	{ BRIDGE("'heartbeat': {'interval': 5, 'message': {}}"),
	  "FILE:2:41: bridges.a.heartbeat.message: needs exactly one of \"text\", \"json\" and "
	  "\"binary\"" },
	{ BRIDGE("'heartbeat': {'interval': 5, 'message': {'text': 'a', 'json': 1}}"),
	  "FILE:2:41: bridges.a.heartbeat.message: needs exactly one of \"text\", \"json\" and "
	  "\"binary\"" },
	{ BRIDGE("'heartbeat': {'interval': 5, 'message': {'text': {'file': '/x'}}}"),
	  "FILE:2:50: bridges.a.heartbeat.message.text: expected a string, found an object" },
	{ BRIDGE("'heartbeat': {'interval': 5, 'message': {'jsn': 1}}"),
	  "FILE:2:42: bridges.a.heartbeat.message.jsn: unknown key; did you mean \"json\"?" },
	{ BRIDGE("'heartbeat': {'interval': 5, 'message': {'binary': 'x'}}"),
	  "FILE:2:52: bridges.a.heartbeat.message.binary: is not Base64 with padding" },
	{ BRIDGE("'heartbeat': {'interval': 5, 'message': 'a', 'expect': {'regex': ')('}}"),
	  "FILE:2:66: bridges.a.heartbeat.expect.regex: is no extended regular expression: "
	  "Unmatched ( or \\(" },
	{ BRIDGE("'heartbeat': {'interval': 5, 'message': 'a', 'timeout': 5}"),
	  "FILE:2:46: bridges.a.heartbeat.timeout: goes with \"expect\" only" },
	{ BRIDGE("'heartbeat': {'interval': 5, 'message': 'a', 'expect': {'contains': 'a'}, "
		 "'timeout': 0}"),
	  "FILE:2:86: bridges.a.heartbeat.timeout: must be between 10ms and 1d" },
};

static const struct broken others[] = {
	{ BRIDGE("'idle_timeout': '10ms'"),
	  "FILE:2:17: bridges.a.idle_timeout: must be 0 (\"off\") or between 100ms and 7d" },
	{ BRIDGE("'reconnect': {'fatal_status': 401}"),
	  "FILE:2:31: bridges.a.reconnect.fatal_status: expected a list of whole numbers, found a "
	  "number" },
	{ BRIDGE("'reconnect': {'fatal_status': [99, 600, '401', 401.5, 401, 401]}"),
	  "FILE:2:32: bridges.a.reconnect.fatal_status[0]: must be between 100 and 599\n"
	  "FILE:2:36: bridges.a.reconnect.fatal_status[1]: must be between 100 and 599\n"
	  "FILE:2:41: bridges.a.reconnect.fatal_status[2]: expected a whole number, found a "
	  "string\n"
	  "FILE:2:48: bridges.a.reconnect.fatal_status[3]: expected a whole number, found a number "
	  "with a fraction\n"
	  "FILE:2:60: bridges.a.reconnect.fatal_status[5]: is in the list already, at [4]" },
	{ BRIDGE("'reconnect': {'fatal_close': [999, 1000, 5000]}"),
	  "FILE:2:31: bridges.a.reconnect.fatal_close[0]: must be between 1000 and 4999\n"
	  "FILE:2:42: bridges.a.reconnect.fatal_close[2]: must be between 1000 and 4999" },
	{ BRIDGE("'start': 'ondemand'"), "FILE:2:10: bridges.a.start: expected \"auto\", "
					 "\"manual\" or \"on-demand\"; did you mean "
					 "\"on-demand\"?" },
	{ BRIDGE("'linger': 'off', 'idle_timeout': -1"),
	  "FILE:2:34: bridges.a.idle_timeout: must be 0 (\"off\") or between 100ms and 7d" },
	{ BRIDGE("'linger': '2d'"), "FILE:2:11: bridges.a.linger: must be between 0s and 1d" },
	{ BRIDGE("'sharing': 'own'"),
	  "FILE:2:12: bridges.a.sharing: expected \"shared\" or \"private\"" },
	{ BRIDGE("'fragments': 'yes'"),
	  "FILE:2:14: bridges.a.fragments: expected \"join\" or \"deliver\"" },
	{ BRIDGE("'rate': 5"), "FILE:2:9: bridges.a.rate: expected an object, found a number" },
	{ BRIDGE("'rate': {'per': 1}"), "FILE:2:1: bridges.a.rate.messages: is missing" },
	{ BRIDGE("'rate': {'messages': -1, 'per': 0, 'burst': -1}"),
	  "FILE:2:22: bridges.a.rate.messages: must be between 0 and 1000000\n"
	  "FILE:2:33: bridges.a.rate.per: must be between 1ms and 1d\n"
	  "FILE:2:45: bridges.a.rate.burst: must be 0 or between 1 and 1000000" },
	{ "{'limits': {'dials_per_second': -1, 'tls_handshakes': 'off'}}",
	  "FILE:1:33: limits.dials_per_second: must be between 0 and 100000\n"
	  "FILE:1:55: limits.tls_handshakes: expected a whole number, found a string" },
};

static void test_heartbeats(void **state)
{
	(void)state;
	config_check_broken(heartbeats, COUNT(heartbeats));
}

static void test_others(void **state)
{
	(void)state;
	config_check_broken(others, COUNT(others));
}

static const struct bridge_conf *load(struct config *c, const char *text)
{
	config_write(c, "FILE", text);
	config_load(c, "FILE");
	if (*c->errors)
		fail_msg("%s\nsaid %s", text, c->errors);
	return c->conf->bridges[0];
}

static void test_values(void **state)
{
	const struct bridge_conf *b;
	struct config c;

	(void)state;
	config_init(&c);
	b = load(&c, "{'limits': {'dials_per_second': 0, 'tls_handshakes': 3},"
		     "'bridges': {'a': {'url': 'ws://h', 'heartbeat': {'interval': 5, 'message': "
		     "{'json': {'op': 1}}, 'expect': {'pointer': '/op'}}, 'idle_timeout': '1min',"
		     "'reconnect': {'fatal_status': [401, 403], 'fatal_close': [4004]},"
		     "'start': 'on-demand', 'linger': 0, 'sharing': 'private', 'fragments': "
		     "'deliver', 'rate': {'messages': 5, 'per': '2s'}}}}");
	assert_int_equal(c.conf->limits.dials_per_second, 0);
	assert_int_equal(c.conf->limits.tls_handshakes, 3);
	assert_int_equal(b->common->heartbeat.interval, 5 * SECOND);
	assert_int_equal(b->common->heartbeat.message.type, MSG_TEXT);
	assert_int_equal(b->common->heartbeat.message.n, 8);
	assert_memory_equal(b->common->heartbeat.message.data, "{\"op\":1}", 8);
	assert_true(b->common->heartbeat.has_expect);
	assert_int_equal(b->common->heartbeat.expect.kind, MATCH_POINTER);
	assert_null(b->common->heartbeat.expect.equals);
	assert_int_equal(b->common->heartbeat.timeout, 10 * SECOND);
	assert_int_equal(b->common->idle_timeout, 60 * SECOND);
	assert_int_equal(b->common->reconnect.n_fatal_status, 2);
	assert_int_equal(b->common->reconnect.fatal_status[1], 403);
	assert_int_equal(b->common->reconnect.n_fatal_close, 1);
	assert_int_equal(b->common->reconnect.fatal_close[0], 4004);
	assert_int_equal(b->common->start, START_ON_DEMAND);
	assert_int_equal(b->common->linger, 0);
	assert_int_equal(b->common->sharing, SHARING_PRIVATE);
	assert_int_equal(b->common->fragments, FRAGMENTS_DELIVER);
	assert_int_equal(b->common->rate.messages, 5);
	assert_int_equal(b->common->rate.per, 2 * SECOND);
	assert_int_equal(b->common->rate.burst, 5);
	b = load(&c,
		 BRIDGE("'rate': {'messages': 5, 'burst': 1}, 'heartbeat': {'interval': 'off'}"));
	assert_int_equal(b->common->rate.burst, 1);
	assert_int_equal(b->common->heartbeat.interval, 0);
	config_deinit(&c);
}

/* A message, a match and a list are taken as a whole, the rest key by key. */
static void test_over_defaults(void **state)
{
	const struct bridge_conf *b;
	struct config c;

	(void)state;
	config_init(&c);
	b = load(&c, "{'defaults': {'heartbeat': {'interval': 5, 'message': {'json': 1}, 'expect': "
		     "{'contains': 'a'}}, 'rate': {'messages': 5, 'burst': 9},"
		     "'reconnect': {'fatal_status': [401]}, 'on_open': ['a', 'b']},"
		     "'bridges': {'a': {'url': 'ws://h', 'heartbeat': {'message': {'text': 'x'}, "
		     "'expect': {'regex': 'a'}, 'timeout': 1}, 'rate': {'messages': 7},"
		     "'reconnect': {'fatal_status': [403, 404]}, 'on_open': ['c']}}}");
	assert_int_equal(b->common->heartbeat.interval, 5 * SECOND);
	assert_memory_equal(b->common->heartbeat.message.data, "x", 1);
	assert_int_equal(b->common->heartbeat.expect.kind, MATCH_REGEX);
	assert_int_equal(b->common->heartbeat.timeout, SECOND);
	assert_int_equal(b->common->rate.messages, 7);
	assert_int_equal(b->common->rate.burst, 9);
	assert_int_equal(b->common->reconnect.n_fatal_status, 2);
	assert_int_equal(b->handshake->n_on_open, 1);
	b = load(&c, "{'defaults': {'heartbeat': {'interval': 5, 'message': 'x'}},"
		     "'bridges': {'a': {'url': 'ws://h', 'heartbeat': {'interval': 0}}}}");
	assert_int_equal(b->common->heartbeat.interval, 0);
	config_deinit(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_heartbeats),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_over_defaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
