/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configurations that are good: defaults, every option, the merge with
 * `defaults` and with wsbridge.d, and where errors are found once files are
 * merged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "conf/conf_file.h"
#include "config_file.h"

#define SECOND INT64_C(1000000)

static int setup(void **state)
{
	struct config *c = mem_alloc(sizeof(*c));

	config_init(c);
	*state = c;
	return 0;
}

static int teardown(void **state)
{
	config_deinit(*state);
	free(*state);
	return 0;
}

static const struct bridge_conf *load(struct config *c, const char *text)
{
	config_write(c, "FILE", text);
	config_load(c, "FILE");
	assert_string_equal(c->errors, "");
	assert_int_not_equal(c->conf->n_bridges, 0);
	return c->conf->bridges[0];
}

static void test_main_defaults(void **state)
{
	struct config *c = *state;
	const struct main_conf *m;

	config_write(c, "FILE", "{}");
	config_load(c, "FILE");
	assert_string_equal(c->errors, "");
	m = c->conf;
	assert_int_equal(m->n_controls, 1);
	assert_null(m->controls[0].unix_path);
	assert_int_equal(m->controls[0].mode, 0600);
	assert_int_equal(m->controls[0].level, LEVEL_ADMIN);
	assert_int_equal(m->log_level, CONF_LOG_NOTICE);
	assert_int_equal(m->log_format, CONF_LOG_TEXT);
	assert_false(m->has_log_level);
	assert_int_equal(m->limits.clients, 256);
	assert_int_equal(m->limits.queues, 64 << 20);
	assert_int_equal(m->limits.control_request, 1 << 20);
	assert_int_equal(m->limits.dials_per_second, 20);
	assert_int_equal(m->limits.tls_handshakes, 10);
	assert_null(m->defaults);
	assert_int_equal(m->n_bridges, 0);
}

static void test_bridge_defaults(void **state)
{
	const struct bridge_conf *b = load(*state, "{'bridges': {'f.1': {'url': 'ws://h'}}}");

	assert_string_equal(b->name, "f.1");
	assert_true(b->from_file);
	assert_string_equal(b->urls[0].host, "h");
	assert_true(!b->handshake->has_host && !b->handshake->has_origin &&
		    !b->handshake->has_user_agent);
	assert_int_equal(b->handshake->n_headers + b->handshake->n_subprotocols +
				 b->handshake->n_on_open + b->n_endpoints,
			 0);
	assert_int_equal(b->common->timeouts.connect, 10 * SECOND);
	assert_int_equal(b->common->timeouts.handshake, 10 * SECOND);
	assert_int_equal(b->common->timeouts.open, 20 * SECOND);
	assert_int_equal(b->common->timeouts.close, 5 * SECOND);
	assert_true(b->common->socket.nodelay);
	assert_int_equal(b->common->max_message, 16 << 20);
	assert_true(b->common->validate_utf8);
	assert_int_equal(b->common->mask, MASK_RANDOM);
	assert_int_equal(b->common->fragments, FRAGMENTS_JOIN);
	assert_int_equal(b->common->sharing, SHARING_SHARED);
	assert_int_equal(b->common->ping.interval, 20 * SECOND);
	assert_int_equal(b->common->ping.timeout, 10 * SECOND);
	assert_string_equal(b->common->ping.payload, "");
	assert_int_equal(b->common->ping.proof, PROOF_ANY);
	assert_int_equal(b->common->reconnect.when, WHEN_ALWAYS);
	assert_int_equal(b->common->reconnect.initial, SECOND / 2);
	assert_int_equal(b->common->reconnect.max, 30 * SECOND);
	assert_int_equal(b->common->reconnect.slow, 300 * SECOND);
	assert_int_equal(b->common->reconnect.reset_after, 30 * SECOND);
	assert_true(b->common->reconnect.factor >= 2 && b->common->reconnect.factor <= 2);
	assert_int_equal(b->common->reconnect.jitter, JITTER_EQUAL);
	assert_int_equal(b->common->reconnect.attempts, 0);
	assert_int_equal(b->common->reconnect.n_fatal_status + b->common->reconnect.n_fatal_close,
			 0);
	assert_int_equal(b->common->heartbeat.interval, 0);
	assert_false(b->common->heartbeat.has_expect);
	assert_int_equal(b->common->idle_timeout, 0);
	assert_int_equal(b->common->start, START_AUTO);
	assert_int_equal(b->common->linger, 30 * SECOND);
	assert_int_equal(b->common->rate.messages, 0);
	assert_int_equal(b->common->rate.per, SECOND);
	assert_int_equal(b->common->outbox.size, 1 << 20);
	assert_int_equal(b->common->outbox.ttl, 60 * SECOND);
	assert_int_equal(b->common->outbox.on_full, ON_FULL_REJECT);
}

