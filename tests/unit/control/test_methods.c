/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every method with every right, every error of a parameter with its whole
 * answer, and what the methods do to bridges and to the daemon.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "control/control_fixture.h"
#include "control/method_errors.h"
#include "control/methods.h"

static const char conf[] =
	"{\"bridges\":{\"feed\":{\"url\":\"" NOWHERE "\",\"start\":\"manual\"},"
	"\"other\":{\"url\":\"ws://user:hush@127.0.0.1:9/p?token=hush\",\"start\":\"manual\","
	"\"headers\":{\"X-Key\":\"hush\"}}}}";

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	fixture_init(f, conf);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	fixture_deinit(*state);
	free(*state);
	return 0;
}

static void expect_at(struct fixture *f, enum conf_level level, const char *line,
		      const char *answer)
{
	char *found = fixture_ask(f, level, line);

	if (strcmp(found, answer) != 0)
		fail_msg("%s\nexpected %s\nfound    %s", line, answer, found);
	free(found);
}

static void expect(struct fixture *f, const char *line, const char *answer)
{
	expect_at(f, LEVEL_ADMIN, line, answer);
}

/* The answer's result, or its error if `member` says so. New reference. */
static json_t *ask(struct fixture *f, const char *line, const char *member)
{
	char *text = fixture_ask(f, LEVEL_ADMIN, line);
	json_t *answer = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	json_t *found = json_incref(json_object_get(answer, member));

	if (!found)
		fail_msg("%s: no %s in %s", line, member, text);
	json_decref(answer);
	free(text);
	return found;
}

static const char *string_at(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "(none)";
}

/* Nothing happens: no bridge comes, goes or starts, and the daemon hears of nothing. */
static void check_untouched(struct fixture *f)
{
	assert_int_equal(registry_count(f->registry), 2);
	assert_string_equal(bridge_state(registry_find(f->registry, "feed")), "closed");
	assert_string_equal(bridge_state(registry_find(f->registry, "other")), "closed");
	assert_int_equal(f->reloads, 0);
	assert_int_equal(f->shutdowns, 0);
}

static void test_errors(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < N_METHOD_ERRORS; i++) {
		const struct method_error *row = &method_errors[i];
		json_t *error = ask(f, row->line, "error");
		json_t *data = json_object_get(error, "data");

		assert_int_equal(json_integer_value(json_object_get(error, "code")), row->code);
		assert_string_equal(string_at(data, "kind"), row->kind);
		assert_string_equal(string_at(data, "option"),
				    row->option ? row->option : "(none)");
		assert_string_equal(string_at(error, "message"), row->message);
		check_untouched(f);
		json_decref(error);
	}
}

/* Each method on each level: denied exactly below its right, before anything else is looked at. */
static void test_rights(void **state)
{
	static const char *const names[] = { "read", "send", "admin" };
	struct fixture *f = *state;

	for (size_t i = 0; i < methods_count(); i++) {
		const struct method *m = method_at(i);

		for (enum conf_level level = LEVEL_READ; level < m->right; level++) {
			char line[100], answer[300];

			snprintf(line, sizeof(line), "%s nosuch=1", m->name);
			snprintf(
				answer, sizeof(answer),
				"{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32014,"
				"\"message\":\"\\\"%s\\\" needs the right \\\"%s\\\"; this control "
				"socket gives \\\"%s\\\"\",\"data\":{\"kind\":\"denied\"}}}",
				m->name, names[m->right], names[level]);
			expect_at(f, level, line, answer);
		}
		for (enum conf_level level = m->right; level <= LEVEL_ADMIN; level++) {
			char line[100], *answer;

			snprintf(line, sizeof(line), "%s nosuch=1", m->name);
			answer = fixture_ask(f, level, line);
			assert_non_null(strstr(answer, "\"option\":\"nosuch\""));
			free(answer);
		}
	}
	check_untouched(f);
}

