/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a reload has to touch: for every option one change, and the verdict.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conf/conf_diff.h"
#include "config_file.h"

#define COUNT(rows) (sizeof(rows) / sizeof(*(rows)))

static struct bridge_conf *make(const char *text)
{
	struct schema_first first;
	json_t *own = config_json(text);
	struct bridge_conf *c;

	schema_first_init(&first);
	if (!json_object_get(own, "url"))
		json_object_set_new(own, "url", json_string("ws://h/"));
	c = bridge_conf_new("a", NULL, own, &first.report);
	if (!c)
		fail_msg("%s: %s", text, first.err.text);
	json_decref(own);
	return c;
}

#define HEARTBEAT(options) "{'heartbeat': {'interval': 1, " options "}}"
#define EXPECT(match, options) "{'on_open': [{'expect': {" match "}" options "}]}"
#define JSON(options) "{'endpoint': {'unix': '/x', 'framing': 'json'" options "}}"

static const struct {
	const char *old, *new_conf;
	enum schema_change upstream;
	bool endpoints;
} rows[] = {
	{ "{}", "{}", SCHEMA_SAME, false },
	{ "{}", "{'ping': {'interval': '20s'}, 'outbox': {'ttl': '1min'}}", SCHEMA_SAME, false },
	{ "{}", "{'url': 'ws://H:80'}", SCHEMA_SAME, false },
	{ "{}", "{'url': 'ws://h/x'}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'url': 'ws://h:81/'}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'url': 'ws://u@h/'}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{'url': 'ws://u:p@h/'}", "{'url': 'ws://u:q@h/'}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'headers': {'X': 'a'}}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{'headers': {'X': 'a'}}", "{'headers': {'X': 'b'}}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{'headers': {'X': 'a'}}", "{'headers': {'X': ['a']}}", SCHEMA_SAME, false },
	{ "{}", "{'host': null}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{'host': 'a'}", "{'host': 'b'}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'origin': 'a'}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'user_agent': 'a'}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'subprotocols': ['a']}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{'subprotocols': ['a', 'b']}", "{'subprotocols': ['b', 'a']}", SCHEMA_CHANGED_RECONNECT,
	  false },
	{ "{}", "{'timeouts': {'connect': 1}}", SCHEMA_CHANGED_LIVE, false },
	{ "{}", "{'timeouts': {'handshake': 1}}", SCHEMA_CHANGED_LIVE, false },
	{ "{}", "{'timeouts': {'open': 1}}", SCHEMA_CHANGED_LIVE, false },
	{ "{}", "{'timeouts': {'close': 1}}", SCHEMA_CHANGED_LIVE, false },
	{ "{}", "{'socket': {'nodelay': false}}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'url': ['ws://h/']}", SCHEMA_SAME, false },
	{ "{'url': ['ws://h/', 'ws://i/']}", "{'url': ['ws://i/', 'ws://h/']}",
	  SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'url': ['ws://h/', 'ws://i/']}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'url': 'wss://h:80/'}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{'url': 'ws+unix:///a:/x'}", "{'url': 'ws+unix:///b:/x'}", SCHEMA_CHANGED_RECONNECT,
	  false },
	{ "{}", "{'connect_to': 'h:80'}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{'connect_to': 'h:80'}", "{'connect_to': 'H:080'}", SCHEMA_SAME, false },
	{ "{'connect_to': 'h:80'}", "{'connect_to': 'h:81'}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{'connect_to': 'unix:/a'}", "{'connect_to': 'unix:/b'}", SCHEMA_CHANGED_RECONNECT,
	  false },
	{ "{'headers': {'X': 'a'}}", "{'headers': {'X': {'env': 'a'}}}", SCHEMA_CHANGED_RECONNECT,
	  false },
	{ "{'headers': {'X': {'env': 'b'}}}", "{'headers': {'X': {'env': 'a'}}}",
	  SCHEMA_CHANGED_RECONNECT, false },
	{ "{'headers': {'X': {'command': ['/a', 'b']}}}", "{'headers': {'X': {'command': ['/a']}}}",
	  SCHEMA_CHANGED_RECONNECT, false },
	{ "{'headers': {'X': {'command': ['/a', 'b']}}}",
	  "{'headers': {'X': {'command': ['/a', 'c']}}}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{'headers': {'X': {'command': ['/a', 'b']}}}",
	  "{'headers': {'X': [{'command': ['/a', 'b']}]}}", SCHEMA_SAME, false },
	{ "{}", "{'cookie': 'a=b'}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{'cookie': {'file': '/a'}}", "{'cookie': {'file': '/b'}}", SCHEMA_CHANGED_RECONNECT,
	  false },
	{ "{'cookie': {'file': '/a'}}", "{'cookie': {'file': '/a'}}", SCHEMA_SAME, false },
	{ "{'cookie': {'env': 'a'}}", "{'cookie': {'credential': 'a'}}", SCHEMA_CHANGED_RECONNECT,
	  false },
	{ "{}", "{'cookies': 'off'}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'auth': {'bearer': 'a'}}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{'auth': {'bearer': 'a'}}", "{'auth': {'basic': {'user': 'u', 'password': 'a'}}}",
	  SCHEMA_CHANGED_RECONNECT, false },
	{ "{'auth': {'basic': {'user': 'u', 'password': 'a'}}}",
	  "{'auth': {'basic': {'user': 'u', 'password': 'b'}}}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{'auth': {'basic': {'user': 'u', 'password': 'a'}}}",
	  "{'auth': {'basic': {'user': 'v', 'password': 'a'}}}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'redirects': 1}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'tls': {'verify': false}}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'tls': {'verify_hostname': false}}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'tls': {'ca_file': '/x'}}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'tls': {'ca_dir': '/x'}}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'tls': {'cert': '/x'}}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'tls': {'server_name': 'x'}}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'tls': {'min_version': '1.3'}}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'tls': {'max_version': '1.3'}}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'tls': {'ciphers': 'x'}}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'tls': {'ciphersuites': 'x'}}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'tls': {'groups': 'x'}}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'tls': {'keylog_file': '/x'}}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'tls': {'ktls': true}}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'tls': {'pin_sha256': ['47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=']}}",
	  SCHEMA_CHANGED_RECONNECT, false },
	{ "{'tls': {'cert': '/x'}}", "{'tls': {'cert': '/x', 'key': '/y'}}",
	  SCHEMA_CHANGED_RECONNECT, false },
	{ "{'tls': {'cert': '/x'}}", "{'tls': {'cert': '/x', 'key_password': 'y'}}",
	  SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'tls': {'verify': true, 'min_version': '1.2'}}", SCHEMA_SAME, false },
	{ "{}", "{'proxy': 'env'}", SCHEMA_SAME, false },
	{ "{}", "{'proxy': null}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'proxy': 'http://h'}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{'proxy': 'http://h'}", "{'proxy': 'HTTP://H:1080/'}", SCHEMA_SAME, false },
	{ "{'proxy': 'http://h'}", "{'proxy': 'socks5://h'}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{'proxy': 'http://h'}", "{'proxy': 'http://h:80'}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{'proxy': 'http://u:a@h'}", "{'proxy': 'http://u:b@h'}", SCHEMA_CHANGED_RECONNECT,
	  false },
	{ "{'proxy': 'http://u@h'}", "{'proxy': 'http://v@h'}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'proxy_password': 'a'}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'no_proxy': ['a']}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'socket': {'keepalive': {}}}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{'socket': {'keepalive': {}}}", "{'socket': {'keepalive': {'idle': '15s'}}}",
	  SCHEMA_SAME, false },
	{ "{'socket': {'keepalive': {}}}", "{'socket': {'keepalive': true}}", SCHEMA_SAME, false },
	{ "{}", "{'socket': {'keepalive': null}}", SCHEMA_SAME, false },
	{ "{'socket': {'keepalive': {}}}", "{'socket': {'keepalive': {'idle': 1}}}",
	  SCHEMA_CHANGED_RECONNECT, false },
	{ "{'socket': {'keepalive': {}}}", "{'socket': {'keepalive': {'interval': 1}}}",
	  SCHEMA_CHANGED_RECONNECT, false },
	{ "{'socket': {'keepalive': {}}}", "{'socket': {'keepalive': {'count': 1}}}",
	  SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'compression': true}", SCHEMA_SAME, false },
	{ "{}", "{'compression': {}}", SCHEMA_SAME, false },
	{ "{'compression': false}", "{'compression': null}", SCHEMA_SAME, false },
	{ "{}", "{'compression': false}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'compression': {'client_max_window_bits': 15}}", SCHEMA_CHANGED_RECONNECT,
	  false },
	{ "{}", "{'compression': {'server_max_window_bits': 8}}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'compression': {'client_no_context_takeover': false}}", SCHEMA_CHANGED_RECONNECT,
	  false },
	{ "{}", "{'compression': {'server_no_context_takeover': true}}", SCHEMA_CHANGED_RECONNECT,
	  false },
	{ "{}", "{'compression': {'level': 9}}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'compression': {'threshold': '1024'}}", SCHEMA_SAME, false },
	{ "{}", "{'compression': {'release_after': '1min'}}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'socket': {'user_timeout': 0}}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'socket': {'bind_address': '::1'}}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'socket': {'bind_device': 'lo'}}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'socket': {'mark': 1}}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'socket': {'rcvbuf': '64K'}}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'socket': {'sndbuf': '64K'}}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'socket': {'family': 'ipv4'}}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'max_message': 1}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'validate_utf8': false}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'mask': 'zero'}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'on_open': ['a']}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{'on_open': ['a']}", "{'on_open': [{'text': 'a'}]}", SCHEMA_SAME, false },
	{ "{'on_open': ['1']}", "{'on_open': [{'json': 1}]}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{'on_open': [{'wait': 1}]}", "{'on_open': [{'wait': 2}]}", SCHEMA_CHANGED_RECONNECT,
	  false },
	{ "{'on_open': [{'wait': 1}]}", "{'on_open': [{'wait': '1000ms'}]}", SCHEMA_SAME, false },
	{ "{'on_open': [{'wait': 10}]}", "{'on_open': [{'expect': {'regex': 'a'}}]}",
	  SCHEMA_CHANGED_RECONNECT, false },
	{ EXPECT("'contains': 'a'", ""), EXPECT("'contains': 'b'", ""), SCHEMA_CHANGED_RECONNECT,
	  false },
	{ EXPECT("'contains': 'a'", ""), EXPECT("'contains': 'a'", ", 'timeout': '10s'"),
	  SCHEMA_SAME, false },
	{ EXPECT("'contains': 'a'", ""), EXPECT("'contains': 'a'", ", 'timeout': 9"),
	  SCHEMA_CHANGED_RECONNECT, false },
	{ EXPECT("'contains': 'a'", ""), EXPECT("'contains': 'a'", ", 'deliver': true"),
	  SCHEMA_CHANGED_RECONNECT, false },
	{ EXPECT("'contains': 'a'", ""), EXPECT("'contains': 'a'", ", 'capture': {'a': '/a'}"),
	  SCHEMA_CHANGED_RECONNECT, false },
	{ EXPECT("'contains': 'a'", ", 'capture': {'a': '/a'}"),
	  EXPECT("'contains': 'a'", ", 'capture': {'a': '/b'}"), SCHEMA_CHANGED_RECONNECT, false },
	{ EXPECT("'contains': 'a'", ", 'capture': {'a': '/a'}"),
	  EXPECT("'contains': 'a'", ", 'capture': {'b': '/a'}"), SCHEMA_CHANGED_RECONNECT, false },
	{ "{'on_open': [{'text': '${a}', 'secrets': {'a': 'x'}}]}",
	  "{'on_open': [{'text': '${a}', 'secrets': {'a': 'y'}}]}", SCHEMA_CHANGED_RECONNECT,
	  false },
	{ "{'on_open': [{'text': {'file': '/a'}}]}", "{'on_open': [{'text': {'file': '/b'}}]}",
	  SCHEMA_CHANGED_RECONNECT, false },
	{ "{'on_open': [{'text': {'file': '/a'}}]}",
	  "{'on_open': [{'text': '${text}', 'secrets': {'text': {'file': '/a'}}}]}", SCHEMA_SAME,
	  false },
	{ "{'on_open': ['a']}", "{'on_open': [{'binary': 'YQ=='}]}", SCHEMA_CHANGED_RECONNECT,
	  false },
	{ "{}", "{'ping': {'interval': 1}}", SCHEMA_CHANGED_LIVE, false },
	{ "{}", "{'ping': {'timeout': 1}}", SCHEMA_CHANGED_LIVE, false },
	{ "{}", "{'ping': {'payload': 'x'}}", SCHEMA_CHANGED_LIVE, false },
	{ "{}", "{'ping': {'proof': 'pong'}}", SCHEMA_CHANGED_LIVE, false },
	{ "{}", "{'reconnect': {'when': 'never'}}", SCHEMA_CHANGED_LIVE, false },
	{ "{}", "{'reconnect': {'initial': 1}}", SCHEMA_CHANGED_LIVE, false },
	{ "{}", "{'reconnect': {'max': 1}}", SCHEMA_CHANGED_LIVE, false },
	{ "{}", "{'reconnect': {'factor': 3}}", SCHEMA_CHANGED_LIVE, false },
	{ "{}", "{'reconnect': {'jitter': 'full'}}", SCHEMA_CHANGED_LIVE, false },
	{ "{}", "{'reconnect': {'reset_after': 0}}", SCHEMA_CHANGED_LIVE, false },
	{ "{}", "{'reconnect': {'attempts': 3}}", SCHEMA_CHANGED_LIVE, false },
	{ "{}", "{'reconnect': {'slow': 3}}", SCHEMA_CHANGED_LIVE, false },
	{ "{}", "{'reconnect': {'fatal_status': [401]}}", SCHEMA_CHANGED_LIVE, false },
	{ "{'reconnect': {'fatal_status': [401]}}", "{'reconnect': {'fatal_status': [403]}}",
	  SCHEMA_CHANGED_LIVE, false },
	{ "{}", "{'reconnect': {'fatal_close': [4000]}}", SCHEMA_CHANGED_LIVE, false },
	{ "{'reconnect': {'fatal_close': [4000]}}", "{'reconnect': {'fatal_close': [4000, 4001]}}",
	  SCHEMA_CHANGED_LIVE, false },
	{ "{}", "{'reconnect': {'fatal_close': []}}", SCHEMA_SAME, false },
	{ "{}", "{'heartbeat': {'interval': 1, 'message': 'a'}}", SCHEMA_CHANGED_LIVE, false },
	{ HEARTBEAT("'message': 'a'"), HEARTBEAT("'message': 'b'"), SCHEMA_CHANGED_LIVE, false },
	{ HEARTBEAT("'message': 'a'"), HEARTBEAT("'message': {'text': 'a'}"), SCHEMA_SAME, false },
	{ HEARTBEAT("'message': 'a'"), HEARTBEAT("'message': {'binary': 'YQ=='}"),
	  SCHEMA_CHANGED_LIVE, false },
	{ HEARTBEAT("'message': 'a'"), HEARTBEAT("'message': 'a', 'expect': {'contains': 'a'}"),
	  SCHEMA_CHANGED_LIVE, false },
	{ HEARTBEAT("'message': 'a', 'expect': {'regex': 'a'}"),
	  HEARTBEAT("'message': 'a', 'expect': {'contains': 'a'}"), SCHEMA_CHANGED_LIVE, false },
	{ HEARTBEAT("'message': 'a', 'expect': {'regex': 'a'}"),
	  HEARTBEAT("'message': 'a', 'expect': {'regex': 'a'}, 'timeout': 10"), SCHEMA_SAME,
	  false },
	{ HEARTBEAT("'message': 'a', 'expect': {'regex': 'a'}"),
	  HEARTBEAT("'message': 'a', 'expect': {'regex': 'a'}, 'timeout': 9"), SCHEMA_CHANGED_LIVE,
	  false },
	{ "{}", "{'idle_timeout': 5}", SCHEMA_CHANGED_LIVE, false },
	{ "{}", "{'idle_timeout': 'off'}", SCHEMA_SAME, false },
	{ "{}", "{'start': 'manual'}", SCHEMA_CHANGED_LIVE, false },
	{ "{}", "{'start': 'on-demand'}", SCHEMA_CHANGED_LIVE, false },
	{ "{}", "{'linger': 0}", SCHEMA_CHANGED_LIVE, false },
	{ "{}", "{'rate': {'messages': 5}}", SCHEMA_CHANGED_LIVE, false },
	{ "{'rate': {'messages': 5}}", "{'rate': {'messages': 5, 'per': 2}}", SCHEMA_CHANGED_LIVE,
	  false },
	{ "{'rate': {'messages': 5}}", "{'rate': {'messages': 5, 'burst': 6}}", SCHEMA_CHANGED_LIVE,
	  false },
	{ "{'rate': {'messages': 5}}", "{'rate': {'messages': 5, 'burst': 5}}", SCHEMA_SAME,
	  false },
	{ "{}", "{'fragments': 'deliver'}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'sharing': 'private'}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'outbox': {'size': 0}}", SCHEMA_CHANGED_LIVE, false },
	{ "{}", "{'outbox': {'ttl': 1}}", SCHEMA_CHANGED_LIVE, false },
	{ "{}", "{'outbox': {'on_full': 'drop-oldest'}}", SCHEMA_CHANGED_LIVE, false },
	{ "{}", "{'ping': {'interval': 1}, 'mask': 'zero'}", SCHEMA_CHANGED_RECONNECT, false },
	{ "{}", "{'endpoint': '/x'}", SCHEMA_SAME, true },
	{ "{'endpoint': '/x'}", "{'endpoints': [{'unix': '/x', 'queue': '1024K'}]}", SCHEMA_SAME,
	  false },
	{ "{'endpoint': '/x'}", "{'endpoint': '/y'}", SCHEMA_SAME, true },
	{ "{'endpoint': '/x'}", "{'endpoint': {'unix': '/x', 'mode': '0660'}}", SCHEMA_SAME, true },
	{ "{'endpoint': '/x'}", "{'endpoint': {'unix': '/x', 'delimiter': '\\u0000'}}", SCHEMA_SAME,
	  true },
	{ "{'endpoint': '/x'}", "{'endpoint': {'unix': '/x', 'type': 'seqpacket'}}", SCHEMA_SAME,
	  true },
	{ "{'endpoint': '/x'}", "{'endpoint': {'unix': '/x', 'framing': 'length'}}", SCHEMA_SAME,
	  true },
	{ "{'endpoint': '/x'}", "{'endpoint': {'unix': '/x', 'owner': 'a'}}", SCHEMA_SAME, true },
	{ "{'endpoint': '/x'}", "{'endpoint': {'unix': '/x', 'group': 'a'}}", SCHEMA_SAME, true },
	{ "{'endpoint': '/x'}", "{'endpoint': {'unix': '/x', 'allow_users': ['a']}}", SCHEMA_SAME,
	  true },
	{ "{'endpoint': '/x'}", "{'endpoint': {'unix': '/x', 'allow_groups': ['a']}}", SCHEMA_SAME,
	  true },
	{ "{'endpoint': '/x'}", "{'endpoint': {'unix': '/x', 'access': 'r'}}", SCHEMA_SAME, true },
	{ "{'endpoint': '/x'}", "{'endpoint': {'unix': '/x', 'replay': 1}}", SCHEMA_SAME, true },
	{ "{'endpoint': {'unix': '/x', 'overflow': 'block'}}",
	  "{'endpoint': {'unix': '/x', 'overflow': 'block', 'block_timeout': 5}}", SCHEMA_SAME,
	  true },
	{ "{'endpoint': {'fifo': {'out': '/x'}}}", "{'endpoint': {'fifo': {'in': '/x'}}}",
	  SCHEMA_SAME, true },
	{ JSON(""), JSON(", 'data': 'inline'"), SCHEMA_SAME, true },
	{ JSON(""), JSON(", 'events': []"), SCHEMA_SAME, true },
	{ JSON(", 'events': ['gap', 'ack']"), JSON(", 'events': ['ack', 'gap']"), SCHEMA_SAME,
	  false },
	{ "{'endpoint': ['/x', '/y']}", "{'endpoint': ['/y', '/x']}", SCHEMA_SAME, true },
	{ "{'endpoint': '/x'}", "{'endpoint': '/y', 'ping': {'timeout': 1}}", SCHEMA_CHANGED_LIVE,
	  true },
};