static void check_endpoint_defaults(const struct endpoint_conf *e, const char *path)
{
	assert_string_equal(e->unix_path, path);
	assert_int_equal(e->rules->framing, FRAMING_LINES);
	assert_int_equal(e->rules->delimiter, '\n');
	assert_int_equal(e->rules->newlines, NEWLINES_SPACE);
	assert_int_equal(e->rules->binary, BINARY_BASE64);
	assert_int_equal(e->rules->send_as, SEND_AS_TEXT);
	assert_int_equal(e->rules->mode, 0600);
	assert_int_equal(e->rules->max_clients, 64);
	assert_int_equal(e->rules->queue, 1 << 20);
	assert_int_equal(e->rules->overflow, OVERFLOW_DROP_OLDEST);
	assert_int_equal(e->rules->block_timeout, 30 * SECOND);
	assert_int_equal(e->rules->type, SOCKET_STREAM);
	assert_int_equal(e->rules->data, JSON_DATA_STRING);
	assert_int_equal(e->rules->events, EVENTS_ALL);
	assert_int_equal(e->rules->access, ACCESS_RW);
	assert_int_equal(e->rules->replay, 0);
	assert_null(e->fifo_out);
	assert_null(e->fifo_in);
	assert_null(e->rules->owner);
	assert_null(e->rules->group);
	assert_int_equal(e->rules->n_allow_users + e->rules->n_allow_groups, 0);
}

static void test_endpoints(void **state)
{
	const struct bridge_conf *b = load(
		*state, "{'bridges': {'a': {'url': 'ws://h', 'endpoint': ['/x', {'unix': '/y',"
			"'framing': 'lines', 'delimiter': '\\u0000', 'newlines': 'reject',"
			"'binary': 'hex', 'send_as': 'base64', 'mode': '660', 'queue': '2M',"
			"'max_clients': 5, 'overflow': 'disconnect'}]}}}");
	const struct endpoint_conf *e = &b->endpoints[1];

	assert_int_equal(b->n_endpoints, 2);
	check_endpoint_defaults(&b->endpoints[0], "/x");
	assert_string_equal(e->unix_path, "/y");
	assert_int_equal(e->rules->delimiter, 0);
	assert_int_equal(e->rules->newlines, NEWLINES_REJECT);
	assert_int_equal(e->rules->binary, BINARY_HEX);
	assert_int_equal(e->rules->send_as, SEND_AS_BASE64);
	assert_int_equal(e->rules->mode, 0660);
	assert_int_equal(e->rules->queue, 2 << 20);
	assert_int_equal(e->rules->max_clients, 5);
	assert_int_equal(e->rules->overflow, OVERFLOW_DISCONNECT);
	b = load(*state, "{'bridges': {'a': {'url': 'ws://h', 'endpoint': '/x'}}}");
	check_endpoint_defaults(&b->endpoints[0], "/x");
	b = load(*state, "{'bridges': {'a': {'url': 'ws://h', 'endpoints': []}}}");
	assert_int_equal(b->n_endpoints, 0);
}

