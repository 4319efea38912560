/* SPDX-License-Identifier: Apache-2.0 */
/* `explain`, and what the methods make of bridges that are on demand or private. */
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
#include "control/control_fixture.h"
#include "control/view.h"
#include "link/history.h"

/* Nobody listens on the discard port of this machine. */
#define NOWHERE "ws://127.0.0.1:9/"

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	fixture_init(f, "{}");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	fixture_deinit(*state);
	free(*state);
	return 0;
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

static void expect_error(struct fixture *f, const char *line, int code, const char *message)
{
	json_t *error = ask(f, line, "error");

	assert_int_equal(json_integer_value(json_object_get(error, "code")), code);
	assert_string_equal(string_at(error, "message"), message);
	json_decref(error);
}

static void expect_state(struct fixture *f, const char *line, const char *state)
{
	json_t *bridge = ask(f, line, "result");

	assert_string_equal(string_at(bridge, "state"), state);
	json_decref(bridge);
}

/* "state attempt state ended…" of a history. Caller frees. */
static char *events_of(const json_t *history)
{
	char *all = mem_strdup("");

	for (size_t i = 0; i < json_array_size(history); i++) {
		const json_t *e = json_array_get(history, i);
		mem_auto_str before = all;

		all = mem_printf("%s%s%s", before, *before ? " " : "", string_at(e, "event"));
		assert_true(json_integer_value(json_object_get(e, "at")) > 1600000000);
	}
	return all;
}

static void test_explain(void **state)
{
	struct fixture *f = *state;
	json_t *result = NULL, *history, *e;
	mem_auto_str events = NULL;

	json_decref(ask(f, "open new url=" NOWHERE "?k=hush start=manual", "result"));
	result = ask(f, "explain new", "result");
	assert_string_equal(string_at(result, "state"), "closed");
	assert_int_equal(json_array_size(json_object_get(result, "history")), 0);
	json_decref(result);
	json_decref(ask(f, "open new wait=true", "error"));
	result = ask(f, "explain new", "result");
	assert_string_equal(string_at(result, "name"), "new");
	assert_string_equal(string_at(result, "state"), "waiting");
	history = json_object_get(result, "history");
	events = events_of(history);
	assert_string_equal(events, "attempt state ended state");
	assert_string_equal(string_at(json_array_get(history, 0), "url"), NOWHERE "?...");
	assert_string_equal(string_at(json_array_get(history, 1), "state"), "connecting");
	e = json_array_get(history, 2);
	assert_string_equal(string_at(e, "message"), "connect to 127.0.0.1:9: Connection refused");
	assert_string_equal(string_at(e, "kind"), "connect");
	assert_string_equal(string_at(e, "stage"), "connect");
	assert_true(json_number_value(json_object_get(e, "retry_in")) > 0.2);
	assert_null(json_object_get(e, "open_for"));
	assert_null(json_object_get(e, "close_code"));
	assert_string_equal(string_at(json_array_get(history, 3), "state"), "waiting");
	json_decref(result);
}