/* The rights as the manual names them; this is not read from the table. */
static void test_right_of_each(void **state)
{
	static const struct {
		const char *name;
		enum conf_level right;
	} rights[] = {
		{ "open", LEVEL_ADMIN },      { "close", LEVEL_ADMIN },
		{ "send", LEVEL_SEND },	      { "status", LEVEL_READ },
		{ "reconnect", LEVEL_ADMIN }, { "reload", LEVEL_ADMIN },
		{ "shutdown", LEVEL_ADMIN },  { "version", LEVEL_READ },
		{ "explain", LEVEL_READ },    { "log", LEVEL_ADMIN },
		{ "metrics", LEVEL_READ },    { "rpc.discover", LEVEL_READ },
		{ "wait", LEVEL_READ },	      { "ping", LEVEL_SEND },
		{ "recv", LEVEL_READ },	      { "request", LEVEL_SEND },
		{ "subscribe", LEVEL_READ },  { "unsubscribe", LEVEL_READ },
		{ "trace", LEVEL_ADMIN },
	};
	struct error err;

	(void)state;
	assert_int_equal(methods_count(), sizeof(rights) / sizeof(rights[0]));
	for (size_t i = 0; i < methods_count(); i++)
		assert_int_equal(method_find(rights[i].name, &err)->right, rights[i].right);
}

static void test_answers(void **state)
{
	struct fixture *f = *state;

	expect(f, "", "");
	expect(f, "{\"method\":\"status\"}", "");
	expect(f, "{\"method\":\"status\",\"params\":{\"nam\":1}}", "");
	expect(f, "[{\"method\":\"status\"},{\"method\":\"nosuch\"}]", "");
	expect(f, "{\"id\":\"x\",\"method\":\"nosuch\"}",
	       "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"error\":{\"code\":-32601,\"message\":"
	       "\"no method \\\"nosuch\\\"\",\"data\":{\"kind\":\"no_such_method\"}}}");
	expect(f,
	       "[{\"id\":1,\"method\":\"open\",\"params\":{\"name\":\"feed\",\"dry_run\":true}},2]",
	       "[{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"name\":\"feed\",\"dry_run\":true}},"
	       "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,\"message\":"
	       "\"a request must be an object\",\"data\":{\"kind\":\"invalid_request\"}}}]");
	expect(f, "send feed text=a",
	       "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32004,\"message\":"
	       "\"bridge \\\"feed\\\" is closed\",\"data\":{\"kind\":\"not_open\",\"bridge\":"
	       "\"feed\",\"retryable\":true}}}");
}

static void test_dry_runs(void **state)
{
	struct fixture *f = *state;

	expect(f, "open new url=" NOWHERE " dry_run=true wait=true",
	       "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{\"name\":\"new\",\"dry_run\":true}}");
	expect(f, "open feed dry_run=true",
	       "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{\"name\":\"feed\",\"dry_run\":true}}");
	expect(f, "close feed dry_run=true",
	       "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{\"name\":\"feed\",\"dry_run\":true}}");
	expect(f, "shutdown dry_run=true",
	       "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{\"dry_run\":true}}");
	check_untouched(f);
	expect(f, "reload dry_run=true",
	       "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{\"added\":[],\"changed\":[],"
	       "\"removed\":[],\"unchanged\":2,\"dry_run\":true}}");
	assert_int_equal(f->reloads, 1);
	assert_true(f->dry);
}

static void test_status(void **state)
{
	static const char *const fields[] = {
		"name",	    "state",	  "since",	"url",	    "subprotocol", "compression",
		"peer",	    "tls",	  "handshake",	"attempts", "reconnects",  "epoch",
		"retry_in", "last_error", "last_close", "rtt",	    "last_rx",	   "rx",
		"tx",	    "dropped",	  "outbox",	"clients",  "source",	   "srtt",
		"flapping", "unacked",	  "unsent",	"seq",	    "paused",
	};
	struct fixture *f = *state;
	json_t *result = ask(f, "status other", "result");
	json_t *all = json_object_get(result, "bridges"), *b = json_array_get(all, 0);
	json_t *daemon = json_object_get(result, "daemon");
	char *text = json_dumps(result, JSON_COMPACT);

	assert_int_equal(json_array_size(all), 1);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (!json_object_get(b, fields[i]))
			fail_msg("no \"%s\" in %s", fields[i], text);
	assert_string_equal(string_at(b, "state"), "closed");
	assert_string_equal(string_at(b, "source"), "file");
	assert_string_equal(string_at(b, "url"), "ws://127.0.0.1:9/p?...");
	assert_null(strstr(text, "hush"));
	assert_true(json_is_null(json_object_get(b, "rtt")));
	assert_true(json_is_null(json_object_get(b, "srtt")));
	assert_true(json_is_false(json_object_get(b, "flapping")));
	assert_true(json_is_null(json_object_get(b, "last_error")));
	assert_true(json_is_null(json_object_get(b, "last_close")));
	assert_int_equal(json_integer_value(json_object_get(daemon, "bridges")), 2);
	assert_string_equal(string_at(daemon, "config"), "/etc/wsbridge/wsbridge.json");
	free(text);
	json_decref(result);
}