static void test_bridge_values(void **state)
{
	const struct bridge_conf *b = load(
		*state,
		"{'bridges': {'a': {'url': 'ws://u:p@h:81/p?q', 'host': null, 'origin': 'http://o',"
		"'user_agent': null, 'headers': {'A': 'x', 'B': ['y', '']}, 'subprotocols': ['s', "
		"'t'],"
		"'timeouts': {'connect': 'off', 'close': 0.25}, 'socket': {'nodelay': false},"
		"'max_message': 1, 'validate_utf8': false, 'mask': 'zero', 'start': 'manual',"
		"'ping': {'interval': 0, 'timeout': '2.5s', 'payload': 'p', 'proof': 'pong'},"
		"'reconnect': {'when': 'never', 'factor': 1.5, 'jitter': 'none', 'attempts': 7},"
		"'outbox': {'size': 0, 'ttl': '1h', 'on_full': 'drop-oldest'}}}}");

	assert_string_equal(b->urls[0].password, "p");
	assert_true(b->handshake->has_host && !b->handshake->host && b->handshake->has_user_agent &&
		    !b->handshake->user_agent);
	assert_string_equal(b->handshake->origin, "http://o");
	assert_int_equal(b->handshake->n_headers, 3);
	assert_string_equal(b->handshake->headers[1].name, "B");
	assert_string_equal(b->handshake->headers[2].name, "B");
	assert_string_equal(b->handshake->headers[1].value.text, "y");
	assert_string_equal(b->handshake->headers[2].value.text, "");
	assert_string_equal(b->handshake->subprotocols[1], "t");
	assert_int_equal(b->common->timeouts.connect, 0);
	assert_int_equal(b->common->timeouts.close, SECOND / 4);
	assert_false(b->common->socket.nodelay || b->common->validate_utf8);
	assert_int_equal(b->common->max_message, 1);
	assert_int_equal(b->common->mask, MASK_ZERO);
	assert_int_equal(b->common->start, START_MANUAL);
	assert_int_equal(b->common->ping.interval, 0);
	assert_int_equal(b->common->ping.timeout, 2500000);
	assert_string_equal(b->common->ping.payload, "p");
	assert_int_equal(b->common->ping.proof, PROOF_PONG);
	assert_int_equal(b->common->reconnect.when, WHEN_NEVER);
	assert_true(b->common->reconnect.factor > 1.49 && b->common->reconnect.factor < 1.51);
	assert_int_equal(b->common->reconnect.jitter, JITTER_NONE);
	assert_int_equal(b->common->reconnect.attempts, 7);
	assert_int_equal(b->common->outbox.size, 0);
	assert_int_equal(b->common->outbox.ttl, 3600 * SECOND);
	assert_int_equal(b->common->outbox.on_full, ON_FULL_DROP_OLDEST);
}

static void test_messages(void **state)
{
	static const struct {
		enum msg_type type;
		const char *data;
		size_t n;
	} rows[] = {
		{ MSG_TEXT, "hello", 5 },
		{ MSG_TEXT, "", 0 },
		{ MSG_TEXT, "a\0b", 3 },
		{ MSG_TEXT, "{\"b\":1,\"a\":[0.1,null]}", 22 },
		{ MSG_TEXT, "\"x\"", 3 },
		{ MSG_BINARY, "\x01\x02\xff", 3 },
		{ MSG_BINARY, "", 0 },
		{ MSG_TEXT, "100.0", 5 },
		{ MSG_TEXT, "0.30000000000000004", 19 },
		{ MSG_TEXT, "null", 4 },
	};
	const struct bridge_conf *b = load(
		*state, "{'bridges': {'a': {'url': 'ws://h', 'on_open': ['hello', '',"
			"{'text': 'a\\u0000b'}, {'json': {'b': 1, 'a': [0.10, null]}},"
			"{'json': 'x'}, {'binary': 'AQL/'}, {'binary': ''}, {'json': 1e2},"
			"{'json': 0.30000000000000004}, {'json': null}]}}}");

	assert_int_equal(b->handshake->n_on_open, sizeof(rows) / sizeof(*rows));
	for (size_t i = 0; i < b->handshake->n_on_open; i++) {
		const struct conf_message *m = &b->handshake->on_open[i].message;

		assert_int_equal(b->handshake->on_open[i].kind, STEP_SEND);
		assert_int_equal(m->type, rows[i].type);
		assert_int_equal(m->n, rows[i].n);
		assert_memory_equal(m->data, rows[i].data, rows[i].n);
	}
}