/* What the kinds of entries say that a refused connection does not show. */
static void test_entries(void **state)
{
	struct history h = { 0 };
	const struct history_entry entries[] = {
		{ .kind = HISTORY_OPENED,
		  .at = 1700000000,
		  .text = "192.0.2.1:443, TLSv1.3",
		  .took = 250000,
		  .delay = -1 },
		{ .kind = HISTORY_ENDED,
		  .at = 1700000001,
		  .text = "closed by peer (1001 \"\xff\")", /* not UTF-8: still told */
		  .close_code = 1001,
		  .took = 2000000,
		  .delay = -1 },
		{ .kind = HISTORY_ENDED,
		  .at = 1700000002,
		  .text = "the server answered with status 401",
		  .code = ERR_BAD_STATUS,
		  .stage = STAGE_HANDSHAKE,
		  .status = 401,
		  .delay = 30000000 },
	};
	json_t *list, *expected;

	(void)state;
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
		history_add(&h, &entries[i]);
	list = view_history(&h);
	expected = json_pack(
		"[{s:i,s:s,s:s,s:f},{s:i,s:s,s:s,s:i,s:f,s:n},{s:i,s:s,s:s,s:s,s:s,s:i,s:f}]", "at",
		1700000000, "event", "opened", "message", "192.0.2.1:443, TLSv1.3", "took", 0.25,
		"at", 1700000001, "event", "ended", "message", "closed by peer (1001 \"\\xff\")",
		"close_code", 1001, "open_for", 2.0, "retry_in", "at", 1700000002, "event", "ended",
		"message", "the server answered with status 401", "kind", "bad_status", "stage",
		"handshake", "status", 401, "retry_in", 30.0);
	assert_non_null(expected);
	assert_true(json_equal(list, expected));
	json_decref(list);
	json_decref(expected);
	history_deinit(&h);
}

static void test_on_demand(void **state)
{
	struct fixture *f = *state;

	expect_state(f, "open d url=" NOWHERE " start=on-demand", "idle");
	expect_state(f, "close d dry_run=true", "(none)");
	expect_error(f, "send d text=a", -32004, "bridge \"d\" is idle");
	json_decref(ask(f, "open d wait=true", "error")); /* dials, though nobody is there */
	expect_state(f, "close d wait=true", "closed");
	/* One that is to be waited for is wanted at once. */
	expect_error(f, "open e url=" NOWHERE " start=on-demand wait=true", -32007,
		     "bridge \"e\": connect to 127.0.0.1:9: Connection refused");
	expect_state(f, "open g url=" NOWHERE " start=on-demand", "idle");
	expect_state(f, "reconnect g", "connecting");
	expect_state(f, "open h url=" NOWHERE " start=on-demand", "idle");
	json_decref(ask(f, "send h text=a queue=true", "result"));
	assert_string_not_equal(bridge_state(registry_find(f->registry, "h")), "idle");
}

static void test_private(void **state)
{
	static const char why[] = "bridge \"p\" is private: each client has its own connection";
	struct fixture *f = *state;

	expect_state(f, "open p url=" NOWHERE " sharing=private wait=true", "idle");
	expect_error(f, "send p text=a queue=true", -32004, why);
	expect_error(f, "send p ping=a", -32004, why);
	expect_error(f, "reconnect p", -32004, why);
	expect_state(f, "explain p", "idle");
	expect_state(f, "close p", "closed");
}

/* A FIFO has no path of its own and does not tell who is at the other end. */
static void test_labels(void **state)
{
	struct fixture *f = *state;
	char dir[] = "/tmp/wsbridge-explain-XXXXXX";
	mem_auto_str line = NULL;
	mem_auto_str path = NULL;
	json_t *result, *bridge, *endpoint;

	assert_non_null(mkdtemp(dir));
	path = mem_printf("%s/in", dir);
	line = mem_printf("open fifo url=%s start=manual endpoint={\"fifo\":{\"in\":\"%s\"}}",
			  NOWHERE, path);
	json_decref(ask(f, line, "result"));
	result = ask(f, "status fifo", "result");
	bridge = json_array_get(json_object_get(result, "bridges"), 0);
	endpoint = json_array_get(json_object_get(bridge, "endpoints"), 0);
	assert_string_equal(string_at(endpoint, "endpoint"), path);
	json_decref(result);
	expect_state(f, "close fifo", "closed");
	fixture_deinit(f);
	unlink(path);
	rmdir(dir);
	fixture_init(f, "{}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_explain, setup, teardown),
		cmocka_unit_test(test_entries),
		cmocka_unit_test_setup_teardown(test_on_demand, setup, teardown),
		cmocka_unit_test_setup_teardown(test_private, setup, teardown),
		cmocka_unit_test_setup_teardown(test_labels, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