static void test_version(void **state)
{
	json_t *result = ask(*state, "version", "result");
	json_t *limits = json_object_get(result, "limits");

	assert_true(json_is_string(json_object_get(result, "version")));
	assert_true(json_is_array(json_object_get(result, "features")));
	assert_int_equal(json_integer_value(json_object_get(limits, "clients")), 256);
	assert_int_equal(json_integer_value(json_object_get(limits, "queues")), 64 << 20);
	assert_int_equal(json_integer_value(json_object_get(limits, "control_request")), 1 << 20);
	assert_int_equal(json_integer_value(json_object_get(limits, "dials_per_second")), 20);
	assert_int_equal(json_integer_value(json_object_get(limits, "tls_handshakes")), 10);
	json_decref(result);
}

static void test_open_waits_in_vain(void **state)
{
	struct fixture *f = *state;
	json_t *error = ask(f, "open new url=" NOWHERE " wait=50ms", "error");
	json_t *data = json_object_get(error, "data"), *last = json_object_get(data, "last_error");

	assert_int_equal(json_integer_value(json_object_get(error, "code")), -32005);
	assert_non_null(
		strstr(string_at(error, "message"), "bridge \"new\" is not open after 50ms: "));
	assert_non_null(strstr(string_at(error, "message"), "refused"));
	assert_string_equal(string_at(data, "kind"), "timeout");
	assert_string_equal(string_at(data, "bridge"), "new");
	assert_string_equal(string_at(data, "stage"), "connect");
	assert_string_equal(string_at(last, "kind"), "connect");
	assert_non_null(registry_find(f->registry, "new"));
	json_decref(error);
}

/* With true the first attempt decides; the bridge goes on trying. */
static void test_open_waits_for_one_attempt(void **state)
{
	struct fixture *f = *state;
	json_t *error = ask(f, "open new url=" NOWHERE " wait=true", "error");
	json_t *data = json_object_get(error, "data");

	assert_int_equal(json_integer_value(json_object_get(error, "code")), -32007);
	assert_string_equal(string_at(data, "stage"), "connect");
	assert_string_equal(bridge_state(registry_find(f->registry, "new")), "waiting");
	json_decref(error);
}

static void test_open_gives_up(void **state)
{
	struct fixture *f = *state;
	json_t *error = ask(f, "open new url=" NOWHERE " wait=true reconnect.attempts=1", "error");
	json_t *data = json_object_get(error, "data");

	assert_int_equal(json_integer_value(json_object_get(error, "code")), -32007);
	assert_string_equal(string_at(data, "kind"), "connect");
	assert_string_equal(string_at(data, "stage"), "connect");
	assert_true(json_is_true(json_object_get(data, "retryable")));
	assert_string_equal(bridge_state(registry_find(f->registry, "new")), "failed");
	json_decref(error);
	/* A failed one starts again by its name alone, with keys it exists already. */
	error = ask(f, "open new wait=true", "error");
	assert_int_equal(json_integer_value(json_object_get(error, "code")), -32007);
	json_decref(error);
	error = ask(f, "open new url=" NOWHERE, "error");
	assert_string_equal(string_at(error, "message"),
			    "there is a bridge \"new\" already (failed)");
	json_decref(error);
}

static void test_open_and_close(void **state)
{
	struct fixture *f = *state;
	json_t *result = ask(f, "open new url=" NOWHERE, "result"), *error;

	assert_string_equal(string_at(result, "name"), "new");
	assert_string_equal(string_at(result, "state"), "connecting");
	assert_string_equal(string_at(result, "source"), "control");
	json_decref(result);
	error = ask(f, "open new", "error");
	assert_string_equal(string_at(error, "message"), "bridge \"new\" is connecting already");
	json_decref(error);
	result = ask(f, "close new wait=true", "result");
	assert_string_equal(string_at(result, "state"), "closed");
	json_decref(result);
	error = ask(f, "open another url=" NOWHERE " wait=1ms", "error");
	json_decref(error);
	assert_null(registry_find(f->registry, "new"));
}