static void test_comments_and_order(void **state)
{
	struct config *c = *state;

	load(c, "\xef\xbb\xbf// a comment\n{ /* ' // */ 'log': {'level': 'debug'}, // '\n"
		"'bridges': {'b': {'url': 'ws://h//x'}, 'a': {'url': 'ws://h/*y*/'}}}");
	assert_true(c->conf->has_log_level);
	assert_int_equal(c->conf->log_level, CONF_LOG_DEBUG);
	assert_string_equal(c->conf->bridges[0]->name, "a");
	assert_string_equal(c->conf->bridges[0]->urls[0].target, "/*y*/");
	assert_string_equal(c->conf->bridges[1]->urls[0].target, "//x");
}

static void test_defaults_merge(void **state)
{
	const struct bridge_conf *b = load(
		*state, "{'defaults': {'url': 'ws://d', 'ping': {'interval': 5, 'timeout': 6},"
			"'headers': {'X-A': 'd', 'X-B': 'd'}, 'subprotocols': ['d', 'e'],"
			"'endpoint': {'mode': '0660', 'queue': 4096}},"
			"'bridges': {'a': {'ping': {'timeout': 7}, 'headers': {'x-a': 'o'},"
			"'subprotocols': ['o'], 'endpoint': '/x'}, 'b': {'endpoints': ['/y']}}}");
	struct config *c = *state;

	assert_string_equal(b->urls[0].host, "d");
	assert_int_equal(b->common->ping.interval, 5 * SECOND);
	assert_int_equal(b->common->ping.timeout, 7 * SECOND);
	assert_int_equal(b->handshake->n_headers, 2);
	assert_string_equal(b->handshake->headers[0].name, "X-B");
	assert_string_equal(b->handshake->headers[1].name, "x-a");
	assert_string_equal(b->handshake->headers[1].value.text, "o");
	assert_int_equal(b->handshake->n_subprotocols, 1);
	assert_string_equal(b->endpoints[0].unix_path, "/x");
	assert_int_equal(b->endpoints[0].rules->mode, 0660);
	assert_int_equal(b->endpoints[0].rules->queue, 4096);
	check_endpoint_defaults(&c->conf->bridges[1]->endpoints[0], "/y");
	assert_true(json_is_object(c->conf->defaults));
}

static void test_drop_ins(void **state)
{
	struct config *c = *state;
	const struct bridge_conf *b;

	config_write(c, "wsbridge.d/20.json", "{'bridges': {'a': {'ping': {'interval': 3}}}}");
	config_write(c, "wsbridge.d/10.json",
		     "{'bridges': {'a': {'ping': {'interval': 2,"
		     "'timeout': 2}}, 'b': {'url': 'ws://b'}}}");
	config_write(c, "wsbridge.d/30.conf", "not looked at");
	config_write(c, "wsbridge.d/.40.json", "not looked at");
	b = load(c, "{'bridges': {'a': {'url': 'ws://a', 'ping': {'interval': 1,"
		    "'payload': 'p'}}}}");
	assert_int_equal(c->conf->n_bridges, 2);
	assert_int_equal(b->common->ping.interval, 3 * SECOND);
	assert_int_equal(b->common->ping.timeout, 2 * SECOND);
	assert_string_equal(b->common->ping.payload, "p");
	assert_string_equal(c->conf->bridges[1]->urls[0].host, "b");
}