static void check(size_t i, const struct bridge_conf *a, const struct bridge_conf *b)
{
	struct conf_change change = conf_diff_bridge(a, b);

	if (change.upstream != rows[i].upstream || change.endpoints != rows[i].endpoints)
		fail_msg("%s -> %s", rows[i].old, rows[i].new_conf);
	assert_true(conf_diff_any(change) ==
		    (rows[i].upstream != SCHEMA_SAME || rows[i].endpoints));
}

static void test_diff(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct bridge_conf *a = make(rows[i].old), *b = make(rows[i].new_conf);

		check(i, a, b);
		check(i, b, a);
		bridge_conf_unref(a);
		bridge_conf_unref(b);
	}
}

static void test_references(void **state)
{
	struct bridge_conf *a = make("{'headers': {'X': 'a'}}");

	(void)state;
	assert_int_equal(a->refs, 1);
	assert_false(a->from_file);
	assert_ptr_equal(bridge_conf_ref(a), a);
	bridge_conf_unref(a);
	assert_string_equal(a->handshake->headers[0].value.text, "a");
	bridge_conf_unref(a);
	bridge_conf_unref(NULL);
}

static void test_names(void **state)
{
	static const char *const good[] = { "a", "A-z_0.9@x", ".", "-" };
	static const char *const bad[] = { "", "a b", "a/b", "a=b", "a*", "\xc3\xa9", "a\n" };
	char name[BRIDGE_NAME_MAX + 2];
	struct schema_first first;
	json_t *own = json_pack("{s:s}", "url", "ws://h");

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_true(bridge_name_valid(good[i]));
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(bridge_name_valid(bad[i]));
	memset(name, 'x', sizeof(name));
	name[BRIDGE_NAME_MAX + 1] = '\0';
	assert_false(bridge_name_valid(name));
	schema_first_init(&first);
	assert_null(bridge_conf_new(name, NULL, own, &first.report));
	assert_string_equal(first.err.text, "name: must be 1 to 64 of A-Z a-z 0-9 _ . @ -");
	name[BRIDGE_NAME_MAX] = '\0';
	assert_true(bridge_name_valid(name));
	json_decref(own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_diff),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