static void test_close_of_file_bridge(void **state)
{
	struct fixture *f = *state;
	json_t *result = ask(f, "open feed", "result");

	assert_string_equal(string_at(result, "state"), "connecting");
	json_decref(result);
	result = ask(f, "close feed code=4000 reason=bye wait=5s", "result");
	assert_string_equal(string_at(result, "state"), "closed");
	assert_string_equal(string_at(result, "source"), "file");
	json_decref(result);
	check_untouched(f);
}

/* A call that waits ends when its bridge does. */
static void test_open_is_closed_meanwhile(void **state)
{
	struct fixture *f = *state;
	json_t *batch;
	char *text = fixture_ask(
		f, LEVEL_ADMIN,
		"[{\"id\":1,\"method\":\"open\",\"params\":{\"name\":\"feed\",\"wait\":true}},"
		"{\"id\":2,\"method\":\"close\",\"params\":{\"name\":\"feed\"}}]");

	batch = json_loads(text, 0, NULL);
	assert_int_equal(json_array_size(batch), 2);
	for (size_t i = 0; i < 2; i++) {
		json_t *answer = json_array_get(batch, i);
		bool first = json_integer_value(json_object_get(answer, "id")) == 1;

		assert_non_null(json_object_get(answer, first ? "error" : "result"));
	}
	json_decref(batch);
	free(text);
}

static void test_outbox(void **state)
{
	struct fixture *f = *state;

	expect(f, "send feed text=hello queue=true",
	       "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{\"bytes\":5,\"queued\":true}}");
	expect(f, "send feed binary=AAEC queue=true",
	       "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{\"bytes\":3,\"queued\":true}}");
	expect(f, "send feed json={\"b\": 0.10, \"a\": [1e2 ,2]} queue=true",
	       "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{\"bytes\":22,\"queued\":true}}");
	expect(f, "send feed text={\"a\":1} queue=true",
	       "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{\"bytes\":7,\"queued\":true}}");
	expect(f, "send feed text=\"a b\" queue=true",
	       "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{\"bytes\":3,\"queued\":true}}");
}

static void test_reload(void **state)
{
	static const char *const complaints[] = { "f.json:1:2: url: bad", "f.json:3:4: x: worse",
						  NULL };
	struct fixture *f = *state;

	expect(f, "reload",
	       "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{\"added\":[],\"changed\":[],"
	       "\"removed\":[],\"unchanged\":2}}");
	f->complaints = complaints;
	expect(f, "reload",
	       "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32602,\"message\":"
	       "\"the first of 2 errors: f.json:1:2: url: bad\",\"data\":{\"kind\":"
	       "\"invalid_option\",\"errors\":[\"f.json:1:2: url: bad\",\"f.json:3:4: x: "
	       "worse\"]}}}");
	assert_int_equal(f->reloads, 2);
	assert_false(f->dry);
}

/* `shutdown` is answered at the very end, with whatever else still waits. */
static void test_shutdown(void **state)
{
	struct fixture *f = *state;
	struct exchange_params p = {
		.env = &f->env, .level = LEVEL_ADMIN, .who = "test", .max_line = 1000
	};
	struct exchange *down = exchange_new(&p, span_str("shutdown timeout=2s"));
	struct exchange *open = exchange_new(&p, span_str("open feed wait=true"));
	static const char yes[] = "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{}}\n";

	assert_int_equal(f->shutdowns, 1);
	assert_int_equal(f->timeout, 2000000);
	assert_false(down->done);
	assert_false(down->ordered);
	call_env_finish(&f->env);
	assert_true(down->done);
	assert_true(span_equal(down->line, span_str(yes)));
	assert_true(open->done);
	assert_non_null(memmem(open->line.p, open->line.n, "\"not_open\"", 10));
	exchange_free(down);
	exchange_free(open);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_errors),
		TEST(test_rights),
		TEST(test_right_of_each),
		TEST(test_answers),
		TEST(test_dry_runs),
		TEST(test_status),
		TEST(test_version),
		TEST(test_open_waits_in_vain),
		TEST(test_open_waits_for_one_attempt),
		TEST(test_open_gives_up),
		TEST(test_open_and_close),
		TEST(test_close_of_file_bridge),
		TEST(test_open_is_closed_meanwhile),
		TEST(test_outbox),
		TEST(test_reload),
		TEST(test_shutdown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