static void test_drop_in_errors(void **state)
{
	struct config *c = *state;

	config_write(c, "wsbridge.d/1.json",
		     "{'bridges': {'a': {'ping': {'interval': 'x'},\n"
		     "'endpoints': ['/e', 5], 'start': 'auto'}}}");
	config_write(c, "wsbridge.d/2.json", "{'bridges': {'b': {'endpoint': '/f'}}}");
	config_write(c, "FILE",
		     "{'bridges': {'a': {'start': 5, 'mask': 5,\n"
		     "'ping': {'interval': 5, 'timeout': 'y'}, 'endpoints': [1, 2, 3]}}}");
	config_load(c, "FILE");
	assert_string_equal(
		c->errors,
		"FILE:1:14: bridges.a.url: is missing\n"
		"FILE:1:40: bridges.a.mask: expected \"random\" or \"zero\", found a number\n"
		"FILE:2:36: bridges.a.ping.timeout: \"y\" is not a duration: a number is missing\n"
		"wsbridge.d/1.json:1:41: bridges.a.ping.interval: \"x\" is not a duration: "
		"a number is missing\n"
		"wsbridge.d/1.json:2:21: bridges.a.endpoints[1]: expected a path or an object, "
		"found a number\n"
		"wsbridge.d/2.json:1:14: bridges.b.url: is missing");
	config_write(c, "wsbridge.d/1.json", "{'bridges': {'a': {'endpoints': ['/e', {}]}}}");
	config_write(c, "FILE",
		     "{'bridges': {'a': {'url': 'ws://h', 'endpoints': [1, 2]},"
		     "'b': {'url': 'ws://h'}}}");
	config_load(c, "FILE");
	assert_string_equal(c->errors, "wsbridge.d/1.json:1:40: bridges.a.endpoints[1]: "
				       "needs \"unix\" or \"fifo\"");
}

static void test_broken_drop_in(void **state)
{
	struct config *c = *state;

	config_write(c, "wsbridge.d/1.json", "{'bridges'}");
	config_write(c, "wsbridge.d/2.json", "[1]");
	config_write(c, "wsbridge.d/3.json", "\n{\n");
	config_write(c, "FILE", "{'xyzzy': 1}");
	config_load(c, "FILE");
	assert_string_equal(c->errors,
			    "wsbridge.d/1.json:1:11: expected \":\" behind the key, found \"}\"\n"
			    "wsbridge.d/2.json:1:1: expected an object, found a list\n"
			    "wsbridge.d/3.json:2:1: this \"{\" is never closed");
}

static void test_unreadable(void **state)
{
	struct config *c = *state;
	mem_auto_str folder = mem_printf("%s/folder", c->dir);
	size_t n = ((size_t)16 << 20) + 1;
	char *big = mem_alloc(n);

	config_load(c, "missing");
	assert_string_equal(c->errors, "missing: cannot be read: No such file or directory");
	assert_int_equal(mkdir(folder, 0700), 0);
	config_load(c, "folder");
	assert_string_equal(c->errors, "folder: cannot be read: Is a directory");
	memset(big, ' ', n);
	memcpy(big, "{}", 2);
	config_write_bytes(c, "FILE", big, n - 1);
	config_load(c, "FILE");
	assert_string_equal(c->errors, "");
	config_write_bytes(c, "FILE", big, n);
	config_load(c, "FILE");
	assert_string_equal(c->errors, "FILE: is larger than 16M");
	config_write_bytes(c, "FILE", "{}\0", 3);
	config_load(c, "FILE");
	assert_string_equal(c->errors, "FILE:1:3: a NUL byte");
	config_write(c, "wsbridge.d", "a file");
	config_write(c, "FILE", "{}");
	config_load(c, "FILE");
	assert_string_equal(c->errors, "wsbridge.d: cannot be read: Not a directory");
	free(big);
}

static void test_places(void **state)
{
	struct config *c = *state;
	mem_auto_str file = NULL;
	mem_auto_str control = NULL;

	(void)c;
	setenv("XDG_CONFIG_HOME", "/nowhere", 1);
	setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
	file = conf_file_default("/etc");
	control = conf_control_default("/run");
	assert_string_equal(file, "/etc/wsbridge/wsbridge.json");
	assert_string_equal(control, geteuid() == 0 ? "/run/wsbridge/control.sock" :
						      "/run/user/7/wsbridge/control.sock");
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(main_defaults),  TEST(bridge_defaults), TEST(endpoints),
		TEST(bridge_values),  TEST(messages),	     TEST(comments_and_order),
		TEST(defaults_merge), TEST(drop_ins),	     TEST(drop_in_errors),
		TEST(broken_drop_in), TEST(unreadable),	     TEST(places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
